"""Putting due looks into the queue."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError

from ses_insights.adapters.queue import SqsProducerQueue
from ses_insights.contracts.queue_message import LookRequest, read_body
from ses_insights.domain.due import Claim, Waiting
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.listing import Feedback, Listing
from tests.support.samples import BOUNCES, COMPLAINS, MESSAGE_ID, OTHER_ID
from tests.support.wire import ONCE

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

NOW = "2026-11-23T10:00:00.000Z"
LISTING = Listing(BOUNCES, Feedback.BOUNCE, NOW)


def claim(message_id: str = MESSAGE_ID, look: int = 2, due: str = NOW) -> Claim:
    """A due look."""
    return Claim(Waiting(message_id, "MESSAGE", due), look)


@pytest.fixture
def queue(session: boto3.Session, _cloud: None) -> SqsProducerQueue:
    """The queue as the stack makes it."""
    sqs = session.client("sqs", config=ONCE)
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    url = sqs.create_queue(QueueName="ids.fifo", Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type] # names as SQS has them
    return SqsProducerQueue(sqs, url)


def received(queue: SqsProducerQueue) -> list[Any]:
    """What is in the queue."""
    answer = queue.client.receive_message(
        QueueUrl=queue.queue_url, MaxNumberOfMessages=10, AttributeNames=["All"]
    )
    return answer.get("Messages", [])


def test_a_due_look_is_a_body_the_lookup_reads(queue: SqsProducerQueue) -> None:
    """It carries the id and the look's number, in the one group."""
    assert queue.send([claim(look=3)]) == []
    (message,) = received(queue)
    assert read_body(message["Body"]) == LookRequest(MESSAGE_ID, look=3)
    assert message["Attributes"]["MessageGroupId"] == "looks"


def test_the_same_look_is_dropped_and_another_is_not(queue: SqsProducerQueue) -> None:
    """Sent twice by mistake it is one; the next look is another, and so is one sent anew."""
    for each in (claim(), claim(), claim(look=3), claim(due="2026-11-23T11:15:00.000Z")):
        queue.send([each])
    queue.send([claim(OTHER_ID)])
    assert queue.depth().visible == 4


def test_a_listing_brings_a_look(queue: SqsProducerQueue) -> None:
    """Its body says what SES has listed, in the one group."""
    queue.send_due(MESSAGE_ID, LISTING)
    (message,) = received(queue)
    assert read_body(message["Body"]) == LookRequest(MESSAGE_ID, due=True, about=Feedback.BOUNCE)
    assert message["Attributes"]["MessageGroupId"] == "looks"


def test_the_same_listing_is_dropped_and_another_is_not(queue: SqsProducerQueue) -> None:
    """A run that was stopped sends it once more; another recipient, reason or time is another."""
    for listing in (
        LISTING,
        LISTING,
        replace(LISTING, address=COMPLAINS),
        replace(LISTING, reason=Feedback.COMPLAINT),
        replace(LISTING, listed_at="2026-11-23T10:00:01.000Z"),
    ):
        queue.send_due(MESSAGE_ID, listing)
    queue.send_due(OTHER_ID, LISTING)
    assert queue.depth().visible == 5


def test_the_depth_is_returned(queue: SqsProducerQueue) -> None:
    """Waiting and in flight are counted apart."""
    queue.send([claim(), claim(OTHER_ID)])
    queue.client.receive_message(QueueUrl=queue.queue_url, MaxNumberOfMessages=1)
    depth = queue.depth()
    assert depth.visible + depth.delayed + depth.in_flight == 2
    assert depth.in_flight >= 1


class Choosy:
    """A client whose queue takes some entries only, or none."""

    def __init__(self, refuses: set[str], error: Exception | None = None) -> None:
        self.refuses, self.error = refuses, error

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        """Take what it likes."""
        if self.error:
            raise self.error
        ids = {entry["Id"]: json.loads(entry["MessageBody"]) for entry in request["Entries"]}
        refused = [name for name, body in ids.items() if body["MessageId"] in self.refuses]
        failed = [{"Id": name, "SenderFault": False, "Code": "Internal"} for name in refused]
        return {"Successful": [], **({"Failed": failed} if failed else {})}


def choosy(refuses: set[str], error: Exception | None = None) -> SqsProducerQueue:
    """A queue that is choosy."""
    return SqsProducerQueue(cast("SQSClient", Choosy(refuses, error)), "url")


def test_refused_entries_are_named() -> None:
    """Those that the queue did not take, and no others."""
    claims = [claim(f"{n:016}") for n in range(10)]
    refused = choosy({"0" * 15 + "3", "0" * 15 + "7"}).send(claims)
    assert [each.row.message_id[-1] for each in refused] == ["3", "7"]
    assert choosy(set()).send(claims) == []


def test_a_refusal_of_the_whole_batch_is_a_failure_of_the_system() -> None:
    """It is named, and repeats nothing of what was sent."""
    error = ClientError({"Error": {"Code": "ServiceUnavailable", "Message": MESSAGE_ID}}, "x")
    with pytest.raises(SystemFailure) as caught:
        choosy(set(), error).send([claim()])
    assert caught.value.kind is FailureKind.SQS
    assert str(caught.value) == "SendMessageBatch: ServiceUnavailable"
