"""`insights erase`: deletes what is stored of a person, so that no later look brings it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import typer
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError

from ses_insights.adapters.aws_errors import error_codes
from ses_insights.cli.asking import confirm
from ses_insights.cli.deployment import Deployment, now
from ses_insights.cli.errors import NOTHING, CliError, NothingFoundError, WrongUsageError
from ses_insights.cli.options import DEFAULT_STACK, Json, Stack, Yes, deployment_of
from ses_insights.cli.output import clean, counted, echo, echo_err, echo_json
from ses_insights.contracts.rows import ALERT, MESSAGE, Row
from ses_insights.service.erase import addresses, rows_about, tombstone

REMAINS: Final = (
    "What remains: the message's own row, without sender, subject, tags and recipient, until it "
    "expires; logs and metrics, which hold no addresses; alerts that went out, with those who got "
    "them; backups of the table, up to 35 days; bodies in the queue and the dead-letter queue; and "
    "what SES itself keeps."
)

_ACTIONS: Final = 100
"""The most that one transaction takes."""

_TRIES: Final = 5

_serialize: Final = TypeSerializer().serialize


@dataclass(frozen=True, slots=True)
class Held:
    """What one message holds of an address."""

    message_id: str
    address: str
    rows: tuple[Row, ...]
    """Those that are to be deleted."""

    @property
    def alerts(self) -> int:
        """How many alerts there are."""
        return sum(_is_alert(row) for row in self.rows)

    @property
    def untold(self) -> int:
        """How many alerts have not been told yet, and will not be."""
        return sum(_is_alert(row) and "PublishedAt" not in row for row in self.rows)


def command(
    ctx: typer.Context,
    recipient: Annotated[str, typer.Argument(metavar="ADDRESS", help="The person's address.")],
    yes: Yes = False,
    stack: Stack = DEFAULT_STACK,
    as_json: Json = False,
) -> None:
    """Erase what is stored of a person, by address.

    Of each message to the address these go: the recipient's rows, alerts that name it, and sender,
    subject and tags. The message stays as an empty row that no look fills again. The address is
    also tried in lower case. It can be run twice. Exit code 1: nothing is stored, or you said no.

    \b
    Examples:
      insights erase anna@example.com
      insights erase anna@example.com --yes --json
    """
    if "@" not in recipient:
        raise WrongUsageError("An address has an @; to find one, use: insights find.")
    service = deployment_of(ctx, stack)
    held = list(_held(service, recipient))
    if not held:
        if as_json:
            echo_json(_json(held))
        raise NothingFoundError(
            f"Nothing is stored of {clean(recipient)}. What was stored in the last second may not "
            "be found yet."
        )
    for line in found(held):
        echo_err(line)
    if not confirm("Erase this for good?", yes=yes):
        raise typer.Exit(NOTHING)
    rows = sum(erase(service, each) for each in held)
    if as_json:
        echo_json(_json(held) | {"deletedRows": rows})
        return
    echo(f"Erased: {counted(rows, 'row')} of {counted(len(held), 'message')}.")
    echo(REMAINS)


def found(held: Sequence[Held]) -> Iterator[str]:
    """Say what is to go."""
    rows, alerts = sum(len(each.rows) for each in held), sum(each.alerts for each in held)
    untold = sum(each.untold for each in held)
    yield (
        f"{counted(len(held), 'message')}: sender, subject and tags, and {counted(rows, 'row')}, "
        f"{counted(alerts, 'alert')} among them."
    )
    if untold:
        yield f"{counted(untold, 'alert')} not told yet; nobody will be told."


def erase(service: Deployment, held: Held) -> int:
    """Erase what one message holds; returns how many rows were deleted.

    The message's row loses its data first, or with the others, and the rows by which it is found
    go last. So whatever stops it, it can be run again. Raises `CliError`, and what boto3 raises.
    """
    for _ in range(_TRIES):
        rows = service.rows_of(held.message_id)
        doomed = rows_about(rows, held.address)
        if not doomed:
            return 0
        actions = [_stay(service, rows), *(_delete(service, row) for row in doomed)]
        try:
            for start in range(0, len(actions), _ACTIONS):
                service.dynamodb.transact_write_items(
                    TransactItems=actions[start : start + _ACTIONS]
                )
        except ClientError as error:
            # A look was stored in between: then there may be more to delete.
            if not error_codes(error) & {"ConditionalCheckFailed", "TransactionConflict"}:
                raise
        else:
            return len(doomed)
    raise CliError("The service keeps writing to a message of this recipient: run it again.")


def _held(service: Deployment, recipient: str) -> Iterator[Held]:
    for address in addresses(recipient):
        listed = service.query(
            IndexName="ByDestination",
            KeyConditionExpression="Destination = :address",
            ExpressionAttributeValues={":address": {"S": address}},
            ProjectionExpression="MessageId",
        )
        for message_id in dict.fromkeys(str(row["MessageId"]) for row in listed):
            if rows := rows_about(service.rows_of(message_id), address):
                yield Held(message_id, address, rows)


def _stay(service: Deployment, rows: Sequence[Row]) -> Any:
    """Put what stays of the message over its row, if that is still what was read."""
    own = next((row for row in rows if row["Record"] == MESSAGE), None)
    put = {"TableName": service.table_name, "Item": _item(tombstone(rows, now()))}
    if own is None:
        return {"Put": put | {"ConditionExpression": "attribute_not_exists(MessageId)"}}
    return {
        "Put": put
        | {
            "ConditionExpression": "Looks = :looks",
            "ExpressionAttributeValues": _item({":looks": own["Looks"]}),
        }
    }


def _delete(service: Deployment, row: Row) -> Any:
    key = {"MessageId": row["MessageId"], "Record": row["Record"]}
    return {"Delete": {"TableName": service.table_name, "Key": _item(key)}}


def _item(row: Row) -> dict[str, Any]:
    return {name: _serialize(value) for name, value in row.items()}


def _is_alert(row: Row) -> bool:
    return str(row["Record"]).startswith(ALERT)


def _json(held: Sequence[Held]) -> dict[str, Any]:
    return {
        "messages": [each.message_id for each in held],
        "rows": sum(len(each.rows) for each in held),
        "alerts": sum(each.alerts for each in held),
        "alertsNotTold": sum(each.untold for each in held),
    }
