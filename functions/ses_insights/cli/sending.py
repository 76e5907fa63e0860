"""Sending message ids to the queue, ten at a time, with retries."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from ses_insights.contracts.names import MESSAGE_GROUP
from ses_insights.contracts.queue_message import LookRequest

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

BATCH: Final = 10
"""The most that SendMessageBatch takes."""

TRIES: Final = 5
"""How often an id is sent before it counts as refused; the waits between double from a second."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An id that the queue did not take."""

    message_id: str
    why: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends ids to the queue."""

    client: SQSClient
    queue_url: str
    sleep: Callable[[float], None] = time.sleep

    def send(self, bodies: Mapping[str, str]) -> Iterator[tuple[int, list[Refused]]]:
        """Send bodies, each with the id that it holds, batch by batch.

        Yields, for each batch, how many joined the queue and which were refused for good. Raises
        what boto3 raises. The queue drops an id that is sent again within five minutes.
        """
        pairs = list(bodies.items())
        for start in range(0, len(pairs), BATCH):
            batch = pairs[start : start + BATCH]
            refused = self._send(batch)
            yield len(batch) - len(refused), refused

    def _send(self, batch: Sequence[tuple[str, str]]) -> list[Refused]:
        refused: list[Refused] = []
        retryable: list[Refused] = []
        left = dict(enumerate(batch))
        for attempt in range(TRIES):
            if attempt:
                self.sleep(2 ** (attempt - 1))
            answer = self.client.send_message_batch(
                QueueUrl=self.queue_url,
                Entries=[
                    {"Id": str(number), "MessageBody": text, "MessageGroupId": MESSAGE_GROUP}
                    for number, (_, text) in left.items()
                ],
            )
            failed = answer.get("Failed", [])
            retryable = [
                Refused(left[int(each["Id"])][0], each.get("Message") or each["Code"])
                for each in failed
                if not each["SenderFault"]
            ]
            refused += [
                Refused(left[int(each["Id"])][0], each.get("Message") or each["Code"])
                for each in failed
                if each["SenderFault"]
            ]
            left = {
                int(each["Id"]): left[int(each["Id"])] for each in failed if not each["SenderFault"]
            }
            if not left:
                break
        return [*refused, *retryable]


def body(request: LookRequest, *, force: bool, region: str) -> str:
    """Return the message body for an id; of the input it holds no more than another Region."""
    named = request.message_id
    if request.region not in {None, region}:
        # So that the row can say why SES does not know it.
        named = f"<{named}@{request.region}.amazonses.com>"
    return json.dumps({"MessageId": named, "force": True}) if force else named


def last_look_by(
    now: datetime, *, in_queue: int, sent: int, delay: timedelta, period: float
) -> datetime:
    """Return by when the last id is looked up: after its delay, and the looks before it."""
    return now + delay + timedelta(seconds=(in_queue + sent) * period)
