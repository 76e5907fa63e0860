"""The line of message ids: what to do with a message that cannot be looked at now, or ever."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from ses_insights.adapters.aws_errors import failing_as
from ses_insights.domain.failures import Kind
from ses_insights.domain.times import iso

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_FIRST_DELAY: Final = 2
_LONGEST_DELAY: Final = 900
"""Seconds; the longest wait between two tries while something is down."""

_REASON_LENGTH: Final = 1024


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message as Lambda hands it over."""

    id: str
    body: str
    receipt_handle: str
    receive_count: int
    sent_at: datetime
    group_id: str
    sequence_number: str

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> QueueMessage:
        """Read a record of an SQS event."""
        attributes = record["attributes"]
        return cls(
            id=record["messageId"],
            body=record["body"],
            receipt_handle=record["receiptHandle"],
            receive_count=int(attributes["ApproximateReceiveCount"]),
            sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
            group_id=attributes["MessageGroupId"],
            sequence_number=attributes["SequenceNumber"],
        )


@dataclass(frozen=True, slots=True)
class Line:
    """The FIFO queue and its dead-letter queue."""

    client: SQSClient
    queue_url: str
    dead_letter_queue_url: str
    now: Callable[[], datetime]
    chance: Callable[[], float] = random.random

    def defer(self, message: QueueMessage) -> int:
        """Let the message come back to the head of the line after a growing, jittered time.

        Returns the seconds. Raises `SystemFailure`; then it comes back by its visibility timeout.
        """
        delay = retry_delay(message.receive_count, self.chance())
        with failing_as(Kind.SQS, "ChangeMessageVisibility"):
            self.client.change_message_visibility(
                QueueUrl=self.queue_url,
                ReceiptHandle=message.receipt_handle,
                VisibilityTimeout=delay,
            )
        return delay

    def park(self, message: QueueMessage, reason: str) -> None:
        """Put a copy into the dead-letter queue, the body as it came. Raises `SystemFailure`."""
        with failing_as(Kind.SQS, "SendMessage"):
            self.client.send_message(
                QueueUrl=self.dead_letter_queue_url,
                # SQS carries no empty body, so none can have come; a hand-made event can hold one.
                MessageBody=message.body or "(empty)",
                MessageGroupId=message.group_id,
                # Names this very message: parked twice it is one, redriven and parked again it is
                # not dropped as a duplicate.
                MessageDeduplicationId=f"{message.id}-{message.sequence_number}",
                MessageAttributes={
                    "Reason": {"DataType": "String", "StringValue": reason[:_REASON_LENGTH]},
                    "ParkedAt": {"DataType": "String", "StringValue": iso(self.now())},
                },
            )


def retry_delay(receive_count: int, chance: float) -> int:
    """Tell how many seconds to wait after the given number of receives.

    Doubles from 2 seconds to 15 minutes; ``chance`` (0 to 1) spreads it over its upper half.
    """
    # The exponent is bounded so that a message received a thousand times makes no huge number.
    full = min(_FIRST_DELAY << min(receive_count - 1, 10), _LONGEST_DELAY)
    return round(full * (0.5 + 0.5 * chance))
