"""The results as tables, in the Markdown of `docs/simulation.md`, and what was promised of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tools.promises import Promise
from tools.simulate.mail import DAY, HOUR, MINUTE, Assumptions
from tools.simulate.run import OURS, Found, Result

_HEAD: Final = (
    "Rule",
    "Bounces found",
    "to alert: median, 95 %",
    "Complaints found",
    "to alert: median, 95 %",
    "Slots suffice for",
    "Slots used",
    "Longest wait of a fresh id",
    "of it behind follow-ups",
    "Longest lag of a follow-up",
    "Fresh ids not looked at",
    "Looks given up",
)


def tables(results: Sequence[Result]) -> str:
    """Write one table for each volume, the rules side by side."""
    volumes = sorted({result.per_day for result in results})
    return "\n\n".join(_table([r for r in results if r.per_day == volume]) for volume in volumes)


def _table(results: Sequence[Result]) -> str:
    first = results[0]
    events = f"{first.bounces.events:,} bounces, {first.complaints.events:,} complaints"
    lines = [
        f"**{first.per_day:,} mails a day** ({events})",
        "",
        f"| {' | '.join(_HEAD)} |",
        "|---" * len(_HEAD) + "|",
        *(f"| {' | '.join(_cells(result))} |" for result in results),
    ]
    return "\n".join(lines)


def _cells(result: Result) -> Iterator[str]:
    yield f"**{result.rule}**" if result.rule == OURS else result.rule
    for found in (result.bounces, result.complaints):
        yield percent(found.share)
        yield f"{span(found.median)}, {span(found.p95)}"
    yield percent(result.at_most)
    yield percent(result.slots)
    yield span(result.longest_wait)
    yield span(result.longest_behind)
    yield span(result.longest_lag)
    yield f"{result.postponed:,}"
    yield f"{result.shed:,}"


def settings(assumed: Assumptions) -> str:
    """Write every assumption with its value."""
    fields = (field.name for field in dataclasses.fields(assumed))
    return "\n".join(f"- `{name}` {_setting(getattr(assumed, name))}" for name in fields)


def _setting(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def promises(results: Iterable[Result], assumed: Assumptions) -> Iterator[Promise]:
    """Compare the service's results with what was promised."""
    for result in results:
        if result.rule != OURS:
            continue
        yield from _promises_of(result, assumed)


def _promises_of(result: Result, assumed: Assumptions) -> Iterator[Promise]:
    least = {10_000: (0.995, 0.995), 50_000: (0.99, 0.90)}.get(result.per_day)
    names = ("bounces", "complaints")
    both: tuple[Found, Found] = (result.bounces, result.complaints)
    for index, (name, found) in enumerate(zip(names, both, strict=True)):
        what = f"{name} found at {result.per_day:,} a day"
        if least:
            promised = f"at least {percent(least[index])}"
            yield Promise(what, percent(found.share), promised, found.share >= least[index])
        elif result.at_most < 1:
            most = result.at_most
            near = f"{percent(found.share)}, {percent(found.share / most)} of the bound"
            yield Promise(
                what, near, f"in this time no rule finds above {percent(most)}", kept=True
            )
    limit = assumed.delay + MINUTE
    yield Promise(
        f"longest wait behind follow-ups at {result.per_day:,} a day",
        span(result.longest_behind),
        f"at most {span(limit)}",
        result.longest_behind <= limit,
    )
    if result.per_day == 10_000:  # noqa: PLR2004 - the volume for which it was promised
        yield Promise(
            f"processor time of {assumed.days} days at {result.per_day:,} a day",
            span(result.took),
            f"under {span(2 * MINUTE)}",
            result.took < 2 * MINUTE,
        )


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
