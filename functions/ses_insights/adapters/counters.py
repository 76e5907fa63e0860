"""How many due looks `followups` put into the queue, counted by the minute in rows of the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from ses_insights.adapters.aws_errors import failing_as
from ses_insights.adapters.items import from_item, to_item
from ses_insights.contracts.names import Partition
from ses_insights.domain.failures import FailureKind
from ses_insights.domain.times import iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT: Final = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Counters:
    """Counts the looks that were sent, and reads the counts."""

    client: DynamoDBClient
    table_name: str

    def count_sent(self, number: int, now: datetime) -> None:
        """Count looks that were put into the queue. Raises `SystemFailure`."""
        with failing_as(FailureKind.DYNAMODB, "UpdateItem"):
            self.client.update_item(
                TableName=self.table_name,
                Key=to_item({"MessageId": str(Partition.SENT), "Record": _minute_of(now)}),
                UpdateExpression="ADD FollowUps :number SET ExpiresAt = :gone",
                ExpressionAttributeValues=to_item(
                    {":number": number, ":gone": int((now + _KEPT).timestamp())}
                ),
            )

    def sent_since(self, moment: datetime) -> int:
        """Return how many looks were put into the queue since then, or a minute before it.

        Raises `SystemFailure`.
        """
        past = _minute_of(moment - timedelta(minutes=1))
        with failing_as(FailureKind.DYNAMODB, "Query"):
            found = self.client.query(
                TableName=self.table_name,
                KeyConditionExpression="MessageId = :partition AND #when > :past",
                ExpressionAttributeNames={"#when": "Record"},
                ExpressionAttributeValues=to_item(
                    {":partition": str(Partition.SENT), ":past": past}
                ),
                ConsistentRead=True,
            )
        return sum(int(row["FollowUps"]) for row in map(from_item, found["Items"]))


def _minute_of(moment: datetime) -> str:
    return iso(moment)[:16]
