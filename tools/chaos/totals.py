"""What the runs of many seeds came to, in numbers, and the page that says it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from tools.chaos.calls import Fault
from tools.chaos.promise import Promise
from tools.chaos.run import Result

_SERVICES: Final = {"dynamodb": "DynamoDB", "sqs": "SQS", "sns": "SNS", "sesv2": "SES"}

PAGE: Final = """\
# What `make chaos` found

It writes this page; this one is of {day:%Y-%m-%d}. [reliability.md](reliability.md) says what a run
from a seed is, and [decision record 24](decisions/0024-runs-from-a-seed.md) why there are any.

{figures}

## Calls that went wrong

*Lost* was carried out, and the connection broke before the answer; *timed out* was carried out, and
the answer came too late; *killed* is the process, before the request left or after it was carried
out.

{faults}

## Promises

{promises}
"""


@dataclass(slots=True)
class Totals:
    """Sums, so that a hundred thousand runs take no more memory than one."""

    seeds: int = 0
    first: int = 0
    processor: float = 0.0
    """Seconds of processor time."""
    days: float = 0.0
    """Of virtual time."""
    invocations: int = 0
    runs: int = 0
    calls: int = 0
    published: int = 0
    given_up: int = 0
    postponed: int = 0
    faults: Counter[tuple[str, Fault]] = field(default_factory=Counter)
    broken_in: Counter[Promise] = field(default_factory=Counter)
    """In how many runs a promise was broken."""
    violated: int = 0
    """Runs with a broken promise."""

    def add(self, result: Result) -> None:
        """Count one run."""
        if not self.seeds:
            self.first = result.seed
        self.seeds += 1
        self.days += result.days
        self.invocations += result.invocations
        self.runs += result.runs
        self.calls += result.calls
        self.published += result.published
        self.given_up += result.given_up
        self.postponed += result.postponed
        self.faults.update(result.faults)
        self.broken_in.update(promise for promise, times in result.broken.items() if times)
        self.violated += bool(result.violations)

    def figures(self, seconds: float, processes: int) -> dict[str, str]:
        """Return what is said of the runs, by name; they took so many seconds."""
        return {
            "Seeds": f"{self.first:,} to {self.first + self.seeds - 1:,}",
            "Time": f"{seconds:,.0f} s on {processes} processors",
            "Processor time": f"{self.processor:,.0f} s, {1000 * self.processor / self.seeds:.0f} "
            "ms a seed",
            "Virtual time": f"{self.days / 365.25:,.0f} years",
            "Invocations of `lookup`": f"{self.invocations:,}",
            "Runs of `followups`": f"{self.runs:,}",
            "Calls to GetMessageInsights": f"{self.calls:,}",
            "Publications": f"{self.published:,}",
            "Calls that went wrong": f"{sum(self.faults.values()):,}",
            "Looks given up for want of slots": f"{self.given_up:,}, of them the first looks at "
            f"{self.postponed:,} messages",
            "Seeds with a broken promise": f"{self.violated:,}",
        }

    def page(self, when: datetime, seconds: float, processes: int) -> str:
        """Write it all in Markdown."""
        promises = ((promise, f"{self.broken_in[promise]:,}") for promise in Promise)
        return PAGE.format(
            day=when,
            figures=_table(("Figure", ""), list(self.figures(seconds, processes).items())),
            faults=_table(("Fault", *_SERVICES.values()), self._faults()),
            promises=_table(("Promise", "Broken in seeds"), promises),
        )

    def _faults(self) -> Iterator[tuple[str, ...]]:
        for fault in Fault:
            kind = fault.name.lower().replace("_", " ")
            yield kind, *(f"{self.faults[service, fault]:,}" for service in _SERVICES)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
