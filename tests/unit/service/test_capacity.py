"""How scarce looks are, read from AWS once a minute at most."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from ses_insights.domain.due import QueueDepth, Waiting
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import LONGEST_WAIT
from ses_insights.service.capacity import MeasuredCapacity
from tests.support.fakes import Clock
from tests.support.fakes_due import FakeDueRows, FakeQueue, due

SOON, HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(slots=True)
class CountedRows(FakeDueRows):
    """The lanes, and how often the oldest row was read."""

    asked: int = 0

    def oldest(self, lane: Lane, *, until: str) -> Waiting | None:
        """Count the reading."""
        self.asked += 1
        return FakeDueRows.oldest(self, lane, until=until)


@dataclass(slots=True)
class CountedQueue(FakeQueue):
    """A queue, and how often its depth was read."""

    asked: int = 0

    def depth(self) -> QueueDepth:
        """Count the reading."""
        self.asked += 1
        return QueueDepth(self.visible, self.delayed, self.in_flight)


def test_the_oldest_essential_look_is_read_once_a_minute() -> None:
    """At one look a second that is one read in sixty looks; no other lane counts."""
    clock, rows = Clock(), CountedRows()
    capacity = MeasuredCapacity(rows, FakeQueue(), 1.0, clock.now)
    assert capacity.late() == timedelta(0)
    rows.put(due("other", since=9 * HOUR), due("m", Lane.ESSENTIAL, since=HOUR))
    for _ in range(119):
        clock.advance(1)
        assert capacity.late() in {timedelta(0), HOUR + SOON}
    assert rows.asked == 2
    clock.advance(-3600)
    assert capacity.late() == 119 * timedelta(seconds=1) + timedelta(0)
    assert rows.asked == 3


def test_the_depth_is_read_only_for_a_long_wait() -> None:
    """Most looks cost no call for it; only a long queue counts as a reason to wait."""
    clock, queue = Clock(), CountedQueue(visible=3_601)
    capacity = MeasuredCapacity(FakeDueRows(), queue, 1.0, clock.now)
    assert not capacity.held_up(LONGEST_WAIT)
    assert queue.asked == 0
    assert capacity.held_up(LONGEST_WAIT + SOON)
    assert capacity.held_up(LONGEST_WAIT + SOON)
    assert queue.asked == 1
    clock.advance(61)
    queue.visible = 3_600
    assert not capacity.held_up(LONGEST_WAIT + SOON)


@pytest.mark.parametrize(
    ("visible", "waited", "is_held_up"),
    [(3_601, 3_601, True), (3_600, 3_601, False), (3_601, 3_600, False)],
)
def test_only_a_queue_of_more_than_an_hour_holds_a_message_up_for_more_than_an_hour(
    visible: int, waited: int, *, is_held_up: bool
) -> None:
    """After an outage a message has waited for long, and the queue in front of it is short."""
    queue = FakeQueue(visible=visible)
    capacity = MeasuredCapacity(FakeDueRows(), queue, 1.0, Clock().now)
    assert capacity.held_up(timedelta(seconds=waited)) is is_held_up


def test_a_slower_pace_makes_a_shorter_queue_long() -> None:
    """At a look in two seconds 1,801 messages are more than an hour."""
    for visible, is_held_up in ((1_800, False), (1_801, True)):
        queue = FakeQueue(visible=visible)
        capacity = MeasuredCapacity(FakeDueRows(), queue, 2.0, Clock().now)
        assert capacity.held_up(2 * HOUR) is is_held_up


@pytest.mark.parametrize(("seconds", "asked"), [(59.9, 1), (60, 2)])
def test_what_was_read_holds_for_a_minute(seconds: float, asked: int) -> None:
    """Then it is read again."""
    clock, rows = Clock(), CountedRows()
    capacity = MeasuredCapacity(rows, FakeQueue(), 1.0, clock.now)
    capacity.late()
    clock.advance(seconds)
    capacity.late()
    assert rows.asked == asked
