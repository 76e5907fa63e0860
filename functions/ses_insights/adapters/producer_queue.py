"""The back of the line of message ids, where follow-ups are put."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ses_insights.adapters.aws_errors import failing_as
from ses_insights.domain.due import Claim
from ses_insights.domain.failures import Kind

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

GROUP: Final = "looks"
"""Every message of the queue has the same group, so one is in flight at a time."""


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages the queue holds; SQS calls each of these approximate."""

    visible: int
    delayed: int
    in_flight: int


@dataclass(frozen=True, slots=True)
class BackOfTheLine:
    """The FIFO queue, from behind."""

    client: SQSClient
    queue_url: str

    def depth(self) -> Depth:
        """Ask how many wait. Raises `SystemFailure`."""
        with failing_as(Kind.SQS, "GetQueueAttributes"):
            found = self.client.get_queue_attributes(
                QueueUrl=self.queue_url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesDelayed",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )["Attributes"]
        return Depth(
            visible=int(found["ApproximateNumberOfMessages"]),
            delayed=int(found["ApproximateNumberOfMessagesDelayed"]),
            in_flight=int(found["ApproximateNumberOfMessagesNotVisible"]),
        )

    def send(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        """Put up to ten claimed messages into the queue; returns those that it refused.

        Raises `SystemFailure` where it took none.
        """
        with failing_as(Kind.SQS, "SendMessageBatch"):
            answer = self.client.send_message_batch(
                QueueUrl=self.queue_url,
                Entries=[
                    {
                        "Id": str(number),
                        "MessageBody": json.dumps(
                            {"MessageId": claim.row.message_id, "look": claim.look}
                        ),
                        "MessageGroupId": GROUP,
                        "MessageDeduplicationId": _deduplication_id(claim),
                    }
                    for number, claim in enumerate(claims)
                ],
            )
        return [claims[int(entry["Id"])] for entry in answer.get("Failed", [])]


def _deduplication_id(claim: Claim) -> str:
    """Name this look at this message, due at this time.

    With the message alone, SQS would drop a second look within five minutes as a duplicate.
    """
    what = json.dumps([claim.row.message_id, claim.look, claim.row.next_look_at])
    return hashlib.sha256(what.encode()).hexdigest()
