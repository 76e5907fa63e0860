"""The pace where the function's process is replaced, and where SES is slow, on the deployed stack.

Jumping clocks and slow ways to SES are shown in virtual time: tests/local/ses_stand_in.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import pytest

from local.ses_stand_in.pace import HELD_UP, Report
from local.ses_stand_in.settings import FaultKind, Settings
from local.stack.processes import kill
from local.stack.redelivery import redelivered_after
from local.stack.run import DEFAULT_CONTEXT, LocalRun, cdk_in, local_stack
from tests.support.deployed_stack import DeployedStack, deployed_stack
from tests.support.findings import Findings
from tests.support.functions import configure, configured, pids_of, variables_of
from tests.support.pace_findings import note
from tests.support.patience import eventually

PERIOD: Final = 4.0
"""Seconds. Longer than the emulator takes to put a new process in place of a dead one, so that an
environment that did not wait would be seen."""

JITTER: Final = 0.5
"""Seconds by which a request may be faster on its way to SES than the one before it, on a machine
that is busy elsewhere: far less than PERIOD."""

BACK_AFTER: Final = 1
"""Seconds until the queue hands out again a message that a function has died with."""

CONTEXT: Final = {"lookupPeriodSeconds": str(PERIOD)}


@pytest.fixture(scope="module")
def slow_run() -> Iterator[LocalRun]:
    """A stack that is deployed with a period of PERIOD."""
    with local_stack(CONTEXT) as run, redelivered_after(run, BACK_AFTER):
        yield run


@pytest.fixture
def slow_stack(slow_run: LocalRun) -> Iterator[DeployedStack]:
    """That stack for one test, at an SES that asks for its period."""
    with deployed_stack(slow_run) as stack:
        slow_run.ses.change(period_seconds=PERIOD)
        yield stack


@pytest.mark.prove
def test_a_new_process_keeps_the_period(stack: DeployedStack, findings: Findings) -> None:
    """The function is killed while SES answers it, then configured anew: no request is too early.

    The message of the dead process comes back at once, so the new one could ask at once, too.
    """
    run = stack.run
    run.ses.change(period_seconds=PERIOD)
    with redelivered_after(run, BACK_AFTER), configured(run, LOOKUP_PERIOD_SECONDS=str(PERIOD)):
        run.ses.fail(FaultKind.HANG, times=1)
        _enqueue(stack, 2)
        _after_look(stack, 1)
        killed = kill(run, run.lookup_function)
        _after_look(stack, 2)
        configure(run, RETENTION_DAYS="91")
        report = _finish(stack)

    note(findings, "a kill and a new configuration, period 4 s", report)
    assert killed == 1
    _check_period(stack)


def _check_period(stack: DeployedStack) -> None:
    """No request was sent sooner than PERIOD after the one before it."""
    gaps = [later.arrival - first.arrival for first, later in pairwise(stack.calls())]
    assert min(gaps) >= PERIOD - JITTER


@pytest.mark.prove
def test_deployments_under_backlog_keep_the_period(
    slow_stack: DeployedStack, findings: Findings
) -> None:
    """The stack is deployed again and again while looks go on: all come, none too early."""
    run = slow_stack.run
    cdk = cdk_in(run.sandbox, run.folder)
    changed = [cdk.synth({**DEFAULT_CONTEXT, **CONTEXT, "retentionDays": d}) for d in ("91", "92")]
    before = pids_of(run)
    _enqueue(slow_stack, 20)
    for number, assembly in enumerate(changed):
        _after_look(slow_stack, 1 + 6 * number)
        cdk.deploy(assembly)
    report = _finish(slow_stack)

    note(findings, "two deployments under backlog, period 4 s", report)
    assert variables_of(run)["RETENTION_DAYS"] == "92"
    assert not before & pids_of(run)
    _check_period(slow_stack)


@pytest.mark.prove
def test_cold_starts_keep_the_period(slow_stack: DeployedStack, findings: Findings) -> None:
    """Five processes die while SES answers them; a look of a new process lies between each two."""
    run = slow_stack.run
    _enqueue(slow_stack, 10)
    for number in range(5):
        run.ses.fail(FaultKind.HANG, times=1)
        _after_look(slow_stack, 2 * number + 1)
        kill(run, run.lookup_function)
        _after_look(slow_stack, 2 * number + 2)
    report = _finish(slow_stack)

    note(findings, "five kills under backlog, period 4 s", report)
    _check_period(slow_stack)


@pytest.mark.prove
def test_latency_spikes_keep_the_period(stack: DeployedStack, findings: Findings) -> None:
    """SES takes 20 ms, then up to 5 s, then 20 ms again; some looks are given up and come back."""
    run = stack.run
    _enqueue(stack, 24)
    for looks, latency in ((6, (20, 20)), (14, (20, 5_000)), (18, (4_900, 5_050)), (24, (20, 20))):
        run.ses.change(latency_ms=latency)
        _after_look(stack, looks)
    report = _finish(stack)

    note(findings, "latency from 20 ms to 5 s and back, on the stack", report)
    assert (report.closest or 0) >= Settings().period_seconds - HELD_UP


@pytest.mark.prove
def test_a_slow_way_to_ses_costs_no_answer(stack: DeployedStack, findings: Findings) -> None:
    """Single requests travel for up to a second: a 429 may follow, and every answer comes.

    Decision record 2: what travels longer than the guard can cost a 429, never an answer.
    """
    run = stack.run
    _enqueue(stack, 30)
    for number in range(0, 30, 6):
        _after_look(stack, number)
        run.ses.change(travel_ms=(300.0, 1_000.0))
        _after_look(stack, number + 1)
        run.ses.change(travel_ms=(0.0, 0.0))
    report = _finish(stack)

    note(findings, "single requests travel for up to 1 s, on the stack", report)
    assert report.accepted == len(stack.expected)


def _enqueue(stack: DeployedStack, number: int) -> None:
    """Send so many mails, then enqueue their ids."""
    for each in range(number):
        stack.send("delivered", label=str(each))
    stack.enqueue(*stack.expected)


def _after_look(stack: DeployedStack, number: int) -> None:
    """Wait until SES has counted so many requests."""
    eventually(lambda: stack.looks() >= number)


def _finish(stack: DeployedStack) -> Report:
    """Let SES be quick, wait until all is done, and give the report on the pace."""
    stack.run.ses.change(latency_ms=Settings().latency_ms)
    eventually(stack.is_done)
    return stack.run.ses.report()
