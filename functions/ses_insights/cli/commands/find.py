"""`insights find`: what became of mail, by recipient, status and day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from ses_insights.cli.deployment import now
from ses_insights.cli.errors import NOTHING, WrongUsageError
from ses_insights.cli.options import DEFAULT_STACK, Json, Stack, Statuses, deployment_of
from ses_insights.cli.output import (
    Cell,
    clean,
    coloured,
    columns,
    echo,
    echo_err,
    echo_json,
    heading,
)
from ses_insights.cli.search import UNTOLD, Days, by_status, day, moment, newest, to_address
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
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="How many at most.")] = 20,
    stack: Stack = DEFAULT_STACK,
    as_json: Json = False,
) -> None:
    """List what became of mail to each recipient, the newest first.

    NOT_FOUND and INVALID are those of messages without a recipient; for these the whole table is
    read. With --json: the rows as they are in the table. Exit code 1: nothing was found.

    \b
    Examples:
      insights find --to anna@example.com
      insights find --status PERMANENT_BOUNCE --status COMPLAINT --day yesterday
      insights find --status NOT_FOUND --limit 100
    """
    statuses = list(status or ())
    days = None
    if on:
        asked = day(on, now().date())
        days = Days(asked, asked)
    if to and UNTOLD.intersection(statuses):
        raise WrongUsageError("A message that is NOT_FOUND or INVALID has no recipient: no --to.")
    service = deployment_of(ctx, stack)
    rows = newest(
        to_address(service, to, statuses, days)
        if to
        else by_status(service, statuses, days, newest_first=True),
        limit,
    )
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
    """Write rows for a person."""
    if not rows:
        return []
    return columns(
        [heading("When", "Status", "Recipient", "Provider", "Message"), *map(_cells, rows)]
    )


def _cells(row: Row) -> list[Cell]:
    return [
        moment(row),
        coloured(row["Status"]),
        clean(row.get("Destination")),
        clean(row.get("Isp")),
        clean(row["MessageId"]),
    ]
