"""The table as the stack makes it, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_INDEXES: Final = {
    "ByDestination": ("Destination", "LastEventAt"),
    "ByStatus": ("Status", "LastEventAt"),
    "ByAlert": ("AlertType", "DetectedAt"),
    "DueLooks": ("DueLane", "NextLookAt"),
}


def make_table(client: DynamoDBClient, name: str) -> None:
    """Make the table, empty."""
    names = {"MessageId", "Record", *(name for pair in _INDEXES.values() for name in pair)}
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": each, "AttributeType": "S"} for each in sorted(names)
        ],
        KeySchema=[
            {"AttributeName": "MessageId", "KeyType": "HASH"},
            {"AttributeName": "Record", "KeyType": "RANGE"},
        ],
        GlobalSecondaryIndexes=[
            {
                "IndexName": index,
                "KeySchema": [
                    {"AttributeName": partition, "KeyType": "HASH"},
                    {"AttributeName": sort, "KeyType": "RANGE"},
                ],
                "Projection": {"ProjectionType": "ALL"},
            }
            for index, (partition, sort) in _INDEXES.items()
        ],
    )
