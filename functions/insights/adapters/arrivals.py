"""How many messages came in, hour by hour: one row an hour, in a partition of the table.

A message is counted in the transaction that stores it first, so counting costs no call and counts
nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from insights.adapters.aws_errors import failing_as
from insights.core.load import hour_of
from insights.failures import Kind

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

LOAD: Final = "#load"
"""The partition. No message has this id: ids begin with a letter or a digit."""

_WINDOW: Final = timedelta(hours=24)
_KEPT: Final = timedelta(days=3)


def count_arrival(table_name: str, now: datetime) -> dict[str, Any]:
    """Count one message, as an action of a transaction."""
    return {
        "Update": {
            "TableName": table_name,
            "Key": {"MessageId": {"S": LOAD}, "Record": {"S": hour_of(now)}},
            "UpdateExpression": "ADD Arrivals :one SET ExpiresAt = :gone",
            "ExpressionAttributeValues": {
                ":one": {"N": "1"},
                ":gone": {"N": str(int((now + _KEPT).timestamp()))},
            },
        }
    }


@dataclass(frozen=True, slots=True)
class ArrivalCounts:
    """Reads the counts of the last day."""

    client: DynamoDBClient
    table_name: str

    def by_hour(self, now: datetime) -> Mapping[str, int]:
        """Read how many came in, by `hour_of`. Raises `SystemFailure`."""
        with failing_as(Kind.DYNAMODB, "Query"):
            found = self.client.query(
                TableName=self.table_name,
                KeyConditionExpression="MessageId = :load AND #hour > :past",
                ExpressionAttributeNames={"#hour": "Record"},
                ExpressionAttributeValues={
                    ":load": {"S": LOAD},
                    ":past": {"S": hour_of(now - _WINDOW)},
                },
            )
        return {item["Record"]["S"]: int(item["Arrivals"]["N"]) for item in found["Items"]}
