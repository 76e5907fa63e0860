"""A message that cannot be handled comes back to the head of the queue, or is parked as it came."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError, EndpointConnectionError, ReadTimeoutError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.adapters.queue import SqsConsumerQueue, retry_delay
from ses_insights.contracts.queue_message import QueueMessage
from ses_insights.domain.failures import FailureKind, SystemFailure
from tests.support.fakes import Clock
from tests.support.samples import DEAD_LETTERS_URL, MESSAGE, QUEUE_URL, lambda_record
from tests.support.wire import GARBLED, ONCE, Network, Reply, sqs_error

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

URL = "https://sqs.eu-west-1.amazonaws.com"


# How long a message waits

COUNTS = st.integers(1, 2000)
CHANCES = st.floats(0, 1, exclude_max=True)


def full(receive_count: int) -> int:
    """The longest wait after so many receives: doubling, up to 15 minutes."""
    wait = 2
    for _ in range(min(receive_count, 20) - 1):
        wait = min(2 * wait, 900)
    return wait


@given(COUNTS, CHANCES)
def test_a_wait_lies_in_the_upper_half_of_its_rung(receive_count: int, chance: float) -> None:
    """Jitter spreads the tries and never brings one back at once."""
    delay = retry_delay(receive_count, chance)
    assert 1 <= full(receive_count) / 2 <= delay <= full(receive_count) <= 900


@given(COUNTS, CHANCES)
def test_a_wait_grows_with_every_receive(receive_count: int, chance: float) -> None:
    """The longer something is down, the less often it is tried."""
    assert retry_delay(receive_count, chance) <= retry_delay(receive_count + 1, chance)


@given(COUNTS)
def test_chance_spreads_a_wait(receive_count: int) -> None:
    """The whole upper half is used."""
    assert retry_delay(receive_count, 0) == full(receive_count) / 2
    assert retry_delay(receive_count, 1) == full(receive_count)


def test_the_longest_wait_is_what_one_look_in_fifteen_minutes_is() -> None:
    """After days of outage a message still comes back within 15 minutes."""
    assert retry_delay(1000, 1) == 900


# Reading a record of the event


def test_a_record_is_read() -> None:
    """Everything a look needs of Lambda's record, the numbers as numbers."""
    message = QueueMessage.of_record(lambda_record(ApproximateReceiveCount="17"))
    assert message == replace(MESSAGE, receive_count=17)


# Deferring


@dataclass(frozen=True, slots=True)
class Stubbed:
    """A consumer whose every request must be the expected one."""

    consumer: SqsConsumerQueue
    sqs: Stubber


@pytest.fixture
def stubbed(session: boto3.Session, clock: Clock) -> Stubbed:
    """A consumer whose client sends nothing and checks what it is asked to send."""
    client = session.client("sqs", config=ONCE)
    consumer = SqsConsumerQueue(
        client, QUEUE_URL, DEAD_LETTERS_URL, now=clock.now, chance=lambda: 0.5
    )
    stubber = Stubber(client)
    stubber.activate()
    return Stubbed(consumer, stubber)


@pytest.mark.parametrize(("receive_count", "seconds"), [(1, 2), (4, 12), (40, 675)])
def test_a_deferred_message_is_hidden_for_its_wait(
    stubbed: Stubbed, receive_count: int, seconds: int
) -> None:
    """The message's own visibility is changed, in its own queue, and the wait is returned."""
    stubbed.sqs.add_response(
        "change_message_visibility",
        {},
        {"QueueUrl": QUEUE_URL, "ReceiptHandle": "handle-1", "VisibilityTimeout": seconds},
    )
    assert stubbed.consumer.defer(replace(MESSAGE, receive_count=receive_count)) == seconds
    stubbed.sqs.assert_no_pending_responses()


def test_waits_are_jittered_by_default(session: boto3.Session, clock: Clock) -> None:
    """Chance is at work where nobody replaces it."""
    client = session.client("sqs", config=ONCE)
    network = Network(clock)
    network.cut(client.meta.events, "before-send.sqs")
    network.will(Reply(200, b"{}"))
    consumer = SqsConsumerQueue(client, QUEUE_URL, DEAD_LETTERS_URL, now=clock.now)
    assert len({consumer.defer(replace(MESSAGE, receive_count=40)) for _ in range(10)}) > 1


# Parking


@dataclass(frozen=True, slots=True)
class Queues:
    """A consumer on queues in memory."""

    client: SQSClient
    consumer: SqsConsumerQueue

    def parked(self) -> list[Any]:
        """Everything in the dead-letter queue, as somebody sees it who looks why."""
        return self.client.receive_message(
            QueueUrl=self.consumer.dead_letter_queue_url,
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])


@pytest.fixture
def queues(session: boto3.Session, _cloud: None, clock: Clock) -> Queues:
    """The two queues of the stack."""
    client = session.client("sqs", config=ONCE)
    queue, dead_letters = (
        client.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]
        for name in ("MessageIds.fifo", "DeadLetters.fifo")
    )
    return Queues(client, SqsConsumerQueue(client, queue, dead_letters, now=clock.now))


@pytest.mark.parametrize("body", [MESSAGE.body, "not\nan\tid", "{", "💌 \u202e", "x" * 200_000])
def test_a_parked_message_keeps_its_body(queues: Queues, body: str) -> None:
    """The dead-letter queue has the body as it came, and beside it why and when."""
    queues.consumer.park(replace(MESSAGE, body=body), "NotAnId: no SES message id")
    (parked,) = queues.parked()
    assert parked["Body"] == body
    values = {name: value["StringValue"] for name, value in parked["MessageAttributes"].items()}
    assert values == {
        "Reason": "NotAnId: no SES message id",
        "ParkedAt": "2026-11-23T10:00:00.000Z",
    }


def test_more_parked_messages_than_ten_are_seen(queues: Queues) -> None:
    """Each has a group of its own: of one group SQS shows ten at a time."""
    for number in range(12):
        queues.consumer.park(replace(MESSAGE, id=f"message-{number}"), "why")
    parked = [*queues.parked(), *queues.parked()]
    assert {message["Attributes"]["MessageGroupId"] for message in parked} == {
        f"parked-message-{number}" for number in range(12)
    }


def test_a_message_of_another_group_joins_the_queue_in_ours(queues: Queues) -> None:
    """Its body as it came, once, and although the same body was enqueued a moment before."""
    queue = queues.consumer.queue_url
    queues.client.send_message(
        QueueUrl=queue,
        MessageBody=MESSAGE.body,
        MessageGroupId="looks",
        MessageDeduplicationId=hashlib.sha256(MESSAGE.body.encode()).hexdigest(),
    )
    foreign = replace(MESSAGE, group_id="orders")
    for _ in range(2):
        queues.consumer.regroup(foreign)
    received = queues.client.receive_message(
        QueueUrl=queue, MaxNumberOfMessages=10, MessageSystemAttributeNames=["All"]
    )["Messages"]
    assert [each["Body"] for each in received] == [MESSAGE.body] * 2
    assert {each["Attributes"]["MessageGroupId"] for each in received} == {"looks"}


def test_a_message_parked_twice_is_there_once(queues: Queues) -> None:
    """A crash between parking and acknowledging does not double it."""
    queues.consumer.park(MESSAGE, "why")
    queues.consumer.park(replace(MESSAGE, receive_count=2, receipt_handle="handle-2"), "why")
    assert len(queues.parked()) == 1


def test_a_message_redriven_and_parked_again_is_there_again(queues: Queues) -> None:
    """It is a new message of the queue, however soon it comes back."""
    queues.consumer.park(MESSAGE, "why")
    queues.consumer.park(replace(MESSAGE, sequence_number="18849496460467696129"), "why")
    assert len(queues.parked()) == 2


def test_two_messages_with_one_body_are_both_parked(queues: Queues) -> None:
    """Nothing is dropped because it looks like something else."""
    queues.consumer.park(MESSAGE, "why")
    queues.consumer.park(replace(MESSAGE, id="5f2a3c1e-0000-4000-8000-000000000002"), "why")
    assert len(queues.parked()) == 2


def test_a_long_reason_is_cut(queues: Queues) -> None:
    """The trace of an error in a deep stack does not keep a message from being parked."""
    queues.consumer.park(MESSAGE, "x" * 5000)
    (parked,) = queues.parked()
    assert parked["MessageAttributes"]["Reason"]["StringValue"] == "x" * 1024


def test_an_empty_body_is_parked_in_words(queues: Queues) -> None:
    """SQS carries no empty body; a hand-made event may hold one."""
    queues.consumer.park(replace(MESSAGE, body=""), "Empty: the body is empty")
    (parked,) = queues.parked()
    assert parked["Body"] == "(empty)"


# Errors


@dataclass(frozen=True, slots=True)
class Cut:
    """A consumer behind a cut wire."""

    consumer: SqsConsumerQueue
    network: Network


@pytest.fixture
def cut(session: boto3.Session, clock: Clock) -> Cut:
    """SQS answers with bytes of the test's choice."""
    network = Network(clock)
    client = session.client("sqs", config=ONCE)
    network.cut(client.meta.events, "before-send.sqs")
    return Cut(SqsConsumerQueue(client, QUEUE_URL, DEAD_LETTERS_URL, now=clock.now), network)


OPERATIONS: dict[str, Callable[[SqsConsumerQueue], object]] = {
    "ChangeMessageVisibility": lambda consumer: consumer.defer(MESSAGE),
    "SendMessage": lambda consumer: consumer.park(MESSAGE, "why"),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (sqs_error(400, "AWS.SimpleQueueService.NonExistentQueue"), FailureKind.SQS),
        (sqs_error(400, "ReceiptHandleIsInvalid"), FailureKind.SQS),
        (sqs_error(400, "AWS.SimpleQueueService.MessageNotInflight"), FailureKind.SQS),
        (sqs_error(403, "RequestThrottled"), FailureKind.SQS),
        (sqs_error(500, "InternalFailure"), FailureKind.SQS),
        (Reply(503, b""), FailureKind.SQS),
        (sqs_error(403, "AccessDenied"), FailureKind.ACCESS_DENIED),
        (sqs_error(403, "AccessDeniedException"), FailureKind.ACCESS_DENIED),
        (sqs_error(403, "ExpiredToken"), FailureKind.CREDENTIALS),
        (sqs_error(403, "InvalidClientTokenId"), FailureKind.CREDENTIALS),
        (ReadTimeoutError(endpoint_url=URL), FailureKind.SQS),
        (EndpointConnectionError(endpoint_url=URL), FailureKind.SQS),
        # ChangeMessageVisibility returns nothing, so botocore does not read a 200.
        *((reply, FailureKind.SQS) for reply in GARBLED if reply.status > 200),
    ],
)
def test_a_refusal_of_sqs_is_a_failure_of_the_system(
    cut: Cut, operation: str, trouble: Reply | BotoCoreError, kind: FailureKind
) -> None:
    """Whatever SQS refuses is named by operation and by what is to be mended."""
    cut.network.will(trouble)
    with pytest.raises(SystemFailure) as caught:
        OPERATIONS[operation](cut.consumer)
    assert caught.value.kind is kind
    assert str(caught.value).startswith(f"{operation}: ")


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("code", ["InvalidParameterValue", "InvalidMessageContents"])
def test_no_answer_of_sqs_is_left_unnamed(cut: Cut, operation: str, code: str) -> None:
    """An expired receipt handle and a message too long are InvalidParameterValue in SQS's words.

    Nobody is left who could defer or park what cannot be deferred or parked.
    """
    cut.network.will(
        sqs_error(400, code, f"Value {MESSAGE.body} is invalid. Reason: it has expired.")
    )
    with pytest.raises(SystemFailure) as caught:
        OPERATIONS[operation](cut.consumer)
    assert caught.value.kind is FailureKind.SQS
    assert MESSAGE.body not in str(caught.value)
