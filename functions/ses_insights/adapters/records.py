"""Records in the DynamoDB table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from ses_insights.adapters.aws_errors import error_code, error_codes, failing_as
from ses_insights.adapters.items import from_item, to_item
from ses_insights.adapters.surges import surge_put
from ses_insights.contracts.rows import (
    LISTED,
    MESSAGE,
    Row,
    alert_key,
    alert_row,
    destination_rows,
    listed_row,
    message_row,
    read_listings,
    read_record,
)
from ses_insights.domain.alert import Alert
from ses_insights.domain.failures import FailureKind
from ses_insights.domain.listing import Listing
from ses_insights.domain.reasons import Reason
from ses_insights.domain.record import Record
from ses_insights.domain.surge import Surge
from ses_insights.service.ports import RecordChangedError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# DynamoDB's limits of one transaction: 100 actions and 4 MB, and items here have at most 400 KB.
# Actions are kept for the check of the version and for the groups of alerts: one for each reason at
# most.
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
_ACTIONS: Final = 99 - len(Reason)
_BYTES: Final = 3_000_000

_FIRST: Final = "attribute_not_exists(MessageId)"
_UNCHANGED: Final = "Looks = :looks AND attribute_not_exists(ErasedAt)"


@dataclass(frozen=True, slots=True)
class RecordTable:
    """Reads and writes records; a write happens only over the version that was read."""

    client: DynamoDBClient
    table_name: str

    def load(self, message_id: str) -> Record | None:
        """Read every row of a message, as they are now."""
        with failing_as(FailureKind.DYNAMODB, "Query"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table_name,
                KeyConditionExpression="MessageId = :id",
                ExpressionAttributeValues=to_item({":id": message_id}),
                ConsistentRead=True,
            )
            return read_record(from_item(item) for page in pages for item in page["Items"])

    def listings(self, message_id: str) -> tuple[Listing, ...]:
        """Read where the suppression list names a message that is not stored."""
        with failing_as(FailureKind.DYNAMODB, "Query"):
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table_name,
                KeyConditionExpression="MessageId = :id AND begins_with(#record, :listed)",
                ExpressionAttributeNames={"#record": "Record"},
                ExpressionAttributeValues=to_item({":id": message_id, ":listed": LISTED}),
                ConsistentRead=True,
            )
            return read_listings(from_item(item) for page in pages for item in page["Items"])

    def save(
        self,
        record: Record,
        new_alerts: Sequence[Alert],
        *,
        read: Record | None,
        surges: Sequence[Surge] = (),
    ) -> None:
        """Store what changed of the record, its new alerts and their groups, in one transaction.

        A record too large for one is stored in several. The message's own row, which carries the
        version, goes last: until then the look counts as not taken, and the next one repeats it.
        Alerts go first: what is stored of a look that is not finished is published. Their groups go
        with them: an alert that is stored as grouped, in a group that knows of no surge, would be
        in no summary. Of a new record the message's own row is there from the beginning, due and
        with no look: without it the alerts would be taken for new once more. Where only the
        message's own row changed it is written without a transaction, which would cost twice as
        much.
        """
        message_id = record.insights.message_id
        rows = [*(alert_row(alert, record) for alert in new_alerts), *_changed(record, read)]
        batches = [[self._put(row) for row in batch] for batch in _batches(rows)]
        batches[0] += [surge_put(self.table_name, surge) for surge in surges]
        *earlier, last = batches
        if earlier and read is None:
            read = _begun(record)
            self._write_alone({**self._put(message_row(read))["Put"], **_condition(None)})
        condition = _condition(read)
        key = to_item({"MessageId": message_id, "Record": MESSAGE})
        check = {"ConditionCheck": {"TableName": self.table_name, "Key": key, **condition}}
        for batch in earlier:
            self._write([check, *batch])
        own = {**self._put(message_row(record))["Put"], **condition}
        if last:
            self._write([{"Put": own}, *last])
        else:
            self._write_alone(own)

    def claim(self, message_id: str, alert: Alert, *, at: str) -> bool:
        """Note that a pending alert is about to be published; False where others did since."""
        waits = {":from": alert.claimed_at or alert.detected_at, ":at": at}
        with failing_as(FailureKind.DYNAMODB, "UpdateItem"):
            try:
                self.client.update_item(
                    TableName=self.table_name,
                    Key=to_item({"MessageId": message_id, "Record": alert_key(alert.alert_id)}),
                    UpdateExpression="SET NextLookAt = :at",
                    ConditionExpression="NextLookAt = :from",
                    ExpressionAttributeValues=to_item(waits),
                )
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    return False
                raise
        return True

    def mark_published(self, message_id: str, alert: Alert) -> None:
        """Note when and as what an alert was published; it waits in no lane any more."""
        with failing_as(FailureKind.DYNAMODB, "UpdateItem"):
            self.client.update_item(
                TableName=self.table_name,
                Key=to_item({"MessageId": message_id, "Record": alert_key(alert.alert_id)}),
                UpdateExpression="SET PublishedAt = :at, SnsMessageId = :as "
                "REMOVE DueLane, NextLookAt",
                ConditionExpression="attribute_exists(MessageId)",
                ExpressionAttributeValues=to_item(
                    {":at": alert.published_at, ":as": alert.sns_message_id}
                ),
            )

    def _put(self, row: Row) -> dict[str, Any]:
        return {"Put": {"TableName": self.table_name, "Item": to_item(row)}}

    def _write(self, actions: Sequence[Any]) -> None:
        with failing_as(FailureKind.DYNAMODB, "TransactWriteItems"):
            try:
                self.client.transact_write_items(TransactItems=actions)
            except ClientError as error:
                if "ConditionalCheckFailed" in error_codes(error):
                    raise RecordChangedError from error
                raise

    def _write_alone(self, put: Any) -> None:
        """Write one row over the version that was read.

        DynamoDB makes a repeated transaction one, and a repeated put two. So where the condition
        fails because of this very row, an earlier try of the SDK stored it and its answer was lost.
        Since then a run of `followups` can have claimed it, which moves its next look.
        """
        with failing_as(FailureKind.DYNAMODB, "PutItem"):
            try:
                self.client.put_item(**put, ReturnValuesOnConditionCheckFailure="ALL_OLD")
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                there: Any = error.response
                if _without_next(there.get("Item", {})) != _without_next(put["Item"]):
                    raise RecordChangedError from error


def _begun(record: Record) -> Record:
    """Return what is stored of a new record before the rest: that its first look is due."""
    return replace(
        record,
        looks=0,
        first_look_at=None,
        last_look_at=None,
        next_look_at=record.last_look_at or record.sent_at,
        final=None,
        alert_ids=frozenset(),
    )


def _changed(record: Record, read: Record | None) -> list[Row]:
    """Return the rows of destinations and listings that are not stored as they are now."""
    stored = {row["Record"]: row for row in _about_recipients(read)} if read else {}
    # The look that wrote a row is no part of what it says.
    return [
        row
        for row in _about_recipients(record)
        if _without_look(stored.get(row["Record"], {})) != _without_look(row)
    ]


def _without_next(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: value for name, value in item.items() if name != "NextLookAt"}


def _without_look(row: Row) -> Row:
    return {name: value for name, value in row.items() if name != "Look"}


def _about_recipients(record: Record) -> Iterator[Row]:
    yield from destination_rows(record)
    for listing in record.listings:
        yield listed_row(listing, record.insights.message_id, record.expires_at)


def _condition(read: Record | None) -> dict[str, Any]:
    if read is None:
        return {"ConditionExpression": _FIRST}
    return {
        "ConditionExpression": _UNCHANGED,
        "ExpressionAttributeValues": to_item({":looks": read.looks}),
    }


def _batches(rows: Sequence[Row]) -> list[list[Row]]:
    """Cut rows into what one transaction takes; at least one batch, it may be empty."""
    batches: list[list[Row]] = [[]]
    size = 0
    for row in rows:
        weight = len(repr(row).encode())
        if len(batches[-1]) == _ACTIONS or size + weight > _BYTES:
            batches.append([])
            size = 0
        batches[-1].append(row)
        size += weight
    return batches
