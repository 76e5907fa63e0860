"""Finding rows by recipient, status and day, in the order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final

from ses_insights.adapters.items import to_item
from ses_insights.cli.deployment import Deployment
from ses_insights.cli.errors import WrongUsageError
from ses_insights.cli.output import clean
from ses_insights.contracts.addresses import spellings
from ses_insights.contracts.names import INDEX_KEYS, Attribute, Index
from ses_insights.contracts.rows import DESTINATION, LISTED, MESSAGE, Row
from ses_insights.domain.status import Status
from ses_insights.domain.times import iso

WITHOUT_RECIPIENT: Final = frozenset({Status.NOT_FOUND, Status.INVALID})
"""Statuses of messages whose recipients SES has not named: no index has them."""

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
    """Return the day that a person has written. Raises `WrongUsageError`."""
    if text == "today":
        return today
    if text == "yesterday":
        return today - timedelta(days=1)
    try:
        found = date.fromisoformat(text)
    except ValueError:
        found = date.max
    if found == date.max:  # its end, too, is no instant that Python can write
        raise WrongUsageError(
            f"{clean(text)} is not a day: write it as {today.isoformat()}, today or yesterday."
        )
    return found


def to_address(
    deployment: Deployment, address: str, statuses: Sequence[Status], days: Days | None
) -> Iterator[Row]:
    """Return the rows of mail to one address, in its likely spellings, newest first."""
    streams = (
        deployment.query(**_query(Index.BY_DESTINATION, each, days, newest_first=True))
        for each in spellings(address)
    )
    rows = heapq.merge(*streams, key=moment, reverse=True)
    return (row for row in rows if not statuses or row.get("Status") in statuses)


def of_message(
    deployment: Deployment, message_id: str, statuses: Sequence[Status], days: Days | None
) -> list[Row]:
    """Return the recipients of one message, newest first; where none is named, the message."""
    found = deployment.rows_of(message_id)
    named = [row for row in found if str(row["Record"]).startswith((DESTINATION, LISTED))]
    rows = named or [row for row in found if row["Record"] == MESSAGE]
    wanted = [
        row
        for row in rows
        if (not statuses or row.get("Status") in statuses)
        and (not days or days.since <= moment(row) <= days.until)
    ]
    return sorted(wanted, key=moment, reverse=True)


def by_status(
    deployment: Deployment, statuses: Sequence[Status], days: Days | None, *, newest_first: bool
) -> Iterator[Row]:
    """Return the recipients with one of these statuses, or with any if none is given, by time."""
    wanted = [each for each in statuses or Status if each not in WITHOUT_RECIPIENT]
    streams: list[Iterable[Row]] = [
        deployment.query(**_query(Index.BY_STATUS, status, days, newest_first=newest_first))
        for status in wanted
    ]
    if others := [each for each in statuses if each in WITHOUT_RECIPIENT]:
        streams.append(_without_recipient(deployment, others, days, newest_first=newest_first))
    return heapq.merge(*streams, key=moment, reverse=newest_first)


def moment(row: Row) -> str:
    """Return the time that a row stands for: its newest event, or the last look at it."""
    return str(row.get("LastEventAt") or row.get("LastLookAt") or row.get("SentAt") or "")


def _query(index: Index, value: str, days: Days | None, *, newest_first: bool) -> dict[str, Any]:
    key, time_key = INDEX_KEYS[index]
    condition, values = "#key = :key", {":key": str(value)}
    if days:
        condition = f"{condition} AND {time_key} BETWEEN :since AND :until"
        values |= {":since": days.since, ":until": days.until}
    return {
        "IndexName": index,
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": {"#key": key},
        "ExpressionAttributeValues": to_item(values),
        "ScanIndexForward": not newest_first,
        "PaginationConfig": {"PageSize": _PAGE},
    }


def _without_recipient(
    deployment: Deployment, statuses: Sequence[Status], days: Days | None, *, newest_first: bool
) -> list[Row]:
    """Return messages without a recipient; reads the whole table."""
    rows = (
        row
        for row in deployment.scan(
            FilterExpression="#record = :message",
            ExpressionAttributeNames={"#record": Attribute.RECORD},
            ExpressionAttributeValues=to_item({":message": MESSAGE}),
        )
        if row["Status"] in statuses and (not days or days.since <= moment(row) <= days.until)
    )
    return sorted(rows, key=moment, reverse=newest_first)
