"""Whether a look that is due is still worth its slot."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.due import PATIENCE, Drop, DueRow, Proceed, Reschedule, decide, is_time
from ses_insights.domain.lanes import Lane
from ses_insights.domain.schedule import DEFAULT_RUNGS, NOT_YET_LOOKED, SHED_ALL, SHED_REST, Ladder
from ses_insights.domain.times import instant, iso

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
FIRST, TWO_HOURS, DAY, ESSENTIAL, WEEK, TWO_WEEKS, LAST = DEFAULT_RUNGS


LATE = PATIENCE
"""For so long a look was due when it is asked again whether there is room for it."""


def row(rung: timedelta, age: timedelta, *, looks: int = 1) -> DueRow:
    """A message of this age that waits for this rung."""
    return DueRow(looks, iso(NOW - age + rung), "follow-up", NOW - age)


def left(*rungs: timedelta) -> Ladder:
    """The default ladder, of which a message has only these."""
    return Ladder(shed=frozenset(DEFAULT_RUNGS) - {*rungs})


def test_a_rung_that_is_left_is_looked_at() -> None:
    """Where looks are not scarce, who is due is looked at."""
    assert decide(row(DAY, DAY), Lane.FOLLOW_UP, ladder=Ladder(), now=NOW) == Proceed()


def test_the_kept_look_is_known_in_any_lane() -> None:
    """A message that waited for a day's rung until it is three days old has its kept look."""
    decision = decide(row(DAY, ESSENTIAL), Lane.FOLLOW_UP, ladder=left(ESSENTIAL), now=NOW)
    assert decision == Proceed(is_essential=True)


def test_missed_rungs_are_one_look_while_one_of_them_is_left() -> None:
    """The day's look is given up, the week's is not, and both were missed: one look."""
    decision = decide(row(DAY, WEEK), Lane.FOLLOW_UP, ladder=left(WEEK), now=NOW)
    assert isinstance(decision, Proceed)


def test_a_rung_that_was_given_up_makes_way_for_the_next() -> None:
    """It waits for the next rung it has, and what it lost is counted."""
    age = TWO_HOURS + LATE
    decision = decide(row(TWO_HOURS, age), Lane.FOLLOW_UP, ladder=left(FIRST, ESSENTIAL), now=NOW)
    assert decision == Reschedule(iso(NOW - age + ESSENTIAL), Lane.ESSENTIAL, shed=2, note=None)


def test_what_is_hardly_late_is_looked_at_as_it_was_planned() -> None:
    """The load of an hour is no reason to give up what there is room for."""
    age = TWO_HOURS + LATE - timedelta(seconds=1)
    decision = decide(row(TWO_HOURS, age), Lane.FOLLOW_UP, ladder=left(FIRST, ESSENTIAL), now=NOW)
    assert isinstance(decision, Proceed)


def test_a_message_never_looked_at_says_so_while_it_waits() -> None:
    """Its row has a note for a person."""
    decision = decide(
        row(FIRST, FIRST + LATE, looks=0), Lane.FOLLOW_UP, ladder=left(ESSENTIAL), now=NOW
    )
    assert isinstance(decision, Reschedule)
    assert decision.note == NOT_YET_LOOKED


@pytest.mark.parametrize(("looks", "reason"), [(0, SHED_ALL), (2, SHED_REST)])
def test_without_a_rung_left_it_ends(looks: int, reason: str) -> None:
    """The reason tells whether it was ever looked at."""
    decision = decide(
        row(WEEK, WEEK + LATE, looks=looks), Lane.FOLLOW_UP, ladder=left(ESSENTIAL), now=NOW
    )
    assert decision == Drop(reason, shed=3)


def test_a_claim_that_was_lost_keeps_its_rung() -> None:
    """Its time was made later by an hour and more; it is still the look it was."""
    claimed = DueRow(1, iso(NOW - LATE), "follow-up", NOW - LATE - DAY - timedelta(minutes=75))
    assert isinstance(decide(claimed, Lane.FOLLOW_UP, ladder=left(DAY), now=NOW), Proceed)
    assert isinstance(decide(claimed, Lane.FOLLOW_UP, ladder=left(ESSENTIAL), now=NOW), Reschedule)


def test_what_came_in_bulk_is_looked_at() -> None:
    """It takes slots that nobody else wants; there is nothing to give up for."""
    assert decide(row(DAY, DAY), Lane.BULK, ladder=left(), now=NOW) == Proceed()


@given(
    st.sampled_from(DEFAULT_RUNGS),
    # Whole milliseconds, as the table writes instants.
    st.integers(0, 40 * 86_400_000).map(lambda number: timedelta(milliseconds=number)),
    st.sets(st.sampled_from(DEFAULT_RUNGS)),
    st.sampled_from([Lane.ESSENTIAL, Lane.FOLLOW_UP, Lane.BULK]),
)
def test_a_verdict_always_leads_on(
    rung: timedelta, lag: timedelta, has: set[timedelta], lane: Lane
) -> None:
    """A look, or a time that is still to come, or an end: no row is judged for ever."""
    ladder = left(*has)
    decision = decide(row(rung, rung + lag), lane, ladder=ladder, now=NOW)
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


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2026-11-23T10:00:00.000Z", True),
        ("2026-11-23T10:00:00Z", False),
        ("2026-11-23T10:00:00.000+00:00", False),
        ("2026-11-23T10:00:00.000", False),
        ("2026-11-23", False),
        ("soon", False),
        ("", False),
    ],
)
def test_a_time_is_one_that_sorts_right(text: str, right: bool) -> None:  # noqa: FBT001
    """Anything but the one form would stand at a wrong place of the index."""
    assert is_time(text) is right


@pytest.mark.parametrize("looks", [None, "x", -1, 1.5, "7x"])
def test_looks_that_are_no_number_count_as_none(looks: object) -> None:
    """A row changed by hand does not stop a run."""
    assert DueRow.of({"Looks": looks, "SentAt": 5, "NextLookAt": "x"}).looks == 0
