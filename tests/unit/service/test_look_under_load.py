"""A look that was due is taken once; where looks are scarce, fresh messages are set aside."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from ses_insights.adapters.counters import Counters
from ses_insights.adapters.records import RecordTable
from ses_insights.contracts.queue_message import BodyError, LookRequest, read_body
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import hour_of
from ses_insights.domain.record import Answer, NotFound, Record
from ses_insights.domain.schedule import LONGEST_WAIT, NO_WAIT, NOT_YET_LOOKED, SHED_ALL
from ses_insights.domain.status import Status
from ses_insights.domain.times import instant, iso
from ses_insights.service.backfill import WAITS_IN_BULK, Bulk
from ses_insights.service.capacity import MeasuredCapacity
from ses_insights.service.look import Look, Outcome
from ses_insights.service.ports import QueueDepth, RecordChangedError
from tests.support.fakes import (
    START,
    Clock,
    FakeRecords,
    FakeSource,
    FakeSubscribers,
    Moments,
    Table,
)
from tests.support.fakes_due import FakeCapacity, FakeQueue
from tests.support.samples import MESSAGE_ID, OTHER_ID, RULES, bounced, delivered, found, looked

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DELAY = timedelta(minutes=15)
IN_LINE = DELAY + NO_WAIT
"""A wait that shows that there is no slot to spare."""
SOON = timedelta(minutes=1)


@dataclass(slots=True)
class House:
    """A look and the world around it."""

    answers: list[Answer | Exception] = field(default_factory=lambda: [found(delivered())])
    clock: Clock = field(default_factory=Clock)
    load: FakeCapacity = field(default_factory=FakeCapacity)
    records: FakeRecords = field(default_factory=FakeRecords)
    source: FakeSource = field(init=False)

    def __post_init__(self) -> None:
        """Give SES its answers."""
        self.source = FakeSource(Moments(), self.answers)

    def look(
        self,
        *,
        waited: timedelta = IN_LINE,
        force: bool = False,
        look: int | None = None,
        due: bool = False,
    ) -> Outcome:
        """Take a look at an id that waited so long in the queue."""
        now = self.clock.now
        take = Look(
            self.source, self.records, FakeSubscribers(), RULES, now, load=self.load, delay=DELAY
        )
        return take(LookRequest(MESSAGE_ID, force, look, due), enqueued_at=now() - waited)

    @property
    def stored(self) -> Record:
        """What is in the table."""
        return self.records.records[MESSAGE_ID]


# Looks that were due


@pytest.mark.parametrize(
    ("body", "look"),
    [
        (f'{{"MessageId": "{MESSAGE_ID}", "look": 2}}', 2),
        (f'{{"MessageId": "{MESSAGE_ID}", "look": 0}}', None),
        (f'{{"MessageId": "{MESSAGE_ID}", "look": true}}', None),
        (f'{{"MessageId": "{MESSAGE_ID}", "look": "2"}}', None),
        (f'{{"MessageId": "{MESSAGE_ID}"}}', None),
        (MESSAGE_ID, None),
    ],
)
def test_a_body_can_number_its_look(body: str, look: int | None) -> None:
    """Only a number from 1 on is one; with anything else the id is one from outside."""
    assert read_body(body) == LookRequest(MESSAGE_ID, look=look)


def test_a_due_look_is_taken_once() -> None:
    """Come twice, it is taken the first time and costs no slot the second time."""
    house = House()
    house.look()
    house.clock.advance(7200)
    assert house.look(look=2).answer is not None
    assert house.look(look=2).answer is None
    assert house.stored.looks == 2
    assert len(house.source.asked) == 2


def test_a_due_look_is_taken_whatever_else_is_known() -> None:
    """Just looked at, or claimed until an hour from now: its number alone decides."""
    house = House()
    house.look()
    assert house.look(look=2).answer is not None


def test_a_due_look_is_never_set_aside() -> None:
    """It was planned, and what it finds is what the message is kept for."""
    house = House()
    house.load = FakeCapacity(looks=0.0, long_line=True)
    record = looked(NotFound())[0]
    house.records.records[MESSAGE_ID] = replace(record, looks=0, last_look_at=None)
    house.clock.advance(3 * 86_400)
    assert house.look(waited=2 * DAY, look=1).answer is not None


# Too many


def test_a_first_look_the_load_does_not_leave_is_moved() -> None:
    """No call to SES; the row waits among the kept ones, says so, and is counted."""
    house = House()
    house.load.looks = 0.999_999
    outcome = house.look()
    assert house.source.asked == []
    assert outcome.is_postponed
    assert outcome.shed == 3
    record = house.stored
    assert (record.looks, record.status, record.lane) == (0, Status.NOT_FOUND, Lane.ESSENTIAL)
    assert record.note == NOT_YET_LOOKED
    assert record.next_look_at == iso(START - IN_LINE + 3 * DAY)
    assert record.first_look_at is None


def test_a_slot_to_spare_is_used() -> None:
    """An id whose turn comes at once is looked at, whatever the load leaves it."""
    house = House()
    house.load.looks = 0.0
    assert house.look(waited=DELAY).answer is not None


def test_a_message_for_which_no_look_is_left_ends_and_says_so() -> None:
    """Nobody waits for it, and its row tells why."""
    house = House()
    house.load.looks = 0.0
    outcome = house.look()
    assert outcome.record.final == SHED_ALL
    assert outcome.shed == 7
    assert house.source.asked == []


def test_whoever_waited_too_long_in_a_long_line_is_moved() -> None:
    """A burst faster than the counts show: those behind come first."""
    house = House()
    house.load.long_line = True
    assert house.look(waited=DELAY + LONGEST_WAIT + SOON).is_postponed


@pytest.mark.parametrize("waited", [DELAY + LONGEST_WAIT + SOON, 2 * DAY])
def test_whoever_waited_for_another_reason_is_looked_at(waited: timedelta) -> None:
    """After an outage a short line is worked off as it is: nobody is moved by three days."""
    assert House().look(waited=waited).answer is not None


def test_who_enqueues_can_force_a_look_under_load() -> None:
    """With force the message is looked at, now or after it was set aside."""
    house = House()
    house.load.looks = 0.0
    house.look()
    assert house.look(force=True).answer is not None
    assert house.stored.looks == 1
    assert house.stored.first_look_at == iso(START)


def test_what_was_set_aside_is_not_looked_at_when_it_comes_again() -> None:
    """An id enqueued twice in a crowd costs no slot; at its time it is looked at."""
    house = House()
    house.load.looks = 0.999_999
    house.look()
    house.load.looks = math.inf
    assert house.look().answer is None
    house.clock.advance(3 * 86_400)
    outcome = house.look(look=1)
    assert outcome.answer is not None
    assert house.stored.note is None


@pytest.mark.parametrize("looks", [0.0, 0.999_999], ids=["given up", "moved by three days"])
def test_a_bounce_that_ses_publishes_is_worth_a_slot_under_load(looks: float) -> None:
    """What was set aside is looked at once SES says that there is something to see."""
    house = House([found(bounced())])
    house.load.looks = looks
    assert house.look().is_postponed
    assert house.look(due=True).answer is not None
    assert house.stored.status is Status.PERMANENT_BOUNCE


def test_a_bounce_of_an_unknown_message_is_looked_at_under_load() -> None:
    """Its id never came, or comes later: the event alone is worth the slot."""
    house = House([found(bounced())])
    house.load.looks = 0.0
    assert house.look(due=True).answer is not None


def test_rungs_the_load_does_not_leave_are_counted() -> None:
    """A first look that is taken tells how many later ones were given up."""
    house = House()
    house.load.looks = 2.0
    outcome = house.look()
    assert outcome.shed == 2
    assert house.stored.shed == 2
    assert house.stored.lane is Lane.ESSENTIAL


def test_a_message_set_aside_can_be_stored(table: Table) -> None:
    """Its row is in the index, and reads back as it was."""
    house = House()
    house.load.looks = 0.999_999
    record = house.look().record
    real = RecordTable(table.client, table.name)
    real.save(record, (), read=None)
    assert real.load(MESSAGE_ID) == record


# How scarce looks are


@dataclass(slots=True)
class CountedArrivals:
    """So many in this hour, and how often somebody asked."""

    arrivals: int
    asked: int = 0

    def by_hour(self, now: object) -> dict[str, int]:
        """Tell it."""
        del now
        self.asked += 1
        return {hour_of(START): self.arrivals}


@dataclass(slots=True)
class CountedQueue(FakeQueue):
    """A queue, and how often somebody asked for its length."""

    asked: int = 0

    def depth(self) -> QueueDepth:
        """Tell it."""
        self.asked += 1
        return QueueDepth(self.visible, self.delayed, self.in_flight)


def test_the_counts_are_read_once_a_minute() -> None:
    """At one look a second that is one read in sixty looks."""
    clock, arrivals = Clock(), CountedArrivals(43_200)
    load = MeasuredCapacity(arrivals, FakeQueue(), 1.0, clock.now)
    for _ in range(120):
        assert 1.5 < load.looks_per_message() <= 2.0
        clock.advance(1)
    assert arrivals.asked == 2
    clock.advance(-3600)
    load.looks_per_message()
    assert arrivals.asked == 3


def test_the_line_is_asked_for_only_where_somebody_waited_long() -> None:
    """Most looks cost no call for it."""
    clock, queue = Clock(), CountedQueue(visible=3_601)
    load = MeasuredCapacity(CountedArrivals(1), queue, 1.0, clock.now)
    assert not load.line_is_long(LONGEST_WAIT)
    assert queue.asked == 0
    assert load.line_is_long(LONGEST_WAIT + SOON)
    assert load.line_is_long(LONGEST_WAIT + SOON)
    assert queue.asked == 1
    clock.advance(61)
    queue.visible = 3_600
    assert not load.line_is_long(LONGEST_WAIT + SOON)


# What came in


def test_a_message_is_counted_with_its_first_row_only(table: Table) -> None:
    """However often it is looked at, it came in once, in the hour of its first look."""
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
    (row,) = (row for row in table.rows() if row["MessageId"]["S"] == "#load")
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


# In bulk


def test_ids_in_bulk_wait_at_low_priority(table: Table) -> None:
    """Each is due now, in its own lane, never looked at, and no load."""
    real = RecordTable(table.client, table.name, Clock().now)
    bulk = Bulk(real, RULES, Clock().now)
    header = f"<{OTHER_ID}@eu-west-1.amazonses.com>"
    assert list(bulk.put([MESSAGE_ID, header])) == [(MESSAGE_ID, True), (OTHER_ID, True)]
    record = real.load(MESSAGE_ID)
    assert record is not None
    assert (record.looks, record.lane, record.note) == (0, Lane.BULK, WAITS_IN_BULK)
    assert record.next_look_at == iso(START)
    assert Counters(table.client, table.name).by_hour(START) == {}


def test_an_id_that_is_known_stays_as_it_is(table: Table) -> None:
    """A back-fill over today's mail changes nothing of it."""
    real = RecordTable(table.client, table.name, Clock().now)
    record = looked(found(bounced()))[0]
    real.save(record, record.alerts, read=None)
    assert list(Bulk(real, RULES, Clock().now).put([MESSAGE_ID])) == [(MESSAGE_ID, False)]
    assert real.load(MESSAGE_ID) == record


def test_what_is_no_id_is_not_put() -> None:
    """The list's mistake is told before it is in the table."""
    with pytest.raises(BodyError):
        list(Bulk(FakeRecords(), RULES, Clock().now).put(["no id"]))


def test_what_came_in_bulk_stays_in_its_lane_and_loses_no_rung() -> None:
    """Its later looks take slots that are left over, too."""
    house = House()
    house.load.looks = 1.0
    list(Bulk(house.records, RULES, house.clock.now).put([MESSAGE_ID]))
    house.look(look=1)
    assert (house.stored.looks, house.stored.lane, house.stored.shed) == (1, Lane.BULK, 0)
    assert house.stored.next_look_at is not None
    assert instant(house.stored.next_look_at) - instant(house.stored.sent_at) <= DAY


def test_what_waits_in_bulk_is_looked_at_when_somebody_enqueues_it() -> None:
    """It need not wait for its turn."""
    house = House()
    list(Bulk(house.records, RULES, house.clock.now).put([MESSAGE_ID]))
    assert house.look().answer is not None
