"""When to look at a message again, or why there is no need to (decision record 4).

Bounces come within minutes, complaints within days, and looks are scarce: one a second. So a
message is looked at on rungs since it was sent, and no more once nothing more can come. Where
there are fewer looks than rungs, `domain.overload` says which looks are given up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from ses_insights.domain.insight import Destination
from ses_insights.domain.status import Status, is_closed, status_of
from ses_insights.domain.times import iso

DEFAULT_RUNGS: Final = (
    timedelta(minutes=15),
    timedelta(hours=2),
    timedelta(days=1),  # SES may try to deliver for 14 hours
    timedelta(days=3),
    timedelta(days=7),
    timedelta(days=14),
    timedelta(days=29),
)

SES_KEEPS: Final = timedelta(days=30)
"""How long SES answers for a message. Not documented; 12 days seen working, 71 days seen gone."""

NOT_FOUND_UNTIL: Final = timedelta(days=3)
"""The last rung at which a message that SES never showed is still asked for."""

LISTED_STEP: Final = timedelta(minutes=15)
"""How soon a look is taken again that does not show yet what SES says has happened."""

_NEVER: Final = timedelta(days=36_500).total_seconds()

ONLY_SEND_UNTIL: Final = timedelta(days=1)
"""From this age on, a message that shows nothing but SEND is probably not tracked."""

NOT_TRACKABLE: Final = (
    "SES shows only that it was sent, a day or more later. It is probably not tracked: mail to "
    "several recipients, to the mailbox simulator or by a delegate sender never is."
)
ONCE_MORE: Final = "It is looked at once more, on the last rung."


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs, as ages since the message was sent, increasing."""

    rungs: tuple[timedelta, ...] = DEFAULT_RUNGS
    ses_keeps: timedelta = SES_KEEPS

    @classmethod
    def of_seconds(cls, seconds: Sequence[float], ses_keeps: timedelta = SES_KEEPS) -> Ladder:
        """Make a ladder of ages in seconds. Raises ValueError unless they increase from above 0."""
        steps = pairwise((0.0, *seconds, _NEVER))
        if not seconds or not all(low < high for low, high in steps):
            message = f"a ladder has at least one rung, each above the one before: {list(seconds)}"
            raise ValueError(message)
        return cls(tuple(timedelta(seconds=second) for second in seconds), ses_keeps)

    @property
    def listed_step(self) -> timedelta:
        """How soon a look is taken again at what SES has listed and does not show yet."""
        return min(self.rungs[0], LISTED_STEP)

    def after_found(
        self, destinations: Iterable[Destination], *, sent_at: datetime, now: datetime
    ) -> Next:
        """Decide what follows a look at which SES knew the message."""
        destinations = tuple(destinations)
        age = now - sent_at
        if destinations and all(is_closed(destination) for destination in destinations):
            return Next(final=f"{_ends_of(destinations)} Nothing more is expected.")
        only_sent = all(
            event.type == "SEND" for destination in destinations for event in destination.events
        )
        untracked = only_sent and age >= ONLY_SEND_UNTIL
        note = NOT_TRACKABLE if untracked else None
        if age > self.ses_keeps:
            final = f"SES keeps insights for {self.ses_keeps.days} days; this is older."
            return Next(final=final, note=note)
        following = self.climb(sent_at, age, self.rungs[-1:] if untracked else self.rungs)
        if untracked and following.at:
            note = f"{NOT_TRACKABLE} {ONCE_MORE}"
        return replace(following, note=note) if note else following

    def after_not_found(self, *, sent_at: datetime, now: datetime, looks: int) -> Next:
        """Decide what follows the ``looks``-th look when SES has never shown the message."""
        rungs = [rung for rung in self.rungs if rung <= NOT_FOUND_UNTIL] or self.rungs[:1]
        upward = self.climb(sent_at, now - sent_at, rungs)
        if upward.at:
            return upward
        tried = "1 look" if looks == 1 else f"{looks} looks"
        return Next(
            final=f"SES does not know this message: {tried} since {iso(sent_at)}, the last at "
            f"{iso(now)}. Likely causes: it was sent from another account or Region, or while "
            "Virtual Deliverability Manager was off; it had several recipients or went to the "
            f"mailbox simulator; it is older than {self.ses_keeps.days} days; the id is wrong."
        )

    def climb(
        self, sent_at: datetime, age: timedelta, rungs: Sequence[timedelta] | None = None
    ) -> Next:
        """Go to the next rung above the present age; the rungs missed below it are one look."""
        for rung in rungs or self.rungs:
            if rung > age:
                return Next(at=sent_at + rung)
        return Next(final="The last rung of the ladder is behind it; nothing more is expected.")


@dataclass(frozen=True, slots=True)
class Next:
    """The time of the next look, or the reason there is none; exactly one of the two."""

    at: datetime | None = None
    final: str | None = None
    note: str | None = None
    """Something worth telling a person about the present state."""
    shed: int = 0
    """How many looks before the next one are given up."""


_ENDS: Final = (
    (Status.PERMANENT_BOUNCE, "bounced permanently"),
    (Status.COMPLAINT, "drew a complaint"),
    (Status.REJECTED, "was rejected by SES and not sent"),
    (Status.RENDERING_FAILURE, "could not be rendered and was not sent"),
)


def _ends_of(destinations: Sequence[Destination]) -> str:
    """Say how the mail to each recipient ended; all of them must be closed."""
    statuses = [status_of(destination) for destination in destinations]
    ends = [(statuses.count(status), words) for status, words in _ENDS if status in statuses]
    if len(ends) == 1:
        return f"The mail {ends[0][1]}."
    counted = ", ".join(f"to {count} {words}" for count, words in ends)
    return f"The mail to each of {len(statuses)} recipients has come to an end: {counted}."
