"""What is given up while there is more mail than looks."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.due import QueueDepth
from ses_insights.domain.insight import Destination, Event
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import (
    LONGEST_WAIT,
    NO_WAIT,
    RESERVE,
    SHED_ALL,
    essential_rung,
    first_looks,
    free_looks,
    hour_of,
    looks_per_message,
    postponed_look,
    remaining,
)
from ses_insights.domain.record import NotFound, Record, after_look, postpone
from ses_insights.domain.schedule import Ladder
from tests.support.strategies import (
    DAY,
    HOUR,
    MESSAGE_ID,
    MINUTE,
    RULES,
    SECOND,
    SENT,
    event,
    found,
)

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
HOURS = st.integers(-48, 48).map(lambda hours: hour_of(NOW + timedelta(hours=hours)))

DELAY = 15 * MINUTE
DELIVERED = found(event("SEND"), event("DELIVERY", SECOND))
DESTINATIONS = (Destination("ada@example.com", None, (Event("SEND"), Event("DELIVERY"))),)
IDS = [f"0106019fa36a2608-6c9654bb-{number:012x}" for number in range(2_000)]
RUNGS = st.lists(st.integers(1, 29 * 86_400), min_size=1, max_size=8, unique=True)
LADDERS = RUNGS.map(sorted).map(Ladder.of_seconds)

COUNTS = st.integers(0, 5_000)
DELAYS = st.floats(0, 900)
PERIODS = st.floats(1, 200)
INTERVALS = st.floats(1, 300)


# How many looks there are for each message


def looks(*counts: int, period: float = 1.0) -> float:
    """Count arrivals in the present hour, the one before, and so on."""
    arrivals = {hour_of(NOW - timedelta(hours=back)): count for back, count in enumerate(counts)}
    return looks_per_message(arrivals, now=NOW, period=period)


def test_an_hour_is_named_in_universal_time() -> None:
    """The name sorts by time and does not depend on anybody's time zone."""
    assert hour_of(NOW) == "2026-11-23T10"
    assert hour_of(NOW.astimezone(timezone(timedelta(hours=9)))) == "2026-11-23T10"


def test_without_mail_there_are_looks_without_end() -> None:
    """A table without counters gives up nothing."""
    assert looks() == math.inf
    assert looks(0, 0) == math.inf


def test_a_day_of_slots_is_shared_by_a_day_of_mail() -> None:
    """86,400 slots but for the reserve, over the arrivals of 24 hours."""
    assert looks(*[360] * 24) == pytest.approx((1 - RESERVE) * 10)
    assert looks(*[3_600] * 24) == pytest.approx(1 - RESERVE)


def test_a_longer_period_leaves_fewer_looks() -> None:
    """At one look in two seconds there are half as many."""
    assert looks(1_000, period=2) == pytest.approx(looks(1_000) / 2)


def test_only_the_last_day_counts() -> None:
    """The hour of a day ago and what lies in the future do not count."""
    assert looks(*[100] * 24, 5_000, 5_000) == looks(*[100] * 24)
    assert looks_per_message({hour_of(NOW + timedelta(hours=1)): 9}, now=NOW, period=1) == math.inf


@given(st.dictionaries(HOURS, st.integers(0, 10_000)), HOURS, st.integers(1, 10_000))
def test_more_mail_never_means_more_looks(arrivals: dict[str, int], hour: str, more: int) -> None:
    """One more message in any hour leaves each of them the same or less."""
    fuller = {**arrivals, hour: arrivals.get(hour, 0) + more}
    before = looks_per_message(arrivals, now=NOW, period=1)
    assert 0 < looks_per_message(fuller, now=NOW, period=1) <= before


# Which rungs a message keeps


def kept(
    looks: float, message_id: str = MESSAGE_ID, ladder: Ladder | None = None
) -> set[timedelta]:
    """The rungs a message has at a load."""
    of_message = remaining(ladder or Ladder(), message_id, looks)
    return set(of_message.rungs) - of_message.shed


@pytest.mark.parametrize(
    ("seconds", "essential"),
    [([900, 7_200, 86_400, 259_200, 604_800], 3 * DAY), ([60, 3_600], HOUR), ([604_800], 7 * DAY)],
)
def test_the_last_rung_up_to_three_days_is_essential(
    seconds: list[float], essential: timedelta
) -> None:
    """It finds nearly every bounce and complaint; of a ladder that begins later it is the first."""
    assert essential_rung(Ladder.of_seconds(seconds)) == essential


def test_rungs_are_given_up_in_the_order_of_their_worth() -> None:
    """In between first, then the late ones, then the first look; the essential one is the last."""
    first, essential = 15 * MINUTE, 3 * DAY
    assert kept(7) == set(Ladder().rungs)
    assert kept(3) == {first, essential, 29 * DAY}
    assert kept(2) == {first, essential}
    assert kept(1) == {essential}
    assert kept(0) == set()


def test_a_fraction_of_a_look_is_a_look_for_that_share() -> None:
    """At 1.7 looks a message, seven in ten have two and the others one."""
    counts = [len(kept(1.7, message_id)) for message_id in IDS]
    assert set(counts) == {1, 2}
    assert sum(counts) / len(counts) == pytest.approx(1.7, abs=0.04)


@given(LADDERS, st.floats(0, 9), st.floats(0, 9), st.sampled_from(IDS))
def test_fewer_looks_never_add_a_rung(
    ladder: Ladder, one: float, other: float, message_id: str
) -> None:
    """What a message has at a high load it has at a lower one, too, and never more than it may."""
    fewer, more = sorted((one, other))
    assert kept(fewer, message_id, ladder) <= kept(more, message_id, ladder)
    assert len(kept(more, message_id, ladder)) <= math.ceil(more)


def test_enough_looks_give_up_nothing() -> None:
    """At a load that leaves every rung, the ladder is the configured one."""
    assert remaining(Ladder(), MESSAGE_ID, 7) == Ladder()
    assert remaining(Ladder(), MESSAGE_ID, math.inf) == Ladder()


@pytest.mark.parametrize(
    ("looks", "share"), [(math.inf, 1), (2, 1), (1.3, 0.3), (1, 0), (0.4, 0), (0, 0)]
)
def test_the_share_of_first_looks_follows_from_the_load(looks: float, share: float) -> None:
    """The essential look comes first; what is beyond one look a message is first looks."""
    assert first_looks(Ladder(), looks) == pytest.approx(share)
    taken = sum(15 * MINUTE in kept(looks, message_id) for message_id in IDS)
    assert taken / len(IDS) == pytest.approx(share, abs=0.04)


def test_where_the_first_look_is_the_essential_one_it_goes_first() -> None:
    """A ladder of one rung gives its looks to fresh ids."""
    assert first_looks(Ladder.of_seconds([900]), 0.4) == pytest.approx(0.4)


def test_rungs_given_up_are_skipped_and_counted() -> None:
    """With two looks the essential look follows the first one; two lie in between."""
    following = remaining(Ladder(), MESSAGE_ID, 2).after_found(
        DESTINATIONS, sent_at=SENT, now=SENT + DELAY
    )
    assert (following.at, following.shed) == (SENT + 3 * DAY, 2)


def test_a_message_whose_later_looks_are_given_up_says_so() -> None:
    """Nothing follows the essential look; the reason names the load, not the end of the ladder."""
    following = remaining(Ladder(), MESSAGE_ID, 2).after_found(
        DESTINATIONS, sent_at=SENT, now=SENT + 3 * DAY
    )
    assert (following.at, following.shed) == (None, 3)
    assert "more mail than looks" in (following.final or "")


def test_looks_that_come_back_are_taken() -> None:
    """When the load falls before the next look, the message climbs on as any other."""
    first, _ = look(None, 2, DELAY)
    assert (first.next_look_at, first.shed) == ("2026-11-26T10:00:00.000Z", 2)
    second, _ = look(first, 7, 3 * DAY)
    assert (second.next_look_at, second.shed) == ("2026-11-30T10:00:00.000Z", 2)


def look(stored: Record | None, looks: float, age: timedelta) -> tuple[Record, object]:
    """Look at a delivered mail at a load."""
    return after_look(
        stored or Record.new(MESSAGE_ID, SENT, RULES),
        DELIVERED,
        now=SENT + age,
        rules=RULES,
        looks_per_message=looks,
    )


def test_the_record_counts_what_was_given_up() -> None:
    """Two in between and three after: five of seven looks."""
    first, _ = look(None, 2, DELAY)
    second, _ = look(first, 2, 3 * DAY)
    assert (second.looks, second.shed, second.next_look_at) == (2, 5, None)


def test_the_essential_look_waits_in_its_own_lane() -> None:
    """Any other look waits among the follow-ups."""
    assert look(None, 2, DELAY)[0].lane is Lane.ESSENTIAL
    assert look(None, 7, DELAY)[0].lane is Lane.FOLLOW_UP


def test_not_found_with_later_looks_given_up_still_explains_itself() -> None:
    """An id that SES never showed ends with what was tried, whatever the load was."""
    record, _ = after_look(
        Record.new(MESSAGE_ID, SENT, RULES),
        NotFound(),
        now=SENT + 3 * DAY,
        rules=RULES,
        looks_per_message=1,
    )
    assert "SES does not know this message: 1 look since" in (record.final or "")


# Fresh messages


def postponed(
    looks: float = math.inf, age: timedelta = DELAY + NO_WAIT, message_id: str = MESSAGE_ID
) -> Record | None:
    """What is stored of a fresh id of an age; in a long queue every long wait is the queue's."""
    return postpone(
        Record.new(message_id, SENT, RULES),
        age=age,
        waited=age - DELAY,
        held_up=age - DELAY > LONGEST_WAIT,
        rules=RULES,
        looks_per_message=looks,
    )


def test_a_fresh_id_is_looked_at_while_there_are_looks() -> None:
    """Up to an hour beyond the queue's delay, and as long as its first look is not given up."""
    assert postponed() is None
    assert postponed(2) is None
    assert postponed(age=DELAY + LONGEST_WAIT) is None


@pytest.mark.parametrize(
    ("looks", "age"), [(1, DELAY + NO_WAIT), (7, DELAY + LONGEST_WAIT + SECOND)]
)
def test_a_first_look_can_be_postponed_to_the_essential_one(looks: float, age: timedelta) -> None:
    """Under overload, or behind a burst, a fresh id is stored without a look, with the reason."""
    record = postponed(looks, age)
    assert record is not None
    assert (record.status, record.looks, record.last_look_at) == ("NOT_FOUND", 0, None)
    assert (record.next_look_at, record.lane) == ("2026-11-26T10:00:00.000Z", Lane.ESSENTIAL)
    assert (record.final, record.shed) == (None, 3)
    assert "Not looked at yet" in (record.note or "")


@pytest.mark.parametrize("looks", [0, 0.5, 1])
def test_a_slot_to_spare_is_used(looks: float) -> None:
    """An id whose turn comes at once is looked at, whatever the load of the day leaves it."""
    assert postponed(looks, DELAY + NO_WAIT - SECOND) is None
    assert postponed(looks, DELAY + NO_WAIT) is not None


def test_a_fresh_id_without_any_look_ends_with_the_reason() -> None:
    """Beyond one look a message, some have none: their row says so, and how to get one."""
    record = postponed(0)
    assert record is not None
    assert (record.next_look_at, record.final, record.shed) == (None, SHED_ALL, 7)
    assert '"force": true' in SHED_ALL


def test_less_than_one_look_each_is_shared_by_chance_of_the_id() -> None:
    """At 0.4 looks a message, four in ten wait for the essential look and the others end."""
    records = [postponed(0.4, message_id=message_id) for message_id in IDS]
    waiting = sum(record is not None and record.next_look_at is not None for record in records)
    assert waiting / len(IDS) == pytest.approx(0.4, abs=0.04)
    assert None not in records


def test_an_id_that_is_older_than_the_essential_rung_is_looked_at() -> None:
    """After an outage of days its first look is the essential one."""
    assert postponed(1, 3 * DAY) is None
    assert postponed(7, 4 * DAY) is None
    assert postponed(0, 4 * DAY) is not None


@given(LADDERS, st.floats(0, 9), st.timedeltas(timedelta(0), 35 * DAY), st.sampled_from(IDS))
def test_every_fresh_id_is_looked_at_now_or_later_or_ends(
    ladder: Ladder, looks: float, age: timedelta, message_id: str
) -> None:
    """Never both a next look and an end, never neither, and the next look is not behind it."""
    waited = age - DELAY
    following = postponed_look(
        remaining(ladder, message_id, looks),
        sent_at=SENT,
        age=age,
        waited=waited,
        held_up=waited > LONGEST_WAIT,
    )
    if following is None:
        assert kept(looks, message_id, ladder) or waited < NO_WAIT
        return
    assert (following.at is None) != (following.final is None)
    assert following.at is None or following.at > SENT + age


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
