"""Switches the faults of a plan on and off, and notes when they were on and what met them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from local.ses_stand_in.settings import FaultKind, Settings
from local.stack.faults import control as behind_proxy
from local.stack.faults.control import Service
from local.stack.processes import kill
from local.stack.run import LocalRun
from tools.soak.figures import Spell
from tools.soak.plan import LOOKUP, SES, SLOW, VDM_OFF, Fault, Turn

LONGER: Final = 120.0
"""Seconds for which a fault that no request has met stays on beyond its time."""

SPIKES_MS: Final = (20.0, 5_000.0)


@dataclass(slots=True)
class Faults:
    """Applies a plan, one fault after the other."""

    run: LocalRun
    turns: Sequence[Turn]
    began: float
    progress: Callable[[str], None]
    spells: list[Spell] = field(default_factory=list)
    _now_on: tuple[Fault, float] | None = None

    def step(self) -> None:
        """Switch on what has its turn, and off what has lasted long enough."""
        now = time.monotonic()
        if self._now_on is not None:
            fault, on = self._now_on
            over = now - on - fault.seconds
            if over >= 0 and (over >= LONGER or self._is_met(fault, on)):
                self.end()
        elif len(self.spells) < len(self.turns):
            turn = self.turns[len(self.spells)]
            if now >= self.began + turn.at:
                self._begin(turn.fault)

    @property
    def are_over(self) -> bool:
        """Whether every fault of the plan has come and gone."""
        return self._now_on is None and len(self.spells) == len(self.turns)

    def _is_met(self, fault: Fault, on: float) -> bool:
        """Whether a request has met it: a look that was late must not let it pass unseen."""
        if fault.of == SES:
            return any(call.arrival >= on for call in self.run.ses.calls())
        return bool(self.run.faults.met())

    def end(self) -> None:
        """Switch off the fault that is on, if one is."""
        if self._now_on is None:
            return
        fault, on = self._now_on
        met = _heal(self.run, fault)
        self.spells.append(Spell(fault=fault, on=on, off=time.monotonic(), met=met))
        self._now_on = None

    def _begin(self, fault: Fault) -> None:
        on = time.monotonic()
        self.progress(f"{fault}, {fault.seconds:.0f} s" if fault.seconds else str(fault))
        if fault.of == LOOKUP:
            killed = kill(self.run, self.run.lookup_function)
            self.spells.append(Spell(fault=fault, on=on, off=on, met=killed))
            return
        self._now_on = fault, on
        _fail(self.run, fault)


def _fail(run: LocalRun, fault: Fault) -> None:
    match fault.of, fault.kind:
        case (of, kind) if (of, kind) == (SES, VDM_OFF):
            run.ses.change(vdm=False)
        case (of, kind) if (of, kind) == (SES, SLOW):
            run.ses.change(latency_ms=SPIKES_MS)
        case (of, kind) if of == SES:
            run.ses.fail(FaultKind(kind))
        case of, kind:
            service, proxied = Service(of), behind_proxy.FaultKind(kind)
            run.faults.fail(service, proxied, operation=fault.operation)


def _heal(run: LocalRun, fault: Fault) -> int:
    """Switch a fault off; give how many requests met it where the proxy has counted them."""
    if fault.of == SES:
        run.ses.change(vdm=True, latency_ms=Settings().latency_ms, faults=())
        return 0
    met = len(run.faults.met())
    run.faults.heal()
    return met
