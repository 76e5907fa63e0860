"""`insights alerts`: what was alerted, by time, type, reason, severity, sender domain and tag."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from itertools import islice
from typing import IO, Annotated, Any, Final

import typer
from rich.text import Text

from ses_insights.cli.commands.export import harmless
from ses_insights.cli.deployment import Deployment, now
from ses_insights.cli.errors import NOTHING, WrongUsageError
from ses_insights.cli.options import Day, Json, Limit, deployment_of
from ses_insights.cli.output import (
    Cell,
    clean,
    coloured,
    echo,
    echo_err,
    echo_json,
    table,
    time_of,
)
from ses_insights.cli.search import day
from ses_insights.contracts.names import Index
from ses_insights.contracts.rows import Row, read_alert, read_tags
from ses_insights.contracts.summary_message import SUMMARY
from ses_insights.domain.alert import AlertType
from ses_insights.domain.reasons import Reason, Severity
from ses_insights.domain.times import instant, iso

TYPES: Final = (*map(str, AlertType), SUMMARY)

COLUMNS: Final = (
    *("DetectedAt", "AlertType", "Severity", "Reason", "Action", "Confidence", "Destination"),
    *("Isp", "FromDomain", "Count", "MessageId", "AlertId", "PublishedAt", "Cause", "NextStep"),
)

_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """Which alerts somebody wants to see."""

    since: str
    until: str
    types: Sequence[str]
    reasons: Sequence[str]
    severities: Sequence[str]
    from_domain: str | None
    tag: tuple[str, str] | None

    def holds(self, row: Row) -> bool:
        """Whether a row of the period, with its reason, is one of them."""
        return (
            (not self.reasons or row["Reason"] in self.reasons)
            and (not self.severities or row["Severity"] in self.severities)
            and (not self.from_domain or row.get("FromDomain") == self.from_domain)
            and (not self.tag or self.tag[1] in read_tags(row).get(self.tag[0], ()))
        )


def command(
    ctx: typer.Context,
    on: Day = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="A day or an instant, in UTC.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Before it; a day is included.")
    ] = None,
    types: Annotated[
        list[str] | None, typer.Option("--type", metavar="TYPE", help=", ".join(TYPES))
    ] = None,
    reasons: Annotated[
        list[Reason] | None, typer.Option("--reason", metavar="REASON", help="See docs/alerts.md.")
    ] = None,
    severities: Annotated[
        list[Severity] | None,
        typer.Option("--severity", metavar="SEVERITY", help=", ".join(Severity)),
    ] = None,
    from_domain: Annotated[
        str | None, typer.Option("--from-domain", metavar="DOMAIN", help="Of the sender.")
    ] = None,
    tag: Annotated[
        str | None, typer.Option("--tag", metavar="NAME=VALUE", help="Of the mail.")
    ] = None,
    limit: Limit = 50,
    as_csv: Annotated[bool, typer.Option("--csv", help="Write CSV.")] = False,
    as_json: Json = False,
) -> None:
    """List alerts and summaries, the newest first.

    Without a time those of the last seven days. With --json: the rows as they are in the table.
    Exit code 1: nothing was found.

    \b
    Examples:
      insights alerts --day today
      insights alerts --severity high --severity critical --from-domain shop.example
      insights alerts --since 2026-11-01 --type BOUNCE --reason address-unknown --csv
      insights alerts --tag campaign=spring
    """
    if as_csv and as_json:
        raise WrongUsageError("Use --csv or --json, not both.")
    asked = Asked(
        *period(on, since, until, now()),
        types=[type_of(each) for each in types or TYPES],
        reasons=list(reasons or ()),
        severities=list(severities or ()),
        from_domain=from_domain.lower() if from_domain else None,
        tag=tag_of(tag),
    )
    rows = list(islice(find(deployment_of(ctx), asked), limit))
    if as_json:
        echo_json(rows)
    elif as_csv:
        write_csv(rows, sys.stdout)
    else:
        for line in lines(rows):
            echo(line)
    if not rows:
        echo_err("Nothing was found.")
        raise typer.Exit(NOTHING)
    if len(rows) == limit:
        echo_err(f"The newest {limit}; --limit shows more.")


def find(deployment: Deployment, asked: Asked) -> Iterator[Row]:
    """Read alerts, the newest first."""
    streams = (deployment.query(**_query(each, asked)) for each in asked.types)
    rows = merge(*streams, key=lambda row: str(row["DetectedAt"]), reverse=True)
    explained = map(with_reason, rows)
    return (row for row in explained if row["DetectedAt"] < asked.until and asked.holds(row))


def with_reason(row: Row) -> Row:
    """Add the reason to an alert that was stored before rows had one."""
    if "Reason" in row:
        return row
    explanation = read_alert(row).explanation
    return row | {
        "Reason": str(explanation.reason),
        "Action": str(explanation.action),
        "Confidence": str(explanation.confidence),
    }


def lines(rows: Sequence[Row]) -> list[Text]:
    """Write rows for a person."""
    head = ("Detected", "Severity", "What", "Reason", "Action", "To", "Message")
    return table(head, map(_cells, rows))


def _cells(row: Row) -> list[Cell]:
    if row["AlertType"] == SUMMARY:
        what = f"{row['Count']} x {row['Of']}"
        whom, message = f"from {row.get('FromDomain', 'an unknown sender')}", "a summary"
    else:
        what, whom, message = row["AlertType"], row.get("Destination", ""), row["MessageId"]
    return [
        time_of(row["DetectedAt"]),
        coloured(row["Severity"]),
        clean(what),
        clean(row["Reason"]),
        clean(row["Action"]),
        clean(whom),
        clean(message),
    ]


def write_csv(rows: Iterable[Row], stream: IO[str]) -> None:
    """Write rows as CSV, with a heading."""
    writer = csv.DictWriter(stream, COLUMNS)
    writer.writeheader()
    for row in rows:
        flat: Mapping[str, Any] = row | {"AlertId": str(row["Record"]).partition("#")[2]}
        writer.writerow({name: harmless(flat[name]) for name in COLUMNS if name in flat})


def _query(alert_type: str, asked: Asked) -> dict[str, Any]:
    return {
        "IndexName": str(Index.BY_ALERT),
        "KeyConditionExpression": "AlertType = :type AND DetectedAt BETWEEN :since AND :until",
        "ExpressionAttributeValues": {
            ":type": {"S": alert_type},
            ":since": {"S": asked.since},
            ":until": {"S": asked.until},
        },
        "ScanIndexForward": False,
        "PaginationConfig": {"PageSize": _PAGE},
    }


def period(
    on: str | None, since: str | None, until: str | None, current: datetime
) -> tuple[str, str]:
    """Read a period; its end is not included. Raises `WrongUsageError`."""
    today = current.date()
    if on:
        if since or until:
            raise WrongUsageError("Use --day alone, or --since and --until.")
        asked = day(on, today)
        return _begin(asked), _begin(asked + timedelta(days=1))
    begin = _moment(since, today) if since else _begin(today - timedelta(days=6))
    end = _moment(until, today, is_end=True) if until else iso(current + timedelta(minutes=1))
    if end <= begin:
        raise WrongUsageError(f"{until or 'now'} does not come after {since}.")
    return begin, end


def _moment(text: str, today: date, *, is_end: bool = False) -> str:
    """Read a day or an instant; the end of a day is where the next one begins."""
    if "T" in text:
        try:
            return iso(instant(text))
        except (ValueError, OverflowError):
            raise WrongUsageError(
                f"{clean(text)} is no instant: write it like 2026-11-23T10:00:00Z."
            ) from None
    asked = day(text, today)
    return _begin(asked + timedelta(days=1) if is_end else asked)


def _begin(of: date) -> str:
    return iso(datetime.combine(of, time(), UTC))


def type_of(text: str) -> str:
    """Read a type of alert. Raises `WrongUsageError`."""
    found = text.upper().replace("-", "_")
    if found not in TYPES:
        raise WrongUsageError(f"{text} is no type of alert: use {', '.join(TYPES)}.")
    return found


def tag_of(text: str | None) -> tuple[str, str] | None:
    """Read a tag. Raises `WrongUsageError`."""
    if text is None:
        return None
    name, equals, value = text.partition("=")
    if not equals:
        raise WrongUsageError(f"{text} is no tag: write it as NAME=VALUE.")
    return name, value
