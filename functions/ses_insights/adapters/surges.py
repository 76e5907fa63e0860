"""Surges and their summaries in the DynamoDB table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from ses_insights.adapters.aws_errors import error_codes, failing_as
from ses_insights.adapters.items import from_item, to_item
from ses_insights.contracts.names import Index, Partition
from ses_insights.contracts.rows import Row, alert_key
from ses_insights.contracts.surge_rows import (
    group_key,
    read_finding,
    read_summary,
    read_surge,
    summary_row,
    surge_row,
)
from ses_insights.domain.failures import FailureKind
from ses_insights.domain.surge import Example, Finding, Group, Summary, Surge
from ses_insights.service.ports import RecordChangedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_IN_PERIOD: Final = "AlertType = :type AND DetectedAt BETWEEN :since AND :until"
_READ: Final = "MessageId, #record, Isp, Destination, EmailTags"


def surge_put(table_name: str, surge: Surge) -> dict[str, Any]:
    """Store a group, as an action of a transaction, over the version that was read."""
    row = surge_row(surge) | {"Version": surge.version + 1}
    put: dict[str, Any] = {"TableName": table_name, "Item": to_item(row)}
    if surge.version:
        put["ConditionExpression"] = "Version = :version"
        put["ExpressionAttributeValues"] = to_item({":version": surge.version})
    else:
        put["ConditionExpression"] = "attribute_not_exists(MessageId)"
    return {"Put": put}


@dataclass(frozen=True, slots=True)
class SurgeTable:
    """Reads and writes groups and summaries; a write happens only over the version read."""

    client: DynamoDBClient
    table_name: str
    retention: timedelta
    """How long a summary is kept."""

    def load(self, group: Group) -> Surge | None:
        """Read how many alerts of a group came lately. Raises `SystemFailure`."""
        return self.load_key(group_key(group))

    def load_key(self, key: str) -> Surge | None:
        """Read the group of a row of the index. Raises `SystemFailure`."""
        row = self._get(key)
        return read_surge(row) if row else None

    def findings(self, group: Group, *, since: str, until: str) -> Iterator[Finding]:
        """Read the alerts of a group that were detected from ``since`` to before ``until``.

        Raises `SystemFailure`.
        """
        values = {":type": str(group.alert_type), ":reason": str(group.reason)}
        values |= {":since": since, ":until": until}
        if group.from_domain:
            sender, values[":domain"] = "FromDomain = :domain", group.from_domain
        else:
            # An erasure takes sender and tags out of all alerts of its mail: those are in no group.
            sender = "attribute_not_exists(FromDomain) AND attribute_exists(EmailTags)"
        with failing_as(FailureKind.DYNAMODB, "Query"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table_name,
                IndexName=Index.BY_ALERT,
                KeyConditionExpression=_IN_PERIOD,
                # DetectedAt is a key and cannot be filtered by, so the end is left out below.
                FilterExpression=f"Reason = :reason AND {sender}",
                ExpressionAttributeValues=to_item(values),
                ProjectionExpression=f"{_READ}, DetectedAt",
                ExpressionAttributeNames={"#record": "Record"},
            )
            for page in pages:
                for item in page["Items"]:
                    row = from_item(item)
                    if row["DetectedAt"] < until:
                        yield read_finding(row)

    def save_summary(self, summary: Summary, surge: Surge) -> None:
        """Store a pending summary and its group, together. Raises `SystemFailure`.

        Raises `RecordChangedError` where somebody else stored the group since.
        """
        row = summary_row(summary, retention=self.retention)
        with failing_as(FailureKind.DYNAMODB, "TransactWriteItems"):
            try:
                self.client.transact_write_items(
                    TransactItems=[
                        {"Put": {"TableName": self.table_name, "Item": to_item(row)}},
                        surge_put(self.table_name, surge),  # type: ignore[list-item] # one of its shapes
                    ]
                )
            except ClientError as error:
                if "ConditionalCheckFailed" in error_codes(error):
                    raise RecordChangedError from error
                raise

    def load_summary(self, key: str) -> Summary | None:
        """Read a stored summary by its row's key. Raises `SystemFailure`."""
        row = self._get(key)
        return read_summary(row) if row else None

    def destinations(self, examples: Sequence[Example]) -> list[tuple[str, str]]:
        """Look up to whom the examples of a summary went; erased ones are left out.

        Raises `SystemFailure`.
        """
        found = []
        for example in examples:
            row = self._get(alert_key(example.alert_id), partition=example.message_id)
            if row and "Destination" in row:
                found.append((example.message_id, str(row["Destination"])))
        return found

    def mark_published(self, summary: Summary) -> None:
        """Note when and as what a summary was published. Raises `SystemFailure`."""
        with failing_as(FailureKind.DYNAMODB, "UpdateItem"):
            self.client.update_item(
                TableName=self.table_name,
                Key=to_item({"MessageId": Partition.SURGES, "Record": alert_key(summary.alert_id)}),
                UpdateExpression="SET PublishedAt = :at, SnsMessageId = :as "
                "REMOVE DueLane, NextLookAt",
                ConditionExpression="attribute_exists(MessageId)",
                ExpressionAttributeValues=to_item(
                    {":at": summary.published_at, ":as": summary.sns_message_id}
                ),
            )

    def _get(self, key: str, *, partition: str = Partition.SURGES) -> Row | None:
        with failing_as(FailureKind.DYNAMODB, "Query"):
            found = self.client.query(
                TableName=self.table_name,
                KeyConditionExpression="MessageId = :partition AND #record = :key",
                ExpressionAttributeNames={"#record": "Record"},
                ExpressionAttributeValues=to_item({":partition": partition, ":key": key}),
                ConsistentRead=True,
            )["Items"]
        return from_item(found[0]) if found else None
