"""Whether a look that is due is still worth its slot."""

import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.due import DueRow
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import (
    NOT_YET_LOOKED,
    PATIENCE,
    SHED_ALL,
    Decision,
    Drop,
    Proceed,
    Reschedule,
    decide,
    looks_when_late,
)
from ses_insights.domain.schedule import DEFAULT_RUNGS, SHED_REST, Ladder
from ses_insights.domain.times import instant, iso
from tests.support.strategies import MESSAGE_ID, SECOND

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FIRST, TWO_HOURS, DAY, ESSENTIAL, WEEK, TWO_WEEKS, LAST = DEFAULT_RUNGS

LATE = PATIENCE
"""For so long a look was due when the load decides about it again."""


def row(rung: timedelta, age: timedelta, *, looks: int = 1) -> DueRow:
    """A message of this age that waits for this rung."""
    return DueRow(MESSAGE_ID, looks, iso(NOW - age + rung), NOW - age)


def left(*rungs: timedelta) -> Ladder:
    """The default ladder, of which a message has only these."""
    return Ladder(shed=frozenset(DEFAULT_RUNGS) - {*rungs})


def decided(waiting: DueRow, lane: Lane = Lane.FOLLOW_UP, *, ladder: Ladder) -> Decision:
    """Decide about a row whose ladder is cut already."""
    return decide(waiting, lane, ladder=ladder, looks=math.inf, now=NOW)


def test_what_is_late_has_to_do_with_fewer_looks() -> None:
    """Up to twelve hours late nothing changes; beyond, a quarter of the slots catches up."""
    assert looks_when_late(PATIENCE, 1.2) == 1.2
    assert looks_when_late(PATIENCE + SECOND, 1.2) == pytest.approx(0.9)
    assert looks_when_late(30 * DAY, math.inf) == math.inf


def test_a_rung_that_is_left_is_looked_at() -> None:
    """Where looks are not scarce, what is due is looked at."""
    assert decided(row(DAY, DAY), ladder=Ladder()) == Proceed()


def test_the_essential_look_is_known_in_any_lane() -> None:
    """A message that waited for a day's rung until it is three days old has its essential look."""
    decision = decided(row(DAY, ESSENTIAL), ladder=left(ESSENTIAL))
    assert decision == Proceed(is_essential=True)


def test_missed_rungs_are_one_look_while_one_of_them_is_left() -> None:
    """The day's look is given up, the week's is not, and both were missed: one look."""
    decision = decided(row(DAY, WEEK), ladder=left(WEEK))
    assert isinstance(decision, Proceed)


def test_a_rung_that_was_given_up_makes_way_for_the_next() -> None:
    """It waits for the next rung it has, and what it lost is counted."""
    age = TWO_HOURS + LATE
    decision = decided(row(TWO_HOURS, age), ladder=left(FIRST, ESSENTIAL))
    assert decision == Reschedule(iso(NOW - age + ESSENTIAL), Lane.ESSENTIAL, shed=2, note=None)


def test_what_is_hardly_late_is_looked_at_as_it_was_planned() -> None:
    """The load of an hour is no reason to give up what there is room for."""
    age = TWO_HOURS + LATE - timedelta(seconds=1)
    decision = decided(row(TWO_HOURS, age), ladder=left(FIRST, ESSENTIAL))
    assert isinstance(decision, Proceed)


def test_a_message_never_looked_at_says_so_while_it_waits() -> None:
    """Its row has a note for a person."""
    decision = decided(row(FIRST, FIRST + LATE, looks=0), ladder=left(ESSENTIAL))
    assert isinstance(decision, Reschedule)
    assert decision.note == NOT_YET_LOOKED


@pytest.mark.parametrize(("looks", "reason"), [(0, SHED_ALL), (2, SHED_REST)])
def test_without_a_rung_left_it_ends(looks: int, reason: str) -> None:
    """The reason says whether it was ever looked at."""
    decision = decided(row(WEEK, WEEK + LATE, looks=looks), ladder=left(ESSENTIAL))
    assert decision == Drop(reason, shed=3)


def test_a_claim_that_was_lost_keeps_its_rung() -> None:
    """Its time was made later by an hour and more; it is still the look it was."""
    claimed = DueRow(MESSAGE_ID, 1, iso(NOW - LATE), NOW - LATE - DAY - timedelta(minutes=75))
    assert isinstance(decided(claimed, ladder=left(DAY)), Proceed)
    assert isinstance(decided(claimed, ladder=left(ESSENTIAL)), Reschedule)


def test_what_came_in_bulk_is_looked_at() -> None:
    """It takes slots that are left over; there is nothing to give up for."""
    assert decided(row(DAY, DAY), Lane.BULK, ladder=left()) == Proceed()


@given(
    st.sampled_from(DEFAULT_RUNGS),
    # Whole milliseconds, as the table writes instants.
    st.integers(0, 40 * 86_400_000).map(lambda number: timedelta(milliseconds=number)),
    st.sets(st.sampled_from(DEFAULT_RUNGS)),
    st.sampled_from([Lane.ESSENTIAL, Lane.FOLLOW_UP, Lane.BULK]),
)
def test_a_decision_always_leads_on(
    rung: timedelta, lag: timedelta, has: set[timedelta], lane: Lane
) -> None:
    """A look, or a time that is still to come, or an end: no row is decided on for ever."""
    ladder = left(*has)
    decision = decided(row(rung, rung + lag), lane, ladder=ladder)
    match decision:
        case Reschedule(at=at, shed=shed):
            assert instant(at) > NOW
            assert shed > 0
            assert instant(at) - (NOW - rung - lag) in has
        case Drop(shed=shed):
            assert shed > 0
            assert all(each <= rung + lag for each in has)
    if rung in has:
        assert isinstance(decision, Proceed)
