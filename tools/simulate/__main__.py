"""`python -m tools.simulate`: run every rule on every volume, print and draw what came of it."""

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
from tools.simulate.plot import svg
from tools.simulate.report import promises, settings, tables
from tools.simulate.run import OURS, RULES, Result, run

VOLUMES: Final = (1_000, 10_000, 50_000, 200_000)
DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = DOCS / "simulation.md"
PICTURE: Final = DOCS / "simulation.svg"
_MARK: Final = "<!-- What follows is written by `make simulate`. -->\n"


def main() -> int:
    """Run, print, and write the page and the picture. Returns the exit status."""
    choice = _arguments()
    assumed = Assumptions()
    volumes, rules = choice.mails or VOLUMES, [OURS] if choice.only_ours else list(RULES)
    results = _run_all(volumes, rules, assumed)
    kept = list(promises(results, assumed))
    text = "\n\n".join(
        [promise_table(kept), tables(results), "Assumed (times in seconds):", settings(assumed)]
    )
    print(text)
    if not choice.mails and not choice.only_ours:
        head = PAGE.read_text().partition(_MARK)[0]
        PAGE.write_text(f"{head}{_MARK}\n{text}\n")
        PICTURE.write_text(svg(results))
    return 0 if all(promise.kept for promise in kept) else 1


def _run_all(volumes: Sequence[int], rules: Sequence[str], assumed: Assumptions) -> list[Result]:
    """Run on every processor, the longest runs first; the results in the order of the rules."""
    wanted = [(rule, volume) for volume in volumes for rule in rules]
    results: dict[tuple[str, int], Result] = {}
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        longest_first = sorted(wanted, key=lambda pair: (pair[0] != OURS, -pair[1]))
        futures = {pool.submit(run, *pair, assumed): pair for pair in longest_first}
        for future in as_completed(futures):
            rule, volume = pair = futures[future]
            results[pair] = future.result()
            took = f"{results[pair].took:.0f} s of processor time"
            print(f"{rule}, {volume:,} mails a day: {took}", file=sys.stderr, flush=True)
    return [results[pair] for pair in wanted]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.simulate", description=__doc__)
    parser.add_argument(
        "--mails", type=int, nargs="+", help=f"mails a day, instead of {VOLUMES}; writes no page"
    )
    parser.add_argument(
        "--only-ours", action="store_true", help="leave out the other rules; writes no page"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
