"""The table of messages, destinations and alerts."""

from __future__ import annotations

import pytest
from aws_cdk.assertions import Match, Template

from local.stack.run import PROJECT

TABLE = "AWS::DynamoDB::GlobalTable"


def test_rows_of_a_message_lie_together(template: Template) -> None:
    """A message's rows share the partition MessageId and differ in Record."""
    template.has_resource_properties(
        TABLE,
        {
            "KeySchema": [
                {"AttributeName": "MessageId", "KeyType": "HASH"},
                {"AttributeName": "Record", "KeyType": "RANGE"},
            ],
            "AttributeDefinitions": Match.array_with(
                [
                    {"AttributeName": "MessageId", "AttributeType": "S"},
                    {"AttributeName": "Record", "AttributeType": "S"},
                ]
            ),
        },
    )


@pytest.mark.parametrize(
    ("index", "partition", "sort", "projection"),
    [
        ("ByDestination", "Destination", "LastEventAt", "ALL"),
        ("ByStatus", "Status", "LastEventAt", "ALL"),
        ("ByAlert", "AlertType", "DetectedAt", "ALL"),
        ("DueLooks", "DueLane", "NextLookAt", "KEYS_ONLY"),
    ],
)
def test_rows_are_found_by(
    template: Template, index: str, partition: str, sort: str, projection: str
) -> None:
    """Recipient, status, alert and next look each have an index, in order of time."""
    template.has_resource_properties(
        TABLE,
        {
            "GlobalSecondaryIndexes": Match.array_with(
                [
                    {
                        "IndexName": index,
                        "KeySchema": [
                            {"AttributeName": partition, "KeyType": "HASH"},
                            {"AttributeName": sort, "KeyType": "RANGE"},
                        ],
                        "Projection": {"ProjectionType": projection},
                    }
                ]
            )
        },
    )


def test_rows_expire(template: Template) -> None:
    """A row disappears by itself at its ExpiresAt."""
    template.has_resource_properties(
        TABLE, {"TimeToLiveSpecification": {"AttributeName": "ExpiresAt", "Enabled": True}}
    )


def test_only_what_is_used_is_paid(template: Template) -> None:
    """The table has no capacity to plan."""
    template.has_resource_properties(TABLE, {"BillingMode": "PAY_PER_REQUEST"})


def test_the_table_can_be_restored_and_not_deleted_by_mistake(template: Template) -> None:
    """By default it can be restored to any second, and outlives the stack."""
    template.has_resource(
        TABLE,
        {
            "DeletionPolicy": "Retain",
            "UpdateReplacePolicy": "Retain",
            "Properties": {
                "Replicas": [
                    Match.object_like(
                        {
                            "DeletionProtectionEnabled": True,
                            "PointInTimeRecoverySpecification": {
                                "PointInTimeRecoveryEnabled": True
                            },
                        }
                    )
                ]
            },
        },
    )


def test_destroy_means_the_table_can_go(chosen: Template) -> None:
    """With removalPolicy destroy the table goes with its stack, unprotected."""
    chosen.has_resource(
        TABLE,
        {
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Delete",
            "Properties": {"Replicas": [Match.object_like({"DeletionProtectionEnabled": False})]},
        },
    )


def test_the_page_on_operating_names_the_table_to_import(template: Template) -> None:
    """By its logical id, which no change may alter: the table would be replaced."""
    (logical_id,) = template.find_resources(TABLE)
    assert f'{{"{logical_id}": ' in (PROJECT / "docs" / "operate.md").read_text()
