"""Which faults come, when, and for how long. Pure; the same seed makes the same plan."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from random import Random
from typing import Final

from local.ses_stand_in import settings as of_ses
from local.stack.faults import control as behind_proxy
from local.stack.faults.control import Service
from ses_insights.contracts import names

SES: Final = "SES"
LOOKUP: Final = names.Service.LOOKUP
VDM_OFF: Final = "vdm-off"
SLOW: Final = "20 ms to 5 s"
KILLED: Final = "killed"

COMES_BACK_AFTER: Final = 40
"""Seconds until the queue hands out again what a dead function had in hand. The stack has 180, six
times the function's time-out of 30; an hour with both would be mostly waiting."""

QUIET: Final = 40.0
"""Seconds between the recovery from a fault, as it is planned, and the next one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that goes wrong for a while."""

    of: str
    """SES, a service behind the proxy, or the function `lookup`."""
    kind: str
    seconds: float
    operation: str | None = None
    """The only operation it concerns; None: all."""

    @property
    def repeats(self) -> bool:
        """Whether it can come between an alert's publication and its mark.

        Then the alert is published again, with the same id (decision record 5).
        """
        stops_the_mark = self.of in {Service.DYNAMODB, LOOKUP}
        hides_the_answer = (self.of, self.kind) == (
            Service.SNS,
            behind_proxy.FaultKind.ANSWER_LOST,
        )
        return stops_the_mark or hides_the_answer

    @property
    def settles(self) -> float:
        """Seconds after its end within which looks go on: retries wait as long as it lasted."""
        hidden = self.of in {Service.SQS, LOOKUP}
        return max(self.seconds, COMES_BACK_AFTER if hidden else 0.0)

    def __str__(self) -> str:
        only = f" ({self.operation})" if self.operation else ""
        return f"{self.of}{only}: {self.kind}"


@dataclass(frozen=True, slots=True)
class Turn:
    """A fault and when it begins."""

    at: float
    """Seconds since the beginning of the run."""
    fault: Fault


DYNAMODB_REFUSES: Final = Fault(
    of=Service.DYNAMODB, kind=behind_proxy.FaultKind.UNAVAILABLE, seconds=60
)
SES_GONE: Final = Fault(of=SES, kind=of_ses.FaultKind.UNAVAILABLE, seconds=60)
KILL: Final = Fault(of=LOOKUP, kind=KILLED, seconds=0)

_SES_SECONDS: Final = {of_ses.FaultKind.THROTTLED: 8.0, of_ses.FaultKind.HANG: 20.0}


def catalogue() -> Iterator[Fault]:
    """Name every fault of a soak but the kill."""
    yield SES_GONE
    yield DYNAMODB_REFUSES
    yield Fault(of=SES, kind=VDM_OFF, seconds=30)
    yield Fault(of=SES, kind=SLOW, seconds=30)
    for of_ses_kind in of_ses.FaultKind:
        if of_ses_kind not in {SES_GONE.kind, *of_ses.OF_AN_ENTRY}:  # what a look can meet
            yield Fault(of=SES, kind=of_ses_kind, seconds=_SES_SECONDS.get(of_ses_kind, 15))
    for service in Service:
        for kind in behind_proxy.FaultKind:
            if (service, kind) == (Service.DYNAMODB, DYNAMODB_REFUSES.kind):
                continue
            # A claim of followups whose answer is lost ends by itself after an hour (decision
            # record 10): longer than this run.
            lost = (service, kind) == (Service.DYNAMODB, behind_proxy.FaultKind.ANSWER_LOST)
            yield Fault(
                of=service,
                kind=kind,
                seconds=20 if service is Service.SQS else 12,  # it is met less often
                operation="TransactWriteItems" if lost else None,
            )


def schedule(seconds: float, seed: int) -> tuple[Turn, ...]:
    """Fill a run with faults, in an order of the seed's, quiet stretches in between.

    The function is killed near the beginning, so that the process whose memory is measured lives
    for nearly all of the run.
    """
    random = Random(seed)  # noqa: S311 - not for secrets
    turns: list[Turn] = []
    at = QUIET
    for fault in _in_order(random):
        end = at + fault.seconds + fault.settles + QUIET
        if end > seconds:
            return tuple(turns)
        turns.append(Turn(round(at, 1), fault))
        at = end
    raise AssertionError("the order of faults has no end")


def _in_order(random: Random) -> Iterator[Fault]:
    def shuffled() -> list[Fault]:
        faults = list(catalogue())
        random.shuffle(faults)
        return faults

    first, *others = shuffled()
    yield from (KILL, first, KILL, *others)
    yield from chain.from_iterable(iter(shuffled, None))
