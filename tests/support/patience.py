"""Waiting for what a running stack comes to; nothing is asserted about how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 120.0
"""Until a test gives up."""


def eventually(holds: Callable[[], bool]) -> None:
    """Wait until it holds; fail when it never does."""
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.2)
