"""A soak in short: the program of `make soak` on the stack that the other tests of faults use."""

from __future__ import annotations

from typing import Final

from local.ses_stand_in.settings import FaultKind as SesFault
from local.stack.faults.control import FaultKind, Service
from local.stack.observe import messages_in
from local.stack.run import LocalRun
from tests.support.patience import eventually
from tools.soak.core import Soak, soak
from tools.soak.feed import Timing
from tools.soak.figures import promises
from tools.soak.plan import KILL, SES, Fault, Turn

TURNS: Final = (
    Turn(3.0, Fault(of=Service.SNS, kind=FaultKind.ANSWER_LOST, seconds=4)),
    Turn(10.0, Fault(of=Service.DYNAMODB, kind=FaultKind.UNAVAILABLE, seconds=2)),
    Turn(16.0, Fault(of=SES, kind=SesFault.RESET, seconds=2)),
    Turn(24.0, KILL),
)

SHORT: Final = Soak(seconds=28.0, turns=TURNS, timing=Timing(kept=150.0), backlog=8, patience=120.0)
"""No story ends late: the ladder of this stack takes hours."""

OF_AN_HOUR: Final = ("requests that came too early", "slots used", "memory of a process")
"""Promises on which a busy machine or a process of half a minute says nothing."""


def test_a_soak_in_short_keeps_its_promises(faulty_stack: LocalRun) -> None:
    """Half a minute of backlog with four faults: all is stored, told, parked, and in time."""
    eventually(lambda: messages_in(faulty_stack, faulty_stack.outputs["QueueUrl"]) == 0)
    figures = soak(faulty_stack, SHORT, lambda _: None)

    assert figures.differences == ()
    broken = [promise for promise in promises(figures) if not promise.kept]
    assert [promise for promise in broken if not promise.what.startswith(OF_AN_HOUR)] == []
    assert len(figures.spells) == len(TURNS)
    assert all(spell.met for spell in figures.spells)
    assert None not in figures.recoveries
    assert figures.throttled <= figures.looks / 10  # as in test_service.py
