"""How far the account's suppression list is read, and what of it is new. Pure.

The list is read again and again from a moment on. It is eventually consistent, in no order that SES
documents, and changes while it is read. So everything from `Progress.read_to` on is read each time,
what is done is left out, and `read_to` moves only over what is done and can show nothing more
(decision record 19).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from ses_insights.domain.due import is_held
from ses_insights.domain.listing import Feedback
from ses_insights.domain.times import iso

SETTLED_AFTER: Final = timedelta(minutes=2)
"""An address is shown so long after it was listed at the latest. Seconds are usual."""

FIRST_READS: Final = timedelta(hours=1)
"""How far back the first run begins."""

MOST_THROTTLED: Final = 3
"""Runs in a row that SES may throttle before that is a failure of the system."""

_DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Entry:
    """An address as the list shows it."""

    address: str
    listed_at: datetime

    @property
    def key(self) -> str:
        """Names it without its address; sorts by time."""
        what = json.dumps([self.address, iso(self.listed_at)])
        return f"{iso(self.listed_at)} {hashlib.sha256(what.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries of the list."""

    entries: tuple[Entry, ...]
    next_token: str | None
    """None at the last page."""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What the list says of one address."""

    message_id: str | None
    """The mail because of which it is listed; None where somebody listed it by hand."""
    reason: Feedback | None
    """None where SES gives a reason that is not known here."""
    listed_at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the list is read: what one run leaves for the next."""

    read_to: datetime
    """Everything that was listed before is done."""
    seen: frozenset[str] = frozenset()
    """Keys of what is done and was listed later."""
    version: int = 0
    """What a writer must have read; 0 where nothing is stored."""
    held_until: datetime | None = None
    """Until when one run alone reads."""
    throttled_runs: int = 0
    """Runs in a row that SES has throttled."""
    by_hour: Mapping[str, int] = field(default_factory=dict)
    """How many messages were put into the queue, by the hour."""

    @classmethod
    def first(cls, now: datetime) -> Progress:
        """Return where the first run begins."""
        return cls(now - FIRST_READS)

    def is_held(self, now: datetime) -> bool:
        """Whether another run reads."""
        return is_held(self.held_until, now)

    def new_in(self, entries: Iterable[Entry]) -> list[Entry]:
        """Select the entries that are not done, the oldest first."""
        found = {entry.key: entry for entry in entries if entry.listed_at >= self.read_to}
        return [found[key] for key in sorted(found.keys() - self.seen)]

    def after(
        self, new: Sequence[Entry], done: int, *, listed_at: datetime, until: datetime
    ) -> Progress:
        """Return the progress when the first so many of the new entries are done.

        ``listed_at`` is when the reading of the list began, and ``until`` the moment up to which it
        was read.
        """
        # What was listed shortly before the reading may not have been shown.
        edge = min(until, listed_at - SETTLED_AFTER)
        if done < len(new):
            edge = min(edge, new[done].listed_at)
        read_to = max(self.read_to, edge)
        seen = self.seen.union(entry.key for entry in new[:done])
        return replace(
            self,
            read_to=read_to,
            seen=frozenset(key for key in seen if key >= iso(read_to)),
        )

    def counted(self, number: int, now: datetime) -> Progress:
        """Count messages that were put into the queue; what is a day old is left out."""
        past = _hour_of(now - _DAY)
        by_hour = {hour: count for hour, count in self.by_hour.items() if hour > past}
        if number:
            by_hour[_hour_of(now)] = by_hour.get(_hour_of(now), 0) + number
        return replace(self, by_hour=by_hour)

    def in_a_day(self, now: datetime) -> int:
        """Return how many messages the last 24 hours brought."""
        past = _hour_of(now - _DAY)
        return sum(count for hour, count in self.by_hour.items() if hour > past)


def _hour_of(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")
