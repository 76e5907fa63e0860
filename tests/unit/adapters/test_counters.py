"""What arrived and what was sent again is counted once, and the counts expire."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ses_insights.adapters.counters import Counters
from ses_insights.adapters.records import RecordTable
from ses_insights.contracts.names import Partition
from ses_insights.domain.overload import hour_of
from ses_insights.domain.record import NotFound
from ses_insights.service.ports import RecordChangedError
from tests.support.fakes import START, Clock, Table
from tests.support.samples import OTHER_ID, bounced, found, looked

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SOON = timedelta(minutes=1)


def test_a_message_is_counted_with_its_first_row_only(table: Table) -> None:
    """However often it is looked at, it arrived once, in the hour of its first look."""
    clock = Clock()
    real = RecordTable(table.client, table.name, clock.now)
    counts = Counters(table.client, table.name)
    assert counts.by_hour(START) == {}
    record = looked(found(bounced()))[0]
    real.save(record, record.alerts, read=None)
    again = replace(record, looks=2)
    real.save(again, (), read=record)
    other = looked(NotFound(), message_id=OTHER_ID)[0]
    clock.advance(3600)
    real.save(other, (), read=None)
    assert counts.by_hour(START + HOUR) == {hour_of(START): 1, hour_of(START + HOUR): 1}
    assert hour_of(START) not in counts.by_hour(START + 25 * HOUR)


def test_a_row_of_counts_expires(table: Table) -> None:
    """After the day for which it is needed it goes by itself."""
    RecordTable(table.client, table.name, Clock().now).save(looked(NotFound())[0], (), read=None)
    (row,) = (row for row in table.rows() if row["MessageId"]["S"] == Partition.ARRIVALS)
    assert float(row["ExpiresAt"]["N"]) > (START + 2 * DAY).timestamp()


def test_a_first_store_that_fails_counts_nothing(table: Table) -> None:
    """Counting and storing are one."""
    real = RecordTable(table.client, table.name, Clock().now)
    record = looked(NotFound())[0]
    real.save(record, (), read=None)
    with pytest.raises(RecordChangedError):
        real.save(record, (), read=None)
    assert Counters(table.client, table.name).by_hour(START) == {hour_of(START): 1}


def test_what_is_sent_again_is_counted_by_the_minute(table: Table) -> None:
    """A run sees what the runs before it put into the queue."""
    counts = Counters(table.client, table.name)
    assert counts.sent_since(START) == 0
    counts.count_sent(60, START)
    counts.count_sent(7, START)
    counts.count_sent(5, START + 10 * SOON)
    assert counts.sent_since(START) == 72
    assert counts.sent_since(START + 5 * SOON) == 5
    assert counts.by_hour(START) == {}
