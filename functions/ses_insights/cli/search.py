"""Finding rows by recipient, status and day, in the order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, Final

from ses_insights.cli.deployment import Deployment
from ses_insights.cli.errors import WrongUsageError
from ses_insights.contracts.rows import MESSAGE, Row
from ses_insights.domain.status import Status
from ses_insights.domain.times import iso
from ses_insights.service.erase import addresses

UNTOLD: Final = frozenset({Status.NOT_FOUND, Status.INVALID})
"""Statuses of messages of which SES has told no recipient: no index has them."""

_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days in UTC, both included."""

    first: date
    last: date

    @property
    def since(self) -> str:
        """The first instant, as the table writes it."""
        return iso(datetime.combine(self.first, time(), UTC))

    @property
    def until(self) -> str:
        """The last instant, as the table writes it."""
        return iso(datetime.combine(self.last, time.max, UTC))


def day(text: str, today: date) -> date:
    """Read a day as a person writes it. Raises `WrongUsageError`."""
    if text == "today":
        return today
    if text == "yesterday":
        return today - timedelta(days=1)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise WrongUsageError(
            f"{text} is no day: write it as {today.isoformat()}, today or yesterday."
        ) from None


def to_address(
    service: Deployment, address: str, statuses: Sequence[Status], days: Days | None
) -> Iterator[Row]:
    """Read what became of the mail to one address in its likely spellings, newest first."""
    streams = (
        service.query(**_query("ByDestination", "Destination", each, days, newest_first=True))
        for each in addresses(address)
    )
    rows = heapq.merge(*streams, key=moment, reverse=True)
    return (row for row in rows if not statuses or row["Status"] in statuses)


def by_status(
    service: Deployment, statuses: Sequence[Status], days: Days | None, *, newest_first: bool
) -> Iterator[Row]:
    """Read the recipients with one of these statuses, all of them for none, in order of time."""
    wanted = [each for each in statuses or Status if each not in UNTOLD]
    streams: list[Iterable[Row]] = [
        service.query(**_query("ByStatus", "Status", status, days, newest_first=newest_first))
        for status in wanted
    ]
    if untold := [each for each in statuses if each in UNTOLD]:
        streams.append(_untold(service, untold, days, newest_first=newest_first))
    return heapq.merge(*streams, key=moment, reverse=newest_first)


def moment(row: Row) -> str:
    """Tell for when a row stands: its newest event, or the last look at it."""
    return str(row.get("LastEventAt") or row.get("LastLookAt") or row.get("SentAt") or "")


def newest(rows: Iterator[Row], limit: int) -> list[Row]:
    """Take so many."""
    return list(islice(rows, limit))


def _query(
    index: str, key: str, value: str, days: Days | None, *, newest_first: bool
) -> dict[str, Any]:
    condition, values = "#key = :key", {":key": {"S": str(value)}}
    if days:
        condition = f"{condition} AND LastEventAt BETWEEN :since AND :until"
        values |= {":since": {"S": days.since}, ":until": {"S": days.until}}
    return {
        "IndexName": index,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": {"#key": key},
        "ExpressionAttributeValues": values,
        "ScanIndexForward": not newest_first,
        "PaginationConfig": {"PageSize": _PAGE},
    }


def _untold(
    service: Deployment, statuses: Sequence[Status], days: Days | None, *, newest_first: bool
) -> list[Row]:
    """Read the whole table for messages without a recipient."""
    rows = (
        row
        for row in service.scan(
            FilterExpression="#record = :message",
            ExpressionAttributeNames={"#record": "Record"},
            ExpressionAttributeValues={":message": {"S": MESSAGE}},
        )
        if row["Status"] in statuses and (not days or days.since <= moment(row) <= days.until)
    )
    return sorted(rows, key=moment, reverse=newest_first)
