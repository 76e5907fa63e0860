"""One local run for all tests of this folder."""

from collections.abc import Iterator

import pytest

from local.run import LocalRun, local_stack


@pytest.fixture(scope="session")
def stack() -> Iterator[LocalRun]:
    """The deployed stack, where a fresh id is looked at without delay."""
    with local_stack({"firstLookDelaySeconds": "0"}) as run:
        yield run
