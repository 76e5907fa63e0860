"""`insights erase`: deletes what is stored of a person, so that no later look brings it back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Annotated, Any, Final

import typer

from ses_insights.cli.erasing import Held, erase, held_of
from ses_insights.cli.errors import NOTHING, NothingFoundError, WrongUsageError
from ses_insights.cli.options import Json, Yes, deployment_of
from ses_insights.cli.output import ERR, clean, confirm, counted, echo, echo_err, echo_json
from ses_insights.contracts.addresses import bare

_SHOWN_EVERY: Final = 1_000

REMAINS: Final = (
    "What remains: the message's own row, without sender, subject, tags and recipient, until it "
    "expires; logs and metrics, which hold no addresses; published alerts, with their subscribers; "
    "backups of the table, up to 35 days; bodies in the queue and the dead-letter queue; and what "
    "SES itself keeps."
)


def command(
    ctx: typer.Context,
    recipient: Annotated[str, typer.Argument(metavar="ADDRESS", help="The person's address.")],
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Look up likely spellings only; do not read the whole table."),
    ] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Erase what is stored of a person, by address.

    In each message to the address this deletes the recipient's rows, the alerts about it, and
    sender, subject and tags. The message stays as an empty row, which later looks leave empty. To
    find the address in every spelling it reads the whole table, which takes some minutes where that
    is large. It is safe to run this again. Exit code 1: nothing is stored, or the answer was no.

    \b
    Examples:
      insights erase anna@example.com
      insights erase anna@example.com --yes --json
    """
    if "@" not in bare(recipient):
        raise WrongUsageError("An address has an @; to find one, use: insights find.")
    deployment = deployment_of(ctx)
    with _counting() as on_rows:
        held = list(held_of(deployment, recipient, scan=not quick, on_rows=on_rows))
    if not held:
        if as_json:
            echo_json(_json(held, quick=quick))
        raise NothingFoundError(f"Nothing is stored of {clean(recipient)}. {_proof(quick=quick)}")
    for line in summary(held):
        echo_err(line)
    if not confirm("Erase this for good?", yes=yes):
        raise typer.Exit(NOTHING)
    rows = sum(erase(deployment, each) for each in held)
    if as_json:
        echo_json(_json(held, quick=quick) | {"deletedRows": rows})
        return
    echo(f"Erased: {counted(rows, 'row')} of {counted(len(held), 'message')}.")
    echo(_proof(quick=quick))
    echo(REMAINS)


def _proof(*, quick: bool) -> str:
    """Say how far it was searched."""
    if quick:
        return (
            "Only likely spellings were looked up. Without --quick the whole table is read, which "
            "alone shows that no other spelling is stored."
        )
    return "The whole table was read, so no other spelling is stored."


@contextmanager
def _counting() -> Iterator[Callable[[int], None]]:
    """Show at a terminal how many rows were read; yields the function that is told."""
    with ERR.status("Reading the table …") if ERR.is_terminal else nullcontext() as shown:

        def on_rows(number: int) -> None:
            if shown and number % _SHOWN_EVERY == 0:
                shown.update(f"Reading the table: {number:,} rows")

        yield on_rows


def summary(held: Sequence[Held]) -> Iterator[str]:
    """Return in lines what would be erased."""
    rows, alerts = sum(len(each.rows) for each in held), sum(each.alerts for each in held)
    pending = sum(each.pending_alerts for each in held)
    yield (
        f"{counted(len(held), 'message')}: sender, subject and tags, and {counted(rows, 'row')}, "
        f"{counted(alerts, 'alert')} among them."
    )
    spelled = sorted(set().union(*(each.spellings for each in held)))
    yield f"Spelled as {', '.join(map(clean, spelled))}."
    if pending:
        yield f"{counted(pending, 'pending alert')} will not be published."


def _json(held: Sequence[Held], *, quick: bool) -> dict[str, Any]:
    return {
        "scanned": not quick,
        "messages": [each.message_id for each in held],
        "rows": sum(len(each.rows) for each in held),
        "alerts": sum(each.alerts for each in held),
        "alertsNotTold": sum(each.pending_alerts for each in held),
    }
