"""A run does what it can, says what failed, and stops in time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from ses_insights.domain.alert import pending
from ses_insights.domain.due import HELD_FOR, Waiting
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import GIVEN_UP_AFTER
from ses_insights.service.pending_alerts import STALE_AFTER
from tests.support.fakes_due import FakeDueRows, due
from tests.support.harness import Harness, Output
from tests.support.samples import MESSAGE_ID

pytestmark = pytest.mark.usefixtures("_as_followups")


def test_a_hundred_thousand_rows_to_give_up_stop_before_the_time_out(
    harness: Harness, output: Callable[[], Output]
) -> None:
    """A run with too much to do stops in time, with what it claimed in the queue."""
    harness.rows.seconds_a_call = 0.1
    harness.rows.put(*(due(f"m{number:06}", since=GIVEN_UP_AFTER) for number in range(100_000)))
    began = harness.clock.read()
    harness.run()
    assert harness.clock.read() - began <= 50 + 2
    assert any("out of time" in line["message"] for line in output().logs)
    moved = sum(row.get("Shed", 0) > 0 for row in harness.rows.rows.values())
    assert moved > 100
    harness.run()
    assert sum(row.get("Shed", 0) > 0 for row in harness.rows.rows.values()) > moved


def test_a_quiet_minute_is_a_run_too(harness: Harness, output: Callable[[], Output]) -> None:
    """With nothing due the lag is 0, and that is counted."""
    harness.run()
    assert output().metrics == {("Lag", (("service", "followups"),)): [0]}


def test_an_alert_that_cannot_be_published_holds_up_no_look(harness: Harness) -> None:
    """SNS is down: due looks are sent all the same, the run fails, and a later one publishes."""
    harness.store_stale_alerts()
    harness.rows.put(due("m"))
    harness.subscribers.moments.fails_at = 0
    harness.subscribers.moments.error = SystemFailure(FailureKind.SNS, "Publish: Throttled")
    with pytest.raises(SystemFailure, match="Publish"):
        harness.run()
    assert harness.queue.ids == ["m"]
    harness.subscribers.moments.fails_at = None
    harness.clock.advance((HELD_FOR + STALE_AFTER).total_seconds())
    harness.run()
    assert pending(harness.records.records[MESSAGE_ID].alerts) == ()


def test_a_run_without_time_publishes_nothing(
    harness: Harness, output: Callable[[], Output]
) -> None:
    """The next run finds the alert as it was."""
    harness.store_stale_alerts()
    harness.run(0)
    assert harness.subscribers.published == []
    assert output().line("out of time; the next run goes on")
    harness.run()
    assert len(harness.subscribers.published) == 2


def test_a_run_without_time_repairs_nothing(harness: Harness) -> None:
    """The row waits for the next run."""
    harness.rows.put({**due("bad"), "NextLookAt": "soon"})
    harness.run(0)
    assert harness.row("bad")["NextLookAt"] == "soon"


def test_a_run_without_time_sends_nothing(harness: Harness) -> None:
    """The look waits for the next run."""
    harness.rows.put(due("m"))
    harness.run(0)
    assert harness.queue.ids == []


def test_what_cannot_be_foreseen_fails_the_run_without_its_text(harness: Harness) -> None:
    """An error of this program may quote the mail: what is raised says where it was, and no more.

    The other steps are done.
    """

    class Odd(FakeDueRows):
        def due(self, lane: Lane, *, until: str) -> Iterator[Sequence[Waiting]]:
            if lane is Lane.ALERT:
                raise KeyError("about anna@there.example")
            return FakeDueRows.due(self, lane, until=until)

    harness.rows = Odd()
    harness.rows.put(due("m"))
    with pytest.raises(
        SystemFailure, match=r"^Unexpected: KeyError at test_followups.py:"
    ) as raised:
        harness.run()
    assert raised.value.kind is FailureKind.UNEXPECTED
    assert "anna@" not in str(raised.value)
    assert harness.queue.ids == ["m"]


def test_the_first_of_several_failures_is_raised(harness: Harness) -> None:
    """It is the likeliest cause of the others."""
    harness.store_stale_alerts()
    harness.rows.put(due("m"))
    harness.subscribers.moments.fails_at = 0
    harness.subscribers.moments.error = SystemFailure(FailureKind.SNS, "Publish: Throttled")
    harness.queue.failure = SystemFailure(FailureKind.SQS, "SendMessageBatch: Throttled")
    with pytest.raises(SystemFailure, match="Publish"):
        harness.run()


def test_a_run_that_fails_and_then_has_no_time_left_has_failed(harness: Harness) -> None:
    """Its alarm says so, however far it came."""
    harness.store_stale_alerts()
    harness.rows.seconds_a_call = 30
    harness.rows.put(due("m"))
    harness.subscribers.moments.fails_at = 0
    harness.subscribers.moments.error = SystemFailure(FailureKind.SNS, "Publish: Throttled")
    with pytest.raises(SystemFailure, match="Publish"):
        harness.run(100)
    assert harness.queue.ids == []
