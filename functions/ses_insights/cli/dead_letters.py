"""Reading, redriving and deleting the messages of the dead-letter queue.

SQS returns at most ten messages of a group, and no more of that group until these are deleted or
visible again. What the service parks has a group of its own. What SQS itself moved here, or an
earlier version parked, shares one: messages behind ten that have to stay are reached by sending
those ten to the end of the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ses_insights.adapters.queue import SqsProducerQueue
from ses_insights.contracts.names import MESSAGE_GROUP, PARKED_GROUP, ParkedAttribute

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

NO_REASON: Final = "none"
"""The reason of messages that SQS itself moved here: the function crashed on them repeatedly."""

_AT_ONCE: Final = 10
_HELD: Final = 60
"""Seconds for which received messages are hidden from others, if not released sooner."""


@dataclass(frozen=True, slots=True)
class Parked:
    """One message of the dead-letter queue."""

    id: str
    body: str
    group: str
    reason: str
    """As the service wrote it; empty where SQS moved it."""
    parked_at: str
    receipt_handle: str

    @classmethod
    def of(cls, message: Any) -> Parked:
        """Return a message of SQS's response."""
        texts = {
            name: value.get("StringValue", "")
            for name, value in message.get("MessageAttributes", {}).items()
        }
        return cls(
            id=message["MessageId"],
            body=message["Body"],
            group=message["Attributes"]["MessageGroupId"],
            reason=texts.get(ParkedAttribute.REASON, ""),
            parked_at=texts.get(ParkedAttribute.PARKED_AT, ""),
            receipt_handle=message["ReceiptHandle"],
        )

    @property
    def slug(self) -> str:
        """The reason's first word, which names its kind."""
        return self.reason.partition(":")[0] or NO_REASON

    def is_for(self, reason: str | None) -> bool:
        """Whether it is parked for this kind of reason; True if none is named."""
        return reason is None or self.slug.lower() == reason.lower()


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The dead-letter queue. Everything raises what boto3 raises."""

    client: SQSClient
    url: str
    queue_url: str
    """The queue of message ids."""

    def count(self) -> int:
        """Return how many messages there are; SQS calls it approximate."""
        depth = SqsProducerQueue(self.client, self.url).depth()
        return depth.visible + depth.delayed + depth.in_flight

    def peek(self, most: int) -> list[Parked]:
        """Return up to `most` of what SQS shows, ten of a group, and leave it as it is."""
        seen: dict[str, Parked] = {}
        try:
            while len(seen) < most and (messages := self._receive()):
                seen |= {message.id: message for message in messages}
        finally:
            self._release(list(seen.values()))
        return list(seen.values())[:most]

    def redrive(self, reason: str | None) -> Iterator[Parked]:
        """Send messages back to the queue one by one, and yield each after that.

        A message keeps its body. It is sent before it is deleted: stopped in between,
        it is in both queues, and its deduplication id, made from the parked message's own id, makes
        it one again.
        """
        return self._take(reason, self._send_back)

    def drop(self, reason: str | None) -> Iterator[Parked]:
        """Delete messages one by one, and yield each after that."""
        return self._take(reason, lambda _: None)

    def _take(self, reason: str | None, act: Callable[[Parked], None]) -> Iterator[Parked]:
        """Act on the messages that are there now, and delete them; newer ones stay."""
        remaining = self.count()
        to_the_end: set[str] = set()
        held: list[Parked] = []
        try:
            while remaining > 0 and (messages := self._receive()):
                remaining -= len(messages)
                stay = [message for message in messages if not message.is_for(reason)]
                held += stay
                for message in messages:
                    if message not in stay:
                        act(message)
                        self._delete(message)
                        yield message
                if remaining <= 0 or to_the_end.intersection(message.id for message in stay):
                    return
                for message in stay:
                    # One with a group of its own hides no other.
                    if not message.group.startswith(PARKED_GROUP):
                        to_the_end.add(self._send_to_the_end(message))
                        self._delete(message)
                        held.remove(message)
        finally:
            self._release(held)

    def _receive(self) -> list[Parked]:
        received = self.client.receive_message(
            QueueUrl=self.url,
            MaxNumberOfMessages=_AT_ONCE,
            VisibilityTimeout=_HELD,
            MessageSystemAttributeNames=["MessageGroupId"],
            MessageAttributeNames=[*ParkedAttribute],
        )
        return [Parked.of(message) for message in received.get("Messages", [])]

    def _release(self, messages: Sequence[Parked]) -> None:
        for start in range(0, len(messages), _AT_ONCE):
            self.client.change_message_visibility_batch(
                QueueUrl=self.url,
                Entries=[
                    {
                        "Id": str(number),
                        "ReceiptHandle": message.receipt_handle,
                        "VisibilityTimeout": 0,
                    }
                    for number, message in enumerate(messages[start : start + _AT_ONCE])
                ],
            )

    def _delete(self, message: Parked) -> None:
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message.receipt_handle)

    def _send_back(self, message: Parked) -> None:
        self.client.send_message(
            QueueUrl=self.queue_url,
            MessageBody=message.body,
            MessageGroupId=MESSAGE_GROUP,
            # Not that of its body: the queue would drop it as a duplicate of the one before.
            MessageDeduplicationId=f"redriven-{message.id}",
        )

    def _send_to_the_end(self, message: Parked) -> str:
        texts = {
            ParkedAttribute.REASON: message.reason,
            ParkedAttribute.PARKED_AT: message.parked_at,
        }
        sent = self.client.send_message(
            QueueUrl=self.url,
            MessageBody=message.body,
            MessageGroupId=message.group,
            MessageDeduplicationId=f"again-{message.id}",
            MessageAttributes={
                name: {"DataType": "String", "StringValue": text}
                for name, text in texts.items()
                if text
            },
        )
        return sent["MessageId"]
