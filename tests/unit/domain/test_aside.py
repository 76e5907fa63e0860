"""An id at which SES fails steps aside, and is tried again later and later."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ses_insights.domain.aside import FAILING, failing_since, step_aside, tries_before_aside
from ses_insights.domain.lanes import Lane
from ses_insights.domain.record import Record
from ses_insights.domain.times import iso
from tests.support.fakes import START
from tests.support.samples import MESSAGE_ID, RULES, delivered, found, looked

FRESH = Record.new(MESSAGE_ID, START, RULES)


def test_the_queue_waits_longer_the_more_stepped_aside_in_vain() -> None:
    """A few tries for the first one; where others fail, too, the queue all but stands."""
    assert [tries_before_aside(number) for number in range(6)] == [5, 7, 9, 11, 12, 12]


def test_the_first_time_it_waits_for_a_quarter_of_an_hour() -> None:
    """The record says since when, and why it waits."""
    aside = step_aside(FRESH, START, others_answered=False)
    assert aside.next_look_at == "2026-11-23T10:15:00.000Z"
    assert aside.failing_since == "2026-11-23T10:00:00.000Z"
    assert aside.note is not None
    assert "SES fails at this id" in aside.note
    assert (aside.final, aside.looks, aside.lane) == (None, 0, Lane.LISTED)


@pytest.mark.parametrize(
    ("failing", "waits"),
    [
        (timedelta(minutes=20), timedelta(minutes=20)),
        (timedelta(hours=3), timedelta(hours=3)),
        (timedelta(hours=20), timedelta(hours=6)),
    ],
)
def test_the_waits_grow_with_the_trouble(failing: timedelta, waits: timedelta) -> None:
    """It waits as long as it has failed, and never longer than six hours."""
    before = replace(FRESH, failing_since=iso(START - failing))
    aside = step_aside(before, START, others_answered=True)
    assert aside.next_look_at == iso(START + waits)
    assert aside.failing_since == before.failing_since


def test_what_fails_alone_for_a_day_comes_to_an_end() -> None:
    """No further look, and the row says why."""
    before = replace(FRESH, failing_since=iso(START - timedelta(days=1)))
    aside = step_aside(before, START, others_answered=True)
    assert (aside.final, aside.next_look_at) == (FAILING, None)


def test_where_nobody_was_answered_it_goes_on_waiting() -> None:
    """In an outage of SES nothing is given up."""
    before = replace(FRESH, failing_since=iso(START - timedelta(days=5)))
    aside = step_aside(before, START, others_answered=False)
    assert (aside.final, aside.next_look_at) == (None, iso(START + timedelta(hours=6)))


def test_an_id_that_was_parked_and_comes_again_is_tried_anew() -> None:
    """One failure weeks later does not park it again.

    The simulation found it (seed 1119 of 2026-11-26): SES had answered for it in between.
    """
    parked = replace(FRESH, failing_since=iso(START - timedelta(days=9)), final=FAILING)
    assert failing_since(parked) is None
    aside = step_aside(parked, START, others_answered=True)
    assert (aside.final, aside.failing_since) == (None, iso(START))


@pytest.mark.parametrize("lane", [Lane.ESSENTIAL, Lane.FOLLOW_UP, Lane.LISTED])
def test_a_look_that_was_begun_is_never_given_up(lane: Lane) -> None:
    """Whatever it waited for, it steps aside into the lane from which nothing is given up.

    SES may have answered at one of the tries, and nobody could store it. The simulation found it
    (seeds 669148 and 672083): two days later looks were scarce, and it was given up.
    """
    before = replace(FRESH, lane=lane)
    assert step_aside(before, START, others_answered=False).lane is Lane.LISTED


def test_what_came_in_bulk_stays_in_its_lane() -> None:
    """Stepping aside is no way to the front."""
    before = replace(FRESH, lane=Lane.BULK)
    assert step_aside(before, START, others_answered=False).lane is Lane.BULK


def test_an_answer_ends_it() -> None:
    """A record that SES answered for knows nothing of the trouble before."""
    before = replace(FRESH, failing_since=iso(START))
    record, _ = looked(found(delivered()), before, now=START)
    assert (record.failing_since, record.note) == (None, None)
