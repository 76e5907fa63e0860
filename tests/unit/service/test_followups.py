"""A run does what it can, says what failed, and stops in time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ses_insights.domain.alert import pending
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.overload import GIVEN_UP_AFTER
from ses_insights.service.pending_alerts import STALE_AFTER
from tests.support.fakes_due import due
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
    harness.clock.advance(STALE_AFTER.total_seconds())
    harness.run()
    assert pending(harness.records.records[MESSAGE_ID].alerts) == ()
