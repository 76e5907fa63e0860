"""The local run that the tests of this folder share."""

from collections import deque
from collections.abc import Generator, Iterator

import pytest

from local.stack.run import LocalRun, local_stack

LOG_LINES = 200


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalRun]:
    """The deployed stack, where a fresh id is looked at without delay."""
    with local_stack({"firstLookDelaySeconds": "0"}) as run:
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
