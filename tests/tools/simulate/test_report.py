"""What is printed and drawn."""

from __future__ import annotations

import math
from dataclasses import replace
from xml.etree import ElementTree as ET

from tools.simulate.mail import Assumptions
from tools.simulate.plot import svg
from tools.simulate.report import percent, promises, settings, span, tables
from tools.simulate.run import OURS, Found, Result

ASSUMED = Assumptions()
RESULT = Result(
    rule=OURS,
    per_day=10_000,
    bounces=Found(events=6_000, share=0.99999, median=900.0, p95=7_300.0),
    complaints=Found(events=300, share=0.9949, median=61_200.0, p95=math.nan),
    at_most=1.0,
    slots=0.72,
    longest_wait=3_400.0,
    longest_behind=161.0,
    longest_lag=12_000.0,
    postponed=0,
    shed=12_345,
    took=80.0,
)


def test_a_table_sets_the_rules_side_by_side() -> None:
    """One line a rule, the service's own in bold, with what was given up."""
    text = tables([RESULT, replace(RESULT, rule="one look", shed=0)])
    assert "**10,000 mails a day** (6,000 bounces, 300 complaints)" in text
    assert "| **SES Insights** | 99.99 % | 15.0 min, 2.0 h | 99.49 % | 17.0 h, none |" in text
    assert "12,345" in text
    assert "\n| one look |" in text


def test_a_promise_is_not_kept_by_rounding() -> None:
    """99.49 % of the complaints is less than 99.5 %."""
    kept = {promise.what: promise.kept for promise in promises([RESULT], ASSUMED)}
    assert kept["bounces found at 10,000 a day"]
    assert not kept["complaints found at 10,000 a day"]


def test_beyond_one_look_a_message_the_bound_is_shown() -> None:
    """Where the slots do not suffice for all, a share is set beside what they suffice for."""
    half = replace(RESULT, per_day=200_000, at_most=0.432)
    half = replace(half, bounces=replace(RESULT.bounces, share=0.216))
    measured = [promise.measured for promise in promises([half], ASSUMED)]
    assert "21.60 %, 50.00 % of the bound" in measured


def test_every_assumption_is_printed() -> None:
    """A figure without its settings says nothing."""
    text = settings(ASSUMED)
    assert "- `bounce_share` 0.02" in text
    assert "- `complaint_p95` 259200" in text
    assert text.count("\n") + 1 == len(Assumptions.__slots__)


def test_shares_and_times_are_written_for_people() -> None:
    """Shares are rounded down, times have the unit that suits them, what is missing is none."""
    assert (percent(0.99999), percent(math.nan)) == ("99.99 %", "none")
    assert [span(seconds) for seconds in (59, 900, 7_200, 259_200, math.nan)] == [
        "59 s",
        "15.0 min",
        "2.0 h",
        "3.0 d",
        "none",
    ]


def test_the_picture_has_a_bar_for_every_figure() -> None:
    """Eight panels; each bar has its rule, volume and figure as a title."""
    picture = ET.fromstring(svg([RESULT, replace(RESULT, rule="one look")]))  # noqa: S314 - own
    said = [title.text or "" for title in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert sum("a day: " in text for text in said) == 16
    assert "SES Insights, 10,000 a day: 99.49 %" in said
