"""Alerts that stayed pending are published, each once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from ses_insights.contracts.names import Partition
from ses_insights.domain.alert import AlertType, pending
from ses_insights.domain.due import HELD_FOR
from ses_insights.domain.explanation import explain_reason
from ses_insights.domain.lanes import Lane
from ses_insights.domain.reasons import Reason
from ses_insights.domain.record import Record
from ses_insights.domain.surge import Group, Surge, summarized
from ses_insights.domain.times import instant, iso
from ses_insights.service.pending_alerts import STALE_AFTER
from tests.support.fakes import START, FakeRecords
from tests.support.harness import Harness, Output
from tests.support.samples import MESSAGE_ID

pytestmark = pytest.mark.usefixtures("_as_followups")


def test_an_alert_that_is_stale_is_published_once(
    harness: Harness, output: Callable[[], Output]
) -> None:
    """Each is published and marked, and not again by the next run."""
    harness.store_stale_alerts()
    harness.run()
    harness.clock.advance(600)
    harness.run()
    assert len(harness.subscribers.published) == 2
    assert pending(harness.records.records[MESSAGE_ID].alerts) == ()
    published = [line for line in output().logs if line["message"] == "published"]
    assert sorted(line["alert_type"] for line in published) == ["BOUNCE", "COMPLAINT"]


def test_an_alert_that_was_just_found_is_left_to_its_look(harness: Harness) -> None:
    """Its look is about to publish it."""
    harness.store_stale_alerts(since=STALE_AFTER - timedelta(seconds=1))
    harness.run()
    assert harness.subscribers.published == []


@pytest.mark.parametrize(("seconds", "published"), [(299, 0), (300, 2)])
def test_an_alert_is_left_behind_after_five_minutes(
    harness: Harness, seconds: int, published: int
) -> None:
    """Until then its look may be about to publish it."""
    harness.store_stale_alerts(since=timedelta(seconds=seconds))
    harness.run()
    assert len(harness.subscribers.published) == published


def test_an_alert_is_claimed_before_it_is_published(harness: Harness) -> None:
    """A run that stops while it publishes has pushed the alert's time: no other run has it too."""
    harness.store_stale_alerts()
    waits: list[str] = []
    harness.records.moments.before["publish"] = lambda: waits.extend(
        row["NextLookAt"] for row in harness.rows.rows.values()
    )
    harness.run()
    then, claimed = sorted(waits)
    assert instant(claimed) - instant(then) == STALE_AFTER + HELD_FOR


def test_an_alert_that_another_run_has_claimed_is_not_published(harness: Harness) -> None:
    """The index still shows it as it was."""
    harness.store_stale_alerts()
    (stale,) = harness.rows.due(Lane.ALERT, until=iso(harness.clock.now()))
    for row in stale:
        harness.rows.claim(row, until=iso(harness.clock.now()))
    harness.rows.stale = list(stale)
    harness.run()
    assert harness.subscribers.published == []


def test_two_runs_at_once_publish_nothing_twice(harness: Harness) -> None:
    """The second one, in the moment in which the first is about to publish, finds it claimed."""
    harness.store_stale_alerts()
    second = harness.followups()

    def meanwhile() -> None:
        second.run(50)

    harness.records.moments.before["publish"] = meanwhile
    harness.run()
    assert len(harness.subscribers.published) == 2


def test_an_unexpected_error_stops_no_other_alert(
    harness: Harness, output: Callable[[], Output]
) -> None:
    """A record that cannot be read is logged with its line; the other alerts are published."""
    harness.store_stale_alerts()
    harness.rows.put(
        {"MessageId": "a", "Record": "ALERT#x", "DueLane": "alert", "NextLookAt": "2026-01-01"}
    )

    class Odd(FakeRecords):
        def load(self, message_id: str) -> Record | None:
            if message_id == "a":
                raise KeyError("about anna@there.example")
            return FakeRecords.load(self, message_id)

    harness.records = Odd(records=harness.records.records)
    harness.run()
    assert len(harness.subscribers.published) == 2
    lines = output()
    assert "anna@" not in lines.text
    assert "KeyError at test_pending_alerts.py" in lines.text


def test_an_alert_whose_message_is_missing_waits(harness: Harness) -> None:
    """Its look was stopped while it was stored: the queue brings that look back."""
    harness.store_stale_alerts()
    harness.records.records.clear()
    harness.run()
    assert harness.subscribers.published == []


def test_a_line_names_the_message_and_the_alert_that_was_left_behind(
    harness: Harness, output: Callable[[], Output]
) -> None:
    """It is found by either."""
    harness.store_stale_alerts()
    harness.run()
    published = [line for line in output().logs if line["message"] == "published"]
    assert {line["message_id"] for line in published} == {MESSAGE_ID}
    assert {line["alert_id"] for line in published} == set(harness.notified)


def test_a_summary_that_was_left_behind_is_published(harness: Harness) -> None:
    """It waits in the lane of alerts, and is marked like one."""
    group = Group(AlertType.BOUNCE, Reason.ADDRESS_UNKNOWN, "zoo.example")
    _, summary = summarized(
        Surge(group, iso(START), 6, iso(START)),
        [],
        explain_reason(group.reason),
        now=START,
        surge_after=5,
    )
    key = f"ALERT#{summary.alert_id}"
    harness.records.surges.summaries[key] = summary
    then = iso(START - STALE_AFTER)
    harness.rows.put(
        {
            "MessageId": Partition.SURGES,
            "Record": key,
            "DueLane": "alert",
            "NextLookAt": then,
        }
    )
    harness.run()
    assert list(harness.notified) == [summary.alert_id]
    assert harness.records.surges.summaries[key].published_at is not None
