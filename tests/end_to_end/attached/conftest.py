"""A stack over whose table others are deployed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.stack.run import LocalRun, local_stack


@pytest.fixture(scope="module")
def run() -> Iterator[LocalRun]:
    """The stack whose table outlives it, as it does by default on AWS."""
    with local_stack({"removalPolicy": "retain"}) as run:
        yield run
