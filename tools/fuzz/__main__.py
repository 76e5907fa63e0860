"""`python -m tools.fuzz`: look for input that breaks a promise, guided by coverage.

Prints, for each target, how many inputs were tried, how many reach a place of their own, how many
edges of the code they reach, and how many broke a promise. Ends with 1 where one did, and with 2
where the fuzzer is not there.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tools.fuzz import KEPT, PROJECT

TARGETS: Final = ("bodies", "responses")

LONGEST: Final = 8_192
"""Bytes of an input; what is larger is tested by examples."""

SLOWEST: Final = 10
"""Seconds one input may take."""

NO_FUZZER: Final = (
    "The fuzzer atheris is not installed here; there is one for Linux on x86_64 only. "
    "The kept inputs are replayed by the tests without it."
)


@dataclass(frozen=True, slots=True)
class Run:
    """What came of fuzzing one target."""

    target: str
    tried: int
    kept: int
    edges: int
    crashes: Sequence[Path]
    ended_well: bool

    def __str__(self) -> str:
        return (
            f"{self.target}: executions {self.tried:,}, corpus {self.kept}, "
            f"edges {self.edges}, crashes {len(self.crashes)}"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzz the targets that are named, one after the other; returns the exit status."""
    choice = _arguments(arguments)
    if importlib.util.find_spec("atheris") is None:
        print(NO_FUZZER, file=sys.stderr)
        return 2
    limit = f"-runs={choice.runs}" if choice.runs else f"-max_total_time={choice.seconds}"
    runs = [
        fuzz(target, limit, seed=choice.seed, crashes=choice.crashes, keep=choice.keep)
        for target in choice.target or TARGETS
    ]
    print(*runs, sep="\n")
    return 0 if all(run.ended_well for run in runs) else 1


def fuzz(target: str, limit: str, *, seed: int, crashes: Path, keep: bool = False) -> Run:
    """Fuzz one target, from the inputs that are kept, up to a limit in libFuzzer's terms.

    An input that breaks a promise is put into the folder ``crashes``, and ends the run.
    """
    crashes = crashes.absolute()
    crashes.mkdir(parents=True, exist_ok=True)
    before = set(crashes.iterdir())
    with tempfile.TemporaryDirectory(prefix="ses-insights-fuzz-") as folder:
        found, all_of_it = Path(folder, "found"), Path(folder, "all")
        found.mkdir()
        ended = _child(
            target,
            limit,
            f"-seed={seed}",
            f"-max_len={LONGEST}",
            f"-timeout={SLOWEST}",
            f"-artifact_prefix={crashes}/{target}-",
            "-print_final_stats=1",
            str(found),
            str(KEPT / target),
        )
        run = _read(target, ended, sorted({*crashes.iterdir()} - before))
        if not run.ended_well:
            print(ended.stdout, *ended.stderr.splitlines()[-20:], sep="\n", file=sys.stderr)
        elif keep:
            # A merge adds to the first folder what reaches a place that nothing in it reaches.
            shutil.copytree(KEPT / target, all_of_it)
            _child(target, "-merge=1", str(all_of_it), str(found))
            _keep(target, all_of_it)
    return run


def _keep(target: str, found: Path) -> None:
    from tools.fuzz.corpus import keep  # noqa: PLC0415 - only a run that keeps needs the service

    print(f"{target}: {keep(target, found)} inputs added to {KEPT / target}")


def _child(target: str, *options: str) -> subprocess.CompletedProcess[str]:
    """Run libFuzzer in a process of its own; the order of sets is no chance in it."""
    return subprocess.run(
        [sys.executable, "-m", "tools.fuzz.child", target, *options],
        cwd=PROJECT,
        env={**os.environ, "PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _read(target: str, ended: subprocess.CompletedProcess[str], crashes: Sequence[Path]) -> Run:
    """Read libFuzzer's report: the last of its status lines, and the number of runs."""
    status = re.findall(r"cov: (\d+) ft: \d+ corp: (\d+)/", ended.stderr)
    edges, kept = status[-1] if status else (0, 0)
    tried = re.search(r"stat::number_of_executed_units:\s+(\d+)", ended.stderr)
    return Run(
        target=target,
        tried=int(tried[1]) if tried else 0,
        kept=int(kept),
        edges=int(edges),
        crashes=crashes,
        ended_well=ended.returncode == 0 and not crashes,
    )


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.fuzz", description=__doc__)
    parser.add_argument("target", nargs="*", help=f"what to fuzz; by default {TARGETS}")
    parser.add_argument("--seconds", type=int, default=60, help="how long, each (default 60)")
    parser.add_argument("--runs", type=int, help="how many inputs, each, instead of how long")
    parser.add_argument("--seed", type=int, default=1, help="where chance begins (default 1)")
    parser.add_argument("--keep", action="store_true", help="add what was found to tests/corpus")
    parser.add_argument(
        "--crashes",
        type=Path,
        default=Path(".local", "fuzz"),
        help="where inputs that break a promise are put (default .local/fuzz)",
    )
    choice = parser.parse_args(arguments)
    if unknown := set(choice.target) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    return choice


if __name__ == "__main__":
    sys.exit(main())
