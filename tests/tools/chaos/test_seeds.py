"""The service keeps its promises in the runs of a few hundred seeds, and a seed is a run."""

from __future__ import annotations

from typing import Final

import pytest

from tools.chaos.__main__ import some
from tools.chaos.run import run
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


def test_a_seed_is_a_run() -> None:
    """The same seed gives the same trace, so what was found can be found again."""
    with virtual_time():
        one, other = (run(7, is_traced=True) for _ in range(2))
    assert one.trace
    assert one == other
