"""The rules that enqueue what SES publishes, as the template has them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_cdk import App, Validations
from aws_cdk.assertions import Match, Template
from botocore import UNSIGNED
from botocore.config import Config as BotoConfig
from botocore.stub import Stubber
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import ManualArgs, lint_file  # type: ignore[import-untyped]

from infra.config import Config
from infra.stack import SesInsightsStack
from ses_insights.contracts.names import MESSAGE_GROUP
from ses_insights.contracts.queue_message import LookRequest, read_body
from ses_insights.domain.listing import Feedback

MESSAGE_ID = "0106019fa36a2608-6c9654bb-dc58-4957-8828-68360c1c2d10-000000"
RULE = "AWS::Events::Rule"
SENT = {"EventPattern": {"detail-type": ["Email Sent", "Email Rejected", "Email Rendering Failed"]}}
FEEDBACK = {"EventPattern": {"detail-type": ["Email Bounced", "Email Complaint Received"]}}
WRITTEN_BY_CDK = "W3005"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "intake.md"


def synthesised(context: dict[str, object], **chosen: bool) -> Template:
    """The stack with these keys, its package not built."""
    app = App(context={**context, "aws:cdk:bundling-stacks": []}, analytics_reporting=False)
    return Template.from_stack(SesInsightsStack(app, "Mail", config=Config(**chosen)))  # type: ignore[arg-type] # all of them flags


def queue_of(template: Template) -> str:
    """Logical id of the queue of message ids."""
    return str(template.find_outputs("QueueUrl")["QueueUrl"]["Value"]["Ref"])


def undelivered_in(template: Template) -> str:
    """Logical id of the queue for what EventBridge cannot deliver."""
    (found,) = template.find_resources(
        "AWS::SQS::Queue", {"Properties": {"FifoQueue": Match.absent()}}
    )
    return str(found)


def rule_in(template: Template, properties: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Logical id and only target of the rule with these properties."""
    ((name, rule),) = template.find_resources(RULE, {"Properties": properties}).items()
    (target,) = rule["Properties"]["Targets"]
    return str(name), dict(target)


def senders(template: Template, queue: str) -> list[dict[str, Any]]:
    """Whom the policies of a queue let do something."""
    return [
        statement
        for policy in template.find_resources("AWS::SQS::QueuePolicy").values()
        if policy["Properties"]["Queues"] == [{"Ref": queue}]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]


def test_nothing_is_enqueued_unless_it_is_chosen(template: Template) -> None:
    """By default there is no rule, no queue for one, and no other sender."""
    template.resource_count_is(RULE, 0)
    template.resource_count_is("AWS::SQS::Queue", 2)
    assert senders(template, queue_of(template)) == []


@pytest.mark.parametrize(
    ("key", "properties"), [("intake_sent", SENT), ("intake_feedback", FEEDBACK)]
)
def test_each_key_makes_one_rule(
    cdk_context: dict[str, object], key: str, properties: dict[str, Any]
) -> None:
    """Where the pipeline enqueues, the feedback alone can be chosen, and the other way round."""
    template = synthesised(cdk_context, **{key: True})
    template.resource_count_is(RULE, 1)
    template.has_resource_properties(RULE, properties)
    assert len(senders(template, queue_of(template))) == 1


@pytest.mark.parametrize("properties", [SENT, FEEDBACK], ids=["sent", "feedback"])
def test_a_rule_takes_only_events_of_ses_with_an_id(
    chosen: Template, properties: dict[str, Any]
) -> None:
    """On the account's default bus, where SES publishes."""
    pattern = {
        "source": ["aws.ses"],
        "account": [{"Ref": "AWS::AccountId"}],
        "region": [{"Ref": "AWS::Region"}],
        "detail": {"mail": {"messageId": [{"exists": True}]}},
        **properties["EventPattern"],
    }
    chosen.has_resource_properties(RULE, {"EventPattern": pattern, "EventBusName": Match.absent()})


@pytest.mark.parametrize(
    ("properties", "request_made"),
    [
        (SENT, LookRequest(MESSAGE_ID)),
        (FEEDBACK, LookRequest(MESSAGE_ID, due=True, about=Feedback.COMPLAINT)),
    ],
    ids=["sent", "feedback"],
)
def test_only_the_id_and_what_happened_enter_the_queue(
    chosen: Template, properties: dict[str, Any], request_made: LookRequest
) -> None:
    """No address and no subject: the body is made of these alone, and read as the rule means."""
    _, target = rule_in(chosen, properties)
    transformer = target["InputTransformer"]
    paths = {"id": "$.detail.mail.messageId", "kind": "$.detail.eventType"}
    assert transformer["InputPathsMap"].items() <= paths.items()
    body = transformer["InputTemplate"].replace("<id>", MESSAGE_ID).replace("<kind>", "Complaint")
    assert read_body(body) == request_made
    assert set(json.loads(body)) <= {"MessageId", "due"}


def test_sent_mail_is_enqueued_as_a_pipeline_enqueues_it(chosen: Template) -> None:
    """The queue drops the second of two equal bodies: enqueued by both, it is one message."""
    _, target = rule_in(chosen, SENT)
    template = target["InputTransformer"]["InputTemplate"]
    assert template.replace("<id>", MESSAGE_ID) == json.dumps({"MessageId": MESSAGE_ID})


@pytest.mark.parametrize("properties", [SENT, FEEDBACK], ids=["sent", "feedback"])
def test_a_rule_uses_the_one_message_group(chosen: Template, properties: dict[str, Any]) -> None:
    """Its messages have the group of all others, or two looks would run at once."""
    _, target = rule_in(chosen, properties)
    assert target["Arn"] == {"Fn::GetAtt": [queue_of(chosen), "Arn"]}
    assert target["SqsParameters"] == {"MessageGroupId": MESSAGE_GROUP}


@pytest.mark.parametrize("properties", [SENT, FEEDBACK], ids=["sent", "feedback"])
def test_what_cannot_be_delivered_is_kept(chosen: Template, properties: dict[str, Any]) -> None:
    """After EventBridge's own retries of a day it waits, encrypted, for the longest SQS keeps it.

    A role would make EventBridge leave the queues' policies aside.
    """
    _, target = rule_in(chosen, properties)
    undelivered = undelivered_in(chosen)
    assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [undelivered, "Arn"]}}
    assert {"RetryPolicy", "RoleArn"}.isdisjoint(target)
    kept = chosen.to_json()["Resources"][undelivered]["Properties"]
    assert kept == {"MessageRetentionPeriod": 14 * 86_400, "SqsManagedSseEnabled": True}


def test_only_the_rules_may_send_to_their_two_queues(chosen: Template) -> None:
    """EventBridge, for exactly these rules, and nothing but SendMessage."""
    for queue in (queue_of(chosen), undelivered_in(chosen)):
        allowed = senders(chosen, queue)
        for statement in allowed:
            assert statement["Principal"] == {"Service": "events.amazonaws.com"}
            assert statement["Action"] == "sqs:SendMessage"
            assert statement["Resource"] == {"Fn::GetAtt": [queue, "Arn"]}
        rules = [rule_in(chosen, SENT)[0], rule_in(chosen, FEEDBACK)[0]]
        assert [statement["Condition"] for statement in allowed] == [
            {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}} for rule in rules
        ]


def test_undelivered_events_raise_an_alarm(chosen: Template) -> None:
    """One is enough: each is a message that is not looked at."""
    chosen.has_resource_properties(
        "AWS::CloudWatch::Alarm",
        {
            "AlarmName": "Mail-UndeliveredEvents",
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Statistic": "Maximum",
            "Threshold": 1,
            "Dimensions": [
                {
                    "Name": "QueueName",
                    "Value": {"Fn::GetAtt": [undelivered_in(chosen), "QueueName"]},
                }
            ],
        },
    )


def test_the_rule_packs_find_nothing_in_it(tmp_path: Path, cdk_context: dict[str, object]) -> None:
    """Of cdk-nag and cfn-lint, with both rules on."""
    context = {**cdk_context, "aws:cdk:bundling-stacks": []}
    app = App(outdir=str(tmp_path), context=context, analytics_reporting=False)
    Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    SesInsightsStack(app, "Mail", config=Config(intake_sent=True, intake_feedback=True))
    app.synth()
    found = lint_file(
        tmp_path / "Mail.template.json", config=ManualArgs(ignore_checks=[WRITTEN_BY_CDK])
    )
    assert not [str(match) for match in found]


def test_what_the_page_says_to_type_is_what_the_rules_need() -> None:
    """SES's API takes it: the three kinds of event go to the default bus."""
    (written,) = re.findall(r"--event-destination '(.*?)'", PAGE.read_text(), re.DOTALL)
    destination = json.loads(written)
    client = boto3.client("sesv2", "eu-west-1", config=BotoConfig(signature_version=UNSIGNED))
    with Stubber(client) as ses:
        ses.add_response("create_configuration_set_event_destination", {})
        client.create_configuration_set_event_destination(
            ConfigurationSetName="shop",
            EventDestinationName="ses-insights",
            EventDestination=destination,
        )
    assert destination["Enabled"] is True
    assert destination["MatchingEventTypes"] == ["SEND", "BOUNCE", "COMPLAINT"]
    assert destination["EventBridgeDestination"]["EventBusArn"].endswith(":event-bus/default")
