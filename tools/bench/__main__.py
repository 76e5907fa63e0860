"""`python -m tools.bench`: measure and print the README's tables; fail on a broken promise."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from local.ses_stand_in.pace import Report
from local.stack.child import LocalRunError
from local.stack.run import local_stack
from tools.bench import four_ways, large_answer, package, stack
from tools.promises import Promise, promise_table

BACKLOG_LOOKS: Final = 90
COMPARED_SECONDS: Final = 60.0
MEMORY_LOOKS: Final = 1000
MEMORY_AT: Final = (100, 250, 500, 1000)
MEGABYTE: Final = 2**20
SLOTS: Final = 0.95
FLAT: Final = 1.05
"""How much more than after a hundred looks the process may hold after a thousand."""


def main() -> int:
    """Measure everything; returns the exit status."""
    try:
        promises = [*_of_stack(), *_of_package()]
    except LocalRunError as error:
        print(error, file=sys.stderr)
        return 1
    ways = four_ways.compare(COMPARED_SECONDS)
    promises += _of_ways(ways)
    print(f"\n{promise_table(promises)}")
    print(f"\n{COMPARED_SECONDS:.0f} seconds side by side, SES taking {four_ways.LATENCY} ms:\n")
    print("| Way | Slots used | 429s | Closest two |\n|---|---|---|---|")
    for name, report in ways:
        print(f"| {name} | {_share(report)} | {report.throttled} | {_closest(report)} |")
    return 0 if all(promise.kept for promise in promises) else 1


def _of_stack() -> Iterator[Promise]:
    with local_stack(progress=_say) as run:
        _say(f"Working off a backlog of {BACKLOG_LOOKS}")
        report = stack.backlog(run, BACKLOG_LOOKS)
        yield Promise(
            f"slots used by {BACKLOG_LOOKS} looks in a backlog on the local stack",
            _share(report),
            "at least 95 %",
            (report.used or 0) >= SLOTS,
        )
        yield Promise("429s in it", str(report.throttled), "0", report.throttled == 0)
        yield Promise(
            "closest two calls in it", _closest(report), "1.000 s", (report.closest or 0) >= 1
        )
        _say("Counting calls")
        for kind, calls in stack.calls_per_look(run).items():
            allowed = {"no alert": 3, "one alert": 6, "two alerts": 9}[kind]
            total = sum(calls.values())
            names = ", ".join(f"{name} {count}" for name, count in calls.items())
            yield Promise(
                f"AWS calls of a look, {kind}",
                f"{total} ({names})",
                f"at most {allowed}",
                total <= allowed,
            )
        _say(f"Looking {MEMORY_LOOKS} times in one process")
        held = stack.memory(run, MEMORY_LOOKS)
        configured = stack.configured_memory(run)
        early, late = held[MEMORY_AT[0] - 1], held[-1]
        yield Promise(
            f"memory after {', '.join(map(str, MEMORY_AT))} looks",
            ", ".join(f"{held[n - 1] / MEGABYTE:.1f}" for n in MEMORY_AT) + " MiB",
            f"flat (at most +{FLAT - 1:.0%}), under two thirds of {configured // MEGABYTE} MiB",
            late <= early * FLAT and late <= configured * 2 / 3,
        )


def _of_package() -> Iterator[Promise]:
    _say("Building the package and timing its start")
    size = package.zipped_size()
    yield Promise(
        "zipped package", f"{size / MEGABYTE:.2f} MiB", "at most 2 MiB", size <= 2 * MEGABYTE
    )
    bare, function = package.start_up()
    yield Promise(
        "start of the function, beside bare boto3 with the same clients",
        f"{function / bare:.2f} times ({function * 1000:.0f} ms, {bare * 1000:.0f} ms)",
        "at most 1.25 times",
        function <= 1.25 * bare,
    )
    took, allowed = large_answer.seconds(), large_answer.ALLOWED
    yield Promise(
        f"processor time of an answer about {large_answer.RECIPIENTS:,} bounced recipients, "
        "from its bytes to the requests that store it",
        f"{took:.2f} s",
        f"at most {allowed:.2f} s",
        took <= allowed,
    )


def _of_ways(ways: list[tuple[str, Report]]) -> Iterator[Promise]:
    name, ours = ways[0]
    yield Promise(f"429s of {name}, side by side", str(ours.throttled), "0", ours.throttled == 0)


def _share(report: Report) -> str:
    return f"{report.used or 0:.1%}"


def _closest(report: Report) -> str:
    return f"{report.closest or 0:.3f} s"


def _say(step: str) -> None:
    print(f"{step} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
