"""How scarce looks are at present, known without asking AWS at every look."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from ses_insights.domain.overload import looks_per_message
from ses_insights.domain.schedule import LONGEST_WAIT
from ses_insights.service.ports import Arrivals, Capacity, ProducerQueue

_FRESH: Final = timedelta(minutes=1)

T = TypeVar("T")


@dataclass(slots=True)
class _Remembered(Generic[T]):
    """A value and when it was read."""

    read: Callable[[datetime], T]
    now: Callable[[], datetime]
    at: datetime | None = None
    value: T | None = None

    def get(self) -> T:
        now = self.now()
        # A clock that was set back must not keep an old value for ever.
        if self.value is None or self.at is None or not timedelta(0) <= now - self.at < _FRESH:
            self.value, self.at = self.read(now), now
        return self.value


@dataclass(slots=True)
class MeasuredCapacity:
    """Reads the counts of arrivals and the queue's length, each once a minute at most."""

    arrivals: Arrivals
    queue: ProducerQueue
    period: float
    """Seconds between two looks."""
    now: Callable[[], datetime]
    _looks: _Remembered[float] = field(init=False)
    _waiting: _Remembered[int] = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is read until somebody asks."""
        self._looks = _Remembered(self._read_looks, self.now)
        self._waiting = _Remembered(lambda _: self.queue.depth().visible, self.now)

    def looks_per_message(self) -> float:
        """Tell how many looks each message can have. Raises `SystemFailure`."""
        return self._looks.get()

    def line_is_long(self, waited: timedelta) -> bool:
        """Whether an id that waited so long did so because of the many before it.

        The line is asked for only where it matters: most ids wait for less. Raises `SystemFailure`.
        """
        if waited <= LONGEST_WAIT:
            return False
        return self._waiting.get() * self.period > LONGEST_WAIT.total_seconds()

    def _read_looks(self, now: datetime) -> float:
        return looks_per_message(self.arrivals.by_hour(now), now=now, period=self.period)


class _Unlimited:
    """As many slots as anybody wants."""

    def looks_per_message(self) -> float:
        """Tell that there is no end of them."""
        return math.inf

    def line_is_long(self, waited: timedelta) -> bool:
        """Tell that nobody waits."""
        del waited
        return False


UNLIMITED: Final[Capacity] = _Unlimited()
