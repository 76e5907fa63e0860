"""The clocks of the stand-in."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """The time the stand-in goes by."""

    def monotonic(self) -> float:
        """Seconds for the rate limit."""

    def now(self) -> datetime:
        """UTC time for the stories."""

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""


class RealClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """CLOCK_MONOTONIC, which a client on this machine can compare with."""
        return time.monotonic()

    def now(self) -> datetime:
        """The wall clock."""
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        await asyncio.sleep(seconds)
