"""The FIFO queue of message ids, for its consumer and for a producer."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from ses_insights.adapters.aws_errors import failing_as
from ses_insights.contracts.names import MESSAGE_GROUP, PARKED_GROUP, ParkedAttribute
from ses_insights.contracts.queue_message import QueueMessage, due_body
from ses_insights.domain.due import Claim, QueueDepth
from ses_insights.domain.failures import FailureKind
from ses_insights.domain.listing import Listing
from ses_insights.domain.times import iso

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.type_defs import MessageAttributeValueTypeDef

_FIRST_DELAY: Final = 2
_LONGEST_DELAY: Final = 900
"""Seconds; the longest wait between two tries while something is down."""

_REASON_LENGTH: Final = 1024


@dataclass(frozen=True, slots=True)
class SqsConsumerQueue:
    """The FIFO queue and its dead-letter queue."""

    client: SQSClient
    queue_url: str
    dead_letter_queue_url: str
    now: Callable[[], datetime]
    chance: Callable[[], float] = random.random

    def defer(self, message: QueueMessage) -> int:
        """Let the message come back to the head of the queue after a growing, jittered time.

        Returns the seconds. Raises `SystemFailure`; then it comes back by its visibility timeout.
        """
        delay = retry_delay(message.receive_count, self.chance())
        with failing_as(FailureKind.SQS, "ChangeMessageVisibility"):
            self.client.change_message_visibility(
                QueueUrl=self.queue_url,
                ReceiptHandle=message.receipt_handle,
                VisibilityTimeout=delay,
            )
        return delay

    def regroup(self, message: QueueMessage) -> None:
        """Put a copy into the queue, in the one message group. Raises `SystemFailure`."""
        with failing_as(FailureKind.SQS, "SendMessage"):
            self.client.send_message(
                QueueUrl=self.queue_url,
                MessageBody=message.body,
                MessageGroupId=MESSAGE_GROUP,
                # Names this very message: sent twice it is one, and the same id that was enqueued
                # rightly a minute ago does not swallow it.
                MessageDeduplicationId=f"regrouped-{message.id}",
            )

    def park(self, message: QueueMessage, reason: str) -> None:
        """Put a copy into the dead-letter queue, the body as it came. Raises `SystemFailure`."""
        with failing_as(FailureKind.SQS, "SendMessage"):
            self.client.send_message(
                QueueUrl=self.dead_letter_queue_url,
                # SQS carries no empty body, so none can have come; a hand-made event can hold one.
                MessageBody=message.body or "(empty)",
                # Of its own: whoever reads the queue sees no more than ten messages of a group.
                MessageGroupId=f"{PARKED_GROUP}{message.id}",
                # Names this very message: parked twice it is one, redriven and parked again it is
                # not dropped as a duplicate.
                MessageDeduplicationId=f"{message.id}-{message.sequence_number}",
                MessageAttributes={
                    ParkedAttribute.REASON: _attribute(reason[:_REASON_LENGTH]),
                    ParkedAttribute.PARKED_AT: _attribute(iso(self.now())),
                },
            )


@dataclass(frozen=True, slots=True)
class SqsProducerQueue:
    """The end of the FIFO queue, where due looks join it."""

    client: SQSClient
    queue_url: str

    def depth(self) -> QueueDepth:
        """Return how many messages it holds. Raises `SystemFailure`."""
        with failing_as(FailureKind.SQS, "GetQueueAttributes"):
            found = self.client.get_queue_attributes(
                QueueUrl=self.queue_url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesDelayed",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )["Attributes"]
        return QueueDepth(
            visible=int(found["ApproximateNumberOfMessages"]),
            delayed=int(found["ApproximateNumberOfMessagesDelayed"]),
            in_flight=int(found["ApproximateNumberOfMessagesNotVisible"]),
        )

    def send(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        """Put up to ten due looks into the queue; returns those that it refused.

        Raises `SystemFailure` where it took none.
        """
        with failing_as(FailureKind.SQS, "SendMessageBatch"):
            answer = self.client.send_message_batch(
                QueueUrl=self.queue_url,
                Entries=[
                    {
                        "Id": str(number),
                        "MessageBody": json.dumps(
                            {"MessageId": claim.row.message_id, "look": claim.look}
                        ),
                        "MessageGroupId": MESSAGE_GROUP,
                        "MessageDeduplicationId": _deduplication_id(claim),
                    }
                    for number, claim in enumerate(claims)
                ],
            )
        return [claims[int(entry["Id"])] for entry in answer.get("Failed", [])]

    def send_due(self, message_id: str, listing: Listing) -> None:
        """Put a message into the queue because of a listing. Raises `SystemFailure`."""
        # By the listing, not by the body: of two recipients of one message the second may be
        # listed when the look that the first one brought has been taken.
        what = json.dumps([message_id, listing.reason, listing.address, listing.listed_at])
        with failing_as(FailureKind.SQS, "SendMessage"):
            self.client.send_message(
                QueueUrl=self.queue_url,
                MessageBody=due_body(message_id, listing.reason),
                MessageGroupId=MESSAGE_GROUP,
                MessageDeduplicationId=hashlib.sha256(what.encode()).hexdigest(),
            )


def _attribute(text: str) -> MessageAttributeValueTypeDef:
    return {"DataType": "String", "StringValue": text}


def _deduplication_id(claim: Claim) -> str:
    """Identify this look at this message, due at this time.

    With the message alone, SQS would drop a second look within five minutes as a duplicate.
    """
    what = json.dumps([claim.row.message_id, claim.look, claim.row.next_look_at])
    return hashlib.sha256(what.encode()).hexdigest()


def retry_delay(receive_count: int, chance: float) -> int:
    """Return how many seconds to wait after the given number of receives.

    Doubles from 2 seconds to 15 minutes; ``chance`` (0 to 1) spreads it over its upper half.
    """
    # The exponent is bounded so that a message received a thousand times makes no huge number.
    full = min(_FIRST_DELAY << min(receive_count - 1, 10), _LONGEST_DELAY)
    return round(full * (0.5 + 0.5 * chance))
