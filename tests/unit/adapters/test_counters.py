"""What was put into the queue is counted by the minute, and the counts expire."""

from __future__ import annotations

from datetime import timedelta

from ses_insights.adapters.counters import Counters
from ses_insights.contracts.names import Partition
from tests.support.fakes import START, Table

SOON = timedelta(minutes=1)


def test_what_is_sent_is_counted_by_the_minute(table: Table) -> None:
    """A run sees what the runs before it put into the queue."""
    counts = Counters(table.client, table.name)
    assert counts.sent_since(START) == 0
    counts.count_sent(60, START)
    counts.count_sent(7, START)
    counts.count_sent(5, START + 10 * SOON)
    assert counts.sent_since(START) == 72
    assert counts.sent_since(START + 5 * SOON) == 5


def test_the_whole_minute_of_the_moment_counts(table: Table) -> None:
    """And none before it."""
    counts = Counters(table.client, table.name)
    for minutes in range(4):
        counts.count_sent(10**minutes, START + minutes * SOON)
    assert counts.sent_since(START + 2 * SOON) == 1_100
    assert counts.sent_since(START + 2.5 * SOON) == 1_100


def test_a_row_of_counts_expires(table: Table) -> None:
    """After three days it goes by itself; it is needed for a quarter of an hour."""
    Counters(table.client, table.name).count_sent(60, START)
    (row,) = table.rows()
    assert row["MessageId"]["S"] == Partition.SENT
    assert float(row["ExpiresAt"]["N"]) == (START + timedelta(days=3)).timestamp()
