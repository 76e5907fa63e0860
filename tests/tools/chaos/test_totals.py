"""What many runs came to is counted once each, and written on a page."""

from __future__ import annotations

from datetime import UTC, datetime

from tools.chaos.calls import Fault
from tools.chaos.promise import Promise
from tools.chaos.run import Result
from tools.chaos.totals import Totals

WHEN = datetime(2026, 11, 26, tzinfo=UTC)


def result(seed: int, *broken: Promise) -> Result:
    """A run of a year."""
    return Result(
        seed=seed,
        violations=[str(promise) for promise in broken],
        broken=dict.fromkeys(broken, 3),
        invocations=1_000,
        runs=20,
        calls=30,
        published=4,
        faults={("sns", Fault.LOST): 2, ("dynamodb", Fault.ERROR): 1},
        days=365.25,
        given_up=5,
        postponed=1,
    )


def totals(*results: Result) -> Totals:
    """The sums of some runs."""
    found = Totals(processor=3.0)
    for each in results:
        found.add(each)
    return found


def test_figures_are_sums() -> None:
    """Of all runs, with the seeds that they were."""
    figures = totals(result(100), result(101), result(102)).figures(7.4, processes=2)
    assert figures["Seeds"] == "100 to 102"
    assert figures["Time"] == "7 s on 2 processors"
    assert figures["Processor time"] == "3 s, 1000 ms a seed"
    assert figures["Virtual time"] == "3 years"
    assert figures["Invocations of `lookup`"] == "3,000"
    assert figures["Calls that went wrong"] == "9"
    assert figures["Seeds with a broken promise"] == "0"


def test_a_seed_counts_once_for_each_promise_that_it_breaks() -> None:
    """However often it breaks it."""
    found = totals(
        result(0, Promise.PACE, Promise.PUBLISHED), result(1, Promise.PUBLISHED), result(2)
    )
    assert found.violated == 2
    assert found.broken_in == {Promise.PACE: 1, Promise.PUBLISHED: 2}


def test_the_page_has_the_figures_the_faults_and_every_promise() -> None:
    """With the day on which it was written."""
    page = totals(result(0), result(1, Promise.PACE)).page(WHEN, 7.0, processes=2)
    assert "this one is of 2026-11-26" in page
    assert "| Seeds | 0 to 1 |" in page
    assert "| lost | 0 | 0 | 4 | 0 |" in page
    assert "| killed after | 0 | 0 | 0 | 0 |" in page
    for promise in Promise:
        assert f"| {promise} | {int(promise is Promise.PACE)} |" in page
