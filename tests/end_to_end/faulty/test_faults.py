"""Whatever fails around a look, in the real wire format: nothing is lost, nothing told wrongly."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pytest

from insights.core.times import iso
from local.faults.control import FaultKind, Service
from local.followups import FollowUps
from local.observe import message_row, messages_in, read_parked, scan
from local.pipeline import Pipeline
from local.process import LocalRunError
from local.run import LocalRun
from local.ses.settings import FaultKind as SesFault
from local.ses.stories import STORIES
from local.subscriber import Subscriber
from local.truth import differences
from tests.end_to_end.conftest import BACK_AFTER
from tests.end_to_end.patience import eventually
from tests.findings import Findings

FAST: Final = 36_000.0
"""SES shows a mail 8 ms after it was sent, and forgets it after 72 s."""

SLOW: Final = 7_200.0
"""SES forgets a mail after six minutes: for what is out of order for a minute."""

IN_FLIGHT: Final = ("bounce-noemail", "complaint-abuse", "delivered")

MINUTE: Final = 60.0

A_LOOK_THAT_HANGS: Final = 20
"""Seconds: more than a look takes that waits for all its time-outs."""

MET: Final = 2
"""How many requests meet a fault before it is mended: as many as the SDK tries by itself."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A service that fails in one way, until it is mended."""

    service: Service
    kind: FaultKind
    operation: str | None = None
    """The one operation that fails; all of them where None."""
    may_repeat: bool = False
    """Whether an alert may come twice: its publish was carried out and nobody was told so."""

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


@dataclass(slots=True)
class Mails:
    """A bounce, a complaint and a delivery on their way, and whoever is told."""

    stack: LocalRun
    name: str
    subscriber: Subscriber
    ids: dict[str, str]
    """The message id of each story."""
    began: float

    @classmethod
    def send(cls, stack: LocalRun, name: str, *, speed: float = FAST) -> Mails:
        """Send them, settled at once, and enqueue them, with a body that holds no id."""
        began = time.monotonic()
        stack.ses.change(speed=speed)
        subscriber = Subscriber.subscribe(
            stack.session, stack.outputs["AlertTopicArn"], name=f"faults-{time.monotonic_ns()}"
        )
        pipeline = _pipeline(stack)
        ids = {story: pipeline.send(STORIES[story])["MessageId"] for story in IN_FLIGHT}
        eventually(
            lambda: all(time.time() > sent.settled_at.timestamp() for sent in stack.ses.sent())
        )
        pipeline.enqueue(f"no id, but {name}")
        for message_id in ids.values():
            pipeline.enqueue(message_id)
        return cls(stack, name, subscriber, ids, began)

    def finish(self, *, may_repeat: bool) -> dict[str, object]:
        """Wait until all is as it must be, hold it against the stories, and tell what it took."""
        mended = time.monotonic()
        eventually(self._all_served)
        recovered = time.monotonic() - mended
        told = self.subscriber.received
        alerts = {alert.body["alertId"]: alert for alert in told}
        expected = {self.ids[story]: STORIES[story].expected for story in self.ids}
        rows = [row for row in scan(self.stack) if row["MessageId"] in expected]
        assert differences(expected, rows, list(alerts.values())) == []
        repeated = len(told) - len(alerts)
        assert may_repeat or not repeated
        (parked,) = read_parked(self.stack)
        assert parked["Body"] == f"no id, but {self.name}"
        report = self.stack.ses.report()
        # A busy machine can delay a request on its way; `make bench` and `make soak` show the pace.
        assert report.throttled <= 1
        return {
            "Fault": self.name,
            "Lasted (s)": f"{mended - self.began:.1f}",
            "Looks spent on 3 ids": report.accepted,
            "429s": report.throttled,
            "Time to recover (s)": f"{recovered:.1f}",
            "Alerts due": 2,
            "Alerts sent": len(told),
            "Duplicates": repeated,
        }

    def _all_served(self) -> bool:
        self.subscriber.read()
        return (
            messages_in(self.stack, self.stack.outputs["QueueUrl"]) == 0
            and messages_in(self.stack, self.stack.outputs["DeadLetterQueueUrl"]) == 1
            and len({alert.body["alertId"] for alert in self.subscriber.received}) == 2
        )


@pytest.fixture
def house(faulty_stack: LocalRun) -> Iterator[LocalRun]:
    """The stack with nothing out of order, nothing parked, and time for a look that hangs."""
    _mend(faulty_stack)
    _let_messages_come_back_after(faulty_stack, A_LOOK_THAT_HANGS)
    faulty_stack.session.client("sqs").purge_queue(
        QueueUrl=faulty_stack.outputs["DeadLetterQueueUrl"]
    )
    faulty_stack.ses.reset()
    yield faulty_stack
    _mend(faulty_stack)
    eventually(lambda: messages_in(faulty_stack, faulty_stack.outputs["QueueUrl"]) == 0)
    _let_messages_come_back_after(faulty_stack, BACK_AFTER)


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
    house: LocalRun, findings: Findings, trouble: Trouble
) -> None:
    """Every id ends stored, every alert told, whatever DynamoDB, SNS or SQS answers meanwhile."""
    if trouble.operation == "ChangeMessageVisibility":
        house.ses.fail(SesFault.INTERNAL, times=1)  # it is called only where a look fails
    house.faults.fail(trouble.service, trouble.kind, operation=trouble.operation)
    mails = Mails.send(house, str(trouble))
    eventually(lambda: len(house.faults.met()) >= MET)
    house.faults.heal()
    findings.add("Faults", mails.finish(may_repeat=trouble.may_repeat))


@pytest.mark.parametrize(("kind", "told_as"), SES_TROUBLES.items())
def test_a_failing_ses_loses_nothing(
    house: LocalRun, findings: Findings, kind: SesFault, told_as: str | None
) -> None:
    """A look that SES does not answer is taken again, at the pace; the log says what failed."""
    house.ses.fail(kind)
    mails = Mails.send(house, f"SES {kind}")
    eventually(lambda: house.ses.report().faults >= 1)
    house.ses.heal()
    findings.add("Faults", mails.finish(may_repeat=False))
    if told_as:
        assert told_as in _kinds_of_failure(house, mails.ids)


@pytest.mark.prove
@pytest.mark.parametrize("out_of_order", ["SES", "VDM", "DynamoDB"])
def test_a_minute_out_of_order_loses_nothing(
    house: LocalRun, findings: Findings, out_of_order: str
) -> None:
    """SES gone, VDM off or DynamoDB refusing for a minute: the line waits and then goes on."""
    if out_of_order == "SES":
        house.ses.fail(SesFault.RESET)
    elif out_of_order == "VDM":
        house.ses.change(vdm=False)
    else:
        house.faults.fail(Service.DYNAMODB, FaultKind.UNAVAILABLE)
    mails = Mails.send(house, f"{out_of_order} out of order for a minute", speed=SLOW)
    eventually(lambda: time.monotonic() > mails.began + MINUTE)
    _mend(house)
    findings.add("Faults", mails.finish(may_repeat=False))


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(trouble, id=str(trouble), marks=() if number == 0 else pytest.mark.prove)
        for number, trouble in enumerate(TROUBLES_OF_FOLLOWUPS)
    ],
)
def test_a_failing_run_of_followups_loses_nothing(
    house: LocalRun, findings: Findings, trouble: Trouble
) -> None:
    """What is due when a run fails is looked at by a later run, once."""
    house.ses.change(speed=SLOW)
    pipeline = _pipeline(house)
    message_id = pipeline.send(STORIES["delivered"])["MessageId"]
    pipeline.enqueue(message_id)
    eventually(lambda: message_row(house, message_id) is not None)
    house.faults.fail(trouble.service, trouble.kind, operation=trouble.operation)
    _make_due(house, message_id)
    followups = FollowUps(house)
    with pytest.raises(LocalRunError, match="followups failed"):
        followups.start()
    house.faults.heal()

    def looked_again() -> bool:
        followups.start()
        return bool((message_row(house, message_id) or {})["Looks"] == 2)

    eventually(looked_again)
    eventually(lambda: messages_in(house, house.outputs["QueueUrl"]) == 0)
    report = house.ses.report()
    assert report.looks == {message_id: 2}
    findings.add(
        "Faults of followups",
        {"Fault": str(trouble), "Looks": report.accepted, "429s": report.throttled},
    )


def _mend(stack: LocalRun) -> None:
    stack.faults.heal()
    stack.ses.change(vdm=True, faults=())


def _let_messages_come_back_after(stack: LocalRun, seconds: int) -> None:
    stack.session.client("sqs").set_queue_attributes(
        QueueUrl=stack.outputs["QueueUrl"], Attributes={"VisibilityTimeout": str(seconds)}
    )


def _pipeline(stack: LocalRun) -> Pipeline:
    return Pipeline(
        ses=stack.ses_client(),
        sqs=stack.session.client("sqs"),
        queue_url=stack.outputs["QueueUrl"],
    )


def _make_due(stack: LocalRun, message_id: str) -> None:
    """Let its next look be due now, as if two hours had passed."""
    stack.session.resource("dynamodb").Table(stack.outputs["TableName"]).update_item(
        Key={"MessageId": message_id, "Record": "MESSAGE"},
        UpdateExpression="SET NextLookAt = :now",
        ExpressionAttributeValues={":now": iso(datetime.now(UTC))},
    )


def _kinds_of_failure(stack: LocalRun, ids: Mapping[str, str]) -> set[str]:
    return {
        str(record["kind"])
        for record in stack.log_records(stack.outputs["LookupFunctionName"])
        if record.get("message") == "system failure" and record.get("message_id") in ids.values()
    }
