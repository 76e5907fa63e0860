"""`insights erase`: deletes what is stored of a person, so that no later look brings it back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

import typer

from ses_insights.cli.erasing import Held, erase, held_of
from ses_insights.cli.errors import NOTHING, NothingFoundError, WrongUsageError
from ses_insights.cli.options import Json, Yes, deployment_of
from ses_insights.cli.output import clean, confirm, counted, echo, echo_err, echo_json

REMAINS: Final = (
    "What remains: the message's own row, without sender, subject, tags and recipient, until it "
    "expires; logs and metrics, which hold no addresses; published alerts, with their subscribers; "
    "backups of the table, up to 35 days; bodies in the queue and the dead-letter queue; and what "
    "SES itself keeps."
)


def command(
    ctx: typer.Context,
    recipient: Annotated[str, typer.Argument(metavar="ADDRESS", help="The person's address.")],
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Erase what is stored of a person, by address.

    In each message to the address this deletes the recipient's rows, the alerts about it, and
    sender, subject and tags. The message stays as an empty row, which later looks leave empty. The
    address is also tried in lower case. It is safe to run this again. Exit code 1: nothing is
    stored, or the answer was no.

    \b
    Examples:
      insights erase anna@example.com
      insights erase anna@example.com --yes --json
    """
    if "@" not in recipient:
        raise WrongUsageError("An address has an @; to find one, use: insights find.")
    deployment = deployment_of(ctx)
    held = list(held_of(deployment, recipient))
    if not held:
        if as_json:
            echo_json(_json(held))
        raise NothingFoundError(
            f"Nothing is stored of {clean(recipient)}. What was stored in the last second may not "
            "be found yet."
        )
    for line in summary(held):
        echo_err(line)
    if not confirm("Erase this for good?", yes=yes):
        raise typer.Exit(NOTHING)
    rows = sum(erase(deployment, each) for each in held)
    if as_json:
        echo_json(_json(held) | {"deletedRows": rows})
        return
    echo(f"Erased: {counted(rows, 'row')} of {counted(len(held), 'message')}.")
    echo(REMAINS)


def summary(held: Sequence[Held]) -> Iterator[str]:
    """Return in lines what would be erased."""
    rows, alerts = sum(len(each.rows) for each in held), sum(each.alerts for each in held)
    pending = sum(each.pending_alerts for each in held)
    yield (
        f"{counted(len(held), 'message')}: sender, subject and tags, and {counted(rows, 'row')}, "
        f"{counted(alerts, 'alert')} among them."
    )
    if pending:
        yield f"{counted(pending, 'pending alert')} will not be published."


def _json(held: Sequence[Held]) -> dict[str, Any]:
    return {
        "messages": [each.message_id for each in held],
        "rows": sum(len(each.rows) for each in held),
        "alerts": sum(each.alerts for each in held),
        "alertsNotTold": sum(each.pending_alerts for each in held),
    }
