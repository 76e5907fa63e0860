"""The lanes: the contract of `DueRows`, for the one in memory and for the real index."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from json import loads
from typing import Any, cast

import boto3
import pytest

from ses_insights.adapters.due_index import DueIndex
from ses_insights.adapters.items import from_item, to_item
from ses_insights.domain.due import Waiting
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import Drop, Reschedule
from ses_insights.domain.times import iso
from ses_insights.service.ports import DueRows
from tests.support.fakes import START, Clock, Table
from tests.support.fakes_due import FakeDueRows, Row, message
from tests.support.wire import ONCE, Network, dynamodb_ok

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NOW, LATER = iso(START), iso(START + HOUR)
A, B, C = (message(name, Lane.FOLLOW_UP, START - n * MINUTE, HOUR) for n, name in enumerate("abc"))


class Lanes:
    """Rows in lanes, and both ways to see them."""

    def __init__(self, rows: DueRows, put: Callable[[Row], None], get: Callable[[str], Row]):
        self.rows, self._put, self.get = rows, put, get

    def put(self, *rows: Row) -> Lanes:
        """Put rows into the table."""
        for row in rows:
            self._put(dict(row))
        return self

    def due(self, lane: Lane = Lane.FOLLOW_UP) -> list[Waiting]:
        """Who is due now."""
        return [row for page in self.rows.due(lane, until=NOW) for row in page]


@pytest.fixture(params=["memory", "dynamodb"])
def lanes(request: pytest.FixtureRequest) -> Lanes:
    """Empty lanes."""
    if request.param == "memory":
        fake = FakeDueRows()
        return Lanes(fake, fake.put, lambda name: fake.rows[name, "MESSAGE"])
    table: Table = request.getfixturevalue("table")

    def put(row: Row) -> None:
        table.client.put_item(TableName=table.name, Item=to_item(row))

    def get(name: str) -> Row:
        key: dict[str, Any] = {"MessageId": {"S": name}, "Record": {"S": "MESSAGE"}}
        item = table.client.get_item(TableName=table.name, Key=key)["Item"]
        return from_item(item)

    return Lanes(DueIndex(table.client, table.name), put, get)


def waiting(row: Row) -> Waiting:
    """The row as the index shows it."""
    return Waiting(row["MessageId"], row["Record"], row["NextLookAt"])


def waiting_key(row: Row) -> Row:
    """The key of the row in the table."""
    return {name: row[name] for name in ("MessageId", "Record")}


def test_who_is_due_comes_oldest_first(lanes: Lanes) -> None:
    """Only those of the lane, and only those whose time has come."""
    later = message("d", Lane.FOLLOW_UP, START + MINUTE, HOUR)
    other = message("e", Lane.ESSENTIAL, START - HOUR, HOUR)
    lanes.put(A, B, C, later, other)
    assert lanes.due() == [waiting(C), waiting(B), waiting(A)]
    assert lanes.due(Lane.ESSENTIAL) == [waiting(other)]
    assert lanes.due(Lane.BULK) == []


def test_many_come_in_pages(lanes: Lanes) -> None:
    """Each page is no longer than what `details` takes, and nobody is left out."""
    rows = [message(f"m{n:03}", Lane.BULK, START - n * MINUTE, HOUR) for n in range(201)]
    lanes.put(*rows)
    pages = list(lanes.rows.due(Lane.BULK, until=NOW))
    assert max(map(len, pages)) <= 100
    assert [row for page in pages for row in page] == [waiting(row) for row in reversed(rows)]


@pytest.mark.parametrize(("most", "counted"), [(10, 3), (3, 3), (2, 2)])
def test_due_rows_are_counted_up_to_a_bound(lanes: Lanes, most: int, counted: int) -> None:
    """A count reads no more than it has to."""
    lanes.put(A, B, C, message("d", Lane.FOLLOW_UP, START + MINUTE, HOUR))
    assert lanes.rows.count(Lane.FOLLOW_UP, until=NOW, most=most) == counted


def test_the_oldest_is_who_has_been_due_for_longest(lanes: Lanes) -> None:
    """Of the lane; where nobody is due in it there is none."""
    lanes.put(A, B, C, message("d", Lane.ESSENTIAL, START + MINUTE, HOUR))
    assert lanes.rows.oldest(Lane.FOLLOW_UP, until=NOW) == waiting(C)
    assert lanes.rows.oldest(Lane.ESSENTIAL, until=NOW) is None


def test_what_sorts_after_every_time_is_found(lanes: Lanes) -> None:
    """A row that would wait for ever is found by who looks beyond all valid times."""
    bad = {**A, "NextLookAt": "soon"}
    lanes.put(bad, B)
    assert lanes.rows.beyond(Lane.FOLLOW_UP, after=LATER) == [waiting(bad)]


def test_what_sorts_after_every_time_comes_by_pages(lanes: Lanes) -> None:
    """The last ones first, a hundred at most; the next run finds the others."""
    rows = [{**A, "MessageId": f"m{n:03}", "NextLookAt": f"soon {n:03}"} for n in range(101)]
    lanes.put(*rows)
    found = lanes.rows.beyond(Lane.FOLLOW_UP, after=LATER)
    assert found == [waiting(row) for row in reversed(rows[1:])]


def test_details_are_those_of_the_message(lanes: Lanes) -> None:
    """Looks and times as they are now; what is gone is left out."""
    lanes.put(A, {**B, "Looks": 4})
    gone = Waiting("gone", "MESSAGE", NOW)
    known = lanes.rows.details([waiting(A), waiting(B), waiting(B), gone])
    assert {name: row.looks for name, row in known.items()} == {"a": 1, "b": 4}
    assert known["a"].sent_at == START - HOUR
    assert known["a"].next_look_at == A["NextLookAt"]
    assert lanes.rows.details([]) == {}


def test_a_row_is_claimed_once(lanes: Lanes) -> None:
    """Of two who read the same, one gets it."""
    lanes.put(A)
    assert lanes.rows.claim(waiting(A), until=LATER)
    assert not lanes.rows.claim(waiting(A), until=iso(START + 2 * HOUR))
    assert lanes.get("a")["NextLookAt"] == LATER
    assert lanes.due() == []


def test_a_claim_is_released(lanes: Lanes) -> None:
    """It is due again as it was; a claim that has ended is left alone."""
    lanes.put(A)
    lanes.rows.claim(waiting(A), until=LATER)
    assert lanes.rows.release(waiting(A), claimed_until=LATER)
    assert lanes.due() == [waiting(A)]
    assert not lanes.rows.release(waiting(A), claimed_until=LATER)


def test_who_is_gone_cannot_be_claimed(lanes: Lanes) -> None:
    """And is not brought back by trying."""
    assert not lanes.rows.claim(waiting(A), until=LATER)
    assert lanes.due() == []


def test_a_row_moves_on(lanes: Lanes) -> None:
    """Another time, another lane, a note, and the looks it lost, summed up."""
    lanes.put({**A, "Shed": 1})
    moved = Reschedule(iso(START - HOUR), Lane.ESSENTIAL, shed=2, note="Not yet.")
    assert lanes.rows.apply(waiting(A), moved)
    row = lanes.get("a")
    assert (row["DueLane"], row["Note"], row["Shed"]) == ("keep", "Not yet.", 3)
    assert lanes.due() == []
    assert [row.next_look_at for row in lanes.due(Lane.ESSENTIAL)] == [iso(START - HOUR)]
    assert not lanes.rows.apply(waiting(A), moved)


def test_a_row_that_only_changes_lanes_loses_no_look(lanes: Lanes) -> None:
    """Nothing is counted where nothing is given up."""
    lanes.put(A)
    assert lanes.rows.apply(
        waiting(A), Reschedule(A["NextLookAt"], Lane.ESSENTIAL, shed=0, note=None)
    )
    assert not lanes.get("a").get("Shed")
    assert "Note" not in lanes.get("a")


def test_a_row_ends(lanes: Lanes) -> None:
    """It says why, and is in no lane any more."""
    lanes.put({**A, "Note": "Not yet."})
    assert lanes.rows.apply(waiting(A), Drop("Enough.", shed=4))
    row = lanes.get("a")
    assert (row["Final"], row["Shed"]) == ("Enough.", 4)
    assert not row.get("NextLookAt")
    assert not row.get("DueLane")
    assert lanes.due() == []


# What goes over the wire


@pytest.fixture
def network(clock: Clock) -> Network:
    """The end of the wire."""
    return Network(clock)


@pytest.fixture
def cut(session: boto3.Session, network: Network) -> DueIndex:
    """The real index, at the end of the cut wire."""
    client = session.client("dynamodb", config=ONCE)
    network.cut(client.meta.events, "before-send.dynamodb")
    return DueIndex(client, "Insights")


def asked(network: Network) -> list[dict[str, Any]]:
    """What each request says."""
    return [loads(cast("bytes", request.body)) for request in network.requests]


def test_a_count_goes_over_pages(cut: DueIndex, network: Network) -> None:
    """Each page begins where the one before it has ended, and counts only what is left to count."""
    last = to_item({**waiting_key(A), "DueLane": "bulk", "NextLookAt": NOW})
    network.will(
        dynamodb_ok(Count=60, LastEvaluatedKey=last),
        dynamodb_ok(Count=20, LastEvaluatedKey=last),
        dynamodb_ok(Count=5),
    )
    assert cut.count(Lane.BULK, until=NOW, most=100) == 85
    pages = asked(network)
    assert [page["Limit"] for page in pages] == [100, 40, 20]
    assert [page.get("ExclusiveStartKey") for page in pages] == [None, last, last]


def test_a_count_ends_at_its_bound(cut: DueIndex, network: Network) -> None:
    """However many rows more there are."""
    network.will(dynamodb_ok(Count=60, LastEvaluatedKey=to_item(waiting_key(A))))
    assert cut.count(Lane.BULK, until=NOW, most=60) == 60
    assert len(network.requests) == 1


def test_the_oldest_is_one_row_read(cut: DueIndex, network: Network) -> None:
    """DynamoDB charges for what is read."""
    network.will(dynamodb_ok(Items=[]))
    cut.oldest(Lane.BULK, until=NOW)
    assert [page["Limit"] for page in asked(network)] == [1]


def test_what_dynamodb_leaves_out_under_load_is_left_out(cut: DueIndex, network: Network) -> None:
    """It stays due: another run reads it."""
    unread = {"Insights": {"Keys": [to_item(waiting_key(A))]}}
    network.will(dynamodb_ok(Responses={}, UnprocessedKeys=unread))
    assert cut.details([waiting(A)]) == {}
