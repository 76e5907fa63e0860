"""The whole service on one page: a queue, two functions, a table, two topics and a dashboard."""

from __future__ import annotations

from aws_cdk import Annotations, CfnOutput, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.alarms import watch_reputation
from infra.config import Config
from infra.dashboard import Dashboard
from infra.followups_function import FollowUpsFunction
from infra.intake import Intake
from infra.lambda_package import function_code
from infra.lookup_function import LookupFunction
from infra.queues import Queues
from infra.service_function import Parts
from infra.table import InsightsTable
from infra.topics import Topics
from ses_insights.contracts.names import Output

REMOVAL = {"retain": RemovalPolicy.RETAIN, "destroy": RemovalPolicy.DESTROY}


class SesInsightsStack(Stack):
    """SES Insights in one account and Region, which share SES's limit of one look a second."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        super().__init__(
            scope,
            construct_id,
            description="Asks Amazon SES what became of each sent message, stores the answer and "
            "alerts on permanent bounces and complaints.",
        )
        topics = Topics(
            self,
            "Topics",
            alert_email=config.alert_email,
            ops_email=config.ops_email,
            chat=config.chat_notifications,
        )
        queues = Queues(
            self,
            "Queues",
            delivery_delay=Duration.seconds(config.first_look_delay_seconds),
            consumer_timeout=Duration.seconds(config.lookup_timeout_seconds),
            operations=topics.operations,
        )
        insights = InsightsTable(
            self,
            "Insights",
            removal_policy=REMOVAL[config.removal_policy],
            key=config.table_key,
            existing=config.existing_table,
        )
        parts = Parts(
            config=config, code=function_code(), queues=queues, insights=insights, topics=topics
        )
        lookup = LookupFunction(self, "Lookup", parts=parts)
        followups = FollowUpsFunction(self, "FollowUps", parts=parts)

        if config.intake_sent or config.intake_feedback:
            Intake(
                self,
                "Intake",
                sent=config.intake_sent,
                feedback=config.intake_feedback,
                queues=queues,
                operations=topics.operations,
            )

        watch_reputation(self, config=config, operations=topics.operations)
        dashboard = Dashboard(
            self,
            "Dashboard",
            config=config,
            queues=queues,
            topics=topics,
            lookup_function=lookup,
            follow_ups=followups,
            alarms=[each for each in self.node.find_all() if isinstance(each, cloudwatch.Alarm)],
        ).dashboard

        self._output(Output.QUEUE_URL, queues.message_ids.queue_url, "Send message ids here.")
        self._output(
            Output.DEAD_LETTER_QUEUE_URL, queues.dead_letters.queue_url, "Parked messages."
        )
        self._output(Output.TABLE_NAME, insights.table.table_name, "Look messages up here.")
        self._output(
            Output.ALERT_TOPIC_ARN, topics.alerts.topic_arn, "Subscribe for bounces, complaints."
        )
        if topics.chat:
            self._output(
                Output.CHAT_TOPIC_ARN, topics.chat.topic_arn, "Connect chat channels here."
            )
        self._output(Output.OPS_TOPIC_ARN, topics.operations.topic_arn, "Subscribe for alarms.")
        self._output(Output.LOOKUP_FUNCTION_NAME, lookup.function.function_name, "Asks SES.")
        self._output(
            Output.FOLLOW_UP_FUNCTION_NAME, followups.function.function_name, "Looks again."
        )
        self._output(Output.DASHBOARD_NAME, dashboard.dashboard_name, "Watch the service here.")

        self._warn_of_nobody(config)

    def _warn_of_nobody(self, config: Config) -> None:
        """Warn at each synthesis that chooses no address: an alert to nobody helps nobody."""
        for email, key, what, output in (
            (config.alert_email, "alertEmail", "bounces and complaints", Output.ALERT_TOPIC_ARN),
            (config.ops_email, "opsEmail", "alarms", Output.OPS_TOPIC_ARN),
        ):
            if email is None:
                Annotations.of(self).add_warning_v2(
                    f"ses-insights:{key}",
                    f"Nobody is subscribed to {what} by this stack. Set {key} in cdk.json, or "
                    f"subscribe to the topic of its output {output}.",
                )

    def _output(self, name: Output, value: str, description: str) -> None:
        CfnOutput(self, name, value=value, description=description)
