"""`insights export`: the recipients of some days, for a spreadsheet or a program."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any, Final

import typer

from ses_insights.cli.deployment import now
from ses_insights.cli.errors import NOTHING, WrongUsageError
from ses_insights.cli.options import Json, Stack, Statuses, deployment_of
from ses_insights.cli.output import as_json as written
from ses_insights.cli.output import counted, echo_err
from ses_insights.cli.search import Days, by_status, day, moment
from ses_insights.contracts.names import DEFAULT_STACK_NAME
from ses_insights.contracts.rows import Row

COLUMNS: Final = (
    *("MessageId", "Destination", "Status", "LastEventAt", "Isp", "OpenCount", "ClickCount"),
    *("BounceType", "BounceSubType", "DiagnosticCode"),
    *("ComplaintSubType", "ComplaintFeedbackType"),
)

# With these a spreadsheet begins a formula, and much of this text comes from strangers:
# https://owasp.org/www-community/attacks/CSV_Injection
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def command(
    ctx: typer.Context,
    since: Annotated[
        str, typer.Option("--from", metavar="DAY", help="First day, in UTC: 2026-11-23, today, …")
    ],
    until: Annotated[
        str, typer.Option("--to", metavar="DAY", help="Last day, included.")
    ] = "today",
    status: Statuses = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PATH", help="Write to a new file.")
    ] = None,
    stack: Stack = DEFAULT_STACK_NAME,
    as_json: Json = False,
) -> None:
    """Export the recipients of some days, oldest first.

    These are the recipients whose newest event is on one of the days. The CSV has the last bounce
    and the last complaint of each; --json gives the whole rows. Exit code 1: nothing was found.

    \b
    Examples:
      insights export --from 2026-11-01 --to 2026-11-30 -o november.csv
      insights export --from yesterday --status COMPLAINT --status PERMANENT_BOUNCE --json
    """
    today = now().date()
    days = Days(day(since, today), day(until, today))
    if days.last < days.first:
        raise WrongUsageError(f"{until} comes before {since}.")
    rows = by_status(deployment_of(ctx, stack), list(status or ()), days, newest_first=False)
    with _opened(output) as stream:
        number = write_json(rows, stream) if as_json else write_csv(rows, stream)
    if not number:
        echo_err("Nothing was found.")
        raise typer.Exit(NOTHING)
    echo_err(f"Exported {counted(number, 'recipient')}.")


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
    bounce, complaint = _last(row, "Bounce"), _last(row, "Complaint")
    values = {"LastEventAt": moment(row), **row, **bounce, **complaint}
    return {name: values[name] for name in COLUMNS if name in values}


def _last(row: Row, kind: str) -> Mapping[str, Any]:
    details = [event.get("Details", {}).get(kind) for event in row.get("Events", [])]
    return next((each for each in reversed(details) if each), {})


def harmless(value: object) -> object:
    """Keep a spreadsheet from taking text for a formula."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


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
        with part.open("w", encoding="utf-8", newline="") as stream:
            yield stream
        part.rename(output)
    except OSError as error:
        raise WrongUsageError(f"{output} cannot be written: {error.strerror}.") from error
    finally:
        part.unlink(missing_ok=True)
