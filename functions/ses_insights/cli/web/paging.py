"""Pages of rows from partitions of an index, newest first, with a place to go on from.

The place is kept in the page's own address: for each partition the key of the last row that was
passed. So a page costs the calls for its own rows, however far down the list it is.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ses_insights.adapters.items import from_item, to_item
from ses_insights.cli.deployment import Deployment
from ses_insights.cli.errors import WrongUsageError
from ses_insights.cli.web.reading import together
from ses_insights.contracts.names import INDEX_KEYS, TABLE_KEYS, Index
from ses_insights.contracts.rows import Row

ROWS: Final = 50
"""Rows of a page."""

CALLS: Final = 12
"""Queries of a page at most: a rare thing among many rows is looked for on the next page."""

_SIFTED: Final = 250
"""Rows of a query of which only some are listed."""

_LONGEST: Final = 8_000
"""Characters of a place."""

Period = tuple[str, str]
"""The first and the last instant, both included, as the table writes them."""
Place = Mapping[str, Sequence[str]]
"""For a partition the index's time, the message id and the record of the last row passed."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and where the next ones begin."""

    rows: Sequence[Row]
    following: str | None
    """None where there are no more."""
    reached: str | None
    """The time of the last row that was read; rows may have been passed over."""


@dataclass(slots=True)
class Calls:
    """Counts the queries of a page."""

    left: int = CALLS

    def take(self) -> bool:
        """Whether one more may be made."""
        self.left -= 1
        return self.left >= 0


@dataclass(frozen=True, slots=True)
class Listing:
    """What is listed: the partitions of an index, in a time, and which of their rows."""

    index: Index
    partitions: Sequence[str]
    period: Period | None = None
    holds: Callable[[Row], bool] | None = None
    """None where every row is listed."""

    def page(
        self, deployment: Deployment, place: str | None, *, rows: int = ROWS, calls: int = CALLS
    ) -> Page:
        """Read a page. Raises `WrongUsageError` for a place that is none, and what boto3 raises."""
        passed = dict(_read_place(place, self.partitions)) if place else {}
        # The newest row of all cannot be found without the newest one of each partition.
        budget = Calls(max(calls, len(self.partitions)))
        streams = {
            each: _Stream(self, each, deployment, passed.get(each), budget, rows)
            for each in self.partitions
        }
        together(**{each: stream.fetch for each, stream in streams.items() if budget.take()})
        time_key = INDEX_KEYS[self.index][1]
        found: list[Row] = []
        reached: str | None = None
        while len(found) < rows:
            heads = {each: stream.head() for each, stream in streams.items()}
            if any(stream.is_stopped for stream in streams.values()):
                return Page(found, _write_place(passed), reached)
            live = {each: head for each, head in heads.items() if head is not None}
            if not live:
                return Page(found, None, reached)
            newest = max(live, key=lambda each: str(live[each][time_key]))
            row = streams[newest].pop()
            reached = str(row[time_key])
            passed[newest] = (reached, str(row["MessageId"]), str(row["Record"]))
            if self.holds is None or self.holds(row):
                found.append(row)
        has_more = any(stream.has_more for stream in streams.values())
        return Page(found, _write_place(passed) if has_more else None, reached)

    def all(self, deployment: Deployment) -> Iterator[Row]:
        """Read everything, page by page."""
        place: str | None = None
        while True:
            page = self.page(deployment, place, rows=_BIG, calls=_BIG)
            yield from page.rows
            place = page.following
            if place is None:
                return


_BIG: Final = 500


class _Stream:
    """The rows of one partition, read when they are needed."""

    def __init__(
        self,
        listing: Listing,
        partition: str,
        deployment: Deployment,
        passed: Sequence[str] | None,
        budget: Calls,
        rows: int,
    ) -> None:
        self.is_stopped = False
        self._request = _query(listing, partition, rows)
        self._request["TableName"] = deployment.table_name
        self._deployment = deployment
        self._budget = budget
        self._rows: list[Row] = []
        self._next: dict[str, Any] | None = {}
        if passed:
            names = map(str, (*INDEX_KEYS[listing.index][::-1], *TABLE_KEYS))
            key = dict(zip(names, (passed[0], partition, *passed[1:]), strict=True))
            self._next = {"ExclusiveStartKey": to_item(key)}

    def head(self) -> Row | None:
        """Return the next row; None where there is none, or where no call is left to read it."""
        while not self._rows and self._next is not None:
            if not self._budget.take():
                self.is_stopped = True
                return None
            self.fetch()
        return self._rows[0] if self._rows else None

    def fetch(self) -> None:
        """Read the next rows; there must be a place to go on from."""
        page = self._deployment.dynamodb.query(**self._request | (self._next or {}))
        self._rows = [from_item(item) for item in page["Items"]]
        last = page.get("LastEvaluatedKey")
        self._next = {"ExclusiveStartKey": last} if last else None

    @property
    def has_more(self) -> bool:
        """Whether there are more rows, as far as no call tells otherwise."""
        return bool(self._rows) or self._next is not None

    def pop(self) -> Row:
        """Take the next row; there must be one."""
        return self._rows.pop(0)


def _query(listing: Listing, partition: str, rows: int) -> dict[str, Any]:
    key, time_key = INDEX_KEYS[listing.index]
    condition, values = "#key = :key", {":key": partition}
    if listing.period:
        condition = f"{condition} AND {time_key} BETWEEN :since AND :until"
        values |= {":since": listing.period[0], ":until": listing.period[1]}
    return {
        "IndexName": str(listing.index),
        "KeyConditionExpression": condition,
        "ExpressionAttributeNames": {"#key": str(key)},
        "ExpressionAttributeValues": to_item(values),
        "ScanIndexForward": False,
        # One more than is shown tells whether there are more.
        "Limit": rows + 1 if listing.holds is None else max(rows, _SIFTED),
    }


def _write_place(passed: Place) -> str:
    text = json.dumps({each: list(key) for each, key in passed.items()}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_place(text: str, partitions: Sequence[str]) -> Iterator[tuple[str, Sequence[str]]]:
    wrong = WrongUsageError("This address is incomplete: go back to the first page of the list.")
    if len(text) > _LONGEST:
        raise wrong
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        raise wrong from None
    if not isinstance(found, dict):
        raise wrong
    for partition, key in found.items():
        texts = isinstance(key, list) and [each for each in key if isinstance(each, str) and each]
        if partition not in partitions or not texts or [len(texts), len(key)] != [3, 3]:
            raise wrong
        yield partition, texts
