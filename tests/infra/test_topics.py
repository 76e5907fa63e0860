"""The topic of alerts and the topic of operations."""

from __future__ import annotations

from aws_cdk.assertions import Match, Template

ALARMS_OF_THIS_ACCOUNT = {
    "Effect": "Allow",
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Condition": {"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}},
}


def topic(template: Template, output: str) -> str:
    """Logical id of the topic an output names."""
    return str(template.find_outputs(output)[output]["Value"]["Ref"])


def test_topics_are_encrypted_with_a_rotating_key(template: Template) -> None:
    """Both topics use the stack's own key: AWS's key would leave the alarms out."""
    (key,) = template.find_resources("AWS::KMS::Key", {"Properties": {"EnableKeyRotation": True}})
    template.all_resources_properties(
        "AWS::SNS::Topic", {"KmsMasterKeyId": {"Fn::GetAtt": [key, "Arn"]}}
    )


def test_topics_refuse_plain_http(template: Template) -> None:
    """Nobody publishes without TLS."""
    for name in ("AlertTopicArn", "OpsTopicArn"):
        template.has_resource_properties(
            "AWS::SNS::TopicPolicy",
            {
                "Topics": [{"Ref": topic(template, name)}],
                "PolicyDocument": {
                    "Statement": Match.array_with(
                        [
                            Match.object_like(
                                {
                                    "Effect": "Deny",
                                    "Principal": "*",
                                    "Action": "sns:Publish",
                                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                                }
                            )
                        ]
                    )
                },
            },
        )


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


def test_nobody_is_subscribed_unasked(template: Template) -> None:
    """Without addresses in the context no e-mail is sent."""
    assert not template.find_resources("AWS::SNS::Subscription")


def test_the_chosen_addresses_are_subscribed(chosen: Template) -> None:
    """Each topic mails its own reader."""
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
