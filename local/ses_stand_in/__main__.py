"""`python -m local.ses_stand_in`: serve until SIGTERM; prints its URL first."""

import argparse
import asyncio
import signal
import sys

from local.ses_stand_in.settings import LOOPBACK, Settings
from local.ses_stand_in.stand_in import StandIn
from local.ses_stand_in.stories import STORIES


def main(arguments: list[str] | None = None) -> int:
    """Run the stand-in; returns the exit status."""
    parser = _parser()
    asked = parser.parse_args(arguments)
    try:
        settings = Settings(
            vdm=not asked.vdm_off,
            speed=asked.speed,
            period_seconds=asked.period,
            latency_ms=asked.latency,
            travel_ms=asked.travel,
        )
        stand_in = StandIn(host=asked.host, port=asked.port, settings=settings, seed=asked.seed)
    except ValueError as error:  # SettingsError is one
        parser.error(str(error))
    try:
        asyncio.run(_serve(stand_in))
    except OSError as error:
        print(f"port {asked.port}: {error.strerror}; use --port 0", file=sys.stderr)
        return 1
    return 0


async def _serve(stand_in: StandIn) -> None:
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await stand_in.serve(stopped, lambda url: print(url, flush=True))


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, STORIES))
    parser = argparse.ArgumentParser(
        prog="python -m local.ses_stand_in",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="stories, chosen by the recipient, e.g. opened+anna@stories.example:\n"
        + "\n".join(f"  {name:<{width}}  {story.sentence}" for name, story in STORIES.items()),
    )
    start = Settings()
    parser.add_argument("--host", default=LOOPBACK, help="127.0.0.1 and nothing else")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--speed", type=float, default=start.speed, help="3600: an hour of a story in a second"
    )
    parser.add_argument(
        "--period", type=float, default=start.period_seconds, help="of the rate limit, seconds"
    )
    parser.add_argument(
        "--latency", type=_range, default=start.latency_ms, help="milliseconds, e.g. 20-120"
    )
    parser.add_argument(
        "--travel",
        type=_range,
        default=start.travel_ms,
        help="milliseconds before a request counts as arrived, e.g. 0-40",
    )
    parser.add_argument("--seed", type=int, default=None, help="fixes the latencies")
    parser.add_argument("--vdm-off", action="store_true", help="every look is a 404")
    return parser


def _range(text: str) -> tuple[float, float]:
    """`20-120`, or one number for both ends."""
    least, _, most = text.partition("-")
    return float(least), float(most or least)


if __name__ == "__main__":
    sys.exit(main())
