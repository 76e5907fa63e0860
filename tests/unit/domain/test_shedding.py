"""What is given up where there are fewer looks than rungs."""

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.due import PATIENCE, looks_for
from ses_insights.domain.insight import Destination, Event
from ses_insights.domain.lanes import Lane
from ses_insights.domain.record import NotFound, Record, after_look, postponed_record
from ses_insights.domain.schedule import LONGEST_WAIT, NO_WAIT, SHED_ALL, Ladder
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

DELAY = 15 * MINUTE
DELIVERED = found(event("SEND"), event("DELIVERY", SECOND))
PLACES = (Destination("ada@example.com", None, (Event("SEND"), Event("DELIVERY"))),)
IDS = [f"0106019fa36a2608-6c9654bb-{number:012x}" for number in range(2_000)]
RUNGS = st.lists(st.integers(1, 29 * 86_400), min_size=1, max_size=8, unique=True)
LADDERS = RUNGS.map(sorted).map(Ladder.of_seconds)


def kept(
    looks: float, message_id: str = MESSAGE_ID, ladder: Ladder | None = None
) -> set[timedelta]:
    """The rungs a message has at a load."""
    of_message = (ladder or Ladder()).for_message(message_id, looks)
    return set(of_message.rungs) - of_message.shed


def passed_over(
    looks: float = math.inf, age: timedelta = DELAY + NO_WAIT, message_id: str = MESSAGE_ID
) -> Record | None:
    """Serve a fresh id of an age."""
    return postponed_record(
        message_id=message_id,
        enqueued_at=SENT,
        now=SENT + age,
        delay=DELAY,
        rules=RULES,
        looks_per_message=looks,
    )


@pytest.mark.parametrize(
    ("seconds", "essential"),
    [([900, 7_200, 86_400, 259_200, 604_800], 3 * DAY), ([60, 3_600], HOUR), ([604_800], 7 * DAY)],
)
def test_the_last_rung_up_to_three_days_is_kept(seconds: list[float], essential: timedelta) -> None:
    """It finds nearly every bounce and complaint; a ladder that begins later keeps its first."""
    assert Ladder.of_seconds(seconds).essential == essential


def test_rungs_are_given_up_in_the_order_of_their_worth() -> None:
    """In between first, then the late ones, then the first look; the kept one is the last."""
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
    assert Ladder().for_message(MESSAGE_ID, 7) == Ladder()
    assert Ladder().for_message(MESSAGE_ID, math.inf) == Ladder()


@pytest.mark.parametrize(
    ("looks", "share"), [(math.inf, 1), (2, 1), (1.3, 0.3), (1, 0), (0.4, 0), (0, 0)]
)
def test_the_share_of_first_looks_follows_from_the_load(looks: float, share: float) -> None:
    """The kept look comes first; what is beyond one look a message is first looks."""
    assert Ladder().first_looks(looks) == pytest.approx(share)
    taken = sum(15 * MINUTE in kept(looks, message_id) for message_id in IDS)
    assert taken / len(IDS) == pytest.approx(share, abs=0.04)


def test_where_the_first_look_is_the_kept_one_it_goes_first() -> None:
    """A ladder of one rung gives its looks to fresh ids."""
    assert Ladder.of_seconds([900]).first_looks(0.4) == pytest.approx(0.4)


def test_what_is_late_has_to_do_with_fewer_looks() -> None:
    """Up to twelve hours late nothing changes; beyond, a quarter of the slots catches up."""
    assert looks_for(PATIENCE, 1.2) == 1.2
    assert looks_for(PATIENCE + SECOND, 1.2) == pytest.approx(0.9)
    assert looks_for(30 * DAY, math.inf) == math.inf


def test_rungs_given_up_are_passed_over_and_counted() -> None:
    """With two looks a message goes from its first look to the kept one; two lie in between."""
    following = (
        Ladder().for_message(MESSAGE_ID, 2).after_found(PLACES, sent_at=SENT, now=SENT + DELAY)
    )
    assert (following.at, following.shed) == (SENT + 3 * DAY, 2)


def test_a_message_whose_later_looks_are_given_up_says_so() -> None:
    """After the kept look nothing follows, and the reason names the load, not the ladder's end."""
    following = (
        Ladder().for_message(MESSAGE_ID, 2).after_found(PLACES, sent_at=SENT, now=SENT + 3 * DAY)
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
        stored,
        DELIVERED,
        message_id=MESSAGE_ID,
        enqueued_at=SENT,
        now=SENT + age,
        rules=RULES,
        looks_per_message=looks,
    )


def test_the_record_counts_what_was_given_up() -> None:
    """Two in between and three after: five of seven looks."""
    first, _ = look(None, 2, DELAY)
    second, _ = look(first, 2, 3 * DAY)
    assert (second.looks, second.shed, second.next_look_at) == (2, 5, None)


def test_the_kept_look_waits_in_its_own_lane() -> None:
    """Any other look waits among the follow-ups."""
    assert look(None, 2, DELAY)[0].lane is Lane.ESSENTIAL
    assert look(None, 7, DELAY)[0].lane is Lane.FOLLOW_UP


def test_a_fresh_id_is_looked_at_while_there_are_looks() -> None:
    """Up to an hour beyond the queue's delay, and as long as its first look is not given up."""
    assert passed_over() is None
    assert passed_over(2) is None
    assert passed_over(age=DELAY + LONGEST_WAIT) is None


@pytest.mark.parametrize(
    ("looks", "age"), [(1, DELAY + NO_WAIT), (7, DELAY + LONGEST_WAIT + SECOND)]
)
def test_a_first_look_can_be_moved_to_the_kept_one(looks: float, age: timedelta) -> None:
    """Under overload, or behind a burst, a fresh id is stored without a look, with the reason."""
    record = passed_over(looks, age)
    assert record is not None
    assert (record.status, record.looks, record.last_look_at) == ("NOT_FOUND", 0, None)
    assert (record.next_look_at, record.lane) == ("2026-11-26T10:00:00.000Z", Lane.ESSENTIAL)
    assert (record.final, record.shed) == (None, 3)
    assert "Not looked at yet" in (record.note or "")


@pytest.mark.parametrize("looks", [0, 0.5, 1])
def test_a_slot_to_spare_is_used(looks: float) -> None:
    """An id whose turn comes at once is looked at, whatever the load of the day leaves it."""
    assert passed_over(looks, DELAY + NO_WAIT - SECOND) is None
    assert passed_over(looks, DELAY + NO_WAIT) is not None


def test_a_fresh_id_without_any_look_ends_with_the_reason() -> None:
    """Beyond one look a message, some have none: their row says so, and how to get one."""
    record = passed_over(0)
    assert record is not None
    assert (record.next_look_at, record.final, record.shed) == (None, SHED_ALL, 7)
    assert '"force": true' in SHED_ALL


def test_less_than_one_look_each_is_shared_by_chance_of_the_id() -> None:
    """At 0.4 looks a message, four in ten wait for the kept look and the others end."""
    records = [passed_over(0.4, message_id=message_id) for message_id in IDS]
    waiting = sum(record is not None and record.next_look_at is not None for record in records)
    assert waiting / len(IDS) == pytest.approx(0.4, abs=0.04)
    assert None not in records


def test_an_id_that_is_older_than_the_kept_rung_is_looked_at() -> None:
    """After an outage of days its first look is the kept one."""
    assert passed_over(1, 3 * DAY) is None
    assert passed_over(7, 4 * DAY) is None
    assert passed_over(0, 4 * DAY) is not None


@given(LADDERS, st.floats(0, 9), st.timedeltas(timedelta(0), 35 * DAY), st.sampled_from(IDS))
def test_every_fresh_id_is_looked_at_now_or_later_or_ends(
    ladder: Ladder, looks: float, age: timedelta, message_id: str
) -> None:
    """Never both a next look and an end, never neither, and the next look is not behind it."""
    of_message = ladder.for_message(message_id, looks)
    if of_message.first_look_now(age, waited=age - DELAY):
        assert kept(looks, message_id, ladder) or age < DELAY + NO_WAIT
        return
    following = of_message.after_no_look(sent_at=SENT)
    assert (following.at is None) != (following.final is None)
    assert following.at is None or following.at > SENT + age


def test_not_found_with_later_looks_given_up_still_explains_itself() -> None:
    """An id that SES never showed ends with what was tried, whatever the load was."""
    record, _ = after_look(
        None,
        NotFound(),
        message_id=MESSAGE_ID,
        enqueued_at=SENT,
        now=SENT + 3 * DAY,
        rules=RULES,
        looks_per_message=1,
    )
    assert "SES does not know this message: 1 look since" in (record.final or "")
