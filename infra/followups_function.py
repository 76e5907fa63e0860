"""The function `followups`: every minute it puts the looks that are due back into the queue."""

from __future__ import annotations

import json

from aws_cdk import Acknowledgment, Duration, Stack, Validations
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_scheduler as scheduler
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.alarms import counted, watch
from infra.config import Config
from infra.queues import Queues
from infra.service_function import ServiceFunction, shared_settings
from infra.topics import Topics
from ses_insights.contracts.names import Index, Metric, Service, Variable

# As long as a run may take before the next one starts; it stops by itself ten seconds earlier.
TIMEOUT = Duration.minutes(1)

# A look a day late is given up; what is later still shows that runs cannot keep up with that.
LONGEST_LAG = Duration.hours(30)

LONGEST_FEEDBACK_LAG = Duration.hours(1)


class FollowUpsFunction(ServiceFunction):
    """The function, its permissions, its schedule, and its alarms."""

    def __init__(  # noqa: PLR0913 - keyword-only; the parts it joins
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        code: lambda_.Code,
        queues: Queues,
        table: dynamodb.ITableV2,
        topics: Topics,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            name=Service.FOLLOW_UPS,
            description="Puts messages that are due for another look back into the queue.",
            code=code,
            timeout=TIMEOUT,
            environment={
                **shared_settings(config=config, queues=queues, table=table, topics=topics),
                Variable.WATCH_SUPPRESSION_LIST: json.dumps(config.watch_suppression_list),
            },
            operations=topics.operations,
        )
        # The next minute's run does what a failed one did not; Lambda need not try again.
        self.function.configure_async_invoke(max_event_age=Duration.minutes(1), retry_attempts=0)
        self._permit(queues=queues, table=table, topics=topics)
        self._every_minute()
        self._watch(topics.operations)
        if config.watch_suppression_list:
            self._permit_reading_the_list(table)
            self._watch_feedback(topics.operations)

    def _permit(self, *, queues: Queues, table: dynamodb.ITableV2, topics: Topics) -> None:
        """Allow single actions on single resources."""
        self.allow("sqs:GetQueueAttributes", "sqs:SendMessage", on=queues.message_ids.queue_arn)
        self.allow(
            "dynamodb:Query",
            "dynamodb:BatchGetItem",
            "dynamodb:UpdateItem",
            "dynamodb:PutItem",
            on=table.table_arn,
        )
        for index in (Index.DUE_LOOKS, Index.BY_ALERT):
            self.allow("dynamodb:Query", on=f"{table.table_arn}/index/{index}")
        self.allow_publishing(topics)

    def _permit_reading_the_list(self, table: dynamodb.ITableV2) -> None:
        """Allow the calls to SES, in a policy of their own: they cannot be limited to a resource.

        What is stored of a listing is stored on the condition that its message is not erased.
        """
        self.allow("dynamodb:ConditionCheckItem", on=table.table_arn)
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
            metric=counted(Metric.RUNS, period=Duration.minutes(5), service=Service.FOLLOW_UPS),
            below=1,
            datapoints=2,
            out_of=2,
            # A run is counted every minute, so a period without data is one without a run.
            silence=cloudwatch.TreatMissingData.BREACHING,
            meaning="No run of followups has come to its end for ten minutes: no message is "
            "looked at again, and alerts left pending are not published.",
            remedy="Look at its alarm for errors and its log group, then at its schedule in "
            "EventBridge Scheduler: it must be enabled, and its role must be there. Runs go on by "
            "themselves; nothing that is due is lost.",
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
            "Mend it; the runs go on by themselves.",
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
