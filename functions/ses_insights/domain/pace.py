"""When the next call to SES may start (decision record 2).

SES answers GetMessageInsights once a second per account and Region. What it counts is the moment a
request *arrives*, which only SES knows. We know two moments around it: the request left here at
``start`` and its answer was here at ``answer``. So the pace keeps one bound, ``arrived_by``:

    a call with a usual round trip:   arrived_by = min(answer, start + guard)
    any other call:                   arrived_by = answer

and lets the next call start at ``arrived_by + period``.

What this guarantees: if every request has arrived by its bound, no two arrive closer than the
period, because the next one arrives no earlier than it starts. The second bound always holds; the
first one assumes that a request on an open connection reaches SES within ``guard``. The guard
doubles when SES says 429, which shows that the assumption failed or that somebody else asks, too.

A pace knows only the calls of its own environment. So it trusts what it knows only while
invocations follow each other with less than a period between them; after any longer gap it waits
a full period from the beginning of the invocation that is to call. Nobody else can have called
unnoticed then: the first caller after a gap spends a whole period inside one invocation, and
invocations do not overlap (reserved concurrency 1, one message group).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

GUARD: Final = 0.025
"""Seconds; the first and least guard. A request within a Region travels for a few milliseconds."""

_DECAY: Final = 0.99
"""What a good call leaves of the guard: it halves in about 70 calls."""


class CallResult(Enum):
    """How a call ended, as far as its timing is concerned."""

    ANSWERED = auto()
    """SES answered: found, not found or refused."""
    THROTTLED = auto()
    """SES said 429."""
    BROKEN = auto()
    """An error or no answer at all: its timing says nothing."""


@dataclass(frozen=True, slots=True)
class Call:
    """How one call went, for the metrics."""

    seconds: float
    throttled: bool
    after_gap: bool
    """Whether it waited a full period because its invocation came too late after the last one."""


@dataclass(slots=True)
class Pace:
    """The moments between which SES is asked. All times are seconds on one monotonic clock."""

    period: float
    guard: float = GUARD
    after_gap: bool = False
    """Whether the next call waits a full period because its invocation came too late."""
    _not_before: float = float("inf")
    _started: float = 0.0
    _was_last: bool = False
    """Whether the last call anybody made was ours."""
    _warm: bool = False
    """Whether the last call left an open connection behind."""
    _usual: float | None = None
    _spread: float = 0.0

    def invocation_began(self, now: float, *, idle: float) -> None:
        """Forget what is known if others may have called meanwhile, and wait a full period.

        ``idle`` is how many seconds passed since this environment's last invocation ended.
        """
        if not self._was_last or idle >= self.period:
            self._not_before = now + self.period
            self._was_last = self._warm = False
            self.after_gap = True

    def wait(self, now: float) -> float:
        """Return in how many seconds the next call may start."""
        return max(0.0, self._not_before - now)

    def call_started(self, now: float) -> None:
        """Note that a request leaves now. Until its answer is known, none may follow."""
        self._started = now
        self._not_before = float("inf")
        self.after_gap = False

    def call_ended(self, now: float, result: CallResult) -> None:
        """Note the end of the call and set the start of the next."""
        arrived_by = now
        if result is CallResult.ANSWERED:
            if self._warm and self._is_usual(now - self._started):
                arrived_by = min(now, self._started + self.guard)
            self.guard = max(GUARD, self.guard * _DECAY)
        elif result is CallResult.THROTTLED:
            self.guard = min(2 * self.guard, self.period)
        self._was_last = True
        self._warm = result is not CallResult.BROKEN
        self._not_before = arrived_by + self.period

    def _is_usual(self, took: float) -> bool:
        """Compare a round trip with the ones before it, as TCP does before it sends again.

        Mean plus four deviations, with the weights of RFC 6298. An unusual one counts as the
        slowest usual one: trouble does not become usual at once, a lasting change soon does.
        """
        if self._usual is None:
            self._usual, self._spread = took, took / 2
            return False
        slowest = self._usual + max(4 * self._spread, self.guard)
        counted = min(took, slowest)
        self._spread += (abs(counted - self._usual) - self._spread) / 4
        self._usual += (counted - self._usual) / 8
        return took <= slowest
