"""Running the stand-in: as a coroutine, or in a thread."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from random import Random
from threading import Thread
from types import TracebackType
from typing import Self

from aiohttp import web

from local.ses_stand_in.account import Account
from local.ses_stand_in.clock import Clock, RealClock
from local.ses_stand_in.server import Server
from local.ses_stand_in.settings import LOOPBACK, Settings
from local.ses_stand_in.wire import model

LONGEST_LINE = 64 * 1024  # of a request: an id of any length is to get SES's 400, not aiohttp's


class StandIn:
    """SES on 127.0.0.1. `with StandIn() as ses` runs it in a thread; `ses.url` is where."""

    def __init__(
        self,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        settings: Settings | None = None,
        seed: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Make it; port 0 takes a free one, `seed` fixes the latencies, `clock` is for tests.

        Raises ValueError when the host is not 127.0.0.1.
        """
        if host != LOOPBACK:
            raise ValueError(
                f"host {host!r}: the SES stand-in serves this machine only; use {LOOPBACK}"
            )
        self.url = ""
        self._port = port
        self._server = Server(
            account=Account(settings or Settings()),
            random=Random(seed),  # noqa: S311 - not for secrets
            clock=clock or RealClock(),
        )
        self._thread: Thread | None = None
        self._stop: Callable[[], object] = lambda: None

    async def serve(self, stopped: asyncio.Event, announce: Callable[[str], None]) -> None:
        """Serve until `stopped` is set; `announce` gets the URL once it answers there.

        Raises OSError when the port is taken.
        """
        runner = web.AppRunner(
            self._server.app(),
            access_log=None,
            handler_cancellation=True,  # a hang ends when its client gives up
            max_line_size=LONGEST_LINE,
            shutdown_timeout=0.1,
        )
        model()
        await runner.setup()
        try:
            await web.TCPSite(runner, LOOPBACK, self._port).start()
            announce(f"http://{LOOPBACK}:{runner.addresses[0][1]}")
            await stopped.wait()
        finally:
            await runner.cleanup()

    def start(self) -> Self:
        """Serve in a thread; returns once it answers.

        Raises OSError when the port is taken.
        """
        started: Future[str] = Future()
        thread = Thread(target=self._run, args=(started,), name="ses-stand-in", daemon=True)
        thread.start()
        self.url = started.result()
        self._thread = thread
        return self

    def stop(self) -> None:
        """End the thread and every connection; a second time does nothing."""
        if self._thread is not None:
            self._stop()
            self._thread.join()
            self._thread = None

    def _run(self, started: Future[str]) -> None:
        async def run() -> None:
            stopped, loop = asyncio.Event(), asyncio.get_running_loop()
            self._stop = lambda: loop.call_soon_threadsafe(stopped.set)
            await self.serve(stopped, started.set_result)

        try:
            asyncio.run(run())
        except Exception as error:
            if started.done():
                raise
            started.set_exception(error)

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self.stop()
