"""Whatever stops a look or a run of followups, and wherever, nothing is lost.

A function stands exactly at a step while the request of that step is held at the wire. There its
process is killed. What came before the step has happened, the step itself and what follows has not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from _pytest.mark.structures import ParameterSet

from local.actors.operator import FollowUps
from local.actors.subscriber import Subscriber
from local.ses_stand_in.settings import FaultKind as SesFault
from local.stack.child import LocalRunError
from local.stack.faults.control import FaultKind, Service
from local.stack.processes import freeze, kill, workers
from local.stack.run import LocalRun
from ses_insights.domain.times import instant, iso
from ses_insights.service.due_looks import CLAIMED_FOR
from ses_insights.service.pending_alerts import STALE_AFTER
from tests.support.findings import Findings
from tests.support.patience import eventually
from tests.support.witness import Row, Witness, shape

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
"""The story of the mail behind it in the line."""

LONG_ENOUGH: Final = 1.0
"""Seconds for which a request that comes before the step is delayed, less than any time-out: in
them the test arms what comes next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where a function is stopped, and what that may cost."""

    name: str
    passed: tuple[Request, ...] = ()
    """Requests that come before it, so that an earlier one of the same kind is not meant."""
    at: Request
    answers_lost: int = 0
    """How often the request is carried out and its answer lost; 0: it is held, and the function is
    killed. The SDK repeats a request once, where two lost answers are a failure, and a publish
    never."""
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
    Step(name="between two publishes", passed=(MARK,), at=PUBLISH),
    Step(
        name="after the second publish, before its mark",
        passed=(MARK, PUBLISH),
        at=MARK,
        duplicates=1,
    ),
)

STEPS_OF_A_DUE_LOOK: Final = (
    Step(name="before the claim", at=CLAIM),
    Step(name="claimed, the answer lost", at=CLAIM, answers_lost=1, claimed=True),
    Step(name="after the claim, before the send", at=SEND, claimed=True, quick=True),
    Step(name="sent, the answer lost", at=SEND, answers_lost=1),
    Step(name="sent, both answers lost", at=SEND, answers_lost=2),
    Step(name="after the send, before the count", passed=(SEND,), at=COUNT),
)

STEPS_OF_A_LEFT_ALERT: Final = (
    Step(name="before the claim", at=CLAIM),
    Step(name="claimed, the answer lost", at=CLAIM, answers_lost=1),
    Step(name="before the publish", at=PUBLISH),
    Step(name="published, the answer lost", at=PUBLISH, answers_lost=1, duplicates=1),
    Step(
        name="after the publish, before the mark",
        passed=(PUBLISH,),
        at=MARK,
        duplicates=1,
        quick=True,
    ),
    Step(name="marked, the answer lost", passed=(PUBLISH,), at=MARK, answers_lost=1),
)


def quick_ones_and_others(steps: Sequence[Step]) -> list[ParameterSet]:
    """Leave to `make prove` what is not quick."""
    marks: dict[bool, Any] = {True: (), False: pytest.mark.prove}
    return [pytest.param(step, id=step.name, marks=marks[step.quick]) for step in steps]


@pytest.fixture(scope="module")
def undisturbed(faulty_stack: LocalRun, subscriber: Subscriber) -> list[Row]:
    """The rows of both stories after looks that nothing has stopped."""
    witness = Witness.of(faulty_stack, subscriber)
    witness.send_and_enqueue(STOPPED)
    witness.send_and_enqueue(BEHIND)
    eventually(witness.is_over)
    assert witness.duplicates() == 0
    return shape(witness.rows())


@pytest.mark.parametrize("step", quick_ones_and_others(STEPS_OF_A_LOOK))
def test_a_look_that_is_stopped_is_made_good(
    witness: Witness, undisturbed: list[Row], findings: Findings, step: Step
) -> None:
    """Its message comes back, the rows are those of one look, and every alert is told.

    One is told twice, under the same id, only where the look stopped between publish and mark.
    """
    run, began = witness.run, time.monotonic()
    stopped = ""

    def enqueue_both() -> None:
        nonlocal stopped
        stopped = witness.send_and_enqueue(STOPPED)
        witness.send_and_enqueue(BEHIND)

    stop(run, run.outputs["LookupFunctionName"], step, enqueue_both)
    began = time.monotonic()
    eventually(witness.is_over)

    assert witness.duplicates() == step.duplicates
    assert shape(witness.rows()) == undisturbed
    assert witness.asked(stopped) == step.looks
    assert not witness.came_too_early(stopped)
    note(findings, witness, f"look: {step.name}", stopped, began)


@pytest.mark.prove
def test_a_look_that_is_killed_while_ses_answers_is_made_good(
    witness: Witness, undisturbed: list[Row], findings: Findings
) -> None:
    """The call counts, and its answer is lost; the look is taken again."""
    run = witness.run
    run.ses.fail(SesFault.HANG)
    stopped = witness.send_and_enqueue(STOPPED)
    witness.send_and_enqueue(BEHIND)
    eventually(lambda: witness.asked(stopped) == 1)
    assert kill(run, run.outputs["LookupFunctionName"])
    run.ses.heal()
    began = time.monotonic()
    eventually(witness.is_over)

    assert witness.duplicates() == 0
    assert shape(witness.rows()) == undisturbed
    assert witness.asked(stopped) == 2
    assert not witness.came_too_early(stopped)
    note(findings, witness, "look: while SES answers", stopped, began)


@pytest.mark.prove
def test_a_look_that_is_killed_while_it_waits_for_its_turn_is_made_good(
    witness: Witness, undisturbed: list[Row], findings: Findings
) -> None:
    """It has not asked SES, and no call comes too early for it."""
    run, lookup = witness.run, witness.run.outputs["LookupFunctionName"]
    queries_before_the_call = 2  # the message's rows, and the load, once in each environment
    with configured(run, LOOKUP_PERIOD_SECONDS="5"):
        run.faults.delay(Service.DYNAMODB, operation="Query")
        stopped = witness.send_and_enqueue(STOPPED)
        witness.send_and_enqueue(BEHIND)
        eventually(lambda: len(run.faults.met()) == queries_before_the_call)
        assert kill(run, lookup)
        assert run.ses.calls() == []
    run.faults.heal()
    began = time.monotonic()
    eventually(witness.is_over)

    assert witness.duplicates() == 0
    assert shape(witness.rows()) == undisturbed
    assert witness.asked(stopped) == 1
    assert not witness.came_too_early(stopped)
    note(findings, witness, "look: while it waits for its turn", stopped, began)


@pytest.mark.prove
def test_a_look_that_times_out_is_made_good(
    witness: Witness, undisturbed: list[Row], findings: Findings
) -> None:
    """Lambda ends a function that does not come to its end; its message comes back."""
    run, lookup = witness.run, witness.run.outputs["LookupFunctionName"]
    service, operation = PUBLISH
    run.faults.fail(service, FaultKind.HANG, operation=operation)
    stopped = witness.send_and_enqueue(STOPPED)
    witness.send_and_enqueue(BEHIND)
    eventually(lambda: bool(run.faults.met()))
    frozen = freeze(run, lookup)
    assert frozen
    run.faults.heal()
    began = time.monotonic()
    eventually(lambda: not {*frozen} & {worker.pid for worker in workers(run, lookup)})
    eventually(witness.is_over)

    assert witness.duplicates() == 0
    assert shape(witness.rows()) == undisturbed
    assert witness.asked(stopped) == 1
    assert not witness.came_too_early(stopped)
    note(findings, witness, "look: it times out", stopped, began)


@pytest.mark.parametrize("step", quick_ones_and_others(STEPS_OF_A_DUE_LOOK))
def test_a_run_that_is_stopped_loses_no_due_look(
    witness: Witness, findings: Findings, step: Step
) -> None:
    """A due look is taken once: by the run that was stopped, the next one, or when a claim ends."""
    run, followups = witness.run, FollowUps(witness.run)
    due = witness.send_and_enqueue(STOPPED)
    eventually(witness.is_over)
    let_wait(run, witness.row(due), until=datetime.now(UTC) - timedelta(minutes=1))
    start = datetime.now(UTC)

    with in_background(followups.start):
        stop(run, followups.function_name, step, lambda: None)
    began = time.monotonic()
    eventually(lambda: witness.waiting() == 0)

    row = witness.row(due)
    if step.claimed:
        assert row["Looks"] == 1
        assert start <= instant(row["NextLookAt"]) - CLAIMED_FOR <= datetime.now(UTC)
        followups.start()
        assert witness.row(due) == row, "a look was taken before its claim has ended"
        let_wait(run, row, until=datetime.now(UTC) - timedelta(minutes=1))
    followups.start()
    eventually(lambda: witness.is_over() and witness.row(due)["Looks"] == 2)
    followups.start()
    eventually(witness.is_over)

    assert witness.row(due)["Looks"] == 2
    assert witness.asked(due) == 2
    assert witness.duplicates() == 0
    note(findings, witness, f"followups: {step.name}", due, began)


@pytest.mark.parametrize("step", quick_ones_and_others(STEPS_OF_A_LEFT_ALERT))
def test_a_run_that_is_stopped_loses_no_alert(
    witness: Witness, findings: Findings, step: Step
) -> None:
    """Alerts that a look has left pending are told by a later run.

    One is told twice, under the same id, only where a run stopped between publish and mark.
    """
    run, followups = witness.run, FollowUps(witness.run)
    message_id = witness.send_and_enqueue(STOPPED)
    eventually(witness.is_over)
    told = len(witness.alerts())
    leave_behind(witness, message_id)

    with in_background(followups.start):
        stop(run, followups.function_name, step, lambda: None)
    began = time.monotonic()
    followups.start()
    pending = [row for row in alert_rows(witness, message_id) if "PublishedAt" not in row]
    for row in pending:
        let_wait(run, row, until=datetime.now(UTC) - STALE_AFTER - timedelta(minutes=1))
    followups.start()
    eventually(witness.is_over)

    again = len(witness.alerts()) - told
    assert again == len(alert_rows(witness, message_id)) + step.duplicates
    assert witness.asked(message_id) == 1
    assert not any("NextLookAt" in row for row in alert_rows(witness, message_id))
    name = f"followups, alerts left behind: {step.name}"
    note(findings, witness, name, message_id, began, told_before=told)


def stop(run: LocalRun, function_name: str, step: Step, start: Callable[[], None]) -> None:
    """Start something and stop the function at the step."""
    *passed, last = (*step.passed, step.at)
    for number, (service, operation) in enumerate(passed):
        run.faults.delay(service, operation=operation, seconds=LONG_ENOUGH, times=1)
        if number == 0:
            start()
        eventually(lambda: bool(run.faults.met()))
        run.faults.heal()
    service, operation = last
    if step.answers_lost:
        kind, times = FaultKind.ANSWER_LOST, step.answers_lost
        run.faults.fail(service, kind, operation=operation, times=times)
    else:
        run.faults.fail(service, FaultKind.HANG, operation=operation)
    if not passed:
        start()
    eventually(lambda: len(run.faults.met()) >= max(step.answers_lost, 1))
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


@contextmanager
def configured(run: LocalRun, **variables: str) -> Iterator[None]:
    """Give the lookup function other settings; that ends its processes, as Lambda does."""
    functions = run.session.client("lambda")
    name = run.outputs["LookupFunctionName"]
    found = functions.get_function_configuration(FunctionName=name)
    before = found["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**before, **variables}}
    )
    try:
        yield
    finally:
        functions.update_function_configuration(
            FunctionName=name, Environment={"Variables": before}
        )


def leave_behind(witness: Witness, message_id: str) -> None:
    """Make the alerts of a mail as a look would have left them that stored and told nothing."""
    table = witness.run.session.resource("dynamodb").Table(witness.run.outputs["TableName"])
    for row in alert_rows(witness, message_id):
        told = {"PublishedAt", "SnsMessageId"}
        pending = {name: value for name, value in row.items() if name not in told}
        then = iso(datetime.now(UTC) - STALE_AFTER - timedelta(minutes=1))
        table.put_item(Item={**pending, "DueLane": "alert", "NextLookAt": then})


def let_wait(run: LocalRun, row: Row, *, until: datetime) -> None:
    """Move the time for which a row waits, as if other times had passed."""
    table = run.session.resource("dynamodb").Table(run.outputs["TableName"])
    table.update_item(
        Key={"MessageId": row["MessageId"], "Record": row["Record"]},
        UpdateExpression="SET NextLookAt = :until",
        ExpressionAttributeValues={":until": iso(until)},
    )


def alert_rows(witness: Witness, message_id: str) -> list[Mapping[str, Any]]:
    """Read the rows of a mail's alerts."""
    return [row for row in witness.rows(message_id) if row["Record"].startswith("ALERT#")]


def note(  # noqa: PLR0913 - what a row of the table is made of
    findings: Findings,
    witness: Witness,
    step: str,
    message_id: str,
    began: float,
    *,
    told_before: int = 0,
) -> None:
    """Hand in what it cost the mail that was worked on."""
    alerts = [alert for alert in witness.alerts() if alert.body["messageId"] == message_id]
    sent = len(alerts) - told_before
    findings.add(
        "Crashes",
        {
            "Step": step,
            "Looks spent": witness.asked(message_id),
            "Alerts sent": sent,
            "Duplicates": sent - len(witness.expected[message_id].alerts),
            "Back after (s)": f"{time.monotonic() - began:.1f}",
        },
    )
