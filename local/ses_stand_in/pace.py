"""The rate limit, the log of the calls, and the report on them. Pure; times are monotonic."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from local.ses_stand_in.settings import FaultKind, Operation

ROUNDING = 1e-9  # of a slot: a span of exactly n periods must count as n

HELD_UP = 0.2
"""Seconds for which a busy machine may hold up a request on its way, so that the next one arrives
less than a period later. Tests in virtual time hold the pace itself to the whole period."""


@dataclass(slots=True)
class RateLimit:
    """Strict, and without a burst: what comes too early is refused, and does not count."""

    last_accepted: float | None = None

    def admits(self, arrival: float, period: float) -> bool:
        """Whether a call arriving now is accepted; if so, the next period begins with it."""
        if self.last_accepted is not None and arrival - self.last_accepted < period:
            return False
        self.last_accepted = arrival
        return True


@dataclass(slots=True, kw_only=True)
class Call:
    """A signed request that reached the stand-in."""

    arrival: float
    """Monotonic seconds (CLOCK_MONOTONIC, so comparable with a client on the same machine)."""
    operation: Operation = Operation.GET_MESSAGE_INSIGHTS
    message_id: str = ""
    """Of a look."""
    address: str = ""
    """That GetSuppressedDestination was asked for."""
    accepted: bool
    """Counted by the rate limit. A fault that follows does not give the slot back."""
    fault: FaultKind | None
    """The switched-on fault it met."""
    status: int | None = None
    """None: no answer (hang, reset, the client gave up first)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How the calls kept the pace."""

    calls: int
    accepted: int
    throttled: int
    """Refused because they came too early; a switched-on 429 is not one of them."""
    faults: int
    """Met by a fault that was switched on."""
    closest: float | None
    """Seconds between the closest two that arrived, refused ones too; None below two.

    Of the accepted ones alone it would say nothing: none is accepted that comes too soon.
    """
    span: float
    """Seconds from the first accepted one to the last."""
    slots: int | None
    """How many could have been accepted over that span at best; None without a limit."""
    used: float | None
    """The share of these slots that was used."""
    statuses: dict[str, int]
    """Answers by HTTP status; `none` for no answer."""
    looks: dict[str, int]
    """Accepted calls by message id."""


def report_on(calls: Iterable[Call], period: float) -> Report:
    """The report on these calls under this period (seconds; 0 means no limit)."""
    log = list(calls)
    accepted = sorted((call for call in log if call.accepted), key=lambda call: call.arrival)
    arrivals = [call.arrival for call in accepted]
    span = arrivals[-1] - arrivals[0] if arrivals else 0.0
    slots = _slots(arrivals, span, period)
    arrived = sorted(call.arrival for call in log)
    return Report(
        calls=len(log),
        accepted=len(accepted),
        throttled=sum(not call.accepted and call.fault is None for call in log),
        faults=sum(call.fault is not None for call in log),
        closest=min((later - first for first, later in pairwise(arrived)), default=None),
        span=span,
        slots=slots,
        used=len(accepted) / slots if slots else None,
        statuses=dict(Counter(str(call.status or "none") for call in log)),
        looks=dict(Counter(call.message_id for call in accepted)),
    )


def _slots(arrivals: list[float], span: float, period: float) -> int | None:
    if not period:
        return None
    return int(span / period + ROUNDING) + 1 if arrivals else 0
