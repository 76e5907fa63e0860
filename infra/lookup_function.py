"""The lookup function: takes one id at a time from the queue and asks SES about it."""

from __future__ import annotations

import json

from aws_cdk import Acknowledgment, Duration, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.alarms import counted, watch
from infra.service_function import Parts, ServiceFunction
from ses_insights.contracts.names import (
    MESSAGE_GROUP,
    FailureKind,
    Index,
    Metric,
    Service,
    Variable,
)

# Answers 429 in a quarter of an hour. One in passing is no trouble.
THROTTLES_AT_LEAST = 10


class LookupFunction(ServiceFunction):
    """The function, its permissions, its trigger, and its alarms."""

    def __init__(self, scope: Construct, construct_id: str, *, parts: Parts) -> None:
        config, queues, topics = parts.config, parts.queues, parts.topics
        super().__init__(
            scope,
            construct_id,
            name=Service.LOOKUP,
            description="Asks SES what became of a message, stores the answer and alerts.",
            parts=parts,
            timeout=Duration.seconds(config.lookup_timeout_seconds),
            # One look at a time. The queue's single message group sees to that already; this
            # also holds when somebody invokes the function by hand.
            reserved_concurrency=1 if config.reserve_concurrency else None,
            environment={
                Variable.DEAD_LETTER_QUEUE_URL: queues.dead_letters.queue_url,
                Variable.ALERT_TYPES: json.dumps(config.alert_types),
                Variable.REDACT_SUBJECTS: json.dumps(config.redact_subjects),
            },
        )
        self._permit(parts)
        self._permit_asking_ses()
        self._take_from(queues.message_ids)
        self._watch(topics.operations)
        if config.quiet_days is not None:
            self._watch_for_fresh_ids(config.quiet_days, topics.operations)

    def _permit(self, parts: Parts) -> None:
        """Allow single actions: the grants of the CDK allow more than the code uses."""
        self.allow(
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ChangeMessageVisibility",
            "sqs:SendMessage",
            on=parts.queues.message_ids.queue_arn,
        )
        self.allow("sqs:SendMessage", on=parts.queues.dead_letters.queue_arn)
        self.allow(
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:ConditionCheckItem",
            on=parts.insights.table.table_arn,
        )
        # How late the oldest essential look is, once a minute.
        due_looks = f"{parts.insights.table.table_arn}/index/{Index.DUE_LOOKS}"
        self.allow("dynamodb:Query", on=due_looks)

    def _permit_asking_ses(self) -> None:
        """Allow the call to SES, in a policy of its own: it cannot be limited to a resource."""
        ask_ses = iam.Policy(
            self,
            "AskSes",
            roles=[self.role],
            statements=[iam.PolicyStatement(actions=["ses:GetMessageInsights"], resources=["*"])],
        )
        Validations.of(ask_ses).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="ses:GetMessageInsights has no resource type, so IAM takes no other "
                "resource; it is the only action of this policy.",
            )
        )
        self.function.node.add_dependency(ask_ses)

    def _take_from(self, queue: sqs.IQueue) -> None:
        # Not SqsEventSource: it also grants what is not used (sqs:GetQueueUrl).
        lambda_.EventSourceMapping(
            self,
            "OneAtATime",
            target=self.function,
            event_source_arn=queue.queue_arn,
            batch_size=1,
            report_batch_item_failures=True,
        )

    def _watch(self, operations: sns.ITopic) -> None:
        minutes = Duration.minutes(5)
        watch(
            self,
            "SystemFailures",
            metric=counted(Metric.SYSTEM_FAILURES, period=minutes, service=Service.LOOKUP),
            # A failing look comes back after at most 15 minutes, four times an hour: 3 of 12 stays
            # on as long as it fails, and does not go off for one or two failures in passing.
            at_least=1,
            datapoints=3,
            out_of=12,
            meaning="Looks have kept failing during the last hour because of the system and not of "
            "a message: SES, DynamoDB, SNS, SQS, credentials or permissions. The queue waits; "
            "nothing is lost for 14 days.",
            remedy="The metric SystemFailures by kind, and the log group of lookup, say which. "
            "Fix it; the looks go on by themselves within 15 minutes.",
            operations=operations,
        )
        watch(
            self,
            "VdmOff",
            metric=counted(
                Metric.SYSTEM_FAILURES,
                period=minutes,
                service=Service.LOOKUP,
                kind=FailureKind.VDM_OFF,
            ),
            at_least=1,
            # Half an hour, for the same reason, so that it does not come and go.
            out_of=6,
            meaning="SES refuses every look because Virtual Deliverability Manager (VDM) is off in "
            "this account and Region. Mail sent while it is off is never tracked.",
            remedy="Turn it on: SES console, Virtual Deliverability Manager, or aws sesv2 "
            "put-account-vdm-attributes --vdm-attributes VdmEnabled=ENABLED. The looks go on by "
            "themselves within 15 minutes.",
            operations=operations,
        )
        watch(
            self,
            "SesThrottling",
            metric=counted(Metric.THROTTLES, period=Duration.minutes(15), service=Service.LOOKUP),
            at_least=THROTTLES_AT_LEAST,
            meaning="SES throttles the looks although they keep their pace. Its limit of one a "
            "second is shared: somebody else in this account and Region calls GetMessageInsights.",
            remedy="Find the caller (CloudTrail, or ask who uses the Virtual Deliverability "
            "Manager console or API) and stop it, or share the limit: raise the context key "
            "lookupPeriodSeconds.",
            operations=operations,
        )
        watch(
            self,
            "Coverage",
            # Each judged message counts as 1 or 0: the median is 0 where SES shows less than half.
            metric=counted(Metric.COVERAGE, period=Duration.hours(1), service=Service.LOOKUP).with_(
                statistic=cloudwatch.Stats.percentile(50)
            ),
            below=0.5,
            # With fewer than 20 values CloudWatch calls a median not significant, and the alarm
            # stays as it is, as it does in a period without any:
            # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
            few_samples="ignore",
            silence=cloudwatch.TreatMissingData.IGNORE,
            meaning="SES does not show most of the messages that were judged within an hour. A "
            "message is judged at its first look an hour or more after it was sent: a fresh one "
            "that is not there yet does not count. Fewer than 20 say nothing. Likely the mail is "
            "sent from another account or Region, was sent while Virtual Deliverability Manager "
            "(VDM) was off, or goes to several recipients or the mailbox simulator, which SES does "
            "not track.",
            remedy="Compare account and Region of sender and stack, and look whether VDM is on. "
            "Then enqueue the ids where they belong. A back-fill of ids older than SES keeps them "
            "does the same.",
            operations=operations,
        )
        watch(
            self,
            "FirstLooksPostponed",
            metric=counted(Metric.SHED, period=Duration.hours(1), service=Service.LOOKUP),
            at_least=1,
            # A day, so that a sender whose nights are quiet gets one alarm, not one a morning.
            out_of=24,
            meaning="More mail comes in than looks: fresh ids got no first look, and are looked at "
            "three days after they were sent. With the suppression list or intakeFeedback on, "
            "their bounces and complaints are alerted all the same.",
            remedy="A burst needs no action. If it stays, enqueue only mail whose whole story is "
            "wanted, or leave a back-fill to the bulk lane.",
            operations=operations,
        )
        watch(
            self,
            "ForeignGroup",
            metric=counted(Metric.FOREIGN_GROUPS, period=Duration.hours(1), service=Service.LOOKUP),
            at_least=1,
            out_of=24,
            meaning=f"Messages came with another MessageGroupId than {MESSAGE_GROUP}. Each was "
            "enqueued again in that group, and so waits once more before its look; nothing is "
            "lost.",
            remedy=f"Let whatever enqueues them send MessageGroupId {MESSAGE_GROUP}. After a "
            "redrive in the SQS console it is to be expected.",
            operations=operations,
        )

    def _watch_for_fresh_ids(self, days: int, operations: sns.ITopic) -> None:
        """Notify `operations` when no producer has enqueued an id for so many days."""
        watch(
            self,
            "NoFreshIds",
            metric=counted(Metric.FRESH, period=Duration.days(1), service=Service.LOOKUP),
            below=1,
            datapoints=days,
            out_of=days,
            # Counted only when an id comes: a day without data is a day without one.
            silence=cloudwatch.TreatMissingData.BREACHING,
            meaning=f"No fresh id was enqueued for {days} "
            + ("day" if days == 1 else "days")
            + ": no mail is sent, or what enqueues its ids has stopped. Ids that the suppression "
            "list or SES's events bring do not count.",
            remedy="Look whether mail is sent, and whether its pipeline still reaches the queue. "
            "If quiet times are usual, raise the context key quietDays, or set it to false.",
            operations=operations,
        )
