"""The local runs that tests of this folder share."""

from collections import deque
from collections.abc import Generator, Iterator
from typing import Final

import pytest

from local.followups import FollowUps
from local.run import LocalRun, local_stack

LOG_LINES = 200

BACK_AFTER: Final = 2
"""Seconds until the queue of `faulty_stack` hands out again what a dead function had in hand."""


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalRun]:
    """The deployed stack, where a fresh id is looked at without delay."""
    with local_stack({"firstLookDelaySeconds": "0"}) as run:
        yield run


@pytest.fixture(scope="session")
def faulty_stack() -> Iterator[LocalRun]:
    """The deployed stack behind the fault proxy, for tests of faults and crashes.

    It differs from what is deployed in two things. A message that a function dies with comes back
    after BACK_AFTER, not after three minutes. And nothing starts `followups` by itself: a run that
    no test asked for would meet the fault that is meant for another.
    """
    with local_stack({"firstLookDelaySeconds": "0"}, through_faults=True) as run:
        run.session.client("sqs").set_queue_attributes(
            QueueUrl=run.outputs["QueueUrl"], Attributes={"VisibilityTimeout": str(BACK_AFTER)}
        )
        FollowUps(run).stop_schedule()
        yield run


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the search of the whole run's logs come last."""
    items.sort(key=lambda item: item.path.name == "test_logs.py")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put the end of the emulator's log, functions' output included, beside a failure."""
    report = yield
    runs = [each for each in item.funcargs.values() if isinstance(each, LocalRun)]
    for run in runs if report.failed else ():
        with (run.folder / "emulator.log").open(errors="replace") as log:
            lines = deque(log, LOG_LINES)
        report.sections.append(("emulator.log", "".join(lines)))
    return report
