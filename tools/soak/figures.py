"""The figures of a soak, from what was seen, and the promises held against them. Pure.

All moments are seconds of the machine's monotonic clock, as in the stand-in's log.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby
from typing import Final

from local.ses_stand_in.pace import Call
from tools.promises import Promise
from tools.soak.plan import Fault

MEBIBYTE: Final = 2**20

SLOTS: Final = 0.9
"""The least share of the slots that is used while no fault is on."""

TOO_EARLY: Final = 0.01
"""The largest share of requests that come too early. It ought to be none; on a machine that is
busy elsewhere a request may be late on its way, which costs a 429 (decision record 2)."""

GROWTH: Final = 0.1
"""How much more a process may hold at its end than once it is warm."""

WARM_AFTER: Final = 600.0
"""Seconds after which a process has met the largest responses and most faults, or a quarter of a
shorter life."""

MARKED_AFTER: Final = 1.0
"""Seconds between an alert's publication and its mark, at most."""

NOTICED_AFTER: Final = 5.0
"""Seconds between an alert's publication and the moment at which the soak has read it, at most."""

_ANSWERS: Final = frozenset({HTTPStatus.OK, HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST})


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A fault that was on."""

    fault: Fault
    on: float
    off: float
    met: int
    """Requests that met it; for a kill the processes killed."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """An alert that reached the subscriber, and when it was read."""

    alert_id: str
    at: float


@dataclass(frozen=True, slots=True)
class Sample:
    """What a function's process held in memory."""

    function: str
    pid: int
    at: float
    bytes: int


@dataclass(frozen=True, slots=True)
class Memory:
    """What the longest-lived process of a function held, warm and at its end, in bytes."""

    function: str
    lived: float
    """Seconds."""
    warm: int
    last: int

    @property
    def growth(self) -> float:
        """The share by which it has grown."""
        return self.last / self.warm - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything in the report."""

    seconds: float
    """How long ids were enqueued and faults came."""
    ids: int
    """Ids enqueued."""
    stored: int
    """Ids that have a row."""
    unsettled: int
    """Ids that were looked at last before their story had come to its end."""
    differences: tuple[str, ...]
    """Where the table or the alerts differ from the stories."""
    looks: int
    """Requests that SES counted."""
    looks_again: int
    """Looks at messages that had been looked at before."""
    throttled: int
    """Requests that came too early."""
    closest: float | None
    """Seconds between the closest two that arrived."""
    slots: int
    """Slots there were in quiet stretches."""
    used: int
    """Slots used in them."""
    memory: tuple[Memory, ...]
    alerts_expected: int
    alerts_received: int
    """Alerts by their ids."""
    repeats: int
    """Repeats, of all alerts together."""
    repeats_unexplained: int
    """Repeats of an alert that no fault stopped between publication and mark."""
    waiting: int
    """Messages left in the queue."""
    parked: int
    parked_expected: int
    spells: tuple[Spell, ...]
    recoveries: tuple[float | None, ...]
    """For each spell, seconds from its end to the next answered look."""


def recovery(spell: Spell, calls: Iterable[Call]) -> float | None:
    """Seconds from a fault's end to the next answered look; None: there was none."""
    answered = _next_answer(spell.off, calls)
    return None if answered is None else answered - spell.off


def quiet_stretches(
    spells: Sequence[Spell], calls: Sequence[Call], *, ends: float
) -> list[tuple[float, float]]:
    """Find the stretches in which no fault was on: from an answered look to the next fault."""
    begins = [_next_answer(after, calls) for after in (0.0, *(spell.off for spell in spells))]
    stops = [*(spell.on for spell in spells), ends]
    return [
        (begin, stop)
        for begin, stop in zip(begins, stops, strict=True)
        if begin is not None and begin < stop
    ]


def slots_of(
    stretches: Iterable[tuple[float, float]], calls: Sequence[Call], period: float
) -> tuple[int, int]:
    """Count the slots of these stretches, and those that were used."""
    there_were = used = 0
    for begin, stop in stretches:
        there_were += int((stop - begin) / period) + 1
        used += sum(call.accepted and begin <= call.arrival < stop for call in calls)
    return there_were, used


def unexplained(deliveries: Iterable[Delivery], spells: Sequence[Spell]) -> int:
    """Count the repeats of alerts that no fault stopped between publication and mark."""
    by_alert: dict[str, list[float]] = defaultdict(list)
    for delivery in deliveries:
        by_alert[delivery.alert_id].append(delivery.at)
    windows = [(s.on - MARKED_AFTER, s.off + NOTICED_AFTER) for s in spells if s.fault.repeats]
    return sum(
        not any(begin <= at <= end for begin, end in windows)
        for moments in by_alert.values()
        for at in sorted(moments)[:-1]
    )


def memories(samples: Iterable[Sample]) -> tuple[Memory, ...]:
    """Take the longest-lived process of each function."""
    ordered = sorted(samples, key=lambda sample: (sample.function, sample.pid, sample.at))
    lives = [_life(list(of_one)) for _, of_one in groupby(ordered, lambda s: (s.function, s.pid))]
    longest: dict[str, Memory] = {}
    for life in sorted(lives, key=lambda memory: memory.lived):
        longest[life.function] = life
    return tuple(longest.values())


def _life(samples: Sequence[Sample]) -> Memory:
    first, last = samples[0], samples[-1]
    lived = last.at - first.at
    warm_at = first.at + min(WARM_AFTER, lived / 4)
    warm = next(sample for sample in samples if sample.at >= warm_at)
    return Memory(first.function, lived, warm.bytes, last.bytes)


def _next_answer(after: float, calls: Iterable[Call]) -> float | None:
    """Find the arrival of the next look that was answered."""
    return min((c.arrival for c in calls if c.arrival >= after and _is_answered(c)), default=None)


def _is_answered(call: Call) -> bool:
    return call.accepted and call.fault is None and call.status in _ANSWERS


def promises(figures: Figures) -> Iterator[Promise]:
    """Hold what was measured against what is promised."""
    yield Promise(
        "ids stored, of those enqueued",
        f"{figures.stored:,} of {figures.ids:,}",
        "all",
        figures.stored == figures.ids,
    )
    yield Promise(
        "rows and alerts that differ from the stories",
        str(len(figures.differences)),
        "none",
        not figures.differences,
    )
    yield Promise(
        "ids looked at last before their story had ended",
        str(figures.unsettled),
        "none",
        not figures.unsettled,
    )
    yield Promise(
        "alerts received, of those expected",
        f"{figures.alerts_received:,} of {figures.alerts_expected:,}",
        "all",
        figures.alerts_received == figures.alerts_expected,
    )
    yield Promise(
        "alerts received again, with the same alertId",
        f"{figures.repeats}, of these {figures.repeats_unexplained} without such a fault",
        "only where a fault came between publication and mark",
        not figures.repeats_unexplained,
    )
    yield Promise("messages left in the queue", str(figures.waiting), "none", not figures.waiting)
    yield Promise(
        "messages in the dead-letter queue, of those that hold no id or none of SES's",
        f"{figures.parked} of {figures.parked_expected}",
        "exactly these",
        figures.parked == figures.parked_expected,
    )
    yield Promise(
        "requests that came too early",
        f"{figures.throttled} of {figures.looks + figures.throttled:,}",
        f"none; at most {TOO_EARLY:.0%} on a machine that is busy elsewhere",
        figures.throttled <= TOO_EARLY * figures.looks,
    )
    used = figures.used / figures.slots if figures.slots else 0.0
    yield Promise(
        "slots used while no fault is on",
        f"{used:.1%} of {figures.slots:,}",
        f"at least {SLOTS:.0%}",
        used >= SLOTS,
    )
    for memory in figures.memory:
        yield Promise(
            f"memory of a process of {memory.function}, warm and {memory.lived / 60:.0f} min later",
            f"{_mebibytes(memory.warm)}, {_mebibytes(memory.last)} ({memory.growth:+.1%})",
            f"at most {GROWTH:+.0%}",
            memory.growth <= GROWTH,
        )


def by_fault(figures: Figures) -> Mapping[str, list[tuple[Spell, float | None]]]:
    """Put the spells of the same fault together, with their recoveries."""
    together: dict[str, list[tuple[Spell, float | None]]] = defaultdict(list)
    for spell, recovered in zip(figures.spells, figures.recoveries, strict=True):
        together[str(spell.fault)].append((spell, recovered))
    return dict(sorted(together.items()))


def _mebibytes(amount: int) -> str:
    return f"{amount / MEBIBYTE:.1f} MiB"
