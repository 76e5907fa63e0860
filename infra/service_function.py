"""What every function of the service has: a role, a log group and an error alarm of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Stack, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.alarms import watch
from infra.config import Config
from infra.lambda_package import ARCHITECTURE, RUNTIME
from infra.queues import Queues
from infra.table import InsightsTable
from infra.topics import PUBLISHER_KEY_ACTIONS, Topics
from ses_insights.contracts.names import METRIC_NAMESPACE, Service, Variable

# What whoever uses a table needs on a customer's key; DynamoDB asks KMS in their name:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
TABLE_KEY_ACTIONS = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What every function is made of and works on."""

    config: Config
    code: lambda_.Code
    queues: Queues
    insights: InsightsTable
    topics: Topics

    @property
    def settings(self) -> dict[str, str]:
        """The variables of every function: where everything is, and what decides on looks."""
        config, topics = self.config, self.topics
        return {
            Variable.TABLE_NAME: self.insights.table.table_name,
            Variable.ALERT_TOPIC_ARN: topics.alerts.topic_arn,
            **({Variable.CHAT_TOPIC_ARN: topics.chat.topic_arn} if topics.chat else {}),
            Variable.QUEUE_URL: self.queues.message_ids.queue_url,
            Variable.LOOKUP_PERIOD_SECONDS: str(config.lookup_period_seconds),
            Variable.FIRST_LOOK_DELAY_SECONDS: str(config.first_look_delay_seconds),
            Variable.FOLLOW_UP_LADDER: json.dumps(config.follow_up_ladder),
            Variable.SES_KEEPS_DAYS: str(config.ses_keeps_days),
            Variable.RETENTION_DAYS: str(config.retention_days),
            Variable.SURGE_AFTER: str(config.surge_after),
        }


class ServiceFunction(Construct):
    """A Lambda function that may write its log, publish alerts, and what `allow` adds."""

    def __init__(  # noqa: PLR0913 - keyword-only; each is one choice of the caller
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: Service,
        description: str,
        parts: Parts,
        timeout: Duration,
        environment: Mapping[str, str] | None = None,
        reserved_concurrency: int | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            retention=logs.RetentionDays.ONE_MONTH,
            removal_policy=RemovalPolicy.DESTROY,
        )
        self.allow("logs:CreateLogStream", "logs:PutLogEvents", on=self.log_group.log_group_arn)
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            handler=f"ses_insights.handlers.{name}.handler",
            code=parts.code,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            memory_size=256,
            timeout=timeout,
            reserved_concurrent_executions=reserved_concurrency,
            role=self.role,
            log_group=self.log_group,
            environment={
                Variable.SERVICE_NAME: name,
                Variable.METRICS_NAMESPACE: METRIC_NAMESPACE,
                Variable.LOG_LEVEL: "INFO",
                **parts.settings,
                **(environment or {}),
            },
        )
        watch(
            self,
            f"{name.capitalize()}Errors",
            metric=self.function.metric_errors(period=Duration.minutes(5)),
            at_least=1,
            meaning=f"The function {name} crashed: an error in its code, a time-out, or too little "
            "memory. Nothing is lost; what it worked on is tried again.",
            remedy="Read the newest error in its log group. If it came with a deployment, deploy "
            "the version before it.",
            operations=parts.topics.operations,
        )
        self._allow_publishing(parts.topics)
        self._allow_the_key_of(parts.insights)

    def allow(self, *actions: str, on: str) -> None:
        """Let the function do `actions` on one resource, named by its ARN."""
        self.role.add_to_principal_policy(iam.PolicyStatement(actions=[*actions], resources=[on]))

    def _allow_the_key_of(self, insights: InsightsTable) -> None:
        """Let the function use the table's key, through DynamoDB only, where it is a customer's."""
        if insights.key:
            stack = Stack.of(self)
            through = f"dynamodb.{stack.region}.{stack.url_suffix}"
            self.role.add_to_principal_policy(
                iam.PolicyStatement(
                    actions=[*TABLE_KEY_ACTIONS],
                    resources=[insights.key.key_arn],
                    conditions={"StringEquals": {"kms:ViaService": through}},
                )
            )

    def _allow_publishing(self, topics: Topics) -> None:
        """Let the function publish to the topics of the alerts, which are encrypted."""
        for topic in topics.of_alerts:
            self.allow("sns:Publish", on=topic.topic_arn)
        self.allow(*PUBLISHER_KEY_ACTIONS, on=topics.key.key_arn)
        Validations.of(self.role).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Action::kms:GenerateDataKey*]",
                reason="SNS requires it, by this name, of every publisher to an encrypted topic; "
                "it is allowed on the topics' key alone.",
            )
        )
