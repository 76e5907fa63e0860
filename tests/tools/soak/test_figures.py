"""A soak's figures, and that each broken promise is found in them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from local.ses_stand_in.pace import Call
from local.ses_stand_in.settings import Fault as FaultOfSes
from local.stack.faults.control import FaultKind, Service
from tools.soak.figures import (
    MEBIBYTE,
    Delivery,
    Figures,
    Memory,
    Sample,
    Spell,
    memories,
    promises,
    quiet_stretches,
    recovery,
    slots_of,
    unexplained,
)
from tools.soak.plan import KILL, QUIET, SES, SLOW, VDM_OFF, Fault, catalogue, schedule
from tools.soak.report import page

REFUSED = Fault(of=Service.DYNAMODB, kind=FaultKind.UNAVAILABLE, seconds=20)
SNS_DOWN = Fault(of=Service.SNS, kind=FaultKind.UNAVAILABLE, seconds=20)
SNS_MUTE = Fault(of=Service.SNS, kind=FaultKind.ANSWER_LOST, seconds=20)

HOUR = Figures(
    seconds=3_600.0,
    ids=2_000,
    stored=2_000,
    unsettled=0,
    differences=(),
    looks=3_000,
    looks_again=1_000,
    throttled=0,
    closest=1.0001,
    slots=1_800,
    used=1_750,
    memory=(Memory("lookup", 3_000.0, 70 * MEBIBYTE, 74 * MEBIBYTE),),
    alerts_expected=1_100,
    alerts_received=1_100,
    repeats=7,
    repeats_unexplained=0,
    waiting=0,
    parked=180,
    parked_expected=180,
    spells=(Spell(fault=REFUSED, on=100.0, off=120.0, met=12),),
    recoveries=(9.5,),
)


def broken(figures: Figures) -> list[str]:
    """The promises that are not kept."""
    return [promise.what for promise in promises(figures) if not promise.kept]


def looks(*arrivals: float, status: int | None = 200) -> list[Call]:
    """Calls that SES counted and answered."""
    return [
        Call(arrival=at, message_id="m", accepted=True, fault=None, status=status)
        for at in arrivals
    ]


def test_a_good_hour_breaks_no_promise() -> None:
    """Repeats with a reason and a little growth are as documented."""
    assert broken(HOUR) == []


@pytest.mark.parametrize(
    ("bad", "what"),
    [
        (replace(HOUR, stored=1_999), "ids stored"),
        (replace(HOUR, differences=("m: stored as nothing",)), "rows and alerts that differ"),
        (replace(HOUR, unsettled=1), "ids looked at last before"),
        (replace(HOUR, alerts_received=1_099), "alerts received, of those"),
        (replace(HOUR, repeats_unexplained=1), "alerts received again"),
        (replace(HOUR, waiting=1), "messages left in the queue"),
        (replace(HOUR, parked=181), "messages in the dead-letter queue"),
        (replace(HOUR, parked=179), "messages in the dead-letter queue"),
        (replace(HOUR, throttled=31), "requests that came too early"),
        (replace(HOUR, used=1_619), "slots used"),
        (replace(HOUR, slots=0, used=0), "slots used"),
        (
            replace(HOUR, memory=(replace(HOUR.memory[0], last=78 * MEBIBYTE),)),
            "memory of a process",
        ),
    ],
)
def test_each_broken_promise_is_found(bad: Figures, what: str) -> None:
    """One figure beyond its bound breaks one promise, and no other."""
    (found,) = broken(bad)
    assert found.startswith(what)


def test_the_page_names_what_is_broken_and_how_often_each_fault_was_met() -> None:
    """A broken promise is marked, a difference is listed, each fault has its row."""
    text = page(
        replace(HOUR, stored=1_999, differences=("m: stored as nothing",)),
        seed=4,
        when="2026-11-23",
    )
    assert "| 1,999 of 2,000 **(not kept)** | all |" in text
    assert "- m: stored as nothing" in text
    assert "| dynamodb: 503 | 1 | 20 | 12 | 9.5 |" in text
    assert "`python -m tools.soak --minutes 60 --seed 4`" in text


def test_recovery_is_the_first_answered_look_after_the_fault() -> None:
    """What SES counted and did not answer, or answered before, is none."""
    spell = Spell(fault=REFUSED, on=100.0, off=120.0, met=3)
    calls = [*looks(119.0), *looks(121.0, status=None), *looks(122.0, status=503), *looks(129.5)]
    assert recovery(spell, calls) == 129.5 - 120.0
    assert recovery(spell, calls[:-1]) is None


def test_quiet_is_from_an_answered_look_to_the_next_fault() -> None:
    """The wait for the first look after a fault belongs to the fault; a stretch may be missing."""
    spells = [
        Spell(fault=REFUSED, on=100.0, off=120.0, met=3),
        Spell(fault=SNS_DOWN, on=125.0, off=145.0, met=3),
    ]
    calls = looks(10.0, 99.0, 130.0, 150.0)
    assert quiet_stretches(spells, calls, ends=200.0) == [(10.0, 100.0), (150.0, 200.0)]


def test_slots_are_counted_in_quiet_stretches_alone() -> None:
    """Eleven slots in ten seconds and a bit; nine used; looks outside count for nothing."""
    calls = looks(*range(9), 50.0)
    assert slots_of([(0.0, 10.5)], calls, period=1.0) == (11, 9)


def test_a_stalled_queue_costs_its_slots() -> None:
    """A stretch ends with the next fault and not with the last look in it."""
    assert slots_of([(0.0, 99.5)], looks(0.0, 1.0), period=1.0) == (100, 2)


@pytest.mark.parametrize("fault", [REFUSED, SNS_MUTE, KILL])
def test_a_repeat_is_explained_by_a_fault_before_the_mark(fault: Fault) -> None:
    """Published while the mark could not be set, or its answer was lost: published again after."""
    spells = [Spell(fault=fault, on=100.0, off=100.0 + fault.seconds, met=1)]
    deliveries = [Delivery("a", 99.5), Delivery("a", 102.0), Delivery("a", 140.0)]
    assert unexplained(deliveries, spells) == 0


def test_a_repeat_without_such_a_fault_is_not_explained() -> None:
    """While SNS refuses nothing is published; in quiet an alert is published once."""
    spells = [Spell(fault=SNS_DOWN, on=100.0, off=120.0, met=1)]
    assert unexplained([Delivery("a", 110.0), Delivery("a", 130.0)], spells) == 1
    assert unexplained([Delivery("a", 50.0), Delivery("b", 51.0), Delivery("a", 90.0)], spells) == 1


def test_memory_is_that_of_the_process_that_lived_longest() -> None:
    """Warm after ten minutes, or after a quarter of a short life; each function for itself."""
    samples = [
        *(Sample("lookup", 1, float(at), 50 + at) for at in range(0, 100, 10)),
        *(Sample("lookup", 2, float(at), at) for at in range(100, 3_101, 10)),
        *(Sample("followups", 3, float(at), at) for at in range(0, 41, 10)),
    ]
    assert {memory.function: memory for memory in memories(samples)} == {
        "lookup": Memory("lookup", 3_000.0, 700, 3_100),
        "followups": Memory("followups", 40.0, 10, 40),
    }


def test_an_hour_has_room_for_every_fault() -> None:
    """Each fault of the catalogue comes, the kill twice at the beginning, the same every time."""
    turns = schedule(3_600, seed=4)
    faults = [turn.fault for turn in turns]
    assert set(faults) == {*catalogue(), KILL}
    assert [number for number, fault in enumerate(faults) if fault == KILL] == [0, 2]
    assert turns == schedule(3_600, seed=4)
    assert turns != schedule(3_600, seed=5)


def test_the_stand_in_knows_every_fault_of_ses_that_the_plan_has() -> None:
    """A look can meet each of them: the stand-in refuses a fault that none can meet."""
    of_ses = {fault.kind for fault in catalogue() if fault.of == SES} - {VDM_OFF, SLOW}
    assert {FaultOfSes.from_json({"kind": kind}).kind for kind in of_ses} == of_ses


def test_quiet_lies_between_faults() -> None:
    """A fault begins when what came before has ended, has been recovered from, and it was quiet."""
    turns = schedule(3_600, seed=4)
    for turn, following in pairwise(turns):
        assert following.at >= turn.at + turn.fault.seconds + turn.fault.settles + QUIET
    last = turns[-1]
    assert last.at + last.fault.seconds + last.fault.settles + QUIET <= 3_600
