"""The queue of message ids and its dead-letter queue."""

from __future__ import annotations

from aws_cdk.assertions import Match, Template

FOURTEEN_DAYS = 14 * 86_400
MESSAGE_IDS = {"ContentBasedDeduplication": True}
DEAD_LETTERS = {"RedrivePolicy": Match.absent(), "ContentBasedDeduplication": Match.absent()}


def test_ids_wait_in_order_and_once(template: Template) -> None:
    """The queue is first in, first out, and drops an id that is sent twice within minutes."""
    template.has_resource_properties(
        "AWS::SQS::Queue", {"FifoQueue": True, "ContentBasedDeduplication": True}
    )


def test_a_fresh_id_waits_before_its_first_look(template: Template, chosen: Template) -> None:
    """The delay is the queue's, and chosen by context."""
    template.has_resource_properties("AWS::SQS::Queue", {**MESSAGE_IDS, "DelaySeconds": 900})
    chosen.has_resource_properties("AWS::SQS::Queue", {**MESSAGE_IDS, "DelaySeconds": 0})


def test_an_outage_of_days_loses_nothing(template: Template) -> None:
    """Both queues keep a message as long as SQS can."""
    template.all_resources_properties("AWS::SQS::Queue", {"MessageRetentionPeriod": FOURTEEN_DAYS})


def test_only_an_endless_crash_ends_in_the_dead_letters(template: Template) -> None:
    """SQS moves a message there by itself only after as many returns as it allows."""
    template.has_resource_properties(
        "AWS::SQS::Queue",
        {
            **MESSAGE_IDS,
            "RedrivePolicy": {
                "maxReceiveCount": 1000,
                "deadLetterTargetArn": {
                    "Fn::GetAtt": [
                        template.find_outputs("DeadLetterQueueUrl")["DeadLetterQueueUrl"]["Value"][
                            "Ref"
                        ],
                        "Arn",
                    ]
                },
            },
        },
    )


def test_dead_letters_stay_in_order_and_apart(template: Template) -> None:
    """A FIFO queue redrives to a FIFO queue; two bad messages of one body are both kept."""
    template.has_resource_properties("AWS::SQS::Queue", {**DEAD_LETTERS, "FifoQueue": True})


def test_messages_are_encrypted(template: Template) -> None:
    """Both queues are encrypted at rest."""
    template.all_resources_properties("AWS::SQS::Queue", {"SqsManagedSseEnabled": True})


def test_queues_refuse_plain_http(template: Template) -> None:
    """Every sender and reader has to use TLS."""
    refusal = {
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": "sqs:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    guarded = [
        policy["Properties"]["Queues"]
        for policy in template.find_resources(
            "AWS::SQS::QueuePolicy",
            {
                "Properties": {
                    "PolicyDocument": {"Statement": Match.array_with([Match.object_like(refusal)])}
                }
            },
        ).values()
    ]
    queues = template.find_resources("AWS::SQS::Queue")
    assert sorted(queues) == sorted(ref["Ref"] for refs in guarded for ref in refs)


def test_a_message_stays_hidden_while_it_is_worked_on(template: Template, chosen: Template) -> None:
    """The visibility timeout is at least six times the function's, whatever the period."""
    for synthesised in (template, chosen):
        (queue,) = synthesised.find_resources(
            "AWS::SQS::Queue", {"Properties": MESSAGE_IDS}
        ).values()
        (function,) = synthesised.find_resources(
            "AWS::Lambda::Function",
            {"Properties": {"Handler": "ses_insights.handlers.lookup.handler"}},
        ).values()
        hidden = queue["Properties"]["VisibilityTimeout"]
        assert hidden >= 6 * function["Properties"]["Timeout"]


def test_whatever_fits_into_the_queue_can_be_parked(template: Template) -> None:
    """A body of the largest size is parked whole, although its reason comes on top."""
    template.has_resource_properties(
        "AWS::SQS::Queue", {**MESSAGE_IDS, "MaximumMessageSize": 256 * 1024}
    )
    template.has_resource_properties(
        "AWS::SQS::Queue", {**DEAD_LETTERS, "MaximumMessageSize": 1024 * 1024}
    )
