"""`insights find`: the recipients of mail, by address, status and day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Annotated

import typer
from rich.text import Text

from ses_insights.cli.deployment import Deployment, now
from ses_insights.cli.errors import NOTHING, WrongUsageError
from ses_insights.cli.options import Day, Json, Limit, Statuses, deployment_of, statuses_of
from ses_insights.cli.output import Cell, clean, coloured, echo, echo_err, echo_json, table
from ses_insights.cli.search import WITHOUT_RECIPIENT, Days, by_status, day, moment, to_address
from ses_insights.contracts.rows import Row
from ses_insights.domain.status import Status
from ses_insights.service.erase import is_about


def command(
    ctx: typer.Context,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="Mail to this recipient.")
    ] = None,
    status: Statuses = None,
    on: Day = None,
    scan: Annotated[
        bool,
        typer.Option("--scan", help="With --to: read all recipients, to find every spelling."),
    ] = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List recipients and what became of their mail, newest first.

    A day is that of a recipient's newest event. An address is found in the spellings in which it is
    likely stored: with or without a display name, in capitals or not, its domain in either form.
    NOT_FOUND and INVALID list messages, for which SES has named no recipient; they read the whole
    table. With --to, "listed" is what the account's suppression list says of the address. --json
    gives the rows of the table. Exit code 1: nothing was found.

    \b
    Examples:
      insights find --to anna@example.com
      insights find --status PERMANENT_BOUNCE --status COMPLAINT --day yesterday
      insights find --status NOT_FOUND --limit 100
    """
    statuses = statuses_of(status)
    days = None
    if on:
        asked = day(on, now().date())
        days = Days(asked, asked)
    _check(to, statuses, scan=scan)
    found = _rows(deployment_of(ctx), to, statuses, days, scan=scan)
    rows = list(islice(found, limit))
    if as_json:
        echo_json(rows)
    else:
        for line in lines(rows):
            echo(line)
    if not rows:
        more = (
            " Likely spellings were looked up; --scan finds every one." if to and not scan else ""
        )
        echo_err(f"Nothing was found.{more}")
        raise typer.Exit(NOTHING)
    if len(rows) == limit:
        echo_err(f"The newest {limit}; --limit shows more.")


def _check(to: str | None, statuses: Sequence[Status], *, scan: bool) -> None:
    """Refuse options that do not go together. Raises `WrongUsageError`."""
    if to is not None and not to.strip():
        raise WrongUsageError("--to is empty: give an address, or leave it out.")
    if to and WITHOUT_RECIPIENT.intersection(statuses):
        raise WrongUsageError("A NOT_FOUND or INVALID message has no recipient: leave out --to.")
    if scan and not to:
        raise WrongUsageError("--scan is for --to: without it all spellings are listed.")


def _rows(
    deployment: Deployment,
    to: str | None,
    statuses: Sequence[Status],
    days: Days | None,
    *,
    scan: bool,
) -> Iterator[Row]:
    if to and not scan:
        return to_address(deployment, to, statuses, days)
    found = by_status(deployment, statuses, days, newest_first=True)
    return (row for row in found if is_about(row, to)) if to else found


def lines(rows: Sequence[Row]) -> list[Text]:
    """Return rows for a person."""
    return table(("When", "Status", "Recipient", "Provider", "Message"), map(_cells, rows))


def _cells(row: Row) -> list[Cell]:
    return [
        moment(row),
        coloured(row.get("Status") or f"listed: {row['Reason']}"),
        clean(row.get("Destination")),
        clean(row.get("Isp")),
        clean(row["MessageId"]),
    ]
