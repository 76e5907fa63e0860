"""Whoever decides by what the table holds reads it as it is now, and not as it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from ses_insights.adapters.counters import Counters
from ses_insights.adapters.due_index import DueIndex
from ses_insights.adapters.listings import ListingTable
from ses_insights.adapters.records import RecordTable
from ses_insights.adapters.surges import SurgeTable
from ses_insights.contracts.rows import MESSAGE
from ses_insights.domain.due import Waiting
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.surge import Example
from ses_insights.domain.times import iso
from tests.support.fakes import START, Table
from tests.support.samples import BOUNCES, MESSAGE_ID

NOW = iso(START)
LISTING = Listing(BOUNCES, Feedback.BOUNCE, NOW)
NOBODY = "nobody"
"""The key of a row that is not there."""


def records(table: Table) -> RecordTable:
    """Records in the table."""
    return RecordTable(table.client, table.name)


def listings(table: Table) -> ListingTable:
    """Listings in the table."""
    return ListingTable(table.client, table.name)


def surges(table: Table) -> SurgeTable:
    """Groups and summaries in the table."""
    return SurgeTable(table.client, table.name, retention=timedelta(days=90))


READS: dict[str, Callable[[Table], object]] = {
    "a record": lambda table: records(table).load(MESSAGE_ID),
    "listings of a message": lambda table: records(table).listings(MESSAGE_ID),
    "how far the list is read": lambda table: listings(table).progress(),
    "until when a listing is kept": lambda table: listings(table).put(MESSAGE_ID, LISTING),
    "due messages": lambda table: DueIndex(table.client, table.name).details(
        [Waiting(MESSAGE_ID, MESSAGE, NOW)]
    ),
    "what was sent": lambda table: Counters(table.client, table.name).sent_since(START),
    "a group": lambda table: surges(table).load_key(NOBODY),
    "a summary": lambda table: surges(table).load_summary(NOBODY),
    "recipients of examples": lambda table: surges(table).destinations(
        [Example(MESSAGE_ID, NOBODY)]
    ),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_the_table_is_read_consistently(table: Table, read: Callable[[Table], object]) -> None:
    """A function sees what another one stored a moment ago."""
    requests = table.noted_requests()
    read(table)
    operation, asked = requests[0]
    assert operation in {"Query", "BatchGetItem"}
    assert asked.get("RequestItems", {table.name: asked})[table.name]["ConsistentRead"] is True
