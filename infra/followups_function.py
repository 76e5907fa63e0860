"""The function `followups`: every minute it puts the looks that are due back into the queue."""

from __future__ import annotations

import json

from aws_cdk import Acknowledgment, Duration, Stack, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.alarms import counted, watch
from infra.service_function import Parts, ServiceFunction
from infra.table import InsightsTable
from ses_insights.contracts.names import LONGEST_RUN_SECONDS, Index, Metric, Service, Variable

# As long as a run may take before the next one starts; it stops by itself ten seconds earlier.
TIMEOUT = Duration.seconds(LONGEST_RUN_SECONDS)

# A look a day late is given up; what is later still shows that runs cannot keep up with that.
LONGEST_LAG = Duration.hours(30)

LONGEST_FEEDBACK_LAG = Duration.hours(1)


class FollowUpsFunction(ServiceFunction):
    """The function, its permissions, its schedule, and its alarms."""

    def __init__(self, scope: Construct, construct_id: str, *, parts: Parts) -> None:
        super().__init__(
            scope,
            construct_id,
            name=Service.FOLLOW_UPS,
            description="Puts messages that are due for another look back into the queue.",
            parts=parts,
            timeout=TIMEOUT,
            environment={
                Variable.WATCH_SUPPRESSION_LIST: json.dumps(parts.config.watch_suppression_list)
            },
        )
        # The next minute's run does what a failed one did not; Lambda need not try again.
        self.function.configure_async_invoke(max_event_age=Duration.minutes(1), retry_attempts=0)
        self._permit(parts)
        self._every_minute()
        self._watch(parts.topics.operations)
        if parts.config.watch_suppression_list:
            self._permit_reading_the_list(parts.insights)
            self._watch_feedback(parts.topics.operations)

    def _permit(self, parts: Parts) -> None:
        """Allow single actions on single resources."""
        queue, table = parts.queues.message_ids, parts.insights.table
        self.allow("sqs:GetQueueAttributes", "sqs:SendMessage", on=queue.queue_arn)
        self.allow(
            "dynamodb:Query",
            "dynamodb:BatchGetItem",
            "dynamodb:UpdateItem",
            "dynamodb:PutItem",
            on=table.table_arn,
        )
        for index in (Index.DUE_LOOKS, Index.BY_ALERT):
            self.allow("dynamodb:Query", on=f"{table.table_arn}/index/{index}")

    def _permit_reading_the_list(self, insights: InsightsTable) -> None:
        """Allow the calls to SES, in a policy of their own: they cannot be limited to a resource.

        What is stored of a listing is stored on the condition that its message is not erased.
        """
        self.allow("dynamodb:ConditionCheckItem", on=insights.table.table_arn)
        read_list = iam.Policy(
            self,
            "ReadSuppressionList",
            roles=[self.role],
            statements=[
                iam.PolicyStatement(
                    actions=[
                        "ses:ListSuppressedDestinations",
                        "ses:GetSuppressedDestination",
                        "ses:GetAccount",
                    ],
                    resources=["*"],
                )
            ],
        )
        Validations.of(read_list).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason="These three actions of SES have no resource type, so IAM takes no other "
                "resource; they only read, and are the only ones of this policy.",
            )
        )
        self.function.node.add_dependency(read_list)

    def _every_minute(self) -> None:
        """Start a run every minute, through a role that may do nothing else."""
        role = iam.Role(
            self,
            "ScheduleRole",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
        )
        # Not the scheduler's own Lambda target: it also allows every version of the function.
        allowed = iam.Policy(
            self,
            "StartRuns",
            roles=[role],
            statements=[
                iam.PolicyStatement(
                    actions=["lambda:InvokeFunction"], resources=[self.function.function_arn]
                )
            ],
        )
        schedule = scheduler.CfnSchedule(
            self,
            "EveryMinute",
            description="Starts a run of followups.",
            schedule_expression="rate(1 minute)",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=self.function.function_arn,
                role_arn=role.role_arn,
                # A run that is a minute late is the next one.
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=60, maximum_retry_attempts=0
                ),
            ),
        )
        schedule.node.add_dependency(allowed)

    def _watch(self, operations: sns.ITopic) -> None:
        watch(
            self,
            "FollowUpLag",
            metric=counted(
                Metric.LAG, period=Duration.minutes(15), service=Service.FOLLOW_UPS
            ).with_(statistic=cloudwatch.Stats.MAXIMUM),
            at_least=LONGEST_LAG.to_seconds(),
            meaning="A message has been due for another look for more than 30 hours, although a "
            "look a day late is given up. Runs of followups do not keep up with what is due.",
            remedy="If the alarm FollowUpsNotRunning or FollowUpFailures is on, look at it first. "
            "Otherwise far more mail comes in than looks can follow; the metric Shed shows how "
            "many are given up. Enqueue less, or take rungs out of the context key followUpLadder.",
            operations=operations,
        )
        watch(
            self,
            "FollowUpsNotRunning",
            # AWS's own count, which is free: a run that starts and fails has two alarms more.
            metric=self.function.metric_invocations(period=Duration.minutes(5)),
            below=1,
            datapoints=2,
            out_of=2,
            # A run starts every minute, so a period without data is one without a run.
            silence=cloudwatch.TreatMissingData.BREACHING,
            meaning="No run of followups has started for ten minutes: no message is looked at "
            "again, and alerts left pending are not published.",
            remedy="Look at its schedule in EventBridge Scheduler: it must be enabled, and its "
            "role must be there. Then look whether the account has free Lambda concurrency. Runs "
            "go on by themselves; nothing that is due is lost.",
            operations=operations,
        )
        watch(
            self,
            "LooksGivenUp",
            metric=counted(Metric.SHED, period=Duration.hours(1), service=Service.FOLLOW_UPS),
            at_least=1,
            # A day, for the same reason as FirstLooksPostponed.
            out_of=24,
            meaning="Looks that were due were given up because there is more mail than looks, one "
            "a second. What only such a look would have shown is found later or not at all; the "
            "rows say so.",
            remedy="After an outage or a burst it needs no action. If it stays, enqueue only mail "
            "whose whole story is wanted, or take rungs out of the context key followUpLadder.",
            operations=operations,
        )
        watch(
            self,
            "FollowUpFailures",
            metric=counted(
                Metric.SYSTEM_FAILURES, period=Duration.minutes(5), service=Service.FOLLOW_UPS
            ),
            # A run fails every minute while something is down; a failure in passing is no trouble.
            at_least=1,
            datapoints=3,
            out_of=3,
            meaning="Runs of followups have kept failing for a quarter of an hour: DynamoDB, SQS, "
            "SNS, credentials or permissions.",
            remedy="The metric SystemFailures by kind, and the log group of followups, say which. "
            "Fix it; the runs go on by themselves.",
            operations=operations,
        )

    def _watch_feedback(self, operations: sns.ITopic) -> None:
        watch(
            self,
            "FeedbackLag",
            metric=counted(
                Metric.FEEDBACK_LAG, period=Duration.minutes(15), service=Service.FOLLOW_UPS
            ).with_(statistic=cloudwatch.Stats.MAXIMUM),
            at_least=LONGEST_FEEDBACK_LAG.to_seconds(),
            # The first run begins an hour back.
            datapoints=2,
            out_of=2,
            meaning="Bounces and complaints that SES has listed reach the queue more than an hour "
            "later. Their alerts come that much later, or on a rung of the ladder.",
            remedy="If FollowUpsNotRunning, FollowupsErrors or FollowUpFailures is or was on, it "
            "caught up from that: wait. Otherwise more addresses are listed than one a second can "
            "be looked up: see which mail bounces.",
            operations=operations,
        )
