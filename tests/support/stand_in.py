"""The SES stand-in in a thread of the test, under a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random
from threading import Thread

from local.ses_stand_in.account import Account
from local.ses_stand_in.clock import Clock
from local.ses_stand_in.server import Server
from local.ses_stand_in.serving import serve
from local.ses_stand_in.settings import Settings


class ManualClock:
    """Stands still until it is moved; a sleep moves it at once."""

    def __init__(self, start: datetime) -> None:
        """Begin at a time."""
        self.start = start
        self.elapsed = timedelta(0)

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.elapsed += by

    def rewind(self) -> None:
        """Go back to the start."""
        self.elapsed = timedelta(0)

    def monotonic(self) -> float:
        """Seconds since the start."""
        return self.elapsed.total_seconds()

    def now(self) -> datetime:
        """The start and what passed since."""
        return self.start + self.elapsed

    async def sleep(self, seconds: float) -> None:
        """Let time pass at once."""
        self.advance(timedelta(seconds=seconds))


@contextmanager
def stand_in_thread(settings: Settings, clock: Clock, *, seed: int = 0) -> Iterator[str]:
    """Serve for as long as the block lasts; gives the URL. `seed` fixes the latencies."""
    started: Future[str] = Future()
    loop, stopped = asyncio.new_event_loop(), asyncio.Event()
    random = Random(seed)  # noqa: S311 - not for secrets
    server = Server(account=Account(settings), random=random, clock=clock)
    work = serve(server, stopped, started.set_result)
    thread = Thread(target=loop.run_until_complete, args=(work,), daemon=True)
    thread.start()
    try:
        yield started.result(timeout=60)
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.close()
