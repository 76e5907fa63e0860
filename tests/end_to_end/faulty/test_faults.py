"""Whatever fails around a look, in the real wire format: nothing is lost or published wrongly."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from local.actors.operator import FollowUps
from local.ses_stand_in.settings import FaultKind as SesFault
from local.stack.child import LocalRunError
from local.stack.faults.control import FaultKind, Service
from local.stack.redelivery import redelivered_after
from tests.support.deployed_stack import DeployedStack
from tests.support.findings import Findings
from tests.support.patience import eventually

IN_FLIGHT: Final = ("bounce-noemail", "complaint-abuse", "delivered")

MINUTE: Final = 60.0

BACK_AFTER: Final[Mapping[FaultKind, int]] = {FaultKind.HANG: 20}
"""Seconds after which a message comes back that a look could not give back, where they are more
than 5: longer than the look takes with all its time-outs."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A service that fails in one way, until that is healed."""

    service: Service
    kind: FaultKind
    operation: str | None = None
    """The one operation that fails; all of them where None."""
    may_repeat: bool = False
    """Whether an alert may come twice: it was published, and the answer was lost."""

    @property
    def met(self) -> int:
        """How many requests meet it before it is healed: as many as the SDK tries by itself.

        A look that fails asks once for a later turn, and the SDK does not repeat a refusal.
        """
        return 1 if self.operation == "ChangeMessageVisibility" else 2

    def __str__(self) -> str:
        return f"{self.service.upper()} {self.operation or ''} {self.kind}".replace("  ", " ")


def _of_every_kind(service: Service, operation: str | None = None) -> Iterator[Failure]:
    for kind in FaultKind:
        if kind is not FaultKind.ANSWER_LOST:
            yield Failure(service, kind, operation)


FAILURES: Final = [
    *_of_every_kind(Service.DYNAMODB),
    Failure(Service.DYNAMODB, FaultKind.ANSWER_LOST, "Query"),
    Failure(Service.DYNAMODB, FaultKind.UNAVAILABLE, "TransactWriteItems"),
    Failure(Service.DYNAMODB, FaultKind.ANSWER_LOST, "TransactWriteItems"),
    Failure(Service.DYNAMODB, FaultKind.UNAVAILABLE, "UpdateItem", may_repeat=True),
    Failure(Service.DYNAMODB, FaultKind.ANSWER_LOST, "UpdateItem", may_repeat=True),
    *_of_every_kind(Service.SNS, "Publish"),
    Failure(Service.SNS, FaultKind.ANSWER_LOST, "Publish", may_repeat=True),
    *_of_every_kind(Service.SQS, "SendMessage"),
    Failure(Service.SQS, FaultKind.ANSWER_LOST, "SendMessage"),
    *_of_every_kind(Service.SQS, "ChangeMessageVisibility"),
    Failure(Service.SQS, FaultKind.ANSWER_LOST, "ChangeMessageVisibility"),
]

QUICK: Final = (
    Failure(Service.DYNAMODB, FaultKind.THROTTLED),
    Failure(Service.DYNAMODB, FaultKind.ANSWER_LOST, "TransactWriteItems"),
    Failure(Service.SNS, FaultKind.ANSWER_LOST, "Publish", may_repeat=True),
)
"""Those that `make test` has, too; `make prove` has all, and the runs from a seed more of them."""


SES_FAILURES: Final[Mapping[SesFault, str | None]] = {
    SesFault.THROTTLED: None,  # asked again within the invocation: no failure
    SesFault.INTERNAL: "SesUnavailable",
    SesFault.UNAVAILABLE: "SesUnavailable",
    SesFault.RESET: "SesUnavailable",
    SesFault.HANG: "SesUnavailable",
    SesFault.ACCESS_DENIED: "AccessDenied",
    SesFault.EXPIRED_CREDENTIALS: "Credentials",
}
"""The faults of the stand-in, and the kind of failure that the log names."""

QUICK_OF_SES: Final = (SesFault.THROTTLED, SesFault.HANG, SesFault.EXPIRED_CREDENTIALS)
"""Those that `make test` has, too: what only a real client and real time-outs show."""

FOLLOWUPS_FAILURES: Final = [
    Failure(Service.SQS, FaultKind.ANSWER_LOST, "SendMessageBatch"),
    *_of_every_kind(Service.SQS, "SendMessageBatch"),
    Failure(Service.SQS, FaultKind.UNAVAILABLE, "GetQueueAttributes"),
    *_of_every_kind(Service.DYNAMODB),
    Failure(Service.DYNAMODB, FaultKind.UNAVAILABLE, "BatchGetItem"),
    Failure(Service.DYNAMODB, FaultKind.UNAVAILABLE, "UpdateItem"),
]
"""The first one is in `make test`, too. Where the answer to a claim is lost, the row waits for the
end of the claim: see test_crashes.py."""


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(failure, id=str(failure), marks=() if failure in QUICK else pytest.mark.prove)
        for failure in FAILURES
    ],
)
def test_a_failing_service_loses_nothing(
    stack: DeployedStack, findings: Findings, failure: Failure
) -> None:
    """All ids end stored, all alerts published, whatever DynamoDB, SNS or SQS answers meanwhile."""
    run, began = stack.run, time.monotonic()
    with redelivered_after(run, BACK_AFTER.get(failure.kind, 5)):
        if failure.operation == "ChangeMessageVisibility":
            run.ses.fail(SesFault.INTERNAL, times=1)  # it is called only where a look fails
        run.faults.fail(failure.service, failure.kind, operation=failure.operation)
        enqueue(stack, str(failure))
        eventually(lambda: len(run.faults.met()) >= failure.met)
        check_all_came(stack, findings, str(failure), began, may_repeat=failure.may_repeat)


@pytest.mark.parametrize(
    ("kind", "logged_as"),
    [
        pytest.param(kind, logged_as, marks=() if kind in QUICK_OF_SES else pytest.mark.prove)
        for kind, logged_as in SES_FAILURES.items()
    ],
)
def test_a_failing_ses_loses_nothing(
    stack: DeployedStack, findings: Findings, kind: SesFault, logged_as: str | None
) -> None:
    """A look that SES does not answer is taken again, at the pace; the log says what failed."""
    run, began = stack.run, time.monotonic()
    run.ses.fail(kind)
    enqueue(stack, f"SES {kind}")
    eventually(lambda: run.ses.report().faults >= 1)
    check_all_came(stack, findings, f"SES {kind}", began)
    if logged_as:
        assert logged_as in stack.kinds_of_failure()


@pytest.mark.prove
@pytest.mark.parametrize("out_of_order", ["SES", "VDM", "DynamoDB"])
def test_a_minute_out_of_order_loses_nothing(
    stack: DeployedStack, findings: Findings, out_of_order: str
) -> None:
    """SES gone, VDM off or DynamoDB refusing for a minute: the queue waits and then goes on."""
    run, began = stack.run, time.monotonic()
    if out_of_order == "SES":
        run.ses.fail(SesFault.RESET)
    elif out_of_order == "VDM":
        run.ses.change(vdm=False)
    else:
        run.faults.fail(Service.DYNAMODB, FaultKind.UNAVAILABLE)
    name = f"{out_of_order} out of order for a minute"
    enqueue(stack, name)
    eventually(lambda: time.monotonic() > began + MINUTE)
    check_all_came(stack, findings, name, began)


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(failure, id=str(failure), marks=() if number == 0 else pytest.mark.prove)
        for number, failure in enumerate(FOLLOWUPS_FAILURES)
    ],
)
def test_a_failing_run_of_followups_loses_nothing(
    stack: DeployedStack, followups: FollowUps, findings: Findings, failure: Failure
) -> None:
    """What is due when a run fails is looked at by a later run, once."""
    run = stack.run
    message_id = stack.send_and_enqueue("delivered")
    eventually(stack.is_done)
    run.faults.fail(failure.service, failure.kind, operation=failure.operation)
    stack.make_due(stack.row(message_id))
    with pytest.raises(LocalRunError, match="followups failed"):
        followups.start()
    run.faults.heal()

    def looked_again() -> bool:
        followups.start()
        return int(stack.row(message_id)["Looks"]) >= 2

    eventually(looked_again)
    eventually(lambda: stack.waiting() == 0)
    looks = stack.looks(message_id)
    assert looks == 2
    findings.add(
        "Faults of followups",
        {"Fault": str(failure), "Looks": looks, "429s": run.ses.report().throttled},
    )


def enqueue(stack: DeployedStack, name: str) -> None:
    """Enqueue a bounce, a complaint and a delivery, and a body without an id."""
    for story in IN_FLIGHT:
        stack.send(story)
    stack.enqueue(_no_id(name), *stack.expected)


def check_all_came(
    stack: DeployedStack, findings: Findings, name: str, began: float, *, may_repeat: bool = False
) -> None:
    """Heal what fails, wait until all is as it must be, and note what it took."""
    healed = time.monotonic()
    stack.heal()
    eventually(lambda: none_is_aside(stack) and stack.is_done() and stack.parked() == 1)
    recovered = time.monotonic() - healed
    duplicates = stack.duplicates()
    assert may_repeat or not duplicates
    assert stack.parked_bodies() == [_no_id(name)]
    report = stack.run.ses.report()
    findings.add(
        "Faults",
        {
            "Fault": name,
            "Lasted (s)": f"{healed - began:.1f}",
            "Looks spent on 3 ids": report.accepted,
            "429s": report.throttled,
            "Time to recover (s)": f"{recovered:.1f}",
            "Alerts due": sum(len(each.alerts) for each in stack.expected.values()),
            "Alerts sent": len(stack.alerts()),
            "Duplicates": duplicates,
        },
    )


def none_is_aside(stack: DeployedStack) -> bool:
    """Whether no id waits aside; one that does is looked up now, not in a quarter of an hour."""
    if stack.waiting():
        return False
    aside = [row for row in stack.rows() if "FailingSince" in row]
    for row in aside:
        stack.make_due(row)
    if aside:
        FollowUps(stack.run).start()
    return not aside


def _no_id(name: str) -> str:
    return f"no id, but {name}"
