"""The local run that the tests of this folder share, behind the fault proxy."""

from collections.abc import Iterator
from typing import Final

import pytest

from local.actors.operator import FollowUps
from local.actors.subscriber import Subscriber
from local.stack.redelivery import redelivered_after
from local.stack.run import LocalRun, local_stack
from tests.support.patience import eventually
from tests.support.witness import Witness

BACK_AFTER: Final = 2
"""Seconds until the queue hands out again what a dead function had in hand."""


@pytest.fixture(scope="session")
def faulty_stack() -> Iterator[LocalRun]:
    """The deployed stack behind the fault proxy, for tests of faults and crashes.

    It differs from what is deployed in two things. A message that a function dies with comes back
    after BACK_AFTER, not after three minutes. And nothing starts `followups` by itself: a run that
    no test asked for would meet the fault that is meant for another.
    """
    with local_stack({"firstLookDelaySeconds": "0"}, through_faults=True) as run:
        FollowUps(run).stop_schedule()
        with redelivered_after(run, BACK_AFTER):
            yield run


@pytest.fixture(scope="session")
def subscriber(faulty_stack: LocalRun) -> Subscriber:
    """Somebody who gets all alerts."""
    topic = faulty_stack.outputs["AlertTopicArn"]
    return Subscriber.subscribe(faulty_stack.session, topic, name="witness")


@pytest.fixture
def witness(faulty_stack: LocalRun, subscriber: Subscriber) -> Iterator[Witness]:
    """Nothing fails, and nothing is on its way."""
    witness = Witness.of(faulty_stack, subscriber)
    yield witness
    witness.mend()
    eventually(lambda: witness.waiting() == 0)
