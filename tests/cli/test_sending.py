"""Sending ids to the queue: in batches, with retries for what passes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest

from ses_insights.cli.sending import TRIES, Refused, Sender, body, last_look_by
from ses_insights.contracts.queue_message import LookRequest, read_body

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
IDS = [f"{number:016}" for number in range(25)]


@dataclass(slots=True)
class Queue:
    """A queue that refuses bodies with the given codes, one code a try."""

    refuses: dict[str, list[str]] = field(default_factory=dict)
    batches: list[list[str]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> Any:  # noqa: N803 - boto3's names
        """Take a batch, but for what is refused."""
        del QueueUrl
        self.batches.append([entry["MessageBody"] for entry in Entries])
        failed = [
            {"Id": entry["Id"], "Code": code, "SenderFault": code == "TooLong"}
            for entry in Entries
            if (codes := self.refuses.get(entry["MessageBody"]))
            for code in [codes.pop(0)]
        ]
        return {"Failed": failed}

    def send(self, *ids: str) -> tuple[int, list[Refused]]:
        """Send through it; returns how many joined, and what was refused for good."""
        sender = Sender(cast("SQSClient", self), "url", self.slept.append)
        done = list(sender.send({each: each for each in ids}))
        return sum(joined for joined, _ in done), [each for _, more in done for each in more]


def test_ids_are_sent_ten_at_a_time_in_order() -> None:
    """Each once."""
    queue = Queue()
    assert queue.send(*IDS) == (25, [])
    assert queue.batches == [IDS[:10], IDS[10:20], IDS[20:]]


def test_a_temporary_refusal_is_retried() -> None:
    """Only that, after waits that double."""
    queue = Queue({IDS[1]: ["InternalError", "InternalError"]})
    assert queue.send(*IDS[:3]) == (3, [])
    assert queue.batches == [IDS[:3], [IDS[1]], [IDS[1]]]
    assert queue.slept == [1, 2]


def test_what_is_refused_at_every_try_is_returned() -> None:
    """After the last try."""
    queue = Queue({IDS[0]: ["InternalError"] * TRIES})
    assert queue.send(*IDS[:2]) == (1, [Refused(IDS[0], "InternalError")])
    assert len(queue.batches) == TRIES


def test_a_fault_of_the_sender_is_not_retried() -> None:
    """It would be refused again; the others still are."""
    queue = Queue({IDS[0]: ["TooLong"], IDS[1]: ["InternalError"]})
    assert queue.send(*IDS[:2]) == (1, [Refused(IDS[0], "TooLong")])
    assert queue.batches == [IDS[:2], [IDS[1]]]


@pytest.mark.parametrize("force", [True, False])
def test_a_body_holds_the_region_only_where_it_is_another(*, force: bool) -> None:
    """Then the row can say why SES does not know the id; else nothing but the id is sent."""
    own, other = (LookRequest(IDS[0], region=each) for each in ("eu-west-1", "eu-central-1"))
    assert (IDS[0] == body(own, force=force, region="eu-west-1")) is not force
    read = read_body(body(other, force=force, region="eu-west-1"))
    assert (read.message_id, read.region, read.force) == (IDS[0], "eu-central-1", force)


def test_the_last_look_comes_after_the_delay_and_those_before() -> None:
    """Queue delay, and a period for each that waits or was sent."""
    by = last_look_by(AT, in_queue=10, sent=5, delay=timedelta(minutes=15), period=2.0)
    assert by == AT + timedelta(minutes=15, seconds=30)
