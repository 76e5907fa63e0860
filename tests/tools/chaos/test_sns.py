"""The simulation's SNS does what moto's does, and where moto falls short what AWS documents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from tools.chaos.calls import Caller, Faults
from tools.chaos.sns import LARGEST, Sns, Topic
from tools.chaos.world import Process, World

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ATTRIBUTES: Final = {
    "alertType": {"DataType": "String", "StringValue": "BOUNCE"},
    "severity": {"DataType": "String", "StringValue": "high"},
}


@dataclass(slots=True)
class Place:
    """A topic, and what its subscribers got: each message with its attributes."""

    client: Any
    arn: str
    got: Callable[[], list[tuple[str, dict[str, str]]]]

    def publish(self, message: str, **more: Any) -> str:
        """Publish, and return the id."""
        return str(self.client.publish(TopicArn=self.arn, Message=message, **more)["MessageId"])


def simulated() -> Place:
    """The simulation's topic."""
    world = World(0)
    topic = Topic(world)
    caller = Caller(world, Faults(world, 0.0), Process("test"), "sns", 1, 1.0)
    return Place(
        Sns(caller, topic),
        "arn:aws:sns:eu-west-1:123456789012:Alerts",
        lambda: [(each.message, dict(each.attributes)) for each in topic.published],
    )


def of_moto() -> Place:
    """Moto's topic, with a queue that gets the messages as they are."""
    client, sqs = boto3.client("sns"), boto3.client("sqs")
    arn = client.create_topic(Name="Alerts")["TopicArn"]
    url = sqs.create_queue(QueueName="programs")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    client.subscribe(
        TopicArn=arn,
        Protocol="sqs",
        Endpoint=queue["QueueArn"],
        Attributes={"RawMessageDelivery": "true"},
    )
    return Place(client, arn, lambda: received(sqs, url))


def received(sqs: SQSClient, url: str) -> list[tuple[str, dict[str, str]]]:
    """What came to the queue."""
    found = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
    )
    return [
        (
            message["Body"],
            {
                name: value["StringValue"]
                for name, value in message.get("MessageAttributes", {}).items()
            },
        )
        for message in found.get("Messages", [])
    ]


@pytest.fixture(params=["simulated", "moto"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Both, with nothing published."""
    if request.param == "simulated":
        yield simulated()
        return
    with mock_aws():
        yield of_moto()


def test_subscribers_get_each_message_with_its_attributes(place: Place) -> None:
    """As it was published, and in the order of publication."""
    place.publish("one", MessageAttributes=ATTRIBUTES, Subject="Hard bounce")
    place.publish("two")
    assert place.got() == [("one", {"alertType": "BOUNCE", "severity": "high"}), ("two", {})]


def test_programs_get_the_text_that_is_for_all(place: Place) -> None:
    """Of a message with a text for each protocol."""
    texts = {"default": '{"alertId": "1"}', "email": "Hello"}
    place.publish(json.dumps(texts), MessageStructure="json")
    assert place.got() == [('{"alertId": "1"}', {})]


def test_each_publication_has_an_id_of_its_own(place: Place) -> None:
    """Also where the same is published again."""
    assert len({place.publish("the same") for _ in range(3)}) == 3
    assert len(place.got()) == 3


def is_refused(place: Place, message: str, **more: Any) -> bool:
    """Whether a message is refused as invalid, and reaches nobody."""
    with pytest.raises(ClientError) as caught:
        place.publish(message, **more)
    return caught.value.response["Error"]["Code"] == "InvalidParameter" and not place.got()


def test_a_message_of_more_than_a_quarter_of_a_mebibyte_is_refused(place: Place) -> None:
    """The largest one is taken."""
    assert is_refused(place, "x" * (LARGEST + 1))
    place.publish("x" * LARGEST)


def test_a_message_is_measured_in_bytes() -> None:
    """As AWS says; moto counts characters."""
    assert is_refused(simulated(), "é" * (LARGEST // 2 + 1))


@pytest.mark.parametrize("message", ["no JSON", '{"email": "Hello"}', '["default"]'])
def test_texts_without_one_for_all_are_refused(message: str) -> None:
    """As AWS says; moto takes them, or fails."""
    assert is_refused(simulated(), message, MessageStructure="json")


@pytest.mark.parametrize("subject", ["", "x" * 101, "two\nlines", "für"])
def test_a_subject_that_cannot_be_is_refused(subject: str) -> None:
    """A line of ASCII of at most 100 characters, as AWS says; moto looks at the length alone."""
    assert is_refused(simulated(), "m", Subject=subject)
