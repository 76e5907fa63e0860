"""`python -m local.stack.faults UPSTREAM`: the proxy on loopback; prints its URL."""

import asyncio
import sys

from aiohttp import web
from microburst import models
from microburst.app import make_app
from microburst.core.pipeline import Microburst
from microburst.forward import Upstream

from local.stack.faults.control import Service
from local.stack.sandbox import require_loopback

LOOPBACK = "127.0.0.1"


class SignedForUs(Upstream):
    """Passes the Host header on, which every signature covers; the emulator checks signatures."""

    def _outbound_headers(self, request: web.Request) -> dict[str, str]:
        return {**super()._outbound_headers(request), "host": request.headers["Host"]}


async def serve(upstream: str) -> None:
    """Pass everything on to `upstream` until the process ends."""
    require_loopback(upstream)
    proxy = Microburst(upstream)
    proxy.upstream = SignedForUs(upstream, stats=proxy.stats)
    _read_models()
    runner = web.AppRunner(make_app(proxy), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    print(f"http://{LOOPBACK}:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


def _read_models() -> None:
    """Read the models of the services now: the first request would wait too long for it."""
    models.service_for_target_prefix("DynamoDB_20120810")
    for service in Service:
        models.get_service_model(service)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
