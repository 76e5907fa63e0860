"""Rows whose time is not valid are repaired."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.times import iso
from ses_insights.service.pending_alerts import STALE_AFTER
from tests.support.fakes_due import due
from tests.support.harness import Harness, Output

DAY = timedelta(days=1)

pytestmark = pytest.mark.usefixtures("_as_followups")


@pytest.mark.parametrize(
    "bad", ["soon", "0", " ", "2026-11-23", "2026-13-01T00:00:00.000Z", "9999-01-01T00:00:00.000Z"]
)
@pytest.mark.parametrize("lane", LOOK_LANES)
def test_a_row_that_waits_for_no_time_is_repaired(
    harness: Harness, bad: str, lane: Lane, output: Callable[[], Output]
) -> None:
    """It is logged, is looked at in this run or the next, and stops no other row."""
    harness.rows.put({**due("bad", lane), "NextLookAt": bad}, due("good"))
    harness.run()
    harness.clock.advance(1)
    harness.run()
    assert sorted(harness.queue.ids) == ["bad", "good"]
    lines = output()
    assert [line["level"] for line in lines.logs].count("ERROR") == 1


@pytest.mark.parametrize("bad", ["0", "soon"])
def test_an_alert_that_waits_for_no_time_is_published(harness: Harness, bad: str) -> None:
    """Whatever its time was, it is published in minutes."""
    harness.store_stale_alerts()
    for row in harness.rows.rows.values():
        row["NextLookAt"] = bad
    harness.run()
    harness.clock.advance(STALE_AFTER.total_seconds())
    harness.run()
    assert len(harness.subscribers.published) == 2


@pytest.mark.parametrize("field_", ["SentAt", "Looks"])
@pytest.mark.parametrize("bad", [None, "x", -1, 1.5])
def test_a_row_changed_by_hand_is_looked_at_all_the_same(
    harness: Harness, field_: str, bad: object
) -> None:
    """What it does not say of its age or its looks holds up no row, not even itself."""
    harness.rows.put({**due("odd"), field_: bad})
    harness.rows.put(due("good", age=3 * DAY, lane=Lane.ESSENTIAL))
    harness.run()
    assert "good" in harness.queue.ids


def test_a_line_names_the_message_whose_row_was_repaired(
    harness: Harness, output: Callable[[], Output]
) -> None:
    """And where it waits."""
    harness.rows.put({**due("bad", Lane.ESSENTIAL), "NextLookAt": "soon"})
    harness.run()
    (line,) = (line for line in output().logs if line["level"] == "ERROR")
    assert (line["message_id"], line["lane"]) == ("bad", "keep")


@pytest.mark.parametrize(
    ("wait", "is_repaired"), [(30 * DAY, False), (31 * DAY, False), (32 * DAY, True)]
)
def test_a_time_that_no_rung_lies_beyond_is_repaired(
    harness: Harness, wait: timedelta, *, is_repaired: bool
) -> None:
    """SES keeps insights for 30 days: who waits for more than a day longer waits for nothing."""
    then = iso(harness.clock.now() + wait - timedelta(milliseconds=wait == 32 * DAY))
    harness.rows.put({**due("m"), "NextLookAt": then})
    harness.run()
    assert (harness.row("m")["NextLookAt"] != then) is is_repaired
