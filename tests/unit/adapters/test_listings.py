"""Listings and how far the list is read: the contract of the port, for the fake and the table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pytest

from ses_insights.adapters.items import from_item
from ses_insights.adapters.listings import ListingTable
from ses_insights.adapters.records import RecordTable
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.record import NotFound
from ses_insights.domain.suppression import Progress
from ses_insights.domain.times import iso
from ses_insights.service.ports import Listings, RecordChangedError, Records
from tests.support.fakes import START, Clock, FakeRecords, Moments, Table
from tests.support.fakes_feedback import FakeListings
from tests.support.samples import BOUNCES, MESSAGE_ID, OTHER_ID, bounced, found, looked
from tests.support.wire import Network, Reply, cancelled, dynamodb_error

LISTING = Listing(BOUNCES, Feedback.BOUNCE, iso(START))
PROGRESS = Progress(
    START,
    seen=frozenset({"one", "two"}),
    held_until=START + timedelta(minutes=1),
    throttled_runs=2,
    by_hour={"2026-11-23T10": 7},
)


@dataclass(frozen=True, slots=True)
class Store:
    """The table, by its two ports."""

    listings: Listings
    records: Records


@pytest.fixture(params=["fake", "table"])
def store(request: pytest.FixtureRequest) -> Store:
    """The tests' own, and the real one."""
    if request.param == "fake":
        records = FakeRecords()
        return Store(FakeListings(Moments(), records), records)
    table: Table = request.getfixturevalue("table")
    return Store(ListingTable(table.client, table.name), RecordTable(table.client, table.name))


# Progress


def test_before_the_first_run_there_is_no_progress(store: Store) -> None:
    """Nothing was read yet."""
    assert store.listings.progress() is None


def test_progress_is_read_as_it_was_saved(store: Store) -> None:
    """With the version that the next writer must have read."""
    version = store.listings.save_progress(PROGRESS)
    assert store.listings.progress() == replace(PROGRESS, version=version)


def test_versions_count_from_one(store: Store) -> None:
    """Version 0 is that of what was never stored."""
    assert store.listings.save_progress(PROGRESS) == 1
    assert store.listings.save_progress(replace(PROGRESS, version=1)) == 2


def test_progress_is_saved_over_the_version_that_was_read(store: Store) -> None:
    """Of two runs that read the same one the second is refused."""
    first = replace(PROGRESS, version=store.listings.save_progress(PROGRESS))
    later = replace(first, read_to=START + timedelta(minutes=1), held_until=None)
    store.listings.save_progress(later)
    for stale in (first, PROGRESS):
        with pytest.raises(RecordChangedError):
            store.listings.save_progress(stale)
    stored = store.listings.progress()
    assert stored is not None
    assert stored.read_to == later.read_to


# Listings


def test_a_listing_is_found_before_its_message_is_stored(store: Store) -> None:
    """Nobody enqueued it; the look that comes is the first."""
    assert store.listings.put(MESSAGE_ID, LISTING)
    assert store.records.listings(MESSAGE_ID) == (LISTING,)
    assert store.records.listings(OTHER_ID) == ()
    assert store.records.load(MESSAGE_ID) is None


def test_a_listing_is_read_with_its_message(store: Store) -> None:
    """It may come before the message's first look or after it."""
    record, _ = looked(NotFound())
    store.records.save(record, (), read=None)
    store.listings.put(MESSAGE_ID, LISTING)
    assert store.records.load(MESSAGE_ID) == replace(record, listings=(LISTING,))


def test_a_listing_that_became_the_finding_is_read_as_that(store: Store) -> None:
    """A look stores what it stands for."""
    store.listings.put(MESSAGE_ID, LISTING)
    record, _ = looked(NotFound())
    told = replace(record, listings=(replace(LISTING, is_finding=True),))
    store.records.save(told, (), read=None)
    assert store.records.load(MESSAGE_ID) == told


def test_an_alert_from_the_list_is_read_as_one(store: Store) -> None:
    """And published with the list as its source, whoever publishes it."""
    late = START + timedelta(hours=2)
    record, alerts = looked(NotFound(), replace(looked(NotFound())[0], listings=(LISTING,)))
    record, alerts = looked(NotFound(), record, now=late)
    store.records.save(record, alerts, read=None)
    stored = store.records.load(MESSAGE_ID)
    assert stored is not None
    assert stored.alerts == alerts
    assert len(alerts) == 1


def test_a_listing_that_comes_again_changes_nothing(store: Store) -> None:
    """A run that was stopped does it once more, also after the look."""
    store.listings.put(MESSAGE_ID, LISTING)
    told = replace(looked(NotFound())[0], listings=(replace(LISTING, is_finding=True),))
    store.records.save(told, (), read=None)
    assert store.listings.put(MESSAGE_ID, LISTING)
    assert store.records.load(MESSAGE_ID) == told


def test_a_newer_listing_takes_the_place_of_an_older_one(store: Store) -> None:
    """The address was taken off the list, and listed again for another reason."""
    newer = Listing(BOUNCES, Feedback.COMPLAINT, iso(START + timedelta(days=1)))
    for listing in (LISTING, newer, LISTING):
        assert store.listings.put(MESSAGE_ID, listing)
    assert store.records.listings(MESSAGE_ID) == (newer,)


def test_recipients_of_one_message_are_listed_side_by_side(store: Store) -> None:
    """Each by itself."""
    other = replace(LISTING, address="other@there.example")
    for listing in (LISTING, other):
        store.listings.put(MESSAGE_ID, listing)
    assert store.records.listings(MESSAGE_ID) == (LISTING, other)


def test_an_erased_message_takes_no_listing(store: Store) -> None:
    """Nothing of the mail is stored again."""
    record, _ = looked(found(bounced()))
    store.records.save(replace(record, erased_at=iso(START)), (), read=None)
    assert not store.listings.put(MESSAGE_ID, LISTING)
    stored = store.records.load(MESSAGE_ID)
    assert stored is not None
    assert stored.listings == ()


# The rows


def row_of(table: Table, prefix: str) -> dict[str, Any]:
    """The only row with such a key."""
    (row,) = (from_item(item) for item in table.rows() if item["Record"]["S"].startswith(prefix))
    return row


def test_a_row_says_who_is_listed_for_what_and_since_when(table: Table) -> None:
    """The index by recipient finds it, and it goes when the look that it brings has been taken."""
    ListingTable(table.client, table.name).put(MESSAGE_ID, LISTING)
    assert row_of(table, "LISTED#") == {
        "MessageId": MESSAGE_ID,
        "Record": f"LISTED#{BOUNCES}",
        "Destination": BOUNCES,
        "Reason": "BOUNCE",
        "ListedAt": iso(START),
        "LastEventAt": iso(START),
        "ExpiresAt": (START + timedelta(days=15)).timestamp(),
    }


@pytest.mark.parametrize("late", [timedelta(hours=1), timedelta(days=20)])
def test_a_row_goes_with_its_message(table: Table, late: timedelta) -> None:
    """However much later the address is listed than the mail was sent.

    The simulation found it (seed 12279 of 2026-11-26): an id that was enqueued again after its rows
    had expired was published once more for a listing that had not.
    """
    record, alerts = looked(found(bounced()))
    RecordTable(table.client, table.name).save(record, alerts, read=None)
    listing = replace(LISTING, listed_at=iso(START + late))
    ListingTable(table.client, table.name).put(MESSAGE_ID, listing)
    assert row_of(table, "LISTED#")["ExpiresAt"] == record.expires_at


def test_what_the_list_alone_shows_has_a_status(table: Table) -> None:
    """So `find`, `export` and the index by status have the recipient, too."""
    ListingTable(table.client, table.name).put(MESSAGE_ID, LISTING)
    told = replace(looked(NotFound())[0], listings=(replace(LISTING, is_finding=True),))
    RecordTable(table.client, table.name).save(told, (), read=None)
    row = row_of(table, "LISTED#")
    assert row["Status"] == "PERMANENT_BOUNCE"
    assert row["Summary"] == "SES lists the address for a bounce of this message and shows no more."
    assert row_of(table, "MESSAGE")["Summary"] == row["Summary"]


def test_the_row_of_the_progress_stays(table: Table) -> None:
    """It has no expiry, and stands in a partition that no message has."""
    ListingTable(table.client, table.name).save_progress(PROGRESS)
    row = row_of(table, "suppression-list")
    assert row["MessageId"] == "#feedback"
    assert "ExpiresAt" not in row
    assert row["ReadTo"] == iso(START)


# Failures


@pytest.fixture
def cut(table: Table, clock: Clock) -> tuple[ListingTable, Network]:
    """The table at the end of a cut wire."""
    network = Network(clock)
    network.cut(table.client.meta.events, "before-send.dynamodb")
    return ListingTable(table.client, table.name), network


THROTTLED = dynamodb_error(400, "ProvisionedThroughputExceededException")


@pytest.mark.parametrize(
    ("reply", "call"),
    [
        (THROTTLED, lambda listings: listings.progress()),
        (THROTTLED, lambda listings: listings.save_progress(PROGRESS)),
        (THROTTLED, lambda listings: listings.put(MESSAGE_ID, LISTING)),
        (
            cancelled("None", "TransactionConflict"),
            lambda listings: listings.put(MESSAGE_ID, LISTING),
        ),
    ],
)
def test_what_dynamodb_refuses_is_a_failure_of_the_system(
    cut: tuple[ListingTable, Network], reply: Reply, call: Callable[[ListingTable], object]
) -> None:
    """The next run tries again."""
    listings, network = cut
    network.will(reply)
    with pytest.raises(SystemFailure) as failed:
        call(listings)
    assert failed.value.kind is FailureKind.DYNAMODB
    assert BOUNCES not in str(failed.value)
