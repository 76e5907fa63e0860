"""`insights export`: the recipients of some days, for a spreadsheet or a program."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer

from ses_insights.cli.deployment import Deployment, now
from ses_insights.cli.errors import NOTHING, WrongUsageError
from ses_insights.cli.options import Json, Statuses, deployment_of, statuses_of
from ses_insights.cli.output import as_json as written
from ses_insights.cli.output import clean, counted, echo_err
from ses_insights.cli.search import Days, by_status, day, moment
from ses_insights.contracts.alert_message import shareable
from ses_insights.contracts.rows import Row, read_tags
from ses_insights.domain.status import Status
from ses_insights.service.erase import is_about

COLUMNS: Final = (
    *("MessageId", "Destination", "Status", "LastEventAt", "Isp", "OpenCount", "ClickCount"),
    *("BounceType", "BounceSubType", "DiagnosticCode"),
    *("ComplaintSubType", "ComplaintFeedbackType"),
    *("SentAt", "FromEmailAddress", "Subject", "ConfigurationSet", "EmailTags"),
)

# With these a spreadsheet begins a formula, and much of this text comes from strangers:
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA: Final = ("=", "+", "-", "@")

_OF_THE_MAIL: Final = ("SentAt", "FromEmailAddress", "Subject", "EmailTags")
"""Attributes of a message's own row."""

_CONFIGURATION_SET: Final = "ses:configuration-set"

_BOUNCE_OF: Final[Mapping[str, str]] = {
    Status.PERMANENT_BOUNCE: "PERMANENT",
    Status.TRANSIENT_BOUNCE: "TRANSIENT",
    Status.UNDETERMINED_BOUNCE: "UNDETERMINED",
}
"""The BounceType that a status names."""

_PAGE: Final = 100


def command(
    ctx: typer.Context,
    since: Annotated[
        str, typer.Option("--from", metavar="DAY", help="First day, in UTC: 2026-11-23, today, …")
    ],
    until: Annotated[
        str, typer.Option("--to", metavar="DAY", help="Last day, included.")
    ] = "today",
    status: Statuses = None,
    recipient: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Only this address, however spelled.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write to a new file.")
    ] = None,
    for_excel: Annotated[
        bool, typer.Option("--excel", help="Write the byte order mark that Excel looks for.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Export the recipients of some days, oldest first.

    These are the recipients whose newest event is on one of the days, with sender, subject and
    tags of their mail. The CSV has the last complaint of each, and the bounce that its status
    names, else the last one; --json gives the whole rows. Exit code 1: nothing was found.

    \b
    Examples:
      insights export --from 2026-11-01 --to 2026-11-30 -o november.csv
      insights export --from yesterday --status COMPLAINT --status PERMANENT_BOUNCE --json
    """
    today = now().date()
    days = Days(day(since, today), day(until, today))
    if days.last < days.first:
        raise WrongUsageError(f"{until} comes before {since}.")
    if for_excel and as_json:
        raise WrongUsageError("Use --excel or --json, not both.")
    statuses, deployment = statuses_of(status), deployment_of(ctx)
    found = by_status(deployment, statuses, days, newest_first=False)
    if recipient is not None:
        found = (row for row in found if is_about(row, recipient))
    rows = with_mail(deployment, found)
    with _opened(output) as stream:
        if for_excel:
            stream.write("\ufeff")
        number = write_json(rows, stream) if as_json else write_csv(rows, stream)
    if not number:
        echo_err("Nothing was found.")
        raise typer.Exit(NOTHING)
    echo_err(f"Exported {counted(number, 'recipient')}.")


def with_mail(deployment: Deployment, rows: Iterable[Row]) -> Iterator[Row]:
    """Add to recipients what their message's own row says of the mail."""
    remaining = iter(rows)
    while page := list(islice(remaining, _PAGE)):
        ids = list({str(row["MessageId"]) for row in page})
        mails = deployment.message_rows(ids, ", ".join(_OF_THE_MAIL))
        for row in page:
            yield mails.get(str(row["MessageId"]), {}) | row


def write_csv(rows: Iterable[Row], stream: IO[str]) -> int:
    """Write rows as CSV, with a heading; returns how many."""
    writer = csv.DictWriter(stream, COLUMNS)
    writer.writeheader()
    number = 0
    for number, row in enumerate(rows, start=1):  # noqa: B007 - it is returned
        writer.writerow({name: harmless(value) for name, value in flat(row).items()})
    return number


def write_json(rows: Iterable[Row], stream: IO[str]) -> int:
    """Write rows as one JSON array, a row a line; returns how many."""
    number = 0
    stream.write("[")
    for number, row in enumerate(rows, start=1):
        stream.write("\n" if number == 1 else ",\n")
        stream.write(written(row, indent=None))
    stream.write("\n]\n")
    return number


def flat(row: Row) -> dict[str, Any]:
    """Return the part of a recipient's row that fits into one line."""
    bounces, complaints = _details(row, "Bounce"), _details(row, "Complaint")
    kind = _BOUNCE_OF.get(row.get("Status", ""))
    named = [bounce for bounce in bounces if bounce.get("BounceType") == kind]
    tags = read_tags(row)
    values = {
        "LastEventAt": moment(row),
        **row,
        # A recipient of whom SES shows only that it is listed has no events.
        **({"BounceType": kind} if kind and not bounces else {}),
        **next(iter([*named[-1:], *bounces[-1:]]), {}),
        **next(iter(complaints[-1:]), {}),
        "ConfigurationSet": ", ".join(tags.get(_CONFIGURATION_SET, ())),
        "EmailTags": "; ".join(
            f"{name}={value}" for name, values in shareable(tags).items() for value in values
        ),
    }
    return {name: values[name] for name in COLUMNS if name in values}


def _details(row: Row, kind: str) -> list[Mapping[str, Any]]:
    details = (event.get("Details", {}).get(kind) for event in row.get("Events", []))
    return [each for each in details if each]


def harmless(value: object) -> object:
    """Make text one that steers no terminal, and that a spreadsheet takes for no formula."""
    if not isinstance(value, str):
        return value
    text = clean(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    """Open standard output, or a new file that appears only when it is complete."""
    if output is None:
        yield sys.stdout
        return
    if output.exists():
        raise WrongUsageError(f"{output} exists already; name another file.")
    part = output.with_name(f"{output.name}.part")
    try:
        with open(part, "w", encoding="utf-8", newline="", opener=_private) as stream:
            yield stream
        part.rename(output)
    except OSError as error:
        raise WrongUsageError(f"{output} cannot be written: {error.strerror}.") from error
    finally:
        with suppress(OSError):
            part.unlink()


def _private(path: str, flags: int) -> int:
    """Open a file that only its owner may read: it holds addresses and subjects."""
    return os.open(path, flags, 0o600)
