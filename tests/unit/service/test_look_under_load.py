"""A look that was due is taken once; where looks are scarce, first looks are postponed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from ses_insights.adapters.records import RecordTable
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import (
    LATE,
    LONGEST_WAIT,
    NOT_YET_LOOKED,
    SHED_ALL,
    SHED_REST,
    TOO_LATE,
)
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
IN_QUEUE = DELAY + timedelta(seconds=30)
SOON = timedelta(minutes=1)
DELIVERED = found(delivered())


def serving(answer: Answer = DELIVERED) -> Harness:
    """A harness whose messages waited in the queue for some seconds."""
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
    harness.capacity = FakeCapacity(TOO_LATE, long_queue=True)
    record = looked(NotFound())[0]
    harness.records.records[MESSAGE_ID] = replace(record, looks=0, last_look_at=None)
    harness.clock.advance(3 * 86_400)
    assert harness.look(waited=2 * DAY, number=1).answer is not None


# Too many


def test_where_essential_looks_are_too_late_a_first_look_is_postponed() -> None:
    """No call to SES; the row waits in the essential lane, says so, and is counted."""
    harness = serving()
    harness.capacity.is_late = TOO_LATE
    outcome = harness.look()
    assert harness.source.asked == []
    assert outcome.is_postponed
    assert outcome.is_fresh is True
    assert (outcome.shed, outcome.published) == (3, ())
    record = harness.stored
    assert (record.looks, record.status, record.lane) == (0, Status.NOT_FOUND, Lane.ESSENTIAL)
    assert record.note == NOT_YET_LOOKED
    assert record.next_look_at == iso(START - IN_QUEUE + 3 * DAY)
    assert record.first_look_at is None


def test_where_essential_looks_are_hardly_late_a_first_look_is_taken() -> None:
    """Up to four hours every fresh id gets one."""
    harness = serving()
    harness.capacity.is_late = LATE
    assert harness.look().answer is not None


def test_a_look_that_was_begun_is_finished_whatever_the_load() -> None:
    """The queue hands over an id again because a look at it crashed: it is not postponed."""
    harness = serving()
    harness.capacity = FakeCapacity(TOO_LATE, long_queue=True)
    assert harness.look(waited=2 * DAY, is_repeat=True).answer is not None
    assert harness.stored.looks == 1


@pytest.mark.parametrize("reason", [SHED_ALL, SHED_REST])
@pytest.mark.parametrize("is_repeat", [True, False])
def test_a_look_that_was_begun_is_finished_though_it_was_given_up(
    reason: str, *, is_repeat: bool
) -> None:
    """SES had answered, and the look was stopped before it stored that.

    Then a run gave the message up. The simulation found it (seed 877081). Who enqueues the id
    again does not change what was given up.
    """
    harness = serving()
    given_up = replace(looked(NotFound())[0], final=reason, next_look_at=None)
    harness.records.records[MESSAGE_ID] = given_up
    harness.clock.advance(86_400)
    assert (harness.look(is_repeat=is_repeat).answer is not None) is is_repeat


@pytest.mark.parametrize(("receive_count", "calls"), [(1, 0), (2, 1)])
def test_the_count_of_receives_says_that_a_look_was_begun(receive_count: int, calls: int) -> None:
    """SQS counts how often it handed a message over."""
    harness = serving()
    harness.capacity.is_late = TOO_LATE
    assert harness.handle(receive_count=receive_count)
    assert len(harness.source.asked) == calls


def test_a_first_look_behind_a_long_queue_is_postponed() -> None:
    """After a burst those behind come first, however little essential looks are late."""
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
    harness.capacity.is_late = TOO_LATE
    harness.look()
    assert harness.look(force=True).answer is not None
    assert harness.stored.looks == 1
    assert harness.stored.first_look_at == iso(START)


def test_who_enqueues_can_force_the_look_at_a_fresh_id() -> None:
    """Under the worst load its first look is taken at once."""
    harness = serving()
    harness.capacity = FakeCapacity(TOO_LATE, long_queue=True)
    assert harness.look(force=True, waited=2 * DAY).answer is not None
    assert harness.stored.looks == 1


def test_what_was_postponed_is_not_looked_at_when_it_comes_again() -> None:
    """An id enqueued twice in a crowd costs no slot; at its time it is looked at."""
    harness = serving()
    harness.capacity.is_late = TOO_LATE
    harness.look()
    harness.capacity.is_late = LATE
    assert harness.look().answer is None
    harness.clock.advance(3 * 86_400)
    outcome = harness.look(number=1)
    assert outcome.answer is not None
    assert harness.stored.note is None


def test_a_bounce_that_ses_publishes_is_worth_a_slot_under_load() -> None:
    """What was postponed is looked at once SES says that there is something to see."""
    harness = serving(found(bounced()))
    harness.capacity.is_late = TOO_LATE
    assert harness.look().is_postponed
    assert harness.look(due=True).answer is not None
    assert harness.stored.status is Status.PERMANENT_BOUNCE


def test_a_bounce_of_an_unknown_message_is_looked_at_under_load() -> None:
    """Its id never came, or comes later: the event alone is worth the slot."""
    harness = serving(found(bounced()))
    harness.capacity.is_late = TOO_LATE
    assert harness.look(due=True).answer is not None


def test_a_postponed_message_can_be_stored(table: Table) -> None:
    """Its row is in the index, and reads back as it was."""
    harness = serving()
    harness.capacity.is_late = TOO_LATE
    record = harness.look().record
    real = RecordTable(table.client, table.name)
    real.save(record, (), read=None)
    assert real.load(MESSAGE_ID) == record


def test_the_time_in_the_queue_by_rule_is_no_wait() -> None:
    """A quarter of an hour and then an hour is what a fresh id may wait."""
    harness = serving()
    harness.capacity.long_queue = True
    assert harness.look(waited=timedelta(minutes=75)).answer is not None
    assert serving().look(waited=timedelta(minutes=75)).answer is not None


def test_what_another_look_has_stored_meanwhile_is_not_postponed() -> None:
    """It is not fresh any more: the look is taken."""
    harness = serving()
    harness.capacity.is_late = TOO_LATE
    record = looked(NotFound())[0]
    harness.moments.before["save"] = lambda: setattr(harness, "stored", record)
    assert harness.look().answer is not None
    assert harness.stored.looks == 2


def test_a_postponed_id_of_another_region_says_so() -> None:
    """Before it is looked at: that may take days."""
    harness = serving()
    harness.capacity.is_late = TOO_LATE
    assert harness.handle(f"<{MESSAGE_ID}@eu-central-1.amazonses.com>")
    assert harness.source.asked == []
    assert "names the Region eu-central-1" in (harness.stored.note or "")
