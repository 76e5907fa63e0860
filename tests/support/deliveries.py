"""Delivering the queue's messages to the lookup function without the event source mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from botocore.config import Config

from local.stack.child import LocalRunError
from local.stack.run import LocalRun
from tests.support.patience import eventually

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

Record = Mapping[str, Any]
"""One message, as it stands in the event that Lambda gets."""

_ONCE = Config(read_timeout=120, retries={"total_max_attempts": 1})
"""An invocation that fails must not be repeated by the SDK."""


@dataclass(frozen=True, slots=True)
class ManualDeliveries:
    """Receives messages and invokes the function with them, as often as a test likes."""

    run: LocalRun
    sqs: SQSClient
    functions: LambdaClient

    def receive(self, *, hidden_for: int) -> Record | None:
        """Receive the first message and hide it for so many seconds; None without one."""
        messages = self.sqs.receive_message(
            QueueUrl=self.run.queue_url,
            VisibilityTimeout=hidden_for,
            MessageSystemAttributeNames=["All"],
        ).get("Messages", [])
        for message in messages:
            return {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": message["Attributes"],
            }
        return None

    def receive_twice(self) -> tuple[Record, Record]:
        """Receive the first message of the queue, and again after its visibility timeout."""
        records: list[Record] = []

        def is_received_twice() -> bool:
            records.extend(filter(None, [self.receive(hidden_for=1)]))
            return len(records) >= 2

        eventually(is_received_twice)
        first, second = records
        assert first["messageId"] == second["messageId"]
        return first, second

    def deliver(self, *records: Record) -> bool:
        """Invoke the function and delete what it is done with; False where something is left.

        Raises LocalRunError where it crashes.
        """
        answer = self.functions.invoke(
            FunctionName=self.run.lookup_function,
            Payload=json.dumps({"Records": records}),
        )
        result = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise LocalRunError(f"lookup failed: {result.get('errorMessage')}")
        failed = {failure["itemIdentifier"] for failure in result["batchItemFailures"]}
        for record in records:
            if record["messageId"] not in failed:
                self._delete(record["receiptHandle"])
        return not failed

    def _delete(self, receipt_handle: str) -> None:
        # A message that was received again since is deleted by that delivery.
        with suppress(self.sqs.exceptions.ReceiptHandleIsInvalid):
            self.sqs.delete_message(QueueUrl=self.run.queue_url, ReceiptHandle=receipt_handle)


@contextmanager
def manual_deliveries(run: LocalRun) -> Iterator[ManualDeliveries]:
    """Switch the event source mapping off for the block."""
    functions = run.session.client("lambda", config=_ONCE)
    (mapping,) = functions.list_event_source_mappings(FunctionName=run.lookup_function)[
        "EventSourceMappings"
    ]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield ManualDeliveries(run, run.session.client("sqs"), functions)
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def redrive(run: LocalRun) -> None:
    """Move all parked messages back into the queue, as the console's redrive does.

    One by one, because the emulator does not know StartMessageMoveTask. A message that is moved is
    a new one: it has a new id and is the last of the queue.
    """
    sqs = run.session.client("sqs")
    parked = run.dead_letter_queue_url
    while messages := sqs.receive_message(
        QueueUrl=parked, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
    ).get("Messages"):
        for message in messages:
            sqs.send_message(
                QueueUrl=run.queue_url,
                MessageBody=message["Body"],
                MessageGroupId=message["Attributes"]["MessageGroupId"],
                MessageDeduplicationId=str(uuid4()),
            )
            sqs.delete_message(QueueUrl=parked, ReceiptHandle=message["ReceiptHandle"])
