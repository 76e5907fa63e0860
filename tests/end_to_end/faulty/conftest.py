"""The deployed stack that the tests of this folder share, behind the fault proxy."""

from collections.abc import Iterator
from typing import Final

import pytest

from local.actors.operator import FollowUps
from local.stack.redelivery import redelivered_after
from local.stack.run import LocalRun, local_stack

BACK_AFTER: Final = 2
"""Seconds until the queue hands out again a message that a function has died with."""


@pytest.fixture(scope="session")
def run() -> Iterator[LocalRun]:
    """The stack behind the fault proxy, for tests of faults and crashes.

    It differs from what is deployed in two things. A message that a function dies with comes back
    after BACK_AFTER, not after three minutes. And the schedule is off: a run that no test asked for
    would meet the fault that is meant for another.
    """
    with local_stack(through_faults=True) as run:
        FollowUps(run).switch_schedule(on=False)
        with redelivered_after(run, BACK_AFTER):
            yield run


@pytest.fixture(scope="session")
def followups(run: LocalRun) -> FollowUps:
    """The function `followups`."""
    return FollowUps(run)
