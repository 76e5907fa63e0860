"""Until when a run may work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


class OutOfTimeError(Exception):
    """The run has to stop; the next one goes on."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on a monotonic clock, in seconds."""

    clock: Callable[[], float]
    at: float

    def check(self) -> None:
        """Raise `OutOfTimeError` once the moment is reached."""
        if self.clock() >= self.at:
            raise OutOfTimeError
