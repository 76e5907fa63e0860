"""A crash of a look or of a run of followups, at any step, loses nothing.

A function stands exactly at a step while the request of that step is held at the wire. There its
process is killed. What came before the step has happened, the step itself and what follows has not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from _pytest.mark.structures import ParameterSet

from local.actors.operator import FollowUps
from local.ses_stand_in.settings import FaultKind as SesFault
from local.stack.child import LocalRunError
from local.stack.faults.control import FaultKind, Service
from local.stack.observe import Row
from local.stack.processes import kill
from local.stack.run import LocalRun
from ses_insights.domain.times import instant
from ses_insights.service.due_looks import CLAIMED_FOR
from ses_insights.service.pending_alerts import STALE_AFTER
from tests.support.deployed_stack import DeployedStack, deployed_stack, shape
from tests.support.findings import Findings
from tests.support.functions import configured, freeze, pids_of
from tests.support.patience import eventually

LOAD: Final = (Service.DYNAMODB, "Query")
STORE: Final = (Service.DYNAMODB, "TransactWriteItems")
PUBLISH: Final = (Service.SNS, "Publish")
MARK: Final = (Service.DYNAMODB, "UpdateItem")
CLAIM: Final = MARK
COUNT: Final = MARK
SEND: Final = (Service.SQS, "SendMessageBatch")

Request = tuple[Service, str]
"""A request of a function, by service and operation."""

STOPPED: Final = "many-destinations"
"""The story of the mail whose look is stopped: a bounce and a complaint, so two alerts."""

BEHIND: Final = "bounce-noemail"
"""The story of the mail behind it in the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where a function is stopped, and what that may cost."""

    name: str
    at: Request
    after: int = 0
    """How many such requests come before it."""
    answers_lost: int = 0
    """How often the request is carried out and its answer lost; 0: it is held, and the function is
    killed. The SDK repeats a request once, so two lost answers are a failure; a publish it does not
    repeat."""
    looks: int = 1
    """Calls to SES."""
    duplicates: int = 0
    claimed: bool = False
    """Whether a claim is left to which nothing leads."""
    quick: bool = False
    """Whether `make test` runs it."""


STEPS_OF_A_LOOK: Final = (
    Step(name="before the row is loaded", at=LOAD),
    Step(name="SES has answered, before the store", at=STORE, looks=2),
    Step(name="stored, the answer lost", at=STORE, answers_lost=1, quick=True),
    Step(name="stored, both answers lost", at=STORE, answers_lost=2),
    Step(name="after the store, before the publish", at=PUBLISH, quick=True),
    Step(name="published, the answer lost", at=PUBLISH, answers_lost=1, duplicates=1),
    Step(name="after the publish, before the mark", at=MARK, duplicates=1, quick=True),
    Step(name="marked, the answer lost", at=MARK, answers_lost=1),
    Step(name="marked, both answers lost", at=MARK, answers_lost=2),
    Step(name="between two publishes", at=PUBLISH, after=1),
    Step(name="after the second publish, before its mark", at=MARK, after=1, duplicates=1),
)

STEPS_OF_A_DUE_LOOK: Final = (
    Step(name="before the claim", at=CLAIM),
    Step(name="claimed, the answer lost", at=CLAIM, answers_lost=1, claimed=True),
    Step(name="after the claim, before the send", at=SEND, claimed=True, quick=True),
    Step(name="sent, the answer lost", at=SEND, answers_lost=1),
    Step(name="sent, both answers lost", at=SEND, answers_lost=2),
    Step(name="after the send, before the count", at=COUNT, after=1),
)

STEPS_OF_A_PENDING_ALERT: Final = (
    Step(name="before the claim", at=CLAIM),
    Step(name="claimed, the answer lost", at=CLAIM, answers_lost=1),
    Step(name="before the publish", at=PUBLISH),
    Step(name="published, the answer lost", at=PUBLISH, answers_lost=1, duplicates=1),
    Step(
        name="after the publish, before the mark",
        at=MARK,
        after=1,
        duplicates=1,
        quick=True,
    ),
    Step(name="marked, the answer lost", at=MARK, after=1, answers_lost=1),
)


def quick_ones_and_others(steps: Sequence[Step]) -> list[ParameterSet]:
    """Leave to `make prove` what is not quick."""
    marks: dict[bool, Any] = {True: (), False: pytest.mark.prove}
    return [pytest.param(step, id=step.name, marks=marks[step.quick]) for step in steps]


@pytest.fixture(scope="module")
def undisturbed(run: LocalRun) -> list[Row]:
    """The rows of both stories after looks that nothing has stopped."""
    with deployed_stack(run) as stack:
        send_both(stack)
        eventually(stack.is_done)
        assert stack.duplicates() == 0
        return shape(stack.rows())


def send_both(stack: DeployedStack) -> str:
    """Send and enqueue the mail whose look is stopped, and the one behind; returns the first id."""
    stopped = stack.send_and_enqueue(STOPPED)
    stack.send_and_enqueue(BEHIND)
    return stopped


@pytest.mark.parametrize("step", quick_ones_and_others(STEPS_OF_A_LOOK))
def test_a_look_that_is_stopped_is_made_good(
    stack: DeployedStack, undisturbed: list[Row], findings: Findings, step: Step
) -> None:
    """Its message comes back, the rows are those of one look, and every alert is published.

    One is published twice, under the same id, only where the look stopped between publish and mark.
    """
    arm(stack.run, step)
    stopped = send_both(stack)
    stop(stack.run, stack.run.lookup_function, step)
    costs = {"looks": step.looks, "duplicates": step.duplicates}
    check_made_good(stack, undisturbed, findings, step.name, stopped, **costs)


def check_made_good(  # noqa: PLR0913 - keyword-only costs of a stop
    stack: DeployedStack,
    undisturbed: list[Row],
    findings: Findings,
    name: str,
    stopped: str,
    *,
    looks: int,
    duplicates: int = 0,
) -> None:
    """Wait until all is done, and hold it against looks that nothing has stopped."""
    began = time.monotonic()
    eventually(stack.is_done)
    assert stack.duplicates() == duplicates
    assert shape(stack.rows()) == undisturbed
    assert stack.looks(stopped) == looks
    assert not stack.came_too_early(stopped)
    note(findings, stack, f"look: {name}", stopped, began)


@pytest.mark.prove
def test_a_look_that_is_killed_while_ses_answers_is_made_good(
    stack: DeployedStack, undisturbed: list[Row], findings: Findings
) -> None:
    """The call counts, and its answer is lost; the look is taken again."""
    run = stack.run
    run.ses.fail(SesFault.HANG)
    stopped = send_both(stack)
    eventually(lambda: stack.looks(stopped) >= 1)
    assert kill(run, run.lookup_function)
    run.ses.heal()
    check_made_good(stack, undisturbed, findings, "while SES answers", stopped, looks=2)


@pytest.mark.prove
def test_a_look_that_is_killed_while_it_waits_for_its_turn_is_made_good(
    stack: DeployedStack, undisturbed: list[Row], findings: Findings
) -> None:
    """It has not asked SES, and no call comes too early for it."""
    run = stack.run
    queries_before_the_call = 2  # the message's rows, and the load, once in each environment
    with configured(run, LOOKUP_PERIOD_SECONDS="15"):
        run.faults.delay(Service.DYNAMODB, operation="Query")
        stopped = send_both(stack)
        eventually(lambda: len(run.faults.met()) >= queries_before_the_call)
        assert kill(run, run.lookup_function)
        assert stack.calls() == []
    run.faults.heal()
    check_made_good(stack, undisturbed, findings, "while it waits for its turn", stopped, looks=1)


@pytest.mark.prove
def test_a_look_that_times_out_is_made_good(
    stack: DeployedStack, undisturbed: list[Row], findings: Findings
) -> None:
    """Lambda ends a function that does not come to its end; its message comes back."""
    run = stack.run
    service, operation = PUBLISH
    run.faults.fail(service, FaultKind.HANG, operation=operation)
    stopped = send_both(stack)
    eventually(run.faults.met)
    frozen = freeze(run)
    assert frozen
    run.faults.heal()
    eventually(lambda: not frozen & pids_of(run))
    check_made_good(stack, undisturbed, findings, "it times out", stopped, looks=1)


@pytest.mark.parametrize("step", quick_ones_and_others(STEPS_OF_A_DUE_LOOK))
def test_a_run_that_is_stopped_loses_no_due_look(
    stack: DeployedStack, followups: FollowUps, findings: Findings, step: Step
) -> None:
    """A due look is taken once: by the run that was stopped, the next one, or when a claim ends."""
    run = stack.run
    due = stack.send_and_enqueue(STOPPED)
    eventually(stack.is_done)
    stack.make_due(stack.row(due))
    start = datetime.now(UTC)

    arm(run, step)
    with in_background(followups.start):
        stop(run, run.followups_function, step)
    began = time.monotonic()
    eventually(lambda: stack.waiting() == 0)

    row = stack.row(due)
    if step.claimed:
        assert row["Looks"] == 1
        assert start <= instant(row["NextLookAt"]) - CLAIMED_FOR <= datetime.now(UTC)
        followups.start()
        assert stack.row(due) == row, "a look was taken before its claim has ended"
        stack.make_due(row)
    followups.start()
    eventually(lambda: stack.is_done() and stack.row(due)["Looks"] >= 2)
    followups.start()
    eventually(stack.is_done)

    assert stack.row(due)["Looks"] == 2
    assert stack.looks(due) == 2
    assert stack.duplicates() == 0
    note(findings, stack, f"followups: {step.name}", due, began)


@pytest.mark.parametrize("step", quick_ones_and_others(STEPS_OF_A_PENDING_ALERT))
def test_a_run_that_is_stopped_loses_no_alert(
    stack: DeployedStack, followups: FollowUps, findings: Findings, step: Step
) -> None:
    """Alerts that a look has left pending are published by a later run.

    One is published twice, under the same id, only where a run stopped between publish and mark.
    """
    run, stale = stack.run, STALE_AFTER + timedelta(minutes=1)
    message_id = stack.send_and_enqueue(STOPPED)
    eventually(stack.is_done)
    published = len(stack.alerts())
    stack.make_pending(message_id, ago=stale)

    arm(run, step)
    with in_background(followups.start):
        stop(run, run.followups_function, step)
    began = time.monotonic()
    followups.start()
    for row in stack.alert_rows(message_id):
        if "PublishedAt" not in row:
            stack.make_due(row, ago=stale)
    followups.start()
    eventually(stack.is_done)

    again = len(stack.alerts()) - published
    assert again == len(stack.alert_rows(message_id)) + step.duplicates
    assert stack.looks(message_id) == 1
    assert not any("NextLookAt" in row for row in stack.alert_rows(message_id))
    name = f"followups, pending alerts: {step.name}"
    note(findings, stack, name, message_id, began, published_before=published)


def arm(run: LocalRun, step: Step) -> None:
    """Let the request of the step fail when it comes, before anything is started."""
    service, operation = step.at
    if step.answers_lost:
        kind, times = FaultKind.ANSWER_LOST, step.answers_lost
        run.faults.fail(service, kind, operation=operation, times=times, after=step.after)
    else:
        run.faults.fail(service, FaultKind.HANG, operation=operation, after=step.after)


def stop(run: LocalRun, function_name: str, step: Step) -> None:
    """Wait until the function is at the step, and stop it there."""
    eventually(lambda: len(run.faults.met()) >= step.after + max(step.answers_lost, 1))
    if not step.answers_lost:
        assert kill(run, function_name)
    run.faults.heal()


@contextmanager
def in_background(start: Callable[[], None]) -> Iterator[None]:
    """Start a run beside the block; that it is stopped is no surprise."""
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(start)
        try:
            yield
        finally:
            error = run.exception()
    assert error is None or isinstance(error, LocalRunError)


def note(  # noqa: PLR0913 - what a row of the table is made of
    findings: Findings,
    stack: DeployedStack,
    step: str,
    message_id: str,
    began: float,
    *,
    published_before: int = 0,
) -> None:
    """Hand in what it cost the mail that was worked on."""
    alerts = [alert for alert in stack.alerts() if alert.body["messageId"] == message_id]
    sent = len(alerts) - published_before
    findings.add(
        "Crashes",
        {
            "Step": step,
            "Looks spent": stack.looks(message_id),
            "Alerts sent": sent,
            "Duplicates": sent - len(stack.expected[message_id].alerts),
            "Back after (s)": f"{time.monotonic() - began:.1f}",
        },
    )
