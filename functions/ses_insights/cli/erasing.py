"""Erasing what the table holds of an address; `service.erase` decides which rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from ses_insights.adapters.aws_errors import error_codes
from ses_insights.adapters.items import to_item
from ses_insights.cli.deployment import Deployment, now
from ses_insights.cli.errors import CliError
from ses_insights.contracts.addresses import spellings
from ses_insights.contracts.names import INDEX_KEYS, TABLE_KEYS, Attribute, Index
from ses_insights.contracts.rows import ALERT, MESSAGE, Row
from ses_insights.service.erase import (
    address_of,
    alerts_that_stay,
    is_about,
    rows_about,
    tombstone,
)

_ACTIONS: Final = 100
"""The most that one transaction takes."""

_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Held:
    """What the table holds of an address in the rows of one message."""

    message_id: str
    address: str
    rows: tuple[Row, ...]
    """Those that are to be deleted."""

    @property
    def spellings(self) -> set[str]:
        """How the address is spelled in them."""
        return {address for row in self.rows if (address := address_of(row)) is not None}

    @property
    def alerts(self) -> int:
        """How many of them are alerts."""
        return sum(_is_alert(row) for row in self.rows)

    @property
    def pending_alerts(self) -> int:
        """How many of them are alerts that are not published yet, and will not be."""
        return sum(_is_alert(row) and "PublishedAt" not in row for row in self.rows)


def held_of(
    deployment: Deployment, recipient: str, *, scan: bool, on_rows: Callable[[int], None]
) -> Iterator[Held]:
    """Return what the table holds of an address, message by message.

    The index finds the likely spellings. Only a scan, which reads the whole table, finds every
    spelling; ``on_rows`` is told how many rows it has read.
    """
    ids = dict.fromkeys(_in_index(deployment, recipient))
    if scan:
        ids |= dict.fromkeys(_in_table(deployment, recipient, on_rows))
    for message_id in ids:
        if rows := rows_about(deployment.rows_of(message_id), recipient):
            yield Held(message_id, recipient, rows)


def _in_index(deployment: Deployment, recipient: str) -> Iterator[str]:
    key, _ = INDEX_KEYS[Index.BY_DESTINATION]
    for address in spellings(recipient):
        for row in deployment.query(
            IndexName=Index.BY_DESTINATION,
            KeyConditionExpression=f"{key} = :address",
            ExpressionAttributeValues=to_item({":address": address}),
            ProjectionExpression=Attribute.MESSAGE_ID,
        ):
            yield str(row[Attribute.MESSAGE_ID])


def _in_table(
    deployment: Deployment, recipient: str, on_rows: Callable[[int], None]
) -> Iterator[str]:
    names = {"#record": "Record", "#of": "Of"}
    rows = deployment.scan(
        ProjectionExpression="MessageId, #record, Destination, #of",
        ExpressionAttributeNames=names,
        ConsistentRead=True,
    )
    for number, row in enumerate(rows, start=1):
        on_rows(number)
        if is_about(row, recipient):
            yield str(row[Attribute.MESSAGE_ID])


def erase(deployment: Deployment, held: Held) -> int:
    """Erase what one message holds; returns how many rows were deleted.

    The message's row loses its data first, or with the others, and the rows by which it is found
    go last. So it can be run again, wherever it stopped. It reads again until nothing is left: a
    look that takes several transactions may have stored rows in between. Raises `CliError`, and
    what boto3 raises.
    """
    deleted = 0
    for _ in range(_TRIES):
        rows = deployment.rows_of(held.message_id)
        doomed = rows_about(rows, held.address)
        if not doomed:
            return deleted
        actions = [
            _strip(deployment, rows),
            *(_strip_alert(deployment, row) for row in alerts_that_stay(rows, held.address)),
            *(_delete(deployment, row) for row in doomed),
        ]
        try:
            for start in range(0, len(actions), _ACTIONS):
                deployment.dynamodb.transact_write_items(
                    TransactItems=actions[start : start + _ACTIONS]
                )
        except ClientError as error:
            # A look was stored in between: then there may be more to delete.
            if not error_codes(error) & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise
        else:
            deleted += len(doomed)
    raise CliError("The service keeps writing to a message of this recipient: run it again.")


def _strip(deployment: Deployment, rows: Sequence[Row]) -> Any:
    """Return the action that writes what stays of the message, if its row has not changed."""
    own = next((row for row in rows if row[Attribute.RECORD] == MESSAGE), None)
    put = {"TableName": deployment.table_name, "Item": to_item(tombstone(rows, now()))}
    if own is None:
        return {"Put": put | {"ConditionExpression": "attribute_not_exists(MessageId)"}}
    return {
        "Put": put
        | {
            "ConditionExpression": "Looks = :looks",
            "ExpressionAttributeValues": to_item({":looks": own["Looks"]}),
        }
    }


def _strip_alert(deployment: Deployment, row: Row) -> Any:
    """Return the action that takes sender and tags out of the alert of another recipient."""
    return {
        "Update": {
            "TableName": deployment.table_name,
            "Key": _key(row),
            "UpdateExpression": "REMOVE EmailTags, FromDomain",
            "ConditionExpression": "attribute_exists(MessageId)",
        }
    }


def _delete(deployment: Deployment, row: Row) -> Any:
    return {"Delete": {"TableName": deployment.table_name, "Key": _key(row)}}


def _key(row: Row) -> Any:
    return to_item({str(name): row[name] for name in TABLE_KEYS})


def _is_alert(row: Row) -> bool:
    return str(row[Attribute.RECORD]).startswith(ALERT)
