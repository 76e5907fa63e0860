"""What is printed and drawn."""

from __future__ import annotations

import math
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest

from tools.simulate.mail import Assumptions
from tools.simulate.plan import TROUBLES, WAYS, cases, troubles
from tools.simulate.plot import svg
from tools.simulate.report import (
    ADVICE,
    BEFORE,
    BEFORE_IN_TROUBLE,
    FLOORS,
    percent,
    promises,
    promises_in_trouble,
    settings,
    span,
    tables,
    trouble_table,
    volume_table,
)
from tools.simulate.run import LADDER, LIST, Found, Result

ASSUMED = Assumptions()
RESULT = Result(
    way=LIST.name,
    per_day=10_000,
    bounces=Found(events=6_000, found=6_000, median=900.0, p95=7_300.0),
    complaints=Found(events=300, found=300, median=1_020.0, p95=math.nan),
    several=Found(events=360, found=360, median=2_800.0, p95=2_900.0),
    overtaken=Found(events=120, found=110, median=900.0, p95=900.0),
    repeats=Found(events=1_200, found=1_100, median=900.0, p95=900.0),
    slots=0.58,
    line=0.19,
    longest_wait=3_400.0,
    longest_told=3_300.0,
    longest_behind=161.0,
    longest_lag=12_000.0,
    postponed=0,
    shed=12_345,
    bulk=math.nan,
    took=80.0,
)


def kept(*results: Result) -> dict[str, bool]:
    """Which promises are kept."""
    return {promise.what: promise.kept for promise in promises(results, ASSUMED)}


def test_a_table_sets_the_ways_side_by_side() -> None:
    """One line a way; events of addresses listed before have columns of their own."""
    text = tables([RESULT, replace(RESULT, way="one look")])
    assert "**10,000 mails a day** (6,000 bounces, 300 complaints in the first run)" in text
    row = "| the ladder and the list | 100.00 % | 100.00 % | 15.0 min, 2.0 h | 100.00 % |"
    assert row in text
    assert "| 100.00 % | 91.66 % | 91.66 % | 58.00 % | 19.00 % |" in text
    assert "\n| one look |" in text


def test_a_floor_is_not_kept_by_rounding() -> None:
    """One event of 6,300 that is not found is less than all."""
    assert all(kept(RESULT).values())
    missed = replace(RESULT, bounces=replace(RESULT.bounces, found=5_999))
    assert not kept(missed)["alertable events found, 10,000 a day, the ladder and the list"]


@pytest.mark.parametrize("floor", FLOORS, ids=lambda floor: f"{floor.per_day}")
def test_every_floor_can_be_missed(floor: object) -> None:
    """Too few found, too late, or with too many slots: each is seen."""
    wanted = next(each for each in FLOORS if each == floor)
    good = replace(RESULT, way=wanted.way, per_day=wanted.per_day, slots=0.1)
    assert all(kept(good).values())
    late = replace(good, complaints=replace(good.complaints, median=wanted.median + 1))
    few = replace(good, bounces=replace(good.bounces, found=5_990))
    assert not all(kept(late).values())
    assert not all(kept(few).values())
    assert all(kept(replace(good, slots=0.31)).values()) is (wanted.slots == 1)


def test_the_ladder_alone_is_held_to_the_rule_before() -> None:
    """Less found than by that rule is a promise that is not kept."""
    for per_day, (bounces, complaints) in BEFORE.items():
        found = (replace(RESULT.bounces, found=round(6_000 * bounces) + 1), RESULT.complaints)
        good = replace(RESULT, way=LADDER.name, per_day=per_day, bounces=found[0])
        assert all(kept(good).values())
        worse = replace(good, complaints=replace(found[1], found=int(300 * complaints) - 3))
        assert not all(kept(worse).values())


def test_trouble_is_held_to_the_rule_before() -> None:
    """Each trouble with its own figures."""
    assert BEFORE_IN_TROUBLE.keys() <= TROUBLES.keys()
    for words, (bounces, _) in BEFORE_IN_TROUBLE.items():
        worse = replace(RESULT.bounces, found=int(6_000 * bounces) - 60)
        results = {words: replace(RESULT, bounces=worse)}
        found, _ = promises_in_trouble(results)
        assert not found.kept
        assert words in trouble_table(results)


def test_every_volume_and_trouble_is_run() -> None:
    """What floors, advice and the rule before name is run."""
    runs = {(case.way.name, case.per_day) for case in cases(WAYS, ASSUMED)}
    assert {(floor.way, floor.per_day) for floor in FLOORS} <= runs
    assert {(way.name, per_day) for per_day, way, _ in ADVICE} <= runs
    assert {(LADDER.name, per_day) for per_day in BEFORE} <= runs
    assert [case.trouble for case in troubles(30)] == list(TROUBLES)


def test_what_to_do_at_a_volume_is_a_table() -> None:
    """What to enqueue, what is published, and how long it takes."""
    text = volume_table([RESULT])
    assert "| 10,000 | every mail | 100.00 % | 15.0 min, 2.0 h | 17.0 min, none |" in text


def test_every_assumption_is_printed() -> None:
    """A figure without its settings says nothing."""
    text = settings(ASSUMED)
    assert "- `bounce_share` 0.02" in text
    assert "- `gap` 0.1\n- `work` 0.08" in text
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
    """Eight panels; each bar has its way, volume and figure as a title."""
    picture = ET.fromstring(svg([RESULT, replace(RESULT, way="one look")]))  # noqa: S314 - own
    said = [title.text or "" for title in picture.iter("{http://www.w3.org/2000/svg}title")]
    assert sum("a day: " in text for text in said) == 16
    assert "the ladder and the list, 10,000 a day: 100.00 %" in said
