"""What is given up while there is more mail than looks (decision records 9 and 10).

The rule, in the order in which a message meets it:

1. `looks_per_message`: how many looks each message can have at the load of the last day.
2. `remaining`: the rungs of the ladder that a message keeps, chosen by their worth.
3. `postponed_look`: a fresh message is looked at now, or its first look is postponed.
4. `decide`: a look that is due is taken, rescheduled or dropped.
5. `free_looks`: how many due looks may join the queue without delaying fresh messages.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from ses_insights.domain.due import DueRow, QueueDepth
from ses_insights.domain.lanes import Lane
from ses_insights.domain.schedule import SHED_REST, Ladder, Next
from ses_insights.domain.times import instant, iso

WINDOW: Final = timedelta(hours=24)
"""A whole day, so that day and night make no difference."""

RESERVE: Final = 0.03
"""Share of the slots left for bulk, for what arrives twice, and to catch up with a lag."""

ESSENTIAL_BY: Final = timedelta(days=3)
"""The last rung up to this age is given up last: it finds nearly every bounce and complaint."""

NO_WAIT: Final = timedelta(seconds=30)
"""A fresh message that waited less shows that there are slots to spare."""

LONGEST_WAIT: Final = timedelta(hours=1)
"""How long a fresh message waits for its first look; then those behind it come first."""

PATIENCE: Final = timedelta(hours=12)
"""How late a due look may be taken as planned. Later, the load decides again."""

_SHARE_WHEN_LATE: Final = 0.75
"""Share of its looks that a late message keeps: a quarter of the slots catches up."""

NOT_YET_LOOKED: Final = (
    "Not looked at yet: there is more mail than looks, one a second. Its first look was moved to "
    "the age at which one look finds nearly every bounce and complaint."
)

SHED_ALL: Final = (
    "Never looked at: there is more mail than looks, one a second, and not enough for every "
    "message. What became of it is not known. To have it looked at all the same, enqueue it again "
    'with "force": true.'
)


# 1. Capacity


def hour_of(now: datetime) -> str:
    """Name the hour in which a message arrives, for example ``2026-11-23T10``."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H")


def looks_per_message(
    arrivals_by_hour: Mapping[str, int], *, now: datetime, period: float
) -> float:
    """Return how many looks each message can have at the load of the last day.

    ``arrivals_by_hour`` counts new messages by `hour_of` their arrival; hours outside of the last
    day do not count. ``period`` is the seconds a look takes. Infinite where nothing arrived.
    """
    before, last = hour_of(now - WINDOW), hour_of(now)
    arrivals = sum(count for hour, count in arrivals_by_hour.items() if before < hour <= last)
    if arrivals <= 0:
        return math.inf
    return (1 - RESERVE) * WINDOW.total_seconds() / period / arrivals


# 2. Rungs


def essential_rung(ladder: Ladder) -> timedelta:
    """Return the rung that is given up last: the last one up to three days, or else the first."""
    return max((rung for rung in ladder.rungs if rung <= ESSENTIAL_BY), default=ladder.rungs[0])


def remaining(ladder: Ladder, message_id: str, looks: float) -> Ladder:
    """Return the ladder without the rungs that a message cannot have at so many looks a message.

    A fraction of a look is a whole one for that share of the messages. The id decides which
    messages these are, so it is the same at every look.
    """
    if looks >= len(ladder.rungs):
        return ladder
    chance = zlib.crc32(message_id.encode()) / 2**32
    return replace(ladder, shed=frozenset(_by_worth(ladder)[int(looks + 1 - chance) :]))


def first_looks(ladder: Ladder, looks: float) -> float:
    """Return the share of fresh messages that keep their first look at so many looks a message."""
    return min(1.0, max(0.0, looks - _by_worth(ladder).index(ladder.rungs[0])))


def lane_of(ladder: Ladder, age: timedelta | None) -> Lane:
    """Return the lane in which a look at this age waits."""
    return Lane.ESSENTIAL if age == essential_rung(ladder) else Lane.FOLLOW_UP


def _by_worth(ladder: Ladder) -> Sequence[timedelta]:
    """Return the rungs, those worth most first: the essential one, the first, the last.

    The last rung finds what came after the essential one. Those in between only find it sooner.
    """
    best = (essential_rung(ladder), ladder.rungs[0], ladder.rungs[-1])
    return list(dict.fromkeys((*best, *reversed(ladder.rungs))))


# 3. Fresh messages


def postponed_look(
    ladder: Ladder, *, sent_at: datetime, age: timedelta, waited: timedelta, held_up: bool
) -> Next | None:
    """Return what follows where a fresh message's first look is postponed; None to look now.

    ``ladder`` is what `remaining` leaves to the message. ``waited`` is how long its turn did not
    come; after hardly any wait there is a slot to spare, and the first look is taken even where it
    was given up. ``held_up`` says that the messages in front made it wait longer than
    `LONGEST_WAIT`: then those behind it come first.
    """
    essential = essential_rung(ladder)
    if age >= essential:
        is_postponed = essential in ladder.shed
    else:
        is_postponed = waited >= NO_WAIT and (held_up or ladder.rungs[0] in ladder.shed)
    if not is_postponed:
        return None
    if essential in ladder.shed:
        return Next(final=SHED_ALL, shed=len(ladder.rungs))
    before = ladder.rungs.index(essential)
    return Next(at=sent_at + essential, note=NOT_YET_LOOKED, shed=before)


# 4. Due looks


@dataclass(frozen=True, slots=True)
class Proceed:
    """Take the look."""

    is_essential: bool = False
    """Whether this look counts as the essential one, in whatever lane the row waits."""


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


def decide(row: DueRow, lane: Lane, *, ladder: Ladder, looks: float, now: datetime) -> Decision:
    """Decide whether a due look is still worth its slot, at so many looks a message.

    The rungs from the one that a message waits for up to its age are one look; it is taken if the
    message keeps one of them. So rungs that were planned in quieter times are given up by their
    worth, too, and do not pile up in front of those worth more. What is hardly late is looked at
    as planned: the load of an hour is no reason to give up what there is room for. What was put
    into the table in bulk is never given up: it waits.
    """
    if row.sent_at is None or row.next_look_at is None or lane is Lane.BULK:
        return Proceed()
    age = now - row.sent_at
    due_at = instant(row.next_look_at)
    left = remaining(ladder, row.message_id, looks_when_late(now - due_at, looks))
    # A claim that was lost made the time later; then the rung is the last one before that time.
    waited_for = max(
        (rung for rung in left.rungs if rung <= due_at - row.sent_at), default=timedelta(0)
    )
    due = [rung for rung in left.rungs if waited_for <= rung <= age]
    hardly_late = now - due_at < PATIENCE
    if not due or hardly_late or not left.shed.issuperset(due):
        essential = essential_rung(left)
        return Proceed(is_essential=essential in due and essential not in left.shed)
    following = left.climb(row.sent_at, age)
    shed = len(due) + following.shed
    if following.at is None:
        return Drop(SHED_REST if row.looks else SHED_ALL, shed)
    lane = lane_of(left, following.at - row.sent_at)
    return Reschedule(iso(following.at), lane, shed, None if row.looks else NOT_YET_LOOKED)


def looks_when_late(late: timedelta, looks: float) -> float:
    """Return how many looks a message has whose due look is so late.

    Beyond `PATIENCE` fewer than the load leaves, so that a lag shrinks. No slot is lost by that:
    there is more than enough to look at.
    """
    return looks * (_SHARE_WHEN_LATE if late > PATIENCE else 1.0)


# 5. Room in the queue


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

    Under overload most of the queue is fresh messages whose look is postponed, and these take no
    slot. So of the delayed messages only ``follow_ups`` count in full, and of the fresh ones the
    share ``first_looks``. Where ``follow_ups`` is None, every message counts in full.
    """
    sure = depth.delayed if follow_ups is None else min(follow_ups, depth.delayed)
    ahead = depth.visible + depth.in_flight + sure + first_looks * (depth.delayed - sure)
    room = int((delay + interval) / period - ahead)
    in_a_run = max(1, int(interval / period))
    return max(0, min(room, in_a_run))
