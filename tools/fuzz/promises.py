"""What a target says when a promise is broken."""

from __future__ import annotations


class BrokenPromise(AssertionError):
    """Something that must hold for any input does not hold for this one."""


def hold(kept: bool, promise: str) -> None:  # noqa: FBT001 - it is the one thing asked
    """Raise `BrokenPromise`, which names the promise, unless it is kept."""
    if not kept:
        raise BrokenPromise(promise)
