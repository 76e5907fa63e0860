"""How many follow-ups may join the queue."""

from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.budget import free_looks

COUNTS = st.integers(0, 5_000)
DELAYS = st.floats(0, 900)
PERIODS = st.floats(1, 200)
INTERVALS = st.floats(1, 300)


def free(  # noqa: PLR0913 - keyword-only, as what it calls
    *,
    visible: int = 0,
    delayed: int = 0,
    in_flight: int = 0,
    delay: float = 900,
    period: float = 1,
    follow_ups: int | None = None,
    first_looks: float = 1.0,
) -> int:
    """Ask with the stack's default settings where nothing else is said."""
    return free_looks(
        visible=visible,
        delayed=delayed,
        in_flight=in_flight,
        delay=delay,
        period=period,
        interval=60,
        follow_ups=follow_ups,
        first_looks=first_looks,
    )


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


def test_a_longer_period_leaves_fewer_looks() -> None:
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


def test_more_follow_ups_than_messages_are_no_more_than_these() -> None:
    """What was sent may be counted before it shows in the queue, or be served already."""
    assert free(delayed=930, follow_ups=2_000, first_looks=0.0) == 30


@given(COUNTS, COUNTS, COUNTS, DELAYS, PERIODS, INTERVALS)
def test_what_is_added_is_served_by_the_time_the_next_run_is_visible(  # noqa: PLR0913, PLR0917
    visible: int, delayed: int, in_flight: int, delay: float, period: float, interval: float
) -> None:
    """Whatever is in the queue, what a run adds keeps within the bound, or it adds nothing."""
    added = free_looks(
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
