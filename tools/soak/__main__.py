"""`python -m tools.soak`: a long run under backlog with mixed faults, and its report."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from local.files import new_file
from local.stack.child import LocalRunError
from local.stack.redelivery import redelivered_after
from local.stack.run import local_stack
from tools.soak.core import Soak, soak
from tools.soak.figures import Figures, promises
from tools.soak.plan import COMES_BACK_AFTER, schedule
from tools.soak.report import page

RUNG: Final = 240
"""Seconds since it was sent at which followups looks at a mail again: the whole ladder."""

LATE: Final = 200.0
"""Seconds after which a late story ends: after its first look and before RUNG."""

BACKLOG: Final = 24
PATIENCE: Final = 900.0
SEED: Final = 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; returns the exit status."""
    choice = _arguments(arguments)
    seconds = choice.minutes * 60
    turns = schedule(seconds, choice.seed)
    _print_step(f"{choice.minutes:g} minutes, seed {choice.seed}:")
    for turn in turns:
        _print_step(f"  {turn.at / 60:5.1f} min  {turn.fault}, {turn.fault.seconds:.0f} s")
    plan = Soak(seconds=seconds, turns=turns, late=LATE, backlog=BACKLOG, patience=PATIENCE)
    context = {"firstLookDelaySeconds": "0", "followUpLadder": json.dumps([RUNG])}
    try:
        with local_stack(context, through_faults=True, progress=_print_step) as run:
            with redelivered_after(run, COMES_BACK_AFTER):
                figures = soak(run, plan, _print_step)
            _report(figures, choice, logs=run.folder)
    except KeyboardInterrupt:
        _print_step("Stopped; nothing is left running.")
        return 130
    except LocalRunError as error:
        _print_step(str(error))
        return 1
    return 0


def _report(figures: Figures, choice: argparse.Namespace, *, logs: Path) -> None:
    """Print the page, and write it where that is asked for.

    Raises LocalRunError where a promise is broken; so the run's logs are kept.
    """
    text = page(figures, seed=choice.seed, when=datetime.now(UTC).strftime("%Y-%m-%d"))
    print(text)
    if choice.write:
        choice.write.write_text(f"{text}\n")
    if broken := [promise.what for promise in promises(figures) if not promise.kept]:
        raise LocalRunError(f"Not kept: {'; '.join(broken)}. The logs: {logs}")


def _print_step(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=SEED, help="decides the order of the faults")
    parser.add_argument("--write", type=new_file, help="write the report into this file, too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
