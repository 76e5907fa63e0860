"""The topics of alerts, of operations and of chat."""

from __future__ import annotations

from aws_cdk.assertions import Match, Template

ALARMS_OF_THIS_ACCOUNT = {
    "Effect": "Allow",
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
}

TOPIC_ACTIONS = [
    "sns:AddPermission",
    "sns:DeleteTopic",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:Publish",
    "sns:RemovePermission",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
]


def as_list(value: object) -> list[object]:
    """Undo CloudFormation's habit of writing a list of one as the one."""
    return value if isinstance(value, list) else [value]


def topic(template: Template, output: str) -> str:
    """Logical id of the topic an output names."""
    return str(template.find_outputs(output)[output]["Value"]["Ref"])


def test_topics_are_encrypted_with_a_rotating_key(chosen: Template) -> None:
    """All topics use the stack's own key: AWS's key would leave the alarms out."""
    keys = chosen.find_resources("AWS::KMS::Key", {"Properties": {"EnableKeyRotation": True}})
    (key,) = (name for name in keys if name.startswith("Topics"))
    chosen.all_resources_properties(
        "AWS::SNS::Topic", {"KmsMasterKeyId": {"Fn::GetAtt": [key, "Arn"]}}
    )


def test_a_chat_gets_a_topic_only_where_it_is_wanted(template: Template, chosen: Template) -> None:
    """By default there is none, and no function knows of one."""
    assert template.find_outputs("ChatTopicArn") == {}
    assert "CHAT_TOPIC_ARN" not in str(template.to_json())
    for handler in (
        "ses_insights.handlers.lookup.handler",
        "ses_insights.handlers.followups.handler",
    ):
        variables = {"CHAT_TOPIC_ARN": {"Ref": topic(chosen, "ChatTopicArn")}}
        chosen.has_resource_properties(
            "AWS::Lambda::Function",
            {"Handler": handler, "Environment": {"Variables": Match.object_like(variables)}},
        )


def test_topics_refuse_plain_http(chosen: Template) -> None:
    """Without TLS every action on a topic is refused."""
    for name in ("AlertTopicArn", "ChatTopicArn", "OpsTopicArn"):
        (policy,) = chosen.find_resources(
            "AWS::SNS::TopicPolicy", {"Properties": {"Topics": [{"Ref": topic(chosen, name)}]}}
        ).values()
        refused = [
            action
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
            if statement["Effect"] == "Deny"
            and statement["Principal"] == "*"
            and statement["Resource"] == {"Ref": topic(chosen, name)}
            and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
            for action in as_list(statement["Action"])
        ]
        assert sorted(map(str, refused)) == TOPIC_ACTIONS


def test_alarms_reach_the_encrypted_operations_topic(template: Template) -> None:
    """CloudWatch, for this account only, may publish there and use the key; else alarms fail."""
    operations = topic(template, "OpsTopicArn")
    template.has_resource_properties(
        "AWS::SNS::TopicPolicy",
        {
            "Topics": [{"Ref": operations}],
            "PolicyDocument": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                **ALARMS_OF_THIS_ACCOUNT,
                                "Action": "sns:Publish",
                                "Resource": {"Ref": operations},
                            }
                        )
                    ]
                )
            },
        },
    )
    template.has_resource_properties(
        "AWS::KMS::Key",
        {
            "KeyPolicy": {
                "Statement": Match.array_with(
                    [
                        Match.object_like(
                            {
                                **ALARMS_OF_THIS_ACCOUNT,
                                "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
                            }
                        )
                    ]
                )
            }
        },
    )


def test_no_address_is_subscribed_unless_chosen(template: Template) -> None:
    """Without addresses in the context no e-mail is sent."""
    assert not template.find_resources("AWS::SNS::Subscription")


def test_the_chosen_addresses_are_subscribed(chosen: Template) -> None:
    """Each topic has its own address."""
    for output, address in (
        ("AlertTopicArn", "mail@example.com"),
        ("OpsTopicArn", "ops@example.com"),
    ):
        chosen.has_resource_properties(
            "AWS::SNS::Subscription",
            {
                "Protocol": "email",
                "Endpoint": address,
                "TopicArn": {"Ref": topic(chosen, output)},
            },
        )
