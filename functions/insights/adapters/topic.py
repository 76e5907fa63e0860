"""Alerts to the SNS topic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.config import Config

from insights.adapters.aws_errors import failing_as
from insights.core.alerts import Notification
from insights.failures import Kind

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
    """Publishes to everybody who subscribed."""

    client: SNSClient
    topic_arn: str

    def publish(self, notification: Notification) -> str:
        """Publish one alert and return SNS's message id."""
        with failing_as(Kind.SNS, "Publish"):
            response = self.client.publish(
                TopicArn=self.topic_arn,
                Subject=notification.subject,
                Message=notification.message,
                MessageStructure="json",
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value}
                    for name, value in notification.attributes.items()
                },
            )
        return response["MessageId"]
