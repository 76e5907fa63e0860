"""Whether a look that is due is taken, or given up because it is too late."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ses_insights.domain.due import DueRow
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import (
    GIVEN_UP_AFTER,
    NOT_YET_LOOKED,
    SHED_ALL,
    SHED_REST,
    Drop,
    Proceed,
    Reschedule,
    decide,
    essential_rung,
)
from ses_insights.domain.schedule import DEFAULT_RUNGS, Ladder
from ses_insights.domain.times import instant, iso
from tests.support.strategies import MESSAGE_ID, SECOND

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FIRST, TWO_HOURS, DAY, ESSENTIAL, WEEK, TWO_WEEKS, LAST = DEFAULT_RUNGS
LATE = GIVEN_UP_AFTER
LADDER = Ladder()


def row(rung: timedelta, late: timedelta, *, looks: int = 1) -> DueRow:
    """A message that waits for this rung and is so late."""
    return DueRow(MESSAGE_ID, looks, iso(NOW - late), NOW - late - rung)


def at(rung: timedelta, of: DueRow) -> str:
    """The time of a message's rung."""
    assert of.sent_at is not None
    return iso(of.sent_at + rung)


@pytest.mark.parametrize("late", [timedelta(0), LATE - SECOND])
def test_a_look_less_than_a_day_late_is_taken(late: timedelta) -> None:
    """Whatever its rung."""
    for rung in DEFAULT_RUNGS:
        assert decide(row(rung, late), Lane.FOLLOW_UP, ladder=LADDER, now=NOW) == Proceed()


def test_a_look_a_day_late_makes_way_for_the_next_rung() -> None:
    """The two-hour and the day's look were missed; the essential one is next."""
    late = row(TWO_HOURS, LATE)
    decision = decide(late, Lane.FOLLOW_UP, ladder=LADDER, now=NOW)
    assert decision == Reschedule(at(ESSENTIAL, late), Lane.ESSENTIAL, shed=2, note=None)


def test_after_the_essential_look_others_follow() -> None:
    """It is given up like any other, and the message waits among the follow-ups."""
    late = row(ESSENTIAL, LATE)
    decision = decide(late, Lane.ESSENTIAL, ladder=LADDER, now=NOW)
    assert decision == Reschedule(at(WEEK, late), Lane.FOLLOW_UP, shed=1, note=None)


def test_the_essential_look_is_not_passed_over() -> None:
    """A rung shortly before it is a day late when the essential one is due already: it is next."""
    ladder = Ladder((FIRST, timedelta(hours=60), ESSENTIAL, WEEK))
    late = row(timedelta(hours=60), LATE)
    decision = decide(late, Lane.FOLLOW_UP, ladder=ladder, now=NOW)
    assert decision == Reschedule(at(ESSENTIAL, late), Lane.ESSENTIAL, shed=1, note=None)
    assert instant(at(ESSENTIAL, late)) < NOW


def test_a_message_never_looked_at_says_so_while_it_waits() -> None:
    """Its row has a note for a person."""
    decision = decide(row(ESSENTIAL, LATE, looks=0), Lane.ESSENTIAL, ladder=LADDER, now=NOW)
    assert isinstance(decision, Reschedule)
    assert decision.note == NOT_YET_LOOKED


@pytest.mark.parametrize(("looks", "reason"), [(0, SHED_ALL), (2, SHED_REST)])
def test_behind_the_last_rung_it_ends(looks: int, reason: str) -> None:
    """The reason says whether it was ever looked at, and how to have it looked at."""
    decision = decide(row(LAST, LATE, looks=looks), Lane.FOLLOW_UP, ladder=LADDER, now=NOW)
    assert decision == Drop(reason, shed=1)
    assert '"force": true' in SHED_ALL


def test_a_claim_that_was_lost_keeps_its_rung() -> None:
    """Its time was made later by an hour and more; the look it lost is the two-hour one."""
    claimed = DueRow(MESSAGE_ID, 1, iso(NOW - LATE), NOW - LATE - timedelta(minutes=195))
    decision = decide(claimed, Lane.FOLLOW_UP, ladder=LADDER, now=NOW)
    assert decision == Reschedule(at(ESSENTIAL, claimed), Lane.ESSENTIAL, shed=2, note=None)


def test_what_ses_has_listed_is_never_given_up() -> None:
    """There is something to find, however late."""
    assert decide(row(DAY, 30 * DAY), Lane.LISTED, ladder=LADDER, now=NOW) == Proceed()


def test_what_came_in_bulk_is_never_given_up() -> None:
    """It waits for slots that are left over."""
    assert decide(row(DAY, 30 * DAY), Lane.BULK, ladder=LADDER, now=NOW) == Proceed()


@pytest.mark.parametrize("sent_at", [None, NOW])
def test_a_row_that_does_not_say_when_is_looked_at(sent_at: datetime | None) -> None:
    """What was changed by hand is no reason to give up a look."""
    odd = DueRow(MESSAGE_ID, 1, None if sent_at else iso(NOW - LATE), sent_at)
    assert decide(odd, Lane.FOLLOW_UP, ladder=LADDER, now=NOW) == Proceed()


RUNGS = st.lists(st.integers(1, 29 * 86_400), min_size=1, max_size=8, unique=True)


@given(
    RUNGS.map(sorted).map(Ladder.of_seconds),
    st.integers(0, 7),
    # Whole milliseconds, as the table writes instants.
    st.integers(0, 40 * 86_400_000).map(lambda number: timedelta(milliseconds=number)),
)
@example(Ladder.of_seconds([1, 3 * 86_400 + 1, 5 * 86_400]), 1, timedelta(days=1))
def test_a_late_message_is_looked_at_or_ends(ladder: Ladder, number: int, late: timedelta) -> None:
    """Decided again whenever it is a day late, it climbs rung by rung, and each is counted once."""
    rung = ladder.rungs[number % len(ladder.rungs)]
    waiting = row(rung, late)
    sent_at, now, shed = NOW - late - rung, NOW, 0
    lane = Lane.ESSENTIAL if rung == essential_rung(ladder) else Lane.FOLLOW_UP
    for _ in ladder.rungs:
        passed = rung >= essential_rung(ladder)
        match decide(waiting, lane, ladder=ladder, now=now):
            case Reschedule(at=later, lane=lane, shed=lost):
                shed += lost
                assert rung < instant(later) - sent_at
                rung = instant(later) - sent_at
                assert rung in ladder.rungs
                assert passed or rung <= essential_rung(ladder)
                waiting = DueRow(MESSAGE_ID, 1, later, sent_at)
                now = max(now, instant(later) + GIVEN_UP_AFTER)
            case Drop(shed=lost):
                assert shed + lost == len(ladder.rungs[number % len(ladder.rungs) :])
                return
            case Proceed():
                assert late < GIVEN_UP_AFTER
                return
    raise AssertionError("it was decided on for ever")


def test_a_rung_whose_time_has_just_come_is_given_up_with_the_look_before_it() -> None:
    """The message goes on to the next rung after it, and not to one that is due already."""
    late = row(WEEK, TWO_WEEKS - WEEK)
    decision = decide(late, Lane.FOLLOW_UP, ladder=LADDER, now=NOW)
    assert decision == Reschedule(at(LAST, late), Lane.FOLLOW_UP, shed=2, note=None)


@pytest.mark.parametrize(("seconds", "is_taken"), [(86_399, True), (86_400, False)])
def test_a_look_is_given_up_when_it_is_24_hours_late(seconds: int, *, is_taken: bool) -> None:
    """And not before."""
    late = row(TWO_HOURS, timedelta(seconds=seconds))
    decision = decide(late, Lane.FOLLOW_UP, ladder=LADDER, now=NOW)
    assert (decision == Proceed()) is is_taken
