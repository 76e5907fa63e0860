"""Counts that several runs need, as rows of the table: what arrived, and which looks were sent.

A message that arrives is counted, by the hour, in the transaction that stores it first: that costs
no call and counts nothing twice. What `followups` puts into the queue is counted by the minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ses_insights.adapters.aws_errors import failing_as
from ses_insights.adapters.items import from_item, to_item
from ses_insights.contracts.names import Partition
from ses_insights.domain.failures import FailureKind
from ses_insights.domain.overload import WINDOW, hour_of
from ses_insights.domain.times import iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_KEPT: Final = timedelta(days=3)

_ATTRIBUTES: Final = {Partition.ARRIVALS: "Arrivals", Partition.SENT: "FollowUps"}


def count_arrival(table_name: str, now: datetime) -> dict[str, Any]:
    """Return the action of a transaction that counts one message."""
    return {"Update": _add(table_name, Partition.ARRIVALS, hour_of(now), 1, now)}


@dataclass(frozen=True, slots=True)
class Counters:
    """Reads the counts, and counts the looks that were sent."""

    client: DynamoDBClient
    table_name: str

    def by_hour(self, now: datetime) -> Mapping[str, int]:
        """Return how many messages arrived, by `hour_of`. Raises `SystemFailure`."""
        return self._after(Partition.ARRIVALS, hour_of(now - WINDOW))

    def count_sent(self, number: int, now: datetime) -> None:
        """Count looks that were put into the queue. Raises `SystemFailure`."""
        with failing_as(FailureKind.DYNAMODB, "UpdateItem"):
            update = _add(self.table_name, Partition.SENT, _minute_of(now), number, now)
            self.client.update_item(**update)

    def sent_since(self, moment: datetime) -> int:
        """Return how many looks were put into the queue since then, or a minute before it.

        Raises `SystemFailure`.
        """
        return sum(self._after(Partition.SENT, _minute_of(moment - timedelta(minutes=1))).values())

    def _after(self, partition: Partition, past: str) -> dict[str, int]:
        with failing_as(FailureKind.DYNAMODB, "Query"):
            found = self.client.query(
                TableName=self.table_name,
                KeyConditionExpression="MessageId = :partition AND #when > :past",
                ExpressionAttributeNames={"#when": "Record"},
                ExpressionAttributeValues=to_item({":partition": str(partition), ":past": past}),
                ConsistentRead=True,
            )
        rows = map(from_item, found["Items"])
        return {row["Record"]: int(row[_ATTRIBUTES[partition]]) for row in rows}


def _add(
    table_name: str, partition: Partition, record: str, number: int, now: datetime
) -> dict[str, Any]:
    return {
        "TableName": table_name,
        "Key": to_item({"MessageId": str(partition), "Record": record}),
        "UpdateExpression": f"ADD {_ATTRIBUTES[partition]} :number SET ExpiresAt = :gone",
        "ExpressionAttributeValues": to_item(
            {":number": number, ":gone": int((now + _KEPT).timestamp())}
        ),
    }


def _minute_of(moment: datetime) -> str:
    return iso(moment)[:16]
