"""How scarce looks are at present, known without a call to AWS at every look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from ses_insights.domain.due import late_by
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import LONGEST_WAIT
from ses_insights.domain.times import iso
from ses_insights.service.ports import DueRows, ProducerQueue

_FRESH: Final = timedelta(minutes=1)

T = TypeVar("T")


@dataclass(slots=True)
class _Remembered(Generic[T]):
    """A value, read again when it is a minute old."""

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
    """Reads the oldest essential look and the queue's depth, each once a minute at most."""

    rows: DueRows
    queue: ProducerQueue
    period: float
    """Seconds between two looks."""
    now: Callable[[], datetime]
    _late: _Remembered[timedelta] = field(init=False)
    _visible: _Remembered[int] = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is read until somebody asks."""
        self._late = _Remembered(self._read_late, self.now)
        self._visible = _Remembered(lambda _: self.queue.depth().visible, self.now)

    def late(self) -> timedelta:
        """Return how late the oldest essential look is. Raises `SystemFailure`."""
        return self._late.get()

    def held_up(self, waited: timedelta) -> bool:
        """Whether the messages in front, and no outage, made a message wait too long.

        The queue's depth is read only where it matters: most messages wait for less. Raises
        `SystemFailure`.
        """
        if waited <= LONGEST_WAIT:
            return False
        return self._visible.get() * self.period > LONGEST_WAIT.total_seconds()

    def _read_late(self, now: datetime) -> timedelta:
        return late_by(self.rows.oldest(Lane.ESSENTIAL, until=iso(now)), now)
