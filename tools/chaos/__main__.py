"""`python -m tools.chaos`: do the runs of many seeds, and tell which broke a promise."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Final

from tools.chaos.run import Result, run
from tools.chaos.service import virtual_time

_CHUNK: Final = 20
_SHOWN: Final = 20


def main() -> int:
    """Run, print what was broken, and return the exit status."""
    chosen = _arguments()
    if chosen.seed is not None:
        with virtual_time():
            result = run(chosen.seed, is_traced=True)
        print("\n".join(result.trace))
        print(f"\nSeed {chosen.seed}: {len(result.violations)} promises broken.")
        print("\n".join(result.violations))
        return 1 if result.violations else 0
    began = time.monotonic()
    seeds = range(chosen.first, chosen.first + chosen.seeds)
    results = []
    for result in _all(seeds, chosen.processes):
        results.append(result)
        if result.violations and sum(bool(each.violations) for each in results) <= _SHOWN:
            print(f"seed {result.seed}: {result.violations[0]}", flush=True)
    _report(results, time.monotonic() - began, chosen.processes)
    return 1 if any(result.violations for result in results) else 0


def some(seeds: Sequence[int]) -> list[Result]:
    """Do several runs, one after the other."""
    with virtual_time():
        return [run(seed) for seed in seeds]


def _all(seeds: Sequence[int], processes: int) -> Iterator[Result]:
    chunks = [seeds[at : at + _CHUNK] for at in range(0, len(seeds), _CHUNK)]
    with ProcessPoolExecutor(processes) as pool:
        for results in pool.map(some, chunks):
            yield from results


def _report(results: Iterable[Result], seconds: float, processes: int) -> None:
    results = list(results)
    broken = [result for result in results if result.violations]
    kinds = Counter(
        violation.split(" ", 2)[2].partition(":")[0]
        for result in broken
        for violation in {
            each.split(" ", 2)[2].partition(":")[0]: each for each in result.violations
        }.values()
    )
    print(
        f"{len(results):,} seeds in {seconds:.0f} s "
        f"({len(results) / seconds / processes:.1f} a second and processor): "
        f"{sum(result.invocations for result in results):,} invocations of lookup, "
        f"{sum(result.runs for result in results):,} runs of followups, "
        f"{sum(result.calls for result in results):,} calls to SES, "
        f"{sum(result.published for result in results):,} publications, "
        f"{sum(result.faults for result in results):,} faults; "
        f"{len(broken)} seeds with a broken promise."
    )
    for kind, count in kinds.most_common():
        print(f"{count:6} {kind}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first one")
    parser.add_argument("--seed", type=int, help="do this one alone, and print what happens")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
