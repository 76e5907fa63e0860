"""SQS's FIFO queues in memory.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/FIFO-queues.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from botocore.exceptions import ClientError

from tools.chaos.calls import Caller, refusal
from tools.chaos.world import DAY, World

RETENTION: Final = 14 * DAY
DEDUPLICATED: Final = 300.0
"""Seconds for which a second message with the same deduplication id is taken and dropped."""


@dataclass(slots=True, eq=False)
class Message:
    """A message in a queue."""

    id: str
    body: str
    group: str
    sent_at: float
    visible_at: float
    sequence: int
    attributes: Mapping[str, Any] = field(default_factory=dict)
    receives: int = 0
    receipt: str | None = None
    """Of the last receive, while it is in flight or came back from it."""


@dataclass(slots=True)
class Queue:
    """A FIFO queue."""

    world: World
    name: str
    delay: float = 0.0
    visibility: float = 30.0
    dead_letters: Queue | None = None
    most_receives: int = 1000
    messages: list[Message] = field(default_factory=list)
    on_change: Callable[[], None] = lambda: None
    on_lost: Callable[[Message], None] = lambda _: None
    """Told of each message that was dropped because of its age."""
    _sent: dict[str, tuple[float, str, int]] = field(default_factory=dict)
    _number: int = 0

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://sqs/{self.name}"

    def send(self, body: str, group: str, deduplication: str | None, attributes: Any) -> Message:
        """Take a message; a duplicate is taken and dropped."""
        now = self.world.now
        name = deduplication or hashlib.sha256(body.encode()).hexdigest()
        if name in self._sent and now - self._sent[name][0] < DEDUPLICATED:
            _, message_id, number = self._sent[name]
            return Message(message_id, body, group, now, now, number)
        self._number += 1
        message = Message(
            id=f"{self.name}-{self._number}",
            body=body,
            group=group,
            sent_at=now,
            visible_at=now + self.delay,
            sequence=self._number,
            attributes=attributes or {},
        )
        self._sent[name] = (now, message.id, self._number)
        self.messages.append(message)
        self.on_change()
        return message

    def change_delay(self, seconds: float) -> None:
        """Set the delay, in a FIFO queue also that of the messages that wait in it.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html
        """
        self.delay = seconds
        for message in self.messages:
            if not message.receives:
                message.visible_at = message.sent_at + seconds
        self.on_change()

    def receive(self, most: int, visibility: float | None = None) -> list[Message]:
        """Hand out the first messages of each group that has none in flight."""
        now = self.world.now
        self._drop_old()
        blocked: set[str] = set()
        found: list[Message] = []
        for message in list(self.messages):
            if message.group in blocked:
                continue
            if message.visible_at > now:
                blocked.add(message.group)
                continue
            if self.dead_letters is not None and message.receives >= self.most_receives:
                self._move(message, self.dead_letters)
                continue
            found.append(message)
            if len(found) == most:
                break
        for message in found:
            message.receives += 1
            message.visible_at = now + (self.visibility if visibility is None else visibility)
            message.receipt = f"{message.id}/{message.receives}"
        return found

    def next_visible(self) -> float | None:
        """Return when a message can be received next; None where nothing is in the queue."""
        self._drop_old()
        heads: dict[str, float] = {}
        for message in self.messages:
            heads.setdefault(message.group, message.visible_at)
        return min(heads.values(), default=None)

    def delete(self, receipt: str) -> None:
        """Delete a message, if it is still there."""
        message = self._in_flight(receipt, "DeleteMessage")
        if message is not None:
            self.messages.remove(message)
            self.on_change()

    def hide(self, receipt: str, seconds: float) -> None:
        """Let a message come back then."""
        message = self._in_flight(receipt, "ChangeMessageVisibility")
        if message is None:
            raise refusal("InvalidParameterValue", "ChangeMessageVisibility")
        message.visible_at = self.world.now + seconds
        self.on_change()

    def _in_flight(self, receipt: str, operation: str) -> Message | None:
        """Return the message that a receive handed out; None where it is gone.

        The receipts of a FIFO queue expire with the visibility timeout:
        https://repost.aws/knowledge-center/sqs-receipt-handle-error
        """
        message_id = receipt.rpartition("/")[0]
        message = next((each for each in self.messages if each.id == message_id), None)
        if message and (message.receipt != receipt or message.visible_at <= self.world.now):
            raise refusal("InvalidParameterValue", operation)
        return message

    def _move(self, message: Message, dead_letters: Queue) -> None:
        """Move a message; in a FIFO queue its 14 days begin anew.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/setting-up-dead-letter-queue-retention.html
        """
        self.messages.remove(message)
        message.receives, message.receipt = 0, None
        message.sent_at = message.visible_at = self.world.now
        dead_letters.messages.append(message)

    def _drop_old(self) -> None:
        oldest = self.world.now - RETENTION
        while self.messages and self.messages[0].sent_at <= oldest:
            self.on_lost(self.messages.pop(0))


@dataclass(slots=True)
class Sqs:
    """The client."""

    caller: Caller
    queues: Mapping[str, Queue]
    """By address."""

    def get_queue_attributes(self, *, QueueUrl: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Count what the queue holds."""

        def effect() -> dict[str, Any]:
            queue, now = self.queues[QueueUrl], self.caller.world.now
            queue._drop_old()  # noqa: SLF001 - the queue's own client
            delayed = [m for m in queue.messages if m.visible_at > now]
            flying = sum(m.receives > 0 for m in delayed)
            return {
                "Attributes": {
                    "ApproximateNumberOfMessages": str(len(queue.messages) - len(delayed)),
                    "ApproximateNumberOfMessagesDelayed": str(len(delayed) - flying),
                    "ApproximateNumberOfMessagesNotVisible": str(flying),
                }
            }

        return self.caller.call("GetQueueAttributes", effect)

    def send_message(self, *, QueueUrl: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        """Send a message."""

        def effect() -> dict[str, Any]:
            sent = self._send(self.queues[QueueUrl], request)
            return {"MessageId": sent.id, "SequenceNumber": str(sent.sequence)}

        return self.caller.call("SendMessage", effect)

    def send_message_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        Entries: Sequence[Mapping[str, Any]],  # noqa: N803
    ) -> dict[str, Any]:
        """Send up to ten messages; each may be refused by itself."""
        if len({entry["Id"] for entry in Entries}) < len(Entries):
            raise refusal("AWS.SimpleQueueService.BatchEntryIdsNotDistinct", "SendMessageBatch")
        if len(Entries) > 10:  # noqa: PLR2004 - SQS's own
            raise refusal("AWS.SimpleQueueService.TooManyEntriesInBatchRequest", "SendMessageBatch")

        def effect() -> dict[str, Any]:
            world, faults = self.caller.world, self.caller.faults
            sent, refused = [], []
            for entry in Entries:
                if world.now < faults.until and world.chance(faults.rate):
                    refused.append(
                        {"Id": entry["Id"], "Code": "InternalError", "SenderFault": False}
                    )
                else:
                    message = self._send(self.queues[QueueUrl], entry)
                    sent.append({"Id": entry["Id"], "MessageId": message.id})
            return {"Successful": sent, **({"Failed": refused} if refused else {})}

        return self.caller.call("SendMessageBatch", effect)

    def receive_message(self, *, QueueUrl: str, **request: Any) -> dict[str, Any]:  # noqa: N803
        """Receive up to ten messages."""

        def effect() -> dict[str, Any]:
            found = self.queues[QueueUrl].receive(
                request.get("MaxNumberOfMessages", 1), request.get("VisibilityTimeout")
            )
            return {"Messages": [_shown(message, request) for message in found]} if found else {}

        return self.caller.call("ReceiveMessage", effect)

    def delete_message(self, *, QueueUrl: str, ReceiptHandle: str) -> dict[str, Any]:  # noqa: N803
        """Delete a message."""

        def effect() -> dict[str, Any]:
            self.queues[QueueUrl].delete(ReceiptHandle)
            return {}

        return self.caller.call("DeleteMessage", effect)

    def change_message_visibility(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        ReceiptHandle: str,  # noqa: N803
        VisibilityTimeout: int,  # noqa: N803
    ) -> dict[str, Any]:
        """Let a message come back then."""

        def effect() -> dict[str, Any]:
            self.queues[QueueUrl].hide(ReceiptHandle, VisibilityTimeout)
            return {}

        return self.caller.call("ChangeMessageVisibility", effect)

    def change_message_visibility_batch(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        Entries: Sequence[Mapping[str, Any]],  # noqa: N803
    ) -> dict[str, Any]:
        """Let messages come back then."""

        def effect() -> dict[str, Any]:
            failed = []
            for entry in Entries:
                try:
                    self.queues[QueueUrl].hide(entry["ReceiptHandle"], entry["VisibilityTimeout"])
                except ClientError as error:
                    failed.append({"Id": entry["Id"], "Code": error.response["Error"]["Code"]})
            return {"Failed": failed} if failed else {}

        return self.caller.call("ChangeMessageVisibilityBatch", effect)

    def _send(self, queue: Queue, request: Mapping[str, Any]) -> Message:
        if "MessageGroupId" not in request:
            raise refusal("MissingParameter", "SendMessage")
        return queue.send(
            request["MessageBody"],
            request["MessageGroupId"],
            request.get("MessageDeduplicationId"),
            request.get("MessageAttributes"),
        )


def _shown(message: Message, request: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message with the attributes that a receive asks for."""
    shown: dict[str, Any] = {
        "MessageId": message.id,
        "ReceiptHandle": message.receipt,
        "Body": message.body,
    }
    of_sqs = {
        "MessageGroupId": message.group,
        "SentTimestamp": str(int(message.sent_at * 1000)),
        "ApproximateReceiveCount": str(message.receives),
        "SequenceNumber": str(message.sequence),
    }
    for part, having, names in (
        ("Attributes", of_sqs, "MessageSystemAttributeNames"),
        ("MessageAttributes", message.attributes, "MessageAttributeNames"),
    ):
        asked = set(request.get(names, ()))
        if found := {name: value for name, value in having.items() if name in asked}:
            shown[part] = found
    return shown
