"""A soak in short: the program of `make soak` on the stack that the other tests of faults use."""

from __future__ import annotations

from typing import Final

from local.ses_stand_in.settings import FaultKind as SesFault
from local.stack.faults.control import FaultKind, Service
from tests.support.deployed_stack import DeployedStack
from tools.soak.core import Soak, soak
from tools.soak.figures import promises
from tools.soak.plan import KILL, SES, Fault, Turn

TURNS: Final = (
    Turn(2.0, Fault(of=Service.SNS, kind=FaultKind.ANSWER_LOST, seconds=4)),
    Turn(8.0, Fault(of=Service.DYNAMODB, kind=FaultKind.UNAVAILABLE, seconds=2)),
    Turn(13.0, Fault(of=SES, kind=SesFault.RESET, seconds=2)),
    Turn(20.0, KILL),
)

SHORT: Final = Soak(seconds=24.0, turns=TURNS, late=None, backlog=8, patience=300.0)
"""No story ends late: the ladder of this stack takes hours."""

OF_AN_HOUR: Final = (
    *("requests that came too early", "slots used", "memory of a process"),
    "alerts received again",
)
"""Promises that depend on how busy the machine is, or on a process that lives longer: `make soak`
measures them."""


def test_a_soak_in_short_keeps_its_promises(stack: DeployedStack) -> None:
    """Half a minute of backlog with four faults: all is stored, published and parked as it must."""
    figures = soak(stack.run, SHORT, lambda _: None)

    assert figures.differences == ()
    broken = [promise for promise in promises(figures) if not promise.kept]
    assert [promise for promise in broken if not promise.what.startswith(OF_AN_HOUR)] == []
    assert len(figures.spells) == len(TURNS)
    assert all(spell.met for spell in figures.spells)
    assert None not in figures.recoveries
