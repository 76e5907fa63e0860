"""`python -m tools.simulate`: run every way on every volume, print and draw what came of it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Final

from tools.promises import promise_table
from tools.simulate.mail import Assumptions
from tools.simulate.plan import WAYS, Case, cases, troubles
from tools.simulate.plot import svg
from tools.simulate.report import (
    promises,
    promises_in_trouble,
    settings,
    tables,
    trouble_table,
    volume_table,
)
from tools.simulate.run import MOST, MOST_NOT_ENQUEUED, Result, run

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = DOCS / "simulation.md"
VOLUMES_PAGE: Final = DOCS / "volumes.md"
PICTURE: Final = DOCS / "simulation.svg"
_MARK: Final = "<!-- What follows is written by `make simulate`. -->\n"


def main() -> int:
    """Run, print, and write the pages and the picture. Returns the exit status."""
    choice = _arguments()
    assumed = Assumptions()
    usual = cases(choice.mails or WAYS, assumed)
    wrong = [] if choice.mails else troubles(assumed.days)
    results = _run_all([*usual, *wrong])
    ordinary = results[: len(usual)]
    troubled = {
        case.trouble: result for case, result in zip(wrong, results[len(usual) :], strict=True)
    }
    kept = [*promises(ordinary, assumed), *promises_in_trouble(troubled)]
    parts = [promise_table(kept), tables(ordinary)]
    if troubled:
        parts += ["**When something goes wrong**, the ladder alone", trouble_table(troubled)]
    parts += ["Assumed (times in seconds):", settings(assumed)]
    text, advice = "\n\n".join(parts), volume_table(ordinary)
    print(f"{text}\n\n{advice}")
    if not choice.mails:
        _write(PAGE, text)
        _write(VOLUMES_PAGE, advice)
        PICTURE.write_text(svg(ordinary))
    return 0 if all(promise.kept for promise in kept) else 1


def _write(page: Path, text: str) -> None:
    head = page.read_text().partition(_MARK)[0]
    page.write_text(f"{head}{_MARK}\n{text}\n")


def _run_all(wanted: Sequence[Case]) -> list[Result]:
    """Run on every processor, the longest runs first; the results in the order of the cases."""
    results: dict[int, Result] = {}
    order = sorted(range(len(wanted)), key=lambda n: _effort(wanted[n]), reverse=True)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        futures = {
            pool.submit(run, wanted[n].way, wanted[n].per_day, wanted[n].assumed): n for n in order
        }
        for future in as_completed(futures):
            n = futures[future]
            results[n] = future.result()
            case, took = wanted[n], f"{results[n].took:.0f} s of processor time"
            said = f"{case.way.name}, {case.per_day:,} mails a day {case.trouble}".strip()
            print(f"{said}: {took}", file=sys.stderr, flush=True)
    return [results[n] for n in range(len(wanted))]


def _effort(case: Case) -> float:
    """Mails that are simulated; where none is enqueued, few of them take time."""
    if case.way.is_enqueued:
        return min(case.per_day, MOST)
    return min(case.per_day, MOST_NOT_ENQUEUED) / 20


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.simulate", description=__doc__)
    parser.add_argument(
        "--mails",
        type=int,
        nargs="+",
        choices=list(WAYS),
        help="mails a day; only these, and no page is written",
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
