"""Alerts to the SNS topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.config import Config

from ses_insights.adapters.aws_errors import failing_as
from ses_insights.contracts.alert_message import Notification
from ses_insights.domain.failures import FailureKind

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

CONFIG: Final = Config(
    # A Publish whose answer is lost may have reached everybody: no second try within the call
    # (decision record 6). The answer may take as long as two tries would.
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=1,
    read_timeout=5,
)


@dataclass(frozen=True, slots=True)
class AlertTopic:
    """Publishes alerts to subscribers, and to chat applications where there is a topic for them."""

    client: SNSClient
    topic_arn: str
    chat_topic_arn: str | None
    """Where chat applications listen; None where there are none."""

    def publish(self, notification: Notification) -> str:
        """Publish one alert and return SNS's message id.

        The chat comes first: where the second call fails and both are repeated, people in a chat
        read the alert twice, and programs get it once.
        """
        if self.chat_topic_arn and notification.chat is not None:
            self._publish(self.chat_topic_arn, notification, notification.chat)
        return self._publish(
            self.topic_arn, notification, notification.message, MessageStructure="json"
        )

    def _publish(self, topic_arn: str, notification: Notification, message: str, **how: str) -> str:
        with failing_as(FailureKind.SNS, "Publish"):
            response = self.client.publish(
                TopicArn=topic_arn,
                Subject=notification.subject,
                Message=message,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in notification.attributes.items()
                },
                **how,
            )
        return response["MessageId"]
