"""Whatever fails around a look, in the real wire format: nothing is lost, nothing told wrongly."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pytest

from local.actors.operator import FollowUps
from local.ses_stand_in.settings import FaultKind as SesFault
from local.stack.child import LocalRunError
from local.stack.faults.control import FaultKind, Service
from local.stack.observe import messages_in, read_parked
from local.stack.redelivery import redelivered_after
from local.stack.run import LocalRun
from ses_insights.domain.times import iso
from tests.support.findings import Findings
from tests.support.patience import eventually
from tests.support.witness import Witness

SLOW: Final = 7_200.0
"""SES forgets a mail after six minutes: for what is out of order for a minute."""

IN_FLIGHT: Final = ("bounce-noemail", "complaint-abuse", "delivered")

MINUTE: Final = 60.0

A_LOOK_THAT_HANGS: Final = 20
"""Seconds: more than a look takes that waits for all its time-outs."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A service that fails in one way, until it is mended."""

    service: Service
    kind: FaultKind
    operation: str | None = None
    """The one operation that fails; all of them where None."""
    may_repeat: bool = False
    """Whether an alert may come twice: its publish was carried out and nobody was told so."""

    @property
    def met(self) -> int:
        """How many requests meet it before it is mended: as many as the SDK tries by itself.

        A look that fails asks once for a later turn, and the SDK does not repeat a refusal.
        """
        return 1 if self.operation == "ChangeMessageVisibility" else 2

    def __str__(self) -> str:
        return f"{self.service.upper()} {self.operation or ''} {self.kind}".replace("  ", " ")


def _of_every_kind(service: Service, operation: str | None = None) -> Iterator[Trouble]:
    for kind in FaultKind:
        if kind is not FaultKind.ANSWER_LOST:
            yield Trouble(service, kind, operation)


TROUBLES: Final = [
    *_of_every_kind(Service.DYNAMODB),
    Trouble(Service.DYNAMODB, FaultKind.ANSWER_LOST, "Query"),
    Trouble(Service.DYNAMODB, FaultKind.UNAVAILABLE, "TransactWriteItems"),
    Trouble(Service.DYNAMODB, FaultKind.ANSWER_LOST, "TransactWriteItems"),
    Trouble(Service.DYNAMODB, FaultKind.UNAVAILABLE, "UpdateItem", may_repeat=True),
    Trouble(Service.DYNAMODB, FaultKind.ANSWER_LOST, "UpdateItem", may_repeat=True),
    *_of_every_kind(Service.SNS, "Publish"),
    Trouble(Service.SNS, FaultKind.ANSWER_LOST, "Publish", may_repeat=True),
    *_of_every_kind(Service.SQS, "SendMessage"),
    Trouble(Service.SQS, FaultKind.ANSWER_LOST, "SendMessage"),
    *_of_every_kind(Service.SQS, "ChangeMessageVisibility"),
    Trouble(Service.SQS, FaultKind.ANSWER_LOST, "ChangeMessageVisibility"),
]

IN_EVERY_RUN: Final = (
    Trouble(Service.DYNAMODB, FaultKind.THROTTLED),
    Trouble(Service.DYNAMODB, FaultKind.ANSWER_LOST, "TransactWriteItems"),
    Trouble(Service.SNS, FaultKind.ACCESS_DENIED, "Publish"),
    Trouble(Service.SNS, FaultKind.ANSWER_LOST, "Publish", may_repeat=True),
    Trouble(Service.SQS, FaultKind.RESET, "ChangeMessageVisibility"),
)
"""Those that `make test` has too; `make prove` has all."""


SES_TROUBLES: Final[Mapping[SesFault, str | None]] = {
    SesFault.THROTTLED: None,  # asked again within the invocation: no failure
    SesFault.INTERNAL: "SesUnavailable",
    SesFault.UNAVAILABLE: "SesUnavailable",
    SesFault.RESET: "SesUnavailable",
    SesFault.HANG: "SesUnavailable",
    SesFault.ACCESS_DENIED: "AccessDenied",
    SesFault.EXPIRED_CREDENTIALS: "Credentials",
}
"""What the stand-in can do, and the kind of failure that the log names."""

TROUBLES_OF_FOLLOWUPS: Final = [
    Trouble(Service.SQS, FaultKind.ANSWER_LOST, "SendMessageBatch"),
    *_of_every_kind(Service.SQS, "SendMessageBatch"),
    Trouble(Service.SQS, FaultKind.UNAVAILABLE, "GetQueueAttributes"),
    *_of_every_kind(Service.DYNAMODB),
    Trouble(Service.DYNAMODB, FaultKind.UNAVAILABLE, "BatchGetItem"),
    Trouble(Service.DYNAMODB, FaultKind.UNAVAILABLE, "UpdateItem"),
]
"""The first one is in `make test`, too. Where the answer to a claim is lost, the row waits for the
end of the claim: see test_crashes.py."""


@pytest.fixture
def witness(faulty_stack: LocalRun, witness: Witness) -> Iterator[Witness]:
    """Nothing is parked, and a look that hangs has time for it."""
    dead_letters = faulty_stack.outputs["DeadLetterQueueUrl"]
    faulty_stack.session.client("sqs").purge_queue(QueueUrl=dead_letters)
    with redelivered_after(faulty_stack, A_LOOK_THAT_HANGS):
        yield witness
        witness.mend()
        eventually(lambda: witness.waiting() == 0)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(
            trouble, id=str(trouble), marks=() if trouble in IN_EVERY_RUN else pytest.mark.prove
        )
        for trouble in TROUBLES
    ],
)
def test_a_failing_service_loses_nothing(
    witness: Witness, findings: Findings, trouble: Trouble
) -> None:
    """Every id ends stored, every alert told, whatever DynamoDB, SNS or SQS answers meanwhile."""
    run, began = witness.run, time.monotonic()
    if trouble.operation == "ChangeMessageVisibility":
        run.ses.fail(SesFault.INTERNAL, times=1)  # it is called only where a look fails
    run.faults.fail(trouble.service, trouble.kind, operation=trouble.operation)
    enqueue(witness, str(trouble))
    eventually(lambda: len(run.faults.met()) >= trouble.met)
    check_all_came(witness, findings, str(trouble), began, may_repeat=trouble.may_repeat)


@pytest.mark.parametrize(("kind", "told_as"), SES_TROUBLES.items())
def test_a_failing_ses_loses_nothing(
    witness: Witness, findings: Findings, kind: SesFault, told_as: str | None
) -> None:
    """A look that SES does not answer is taken again, at the pace; the log says what failed."""
    run, began = witness.run, time.monotonic()
    run.ses.fail(kind)
    enqueue(witness, f"SES {kind}")
    eventually(lambda: run.ses.report().faults >= 1)
    check_all_came(witness, findings, f"SES {kind}", began)
    if told_as:
        assert told_as in _kinds_of_failure(witness)


@pytest.mark.prove
@pytest.mark.parametrize("out_of_order", ["SES", "VDM", "DynamoDB"])
def test_a_minute_out_of_order_loses_nothing(
    witness: Witness, findings: Findings, out_of_order: str
) -> None:
    """SES gone, VDM off or DynamoDB refusing for a minute: the line waits and then goes on."""
    run, began = witness.run, time.monotonic()
    run.ses.change(speed=SLOW)
    if out_of_order == "SES":
        run.ses.fail(SesFault.RESET)
    elif out_of_order == "VDM":
        run.ses.change(vdm=False)
    else:
        run.faults.fail(Service.DYNAMODB, FaultKind.UNAVAILABLE)
    name = f"{out_of_order} out of order for a minute"
    enqueue(witness, name)
    eventually(lambda: time.monotonic() > began + MINUTE)
    check_all_came(witness, findings, name, began)


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(trouble, id=str(trouble), marks=() if number == 0 else pytest.mark.prove)
        for number, trouble in enumerate(TROUBLES_OF_FOLLOWUPS)
    ],
)
def test_a_failing_run_of_followups_loses_nothing(
    witness: Witness, findings: Findings, trouble: Trouble
) -> None:
    """What is due when a run fails is looked at by a later run, once."""
    run = witness.run
    run.ses.change(speed=SLOW)
    message_id = witness.send_and_enqueue("delivered")
    eventually(witness.is_over)
    run.faults.fail(trouble.service, trouble.kind, operation=trouble.operation)
    _make_due(run, message_id)
    followups = FollowUps(run)
    with pytest.raises(LocalRunError, match="followups failed"):
        followups.start()
    run.faults.heal()

    def looked_again() -> bool:
        followups.start()
        return int(witness.row(message_id)["Looks"]) == 2

    eventually(looked_again)
    eventually(lambda: witness.waiting() == 0)
    report = run.ses.report()
    assert report.looks == {message_id: 2}
    findings.add(
        "Faults of followups",
        {"Fault": str(trouble), "Looks": report.accepted, "429s": report.throttled},
    )


def enqueue(witness: Witness, name: str) -> None:
    """Enqueue a bounce, a complaint and a delivery, settled at once, and a body without an id."""
    for story in IN_FLIGHT:
        witness.send(story)
    sent = witness.run.ses.sent()
    eventually(lambda: all(time.time() > mail.settled_at.timestamp() for mail in sent))
    for body in (_no_id(name), *witness.expected):
        witness.pipeline.enqueue(body)


def check_all_came(
    witness: Witness, findings: Findings, name: str, began: float, *, may_repeat: bool = False
) -> None:
    """Mend what fails, wait until all is as it must be, and note what it took."""
    mended = time.monotonic()
    witness.mend()
    dead_letters = witness.run.outputs["DeadLetterQueueUrl"]
    eventually(lambda: witness.is_over() and messages_in(witness.run, dead_letters) == 1)
    recovered = time.monotonic() - mended
    duplicates = witness.duplicates()
    assert may_repeat or not duplicates
    (parked,) = read_parked(witness.run)
    assert parked["Body"] == _no_id(name)
    report = witness.run.ses.report()
    # A busy machine can delay a request on its way; `make bench` and `make soak` show the pace.
    assert report.throttled <= 1
    findings.add(
        "Faults",
        {
            "Fault": name,
            "Lasted (s)": f"{mended - began:.1f}",
            "Looks spent on 3 ids": report.accepted,
            "429s": report.throttled,
            "Time to recover (s)": f"{recovered:.1f}",
            "Alerts due": sum(len(each.alerts) for each in witness.expected.values()),
            "Alerts sent": len(witness.alerts()),
            "Duplicates": duplicates,
        },
    )


def _no_id(name: str) -> str:
    return f"no id, but {name}"


def _make_due(run: LocalRun, message_id: str) -> None:
    """Let its next look be due now, as if two hours had passed."""
    run.session.resource("dynamodb").Table(run.outputs["TableName"]).update_item(
        Key={"MessageId": message_id, "Record": "MESSAGE"},
        UpdateExpression="SET NextLookAt = :now",
        ExpressionAttributeValues={":now": iso(datetime.now(UTC))},
    )


def _kinds_of_failure(witness: Witness) -> set[str]:
    return {
        str(record["kind"])
        for record in witness.run.log_records(witness.run.outputs["LookupFunctionName"])
        if record.get("message") == "system failure"
        and record.get("message_id") in witness.expected
    }
