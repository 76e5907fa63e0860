"""Bars of days and of shares, as geometry; a template draws them as SVG.

The Content-Security-Policy allows no style in the page, so what a bar measures stands in SVG's own
attributes, and its colour is a class of the style sheet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

DAYS: Final = 14

_HEIGHT: Final = 100.0
_COLUMN: Final = 10.0
_BAR: Final = 7.6
_LEAST: Final = 1.5
"""Height of the smallest bar: one bounce among thousands has to be seen."""


@dataclass(frozen=True, slots=True)
class Series:
    """What is counted of one kind."""

    key: str
    label: str
    colour: str
    """A class of the style sheet."""
    values: Sequence[int]
    """For each day."""
    href: str = ""

    @property
    def total(self) -> int:
        """Of all days."""
        return sum(self.values)


@dataclass(frozen=True, slots=True)
class Bar:
    """A part of a day's column."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Column:
    """One day."""

    day: date
    x: float
    bars: Sequence[Bar]
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns of the last days, the series stacked."""

    days: Sequence[date]
    series: Sequence[Series]

    width: Final = DAYS * _COLUMN
    height: Final = _HEIGHT
    step: Final = _COLUMN

    @property
    def total(self) -> int:
        """Of all series and days."""
        return sum(each.total for each in self.series)

    @property
    def top(self) -> int:
        """The most of a day."""
        sums = [sum(each.values[place] for each in self.series) for place in range(len(self.days))]
        return max(sums, default=0)

    def columns(self) -> Sequence[Column]:
        """Return what to draw, the first series at the bottom."""
        return [self._column(place, day) for place, day in enumerate(self.days)]

    def _column(self, place: int, day: date) -> Column:
        left = place * _COLUMN + (_COLUMN - _BAR) / 2
        floor, bars, said = _HEIGHT, [], []
        for each in self.series:
            value = each.values[place]
            if not value:
                continue
            height = max(value / self.top * (_HEIGHT - _LEAST * len(self.series)), _LEAST)
            floor -= height
            bars.append(Bar(round(left, 2), round(floor, 2), _BAR, round(height, 2), each.colour))
            said.append(f"{value:,} {each.label}")
        return Column(day, place * _COLUMN, bars, f"{day:%d %b}: {', '.join(said) or 'none'}")


@dataclass(frozen=True, slots=True)
class Share:
    """One line of a ranking."""

    label: str
    count: int
    part: float
    """Of the largest one, 0 to 100."""


def last_days(today: date) -> list[date]:
    """Return the days of a chart, today last."""
    return [today - timedelta(days=ago) for ago in reversed(range(DAYS))]


def by_day(moments: Iterable[tuple[str, str]], days: Sequence[date]) -> dict[str, list[int]]:
    """Count pairs of a time of the table and a kind, for each kind by day."""
    counts = Counter((kind, moment[:10]) for moment, kind in moments)
    kinds = dict.fromkeys(kind for kind, _ in counts)
    return {kind: [counts[kind, day.isoformat()] for day in days] for kind in kinds}


def ranking(values: Iterable[str], most: int) -> list[Share]:
    """Count values, and return those that come most often."""
    counts = sorted(Counter(values).items(), key=lambda item: (-item[1], item[0]))[:most]
    return [Share(value, count, round(100 * count / counts[0][1], 1)) for value, count in counts]


def largest(series: Mapping[str, Sequence[int]], most: int, rest: str) -> dict[str, list[int]]:
    """Keep the largest series, and add the others up under a name of their own."""
    ordered = sorted(series.items(), key=lambda item: (-sum(item[1]), item[0]))
    kept = {name: list(values) for name, values in ordered[:most]}
    others = [values for _, values in ordered[most:]]
    return kept | ({rest: [sum(day) for day in zip(*others, strict=True)]} if others else {})
