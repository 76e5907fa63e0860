"""The deployed stack that the tests of this folder share; its subfolders have their own."""

from collections import deque
from collections.abc import Generator, Iterator

import pytest

from local.actors.operator import FollowUps
from local.stack.run import LocalRun, local_stack
from tests.support.deployed_stack import DeployedStack, deployed_stack

LOG_LINES = 200

LAST = ("test_the_schedule_starts_runs", "test_logs.py")
"""A schedule of a minute has started its run by then; and logs are searched when all is in them."""


@pytest.fixture(scope="session")
def run() -> Iterator[LocalRun]:
    """The stack as deployed by default, where a fresh id is looked at without delay."""
    with local_stack() as run:
        yield run


@pytest.fixture(scope="session")
def followups(run: LocalRun) -> FollowUps:
    """The function `followups`; all tests start it through this, so that it counts their runs."""
    return FollowUps(run)


@pytest.fixture
def stack(run: LocalRun) -> Iterator[DeployedStack]:
    """The stack for one test."""
    with deployed_stack(run) as stack:
        yield stack


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move what has to come last to the end."""
    items.sort(key=lambda item: [each in (item.name, item.path.name) for each in LAST[::-1]])


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
