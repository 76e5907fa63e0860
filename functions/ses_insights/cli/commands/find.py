"""`insights find`: the recipients of mail, by address, status and day."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Annotated

import typer
from rich.text import Text

from ses_insights.cli.deployment import now
from ses_insights.cli.errors import NOTHING, WrongUsageError
from ses_insights.cli.options import Json, Statuses, deployment_of, statuses_of
from ses_insights.cli.output import Cell, clean, coloured, echo, echo_err, echo_json, table
from ses_insights.cli.search import WITHOUT_RECIPIENT, Days, by_status, day, moment, to_address
from ses_insights.contracts.rows import Row


def command(
    ctx: typer.Context,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="Mail to this recipient.")
    ] = None,
    status: Statuses = None,
    on: Annotated[
        str | None,
        typer.Option(
            "--day", metavar="DAY", help="Newest event on this day, in UTC: 2026-11-23, today, …"
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Show at most this many.")] = 20,
    as_json: Json = False,
) -> None:
    """List recipients and what became of their mail, newest first.

    NOT_FOUND and INVALID list messages, for which SES has named no recipient; they read the whole
    table. --json gives the rows of the table. Exit code 1: nothing was found.

    \b
    Examples:
      insights find --to anna@example.com
      insights find --status PERMANENT_BOUNCE --status COMPLAINT --day yesterday
      insights find --status NOT_FOUND --limit 100
    """
    statuses = statuses_of(status)
    if to is not None and not to.strip():
        raise WrongUsageError("--to is empty: give an address, or leave it out.")
    days = None
    if on:
        asked = day(on, now().date())
        days = Days(asked, asked)
    if to and WITHOUT_RECIPIENT.intersection(statuses):
        raise WrongUsageError("A NOT_FOUND or INVALID message has no recipient: leave out --to.")
    deployment = deployment_of(ctx)
    found = (
        to_address(deployment, to, statuses, days)
        if to
        else by_status(deployment, statuses, days, newest_first=True)
    )
    rows = list(islice(found, limit))
    if as_json:
        echo_json(rows)
    else:
        for line in lines(rows):
            echo(line)
    if not rows:
        echo_err("Nothing was found.")
        raise typer.Exit(NOTHING)
    if len(rows) == limit:
        echo_err(f"The newest {limit}; --limit shows more.")


def lines(rows: Sequence[Row]) -> list[Text]:
    """Return rows for a person."""
    return table(("When", "Status", "Recipient", "Provider", "Message"), map(_cells, rows))


def _cells(row: Row) -> list[Cell]:
    return [
        moment(row),
        coloured(row["Status"]),
        clean(row.get("Destination")),
        clean(row.get("Isp")),
        clean(row["MessageId"]),
    ]
