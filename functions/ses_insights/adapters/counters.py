"""Counts that several runs need, as rows of the table: what came in, and what was sent again.

A message that comes in is counted, by the hour, in the transaction that stores it first: so that
costs no call and counts nothing twice. What `followups` puts into the queue is counted by the
minute.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from ses_insights.adapters.aws_errors import failing_as
from ses_insights.domain.failures import FailureKind
from ses_insights.domain.overload import hour_of
from ses_insights.domain.times import iso

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LOAD: Final = "#load"
"""The partition of what came in. No message has this id: ids begin with a letter or a digit."""

SENT: Final = "#sent"
"""The partition of what was sent again."""

_WINDOW: Final = timedelta(hours=24)
_KEPT: Final = timedelta(days=3)


def count_arrival(table_name: str, now: datetime) -> dict[str, Any]:
    """Count one message, as an action of a transaction."""
    return {"Update": _added(table_name, LOAD, hour_of(now), "Arrivals", 1, now)}


def _added(  # noqa: PLR0913, PLR0917 - what a row of counts is made of
    table_name: str, partition: str, record: str, name: str, number: int, now: datetime
) -> dict[str, Any]:
    return {
        "TableName": table_name,
        "Key": {"MessageId": {"S": partition}, "Record": {"S": record}},
        "UpdateExpression": f"ADD {name} :number SET ExpiresAt = :gone",
        "ExpressionAttributeValues": {
            ":number": {"N": str(number)},
            ":gone": {"N": str(int((now + _KEPT).timestamp()))},
        },
    }


@dataclass(frozen=True, slots=True)
class Counters:
    """Reads the counts of the last day, and counts what is sent again."""

    client: DynamoDBClient
    table_name: str

    def by_hour(self, now: datetime) -> Mapping[str, int]:
        """Read how many came in, by `hour_of`. Raises `SystemFailure`."""
        return self._after(LOAD, hour_of(now - _WINDOW), "Arrivals")

    def count_sent(self, number: int, now: datetime) -> None:
        """Count looks that joined the queue. Raises `SystemFailure`."""
        with failing_as(FailureKind.DYNAMODB, "UpdateItem"):
            update = _added(self.table_name, SENT, _minute_of(now), "FollowUps", number, now)
            self.client.update_item(**update)

    def sent_since(self, moment: datetime) -> int:
        """Tell how many looks joined the queue since then, or a minute before it.

        Raises `SystemFailure`.
        """
        minute = _minute_of(moment - timedelta(minutes=1))
        return sum(self._after(SENT, minute, "FollowUps").values())

    def _after(self, partition: str, past: str, name: str) -> dict[str, int]:
        with failing_as(FailureKind.DYNAMODB, "Query"):
            found = self.client.query(
                TableName=self.table_name,
                KeyConditionExpression="MessageId = :partition AND #when > :past",
                ExpressionAttributeNames={"#when": "Record"},
                ExpressionAttributeValues={
                    ":partition": {"S": partition},
                    ":past": {"S": past},
                },
                ConsistentRead=True,
            )
        return {item["Record"]["S"]: int(item[name]["N"]) for item in found["Items"]}


def _minute_of(moment: datetime) -> str:
    return iso(moment)[:16]
