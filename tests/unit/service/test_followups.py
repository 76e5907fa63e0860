"""A run publishes what was left behind, and puts due looks into the line, each once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
from aws_lambda_powertools import Logger, Metrics

from ses_insights.contracts.rows import alert_key
from ses_insights.domain.alert import pending
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.schedule import SHED_ALL, SHED_REST, Ladder
from ses_insights.domain.times import instant, iso
from ses_insights.service.followups import (
    CLAIMED_FOR,
    MOST_JUDGED,
    RUN_EVERY,
    STALE_AFTER,
    FollowUps,
)
from ses_insights.service.outbox import Outbox
from ses_insights.service.telemetry import FollowUpTelemetry
from tests.support.fakes import START, Clock, FakeRecords, FakeSubscribers
from tests.support.fakes_due import FakeCapacity, FakeCounters, FakeDueRows, FakeQueue, Row, message
from tests.support.house import Told
from tests.support.samples import MESSAGE_ID, bounced, complained, found, looked

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DELAY = timedelta(minutes=15)
LATE = timedelta(hours=13)
"""For so long due that it is asked again whether there is room."""
SECONDS = 50.0
SERVICE = "followups"
DOWN = SystemFailure(FailureKind.SQS, "SendMessageBatch: Throttled")


@dataclass(slots=True)
class House:
    """The function's inside, with everything outside in memory."""

    clock: Clock = field(default_factory=Clock)
    rows: FakeDueRows = field(default_factory=FakeDueRows)
    queue: FakeQueue = field(default_factory=FakeQueue)
    counts: FakeCounters = field(default_factory=FakeCounters)
    load: FakeCapacity = field(default_factory=FakeCapacity)
    records: FakeRecords = field(default_factory=FakeRecords)
    subscribers: FakeSubscribers = field(default_factory=FakeSubscribers)
    delay: timedelta = DELAY

    def __post_init__(self) -> None:
        """Let the rows share the clock."""
        self.rows.clock = self.clock

    def followups(self) -> FollowUps:
        """Put the parts together as `followups.wire` does."""
        return FollowUps(
            rows=self.rows,
            queue=self.queue,
            records=self.records,
            outbox=Outbox(self.records, self.subscribers, self.clock.now),
            counts=self.counts,
            load=self.load,
            ladder=Ladder(),
            period=1.0,
            delay=self.delay,
            telemetry=FollowUpTelemetry(Logger(), Metrics()),
            now=self.clock.now,
            clock=self.clock.read,
        )

    def run(self, seconds: float = SECONDS) -> None:
        """Do one run."""
        followups = self.followups()
        try:
            followups.run(seconds)
        finally:
            followups.telemetry.flush()

    def row(self, message_id: str) -> Row:
        """What the table says of a message."""
        return self.rows.rows[message_id, "MESSAGE"]


@pytest.fixture
def house(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> House:
    """A house in which everything works."""
    del capsys  # in place before the logger takes its stream
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", SERVICE)
    monkeypatch.delitem(logging.Logger.manager.loggerDict, SERVICE, raising=False)
    return House()


def due(
    name: str,
    lane: Lane = Lane.FOLLOW_UP,
    *,
    since: timedelta = MINUTE,
    age: timedelta = 2 * HOUR,
    looks: int = 1,
) -> Row:
    """A message that is due for so long, for the rung at this age."""
    return message(name, lane, START - since, age, looks)


# Who is due


def test_who_is_due_is_sent_with_the_number_of_its_look(house: House) -> None:
    """A message looked at twice is sent as its third look; who is not due yet is left alone."""
    house.rows.put(due("now", looks=2), message("later", Lane.FOLLOW_UP, START + MINUTE, HOUR))
    house.run()
    assert [(claim.row.message_id, claim.look) for claim in house.queue.sent] == [("now", 3)]
    assert house.row("later")["NextLookAt"] == iso(START + MINUTE)


def test_lanes_are_served_by_worth_and_each_oldest_first(house: House) -> None:
    """First the kept looks, then the others, then what came in bulk."""
    house.rows.put(
        due("bulk", Lane.BULK, since=9 * DAY),
        due("old", since=3 * HOUR),
        due("young", since=HOUR),
        due("kept young", Lane.ESSENTIAL, since=MINUTE, age=3 * DAY),
        due("kept old", Lane.ESSENTIAL, since=HOUR, age=3 * DAY),
    )
    house.run()
    assert house.queue.ids == ["kept old", "kept young", "old", "young", "bulk"]


def test_looks_join_the_line_in_batches_of_ten(house: House) -> None:
    """As few calls as SQS allows."""
    house.rows.put(*(due(f"m{number:02}") for number in range(23)))
    house.run()
    assert house.queue.batches == [10, 10, 3]


def test_a_run_adds_what_a_minute_can_serve_and_no_more(house: House) -> None:
    """Sixty a run at one a second, so that what becomes visible is spread."""
    house.rows.put(*(due(f"m{number:03}", since=HOUR) for number in range(200)))
    house.run()
    assert len(house.queue.sent) == 60
    house.clock.advance(RUN_EVERY.total_seconds())
    house.run()
    assert len(set(house.queue.ids)) == len(house.queue.ids) == 120


@pytest.mark.parametrize("full", ["visible", "delayed", "in_flight"])
def test_a_full_line_gets_nothing(house: House, full: str) -> None:
    """Fresh ids come first: nothing is added to what one look a second cannot serve."""
    setattr(house.queue, full, 5_000)
    house.rows.put(due("now"))
    house.run()
    assert house.queue.sent == []
    assert house.row("now")["NextLookAt"] == iso(START - MINUTE)


def test_bulk_gets_only_what_is_left(house: House) -> None:
    """With one slot for two, the one that is no bulk has it."""
    house.rows.put(*(due(f"b{number:03}", Lane.BULK, since=DAY) for number in range(100)))
    house.rows.put(*(due(f"f{number:02}") for number in range(59)))
    house.run()
    assert [name for name in house.queue.ids if name.startswith("b")] == ["b000"]


# Claims


def test_a_claim_that_was_never_looked_at_is_due_again(house: House) -> None:
    """The message may be lost: an hour after it should be visible, it is sent anew."""
    house.rows.put(due("now"))
    house.run()
    again = instant(house.row("now")["NextLookAt"])
    assert again == START + DELAY + CLAIMED_FOR
    house.clock.advance((again - START).total_seconds())
    house.run()
    assert house.queue.ids == ["now", "now"]
    first, second = house.queue.sent
    assert first.look == second.look
    assert first.row != second.row, "else SQS would take it for a duplicate"


def test_two_runs_at_once_send_nothing_twice(house: House) -> None:
    """Both read the same rows; each row belongs to the one that claims it first."""
    house.rows.put(*(due(f"m{number:02}") for number in range(30)))
    before = [*house.rows.due(Lane.FOLLOW_UP, until=iso(START))]
    house.run()
    # The second run's index shows what the first one read.
    house.rows.stale = [row for page in before for row in page]
    house.run()
    assert sorted(house.queue.ids) == sorted({*house.queue.ids})
    assert len(house.queue.sent) == 30


def test_a_row_that_changes_between_reading_and_claiming_is_not_sent(house: House) -> None:
    """Somebody else claims right after the details were read: this run loses the row."""
    house.rows.put(due("now"))
    details = house.rows.details

    class Beaten(FakeDueRows):
        def details(self, rows):  # type: ignore[no-untyped-def] # as the one it stands for
            known = details(rows)
            for row in rows:
                house.rows.claim(row, until=iso(START + HOUR))
            return known

    beaten = Beaten(rows=house.rows.rows)
    house.rows = beaten
    house.run()
    assert house.queue.sent == []


def test_refused_entries_are_due_again_at_once(house: House, told: Callable[[], Told]) -> None:
    """What the queue does not take keeps its time, and the next run sends it."""
    house.rows.put(*(due(f"m{number}") for number in range(5)))
    house.queue.refuses = {"m1", "m3"}
    house.run()
    assert house.queue.ids == ["m0", "m2", "m4"]
    for name in ("m1", "m3"):
        assert house.row(name)["NextLookAt"] == iso(START - MINUTE)
    lines = told()
    assert sum(lines.metrics["Refused", (("service", "followups"),)]) == 2
    assert sum(lines.metrics["Sent", (("service", "followups"),)]) == 3
    house.queue.refuses = set()
    house.run()
    assert sorted(house.queue.ids) == ["m0", "m1", "m2", "m3", "m4"]


def test_a_batch_that_fails_is_due_again_and_told(house: House, told: Callable[[], Told]) -> None:
    """SQS is down: nothing is lost, and the run fails so that its alarm hears of it."""
    house.rows.put(*(due(f"m{number}") for number in range(5)))
    house.queue.failure = DOWN
    with pytest.raises(SystemFailure, match="SendMessageBatch"):
        house.run()
    assert {row["NextLookAt"] for row in house.rows.rows.values()} == {iso(START - MINUTE)}
    lines = told()
    assert sum(lines.metrics["SystemFailures", (("kind", "Sqs"), ("service", "followups"))]) == 1
    assert sum(lines.metrics["Runs", (("service", "followups"),)]) == 1


def test_what_dynamodb_leaves_out_stays_due(house: House) -> None:
    """A row that could not be read is served by the next run; the others are served now."""
    house.rows.put(due("slow"), due("quick"))
    house.rows.left_out = {"slow"}
    house.run()
    assert house.queue.ids == ["quick"]
    house.rows.left_out = set()
    house.run()
    assert house.queue.ids == ["quick", "slow"]


# Rows that wait for no time


@pytest.mark.parametrize(
    "bad", ["soon", "0", " ", "2026-11-23", "2026-13-01T00:00:00.000Z", "9999-01-01T00:00:00.000Z"]
)
@pytest.mark.parametrize("lane", LOOK_LANES)
def test_a_row_that_waits_for_no_time_is_set_right(
    house: House, bad: str, lane: Lane, told: Callable[[], Told]
) -> None:
    """It is told, is looked at in this run or the next, and stops nobody else."""
    house.rows.put({**due("bad", lane), "NextLookAt": bad}, due("good"))
    house.run()
    house.clock.advance(1)
    house.run()
    assert sorted(house.queue.ids) == ["bad", "good"]
    lines = told()
    assert sum(lines.metrics["BadRows", (("service", "followups"),)]) == 1


@pytest.mark.parametrize("bad", ["0", "soon"])
def test_an_alert_that_waits_for_no_time_is_published(house: House, bad: str) -> None:
    """However its time was spoilt, in minutes it is told."""
    left_behind(house)
    for row in house.rows.rows.values():
        row["NextLookAt"] = bad
    house.run()
    house.clock.advance(STALE_AFTER.total_seconds())
    house.run()
    assert len(house.subscribers.published) == 2


@pytest.mark.parametrize("field_", ["SentAt", "Looks"])
@pytest.mark.parametrize("bad", [None, "x", -1, 1.5])
def test_a_row_changed_by_hand_is_looked_at_all_the_same(
    house: House, field_: str, bad: object
) -> None:
    """What it does not say of its age or its looks holds up nobody, not even itself."""
    house.load.looks = 1.5
    house.rows.put({**due("odd"), field_: bad})
    house.rows.put(due("good", age=3 * DAY, lane=Lane.ESSENTIAL))
    house.run()
    assert "good" in house.queue.ids


# Too many


def test_a_hundred_thousand_due_rows_are_worked_by_pages(house: House) -> None:
    """Each run reads as many pages as it needs for its sixty, and the next run goes on."""
    house.rows.put(*(due(f"m{number:06}", since=DAY) for number in range(100_000)))
    for _ in range(5):
        house.rows.calls = 0
        house.run()
        assert house.rows.calls < 100
        house.clock.advance(RUN_EVERY.total_seconds())
    assert len({*house.queue.ids}) == len(house.queue.ids) == 300


def test_a_hundred_thousand_rows_to_give_up_stop_before_the_time_out(
    house: House, told: Callable[[], Told]
) -> None:
    """A run with too much to do stops in time, with what it claimed in the queue."""
    house.load.looks = 1.0
    house.rows.seconds_a_call = 0.1
    house.rows.put(*(due(f"m{number:06}", since=LATE) for number in range(100_000)))
    began = house.clock.read()
    house.run()
    assert house.clock.read() - began <= SECONDS + 2
    assert any("out of time" in line["message"] for line in told().logs)
    moved = sum(row.get("Shed", 0) > 0 for row in house.rows.rows.values())
    assert moved > 100
    house.run()
    assert sum(row.get("Shed", 0) > 0 for row in house.rows.rows.values()) > moved


def test_what_is_claimed_when_time_runs_out_is_sent(house: House) -> None:
    """No row is left claimed and unsent, wherever the run stops."""
    house.rows.seconds_a_call = 1.0
    house.rows.put(*(due(f"m{number:02}") for number in range(40)))
    house.run(30)
    claimed = [name for name, _ in house.rows.rows if house.row(name)["NextLookAt"] > iso(START)]
    assert 0 < len(claimed) < 40
    assert sorted(house.queue.ids) == sorted(claimed)


def test_who_is_due_is_told(house: House, told: Callable[[], Told]) -> None:
    """How many are due, and for how long the oldest is; what came in bulk may wait for weeks."""
    house.rows.put(
        due("a", since=2 * HOUR), due("b", Lane.ESSENTIAL), due("c", Lane.BULK, since=9 * DAY)
    )
    house.run()
    metrics, service = told().metrics, (("service", "followups"),)
    assert metrics["Due", service] == [3]
    assert metrics["Lag", service] == [7200]
    assert metrics["Sent", service] == [1, 1, 1]
    assert metrics["Runs", service] == [1]


def test_a_quiet_minute_is_a_run_too(house: House, told: Callable[[], Told]) -> None:
    """With nobody due the lag is nothing, and the run is counted."""
    house.run()
    metrics, service = told().metrics, (("service", "followups"),)
    assert (metrics["Due", service], metrics["Lag", service]) == ([0], [0])
    assert metrics["Runs", service] == [1]


# Overload


def test_a_rung_the_load_does_not_leave_is_given_up(house: House, told: Callable[[], Told]) -> None:
    """With one look a message, the two-hour look makes way: the message waits for three days."""
    house.load.looks = 1.34  # one, for what is late
    house.rows.put(due("m", since=LATE, age=2 * HOUR), due("just due", since=MINUTE, age=2 * HOUR))
    house.run()
    row = house.row("m")
    assert house.queue.ids == ["just due"], "what there is room for is not given up"
    assert row["DueLane"] == "keep"
    assert instant(row["NextLookAt"]) - instant(row["SentAt"]) == 3 * DAY
    assert row["Shed"] == 2
    assert sum(told().metrics["Shed", (("service", "followups"),)]) == 2


@pytest.mark.parametrize(("looks", "reason"), [(1, SHED_REST), (0, SHED_ALL)])
def test_a_message_without_a_rung_left_ends_and_says_so(
    house: House, looks: int, reason: str
) -> None:
    """What is beyond the load ends with a reason a person understands."""
    house.load.looks = 0.0
    house.rows.put(due("m", Lane.ESSENTIAL, since=LATE, age=3 * DAY, looks=looks))
    house.run()
    row = house.row("m")
    assert row["Final"] == reason
    assert row["NextLookAt"] is None
    assert row["DueLane"] is None


def test_rungs_are_given_up_while_the_line_is_full(house: House) -> None:
    """Where nothing can be sent, what is not worth a slot still leaves the lane."""
    house.load.looks = 1.34  # one, for what is late
    house.queue.visible = 10_000
    house.rows.put(due("m", since=LATE, age=2 * HOUR), due("kept", Lane.ESSENTIAL, age=3 * DAY))
    house.run()
    assert house.queue.sent == []
    assert house.row("m")["DueLane"] == "keep"
    assert house.row("kept")["NextLookAt"] == iso(START - MINUTE)


def test_a_look_that_waited_until_it_is_the_kept_one_goes_to_the_front(house: House) -> None:
    """A message that lags three days behind waits among those that are served first."""
    house.load.looks = 6.5
    house.queue.visible = 10_000
    house.rows.put(due("m", since=3 * DAY, age=15 * MINUTE))
    house.run()
    assert house.row("m")["DueLane"] == "keep"
    assert house.row("m").get("Shed", 0) == 0


def test_what_came_in_bulk_is_never_given_up(house: House) -> None:
    """It waits."""
    house.load.looks = 0.0
    house.rows.put(due("m", Lane.BULK, since=9 * DAY, age=2 * HOUR))
    house.run()
    assert house.queue.ids == ["m"]


def test_a_run_looks_through_a_bounded_number_of_rows(house: House) -> None:
    """Where nothing can be sent, rows that are worth their look are not read to the end."""
    house.load.looks = 6.9
    house.queue.visible = 10_000
    house.rows.put(*(due(f"m{n:05}", Lane.ESSENTIAL, age=3 * DAY) for n in range(3 * MOST_JUDGED)))
    house.run()
    pages = MOST_JUDGED / house.rows.page
    assert house.rows.calls < 20 + 2 * pages


def test_fresh_ids_that_get_no_look_take_no_room(house: House) -> None:
    """With half a look a message nearly all that is delayed is only acknowledged."""
    house.queue.delayed = 2_000
    house.rows.put(*(due(f"k{n:02}", Lane.ESSENTIAL, age=3 * DAY) for n in range(80)))
    house.load.looks = 7.0
    house.run()
    assert house.queue.sent == []
    house.load.looks = 0.5
    house.run()
    assert len(house.queue.sent) == 60
    house.counts.count_sent(950, house.clock.now())
    house.clock.advance(60)
    house.run()
    assert len(house.queue.sent) == 60, "what was sent lately takes its room"


# Alerts that were left behind


def left_behind(house: House, *, since: timedelta = STALE_AFTER) -> None:
    """Store a look with two alerts that nobody published, found so long ago."""
    then = START - since
    record, alerts = looked(found(bounced(), complained()), now=then)
    house.records.records[MESSAGE_ID] = record
    house.rows.put(
        *(
            {
                "MessageId": MESSAGE_ID,
                "Record": alert_key(alert.alert_id),
                "DueLane": "alert",
                "NextLookAt": iso(then),
            }
            for alert in alerts
        )
    )


def test_an_alert_that_was_left_behind_is_published_once(
    house: House, told: Callable[[], Told]
) -> None:
    """Each is published and marked, and not again by the next run."""
    left_behind(house)
    house.run()
    house.clock.advance(600)
    house.run()
    assert len(house.subscribers.published) == 2
    assert pending(house.records.records[MESSAGE_ID].alerts) == ()
    assert sum(told().metrics["Alerts", (("service", "followups"),)]) == 2


def test_an_alert_that_was_just_found_is_left_to_its_look(house: House) -> None:
    """Its look is about to publish it."""
    left_behind(house, since=STALE_AFTER - timedelta(seconds=1))
    house.run()
    assert house.subscribers.published == []


def test_two_runs_at_once_publish_nothing_twice(house: House) -> None:
    """The second one finds it claimed."""
    left_behind(house)
    second = house.followups()

    def meanwhile() -> None:
        second.run(SECONDS)

    house.records.moments.before["load"] = meanwhile
    house.run()
    assert len(house.subscribers.published) == 2


def test_an_alert_that_cannot_be_published_holds_up_no_look(house: House) -> None:
    """SNS is down: due looks are sent all the same, the run fails, and a later one publishes."""
    left_behind(house)
    house.rows.put(due("m"))
    house.subscribers.moments.fails_at = 0
    house.subscribers.moments.error = SystemFailure(FailureKind.SNS, "Publish: Throttled")
    with pytest.raises(SystemFailure, match="Publish"):
        house.run()
    assert house.queue.ids == ["m"]
    house.subscribers.moments.fails_at = None
    house.clock.advance(STALE_AFTER.total_seconds())
    house.run()
    assert pending(house.records.records[MESSAGE_ID].alerts) == ()


def test_a_row_nobody_foresaw_stops_no_other_alert(house: House, told: Callable[[], Told]) -> None:
    """A record that cannot be read is told with its place; the alerts after it are published."""
    left_behind(house)
    house.rows.put(
        {"MessageId": "a", "Record": "ALERT#x", "DueLane": "alert", "NextLookAt": "2026-01-01"}
    )
    load = house.records.load

    def odd(message_id: str) -> object:
        if message_id == "a":
            raise KeyError("about anna@there.example")
        return load(message_id)

    followups = house.followups()
    records = replace(house.records)
    object.__setattr__(followups, "records", _Odd(records, odd))
    followups.run(SECONDS)
    followups.telemetry.flush()
    assert len(house.subscribers.published) == 2
    lines = told()
    assert "anna@" not in lines.text
    assert "KeyError at test_followups.py" in lines.text


@dataclass(slots=True)
class _Odd:
    """Records of which one cannot be read."""

    inner: FakeRecords
    load: Callable[[str], object]


def test_an_alert_whose_message_is_missing_waits(house: House) -> None:
    """Its look was stopped while it was stored: the queue brings that look back."""
    left_behind(house)
    house.records.records.clear()
    house.run()
    assert house.subscribers.published == []
