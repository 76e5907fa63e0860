"""What is given up while there is more mail than looks (decision record 18).

One number says how scarce looks are: how late the oldest essential look is. The rule:

1. The essential look goes first, then the first look at a fresh id, then every other rung, then
   what came in bulk (`domain.lanes`; `free_looks` keeps room for fresh ids).
2. While the oldest essential look is late, some fresh ids get no first look (`has_first_look`).
   They are postponed: their first look is the essential one.
3. A look that is a day late is given up: the message goes on to its next rung, or ends (`decide`).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ses_insights.domain.due import DueRow, QueueDepth
from ses_insights.domain.lanes import Lane
from ses_insights.domain.schedule import Ladder, Next
from ses_insights.domain.times import instant, iso

ESSENTIAL_BY: Final = timedelta(days=3)
"""The last rung up to this age finds nearly every bounce and complaint."""

LATE: Final = timedelta(hours=4)
"""While the oldest essential look is less late than this, every fresh id gets its first look."""

TOO_LATE: Final = timedelta(hours=16)
"""From here on no fresh id gets one; in between the share falls evenly."""

GIVEN_UP_AFTER: Final = timedelta(days=1)
"""A look that is so late is given up."""

LONGEST_WAIT: Final = timedelta(hours=1)
"""Beyond the queue's delay. A fresh id that a burst held up for longer is postponed, so that those
behind it come soon."""

NOT_YET_LOOKED: Final = (
    "Not looked at yet: there is more mail than looks, one a second. Its first look was moved to a "
    "later age."
)

SHED_REST: Final = (
    "No more looks: there is more mail than looks, one a second, and the later ones were given up. "
    "A bounce or complaint that comes after the last look is not seen."
)

SHED_ALL: Final = (
    "Never looked at: there is more mail than looks, one a second, and not enough for every "
    "message. What became of it is not known. To have it looked at all the same, enqueue it again "
    'with "force": true.'
)


# 1. What goes first


def essential_rung(ladder: Ladder) -> timedelta:
    """Return the rung that goes first: the last one up to three days, or else the first one."""
    return max((rung for rung in ladder.rungs if rung <= ESSENTIAL_BY), default=ladder.rungs[0])


def lane_of(ladder: Ladder, age: timedelta | None) -> Lane:
    """Return the lane in which a look at this age waits."""
    return Lane.ESSENTIAL if age == essential_rung(ladder) else Lane.FOLLOW_UP


# 2. Fresh ids


def first_looks(late: timedelta) -> float:
    """Return the share of fresh ids that get their first look.

    ``late`` is how late the oldest essential look is.
    """
    return min(1.0, max(0.0, (TOO_LATE - late) / (TOO_LATE - LATE)))


def has_first_look(message_id: str, late: timedelta) -> bool:
    """Whether a fresh id is among those that get their first look.

    Its id decides, so a message that comes a second time is judged as the first time.
    """
    return zlib.crc32(message_id.encode()) / 2**32 < first_looks(late)


def postponed_look(ladder: Ladder, sent_at: datetime) -> Next:
    """Return what follows where a fresh id gets no first look: the essential one."""
    essential = essential_rung(ladder)
    before = ladder.rungs.index(essential)
    return Next(at=sent_at + essential, note=NOT_YET_LOOKED, shed=before)


# 3. Due looks


@dataclass(frozen=True, slots=True)
class Proceed:
    """Take the look."""


@dataclass(frozen=True, slots=True)
class Reschedule:
    """Look later."""

    at: str
    lane: Lane
    shed: int
    """How many looks are given up."""
    note: str | None


@dataclass(frozen=True, slots=True)
class Drop:
    """Do not look any more."""

    reason: str
    shed: int
    """How many looks are given up."""


Decision = Proceed | Reschedule | Drop


def decide(row: DueRow, lane: Lane, *, ladder: Ladder, now: datetime) -> Decision:
    """Decide whether a due look is taken, or given up because it is too late.

    The essential look is never passed over: a message that waited for a rung before it goes on to
    it, also where its time has come already. Never given up is what came in bulk: it waits; what
    SES has listed: there is something to find; and what stepped aside: it was begun.
    """
    if row.sent_at is None or row.next_look_at is None or lane in {Lane.LISTED, Lane.BULK}:
        return Proceed()
    if now - instant(row.next_look_at) < GIVEN_UP_AFTER:
        return Proceed()
    rungs, times = ladder.rungs, [iso(row.sent_at + rung) for rung in ladder.rungs]
    # A claim that was lost made the time later; then the rung is the last one before that time.
    passed = sum(time <= row.next_look_at for time in times)
    following = sum(rung <= now - row.sent_at for rung in rungs)
    if passed <= (essential := rungs.index(essential_rung(ladder))):
        following = min(following, essential)
    shed = following - max(0, passed - 1)
    if following == len(rungs):
        return Drop(SHED_REST if row.looks else SHED_ALL, shed)
    note = None if row.looks else NOT_YET_LOOKED
    return Reschedule(times[following], lane_of(ladder, rungs[following]), shed, note)


# 4. Room in the queue


def free_looks(  # noqa: PLR0913 - keyword-only facts of one moment
    depth: QueueDepth,
    *,
    delay: float,
    period: float,
    interval: float,
    follow_ups: int | None,
    first_looks: float,
) -> int:
    """Return how many looks a run may add to the queue.

    What is added becomes visible after the queue's ``delay`` and is served until the next run's
    becomes visible, ``interval`` later. Everything in the queue, it included, is served by then at
    one look a ``period``. A run adds at most what is served until the next run, so that what
    becomes visible is spread. All times are seconds.

    Under overload most of the queue is fresh ids whose first look is postponed, and these take no
    slot: their invocations run beside the pace. So of the delayed messages only ``follow_ups``
    count in full, and of the others the share ``first_looks``. What is visible is taken to be made
    up alike. Where ``follow_ups`` is None, every message counts in full.
    """
    share = 1.0
    if follow_ups is not None and depth.delayed:
        sure = min(follow_ups, depth.delayed) / depth.delayed
        share = sure + (1 - sure) * first_looks
    ahead = share * (depth.visible + depth.delayed) + depth.in_flight
    # With a long period and a short delay nothing would ever be served by then: one always is.
    room = int(max((delay + interval) / period, 1.0) - ahead)
    in_a_run = max(1, int(interval / period))
    return max(0, min(room, in_a_run))
