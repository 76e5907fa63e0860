"""A stack for each test, which deploys another over the table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.stack.run import LocalRun, local_stack


@pytest.fixture
def run() -> Iterator[LocalRun]:
    """The stack whose table outlives it, as it does by default on AWS."""
    with local_stack({"removalPolicy": "retain"}) as run:
        yield run
