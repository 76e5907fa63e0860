"""What waits for its time: rows of the index, claims of a run, and the queue's depth. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ses_insights.domain.times import instant, instant_or_none, iso

MOST_COUNTED: Final = 10_000
"""How many rows of a lane are counted at most: a count reads all it counts."""

HELD_FOR: Final = timedelta(minutes=1)
"""How long a run of `followups` lasts at most: so long it keeps others from what it has in hand."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the sparse index: its key and the time for which it waits."""

    message_id: str
    record: str
    next_look_at: str


@dataclass(frozen=True, slots=True)
class DueRow:
    """What the message's own row says about its looks."""

    message_id: str
    looks: int
    next_look_at: str | None
    sent_at: datetime | None
    """None where the row does not say it, or not as an instant."""

    @classmethod
    def of(cls, row: Mapping[str, object]) -> DueRow:
        """Read a row; what was changed by hand into anything else counts as missing."""
        looks = row.get("Looks")
        next_look_at, sent_at = row.get("NextLookAt"), row.get("SentAt")
        return cls(
            message_id=str(row["MessageId"]),
            looks=int(str(looks)) if str(looks).isdecimal() else 0,
            next_look_at=next_look_at if isinstance(next_look_at, str) else None,
            sent_at=instant_or_none(sent_at) if isinstance(sent_at, str) else None,
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """A due look that belongs to this run."""

    row: Waiting
    look: int
    """Its number."""


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """How many messages a queue holds; SQS calls each of these approximate."""

    visible: int
    """Those that can be received."""
    delayed: int
    """Those that cannot be received yet."""
    in_flight: int
    """Those that are received and not deleted."""


def is_held(until: datetime | None, now: datetime) -> bool:
    """Whether a run has something in hand, which is until that moment at most."""
    # Twice the time: who asks read the clock before the hold, and a run may have begun in between.
    # Beyond that a clock was wrong, and must not keep everybody out for long.
    return until is not None and now < until <= now + 2 * HELD_FOR


def late_by(oldest: Waiting | None, now: datetime) -> timedelta:
    """Return how late the oldest row of a lane is; nothing where none is due.

    What was changed by hand into no time of this service does not count; `followups` repairs it.
    """
    if oldest is None or not is_time(oldest.next_look_at):
        return timedelta(0)
    return max(timedelta(0), now - instant(oldest.next_look_at))


def is_time(text: str) -> bool:
    """Whether a row's time is an instant as this service writes it."""
    moment = instant_or_none(text)
    return moment is not None and iso(moment) == text
