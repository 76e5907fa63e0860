"""The service keeps its promises in the runs of a few hundred seeds, and a seed is a run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Final

import pytest

from tools.chaos.__main__ import some
from tools.chaos.run import Result, run
from tools.chaos.scenario import draw
from tools.chaos.service import virtual_time

SEEDS: Final = 300


@pytest.fixture(scope="module")
def results() -> Sequence[Result]:
    """What the runs of the first seeds came to."""
    return tuple(some(range(SEEDS)))


def test_no_promise_is_broken(results: Sequence[Result]) -> None:
    """Whatever fails, whenever: nothing is lost, published twice without need, or forgotten."""
    assert {result.seed: result.violations for result in results if result.violations} == {}


def test_things_go_wrong_in_the_runs(results: Sequence[Result]) -> None:
    """The runs are no idle ones: calls fail, looks are taken, alerts are published."""
    assert len(results) == SEEDS
    assert sum(sum(result.faults.values()) for result in results) > 3_000
    assert sum(result.calls for result in results) > 3_000
    assert sum(result.published for result in results) > 300


def test_looks_are_scarce_in_some_runs(results: Sequence[Result]) -> None:
    """Looks are given up, first ones and later ones, in a crowd of mail or after a pause."""
    assert sum(result.given_up for result in results) > 50
    assert sum(result.postponed for result in results) > 10
    assert sum(result.given_up > result.postponed for result in results) > 1


def test_a_mail_to_many_takes_several_transactions_in_some_runs() -> None:
    """More rows than one takes; of a thousand runs a few have one, and keep the promises."""
    many = [
        seed
        for seed in range(1_000)
        if any(len(mail.recipients) > 50 for mail in draw(random.Random(seed)).mails)  # noqa: S311 - no secret
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
