"""Due looks are put into the queue, each once, as far as there is room for them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NoReturn

import pytest

from ses_insights.domain.due import Waiting
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import GIVEN_UP_AFTER, SHED_ALL, SHED_REST, TOO_LATE
from ses_insights.domain.times import instant, iso
from ses_insights.service.due_looks import CLAIMED_FOR, MOST_GIVEN_UP, RUN_EVERY
from tests.support.fakes import START
from tests.support.fakes_due import FakeCounters, FakeDueRows, due, message
from tests.support.harness import Harness, Output

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DELAY = timedelta(minutes=15)
DOWN = SystemFailure(FailureKind.SQS, "SendMessageBatch: Throttled")

pytestmark = pytest.mark.usefixtures("_as_followups")


def test_what_is_due_is_sent_with_the_number_of_its_look(harness: Harness) -> None:
    """A message looked at twice is sent as its third look; what is not due yet stays as it is."""
    harness.rows.put(due("now", looks=2), message("later", Lane.FOLLOW_UP, START + MINUTE, HOUR))
    harness.run()
    assert [(claim.row.message_id, claim.look) for claim in harness.queue.sent] == [("now", 3)]
    assert harness.row("later")["NextLookAt"] == iso(START + MINUTE)


def test_lanes_are_served_by_worth_and_each_oldest_first(harness: Harness) -> None:
    """First the essential looks, then the others, then what came in bulk."""
    harness.rows.put(
        due("bulk", Lane.BULK, since=9 * DAY),
        due("old", since=3 * HOUR),
        due("young", since=HOUR),
        due("kept young", Lane.ESSENTIAL, since=MINUTE, age=3 * DAY),
        due("kept old", Lane.ESSENTIAL, since=HOUR, age=3 * DAY),
    )
    harness.run()
    assert harness.queue.ids == ["kept old", "kept young", "old", "young", "bulk"]


def test_looks_join_the_queue_in_batches_of_ten(harness: Harness) -> None:
    """As few calls as SQS allows."""
    harness.rows.put(*(due(f"m{number:02}") for number in range(23)))
    harness.run()
    assert harness.queue.batches == [10, 10, 3]


def test_a_run_adds_what_a_minute_can_serve_and_no_more(harness: Harness) -> None:
    """Sixty a run at one a second, so that what becomes visible is spread."""
    harness.rows.put(*(due(f"m{number:03}", since=HOUR) for number in range(200)))
    harness.run()
    assert len(harness.queue.sent) == 60
    harness.clock.advance(RUN_EVERY.total_seconds())
    harness.run()
    assert len(set(harness.queue.ids)) == len(harness.queue.ids) == 120


@pytest.mark.parametrize("full", ["visible", "delayed", "in_flight"])
def test_a_full_queue_gets_nothing(harness: Harness, full: str) -> None:
    """Fresh ids come first: nothing is added to what one look a second cannot serve."""
    setattr(harness.queue, full, 5_000)
    harness.rows.put(due("now"))
    harness.run()
    assert harness.queue.sent == []
    assert harness.row("now")["NextLookAt"] == iso(START - MINUTE)


def test_bulk_gets_only_what_is_left(harness: Harness) -> None:
    """With one slot for two, the one that is no bulk has it."""
    harness.rows.put(*(due(f"b{number:03}", Lane.BULK, since=DAY) for number in range(100)))
    harness.rows.put(*(due(f"f{number:02}") for number in range(59)))
    harness.run()
    assert [name for name in harness.queue.ids if name.startswith("b")] == ["b000"]


def test_a_claim_that_was_never_looked_at_is_due_again(harness: Harness) -> None:
    """The message may be lost: an hour after it should be visible, it is sent anew."""
    harness.rows.put(due("now"))
    harness.run()
    again = instant(harness.row("now")["NextLookAt"])
    assert again == START + DELAY + CLAIMED_FOR
    harness.clock.advance((again - START).total_seconds())
    harness.run()
    assert harness.queue.ids == ["now", "now"]
    first, second = harness.queue.sent
    assert first.look == second.look
    assert first.row != second.row, "else SQS would take it for a duplicate"


def test_two_runs_at_once_send_nothing_twice(harness: Harness) -> None:
    """Both read the same rows; each row belongs to the one that claims it first."""
    harness.rows.put(*(due(f"m{number:02}") for number in range(30)))
    before = [*harness.rows.due(Lane.FOLLOW_UP, until=iso(START))]
    harness.run()
    # The second run's index shows what the first one read.
    harness.rows.stale = [row for page in before for row in page]
    harness.run()
    assert sorted(harness.queue.ids) == sorted({*harness.queue.ids})
    assert len(harness.queue.sent) == 30


def test_a_row_that_changes_between_reading_and_claiming_is_not_sent(harness: Harness) -> None:
    """Another run claims right after the details were read: this run loses the row."""
    harness.rows.put(due("now"))
    details = harness.rows.details

    class Beaten(FakeDueRows):
        def details(self, rows):  # type: ignore[no-untyped-def] # as the one it stands for
            known = details(rows)
            for row in rows:
                harness.rows.claim(row, until=iso(START + HOUR))
            return known

    beaten = Beaten(rows=harness.rows.rows)
    harness.rows = beaten
    harness.run()
    assert harness.queue.sent == []


def test_refused_entries_are_due_again_at_once(
    harness: Harness, output: Callable[[], Output]
) -> None:
    """What the queue does not take keeps its time, and the next run sends it."""
    harness.rows.put(*(due(f"m{number}") for number in range(5)))
    harness.queue.refuses = {"m1", "m3"}
    harness.run()
    assert harness.queue.ids == ["m0", "m2", "m4"]
    for name in ("m1", "m3"):
        assert harness.row(name)["NextLookAt"] == iso(START - MINUTE)
    lines = output()
    assert lines.line("refused by the queue, due again")["number"] == 2
    assert lines.line("sent")["number"] == 3
    harness.queue.refuses = set()
    harness.run()
    assert sorted(harness.queue.ids) == ["m0", "m1", "m2", "m3", "m4"]


def test_a_batch_that_fails_is_due_again_and_counted(
    harness: Harness, output: Callable[[], Output]
) -> None:
    """SQS is down: nothing is lost, and the run fails, which its alarm watches."""
    harness.rows.put(*(due(f"m{number}") for number in range(5)))
    harness.queue.failure = DOWN
    with pytest.raises(SystemFailure, match="SendMessageBatch"):
        harness.run()
    assert {row["NextLookAt"] for row in harness.rows.rows.values()} == {iso(START - MINUTE)}
    lines = output()
    assert sum(lines.metrics["SystemFailures", (("service", "followups"),)]) == 1
    assert lines.line("system failure")["kind"] == "Sqs"


def test_what_dynamodb_leaves_out_stays_due(harness: Harness) -> None:
    """A row that could not be read is served by the next run; the others are served now."""
    harness.rows.put(due("slow"), due("quick"))
    harness.rows.left_out = {"slow"}
    harness.run()
    assert harness.queue.ids == ["quick"]
    harness.rows.left_out = set()
    harness.run()
    assert harness.queue.ids == ["quick", "slow"]


def test_a_hundred_thousand_due_rows_are_worked_by_pages(harness: Harness) -> None:
    """Each run reads as many pages as it needs for its sixty, and the next run goes on."""
    harness.rows.put(*(due(f"m{number:06}", since=HOUR) for number in range(100_000)))
    for _ in range(5):
        harness.rows.calls = 0
        harness.run()
        assert harness.rows.calls < 100
        harness.clock.advance(RUN_EVERY.total_seconds())
    assert len({*harness.queue.ids}) == len(harness.queue.ids) == 300


def test_what_is_claimed_when_time_runs_out_is_sent(harness: Harness) -> None:
    """No row is left claimed and unsent, wherever the run stops."""
    harness.rows.seconds_a_call = 1.0
    harness.rows.put(*(due(f"m{number:02}") for number in range(40)))
    harness.run(30)
    claimed = [
        name for name, _ in harness.rows.rows if harness.row(name)["NextLookAt"] > iso(START)
    ]
    assert 0 < len(claimed) < 40
    assert sorted(harness.queue.ids) == sorted(claimed)


def test_what_is_due_is_counted(harness: Harness, output: Callable[[], Output]) -> None:
    """How many are due, and for how long the oldest is; what came in bulk may wait for weeks."""
    harness.rows.put(
        due("a", since=2 * HOUR), due("b", Lane.ESSENTIAL), due("c", Lane.BULK, since=9 * DAY)
    )
    harness.run()
    lines = output()
    assert lines.line("due")["due"] == {"listed": 0, "keep": 1, "follow-up": 1, "bulk": 1}
    assert lines.metrics == {("Lag", (("service", "followups"),)): [7200]}
    sent = [(line["lane"], line["number"]) for line in lines.logs if line["message"] == "sent"]
    assert sent == [("keep", 1), ("follow-up", 1), ("bulk", 1)]


def test_a_look_a_day_late_is_given_up(harness: Harness, output: Callable[[], Output]) -> None:
    """The two-hour look makes way: the message waits for three days, and the count says so."""
    harness.rows.put(
        due("m", since=GIVEN_UP_AFTER, age=2 * HOUR),
        due("less late", since=23 * HOUR, age=2 * HOUR),
    )
    harness.run()
    row = harness.row("m")
    assert harness.queue.ids == ["less late"], "what there is room for is not given up"
    assert row["DueLane"] == "keep"
    assert instant(row["NextLookAt"]) - instant(row["SentAt"]) == 3 * DAY
    assert row["Shed"] == 2
    lines = output()
    assert lines.metrics["Shed", (("service", "followups"),)] == [2]
    assert lines.line("shed")["what"] == "rung"


@pytest.mark.parametrize(
    ("looks", "reason", "what"), [(1, SHED_REST, "rest"), (0, SHED_ALL, "all")]
)
def test_a_message_without_a_rung_left_ends_and_says_so(
    harness: Harness, output: Callable[[], Output], looks: int, reason: str, what: str
) -> None:
    """What is beyond the load ends with a reason a person understands."""
    harness.rows.put(due("m", since=GIVEN_UP_AFTER, age=29 * DAY, looks=looks))
    harness.run()
    row = harness.row("m")
    assert row["Final"] == reason
    assert row["NextLookAt"] is None
    assert row["DueLane"] is None
    lines = output()
    assert lines.metrics["Shed", (("service", "followups"),)] == [1]
    assert lines.line("shed")["what"] == what


def test_looks_are_given_up_while_the_queue_is_full(harness: Harness) -> None:
    """Where nothing can be sent, what is too late still leaves the lane; the rest stays."""
    harness.queue.visible = 10_000
    harness.rows.put(
        due("m", since=GIVEN_UP_AFTER, age=2 * HOUR), due("kept", Lane.ESSENTIAL, age=3 * DAY)
    )
    harness.run()
    assert harness.queue.sent == []
    assert harness.row("m")["DueLane"] == "keep"
    assert harness.row("kept")["NextLookAt"] == iso(START - MINUTE)


def test_every_look_that_is_too_late_is_given_up_while_the_queue_is_full(
    harness: Harness,
) -> None:
    """Not only the first of a lane: each row is judged, up to one that is not too late."""
    harness.queue.visible = 10_000
    harness.rows.put(
        *(due(f"late{n}", since=GIVEN_UP_AFTER + n * HOUR, age=2 * HOUR) for n in range(3)),
        due("not late", since=GIVEN_UP_AFTER - HOUR, age=2 * HOUR),
    )
    harness.run()
    assert [harness.row(f"late{n}").get("Shed") for n in range(3)] == [2, 2, 2]
    assert harness.row("not late").get("Shed") is None
    assert harness.queue.sent == []


def test_what_came_in_bulk_is_never_given_up(harness: Harness) -> None:
    """It waits."""
    harness.rows.put(due("m", Lane.BULK, since=9 * DAY, age=2 * HOUR))
    harness.run()
    assert harness.queue.ids == ["m"]


def test_a_full_queue_and_nothing_too_late_cost_no_reading_of_rows(harness: Harness) -> None:
    """However many are due: the first page of each lane tells that nothing is given up."""
    harness.queue.visible = 10_000
    harness.rows.put(*(due(f"m{n:05}", Lane.ESSENTIAL, age=3 * DAY) for n in range(3_000)))

    class Unread(FakeDueRows):
        def details(self, rows: object) -> NoReturn:
            raise AssertionError(rows)

    harness.rows = Unread(rows=harness.rows.rows)
    harness.run()
    assert harness.rows.calls < 25


def test_a_run_gives_up_a_bounded_number_of_looks(harness: Harness) -> None:
    """The next run goes on: what waits for the other steps is not held up."""
    rows = 2 * MOST_GIVEN_UP
    harness.rows.put(*(due(f"m{n:05}", since=2 * DAY, age=2 * HOUR) for n in range(rows)))
    harness.run()
    assert sum("Shed" in row for row in harness.rows.rows.values()) == MOST_GIVEN_UP


def test_fresh_ids_that_get_no_look_take_no_room(harness: Harness) -> None:
    """While essential looks are too late, what is delayed is postponed when it comes."""
    harness.queue.delayed = 2_000
    harness.rows.put(*(due(f"k{n:02}", Lane.ESSENTIAL, age=3 * DAY) for n in range(80)))
    harness.run()
    assert harness.queue.sent == []
    harness.rows.put(*(due(f"l{n:03}", Lane.ESSENTIAL, since=TOO_LATE) for n in range(180)))
    harness.run()
    assert len(harness.queue.sent) == 60
    harness.counts.count_sent(950, harness.clock.now())
    harness.clock.advance(60)
    harness.run()
    assert len(harness.queue.sent) == 60, "what was sent lately takes its room"


def test_a_line_names_the_message_of_which_a_look_is_given_up(
    harness: Harness, output: Callable[[], Output]
) -> None:
    """And when it is looked at next."""
    harness.rows.put(due("m", since=GIVEN_UP_AFTER, age=2 * HOUR))
    harness.run()
    line = output().line("shed")
    assert (line["message_id"], line["next_look_at"]) == ("m", harness.row("m")["NextLookAt"])


def test_a_claimed_look_is_due_again_an_hour_after_it_becomes_visible(harness: Harness) -> None:
    """A quarter of an hour in the queue, and an hour."""
    harness.rows.put(due("m"))
    harness.run()
    assert harness.row("m")["NextLookAt"] == "2026-11-23T11:15:00.000Z"


def test_a_run_gives_up_a_thousand_looks_of_a_lane_at_most(harness: Harness) -> None:
    """Each is a write, and the run has a minute."""
    harness.rows.put(*(due(f"m{n:04}", since=2 * DAY, age=2 * HOUR) for n in range(1_001)))
    harness.run()
    assert sum("Shed" in row for row in harness.rows.rows.values()) == 1_000


def test_ten_thousand_rows_of_a_lane_are_counted_at_most(harness: Harness) -> None:
    """A count reads all it counts."""
    asked: list[int] = []

    class Asked(FakeDueRows):
        def count(self, lane: Lane, *, until: str, most: int) -> int:
            asked.append(most)
            return FakeDueRows.count(self, lane, until=until, most=most)

    harness.rows = Asked()
    harness.run()
    assert {*asked} == {10_000}


def test_a_line_says_from_which_lane_each_batch_came(
    harness: Harness, output: Callable[[], Output]
) -> None:
    """Full or not."""
    harness.rows.put(*(due(f"m{number:02}") for number in range(13)))
    harness.run()
    sent = [line for line in output().logs if line["message"] == "sent"]
    assert [(line["number"], line["lane"]) for line in sent] == [
        (10, "follow-up"),
        (3, "follow-up"),
    ]


def test_what_was_sent_lately_is_read_only_where_looks_are_scarce(harness: Harness) -> None:
    """Else every id in the queue takes a slot, and the answer would change nothing."""

    class Unread(FakeCounters):
        def sent_since(self, moment: datetime) -> NoReturn:
            raise AssertionError(moment)

    harness.counts = Unread()
    harness.rows.put(due("m", Lane.ESSENTIAL, since=4 * HOUR, age=3 * DAY))
    harness.run()
    assert harness.queue.ids == ["m"]
    harness.rows.put(due("later", Lane.ESSENTIAL, since=5 * HOUR, age=3 * DAY))
    with pytest.raises(SystemFailure, match="AssertionError"):
        harness.run()


def test_what_came_in_bulk_costs_no_reading_of_rows_while_the_queue_is_full(
    harness: Harness,
) -> None:
    """However late it is: it is not given up."""
    harness.queue.visible = 10_000
    harness.rows.put(due("b", Lane.BULK, since=9 * DAY))
    waiting = dict(harness.row("b"))

    class Unread(FakeDueRows):
        def details(self, rows: object) -> NoReturn:
            raise AssertionError(rows)

    harness.rows = Unread(rows=harness.rows.rows)
    harness.run()
    assert harness.row("b") == waiting


def test_a_line_says_what_is_due_for_how_long_and_what_room_there_is(
    harness: Harness, output: Callable[[], Output]
) -> None:
    """One a run."""
    harness.rows.put(due("a", since=2 * HOUR))
    harness.queue.visible = 950
    harness.run()
    line = output().line("due")
    assert (line["lag"], line["free"]) == (7_200, 10)


def test_a_line_names_the_lane_of_a_row_that_is_met_and_repaired(
    harness: Harness, output: Callable[[], Output]
) -> None:
    """Its time sorts before every valid one."""
    harness.rows.put({**due("bad", Lane.ESSENTIAL), "NextLookAt": "0"})
    harness.run()
    (line,) = (line for line in output().logs if line["level"] == "ERROR")
    assert (line["message_id"], line["lane"]) == ("bad", "keep")


def test_all_that_joined_the_queue_in_a_run_is_counted(harness: Harness) -> None:
    """Once, over its batches and lanes."""
    harness.rows.put(*(due(f"m{number:02}") for number in range(21)), due("b", Lane.BULK))
    harness.run()
    assert harness.counts.sent == [(START, 22)]


def test_where_a_claim_cannot_be_given_up_either_it_ends_by_itself(harness: Harness) -> None:
    """SQS and DynamoDB are down: the run fails with what failed first."""

    class Unwritable(FakeDueRows):
        def release(self, row: Waiting, *, claimed_until: str) -> NoReturn:
            raise SystemFailure(FailureKind.DYNAMODB, f"{row.message_id} {claimed_until}")

    harness.rows = Unwritable()
    harness.rows.put(due("m"))
    harness.queue.failure = DOWN
    with pytest.raises(SystemFailure, match="SendMessageBatch"):
        harness.run()
    assert harness.row("m")["NextLookAt"] == "2026-11-23T11:15:00.000Z"
