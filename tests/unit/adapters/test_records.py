"""Records are stored whole or not at all, over the version that was read, and read as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from ses_insights.adapters.due_index import DueIndex
from ses_insights.adapters.items import to_item
from ses_insights.adapters.records import RecordTable
from ses_insights.adapters.surges import SurgeTable
from ses_insights.contracts.rows import MESSAGE
from ses_insights.domain.alert import Alert, AlertType, pending
from ses_insights.domain.aside import step_aside
from ses_insights.domain.due import Waiting
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.insight import Bounce, Destination, Event
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.record import Found, NotFound, Record, Refused
from ses_insights.domain.surge import Group, Surge
from ses_insights.domain.times import iso
from ses_insights.service.ports import RecordChangedError, Records
from tests.support.fakes import START, Clock, FakeRecords, Table
from tests.support.samples import (
    MESSAGE_ID,
    OTHER_ID,
    RULES,
    bounced,
    complained,
    delivered,
    event,
    found,
    insights_of,
    looked,
    published,
)
from tests.support.wire import (
    GARBLED,
    ONCE,
    Network,
    Reply,
    cancelled,
    dynamodb_error,
    dynamodb_ok,
)

HOUR = timedelta(hours=1)
ADDRESS = "anna@there.example"


# The contract, for the fake as for the table


@pytest.fixture(params=["fake", "table"])
def records(request: pytest.FixtureRequest) -> Records:
    """What keeps records: the tests' own, and the real one."""
    if request.param == "fake":
        return FakeRecords()
    table: Table = request.getfixturevalue("table")
    return RecordTable(table.client, table.name)


def saved(records: Records, *destinations: Destination) -> Record:
    """A first look, stored."""
    record, alerts = looked(found(*destinations))
    records.save(record, alerts, read=None)
    return record


def by_id(record: Record) -> Record:
    """The record as it is read: alerts by their ids."""
    return replace(record, alerts=tuple(sorted(record.alerts, key=lambda alert: alert.alert_id)))


def test_an_unknown_message_has_no_record(records: Records) -> None:
    """What was never stored is None."""
    assert records.load(MESSAGE_ID) is None


@pytest.mark.parametrize(
    "record",
    [
        looked(found(bounced(), complained(), delivered()))[0],
        looked(found())[0],
        looked(NotFound())[0],
        looked(Refused())[0],
        looked(NotFound(), now=START + 10 * 24 * HOUR)[0],
        looked(found(Destination("", None, (Event("RENDERING_FAILURE"),))))[0],
    ],
    ids=["three recipients", "nobody", "not found", "refused", "final", "hardly anything"],
)
def test_a_record_is_read_as_it_was_saved(records: Records, record: Record) -> None:
    """Whatever was seen comes back, its alerts pending."""
    records.save(record, record.alerts, read=None)
    assert records.load(MESSAGE_ID) == by_id(record)


def test_messages_are_kept_apart(records: Records) -> None:
    """A record is that of one id."""
    first = saved(records, bounced())
    other, alerts = looked(
        Found(insights_of(delivered(), message_id=OTHER_ID)), message_id=OTHER_ID
    )
    records.save(other, alerts, read=None)
    assert records.load(MESSAGE_ID) == first
    assert records.load(OTHER_ID) == other


def test_a_later_look_is_saved_over_the_one_that_was_read(records: Records) -> None:
    """The record of the second look replaces the first."""
    first = saved(records, delivered())
    second, alerts = looked(found(delivered(), bounced()), first, now=START + HOUR)
    records.save(second, alerts, read=first)
    assert records.load(MESSAGE_ID) == second


def test_a_first_look_is_not_saved_over_another(records: Records) -> None:
    """Who read nothing does not overwrite what somebody stored since."""
    first = saved(records, bounced())
    late, alerts = looked(NotFound())
    with pytest.raises(RecordChangedError):
        records.save(late, alerts, read=None)
    assert records.load(MESSAGE_ID) == first


def test_a_stale_look_is_not_saved(records: Records) -> None:
    """Who read an older version stores nothing, neither record nor alerts."""
    first = saved(records, delivered())
    second, alerts = looked(found(delivered()), first, now=START + HOUR)
    records.save(second, alerts, read=first)
    stale, alerts = looked(found(delivered(), bounced()), first, now=START + 2 * HOUR)
    assert alerts
    with pytest.raises(RecordChangedError):
        records.save(stale, alerts, read=first)
    assert records.load(MESSAGE_ID) == second


def test_nothing_is_saved_over_what_was_erased(records: Records) -> None:
    """Not even by who read it before, nor by who read what is left of it."""
    first = saved(records, delivered())
    erased = replace(looked(found())[0], erased_at="2026-11-23T10:30:00.000Z", alerts=())
    records.save(erased, (), read=first)
    late, alerts = looked(found(delivered(), bounced()), first, now=START + HOUR)
    for read in (first, erased, None):
        with pytest.raises(RecordChangedError):
            records.save(late, alerts, read=read)


def test_a_look_at_what_is_gone_is_not_saved(records: Records) -> None:
    """A record that was read and has expired since is not brought back half."""
    first, _ = looked(found(delivered()))
    second, alerts = looked(found(delivered()), first, now=START + HOUR)
    with pytest.raises(RecordChangedError):
        records.save(second, alerts, read=first)
    assert records.load(MESSAGE_ID) is None


def test_a_published_alert_is_read_as_published(records: Records) -> None:
    """The mark says when and as what."""
    record = saved(records, bounced())
    (alert,) = record.alerts
    records.mark_published(MESSAGE_ID, published(alert, "sns-7", START + HOUR))
    loaded = records.load(MESSAGE_ID)
    assert loaded is not None
    assert loaded.alerts == (published(alert, "sns-7", START + HOUR),)
    assert pending(loaded.alerts) == ()


def test_only_the_published_alert_is_marked(records: Records) -> None:
    """The other alerts of the message stay pending."""
    record = saved(records, bounced(), complained())
    first, second = by_id(record).alerts
    records.mark_published(MESSAGE_ID, published(first))
    loaded = records.load(MESSAGE_ID)
    assert loaded is not None
    assert loaded.alerts == (published(first), second)


def read(records: Records) -> Alert:
    """The only alert of the message, as it is read."""
    record = records.load(MESSAGE_ID)
    assert record is not None
    (alert,) = record.alerts
    return alert


def test_a_pending_alert_is_claimed_by_one(records: Records) -> None:
    """Of two that read it the first one may publish it, and who reads it then may again."""
    saved(records, bounced())
    alert = read(records)
    assert records.claim(MESSAGE_ID, alert, at="2026-11-23T11:00:00.000Z")
    assert not records.claim(MESSAGE_ID, alert, at="2026-11-23T11:00:01.000Z")
    assert records.claim(MESSAGE_ID, read(records), at="2026-11-23T11:00:02.000Z")


def test_what_is_published_is_not_claimed(records: Records) -> None:
    """Who read it as pending before does not publish it again."""
    saved(records, bounced())
    alert = read(records)
    records.mark_published(MESSAGE_ID, published(alert))
    assert not records.claim(MESSAGE_ID, alert, at="2026-11-23T11:00:00.000Z")


def test_what_is_gone_is_not_claimed(records: Records) -> None:
    """An alert that was erased, or was never stored, is nothing to publish."""
    (alert,) = looked(found(bounced()))[1]
    assert not records.claim(MESSAGE_ID, alert, at="2026-11-23T11:00:00.000Z")
    assert records.load(MESSAGE_ID) is None


def test_a_look_leaves_the_mark_of_an_alert_alone(records: Records) -> None:
    """A record whose writer read the alert as pending does not make it pending again."""
    first = saved(records, bounced(), delivered())
    (alert,) = first.alerts
    records.mark_published(MESSAGE_ID, published(alert))
    second, new = looked(found(bounced(), delivered()), first, now=START + HOUR)
    records.save(second, new, read=first)
    loaded = records.load(MESSAGE_ID)
    assert loaded is not None
    assert loaded.alerts == (published(alert),)


def test_an_alert_that_is_not_stored_is_not_marked(records: Records) -> None:
    """A mark without its alert would be a row that says nothing; it is an error."""
    (alert,) = looked(found(bounced()))[1]
    with pytest.raises(SystemFailure) as caught:
        records.mark_published(MESSAGE_ID, published(alert))
    assert caught.value.kind is FailureKind.DYNAMODB
    assert records.load(MESSAGE_ID) is None


# What goes over the wire

Requests = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def requests(table: Table) -> Requests:
    """Every request to the table."""
    return table.noted_requests()


@pytest.fixture
def real(table: Table) -> RecordTable:
    """The real one."""
    return RecordTable(table.client, table.name)


def crowd(number: int) -> list[Destination]:
    """So many recipients who got their mail."""
    return [delivered(f"reader-{index:04}@there.example") for index in range(number)]


def transactions_of(requests: Requests) -> list[dict[str, Any]]:
    """The parameters of each transaction."""
    return [params for operation, params in requests if operation == "TransactWriteItems"]


def record_keys(transaction: Mapping[str, Any]) -> list[str]:
    """What each action of a transaction is about: the key and the kind."""
    names = []
    for action in transaction["TransactItems"]:
        ((kind, request),) = action.items()
        holder = request.get("Item") or request.get("Key")
        names.append(f"{kind} {holder['Record']['S']}")
    return names


def test_a_record_is_one_read_and_one_write(real: RecordTable, requests: Requests) -> None:
    """Record and alerts are stored in one transaction, and read in one query."""
    saved(real, bounced(), complained(), delivered())
    real.load(MESSAGE_ID)
    assert [operation for operation, _ in requests] == ["TransactWriteItems", "Query"]


def bounces(number: int) -> list[Destination]:
    """So many recipients of whom each brings two rows, its own and an alert's."""
    return [bounced(f"bounces-{index:02}@there.example") for index in range(number)]


@pytest.mark.parametrize(
    ("recipients", "transactions"),
    [(crowd(70), 1), (crowd(71), 2), (bounces(70), 2), (bounces(71), 3)],
    ids=["70 rows", "71 rows", "140 rows", "142 rows"],
)
def test_many_rows_are_stored_in_several_transactions(
    real: RecordTable, requests: Requests, recipients: list[Destination], transactions: int
) -> None:
    """No transaction has more than DynamoDB's 100 actions, and all of it comes back."""
    record = saved(real, *recipients)
    written = transactions_of(requests)
    assert len(written) == transactions
    assert max(len(params["TransactItems"]) for params in written) <= 100
    assert real.load(MESSAGE_ID) == by_id(record)


def test_the_row_with_the_version_is_written_last(real: RecordTable, requests: Requests) -> None:
    """Until everything is stored the look counts as not taken."""
    saved(real, *crowd(100))
    *earlier, last = map(record_keys, transactions_of(requests))
    assert f"Put {MESSAGE}" in last
    assert not any(f"Put {MESSAGE}" in keys for keys in earlier)
    assert earlier
    assert all(keys[0] == f"ConditionCheck {MESSAGE}" for keys in earlier)


def test_what_did_not_change_is_not_written_again(real: RecordTable, requests: Requests) -> None:
    """Of three recipients the one who bounced since has a new row, and the message has."""
    first = saved(real, *crowd(3))
    requests.clear()
    changed = replace(crowd(3)[1], events=(*crowd(3)[1].events, *bounced().events))
    second, alerts = looked(found(crowd(3)[0], changed), first, now=START + HOUR)
    real.save(second, alerts, read=first)
    ((_, params),) = requests
    (alert,) = alerts
    assert sorted(record_keys(params)) == [
        f"Put ALERT#{alert.alert_id}",
        f"Put DESTINATION#{changed.address}",
        f"Put {MESSAGE}",
    ]
    assert real.load(MESSAGE_ID) == second


def test_what_was_stored_in_part_is_written_where_it_is_missing(
    real: RecordTable, table: Table
) -> None:
    """What counts is what the table had when it was read, and not what a look once meant."""
    first = saved(real, *crowd(2))
    key = {"MessageId": MESSAGE_ID, "Record": f"DESTINATION#{crowd(2)[1].address}"}
    table.client.delete_item(TableName=table.name, Key=to_item(key))
    read = real.load(MESSAGE_ID)
    second, _ = looked(found(*crowd(2)), read, now=START + HOUR)
    real.save(second, (), read=read)
    assert first.insights.destinations == second.insights.destinations
    assert real.load(MESSAGE_ID) == second


def test_a_look_that_shows_nothing_new_is_one_plain_write(
    real: RecordTable, requests: Requests
) -> None:
    """Over the version that was read, and at half the price of a transaction."""
    first = saved(real, *crowd(3))
    requests.clear()
    second, _ = looked(found(*crowd(3)), first, now=START + HOUR)
    real.save(second, (), read=first)
    ((operation, params),) = requests
    assert operation == "PutItem"
    assert params["Item"]["Record"]["S"] == MESSAGE
    assert params["ExpressionAttributeValues"] == {":looks": {"N": "1"}}
    assert real.load(MESSAGE_ID) == second


def test_a_plain_write_that_is_tried_twice_is_one(real: RecordTable) -> None:
    """The SDK repeats it where the answer was lost: the row is there, and nobody was faster."""
    first = saved(real, delivered())
    second, _ = looked(found(delivered()), first, now=START + HOUR)
    real.save(second, (), read=first)
    real.save(second, (), read=first)
    assert real.load(MESSAGE_ID) == second
    third, _ = looked(found(delivered()), first, now=START + 2 * HOUR)
    with pytest.raises(RecordChangedError):
        real.save(third, (), read=first)


def test_a_plain_write_that_is_claimed_between_two_tries_is_one(
    real: RecordTable, table: Table
) -> None:
    """The row of the first try was due at once by the clock of a run, which moved its next look."""
    first = saved(real, delivered())
    second, _ = looked(found(delivered()), first, now=START + HOUR)
    real.save(second, (), read=first)
    assert second.next_look_at is not None
    waiting = Waiting(MESSAGE_ID, MESSAGE, second.next_look_at)
    later = START + 5 * HOUR
    assert DueIndex(table.client, table.name).claim(waiting, until=iso(later))
    real.save(second, (), read=first)
    assert real.load(MESSAGE_ID) == replace(second, next_look_at=iso(later))


def test_every_transaction_checks_the_version(real: RecordTable, requests: Requests) -> None:
    """Each part of a large record is stored only over the version that was read."""
    first = saved(real, delivered())
    requests.clear()
    second, alerts = looked(found(*crowd(100)), first, now=START + HOUR)
    real.save(second, alerts, read=first)
    checks = [
        request.get("ExpressionAttributeValues")
        for _, params in requests
        for action in params["TransactItems"]
        for request in action.values()
        if "ConditionExpression" in request
    ]
    assert checks == [{":looks": {"N": "1"}}] * 2


def test_a_large_record_is_stored_within_the_limits(real: RecordTable, requests: Requests) -> None:
    """Megabytes of diagnostic codes make more rows and transactions, none too large."""
    codes = (
        Bounce("TRANSIENT", "General", f"{number:05} " + "é" * 10_000) for number in range(200)
    )
    events = tuple(event("BOUNCE", minute, bounce=code) for minute, code in enumerate(codes))
    record = saved(real, Destination(ADDRESS, None, events), bounced())
    weights = [
        sum(len(repr(action).encode()) for action in params["TransactItems"])
        for params in transactions_of(requests)
    ]
    assert len(weights) == 2
    assert max(weights) < 3_300_000, "of four million bytes some are spare"
    requests.clear()
    assert real.load(MESSAGE_ID) == record
    assert len(requests) > 1, "a query returns at most a megabyte, so it has pages"


class CutOffError(Exception):
    """The connection is gone."""


def fails_after(table: Table, requests: int) -> Callable[[], None]:
    """Let so many transactions pass, and no further one; returns how to undo that."""
    left = iter(range(requests))

    def refuse(**_: object) -> None:
        if next(left, None) is None:
            raise CutOffError

    event_name = "before-call.dynamodb.TransactWriteItems"
    table.client.meta.events.register(event_name, refuse)
    return lambda: table.client.meta.events.unregister(event_name, refuse)


@pytest.mark.parametrize("transactions", [0, 1])
def test_a_first_look_that_was_stored_in_part_is_repeated(
    real: RecordTable, table: Table, transactions: int
) -> None:
    """After a crash between two transactions it counts as not taken: the message is due."""
    record, alerts = looked(found(*crowd(99), bounced()))
    restore = fails_after(table, transactions)
    with pytest.raises(CutOffError):
        real.save(record, alerts, read=None)
    restore()
    half = real.load(MESSAGE_ID)
    assert half is not None
    assert (half.looks, half.next_look_at) == (0, iso(START))
    assert (half.first_look_at, half.last_look_at, half.final) == (None, None, None)
    assert not half.is_settled(START, recent=HOUR)
    assert half.is_half_stored
    second, more = looked(found(*crowd(99), bounced()), half, now=START + HOUR)
    real.save(second, more, read=half)
    assert real.load(MESSAGE_ID) == by_id(second)
    assert second.looks == 1
    assert [alert.alert_id for alert in second.alerts] == [alert.alert_id for alert in alerts]


def test_a_last_look_that_was_stored_in_part_is_due(real: RecordTable, table: Table) -> None:
    """Also where the first look is the last one, as it is weeks after the send."""
    record, alerts = looked(found(*crowd(99), bounced()), now=START + 60 * 24 * HOUR)
    assert record.final
    restore = fails_after(table, 1)
    with pytest.raises(CutOffError):
        real.save(record, alerts, read=None)
    restore()
    half = real.load(MESSAGE_ID)
    assert half is not None
    assert (half.final, half.next_look_at) == (None, record.last_look_at)


def test_what_a_stopped_first_look_has_stored_is_not_found_again(
    real: RecordTable, table: Table
) -> None:
    """Its alerts keep their time: found anew, they would be in a second summary.

    The simulation found it (seed 10012 of 2026-11-26): without the message's own row they were new.
    """
    record, alerts = looked(found(*crowd(99), bounced()))
    restore = fails_after(table, 1)
    with pytest.raises(CutOffError):
        real.save(record, alerts, read=None)
    restore()
    half = real.load(MESSAGE_ID)
    _, more = looked(found(*crowd(99), bounced()), half, now=START + HOUR)
    assert alerts
    assert more == ()


def test_a_large_record_without_a_look_begins_as_due(real: RecordTable, table: Table) -> None:
    """An id at which SES fails may be listed for many recipients when it steps aside.

    The simulation found it (seed 16144 of 2026-11-26): the row had no next look and no reason.
    """
    listed = tuple(
        Listing(each.address, Feedback.BOUNCE, iso(START), is_finding=True) for each in crowd(100)
    )
    new = replace(Record.new(MESSAGE_ID, START, RULES), listings=listed)
    restore = fails_after(table, 0)
    with pytest.raises(CutOffError):
        real.save(step_aside(new, START, others_answered=False), (), read=None)
    restore()
    begun = real.load(MESSAGE_ID)
    assert begun is not None
    assert begun.next_look_at == iso(START)


def test_alerts_are_stored_before_anything_else(real: RecordTable, requests: Requests) -> None:
    """What a look that is stopped has stored is published, not only listed."""
    record, alerts = looked(found(*crowd(99), bounced()))
    real.save(record, alerts, read=None)
    first = transactions_of(requests)[0]
    put = [action["Put"]["Item"] for action in first["TransactItems"] if "Put" in action]
    assert put[0]["Record"]["S"].startswith("ALERT#")


def test_a_grouped_alert_is_stored_with_the_group_that_counts_it(
    real: RecordTable, table: Table
) -> None:
    """A look that is stopped after its first transaction leaves no alert that no summary counts.

    The simulation found it (seed 99 of 2026-11-26): the group was stored with the last one.
    """
    record, alerts = looked(found(*crowd(99), bounced()))
    group = Group(AlertType.BOUNCE, alerts[0].explanation.reason, "sender.example")
    restore = fails_after(table, 1)
    with pytest.raises(CutOffError):
        real.save(record, alerts, read=None, surges=[Surge(group, iso(START), 1, iso(START))])
    restore()
    stored = SurgeTable(table.client, table.name, timedelta(days=90)).load(group)
    assert stored is not None
    assert stored.count == 1


def test_a_later_look_that_was_stored_in_part_is_repeated(real: RecordTable, table: Table) -> None:
    """After a crash between two transactions the version is the old one and no alert is lost."""
    first = saved(real, delivered())
    everybody = [delivered(), *bounces(60)]
    second, alerts = looked(found(*everybody), first, now=START + HOUR)
    restore = fails_after(table, 1)
    with pytest.raises(CutOffError):
        real.save(second, alerts, read=first)
    restore()
    half = real.load(MESSAGE_ID)
    assert half is not None
    assert half.looks == first.looks
    assert half.is_half_stored
    third, alerts = looked(found(*everybody), half, now=START + 2 * HOUR)
    real.save(third, alerts, read=half)
    loaded = real.load(MESSAGE_ID)
    assert loaded is not None
    assert not loaded.is_half_stored
    assert {alert.alert_id for alert in pending(loaded.alerts)} == {
        alert.alert_id for alert in second.alerts
    }


def test_a_large_record_notices_a_writer_in_between(real: RecordTable, table: Table) -> None:
    """Where somebody stores between two transactions, the rest is not stored over theirs."""
    first = saved(real, delivered())
    theirs, their_alerts = looked(found(delivered(), bounced()), first, now=START + HOUR)
    ours, our_alerts = looked(found(*crowd(100)), first, now=START + HOUR)
    written = 0

    def interfere(**_: object) -> None:
        nonlocal written
        written += 1
        if written == 2:
            real.save(theirs, their_alerts, read=first)

    table.client.meta.events.register("before-call.dynamodb.TransactWriteItems", interfere)
    with pytest.raises(RecordChangedError):
        real.save(ours, our_alerts, read=first)
    loaded = real.load(MESSAGE_ID)
    assert loaded is not None
    assert (loaded.last_look_at, loaded.looks) == (theirs.last_look_at, theirs.looks)


def test_a_mark_changes_nothing_else_of_its_row(real: RecordTable, table: Table) -> None:
    """An alert's row gains when and as what it was published, and waits in no lane any more."""
    (alert,) = saved(real, bounced()).alerts
    before = {row["Record"]["S"]: row for row in table.rows()}
    real.mark_published(MESSAGE_ID, published(alert, "sns-7"))
    after = {row["Record"]["S"]: row for row in table.rows()}
    key = f"ALERT#{alert.alert_id}"
    pending = before.pop(key)
    assert pending.pop("DueLane") == {"S": "alert"}
    assert pending.pop("NextLookAt") == pending["DetectedAt"]
    assert after.pop(key) == pending | {
        "PublishedAt": {"S": "2026-11-23T10:00:00.000Z"},
        "SnsMessageId": {"S": "sns-7"},
    }
    assert after == before


# Errors


@dataclass(frozen=True, slots=True)
class Cut:
    """A table behind a cut wire."""

    records: RecordTable
    network: Network


@pytest.fixture
def cut(session: boto3.Session, clock: Clock) -> Cut:
    """DynamoDB answers with bytes of the test's choice."""
    network = Network(clock)
    client = session.client("dynamodb", config=ONCE)
    network.cut(client.meta.events, "before-send.dynamodb")
    return Cut(RecordTable(client, "Insights"), network)


RECORD, ALERTS = looked(found(bounced()))
NOTHING_NEW, _ = looked(found(bounced()), RECORD, now=START + HOUR)

OPERATIONS: dict[str, Callable[[RecordTable], object]] = {
    "Query": lambda records: records.load(MESSAGE_ID),
    "TransactWriteItems": lambda records: records.save(RECORD, ALERTS, read=None),
    "PutItem": lambda records: records.save(NOTHING_NEW, (), read=RECORD),
    "UpdateItem": lambda records: records.mark_published(MESSAGE_ID, published(ALERTS[0])),
}
URL = "https://dynamodb.eu-west-1.amazonaws.com"

TROUBLES: Sequence[tuple[Reply | BotoCoreError, FailureKind]] = [
    (dynamodb_error(400, "ProvisionedThroughputExceededException"), FailureKind.DYNAMODB),
    (dynamodb_error(400, "ThrottlingException"), FailureKind.DYNAMODB),
    (dynamodb_error(400, "RequestLimitExceeded"), FailureKind.DYNAMODB),
    (dynamodb_error(400, "ResourceNotFoundException"), FailureKind.DYNAMODB),
    (dynamodb_error(400, "TransactionInProgressException"), FailureKind.DYNAMODB),
    (dynamodb_error(500, "InternalServerError"), FailureKind.DYNAMODB),
    (dynamodb_error(503, "ServiceUnavailable"), FailureKind.DYNAMODB),
    (Reply(500, b""), FailureKind.DYNAMODB),
    (dynamodb_error(400, "AccessDeniedException"), FailureKind.ACCESS_DENIED),
    (dynamodb_error(400, "ExpiredTokenException"), FailureKind.CREDENTIALS),
    (dynamodb_error(400, "UnrecognizedClientException"), FailureKind.CREDENTIALS),
    (dynamodb_error(400, "MissingAuthenticationTokenException"), FailureKind.CREDENTIALS),
    (ReadTimeoutError(endpoint_url=URL), FailureKind.DYNAMODB),
    (ConnectTimeoutError(endpoint_url=URL), FailureKind.DYNAMODB),
    (EndpointConnectionError(endpoint_url=URL), FailureKind.DYNAMODB),
    *((reply, FailureKind.DYNAMODB) for reply in GARBLED),
]


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("trouble", "kind"), TROUBLES)
def test_a_refusal_of_dynamodb_is_a_failure_of_the_system(
    cut: Cut, operation: str, trouble: Reply | BotoCoreError, kind: FailureKind
) -> None:
    """Whatever DynamoDB refuses is named by operation and by what is to be mended."""
    cut.network.will(trouble)
    with pytest.raises(SystemFailure) as caught:
        OPERATIONS[operation](cut.records)
    assert caught.value.kind is kind
    assert str(caught.value).startswith(f"{operation}: ")


@pytest.mark.parametrize(
    "reasons",
    [["None", "TransactionConflict"], ["ProvisionedThroughputExceeded"], ["ThrottlingError"], []],
)
def test_a_transaction_that_could_not_run_now_is_a_failure_of_the_system(
    cut: Cut, reasons: list[str]
) -> None:
    """A transaction cancelled for want of capacity, or by another one, is tried again later."""
    cut.network.will(cancelled(*reasons))
    with pytest.raises(SystemFailure) as caught:
        cut.records.save(RECORD, ALERTS, read=None)
    assert caught.value.kind is FailureKind.DYNAMODB


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_condition_that_failed_means_another_writer(cut: Cut, index: int) -> None:
    """The check of the version fails as RecordChanged, whichever action carries it."""
    reasons = ["None", "None", "None"]
    reasons[index] = "ConditionalCheckFailed"
    cut.network.will(cancelled(*reasons))
    with pytest.raises(RecordChangedError):
        cut.records.save(RECORD, ALERTS, read=None)


@pytest.mark.parametrize(
    "reply",
    [
        dynamodb_error(400, "ValidationException", "Item size has exceeded the maximum"),
        cancelled("None", "ValidationError", text="Item size has exceeded the maximum"),
        # What a map with the name "__type" is answered with: https://github.com/aws/aws-sdk-js/issues/1547
        dynamodb_error(400, "SerializationException", "No assembly name on stack!"),
    ],
    ids=["request", "item", "wire"],
)
def test_a_malformed_write_is_no_failure_of_the_system(cut: Cut, reply: Reply) -> None:
    """What DynamoDB will never take must not hold up the queue: it is a fault of this program."""
    cut.network.will(reply)
    with pytest.raises(ClientError):
        cut.records.save(RECORD, ALERTS, read=None)


def test_a_failure_of_dynamodb_repeats_no_address(cut: Cut) -> None:
    """What DynamoDB writes into an error may quote the row."""
    cut.network.will(cancelled("TransactionConflict", text=f"about {ADDRESS}"))
    with pytest.raises(SystemFailure) as caught:
        cut.records.save(RECORD, ALERTS, read=None)
    assert ADDRESS not in str(caught.value)


def test_a_table_without_the_message_is_no_failure(cut: Cut) -> None:
    """An empty answer is an answer."""
    cut.network.will(dynamodb_ok(Items=[], Count=0, ScannedCount=0))
    assert cut.records.load(MESSAGE_ID) is None
