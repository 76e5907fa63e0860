"""How soon the queue hands out again a message that a function has died with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from local.stack.run import LocalRun


@contextmanager
def redelivered_after(run: LocalRun, seconds: int) -> Iterator[None]:
    """Shorten the queue's visibility timeout for the block.

    The stack has six times the function's time-out, three minutes, which is long to wait for.
    """
    sqs, queue_url = run.session.client("sqs"), run.queue_url
    found = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["VisibilityTimeout"])
    before = found["Attributes"]["VisibilityTimeout"]
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"VisibilityTimeout": str(seconds)})
    yield
    sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"VisibilityTimeout": before})
