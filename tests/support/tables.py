"""The table as the stack makes it, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ses_insights.contracts.names import INDEX_KEYS, TABLE_KEYS

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


def make_table(client: DynamoDBClient, name: str) -> None:
    """Make the table, empty."""
    names = {*TABLE_KEYS, *(name for pair in INDEX_KEYS.values() for name in pair)}
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[
            {"AttributeName": each, "AttributeType": "S"} for each in sorted(names)
        ],
        KeySchema=[
            {"AttributeName": TABLE_KEYS[0], "KeyType": "HASH"},
            {"AttributeName": TABLE_KEYS[1], "KeyType": "RANGE"},
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
            for index, (partition, sort) in INDEX_KEYS.items()
        ],
    )
