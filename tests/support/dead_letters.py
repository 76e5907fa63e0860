"""Messages in the dead-letter queue of a running stack."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from local.stack.run import LocalRun
from ses_insights.contracts.names import MESSAGE_GROUP


@contextmanager
def two_parked(run: LocalRun, message_id: str) -> Iterator[None]:
    """Two messages for two reasons, one of them with this id; none is left after the block."""
    sqs, url = run.session.client("sqs"), run.dead_letter_queue_url
    sqs.purge_queue(QueueUrl=url)
    for body, reason in (("anna", "NotAnId: no id"), (message_id, "Unexpected: KeyError")):
        sqs.send_message(
            QueueUrl=url,
            MessageBody=body,
            MessageGroupId=MESSAGE_GROUP,
            MessageDeduplicationId=os.urandom(8).hex(),
            MessageAttributes={"Reason": {"DataType": "String", "StringValue": reason}},
        )
    yield
    sqs.purge_queue(QueueUrl=url)
