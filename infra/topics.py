"""The topics: alerts for the people who own the mail, operations for those who own the service."""

from __future__ import annotations

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.alarms import watch
from ses_insights.contracts.names import Grouping

# What a publisher to an encrypted topic has to be allowed on its key:
# https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
PUBLISHER_KEY_ACTIONS = ("kms:Decrypt", "kms:GenerateDataKey*")

# What else than to publish a topic's policy can name, tags and data protection apart:
# https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
TOPIC_ACTIONS_BESIDE_PUBLISH = (
    "sns:AddPermission",
    "sns:DeleteTopic",
    "sns:GetTopicAttributes",
    "sns:ListSubscriptionsByTopic",
    "sns:RemovePermission",
    "sns:SetTopicAttributes",
    "sns:Subscribe",
)


# Of a surge people get a summary; every single alert of it goes to programs only.
FOR_PEOPLE = {
    "grouping": sns.SubscriptionFilter.string_filter(
        allowlist=[str(Grouping.SINGLE), str(Grouping.SUMMARY)]
    )
}


class Topics(Construct):
    """The topics, TLS only, and the key they are encrypted with."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        alert_email: str | None,
        ops_email: str | None,
        chat: bool,
    ) -> None:
        super().__init__(scope, construct_id)
        # The key AWS manages for SNS would not do: its policy leaves CloudWatch out, and an alarm
        # would fall silent.
        self.key = kms.Key(
            self,
            "Key",
            description="Encrypts what waits in the topics of SES Insights.",
            enable_key_rotation=True,
            # Nothing that outlives the stack is encrypted with it.
            removal_policy=RemovalPolicy.DESTROY,
            pending_window=Duration.days(7),
        )
        self.alerts = self._topic("Alerts", email=alert_email, only=FOR_PEOPLE)
        self.operations = self._topic("Operations", email=ops_email)
        # A topic of its own: chat applications read the raw message, and that of the alert topic
        # is a contract with programs (decision record 12).
        self.chat = self._topic("Chat", email=None) if chat else None
        self._let_alarms_publish()
        self._watch()

    @property
    def of_alerts(self) -> tuple[sns.Topic, ...]:
        """The topics to which each alert goes."""
        return (self.alerts, self.chat) if self.chat else (self.alerts,)

    @property
    def by_name(self) -> dict[str, sns.Topic]:
        """Every topic, by what it is for."""
        chat = {"Chat": self.chat} if self.chat else {}
        return {"Alerts": self.alerts, "Operations": self.operations, **chat}

    def _topic(
        self,
        name: str,
        *,
        email: str | None,
        only: Mapping[str, sns.SubscriptionFilter] | None = None,
    ) -> sns.Topic:
        topic = sns.Topic(self, name, master_key=self.key, enforce_ssl=True)
        # enforce_ssl refuses to publish without TLS, and only that.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="RefusePlainHttp",
                effect=iam.Effect.DENY,
                principals=[iam.StarPrincipal()],
                actions=[*TOPIC_ACTIONS_BESIDE_PUBLISH],
                resources=[topic.topic_arn],
                conditions={"Bool": {"aws:SecureTransport": "false"}},
            )
        )
        if email:
            topic.add_subscription(subscriptions.EmailSubscription(email, filter_policy=only))
        return topic

    def _watch(self) -> None:
        """Watch for what SNS gives up: a queue that refuses, an endpoint or a bot that is gone."""
        for name, topic in self.by_name.items():
            watch(
                topic,
                f"{name}Undelivered",
                metric=topic.metric_number_of_notifications_failed(period=Duration.minutes(5)),
                at_least=1,
                # An hour, so that it does not come and go while an endpoint is down.
                out_of=12,
                meaning=f"SNS could not deliver a message of the topic {name} to one of its "
                "subscribers: it has given up, or at a web endpoint is trying again. The other "
                "subscribers got it.",
                remedy="Find the subscription that fails (SNS console, the topic's "
                "subscriptions), repair or delete its endpoint, and give it a dead-letter queue.",
                operations=self.operations,
            )

    def _let_alarms_publish(self) -> None:
        """Let the account's alarms publish: a topic with a policy of its own refuses all others."""
        cloudwatch = iam.ServicePrincipal(
            "cloudwatch.amazonaws.com",
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
        )
        self.operations.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LetAlarmsPublish",
                principals=[cloudwatch],
                actions=["sns:Publish"],
                resources=[self.operations.topic_arn],
            )
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LetAlarmsEncrypt",
                principals=[cloudwatch],
                actions=[*PUBLISHER_KEY_ACTIONS],
                resources=["*"],
            )
        )
