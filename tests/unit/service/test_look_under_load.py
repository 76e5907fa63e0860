"""A look that was due is taken once; where looks are scarce, first looks are postponed."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest

from ses_insights.adapters.records import RecordTable
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import LONGEST_WAIT, NO_WAIT, NOT_YET_LOOKED, SHED_ALL
from ses_insights.domain.record import Answer, NotFound
from ses_insights.domain.status import Status
from ses_insights.domain.times import iso
from tests.support.fakes import (
    START,
    Table,
)
from tests.support.fakes_due import FakeCapacity
from tests.support.harness import Harness
from tests.support.samples import MESSAGE_ID, bounced, delivered, found, looked

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DELAY = timedelta(minutes=15)
IN_QUEUE = DELAY + NO_WAIT
"""A wait that shows that there is no slot to spare."""
SOON = timedelta(minutes=1)
DELIVERED = found(delivered())


def serving(answer: Answer = DELIVERED) -> Harness:
    """A harness whose messages wait so long that there is no slot to spare."""
    return Harness([answer], waited=IN_QUEUE)


# Looks that were due


def test_a_due_look_is_taken_once() -> None:
    """Come twice, it is taken the first time and costs no slot the second time."""
    harness = serving()
    harness.look()
    harness.clock.advance(7200)
    assert harness.look(number=2).answer is not None
    assert harness.look(number=2).answer is None
    assert harness.stored.looks == 2
    assert len(harness.source.asked) == 2


def test_a_due_look_is_taken_whatever_else_is_known() -> None:
    """Just looked at, or claimed until an hour from now: its number alone decides."""
    harness = serving()
    harness.look()
    assert harness.look(number=2).answer is not None


def test_a_due_look_is_never_postponed() -> None:
    """It was planned, and what it finds is what the message is kept for."""
    harness = serving()
    harness.capacity = FakeCapacity(looks=0.0, long_queue=True)
    record = looked(NotFound())[0]
    harness.records.records[MESSAGE_ID] = replace(record, looks=0, last_look_at=None)
    harness.clock.advance(3 * 86_400)
    assert harness.look(waited=2 * DAY, number=1).answer is not None


# Too many


def test_a_first_look_the_load_does_not_leave_is_postponed() -> None:
    """No call to SES; the row waits in the essential lane, says so, and is counted."""
    harness = serving()
    harness.capacity.looks = 0.999_999
    outcome = harness.look()
    assert harness.source.asked == []
    assert outcome.is_postponed
    assert outcome.shed == 3
    record = harness.stored
    assert (record.looks, record.status, record.lane) == (0, Status.NOT_FOUND, Lane.ESSENTIAL)
    assert record.note == NOT_YET_LOOKED
    assert record.next_look_at == iso(START - IN_QUEUE + 3 * DAY)
    assert record.first_look_at is None


def test_a_slot_to_spare_is_used() -> None:
    """An id whose turn comes at once is looked at, whatever the load leaves it."""
    harness = serving()
    harness.capacity.looks = 0.0
    assert harness.look(waited=DELAY).answer is not None


def test_a_message_for_which_no_look_is_left_ends_and_says_so() -> None:
    """It waits in no lane, and its row says why."""
    harness = serving()
    harness.capacity.looks = 0.0
    outcome = harness.look()
    assert outcome.record.final == SHED_ALL
    assert outcome.shed == 7
    assert harness.source.asked == []


def test_a_first_look_behind_a_long_queue_is_postponed() -> None:
    """A burst faster than the counts show: those behind come first."""
    harness = serving()
    harness.capacity.long_queue = True
    assert harness.look(waited=DELAY + LONGEST_WAIT + SOON).is_postponed


@pytest.mark.parametrize("waited", [DELAY + LONGEST_WAIT + SOON, 2 * DAY])
def test_a_first_look_after_an_outage_is_taken(waited: timedelta) -> None:
    """After an outage a short queue is worked off as it is: no look is moved by three days."""
    assert serving().look(waited=waited).answer is not None


def test_who_enqueues_can_force_a_look_under_load() -> None:
    """With force the message is looked at, now or after it was postponed."""
    harness = serving()
    harness.capacity.looks = 0.0
    harness.look()
    assert harness.look(force=True).answer is not None
    assert harness.stored.looks == 1
    assert harness.stored.first_look_at == iso(START)


def test_what_was_postponed_is_not_looked_at_when_it_comes_again() -> None:
    """An id enqueued twice in a crowd costs no slot; at its time it is looked at."""
    harness = serving()
    harness.capacity.looks = 0.999_999
    harness.look()
    harness.capacity.looks = math.inf
    assert harness.look().answer is None
    harness.clock.advance(3 * 86_400)
    outcome = harness.look(number=1)
    assert outcome.answer is not None
    assert harness.stored.note is None


@pytest.mark.parametrize("looks", [0.0, 0.999_999], ids=["given up", "moved by three days"])
def test_a_bounce_that_ses_publishes_is_worth_a_slot_under_load(looks: float) -> None:
    """What was postponed is looked at once SES says that there is something to see."""
    harness = serving(found(bounced()))
    harness.capacity.looks = looks
    assert harness.look().is_postponed
    assert harness.look(due=True).answer is not None
    assert harness.stored.status is Status.PERMANENT_BOUNCE


def test_a_bounce_of_an_unknown_message_is_looked_at_under_load() -> None:
    """Its id never came, or comes later: the event alone is worth the slot."""
    harness = serving(found(bounced()))
    harness.capacity.looks = 0.0
    assert harness.look(due=True).answer is not None


def test_rungs_the_load_does_not_leave_are_counted() -> None:
    """A first look that is taken says how many later ones were given up."""
    harness = serving()
    harness.capacity.looks = 2.0
    outcome = harness.look()
    assert outcome.shed == 2
    assert harness.stored.shed == 2
    assert harness.stored.lane is Lane.ESSENTIAL


def test_a_postponed_message_can_be_stored(table: Table) -> None:
    """Its row is in the index, and reads back as it was."""
    harness = serving()
    harness.capacity.looks = 0.999_999
    record = harness.look().record
    real = RecordTable(table.client, table.name)
    real.save(record, (), read=None)
    assert real.load(MESSAGE_ID) == record
