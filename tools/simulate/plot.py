"""The results as a picture: a panel for each figure, a group of bars for each volume."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from tools.simulate.report import percent, span
from tools.simulate.run import Result

_COLORS: Final = (
    *("#1f6f8b", "#c9c9c9", "#e0a458", "#6a994e"),
    *("#b56576", "#386641", "#f4a261", "#8d5b4c"),
)
_WIDTH: Final = 600
_HEIGHT: Final = 210
_LEFT: Final = 14
_TOP: Final = 34
_BARS: Final = 138
"""Height of the tallest bar."""


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    value: Callable[[Result], float]
    written: Callable[[float], str]
    logarithmic: bool = False

    def height(self, value: float, most: float) -> float:
        """The height of a bar, as a share of the tallest."""
        if math.isnan(value) or value <= 0:
            return 0.0
        if not self.logarithmic:
            return value / most
        least = 60.0  # a minute stands on the ground
        return max(0.0, math.log(value / least)) / math.log(most / least)


_PANELS: Final = (
    _Panel("Alertable events found", lambda result: result.alertable, percent),
    _Panel("Not attempted, published", lambda result: result.repeats.share, percent),
    _Panel("Bounce to alert, median", lambda r: r.bounces.median, span, logarithmic=True),
    _Panel("Complaint to alert, median", lambda r: r.complaints.median, span, logarithmic=True),
    _Panel("Bounce to alert, 95 %", lambda r: r.bounces.p95, span, logarithmic=True),
    _Panel("Complaint to alert, 95 %", lambda r: r.complaints.p95, span, logarithmic=True),
    _Panel("Slots used", lambda result: result.slots, percent),
    _Panel("Longest wait of a fresh id", lambda r: r.longest_wait, span, logarithmic=True),
)


def svg(results: Sequence[Result]) -> str:
    """Draw everything."""
    ways = list(dict.fromkeys(result.way for result in results))
    rows = math.ceil(len(_PANELS) / 2)
    width, height = 2 * _WIDTH, rows * _HEIGHT + 40
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        "<style>text { font: 11px sans-serif }</style>",
        "<title>What each way finds of thirty days of mail, and how soon</title>",
        f'<rect width="{width}" height="{height}" fill="white"/>',
        *_legend(ways),
    ]
    for number, panel in enumerate(_PANELS):
        x, y = number % 2 * _WIDTH, number // 2 * _HEIGHT + 30
        lines.append(f'<g transform="translate({x} {y})">')
        lines.extend(_drawn(panel, results, ways))
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""])


def _legend(ways: Sequence[str]) -> Iterator[str]:
    for number, (way, color) in enumerate(zip(ways, _COLORS, strict=False)):
        x = _LEFT + number * 148
        yield f'<rect x="{x}" y="12" width="12" height="12" fill="{color}"/>'
        yield f'<text x="{x + 18}" y="22">{way}</text>'


def _drawn(panel: _Panel, results: Sequence[Result], ways: Sequence[str]) -> Iterator[str]:
    scale = " (logarithmic)" if panel.logarithmic else ""
    yield f'<text x="{_LEFT}" y="18" style="font: bold 13px sans-serif">{panel.title}'
    yield f'<tspan style="font-weight: normal" fill="#666">{scale}</tspan></text>'
    values = [panel.value(result) for result in results]
    most = max((value for value in values if not math.isnan(value)), default=1.0)
    volumes = sorted({result.per_day for result in results})
    group = (_WIDTH - 2 * _LEFT) / len(volumes)
    of_volume = {v: [r.way for r in results if r.per_day == v] for v in volumes}
    bar = (group - 10) / max(len(each) for each in of_volume.values())
    ground = _TOP + _BARS
    for result, value in zip(results, values, strict=True):
        place = of_volume[result.per_day].index(result.way)
        x = _LEFT + volumes.index(result.per_day) * group + place * bar
        tall = _BARS * panel.height(value, most)
        color = _COLORS[ways.index(result.way)]
        said = f"{result.way}, {result.per_day:,} a day: {panel.written(value)}"
        yield (
            f'<rect x="{x:.1f}" y="{ground - tall:.1f}" width="{bar - 2:.1f}" '
            f'height="{tall:.1f}" fill="{color}"><title>{said}</title></rect>'
        )
        yield (
            f'<text x="{x + bar / 2 - 1:.1f}" y="{ground - tall - 3:.1f}" style="font-size: 6.5px" '
            f'text-anchor="middle">{panel.written(value)}</text>'
        )
    yield f'<path d="M{_LEFT} {ground}H{_WIDTH - _LEFT}" stroke="#333"/>'
    for number, volume in enumerate(volumes):
        x = _LEFT + (number + 0.5) * group - 5
        yield f'<text x="{x:.1f}" y="{ground + 15}" text-anchor="middle">{volume:,} a day</text>'
