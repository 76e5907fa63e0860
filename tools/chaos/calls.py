"""Calls to AWS: each takes time, and each can fail in every way that a call can fail.

The clients of `tools.chaos` take their requests through `Caller.call`, which does what botocore
does around a request: it waits for the answer, and tries again as often as the client's own
configuration allows. What goes wrong is drawn by `Faults`, from the seed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Final, TypeVar

from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    ReadTimeoutError,
)

from tools.chaos.world import Killed, Process, World

T = TypeVar("T")

WRITES: Final = frozenset(
    {
        "UpdateItem",
        "TransactWriteItems",
        "PutItem",
        "DeleteItem",
        "SendMessage",
        "SendMessageBatch",
        "DeleteMessage",
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
        "Publish",
    }
)
_THROTTLES: Final = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "sqs": "RequestThrottled",
    "sns": "Throttled",
    "sesv2": "TooManyRequestsException",
}
_TRIED_AGAIN: Final = frozenset(
    {*_THROTTLES.values(), "InternalServerError", "ServiceUnavailable", "ThrottlingException"}
)


class Fault(Enum):
    """How one call can go wrong."""

    THROTTLED = auto()
    ERROR = auto()
    """500, and nothing was done."""
    UNREACHABLE = auto()
    """No connection: nothing was done."""
    DENIED = auto()
    LOST = auto()
    """It was done, and the connection broke before the answer came."""
    TIMED_OUT = auto()
    """It was done, and the answer took longer than the client waits."""
    SLOW = auto()
    """It takes seconds."""
    KILLED_BEFORE = auto()
    """The process is gone before the request left."""
    KILLED_AFTER = auto()
    """The process is gone, and the request was carried out."""


HARMLESS: Final = (Fault.SLOW,)
BEFORE: Final = (Fault.THROTTLED, Fault.ERROR, Fault.UNREACHABLE, Fault.DENIED)
AFTER: Final = (Fault.LOST, Fault.TIMED_OUT)
CRASHES: Final = (Fault.KILLED_BEFORE, Fault.KILLED_AFTER)
ALL: Final = (*HARMLESS, *BEFORE, *AFTER, *CRASHES)


@dataclass(frozen=True, slots=True)
class Outage:
    """A time in which calls of one service fail."""

    service: str
    since: float
    until: float
    only_writes: bool = False
    fault: Fault = Fault.ERROR

    def strikes(self, service: str, operation: str, now: float) -> bool:
        """Whether a call fails."""
        return (
            self.service == service
            and self.since <= now < self.until
            and (not self.only_writes or operation in WRITES)
        )


@dataclass(slots=True)
class Faults:
    """What goes wrong in a run, and until when."""

    world: World
    until: float
    """From then on everything works."""
    rate: float = 0.0
    """The share of calls that go wrong."""
    kinds: Sequence[Fault] = ALL
    services: Sequence[str] = ("dynamodb", "sqs", "sns", "sesv2")
    outages: Sequence[Outage] = ()
    struck: int = 0
    """How many calls went wrong."""
    struck_by: Counter[tuple[str, Fault]] = field(default_factory=Counter)
    """How many of each service in each way."""

    def of(self, service: str, operation: str) -> Fault | None:
        """Return what goes wrong with a call, if anything does."""
        now = self.world.now
        if now >= self.until:
            return None
        for outage in self.outages:
            if outage.strikes(service, operation, now):
                return self._noted(service, outage.fault)
        if self.world.chance(self.rate) and service in self.services:
            return self._noted(service, self.world.random.choice(self.kinds))
        return None

    def _noted(self, service: str, fault: Fault) -> Fault:
        self.struck += 1
        self.struck_by[service, fault] += 1
        return fault

    def is_out(self, moment: float, margin: float) -> bool:
        """Whether any outage was on at that moment, or so many seconds before it."""
        return any(
            outage.since <= moment < min(outage.until, self.until) + margin
            for outage in self.outages
        )


class _Events:
    """The hooks of a client."""

    def __init__(self) -> None:
        self.hooks: list[Callable[..., None]] = []

    def register(self, name: str, hook: Callable[..., None]) -> None:
        """Call this before a request leaves."""
        del name
        self.hooks.append(hook)


@dataclass(slots=True)
class Meta:
    """What boto3 knows of a client."""

    events: _Events = field(default_factory=_Events)


@dataclass(slots=True)
class Caller:
    """One client's way to AWS."""

    world: World
    faults: Faults
    process: Process
    service: str
    tries: int
    read_timeout: float
    meta: Meta = field(default_factory=Meta)
    left_at: float = 0.0
    """When the last request left."""

    def call(self, operation: str, effect: Callable[[], T], *, retriable: bool = True) -> T:
        """Carry a call out, or let it fail."""
        for left in range(self.tries - 1, -1, -1):
            for hook in self.meta.events.hooks:
                hook()
            self.left_at = self.world.now
            try:
                return self._once(operation, effect)
            except ClientError as error:
                if not left or not retriable or not _is_tried_again(error):
                    raise
            except (ConnectTimeoutError, ReadTimeoutError, ConnectionClosedError):
                if not left or not retriable:
                    raise
            self.world.sleep(0.1 + 0.4 * self.world.random.random())
        raise AssertionError("it has no tries")

    def _once(self, operation: str, effect: Callable[[], T]) -> T:
        world, process = self.world, self.process
        if process.is_dead:
            raise Killed
        fault = self.faults.of(self.service, operation)
        if fault is not None:
            world.note(f"{self.service}.{operation}", fault=fault.name)
            return self._faulty(fault, operation, effect)
        draw = world.random.random()
        world.sleep(0.002 + 0.008 * draw)
        result = effect()
        world.sleep(0.002 + 0.01 * draw)
        return result

    def _faulty(self, fault: Fault, operation: str, effect: Callable[[], T]) -> T:
        world = self.world
        draw = world.random.random()
        if fault is Fault.KILLED_BEFORE:
            self._die()
        if fault is Fault.UNREACHABLE:
            world.sleep(1.0)
            raise ConnectTimeoutError(endpoint_url=self.service)
        world.sleep(0.002 + 0.01 * draw)
        if fault is Fault.THROTTLED:
            raise refusal(_THROTTLES[self.service], operation, 429 if self._is_ses else 400)
        if fault is Fault.ERROR:
            raise refusal("InternalServerError", operation, 500)
        if fault is Fault.DENIED:
            raise refusal("AccessDeniedException", operation, 403)
        if fault is Fault.SLOW:
            # As much before the effect as after it, and within the time that the client waits.
            world.sleep(draw * 0.8 * self.read_timeout)
            result = effect()
            world.sleep((1 - draw) * 0.15 * self.read_timeout)
            return result
        result = effect()
        if fault is Fault.KILLED_AFTER:
            self._die()
        if fault is Fault.TIMED_OUT:
            world.sleep(self.read_timeout)
            raise ReadTimeoutError(endpoint_url=self.service)
        world.sleep(0.01 * draw)
        raise ConnectionClosedError(endpoint_url=self.service)

    @property
    def _is_ses(self) -> bool:
        return self.service == "sesv2"

    def _die(self) -> None:
        self.world.kill(self.process)
        raise Killed


def refusal(code: str, operation: str, status: int = 400, **more: Any) -> ClientError:
    """Return an error as boto3 raises it."""
    said: Any = {
        "Error": {"Code": code, "Message": "no"},
        "ResponseMetadata": {"HTTPStatusCode": status},
        **more,
    }
    return ClientError(said, operation)


def _is_tried_again(error: ClientError) -> bool:
    return str(error.response["Error"]["Code"]) in _TRIED_AGAIN
