"""The style sheet can be read by everybody: WCAG 2.2 AA, light and dark."""

from __future__ import annotations

import re
from typing import Final

import pytest

from ses_insights.cli.web.app import HERE
from ses_insights.domain.status import Status

CSS: Final = (HERE / "static" / "style.css").read_text()

TEXT: Final = (
    *(("text", ground) for ground in ("ground", "card", "plain-soft")),
    *(("muted", ground) for ground in ("ground", "card")),
    *(("accent", ground) for ground in ("ground", "card", "plain-soft")),
    ("on-accent", "accent"),
    *((tone, f"{tone}-soft") for tone in ("good", "warn", "bad", "plain")),
    *((tone, "card") for tone in ("good", "warn", "bad", "plain")),
)
"""What is written in which colour, on which ground."""

TEXT_LEAST: Final = 4.5
GRAPHIC_LEAST: Final = 3.0


def colours(scheme: str) -> dict[str, str]:
    """The variables of a scheme."""
    light, dark = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    block = light if scheme == "light" else dark
    return dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", block))


def luminance(colour: str) -> float:
    """Relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_ratio_is_that_of_the_standard() -> None:
    """Black on white is 21, a colour on itself 1."""
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert contrast("#123456", "#123456") == 1
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read(scheme: str) -> None:
    """At least 4.5 to 1 for every pair that is used."""
    of = colours(scheme)
    low = {pair: contrast(of[pair[0]], of[pair[1]]) for pair in TEXT}
    assert {pair: ratio for pair, ratio in low.items() if ratio < TEXT_LEAST} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_bars_and_fields_can_be_seen(scheme: str) -> None:
    """At least 3 to 1 against the card for what carries meaning."""
    of = colours(scheme)
    names = [name for name in of if name.startswith(("status-", "series-"))] + ["field"]
    low = {name: contrast(of[name], of["card"]) for name in names}
    assert {name: ratio for name, ratio in low.items() if ratio < GRAPHIC_LEAST} == {}


def test_both_schemes_have_every_colour() -> None:
    """And no colour stands outside of them."""
    assert colours("light").keys() == colours("dark").keys()
    rest = re.sub(r":root \{.*?\}", "", CSS, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgb|hsl", rest) == []


def test_every_status_has_a_colour() -> None:
    """A new one needs a line."""
    for status in Status:
        assert f".status-{status.lower()}" in CSS


def test_nothing_comes_from_another_host() -> None:
    """No font, no picture and no script."""
    for file in (HERE / "static").iterdir():
        assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", file.read_text())
