"""The table of messages, destinations and alerts."""

from __future__ import annotations

import json
import re

import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template

from infra.config import Config
from infra.stack import SesInsightsStack

TABLE = "AWS::DynamoDB::GlobalTable"
KEY = "AWS::KMS::Key"


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


def test_the_table_has_the_key_that_aws_owns(template: Template) -> None:
    """By default: it costs nothing and asks for no permission."""
    (table,) = template.find_resources(TABLE).values()
    assert "SSESpecification" not in table["Properties"]
    (replica,) = table["Properties"]["Replicas"]
    assert "SSESpecification" not in replica


def test_an_organisation_gets_a_key_of_its_own(chosen: Template) -> None:
    """`customer`: the stack makes one that rotates, and goes with the table."""
    (key,) = (name for name in chosen.find_resources(KEY) if name.startswith("Insights"))
    made = chosen.find_resources(KEY)[key]
    assert made["Properties"]["EnableKeyRotation"] is True
    (table,) = chosen.find_resources(TABLE).values()
    assert made["DeletionPolicy"] == table["DeletionPolicy"] == "Delete"
    assert table["Properties"]["SSESpecification"] == {"SSEEnabled": True, "SSEType": "KMS"}
    (replica,) = table["Properties"]["Replicas"]
    assert replica["SSESpecification"] == {"KMSMasterKeyId": {"Fn::GetAtt": [key, "Arn"]}}


def test_a_table_that_is_kept_keeps_its_key(cdk_context: dict[str, object]) -> None:
    """Without it nobody could read the table."""
    template = synthesised(cdk_context, table_key="customer")
    kept = {name: key["DeletionPolicy"] for name, key in template.find_resources(KEY).items()}
    assert [policy for name, policy in kept.items() if name.startswith("Insights")] == ["Retain"]


def test_a_key_that_exists_is_used(cdk_context: dict[str, object]) -> None:
    """By its ARN; the stack makes none for the table."""
    arn = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    template = synthesised(cdk_context, table_key=arn)
    (table,) = template.find_resources(TABLE).values()
    (replica,) = table["Properties"]["Replicas"]
    assert replica["SSESpecification"] == {"KMSMasterKeyId": arn}
    assert len(template.find_resources(KEY)) == 1


def test_a_table_that_exists_is_used(cdk_context: dict[str, object], template: Template) -> None:
    """The stack makes none. What it may do on its own table, it may do on that one, and no more."""
    existing = synthesised(cdk_context, existing_table="Kept")
    existing.resource_count_is(TABLE, 0)
    existing.has_output("TableName", {"Value": "Kept"})
    functions = existing.find_resources(
        "AWS::Lambda::Function",
        {"Properties": {"Environment": {"Variables": {"TABLE_NAME": "Kept"}}}},
    )
    assert len(functions) == 2
    assert table_permissions(existing) == table_permissions(template)


def test_the_key_of_a_table_that_exists_may_be_used(cdk_context: dict[str, object]) -> None:
    """Through DynamoDB, as a key of the stack's own table."""
    arn = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    template = synthesised(cdk_context, existing_table="Kept", table_key=arn)
    using = [
        each
        for policy in template.find_resources("AWS::IAM::Policy").values()
        for each in policy["Properties"]["PolicyDocument"]["Statement"]
        if each["Resource"] == arn
    ]
    assert len(using) == 2


def table_permissions(template: Template) -> list[tuple[str, str]]:
    """Every action on the table that a role has, and on which of its indexes."""
    return sorted(
        (action, index)
        for policy in template.find_resources("AWS::IAM::Policy").values()
        for each in policy["Properties"]["PolicyDocument"]["Statement"]
        for action in (each["Action"] if isinstance(each["Action"], list) else [each["Action"]])
        if action.startswith("dynamodb:")
        for index in ["/".join(re.findall("/index/([A-Za-z]+)", json.dumps(each["Resource"])))]
    )


def synthesised(context: dict[str, object], **chosen: str) -> Template:
    """The stack with these choices, its package not built."""
    app = App(context={**context, "aws:cdk:bundling-stacks": []}, analytics_reporting=False)
    return Template.from_stack(SesInsightsStack(app, "Mail", config=Config(**chosen)))  # type: ignore[arg-type]


def test_the_table_keeps_its_logical_id(template: Template) -> None:
    """With another one, an update would replace the table by an empty one."""
    assert list(template.find_resources(TABLE)) == ["InsightsTable114BD06F"]
