"""`insights find`: the recipients of mail, by address, status and day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Annotated

import typer
from rich.text import Text

from ses_insights.cli.deployment import Deployment, now
from ses_insights.cli.errors import NOTHING, WrongUsageError
from ses_insights.cli.ids import check, of_arguments, ses_id
from ses_insights.cli.options import Day, Json, Limit, Statuses, deployment_of, statuses_of
from ses_insights.cli.output import Cell, clean, coloured, echo, echo_err, echo_json, table, time_of
from ses_insights.cli.search import (
    WITHOUT_RECIPIENT,
    Days,
    by_status,
    day,
    moment,
    of_message,
    to_address,
)
from ses_insights.contracts.rows import Row
from ses_insights.domain.status import Status
from ses_insights.service.erase import is_about


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which recipients somebody wants to see."""

    to: str | None
    message_id: str | None = None
    statuses: Sequence[Status]
    days: Days | None
    scan: bool

    def joined(self, text: str) -> Asked:
        """Add what a word alone names: an address, a message or a status. Raises CliError."""
        if not text.strip():
            raise WrongUsageError("Give an address, a status or a message id; this is empty.")
        if message_id := _id_in(text):
            if self.to is not None or self.scan:
                raise WrongUsageError("--to and --scan are for an address, and this is a message.")
            return replace(self, message_id=message_id)
        if "@" in text:
            if self.to is not None:
                raise WrongUsageError("Give one address: alone, or with --to.")
            return replace(self, to=text)
        return replace(self, statuses=[*self.statuses, *statuses_of([text])])

    def check(self) -> None:
        """Refuse what does not go together. Raises `WrongUsageError`."""
        if self.to is not None and not self.to.strip():
            raise WrongUsageError("--to is empty: give an address, or leave it out.")
        if self.to and WITHOUT_RECIPIENT.intersection(self.statuses):
            raise WrongUsageError(
                "A NOT_FOUND or INVALID message has no recipient: leave out the address."
            )
        if self.scan and not self.to:
            raise WrongUsageError("--scan is for an address: without it all spellings are listed.")

    def rows(self, deployment: Deployment) -> Iterator[Row]:
        """Read them, the newest first."""
        if self.message_id:
            return iter(of_message(deployment, self.message_id, self.statuses, self.days))
        if self.to and not self.scan:
            return to_address(deployment, self.to, self.statuses, self.days)
        found = by_status(deployment, self.statuses, self.days, newest_first=True)
        return (row for row in found if is_about(row, self.to)) if self.to else found


def command(
    ctx: typer.Context,
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="ADDRESS|STATUS|ID",
            help="A recipient, a status or a message; the options say the same.",
        ),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="ADDRESS", help="Mail to this recipient.")
    ] = None,
    status: Statuses = None,
    on: Day = None,
    scan: Annotated[
        bool,
        typer.Option(
            "--scan", help="With an address: read all recipients, to find every spelling."
        ),
    ] = False,
    limit: Limit = 20,
    as_json: Json = False,
) -> None:
    """List recipients and what became of their mail, newest first.

    A day is that of a recipient's newest event. An address is found in the spellings in which it is
    likely stored: with or without a display name, in capitals or not, its domain in either form.
    NOT_FOUND and INVALID list messages, for which SES has named no recipient; they read the whole
    table. With an address, "listed" is what the account's suppression list says of it. --json gives
    the rows of the table. Exit code 1: nothing was found.

    \b
    Examples:
      insights find anna@example.com
      insights find PERMANENT_BOUNCE --day today
      insights find --status PERMANENT_BOUNCE --status COMPLAINT --day yesterday
      insights find --status NOT_FOUND --limit 100
    """
    days = None
    if on:
        only = day(on, now().date())
        days = Days(only, only)
    asked = Asked(to=to, statuses=statuses_of(status), days=days, scan=scan)
    if what is not None:
        asked = asked.joined(what)
    asked.check()
    rows = list(islice(asked.rows(deployment_of(ctx)), limit))
    if as_json:
        echo_json(rows)
    else:
        for line in lines(rows):
            echo(line)
    if not rows:
        likely = " Likely spellings were looked up; --scan finds every one."
        more = likely if asked.to and not scan else ""
        echo_err(f"Nothing was found.{more}")
        raise typer.Exit(NOTHING)
    if len(rows) == limit:
        echo_err(f"The newest {limit}; --limit shows more.")


def _id_in(text: str) -> str | None:
    """Read an id; None for an address, which may hold one, and for a status, which has no digit."""
    if "@" in text:
        return ses_id(text)
    if not any(each.isdigit() for each in text):
        return None
    ids = check(of_arguments([text])).ids
    if not ids:
        raise WrongUsageError(f"{clean(text)} is no address, no status and no message id.")
    return next(iter(ids))


def lines(rows: Sequence[Row]) -> list[Text]:
    """Return rows for a person."""
    return table(("When", "Status", "Recipient", "Provider", "Message"), map(_cells, rows))


def _cells(row: Row) -> list[Cell]:
    return [
        time_of(moment(row)),
        coloured(row.get("Status") or f"listed: {row['Reason']}"),
        clean(row.get("Destination")),
        clean(row.get("Isp")),
        clean(row["MessageId"]),
    ]
