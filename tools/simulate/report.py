"""The results as tables, in the Markdown of `docs/simulation.md`, and what was promised of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tools.promises import Promise
from tools.simulate.mail import DAY, HOUR, MINUTE, Assumptions
from tools.simulate.run import LADDER, LIST, LIST_ALONE, Result

_HEAD: Final = (
    "Way",
    "Alertable events found",
    "Bounces",
    "to alert: median, 95 %",
    "Complaints",
    "to alert: median, 95 %",
    "Of several recipients",
    "Overtaken",
    "Not attempted",
    "Slots used",
    "Line used",
    "Longest wait of a fresh id",
    "of what is published",
)


@dataclass(frozen=True, slots=True)
class Floor:
    """What has to be reached at a volume."""

    per_day: int
    way: str
    found: float
    median: float
    """Seconds from a complaint to its alert."""
    slots: float = 1.0


FLOORS: Final = (
    Floor(10_000, LIST.name, 1.0, 30 * MINUTE),
    Floor(50_000, LIST.name, 0.999, 30 * MINUTE),
    Floor(200_000, LIST_ALONE.name, 0.999, 30 * MINUTE),
    Floor(1_000_000, LIST_ALONE.name, 0.999, 60 * MINUTE, slots=0.3),
)

BEFORE: Final[Mapping[int, tuple[float, float]]] = {
    10_000: (4646 / 4915, 269 / 288),
    50_000: (4645 / 4915, 258 / 288),
    200_000: (1552 / 4915, 83 / 288),
}
"""Shares of bounces and complaints that the rule of decision record 9 found, by volume.

Its code was run once on the same mail, in the same virtual time.
"""

BEFORE_IN_TROUBLE: Final[Mapping[str, tuple[float, float]]] = {
    "nothing, 20,000 a day": (4646 / 4915, 269 / 288),
    "SES fails for 8 hours of a day, 20,000 a day": (4646 / 4915, 269 / 288),
    "twice the mail from the tenth day on, 20,000 a day": (7937 / 8399, 458 / 500),
    "twice the mail from the tenth day on, 50,000 a day": (6120 / 8399, 335 / 500),
    "60 % of the mail in campaigns, 50,000 a day": (4404 / 4966, 252 / 301),
    "complaints late, 50,000 a day": (4645 / 4915, 204 / 288),
}
"""The same when something goes wrong."""

_UNKNOWN: Final = (math.nan, math.nan)


def tables(results: Sequence[Result]) -> str:
    """Write one table for each volume, the ways side by side."""
    volumes = sorted({result.per_day for result in results})
    return "\n\n".join(_table([r for r in results if r.per_day == volume]) for volume in volumes)


def _table(results: Sequence[Result]) -> str:
    first = results[0]
    events = f"{first.bounces.events:,} bounces, {first.complaints.events:,} complaints"
    return "\n".join(
        [
            f"**{first.per_day:,} mails a day** ({events} in the first run)",
            "",
            *markdown(_HEAD, (_cells(result) for result in results)),
        ]
    )


def _cells(result: Result) -> Iterator[str]:
    yield result.way
    yield percent(result.alertable)
    for found in (result.bounces, result.complaints):
        yield percent(found.share)
        yield f"{span(found.median)}, {span(found.p95)}"
    for found in (result.several, result.overtaken, result.repeats):
        yield percent(found.share)
    yield percent(result.slots)
    yield percent(result.line)
    yield span(result.longest_wait)
    yield span(result.longest_told)


def markdown(head: Sequence[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Write the lines of a table."""
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def settings(assumed: Assumptions) -> str:
    """Write every assumption with its value."""
    fields = (field.name for field in dataclasses.fields(assumed))
    return "\n".join(f"- `{name}` {_setting(getattr(assumed, name))}" for name in fields)


def _setting(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def promises(results: Iterable[Result], assumed: Assumptions) -> Iterator[Promise]:
    """Compare the results with what was promised."""
    for result in results:
        for floor in FLOORS:
            if (floor.per_day, floor.way) == (result.per_day, result.way):
                yield from _of_floor(result, floor)
        if result.way == LADDER.name:
            yield from _of_ladder(result, assumed)


def _of_floor(result: Result, floor: Floor) -> Iterator[Promise]:
    where = f"{result.per_day:,} a day, {result.way}"
    yield Promise(
        f"alertable events found, {where}",
        percent(result.alertable),
        f"at least {percent(floor.found)}",
        result.alertable >= floor.found,
    )
    yield Promise(
        f"complaint to alert, median, {where}",
        span(result.complaints.median),
        f"at most {span(floor.median)}",
        result.complaints.median <= floor.median,
    )
    if floor.slots < 1:
        yield Promise(
            f"slots used, {where}",
            percent(result.slots),
            f"at most {percent(floor.slots)}",
            result.slots <= floor.slots,
        )


def _of_ladder(result: Result, assumed: Assumptions) -> Iterator[Promise]:
    where = f"{result.per_day:,} a day, {result.way}"
    for name, found, before in zip(
        ("bounces", "complaints"),
        (result.bounces, result.complaints),
        BEFORE.get(result.per_day, ()),
        strict=False,
    ):
        yield Promise(
            f"{name} found, {where}",
            percent(found.share),
            f"no less than by the rule before: {percent(before)}",
            found.share >= before,
        )
    if result.per_day > MOST_ENQUEUED:
        return
    limit = assumed.delay + MINUTE
    yield Promise(
        f"longest wait behind follow-ups, {where}",
        span(result.longest_behind),
        f"at most {span(limit)}",
        result.longest_behind <= limit,
    )


def trouble_table(results: Mapping[str, Result]) -> str:
    """Write what is found when something goes wrong, beside the rule before."""
    head = (
        *("What", "Bounces found", "before", "Complaints found", "before", "Slots used"),
        *("Longest wait of a fresh id", "Longest lag", "Looks given up", "Back-fill done after"),
    )
    return "\n".join(markdown(head, (_trouble(*each) for each in results.items())))


def _trouble(words: str, result: Result) -> Iterator[str]:
    yield words
    found = (result.bounces, result.complaints)
    for each, before in zip(found, BEFORE_IN_TROUBLE.get(words, _UNKNOWN), strict=True):
        yield percent(each.share)
        yield percent(before)
    yield percent(result.slots)
    yield span(result.longest_wait)
    yield span(result.longest_lag)
    yield f"{result.shed:,}"
    yield span(result.bulk)


def promises_in_trouble(results: Mapping[str, Result]) -> Iterator[Promise]:
    """Compare what is found when something goes wrong with the rule before."""
    for words, result in results.items():
        for name, found, before in zip(
            ("bounces", "complaints"),
            (result.bounces, result.complaints),
            BEFORE_IN_TROUBLE.get(words, ()),
            strict=False,
        ):
            promised = f"no less than by the rule before: {percent(before)}"
            yield Promise(
                f"{name} found: {words}", percent(found.share), promised, found.share >= before
            )


MOST_ENQUEUED: Final = 50_000
"""Above, no one is advised to enqueue every mail."""

ADVICE: Final = (
    (1_000, LIST, "every mail"),
    (10_000, LIST, "every mail"),
    (50_000, LIST, "every mail"),
    (50_000, LIST_ALONE, "nothing, or what somebody reads"),
    (200_000, LIST, "every mail: do not"),
    (200_000, LIST_ALONE, "nothing, or what somebody reads"),
    (1_000_000, LIST_ALONE, "nothing, or what somebody reads"),
)


def volume_table(results: Sequence[Result]) -> str:
    """Write what to enqueue at each volume, and what is then published, and when."""
    by_way = {(result.per_day, result.way): result for result in results}
    head = (
        *("Mails a day", "Enqueue", "Events published", "A bounce after: median, 95 %"),
        *("A complaint after: median, 95 %", "Not attempted, published"),
        *("Longest wait of an alert", "of a fresh id", "Slots used"),
    )
    rows = (
        _advice(by_way[per_day, way.name], enqueue)
        for per_day, way, enqueue in ADVICE
        if (per_day, way.name) in by_way
    )
    return "\n".join(markdown(head, rows))


def _advice(result: Result, enqueue: str) -> Iterator[str]:
    yield f"{result.per_day:,}"
    yield enqueue
    yield percent(result.alertable)
    for found in (result.bounces, result.complaints):
        yield f"{span(found.median)}, {span(found.p95)}"
    yield percent(result.repeats.share)
    yield span(result.longest_told)
    yield span(result.longest_wait) if result.longest_wait else "none is enqueued"
    yield percent(result.slots)


def percent(share: float) -> str:
    """Write a share, rounded down: what is promised is not reached by rounding."""
    return "none" if math.isnan(share) else f"{math.floor(share * 10_000) / 100:.2f} %"


def span(seconds: float) -> str:
    """Write a length of time in the unit that suits it."""
    if math.isnan(seconds):
        return "none"
    for unit, name, least in ((DAY, "d", 2 * DAY), (HOUR, "h", 2 * HOUR), (MINUTE, "min", 100)):
        if seconds >= least:
            return f"{seconds / unit:.1f} {name}"
    return f"{seconds:.0f} s"
