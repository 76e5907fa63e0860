"""What to do with a message that is due: look, or, where looks are scarce, something else. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ses_insights.domain.lanes import Lane
from ses_insights.domain.schedule import NOT_YET_LOOKED, SHED_ALL, SHED_REST, Ladder
from ses_insights.domain.times import instant, iso

PATIENCE: Final = timedelta(hours=12)
"""How late a look may come before it is asked again whether there is room for it."""

_WHEN_LATE: Final = 0.75
"""Share of its looks that a message keeps when it is late: a quarter of the slots catches up."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of the sparse index: its key and the time for which it waits."""

    message_id: str
    record: str
    next_look_at: str


@dataclass(frozen=True, slots=True)
class DueRow:
    """What the message's own row says about its looks."""

    looks: int
    next_look_at: str | None
    lane: str | None
    sent_at: datetime | None
    """None where the row does not say it, or not as an instant."""

    @classmethod
    def of(cls, row: Mapping[str, object]) -> DueRow:
        """Read it; what somebody has changed by hand into something else counts as not said."""
        looks = row.get("Looks")
        return cls(
            looks=int(str(looks)) if str(looks).isdecimal() else 0,
            next_look_at=_text(row.get("NextLookAt")),
            lane=_text(row.get("DueLane")),
            sent_at=_instant(_text(row.get("SentAt"))),
        )


@dataclass(frozen=True, slots=True)
class Claim:
    """A due look that belongs to this run."""

    row: Waiting
    look: int
    """Its number."""


@dataclass(frozen=True, slots=True)
class Proceed:
    """Look at it."""

    is_essential: bool = False
    """Whether this look counts as the kept one, whatever lane the row waits in."""


@dataclass(frozen=True, slots=True)
class Reschedule:
    """Do not look now, but then."""

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


def looks_for(late: timedelta, looks_per_message: float) -> float:
    """Tell how many looks a message has at this load if its due look comes so late.

    Beyond `PATIENCE` fewer than the load leaves, so that what is late is worked off. No slot is
    lost by that: there is more than enough to look at.
    """
    return looks_per_message * (_WHEN_LATE if late > PATIENCE else 1.0)


def decide(row: DueRow, lane: Lane, *, ladder: Ladder, now: datetime) -> Decision:
    """Decide whether a due look is still worth its slot.

    `ladder` is what the present load leaves to this message. The rungs it was not looked at for,
    from the one it waits for up to its age, are one look; that is taken if the message still has
    one of them. So rungs that were planned in quieter times are given up by their worth, too, and
    do not pile up in front of those worth more. But what is hardly late is looked at as it was
    planned: the load of an hour is no reason to give up what there is room for. What was put into
    the table in bulk is never given up: it waits.
    """
    if row.sent_at is None or row.next_look_at is None or lane is Lane.BULK:
        return Proceed()
    age = now - row.sent_at
    # A claim that was lost made the time later; then the rung is the last one before that time.
    waited_for = max(
        (rung for rung in ladder.rungs if rung <= instant(row.next_look_at) - row.sent_at),
        default=timedelta(0),
    )
    due = [rung for rung in ladder.rungs if waited_for <= rung <= age]
    hardly_late = now - instant(row.next_look_at) < PATIENCE
    if not due or hardly_late or not ladder.shed.issuperset(due):
        return Proceed(is_essential=ladder.essential in due and ladder.essential not in ladder.shed)
    for number, rung in enumerate(ladder.rungs):
        if rung > age and rung not in ladder.shed:
            shed = number - ladder.rungs.index(due[0])
            return Reschedule(
                at=iso(row.sent_at + rung),
                lane=Lane.ESSENTIAL if rung == ladder.essential else Lane.FOLLOW_UP,
                shed=shed,
                note=None if row.looks else NOT_YET_LOOKED,
            )
    reason = SHED_REST if row.looks else SHED_ALL
    return Drop(reason, shed=len(ladder.rungs) - ladder.rungs.index(due[0]))


def is_time(text: str) -> bool:
    """Whether a row's time is an instant as this service writes it."""
    moment = _instant(text)
    return moment is not None and iso(moment) == text


def _instant(text: str | None) -> datetime | None:
    try:
        return instant(text) if text is not None else None
    except ValueError:
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
