"""What goes first, who gets a first look, and the room in the queue."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.due import QueueDepth
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import (
    GIVEN_UP_AFTER,
    LATE,
    TOO_LATE,
    essential_rung,
    first_looks,
    free_looks,
    has_first_look,
    lane_of,
    postponed_look,
)
from ses_insights.domain.record import Record, postpone
from ses_insights.domain.schedule import Ladder
from tests.support.strategies import DAY, HOUR, MESSAGE_ID, MINUTE, RULES, SENT

IDS = [f"0106019fa36a2608-6c9654bb-{number:012x}" for number in range(2_000)]
LATENESS = st.timedeltas(timedelta(0), 2 * GIVEN_UP_AFTER)
RUNGS = st.lists(st.integers(1, 29 * 86_400), min_size=1, max_size=8, unique=True)
LADDERS = RUNGS.map(sorted).map(Ladder.of_seconds)

COUNTS = st.integers(0, 5_000)
DELAYS = st.floats(0, 900)
PERIODS = st.floats(1, 200)
INTERVALS = st.floats(1, 300)


# What goes first


@pytest.mark.parametrize(
    ("seconds", "essential"),
    [
        ([900, 7_200, 86_400, 259_200, 604_800], 3 * DAY),
        ([60, 3_600], HOUR),
        ([604_800], 7 * DAY),
        ([60, 259_201], MINUTE),
    ],
)
def test_the_last_rung_up_to_three_days_is_essential(
    seconds: list[float], essential: timedelta
) -> None:
    """It finds nearly every bounce and complaint; of a ladder that begins later it is the first."""
    assert essential_rung(Ladder.of_seconds(seconds)) == essential


def test_the_essential_look_waits_in_its_own_lane() -> None:
    """Any other look waits among the follow-ups."""
    lanes = [lane_of(Ladder(), rung) for rung in Ladder().rungs]
    assert lanes == [Lane.FOLLOW_UP] * 3 + [Lane.ESSENTIAL] + [Lane.FOLLOW_UP] * 3
    assert lane_of(Ladder(), None) is Lane.FOLLOW_UP


# Fresh ids


@pytest.mark.parametrize(
    ("late", "share"),
    [(0 * HOUR, 1), (4 * HOUR, 1), (7 * HOUR, 0.75), (10 * HOUR, 0.5), (16 * HOUR, 0), (DAY, 0)],
)
def test_the_share_of_first_looks_falls_as_essential_looks_get_late(
    late: timedelta, share: float
) -> None:
    """Evenly from all at four hours to none at sixteen; the id decides who is among them."""
    assert first_looks(late) == pytest.approx(share)
    taken = sum(has_first_look(message_id, late) for message_id in IDS)
    assert taken / len(IDS) == pytest.approx(share, abs=0.04)


@given(LATENESS, LATENESS, st.sampled_from(IDS))
def test_who_loses_its_first_look_does_not_get_it_back_when_more_is_late(
    one: timedelta, other: timedelta, message_id: str
) -> None:
    """What has its first look at some lateness has it at every lesser one, too."""
    less, more = sorted((one, other))
    assert has_first_look(message_id, less) or not has_first_look(message_id, more)


def test_all_and_none_are_exact() -> None:
    """No id is so unlucky as to be left out while nothing is late, or so lucky as to get in."""
    assert all(has_first_look(message_id, LATE) for message_id in IDS)
    assert not any(has_first_look(message_id, TOO_LATE) for message_id in IDS)


def test_a_postponed_id_waits_for_the_essential_look() -> None:
    """Stored without a look, in the essential lane, with the reason and the count."""
    record = postpone(Record.new(MESSAGE_ID, SENT, RULES), RULES)
    assert (record.status, record.looks, record.last_look_at) == ("NOT_FOUND", 0, None)
    assert (record.next_look_at, record.lane) == ("2026-11-26T10:00:00.000Z", Lane.ESSENTIAL)
    assert (record.final, record.shed) == (None, 3)
    assert "Not looked at yet" in (record.note or "")


@given(LADDERS)
def test_every_ladder_has_a_look_to_postpone_to(ladder: Ladder) -> None:
    """A ladder of one rung, too: that rung is the essential one, and nothing is given up."""
    following = postponed_look(ladder, SENT)
    assert following.at is not None
    assert lane_of(ladder, following.at - SENT) is Lane.ESSENTIAL
    assert following.shed == len([rung for rung in ladder.rungs if SENT + rung < following.at])


# Room in the queue


def free(  # noqa: PLR0913 - keyword-only, as what it calls
    *,
    visible: int = 0,
    delayed: int = 0,
    in_flight: int = 0,
    delay: float = 900,
    period: float = 1,
    interval: float = 60,
    follow_ups: int | None = None,
    first_looks: float = 1.0,
) -> int:
    """Ask with the stack's default settings where nothing else is said."""
    return free_looks(
        QueueDepth(visible, delayed, in_flight),
        delay=delay,
        period=period,
        interval=interval,
        follow_ups=follow_ups,
        first_looks=first_looks,
    )


@pytest.mark.parametrize(("delay", "ahead", "room"), [(0, 0, 1), (60, 0, 1), (60, 1, 0)])
def test_a_long_period_leaves_room_for_one(delay: float, ahead: int, room: int) -> None:
    """With a look every 200 seconds none would be served until the next run's: one is let in.

    None was, ever: with a short delay no due look was taken.
    """
    assert free(delay=delay, period=200, visible=ahead) == room


def test_an_empty_queue_takes_what_is_served_until_the_next_run() -> None:
    """A minute has sixty looks, whatever the delay; more would only stand in the way."""
    assert free() == 60
    assert free(delay=0) == 60


def test_what_is_in_the_queue_takes_away_its_places() -> None:
    """Visible, delayed and in flight count alike; beyond sixteen minutes' worth none is added."""
    assert free(delayed=899) == 60
    assert free(visible=300, delayed=600, in_flight=1) == 59
    assert free(visible=960) == 0
    assert free(visible=20_000) == 0


def test_follow_ups_alone_keep_every_slot_busy() -> None:
    """Sixty a minute, each delayed by 15 minutes: the run that follows may add sixty again."""
    assert free(delayed=15 * 60) == 60


def test_a_longer_period_leaves_less_room() -> None:
    """At one look in ten seconds, a minute has six and sixteen minutes have 96."""
    assert free(period=10) == 6
    assert free(period=10, visible=93) == 3


def test_a_period_beyond_the_interval_adds_one_now_and_then() -> None:
    """Where a look takes longer than a minute, the queue may still hold what its delay serves."""
    assert free(period=90) == 1
    assert free(period=90, delayed=10) == 0


def test_fresh_ids_that_get_no_look_take_no_room() -> None:
    """Of 3,000 delayed, 900 are follow-ups; of the others, one in a hundred is looked at."""
    assert free(delayed=3_000) == 0
    assert free(delayed=3_000, follow_ups=900, first_looks=0.01) == 39
    assert free(delayed=3_000, follow_ups=900, first_looks=0.0) == 60
    assert free(delayed=3_000, follow_ups=900, first_looks=1.0) == 0


def test_what_is_visible_is_made_up_as_what_is_delayed() -> None:
    """A backlog of ids that are postponed leaves room; one of follow-ups leaves none."""
    assert free(visible=2_000, delayed=1_000, follow_ups=100, first_looks=0.0) == 60
    assert free(visible=2_000, delayed=1_000, follow_ups=310, first_looks=0.0) == 30
    assert free(visible=2_000, delayed=1_000, follow_ups=1_000, first_looks=0.0) == 0
    assert free(visible=2_000, follow_ups=0, first_looks=0.0) == 0


def test_more_follow_ups_than_messages_are_no_more_than_these() -> None:
    """What was sent may be counted before it shows in the queue, or be served already."""
    assert free(delayed=930, follow_ups=2_000, first_looks=0.0) == 30


@given(COUNTS, COUNTS, COUNTS, DELAYS, PERIODS, INTERVALS)
def test_what_is_added_is_served_by_the_time_the_next_run_is_visible(  # noqa: PLR0913, PLR0917
    visible: int, delayed: int, in_flight: int, delay: float, period: float, interval: float
) -> None:
    """Whatever is in the queue, what a run adds keeps within the bound, or it adds nothing."""
    added = free(
        visible=visible,
        delayed=delayed,
        in_flight=in_flight,
        delay=delay,
        period=period,
        interval=interval,
    )
    assert added >= 0
    assert added * period <= max(interval, period)
    if added:
        assert (visible + delayed + in_flight + added) * period <= max(delay + interval, period)


@given(COUNTS, COUNTS, DELAYS, PERIODS)
def test_a_fuller_queue_never_takes_more(
    fewer: int, more: int, delay: float, period: float
) -> None:
    """More in the queue never means more follow-ups."""
    assert free(visible=fewer + more, delay=delay, period=period) <= free(
        visible=fewer, delay=delay, period=period
    )


def test_no_id_at_all_gets_a_look_when_none_is_to() -> None:
    """Not even one whose number is nought, such as the empty text's."""
    assert not has_first_look("", TOO_LATE)
    assert has_first_look("", TOO_LATE - timedelta(seconds=1))
