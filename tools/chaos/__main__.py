"""`python -m tools.chaos`: do the runs of many seeds, and say which broke a promise."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

from local.files import new_file
from tools.chaos.run import Result, run
from tools.chaos.service import virtual_time
from tools.chaos.totals import Totals

_CHUNK: Final = 20
_SHOWN: Final = 20
_PART: Final = 5_000
"""So many seeds, some minutes of work, are a line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print what was broken, and return the exit status."""
    chosen = _arguments(arguments)
    if chosen.seed is not None:
        with virtual_time():
            result = run(chosen.seed, is_traced=True)
        print("\n".join(result.trace))
        print(f"\nSeed {chosen.seed}: {len(result.violations)} promises broken.")
        print("\n".join(result.violations))
        return 1 if result.violations else 0
    began = time.monotonic()
    totals = Totals()
    with suppress(KeyboardInterrupt):  # what is done by then counts
        _count(totals, range(chosen.first, chosen.first + chosen.seeds), chosen.processes)
    took = time.monotonic() - began
    if not totals.seeds:
        print("No run came to its end.")
        return 1
    for name, figure in totals.figures(took, chosen.processes).items():
        print(f"{name}: {figure}".replace("`", ""))
    for promise, seeds in totals.broken_in.most_common():
        print(f"{seeds:6} {promise}")
    if chosen.write is not None:
        chosen.write.write_text(totals.page(datetime.now(UTC), took, chosen.processes))
    return 1 if totals.violated else 0


def _count(totals: Totals, seeds: Sequence[int], processes: int) -> None:
    """Do many runs and add them up, in the order of their seeds."""
    for results, seconds in _all(seeds, processes):
        totals.processor += seconds
        before = totals.seeds
        for result in results:
            totals.add(result)
            if result.violations and totals.violated <= _SHOWN:
                print(f"seed {result.seed}: {result.violations[0]}", flush=True)
        if before // _PART < totals.seeds // _PART < len(seeds) // _PART:
            print(f"{totals.seeds:,} of {len(seeds):,} seeds done", flush=True)


def some(seeds: Sequence[int]) -> list[Result]:
    """Do several runs, one after the other."""
    with virtual_time():
        return [run(seed) for seed in seeds]


def _timed(seeds: Sequence[int]) -> tuple[list[Result], float]:
    """Do several runs; returns the seconds of processor time that they took, too."""
    began = time.process_time()
    return some(seeds), time.process_time() - began


def _all(seeds: Sequence[int], processes: int) -> Iterator[tuple[list[Result], float]]:
    chunks = [seeds[at : at + _CHUNK] for at in range(0, len(seeds), _CHUNK)]
    with ProcessPoolExecutor(processes, initializer=_leave_interrupts) as pool:
        try:
            yield from pool.map(_timed, chunks)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _leave_interrupts() -> None:
    """Ctrl-C reaches all processes; the first one alone decides what is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--seed", type=int, help="do this one alone, and print what happens")
    parser.add_argument("--write", type=new_file, help="write what came of it into this page")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
