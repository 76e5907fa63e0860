"""When to look at a message again, or why there is no need to (decision record 4).

Bounces come within minutes, complaints within days, and looks are scarce: one a second. So a
message is looked at on rungs since it was sent, and dropped as soon as nothing more can come.
Where there are fewer looks than rungs, rungs are given up by what they are worth (record 9).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
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

ESSENTIAL_BY: Final = timedelta(days=3)
"""The last rung up to this age is given up last: it finds nearly every bounce and complaint."""

_NEVER: Final = timedelta(days=36_500).total_seconds()

NO_WAIT: Final = timedelta(seconds=30)
"""How long a fresh message waits at most where there are slots to spare."""

LONGEST_WAIT: Final = timedelta(hours=1)
"""How long a fresh message waits for its first look: beyond that, those behind it come first."""

ONLY_SEND_UNTIL: Final = timedelta(days=1)
"""From this age on, a message that shows nothing but SEND is probably not tracked."""

NOT_TRACKABLE: Final = (
    "SES shows only that it was sent, a day or more later. It is probably not tracked: mail to "
    "several recipients, to the mailbox simulator or by a delegate sender never is."
)
ONCE_MORE: Final = "It is looked at once more, on the last rung."


NOT_YET_LOOKED: Final = (
    "Not looked at yet: there is more mail than looks, one a second. Its first look was moved to "
    "the age at which one look finds nearly every bounce and complaint."
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


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs, as ages since the message was sent, increasing."""

    rungs: tuple[timedelta, ...] = DEFAULT_RUNGS
    ses_keeps: timedelta = SES_KEEPS
    shed: frozenset[timedelta] = frozenset()
    """Rungs given up because there are fewer looks than rungs."""

    @property
    def essential(self) -> timedelta:
        """The rung that is given up last: the last one up to three days, or else the first."""
        return max((rung for rung in self.rungs if rung <= ESSENTIAL_BY), default=self.rungs[0])

    def first_look_now(self, age: timedelta, *, waited: timedelta) -> bool:
        """Whether a fresh message is looked at now, or only acknowledged.

        ``waited`` is how long its turn did not come. If it came at once, there is a slot to spare,
        and the first look is taken even where it was given up; if it took very long, those behind
        are to come first.
        """
        if age >= self.essential:
            return self.essential not in self.shed
        if waited < NO_WAIT:
            return True
        return self.rungs[0] not in self.shed and waited <= LONGEST_WAIT

    def for_message(self, message_id: str, looks_per_message: float) -> Ladder:
        """Give up the rungs that a message cannot have at this load, the least worth first.

        A fraction of a look is a whole one for that share of the messages. Who has it is decided
        by the id, so it is the same at every look.
        """
        if looks_per_message >= len(self.rungs):
            return self
        chance = zlib.crc32(message_id.encode()) / 2**32
        return _with_looks(self, int(looks_per_message + 1 - chance))

    def first_looks(self, looks_per_message: float) -> float:
        """Tell which share of fresh messages is looked at when it arrives, at this load."""
        before = _by_worth(self).index(self.rungs[0])
        return min(1.0, max(0.0, looks_per_message - before))

    @classmethod
    def of_seconds(cls, seconds: Sequence[float], ses_keeps: timedelta = SES_KEEPS) -> Ladder:
        """Make a ladder of ages in seconds. Raises ValueError unless they increase from above 0."""
        steps = zip((0.0, *seconds), (*seconds, _NEVER), strict=True)
        if not seconds or not all(low < high for low, high in steps):
            message = f"a ladder has at least one rung, each above the one before: {list(seconds)}"
            raise ValueError(message)
        return cls(tuple(timedelta(seconds=second) for second in seconds), ses_keeps)

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
        following = self._climb(sent_at, age, self.rungs[-1:] if untracked else self.rungs)
        if untracked and following.at:
            note = f"{NOT_TRACKABLE} {ONCE_MORE}"
        return replace(following, note=note) if note else following

    def after_no_look(self, *, sent_at: datetime) -> Next:
        """Move the first look of a fresh message to the kept rung; end where it has none."""
        if self.essential in self.shed:
            return Next(final=SHED_ALL, shed=len(self.rungs))
        before = sum(rung < self.essential for rung in self.rungs)
        return Next(at=sent_at + self.essential, note=NOT_YET_LOOKED, shed=before)

    def after_not_found(self, *, sent_at: datetime, now: datetime, looks: int) -> Next:
        """Decide what follows the ``looks``-th look when SES has never shown the message."""
        rungs = [rung for rung in self.rungs if rung <= NOT_FOUND_UNTIL] or self.rungs[:1]
        upward = self._climb(sent_at, now - sent_at, rungs)
        if upward.at:
            return upward
        tried = "1 look" if looks == 1 else f"{looks} looks"
        return Next(
            final=f"SES does not know this message: {tried} since {iso(sent_at)}, the last at "
            f"{iso(now)}. Likely causes: it was sent from another account or Region, or while "
            "Virtual Deliverability Manager was off; it had several recipients or went to the "
            f"mailbox simulator; it is older than {self.ses_keeps.days} days; the id is wrong."
        )

    def _climb(self, sent_at: datetime, age: timedelta, rungs: Sequence[timedelta]) -> Next:
        """Go to the next rung above the present age; the rungs missed below it are one look."""
        shed = 0
        for rung in rungs:
            if rung > age and rung not in self.shed:
                return Next(at=sent_at + rung, shed=shed)
            shed += rung > age
        if shed:
            return Next(final=SHED_REST, shed=shed)
        return Next(final="The last rung of the ladder is behind it; nothing more is expected.")


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


@cache
def _with_looks(ladder: Ladder, looks: int) -> Ladder:
    """Keep as many rungs, those worth most."""
    return replace(ladder, shed=frozenset(_by_worth(ladder)[looks:]))


def _by_worth(ladder: Ladder) -> Sequence[timedelta]:
    """Put the rungs in the order of what they are worth: the kept one, the first, the later ones.

    The last rung finds what came after the kept one. Those in between only find it sooner.
    """
    essential, first, last = ladder.essential, ladder.rungs[0], ladder.rungs[-1]
    return list(dict.fromkeys((essential, first, last, *reversed(ladder.rungs))))


@dataclass(frozen=True, slots=True)
class Next:
    """The time of the next look, or the reason there is none; exactly one of the two."""

    at: datetime | None = None
    final: str | None = None
    note: str | None = None
    """Something worth telling a person about the present state."""
    shed: int = 0
    """How many rungs before the next look, or before the end, are given up."""
