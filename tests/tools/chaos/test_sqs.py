"""The simulation's SQS does what moto's does, and where moto falls short what AWS documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws
from moto.core import utils as clock_of_moto

from tools.chaos.calls import Caller, Faults
from tools.chaos.sqs import Queue, Sqs
from tools.chaos.world import DAY, Process, World

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

DELAY: Final = 60
VISIBILITY: Final = 30
MOST_RECEIVES: Final = 5


@dataclass(slots=True)
class Place:
    """A FIFO queue with a delay, its dead-letter queue, and the time that passes there."""

    client: Any
    url: str
    dead_letters: str
    wait: Callable[[float], None]
    set_delay: Callable[[int], None]

    def send(self, body: str, group: str = "looks", **more: Any) -> dict[str, Any]:
        """Send a message."""
        sent: dict[str, Any] = self.client.send_message(
            QueueUrl=self.url, MessageBody=body, MessageGroupId=group, **more
        )
        return sent

    def receive(self, most: int = 1, url: str = "", **more: Any) -> list[Any]:
        """Receive messages."""
        received = self.client.receive_message(
            QueueUrl=url or self.url, MaxNumberOfMessages=most, **more
        )
        return list(received.get("Messages", []))

    def bodies(self, most: int = 1, url: str = "") -> list[str]:
        """Receive messages, of which only the bodies matter."""
        return [message["Body"] for message in self.receive(most, url)]

    def delete(self, message: Any) -> None:
        """Delete what was received."""
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def hide(self, message: Any, seconds: int) -> None:
        """Let what was received come back then."""
        self.client.change_message_visibility(
            QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=seconds
        )


def simulated() -> Place:
    """The simulation's queues."""
    world = World(0)
    dead_letters = Queue(world, "DeadLetters.fifo")
    queue = Queue(
        world, "Ids.fifo", DELAY, VISIBILITY, dead_letters=dead_letters, most_receives=MOST_RECEIVES
    )
    caller = Caller(world, Faults(world, 0.0), Process("test"), "sqs", 1, 1.0)
    return Place(
        Sqs(caller, {each.url: each for each in (queue, dead_letters)}),
        queue.url,
        dead_letters.url,
        world.sleep,
        queue.change_delay,
    )


def of_moto(monkeypatch: pytest.MonkeyPatch) -> Place:
    """The same queues in moto, whose clock moves when the test says so."""
    started, passed = clock_of_moto.utcnow(), timedelta()

    def wait(seconds: float) -> None:
        nonlocal passed
        passed += timedelta(seconds=seconds)

    monkeypatch.setattr(clock_of_moto, "utcnow", lambda: started + passed)
    client = boto3.client("sqs")
    fifo: dict[QueueAttributeNameType, str] = {
        "FifoQueue": "true",
        "MessageRetentionPeriod": str(int(14 * DAY)),
    }
    dead_letters = client.create_queue(QueueName="DeadLetters.fifo", Attributes=fifo)["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])
    redrive = f'{{"deadLetterTargetArn": "{arn["Attributes"]["QueueArn"]}", "maxReceiveCount": 5}}'
    url = client.create_queue(
        QueueName="Ids.fifo",
        Attributes={
            **fifo,
            "ContentBasedDeduplication": "true",
            "DelaySeconds": str(DELAY),
            "VisibilityTimeout": str(VISIBILITY),
            "RedrivePolicy": redrive,
        },
    )["QueueUrl"]

    def set_delay(seconds: int) -> None:
        client.set_queue_attributes(QueueUrl=url, Attributes={"DelaySeconds": str(seconds)})

    return Place(client, url, dead_letters, wait, set_delay)


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Moto's queues."""
    with mock_aws():
        yield of_moto(monkeypatch)


@pytest.fixture(params=["simulated", "moto"])
def place(request: pytest.FixtureRequest) -> Place:
    """Both, each empty."""
    return simulated() if request.param == "simulated" else request.getfixturevalue("moto")


def refusal(call: Callable[[], object]) -> str:
    """The code of the error in which a call ends."""
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def sent(place: Place, bodies: Sequence[str]) -> None:
    """Send messages, and wait until the delay is over."""
    for body in bodies:
        place.send(body)
    place.wait(DELAY + 1)


def test_a_message_is_hidden_for_the_queues_delay(place: Place) -> None:
    """Not a second less."""
    place.send("a")
    place.wait(DELAY - 1)
    assert place.bodies() == []
    place.wait(2)
    assert place.bodies() == ["a"]


def test_a_group_is_received_in_order_one_at_a_time(place: Place) -> None:
    """While one is in flight, those behind it in its group wait; another group does not."""
    place.send("a")
    place.send("b")
    place.send("c", group="other")
    place.wait(DELAY + 1)
    (first,) = place.receive()
    assert first["Body"] == "a"
    assert place.bodies(10) == ["c"]
    place.delete(first)
    assert place.bodies(10) == ["b"]


def test_several_of_a_group_are_received_at_once(place: Place) -> None:
    """In their order, as many as are asked for."""
    sent(place, "abc")
    assert place.bodies(2) == ["a", "b"]
    assert place.bodies(2) == []


def test_what_is_not_deleted_comes_back_by_its_visibility_timeout(place: Place) -> None:
    """At the head of its group, with one receive more."""
    sent(place, "ab")
    asked: dict[str, Any] = {"MessageSystemAttributeNames": ["ApproximateReceiveCount"]}
    counts = []
    for _ in range(3):
        (message,) = place.receive(**asked)
        assert message["Body"] == "a"
        counts.append(message["Attributes"]["ApproximateReceiveCount"])
        place.wait(VISIBILITY - 1)
        assert place.bodies() == []
        place.wait(2)
    assert counts == ["1", "2", "3"]


@pytest.mark.parametrize("seconds", [0, 2, 900])
def test_a_consumer_says_when_a_message_comes_back(place: Place, seconds: int) -> None:
    """Sooner or later than by the timeout; its group waits until then."""
    sent(place, "ab")
    (message,) = place.receive()
    place.hide(message, seconds)
    if seconds:
        place.wait(seconds - 1)
        assert place.bodies(10) == []
    place.wait(2)
    assert place.bodies() == ["a"]


def test_a_receive_can_hide_for_a_time_of_its_own(place: Place) -> None:
    """Instead of the queue's visibility timeout."""
    sent(place, "a")
    place.receive(VisibilityTimeout=100)
    place.wait(99)
    assert place.bodies() == []
    place.wait(2)
    assert place.bodies() == ["a"]


def test_the_same_body_is_taken_once_in_five_minutes(place: Place) -> None:
    """The second one is answered like any other, and dropped; later it is new."""
    place.send("a")
    place.wait(299)
    place.send("a")
    assert place.bodies(10) == ["a"]
    place.wait(2)
    place.send("a")
    place.wait(DELAY + 1)
    assert place.bodies(10) == ["a", "a"]


def test_a_deduplication_id_stands_in_place_of_the_body(place: Place) -> None:
    """The same id makes two bodies one, another id makes the same body two."""
    place.send("a", MessageDeduplicationId="1")
    place.send("b", MessageDeduplicationId="1")
    place.send("a", MessageDeduplicationId="2")
    place.wait(DELAY + 1)
    assert place.bodies(10) == ["a", "a"]


def test_what_was_deleted_is_still_a_duplicate() -> None:
    """SQS keeps the id after the message is received and deleted; moto forgets it with it.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/using-messagededuplicationid-property.html
    """
    place = simulated()
    first = place.send("a")
    place.wait(DELAY + 1)
    place.delete(place.receive()[0])
    assert place.send("a")["MessageId"] == first["MessageId"]
    place.wait(DELAY + 1)
    assert place.bodies() == []


def test_a_message_that_comes_back_too_often_goes_to_the_dead_letters(place: Place) -> None:
    """At the receive after the last one that is allowed; the next one takes its place."""
    sent(place, "ab")
    for _ in range(MOST_RECEIVES):
        assert place.bodies() == ["a"]
        place.wait(VISIBILITY + 1)
    assert place.bodies(10) == ["b"]
    assert place.bodies(10, place.dead_letters) == ["a"]


def test_what_is_dead_is_kept_for_fourteen_days_from_then_on() -> None:
    """In a FIFO queue the move begins its time anew; in moto it does not.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html
    """
    place = simulated()
    sent(place, "a")
    place.wait(13 * DAY)
    for _ in range(MOST_RECEIVES):
        assert place.bodies() == ["a"]
        place.wait(VISIBILITY + 1)
    assert place.bodies() == []
    place.wait(13.9 * DAY)
    assert place.bodies(1, place.dead_letters) == ["a"]
    place.wait(0.2 * DAY)
    assert place.bodies(1, place.dead_letters) == []


def test_a_message_is_dropped_after_fourteen_days(place: Place) -> None:
    """Whoever has it or not; a younger one stays."""
    place.send("old")
    place.wait(DAY)
    place.send("young", group="other")
    place.wait(13 * DAY - 1)
    assert place.bodies() == ["old"]
    place.wait(VISIBILITY + 1)
    assert [*place.bodies(10), *place.bodies(10)] == ["young"]


def test_a_batch_is_taken_entry_by_entry(place: Place) -> None:
    """In its order, a duplicate among them dropped."""
    answer = place.client.send_message_batch(
        QueueUrl=place.url,
        Entries=[
            {
                "Id": str(number),
                "MessageBody": body,
                "MessageGroupId": "looks",
                "MessageDeduplicationId": body,
            }
            for number, body in enumerate("aba")
        ],
    )
    assert [entry["Id"] for entry in answer["Successful"]] == ["0", "1", "2"]
    assert not answer.get("Failed")
    place.wait(DELAY + 1)
    assert place.bodies(10) == ["a", "b"]


def entries(*ids: str) -> list[dict[str, str]]:
    """Entries of a batch."""
    return [{"Id": each, "MessageBody": each, "MessageGroupId": "looks"} for each in ids]


@pytest.mark.parametrize(
    ("ids", "code"),
    [
        ("abcdefghijk", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest"),
        ("aba", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
    ],
)
def test_a_batch_that_cannot_be_is_refused_as_a_whole(place: Place, ids: str, code: str) -> None:
    """More than ten entries, or two of one id: none is taken."""
    batch = entries(*ids)
    assert code == refusal(
        lambda: place.client.send_message_batch(QueueUrl=place.url, Entries=batch)
    )
    place.wait(DELAY + 1)
    assert place.bodies(10) == []


def test_several_messages_are_let_go_at_once() -> None:
    """As the command does with what it only showed; moto then hands out the last one first."""
    place = simulated()
    sent(place, "abc")
    received = place.receive(3)
    place.client.change_message_visibility_batch(
        QueueUrl=place.url,
        Entries=[
            {
                "Id": message["Body"],
                "ReceiptHandle": message["ReceiptHandle"],
                "VisibilityTimeout": 0,
            }
            for message in received
        ],
    )
    place.wait(1)
    assert place.bodies(10) == ["a", "b", "c"]


def test_a_queue_is_counted_by_what_its_messages_wait_for(place: Place) -> None:
    """Visible, delayed, in flight."""
    sent(place, "abc")
    place.send("d")
    place.receive()
    names = ["", "Delayed", "NotVisible"]
    counted = place.client.get_queue_attributes(
        QueueUrl=place.url, AttributeNames=[f"ApproximateNumberOfMessages{name}" for name in names]
    )["Attributes"]
    assert [counted[f"ApproximateNumberOfMessages{name}"] for name in names] == ["2", "1", "1"]


def test_a_message_has_the_attributes_that_are_asked_for(place: Place) -> None:
    """SQS's own and those of the sender; none of them where nobody asks."""
    reason = {"Reason": {"DataType": "String", "StringValue": "NoMessageId: none"}}
    place.send("a", MessageAttributes=reason)
    place.wait(DELAY + 1)
    (bare,) = place.receive(VisibilityTimeout=1)
    assert not {"Attributes", "MessageAttributes"} & bare.keys()
    place.wait(2)
    (whole,) = place.receive(
        MessageSystemAttributeNames=["MessageGroupId", "SentTimestamp"],
        MessageAttributeNames=["Reason", "ParkedAt"],
    )
    assert whole["Attributes"].keys() == {"MessageGroupId", "SentTimestamp"}
    assert whole["Attributes"]["MessageGroupId"] == "looks"
    assert whole["MessageAttributes"] == reason


def test_the_time_of_a_message_is_that_of_its_sending(place: Place) -> None:
    """In milliseconds, at every receive the same."""
    place.send("a")
    place.wait(10)
    place.send("b")
    place.wait(DELAY + 1)
    first, second = place.receive(2, MessageSystemAttributeNames=["SentTimestamp"])
    times = [int(each["Attributes"]["SentTimestamp"]) for each in (first, second)]
    assert times[1] - times[0] == pytest.approx(10_000, abs=500)


def test_a_message_without_a_group_is_refused(place: Place) -> None:
    """By a FIFO queue."""
    assert refusal(lambda: place.client.send_message(QueueUrl=place.url, MessageBody="a")) == (
        "MissingParameter"
    )


@pytest.mark.parametrize("of", [Place.delete, lambda place, each: place.hide(each, 0)])
def test_a_receipt_expires_with_the_visibility_timeout(of: Callable[[Place, Any], None]) -> None:
    """Then a FIFO queue refuses it, and the message comes again; moto takes it for ever.

    https://repost.aws/knowledge-center/sqs-receipt-handle-error
    """
    place = simulated()
    sent(place, "a")
    (message,) = place.receive()
    place.wait(VISIBILITY + 1)
    assert refusal(lambda: of(place, message)) == "InvalidParameterValue"
    assert place.bodies() == ["a"]


def test_what_is_deleted_can_be_deleted_again(place: Place) -> None:
    """The answer of the first time may have been lost."""
    sent(place, "a")
    (message,) = place.receive()
    place.delete(message)
    place.delete(message)
    place.wait(VISIBILITY + 1)
    assert place.bodies() == []


def test_another_delay_holds_for_what_is_in_the_queue() -> None:
    """In a FIFO queue, as AWS documents it; moto keeps the delay that a message was sent with.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html
    """
    place = simulated()
    place.send("a")
    place.wait(10)
    place.set_delay(5)
    assert place.bodies() == ["a"]
    place.send("b", group="other")
    place.set_delay(900)
    place.wait(DELAY + 1)
    assert place.bodies() == ["a"]
