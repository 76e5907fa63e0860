"""The pace under change, in virtual time: the service's own client, and the stand-in as judge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from random import Random
from typing import TYPE_CHECKING, Final

import boto3
import pytest

from local.ses_stand_in.control import Control
from ses_insights.adapters import ses
from ses_insights.adapters.ses import SesSource
from ses_insights.domain.pace import Pace
from ses_insights.domain.record import Answer, Found
from tests.support.findings import Findings
from tests.support.pace_findings import note
from tests.support.stand_in import ManualClock

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

PERIOD: Final = 1.0
LOOKS: Final = 120
INVOCATION: Final = 30.0
"""Seconds an invocation may take."""

BETWEEN: Final = 0.05
"""Seconds from one invocation to the next, under backlog."""

STEADY: Final = (20.0, 120.0)
"""Milliseconds SES usually takes."""

JUMPS: Final = tuple(
    sign * span.total_seconds()
    for span in (timedelta(hours=1), timedelta(days=1))
    for sign in (1, -1)
)


@dataclass(slots=True)
class WallClock:
    """A clock that can be set."""

    clock: ManualClock
    ahead: float = 0.0

    def read(self) -> float:
        """Seconds, as the clock was set."""
        return self.clock.monotonic() + self.ahead


@dataclass(slots=True)
class Function:
    """The function's execution environments at one SES, one after the other or by turns."""

    url: str
    clock: ManualClock
    wall: WallClock
    clients: list[SESV2Client] = field(default_factory=list)

    def environment(self) -> SesSource:
        """Start an environment that knows nothing of any other."""
        client = boto3.client("sesv2", endpoint_url=self.url, config=ses.CONFIG)
        self.clients.append(client)
        return SesSource(
            client=client,
            pace=Pace(PERIOD),
            on_call=lambda _: None,
            clock=self.clock.monotonic,
            wall_clock=self.wall.read,
            # Never less than asked for: this clock goes by whole microseconds.
            sleep=lambda seconds: self.clock.advance(timedelta(seconds=seconds, microseconds=1)),
        )

    def look(self, environment: SesSource, message_id: str) -> Answer:
        """Look once, in an invocation of its own, as under backlog."""
        self.clock.advance(timedelta(seconds=BETWEEN))
        with environment.invocation(INVOCATION):
            return environment.ask(message_id)


@pytest.fixture
def function(url: str, control: Control, clock: ManualClock) -> Iterator[Function]:
    """A function whose SES keeps its limit and has its usual latency."""
    control.change(period_seconds=PERIOD, latency_ms=STEADY)
    function = Function(url, clock, WallClock(clock))
    yield function
    for client in function.clients:
        client.close()


@pytest.fixture
def message_id(send: Callable[..., str], clock: ManualClock) -> str:
    """A mail that SES shows already."""
    sent = send("delivered@stories.example")
    clock.advance(timedelta(hours=1))
    return sent


@pytest.mark.parametrize("seed", range(3))
def test_latency_spikes_bring_no_two_requests_closer(
    function: Function, control: Control, message_id: str, findings: Findings, seed: int
) -> None:
    """One answer in five takes up to five seconds: no request comes too early."""
    random = Random(seed)  # noqa: S311 - not for secrets
    environment = function.environment()
    for _ in range(LOOKS):
        spike = random.random() < 1 / 5
        control.change(latency_ms=(20.0, 5_000.0) if spike else STEADY)
        assert isinstance(function.look(environment, message_id), Found)

    report = control.report()
    note(findings, f"latency 20 to 120 ms, one in five up to 5 s (seed {seed})", report)
    assert (report.accepted, report.throttled) == (LOOKS, 0)
    assert (report.closest or 0) >= PERIOD


@pytest.mark.parametrize("seed", range(3))
def test_a_single_request_that_travels_for_long_costs_nothing(
    function: Function, control: Control, message_id: str, findings: Findings, seed: int
) -> None:
    """Every twentieth request arrives half a second to a second late; the next is not too early.

    Its round trip is beyond what is usual, so nothing is assumed of how it travelled.
    """
    environment = function.environment()
    for number in range(LOOKS):
        slow = number % 20 == 10 + seed
        control.change(travel_ms=(500.0, 1_000.0) if slow else (0.0, 10.0))
        assert isinstance(function.look(environment, message_id), Found)

    report = control.report()
    note(findings, f"one request in twenty arrives 0.5 to 1 s late ({seed})", report)
    assert (report.accepted, report.throttled) == (LOOKS, 0)
    assert (report.closest or 0) >= PERIOD


@pytest.mark.parametrize("seed", range(3))
def test_a_request_that_travels_for_long_unseen_costs_a_429_and_no_answer(
    function: Function, control: Control, message_id: str, findings: Findings, seed: int
) -> None:
    """Where SES takes up to 400 ms, it does not show that one of them was spent on the way.

    Then the next request may come too early (decision record 2). It is asked again in the same
    invocation.
    """
    random = Random(seed)  # noqa: S311 - not for secrets
    environment = function.environment()
    late = 0
    for _ in range(LOOKS):
        slow = random.random() < 1 / 10
        late += slow
        control.change(
            latency_ms=(20.0, 400.0), travel_ms=(100.0, 1_000.0) if slow else (0.0, 10.0)
        )
        assert isinstance(function.look(environment, message_id), Found)

    report = control.report()
    note(findings, f"SES takes 20 to 400 ms, {late} requests travel 0.1 to 1 s", report)
    assert report.accepted == LOOKS
    assert report.throttled <= late


@pytest.mark.parametrize("after", [0.0, 0.5, 0.94])
def test_a_cold_start_right_after_a_call_waits(
    function: Function, control: Control, message_id: str, findings: Findings, after: float
) -> None:
    """Every environment dies with its first call; the next one begins within the period."""
    for _ in range(20):
        assert isinstance(function.look(function.environment(), message_id), Found)
        function.clock.advance(timedelta(seconds=after))

    report = control.report()
    note(findings, f"a cold start {after + BETWEEN:.2f} s after each answer", report)
    assert (report.accepted, report.throttled) == (20, 0)
    assert (report.closest or 0) >= PERIOD


@pytest.mark.parametrize("environments", [1, 2])
def test_a_clock_that_jumps_brings_no_two_requests_closer(
    function: Function, control: Control, message_id: str, findings: Findings, environments: int
) -> None:
    """The wall clock is set forwards and backwards by an hour and a day while looks go on.

    Two environments take turns by threes, so that what one knows is often out of date.
    """
    known = [function.environment() for _ in range(environments)]
    jumps = cycle(JUMPS)
    for number in range(LOOKS):
        if number % 5 == 0:
            function.wall.ahead += next(jumps)
        environment = known[number // 3 % environments]
        assert isinstance(function.look(environment, message_id), Found)

    report = control.report()
    note(findings, f"the clock jumps, {environments} environment(s)", report)
    assert (report.accepted, report.throttled) == (LOOKS, 0)
    assert (report.closest or 0) >= PERIOD
