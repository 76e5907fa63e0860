"""Listings, and how far the suppression list is read, in the DynamoDB table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from ses_insights.adapters.aws_errors import error_code, failing_as
from ses_insights.adapters.items import from_item, to_item
from ses_insights.contracts.feedback_rows import PROGRESS, progress_row, read_progress
from ses_insights.contracts.names import Partition
from ses_insights.contracts.rows import MESSAGE, listed_row
from ses_insights.domain.failures import FailureKind
from ses_insights.domain.listing import Listing
from ses_insights.domain.suppression import Progress
from ses_insights.domain.times import instant
from ses_insights.service.ports import RecordChangedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_NOT_ERASED: Final = "attribute_not_exists(ErasedAt)"
_NEWER: Final = "attribute_not_exists(MessageId) OR ListedAt < :at"
_KEPT_ALONE: Final = timedelta(days=15)
"""Longer than a message waits in the queue."""
_FAILED: Final = "ConditionalCheckFailed"


@dataclass(frozen=True, slots=True)
class ListingTable:
    """Writes listings beside their messages, and how far the list is read."""

    client: DynamoDBClient
    table_name: str

    def progress(self) -> Progress | None:
        """Read how far the list is read; None before the first run. Raises `SystemFailure`."""
        with failing_as(FailureKind.DYNAMODB, "Query"):
            found = self.client.query(
                TableName=self.table_name,
                KeyConditionExpression="MessageId = :partition AND #record = :key",
                ExpressionAttributeNames={"#record": "Record"},
                ExpressionAttributeValues=to_item(
                    {":partition": str(Partition.FEEDBACK), ":key": PROGRESS}
                ),
                ConsistentRead=True,
            )["Items"]
        return read_progress(from_item(found[0])) if found else None

    def save_progress(self, progress: Progress) -> int:
        """Store how far the list is read, over the version that was read; returns the new one.

        Raises `RecordChangedError` where another run stored it since, and `SystemFailure`.
        """
        version = progress.version + 1
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(MessageId)"}
        if progress.version:
            condition = {
                "ConditionExpression": "Version = :version",
                "ExpressionAttributeValues": to_item({":version": progress.version}),
            }
        with failing_as(FailureKind.DYNAMODB, "PutItem"):
            try:
                self.client.put_item(
                    TableName=self.table_name,
                    Item=to_item(progress_row(progress) | {"Version": version}),
                    **condition,
                )
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    raise RecordChangedError from error
                raise
        return version

    def put(self, message_id: str, listing: Listing) -> bool:
        """Store a listing beside its message; False where the message was erased.

        One that is there stays as it is. Raises `SystemFailure`.
        """
        row = listed_row(listing, message_id, self._expires_at(message_id, listing))
        own = {"MessageId": message_id, "Record": MESSAGE}
        actions: list[Any] = [
            {
                "ConditionCheck": {
                    "TableName": self.table_name,
                    "Key": to_item(own),
                    "ConditionExpression": _NOT_ERASED,
                }
            },
            {
                "Put": {
                    "TableName": self.table_name,
                    "Item": to_item(row),
                    "ConditionExpression": _NEWER,
                    "ExpressionAttributeValues": to_item({":at": listing.listed_at}),
                }
            },
        ]
        with failing_as(FailureKind.DYNAMODB, "TransactWriteItems"):
            try:
                self.client.transact_write_items(TransactItems=actions)
            except ClientError as error:
                reasons = error.response.get("CancellationReasons", [])
                failed = [reason.get("Code") == _FAILED for reason in reasons]
                if not any(failed):
                    raise
                return not failed[0]
        return True

    def _expires_at(self, message_id: str, listing: Listing) -> int:
        """Return until when a listing is kept: never longer than its message.

        After that it would be taken for one of which nothing was published yet. Where nothing is
        stored of the message it is kept until the look that it brings has been taken.
        """
        with failing_as(FailureKind.DYNAMODB, "Query"):
            found = self.client.query(
                TableName=self.table_name,
                KeyConditionExpression="MessageId = :id AND #record = :message",
                ExpressionAttributeNames={"#record": "Record"},
                ExpressionAttributeValues=to_item({":id": message_id, ":message": MESSAGE}),
                ConsistentRead=True,
            )["Items"]
        if found:
            return int(from_item(found[0])["ExpiresAt"])
        return int((instant(listing.listed_at) + _KEPT_ALONE).timestamp())
