"""The clocks of the stand-in: the real ones, and one that stands still until it is moved."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the stand-in tells time by."""

    def monotonic(self) -> float:
        """Tell the seconds the rate limit goes by."""

    def now(self) -> datetime:
        """Tell the time stories unfold by, in UTC."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""


class RealClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """Read CLOCK_MONOTONIC."""
        return time.monotonic()

    def now(self) -> datetime:
        """Read the wall clock."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(seconds)


class ManualClock:
    """Moves when it is told to; who sleeps by it moves it at once."""

    def __init__(self, start: datetime) -> None:
        self.start = start
        self.elapsed = timedelta(0)

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.elapsed += by

    def rewind(self) -> None:
        """Go back to the start."""
        self.elapsed = timedelta(0)

    def monotonic(self) -> float:
        """Tell the seconds since the start."""
        return self.elapsed.total_seconds()

    def now(self) -> datetime:
        """Tell the start and what passed since."""
        return self.start + self.elapsed

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.advance(timedelta(seconds=seconds))
