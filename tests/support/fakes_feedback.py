"""The account's suppression list, and what the table keeps of it, in memory.

`tests/unit/adapters/test_listings.py` and `tests/unit/adapters/test_suppression_list.py` hold them
to the table and to the stand-in.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.suppression import Entry, Page, Progress, Suppressed
from ses_insights.service.ports import RecordChangedError
from tests.support.fakes import START, Clock, FakeRecords, Moments


@dataclass(frozen=True, slots=True)
class Listed:
    """An address on the list."""

    address: str
    suppressed: Suppressed
    shown_from: datetime


@dataclass(slots=True)
class FakeSuppressionList:
    """The list. It shows its entries in the order of their addresses, like SES in none of time."""

    moments: Moments = field(default_factory=Moments)
    clock: Clock = field(default_factory=Clock)
    page_size: int = 1000
    listed: dict[str, Listed] = field(default_factory=dict)
    off: frozenset[Feedback] = frozenset()
    failure: Exception | None = None
    """What each call raises."""
    gone: set[str] = field(default_factory=set)
    """Addresses that are listed no more when they are looked up."""
    looked_up: list[str] = field(default_factory=list)
    pages: list[tuple[datetime, datetime | None, str | None]] = field(default_factory=list)
    """What was asked for."""
    asked: int = 0
    """How often the account was asked."""
    before_page: Callable[[int], None] = lambda _: None
    """What somebody else does before a page of this number is read."""

    def add(  # noqa: PLR0913 - keyword-only facts of an entry
        self,
        address: str,
        message_id: str | None,
        *,
        reason: Feedback | None = Feedback.BOUNCE,
        ago: timedelta = timedelta(minutes=5),
        at: datetime | None = None,
        lag: timedelta = timedelta(0),
    ) -> None:
        """List an address, shown after a lag."""
        moment = at or START - ago
        suppressed = Suppressed(message_id, reason, moment)
        self.listed[address] = Listed(address, suppressed, moment + lag)

    def page(self, *, since: datetime, until: datetime | None, token: str | None) -> Page:
        """A page of what is listed."""
        self.before_page(len(self.pages))
        self._call("page")
        self.pages.append((since, until, token))
        found = sorted(
            address
            for address, listed in self.listed.items()
            if listed.suppressed.listed_at >= since
            and listed.shown_from <= self.clock.now()
            and (until is None or listed.suppressed.listed_at <= until)
            and (token is None or address > token)
        )
        shown = found[: self.page_size]
        entries = tuple(Entry(each, self.listed[each].suppressed.listed_at) for each in shown)
        return Page(entries, shown[-1] if len(found) > self.page_size else None)

    def look_up(self, address: str) -> Suppressed | None:
        """Why an address is listed."""
        self._call("look up")
        self.looked_up.append(address)
        listed = self.listed.get(address)
        return listed.suppressed if listed and address not in self.gone else None

    def reasons_off(self) -> AbstractSet[Feedback]:
        """For what the list is off."""
        self.asked += 1
        if self.failure:
            raise self.failure
        return self.off

    def _call(self, what: str) -> None:
        """Take a second, as every call does, and fail where it is to."""
        self.moments.reach(what)
        self.clock.advance(1.0)
        if self.failure:
            raise self.failure
        self.moments.reach(f"{what}: answered")


def throttled() -> SystemFailure:
    """What a call raises that SES throttles."""
    return SystemFailure(FailureKind.SES_THROTTLED, "ListSuppressedDestinations: 429")


@dataclass(slots=True)
class FakeListings:
    """What the table keeps: listings beside their messages, and how far the list is read."""

    moments: Moments
    records: FakeRecords
    stored: Progress | None = None

    def progress(self) -> Progress | None:
        """How far the list is read."""
        return self.stored

    def save_progress(self, progress: Progress) -> int:
        """Store it over the version that was read."""
        self.moments.reach("save progress")
        if (self.stored.version if self.stored else 0) != progress.version:
            raise RecordChangedError
        self.stored = replace(progress, version=progress.version + 1)
        self.moments.reach("progress saved")
        return self.stored.version

    def put(self, message_id: str, listing: Listing) -> bool:
        """Store a listing beside its message."""
        self.moments.reach("put")
        record = self.records.records.get(message_id)
        if record is not None and record.erased_at is not None:
            return False
        listed = self.records.listed.setdefault(message_id, {})
        stored = listed.get(listing.address)
        if stored is None or stored.listed_at < listing.listed_at:
            listed[listing.address] = listing
        self.moments.reach("has put")
        return True
