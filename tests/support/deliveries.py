"""Handing the queue's messages to the lookup function by hand, as an event source mapping does."""

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

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_sqs import SQSClient

Record = Mapping[str, Any]
"""One message, as it stands in the event that Lambda gets."""

_ONCE = Config(read_timeout=120, retries={"total_max_attempts": 1})
"""An invocation that fails must not be repeated behind the caller's back."""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Receives and delivers; each as often as the caller likes, and several at once."""

    run: LocalRun
    sqs: SQSClient
    functions: LambdaClient

    def receive(self, *, hidden_for: int) -> Record | None:
        """Take the first message, which others do not see for so many seconds; None without one."""
        messages = self.sqs.receive_message(
            QueueUrl=self.run.outputs["QueueUrl"],
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

    def deliver(self, *records: Record) -> bool:
        """Invoke the function, and delete what it is done with; False where it is not with all.

        Raises LocalRunError where it crashes.
        """
        answer = self.functions.invoke(
            FunctionName=self.run.outputs["LookupFunctionName"],
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
        # What was received again since is another delivery's to delete.
        with suppress(self.sqs.exceptions.ReceiptHandleIsInvalid):
            self.sqs.delete_message(
                QueueUrl=self.run.outputs["QueueUrl"], ReceiptHandle=receipt_handle
            )


@contextmanager
def by_hand(run: LocalRun) -> Iterator[Deliveries]:
    """Keep the event source mapping from delivering anything for as long as the block lasts."""
    functions = run.session.client("lambda", config=_ONCE)
    (mapping,) = functions.list_event_source_mappings(
        FunctionName=run.outputs["LookupFunctionName"]
    )["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    try:
        yield Deliveries(run, run.session.client("sqs"), functions)
    finally:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def redrive(run: LocalRun) -> None:
    """Move all parked messages back into the queue, as the console's redrive does.

    By hand, because the emulator does not know StartMessageMoveTask. A message that is moved is a
    new one: it has a new id and a new place in the line.
    """
    sqs = run.session.client("sqs")
    parked = run.outputs["DeadLetterQueueUrl"]
    while messages := sqs.receive_message(
        QueueUrl=parked, MaxNumberOfMessages=10, MessageSystemAttributeNames=["MessageGroupId"]
    ).get("Messages"):
        for message in messages:
            sqs.send_message(
                QueueUrl=run.outputs["QueueUrl"],
                MessageBody=message["Body"],
                MessageGroupId=message["Attributes"]["MessageGroupId"],
                MessageDeduplicationId=str(uuid4()),
            )
            sqs.delete_message(QueueUrl=parked, ReceiptHandle=message["ReceiptHandle"])
