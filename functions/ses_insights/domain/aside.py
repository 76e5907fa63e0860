"""An id at which SES fails, while it may be well as a whole: it steps aside, and the next is tried.

What fails stays at the head of the queue. That is right while SES fails at every id, and wrong
where it fails at one: the queue would stand for as long as it does. Nobody can tell the two apart
at the head, so the head steps aside after a few tries: it waits in the table for a later look. If
the next one fails, too, the queue waits longer before that one steps aside. Pure.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ses_insights.domain.lanes import Lane
from ses_insights.domain.record import Record
from ses_insights.domain.schedule import Next
from ses_insights.domain.times import instant, iso

FEW_TRIES: Final = 5
"""Receives after which the head steps aside: half a minute, if SES answers its error at once."""

_MORE_TRIES: Final = 2
"""More of them for each id that stepped aside since SES last answered. The waits double."""

MOST_TRIES: Final = 12
"""By then the waits between two tries are the longest there are, a quarter of an hour."""

FIRST_WAIT: Final = timedelta(minutes=15)
LONGEST_WAIT: Final = timedelta(hours=6)

PARKED_AFTER: Final = timedelta(days=1)
"""An id at which SES fails for so long, while it answers for others, is parked."""

ASIDE: Final = "SES fails at this id; others are looked at meanwhile. It is tried again later."

FAILING: Final = (
    "SES has failed at this id for a day, and not at others. It is parked in the dead-letter queue."
)


def tries_before_aside(in_vain: int) -> int:
    """Return how often the head is received before it steps aside.

    ``in_vain`` is how many stepped aside since SES last answered.
    """
    return min(FEW_TRIES + _MORE_TRIES * in_vain, MOST_TRIES)


def failing_since(record: Record | None) -> str | None:
    """Return since when SES fails at an id; None where it does not.

    Where it was parked for that, and comes again, its trouble begins anew.
    """
    return record.failing_since if record is not None and record.final is None else None


def step_aside(before: Record, now: datetime, *, others_answered: bool) -> Record:
    """Return the record, stored or new, of an id that steps aside; ``final`` says it is parked.

    ``others_answered`` says that SES has answered for another id since this one fails.
    """
    since = failing_since(before) or iso(now)
    failing = now - instant(since)
    if failing >= PARKED_AFTER and others_answered:
        following = Next(final=FAILING)
    else:
        wait = min(max(failing, FIRST_WAIT), LONGEST_WAIT)
        following = Next(at=now + wait, note=ASIDE)
    return replace(
        before,
        next_look_at=iso(following.at) if following.at else None,
        final=following.final,
        note=following.note,
        # Neither lane gives anything up: what SES showed at one of the tries may not be stored.
        lane=Lane.BULK if before.lane is Lane.BULK else Lane.LISTED,
        failing_since=since,
    )
