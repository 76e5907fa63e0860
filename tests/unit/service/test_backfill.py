"""Ids in bulk wait in their own lane and take the slots that are left over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ses_insights.adapters.records import RecordTable
from ses_insights.contracts.queue_message import BodyError
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import TOO_LATE
from ses_insights.domain.times import instant, iso
from ses_insights.service.backfill import WAITS_IN_BULK, Bulk
from tests.support.fakes import START, Clock, FakeRecords, Table
from tests.support.harness import Harness
from tests.support.samples import MESSAGE_ID, OTHER_ID, RULES, bounced, delivered, found, looked

DAY = timedelta(days=1)


def test_ids_in_bulk_wait_at_low_priority(table: Table) -> None:
    """Each is due now, in its own lane, and never looked at."""
    real = RecordTable(table.client, table.name)
    bulk = Bulk(real, RULES, "eu-west-1", Clock().now)
    header = f"<{OTHER_ID}@eu-west-1.amazonses.com>"
    assert list(bulk.put([MESSAGE_ID, header])) == [(MESSAGE_ID, True), (OTHER_ID, True)]
    record = real.load(MESSAGE_ID)
    assert record is not None
    assert (record.looks, record.lane, record.note) == (0, Lane.BULK, WAITS_IN_BULK)
    assert record.next_look_at == iso(START)


def test_an_id_that_is_known_stays_as_it_is(table: Table) -> None:
    """A back-fill over today's mail changes nothing of it."""
    real = RecordTable(table.client, table.name)
    record = looked(found(bounced()))[0]
    real.save(record, record.alerts, read=None)
    assert list(Bulk(real, RULES, "eu-west-1", Clock().now).put([MESSAGE_ID])) == [
        (MESSAGE_ID, False)
    ]
    assert real.load(MESSAGE_ID) == record


def test_what_is_no_id_is_not_put() -> None:
    """The mistake in the list is raised before anything of it is in the table."""
    with pytest.raises(BodyError):
        list(Bulk(FakeRecords(), RULES, "eu-west-1", Clock().now).put(["no id"]))


def test_what_came_in_bulk_stays_in_its_lane_and_loses_no_rung(harness: Harness) -> None:
    """Its later looks take slots that are left over, too."""
    harness.capacity.is_late = TOO_LATE
    harness.answers[:] = [found(delivered())]
    list(Bulk(harness.records, RULES, "eu-west-1", harness.clock.now).put([MESSAGE_ID]))
    harness.look(number=1)
    assert (harness.stored.looks, harness.stored.lane, harness.stored.shed) == (1, Lane.BULK, 0)
    assert harness.stored.next_look_at is not None
    assert instant(harness.stored.next_look_at) - instant(harness.stored.sent_at) <= DAY


def test_what_waits_in_bulk_is_looked_at_when_somebody_enqueues_it(harness: Harness) -> None:
    """It need not wait for its turn."""
    list(Bulk(harness.records, RULES, "eu-west-1", harness.clock.now).put([MESSAGE_ID]))
    assert harness.look().answer is not None


def test_an_id_of_another_region_is_noted(harness: Harness) -> None:
    """Before it is looked at: that may take days in bulk."""
    body = f"<{MESSAGE_ID}@eu-central-1.amazonses.com>"
    list(Bulk(harness.records, RULES, "eu-west-1", harness.clock.now).put([body]))
    note = harness.stored.note
    assert note is not None
    assert note.startswith("The enqueued text names the Region eu-central-1; SES is asked in ")
    assert note.endswith(WAITS_IN_BULK)


def test_an_id_of_the_own_region_needs_no_note(harness: Harness) -> None:
    """It only waits."""
    body = f"<{MESSAGE_ID}@eu-west-1.amazonses.com>"
    list(Bulk(harness.records, RULES, "eu-west-1", harness.clock.now).put([body]))
    assert harness.stored.note == WAITS_IN_BULK
