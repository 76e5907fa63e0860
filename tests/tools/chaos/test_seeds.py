"""The service keeps its promises in the runs of a few hundred seeds, and a seed is a run."""

from __future__ import annotations

import random
from typing import Final

import pytest

from tools.chaos.__main__ import some
from tools.chaos.run import run
from tools.chaos.scenario import Scenario, draw
from tools.chaos.service import virtual_time

SEEDS: Final = 300
AT_ONCE: Final = 50


@pytest.mark.parametrize("first", range(0, SEEDS, AT_ONCE))
def test_no_promise_is_broken(first: int) -> None:
    """Whatever fails, whenever: nothing is lost, told twice without need, or forgotten."""
    results = some(range(first, first + AT_ONCE))
    assert {result.seed: result.violations for result in results if result.violations} == {}


def test_things_go_wrong_in_the_runs() -> None:
    """The runs are no idle ones: calls fail, looks are taken, alerts are published."""
    results = some(range(AT_ONCE))
    assert sum(sum(result.faults.values()) for result in results) > 500
    assert sum(result.calls for result in results) > 500
    assert sum(result.published for result in results) > 50


def plans() -> dict[int, Scenario]:
    """What happens in the first thousand runs."""
    return {seed: draw(random.Random(seed)) for seed in range(1_000)}  # noqa: S311 - no secret


def test_looks_are_scarce_in_some_runs() -> None:
    """Looks are given up, in a crowd of mail or after a pause, and all promises are kept."""
    crowded = [seed for seed, plan in plans().items() if plan.is_crowded][:6]
    paused = [seed for seed, plan in plans().items() if plan.pauses and not plan.is_crowded][:20]
    results = some([*crowded, *paused])
    assert {result.seed: result.violations for result in results if result.violations} == {}
    assert sum(result.given_up for result in results) > 50
    assert sum(result.postponed for result in results) > 20
    assert sum(result.given_up > result.postponed for result in results) > 1


def test_a_mail_to_many_takes_several_transactions_in_some_runs() -> None:
    """More rows than one takes."""
    many = [
        seed
        for seed, plan in plans().items()
        if any(len(mail.recipients) > 50 for mail in plan.mails)
    ]
    assert 1 <= len(many) <= 10
    (result,) = some(many[:1])
    assert result.violations == []


def test_a_seed_is_a_run() -> None:
    """The same seed gives the same trace, so what was found can be found again."""
    with virtual_time():
        one, other = (run(7, is_traced=True) for _ in range(2))
    assert one.trace
    assert one == other
