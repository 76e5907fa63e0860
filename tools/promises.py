"""What was promised beside what was measured, as bench, soak and simulation print it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Promise:
    """A figure that must be met."""

    what: str
    measured: str
    promised: str
    kept: bool


def promise_table(promises: Iterable[Promise]) -> str:
    """Write promises as a table in Markdown."""
    lines = ["| What | Measured | Promised |", "|---|---|---|"]
    for promise in promises:
        mark = "" if promise.kept else " **(not kept)**"
        lines.append(f"| {promise.what} | {promise.measured}{mark} | {promise.promised} |")
    return "\n".join(lines)
