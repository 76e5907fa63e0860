"""The intake rules: they enqueue what SES publishes in EventBridge."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import Acknowledgment, Duration, Stack, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alarms import watch
from infra.queues import RETENTION, Queues
from ses_insights.contracts.names import MESSAGE_GROUP

# What SES publishes, on the default bus, of mail whose configuration set says so:
# https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-ses.html
SENT: Final = (
    "Email Sent",
    "Email Rejected",
    "Email Rendering Failed",
)
FEEDBACK: Final = ("Email Bounced", "Email Complaint Received")

# The only parts of an event that get into the queue: the id, and whether it is a bounce or a
# complaint ("Bounce", "Complaint").
ID: Final = "$.detail.mail.messageId"
KIND: Final = "$.detail.eventType"


class Intake(Construct):
    """The chosen rules, and the queue of what EventBridge cannot deliver."""

    def __init__(  # noqa: PLR0913 - keyword-only; each is one choice of the caller
        self,
        scope: Construct,
        construct_id: str,
        *,
        sent: bool,
        feedback: bool,
        queues: Queues,
        operations: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._queue = queues.message_ids
        self.undelivered = self._dead_letters(operations)
        if sent:
            self._rule(
                "Sent",
                SENT,
                paths={"id": ID},
                body={"MessageId": "<id>"},
                description="Enqueues the id of each mail that SES says it has sent.",
            )
        if feedback:
            self._rule(
                "Feedback",
                FEEDBACK,
                paths={"id": ID, "kind": KIND},
                body={"MessageId": "<id>", "due": "<kind>"},
                description="Has a message looked at again when it bounces or is complained about.",
            )

    def _dead_letters(self, operations: sns.ITopic) -> sqs.Queue:
        """Make the queue for events that EventBridge could not deliver within 24 hours."""
        queue = sqs.Queue(
            self,
            "Undelivered",  # a standard queue: EventBridge takes no other as dead-letter queue
            retention_period=RETENTION,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
        )
        Validations.of(queue).acknowledge(
            Acknowledgment(
                id="AwsSolutions-SQS3",
                reason="It is itself a dead-letter queue, of rules and not of another queue.",
            )
        )
        watch(
            queue,
            "UndeliveredEvents",
            metric=queue.metric_approximate_number_of_messages_visible(
                period=Duration.minutes(5), statistic=cloudwatch.Stats.MAXIMUM
            ),
            at_least=1,
            meaning="EventBridge could not put events of SES into the queue. Their messages are "
            "not looked at, or not sooner, until somebody enqueues them.",
            remedy="Their attribute ERROR_CODE says why. Fix it (most likely the queue's policy), "
            "then put each body into the queue as it is, and delete it here. The bodies hold "
            "addresses and subjects.",
            operations=operations,
        )
        return queue

    def _rule(
        self,
        name: str,
        detail_types: tuple[str, ...],
        *,
        paths: Mapping[str, str],
        body: Mapping[str, Any],
        description: str,
    ) -> None:
        """Put a body made of each event of these types into the queue.

        Only events of this account and Region: others can forward theirs to the bus, and SES would
        not know their ids here.
        """
        stack = Stack.of(self)
        rule = events.CfnRule(
            self,
            name,
            description=description,
            event_pattern={
                "source": ["aws.ses"],
                "account": [stack.account],
                "region": [stack.region],
                "detail-type": [*detail_types],
                "detail": {"mail": {"messageId": [{"exists": True}]}},
            },
            targets=[
                events.CfnRule.TargetProperty(
                    id="Queue",
                    arn=self._queue.queue_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map={**paths},
                        # Written as a pipeline in Python writes it: what is enqueued twice in
                        # this form, by both, is one message.
                        input_template=json.dumps(body),
                    ),
                    sqs_parameters=events.CfnRule.SqsParametersProperty(
                        message_group_id=MESSAGE_GROUP
                    ),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(
                        arn=self.undelivered.queue_arn
                    ),
                )
            ],
        )
        # Not the CDK's own SQS target: it also grants what EventBridge does not use.
        for queue in (self._queue, self.undelivered):
            queue.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"LetRule{name}Send",
                    principals=[iam.ServicePrincipal("events.amazonaws.com")],
                    actions=["sqs:SendMessage"],
                    resources=[queue.queue_arn],
                    conditions={"ArnEquals": {"aws:SourceArn": rule.attr_arn}},
                )
            )
