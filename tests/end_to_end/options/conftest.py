"""A deployed stack with what is optional: chat notifications and intake from SES's events."""

from collections.abc import Iterator

import pytest

from local.stack.run import LocalRun, local_stack

OPTIONS = {"chatNotifications": "true", "intakeSent": "true", "intakeFeedback": "true"}


@pytest.fixture(scope="session")
def run() -> Iterator[LocalRun]:
    """The stack with all options, behind the fault proxy."""
    with local_stack(OPTIONS, through_faults=True) as run:
        yield run
