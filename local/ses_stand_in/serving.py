"""Serving the stand-in on loopback."""

import asyncio
from collections.abc import Callable

from aiohttp import web

from local.ses_stand_in.server import Server
from local.ses_stand_in.settings import LOOPBACK
from local.ses_stand_in.wire import model

LONGEST_LINE = 64 * 1024  # of a request: an id of any length is to get SES's 400, not aiohttp's


async def serve(server: Server, stopped: asyncio.Event, announce: Callable[[str], object]) -> None:
    """Serve on a free port until `stopped` is set; `announce` gets the URL once it answers."""
    runner = web.AppRunner(
        server.app(),
        access_log=None,
        handler_cancellation=True,  # a hang ends when its client gives up
        max_line_size=LONGEST_LINE,
        shutdown_timeout=0.1,
    )
    model()
    await runner.setup()
    try:
        await web.TCPSite(runner, LOOPBACK, 0).start()
        announce(f"http://{LOOPBACK}:{runner.addresses[0][1]}")
        await stopped.wait()
    finally:
        await runner.cleanup()
