"""How scarce looks are, read from AWS once a minute at most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ses_insights.domain.due import QueueDepth
from ses_insights.domain.overload import LONGEST_WAIT, hour_of
from ses_insights.service.capacity import MeasuredCapacity
from tests.support.fakes import START, Clock
from tests.support.fakes_due import FakeQueue

SOON = timedelta(minutes=1)


@dataclass(slots=True)
class CountedArrivals:
    """So many in this hour, and how often they were read."""

    arrivals: int
    asked: int = 0

    def by_hour(self, now: object) -> dict[str, int]:
        """Count the reading."""
        del now
        self.asked += 1
        return {hour_of(START): self.arrivals}


@dataclass(slots=True)
class CountedQueue(FakeQueue):
    """A queue, and how often its depth was read."""

    asked: int = 0

    def depth(self) -> QueueDepth:
        """Count the reading."""
        self.asked += 1
        return QueueDepth(self.visible, self.delayed, self.in_flight)


def test_the_counts_are_read_once_a_minute() -> None:
    """At one look a second that is one read in sixty looks."""
    clock, arrivals = Clock(), CountedArrivals(43_200)
    capacity = MeasuredCapacity(arrivals, FakeQueue(), 1.0, clock.now)
    for _ in range(120):
        assert 1.5 < capacity.looks_per_message() <= 2.0
        clock.advance(1)
    assert arrivals.asked == 2
    clock.advance(-3600)
    capacity.looks_per_message()
    assert arrivals.asked == 3


def test_the_depth_is_read_only_for_a_long_wait() -> None:
    """Most looks cost no call for it; only a long queue counts as a reason to wait."""
    clock, queue = Clock(), CountedQueue(visible=3_601)
    capacity = MeasuredCapacity(CountedArrivals(1), queue, 1.0, clock.now)
    assert not capacity.held_up(LONGEST_WAIT)
    assert queue.asked == 0
    assert capacity.held_up(LONGEST_WAIT + SOON)
    assert capacity.held_up(LONGEST_WAIT + SOON)
    assert queue.asked == 1
    clock.advance(61)
    queue.visible = 3_600
    assert not capacity.held_up(LONGEST_WAIT + SOON)
