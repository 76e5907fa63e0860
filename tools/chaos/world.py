"""Virtual time, and the processes in it.

One thread. A process is a greenlet that runs the service's own code; where that code calls AWS or
sleeps, the time passes here and others may run. Nothing else moves the time, and everything random
comes from one seed, so a seed is a run.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from greenlet import getcurrent, greenlet

from tools.chaos.promise import Promise

START: Final = datetime(2026, 11, 23, 10, tzinfo=UTC).timestamp()

MINUTE: Final = 60.0
HOUR: Final = 3600.0
DAY: Final = 86_400.0


class Killed(BaseException):
    """The process is gone: no handler of ordinary errors runs."""


@dataclass(slots=True, eq=False)
class Process:
    """One program that runs: an execution environment of a function, or a person's command."""

    name: str
    skew: float = 0.0
    """Seconds that its wall clock is ahead."""
    frozen: float = 0.0
    """Seconds for which its monotonic clock stood still."""
    is_dead: bool = False
    body: greenlet | None = None

    def __repr__(self) -> str:
        return self.name


@dataclass(slots=True)
class World:
    """The time, what is to happen, and what has happened."""

    seed: int
    is_traced: bool = False
    stops_at: Promise | None = None
    """What ends the run once it is broken."""
    now: float = START
    """Seconds since 1970; also every process's monotonic clock."""
    random: random.Random = field(init=False)
    trace: list[str] = field(default_factory=list)
    current: Process | None = None
    violations: list[str] = field(default_factory=list)
    broken: Counter[Promise] = field(default_factory=Counter)
    """How often each promise was broken."""
    _events: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _number: int = 0
    _hub: greenlet = field(default_factory=getcurrent)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)  # noqa: S311 - to be repeated, not to be secret

    def at(self, when: float, action: Callable[[], None]) -> None:
        """Let something happen then."""
        self._number += 1
        heapq.heappush(self._events, (max(when, self.now), self._number, action))

    def run(self, until: float) -> None:
        """Let everything happen that is to happen until then."""
        events, last = self._events, self.stops_at
        while events and events[0][0] <= until and not (last and self.broken[last]):
            self.now, _, action = heapq.heappop(events)
            action()
        self.now = max(self.now, until)

    def start(self, process: Process, work: Callable[[], None]) -> None:
        """Let a process do its work, from now on."""

        def body() -> None:
            try:
                work()
            except Killed:
                process.is_dead = True

        process.body = greenlet(body)
        self._resume(process)

    def sleep(self, seconds: float) -> None:
        """Let time pass for the process that calls; others run meanwhile."""
        process = self.current
        until = self.now + seconds
        if process is None or process.body is None:
            self.now = until
            return
        if process.is_dead:
            raise Killed
        events = self._events
        if events and events[0][0] <= until:
            self.at(until, lambda: self._resume(process))
            self.current = None
            self._hub.switch()
            if process.is_dead:
                raise Killed
        else:  # nothing else happens meanwhile
            self.now = until

    def kill(self, process: Process) -> None:
        """End a process wherever it is: its next step is none."""
        self.note("killed", process=process)
        process.is_dead = True

    def _resume(self, process: Process) -> None:
        if process.body is None or process.body.dead:
            return
        self.current = process
        process.body.switch()
        self.current = None

    def chance(self, probability: float) -> bool:
        """Decide by lot."""
        return probability > 0 and self.random.random() < probability

    def wall(self) -> datetime:
        """Return what the clock on the wall says to the process that runs."""
        skew = self.current.skew if self.current else 0.0
        return datetime.fromtimestamp(self.now + skew, UTC)

    def note(self, what: str, **facts: Any) -> None:
        """Write down what happens, where somebody wants to read it."""
        if self.is_traced:
            said = " ".join(f"{name}={value}" for name, value in facts.items())
            who = f"{self.current} " if self.current else ""
            self.trace.append(f"{moment(self.now)} {who}{what} {said}".rstrip())

    def violated(self, promise: Promise, **facts: Any) -> None:
        """Note that a promise was broken."""
        self.broken[promise] += 1
        said = " ".join(f"{name}={value}" for name, value in facts.items())
        self.note(f"BROKEN: {promise}", **facts)
        self.violations.append(f"{moment(self.now)} {promise}: {said}")


def moment(seconds: float) -> str:
    """Write a time for people."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%m-%d %H:%M:%S.%f")[:-3]
