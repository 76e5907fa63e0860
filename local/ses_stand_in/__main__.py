"""`python -m local.ses_stand_in`: SES on a free port of loopback until SIGTERM; prints its URL."""

import argparse
import asyncio
import signal
import sys
from random import Random

from local.ses_stand_in.account import Account
from local.ses_stand_in.clock import RealClock
from local.ses_stand_in.server import Server
from local.ses_stand_in.serving import serve
from local.ses_stand_in.settings import Settings, SettingsError
from local.ses_stand_in.stories import STORIES


def main() -> int:
    """Serve; returns the exit status."""
    parser = _parser()
    choice = parser.parse_args()
    try:
        settings = Settings(latency_ms=choice.latency)
    except SettingsError as error:
        parser.error(str(error))
    random = Random(choice.seed)  # noqa: S311 - not for secrets
    asyncio.run(_serve(Server(account=Account(settings), random=random, clock=RealClock())))
    return 0


async def _serve(server: Server) -> None:
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await serve(server, stopped, lambda url: print(url, flush=True))


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, STORIES))
    parser = argparse.ArgumentParser(
        prog="python -m local.ses_stand_in",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="stories, chosen by the recipient, e.g. opened+anna@stories.example:\n"
        + "\n".join(f"  {name:<{width}}  {story.sentence}" for name, story in STORIES.items()),
    )
    parser.add_argument(
        "--latency",
        type=_range,
        default=Settings().latency_ms,
        help="of an answer, in milliseconds, e.g. 20-120",
    )
    parser.add_argument("--seed", type=int, help="fixes the latencies")
    return parser


def _range(text: str) -> tuple[float, float]:
    """`20-120`, or one number for both ends."""
    least, _, most = text.partition("-")
    return float(least), float(most or least)


if __name__ == "__main__":
    sys.exit(main())
