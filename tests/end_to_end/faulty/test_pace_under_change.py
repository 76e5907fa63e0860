"""The pace where the function's process is replaced, and where SES is slow, on the deployed stack.

Jumping clocks and slow ways to SES are shown in virtual time: tests/ses_stand_in.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Final

import pytest

from local.actors.pipeline import Pipeline
from local.ses_stand_in.pace import Report
from local.ses_stand_in.settings import Settings
from local.ses_stand_in.stories import STORIES
from local.stack.deployment import Cdk
from local.stack.observe import message_row, messages_in
from local.stack.processes import kill, workers
from local.stack.redelivery import redelivered_after
from local.stack.run import DEFAULT_CONTEXT, HOME, PROJECT, LocalRun, local_stack
from tests.support.findings import Findings
from tests.support.pace_findings import note
from tests.support.patience import eventually

FAST: Final = 3_600.0
"""SES shows a mail a tenth of a second after it was sent, and forgets it after twelve minutes."""

PERIOD: Final = 4.0
"""Seconds. Longer than the emulator takes to put a new process in place of a dead one, so that an
environment that did not wait would be seen."""

UNDER_WAY: Final = (600.0, 600.0)
"""Milliseconds for which a request is under way: long enough to kill who waits for it."""

BACK_AFTER: Final = 1
"""Seconds until the queue hands out again what a dead function had in hand."""

CONTEXT: Final = {"firstLookDelaySeconds": "0", "lookupPeriodSeconds": str(PERIOD)}


@pytest.fixture(scope="module")
def slow_stack() -> Iterator[LocalRun]:
    """A stack with a period of PERIOD, at an SES that asks for it."""
    with local_stack(CONTEXT) as run:
        run.ses.change(period_seconds=PERIOD)
        with redelivered_after(run, BACK_AFTER):
            yield run


@pytest.fixture
def slow_pace(faulty_stack: LocalRun) -> Iterator[LocalRun]:
    """The shared stack with a period of PERIOD, for the time of a test."""
    run = faulty_stack
    eventually(lambda: messages_in(run, run.outputs["QueueUrl"]) == 0)
    run.ses.reset()
    run.ses.change(period_seconds=PERIOD)
    variables = _variables(run)
    _configure(run, LOOKUP_PERIOD_SECONDS=str(PERIOD))
    with redelivered_after(run, BACK_AFTER):
        yield run
    _configure(run, **variables)
    run.ses.change(period_seconds=Settings().period_seconds)


def test_a_new_process_keeps_the_period(slow_pace: LocalRun, findings: Findings) -> None:
    """The function is killed while SES answers it, then configured anew: nobody asks too early.

    What the dead process had in hand comes back at once, so the new one could ask at once, too.
    """
    run = slow_pace
    ids = _enqueue(run, 3)
    run.ses.change(latency_ms=UNDER_WAY)
    _after_look(run, 1)
    killed = kill(run, run.outputs["LookupFunctionName"])
    _after_look(run, 2)
    _configure(run, RETENTION_DAYS="91")
    report = _finish(run, ids)

    note(findings, "a kill and a new configuration, period 4 s", report)
    assert killed == 1
    assert report.throttled == 0
    assert (report.closest or 0) >= PERIOD


@pytest.mark.prove
def test_deployments_under_backlog_keep_the_period(
    slow_stack: LocalRun, findings: Findings
) -> None:
    """The stack is deployed again and again while looks go on: all come, none too early."""
    run = slow_stack
    cdk = Cdk(
        project=PROJECT,
        folder=run.folder,
        environment=run.sandbox.environment(os.environ),
        assemblies=HOME / "assemblies",
    )
    changed = [cdk.synth({**DEFAULT_CONTEXT, **CONTEXT, "retentionDays": d}) for d in ("91", "92")]
    before = _pids(run)
    ids = _enqueue(run, 20)
    for number, assembly in enumerate(changed):
        _after_look(run, 1 + 6 * number)
        cdk.deploy(assembly)
    report = _finish(run, ids)

    note(findings, "two deployments under backlog, period 4 s", report)
    assert _variables(run)["RETENTION_DAYS"] == "92"
    assert not before & _pids(run)
    assert report.throttled == 0
    assert (report.closest or 0) >= PERIOD


@pytest.mark.prove
def test_cold_starts_keep_the_period(slow_stack: LocalRun, findings: Findings) -> None:
    """Every other look is the last one of its process, which dies while SES answers it."""
    run = slow_stack
    ids = _enqueue(run, 10)
    run.ses.change(latency_ms=UNDER_WAY)
    for number in range(1, 10, 2):
        _after_look(run, number)
        kill(run, run.outputs["LookupFunctionName"])
    report = _finish(run, ids)

    note(findings, "five kills under backlog, period 4 s", report)
    assert report.throttled == 0
    assert (report.closest or 0) >= PERIOD


@pytest.mark.prove
def test_latency_spikes_keep_the_period(faulty_stack: LocalRun, findings: Findings) -> None:
    """SES takes 20 ms, then up to 5 s, then 20 ms again; some looks are given up and come back."""
    run = faulty_stack
    eventually(lambda: messages_in(run, run.outputs["QueueUrl"]) == 0)
    run.ses.reset()
    ids = _enqueue(run, 24)
    for looks, latency in ((6, (20, 20)), (14, (20, 5_000)), (18, (4_900, 5_050)), (24, (20, 20))):
        run.ses.change(latency_ms=latency)
        _after_look(run, looks)
    report = _finish(run, ids)

    note(findings, "latency from 20 ms to 5 s and back, on the stack", report)
    assert report.throttled <= report.accepted / 10  # as in test_service.py
    assert (report.closest or 0) >= Settings().period_seconds


@pytest.mark.prove
def test_a_slow_way_to_ses_costs_no_answer(faulty_stack: LocalRun, findings: Findings) -> None:
    """Single requests travel for up to a second: a 429 may follow, and every answer comes.

    Decision record 2: what travels longer than the guard can cost a 429, never an answer.
    """
    run = faulty_stack
    eventually(lambda: messages_in(run, run.outputs["QueueUrl"]) == 0)
    run.ses.reset()
    ids = _enqueue(run, 30)
    for number in range(0, 30, 6):
        _after_look(run, number)
        run.ses.change(travel_ms=(300.0, 1_000.0))
        _after_look(run, number + 1)
        run.ses.change(travel_ms=(0.0, 0.0))
    report = _finish(run, ids)

    note(findings, "single requests travel for up to 1 s, on the stack", report)
    assert report.accepted == len(ids)
    assert report.throttled <= 10, "five were slow, and a change may concern two"
    assert (report.closest or 0) >= Settings().period_seconds


def _enqueue(run: LocalRun, number: int) -> list[str]:
    """Send and enqueue so many mails that SES shows at once."""
    pipeline = Pipeline(
        ses=run.ses_client(), sqs=run.session.client("sqs"), queue_url=run.outputs["QueueUrl"]
    )
    run.ses.forget_calls()
    run.ses.change(speed=FAST)
    label = str(time.monotonic_ns())
    ids = [
        str(pipeline.send(STORIES["delivered"], label=f"{label}-{each}")["MessageId"])
        for each in range(number)
    ]
    for message_id in ids:
        pipeline.enqueue(message_id)
    return ids


def _after_look(run: LocalRun, number: int) -> None:
    """Wait until SES has counted so many requests."""
    eventually(lambda: run.ses.report().accepted >= number)


def _finish(run: LocalRun, ids: list[str]) -> Report:
    """Let SES be quick, wait until every id has its row, and give the verdict on the pace."""
    run.ses.change(latency_ms=Settings().latency_ms)
    eventually(lambda: messages_in(run, run.outputs["QueueUrl"]) == 0)
    rows = [message_row(run, each) for each in ids]
    assert [row and row["Status"] for row in rows] == ["DELIVERED"] * len(ids)
    return run.ses.report()


def _variables(run: LocalRun) -> dict[str, str]:
    functions = run.session.client("lambda")
    name = run.outputs["LookupFunctionName"]
    found = functions.get_function_configuration(FunctionName=name)
    return found["Environment"]["Variables"]


def _configure(run: LocalRun, **changes: str) -> None:
    """Change variables of the function; that replaces its process."""
    run.session.client("lambda").update_function_configuration(
        FunctionName=run.outputs["LookupFunctionName"],
        Environment={"Variables": {**_variables(run), **changes}},
    )


def _pids(run: LocalRun) -> set[int]:
    return {worker.pid for worker in workers(run, run.outputs["LookupFunctionName"])}
