"""Waiting for a state of a running stack; nothing is asserted about how long that takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

SECONDS: Final = 300.0
"""Until a test gives up: far more than a busy machine needs."""

_POLL: Final = 0.1


def eventually(holds: Callable[[], object]) -> None:
    """Wait until it holds; fail when it does not come to that.

    What is waited for must come in any order of events, and stay: "at least three", not "three".
    """
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(_POLL)
