"""A subscriber to the alert topic: an SQS queue, as a ticket system or a chat bridge has one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Received:
    """One alert as it reached the subscriber."""

    body: dict[str, Any]
    """The JSON of the alert's contract."""
    attributes: dict[str, str]
    """The message attributes that filter policies work on."""
    subject: str


@dataclass(slots=True)
class Subscriber:
    """Reads what the alert topic publishes."""

    sqs: SQSClient
    queue_url: str
    received: list[Received] = field(default_factory=list)

    @classmethod
    def subscribe(
        cls,
        session: boto3.Session,
        topic_arn: str,
        *,
        name: str = "alert-subscriber",
        filter_policy: str | None = None,
    ) -> Self:
        """Create a queue, let the topic send to it, and subscribe it with the filter policy."""
        sqs, sns = session.client("sqs"), session.client("sns")
        queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
        queue_arn = attributes["Attributes"]["QueueArn"]
        policy = {
            "Version": "2012-10-17",
            "Statement": {
                "Effect": "Allow",
                "Principal": {"Service": "sns.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": queue_arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
            },
        }
        sqs.set_queue_attributes(QueueUrl=queue_url, Attributes={"Policy": json.dumps(policy)})
        sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=queue_arn,
            Attributes={"FilterPolicy": filter_policy} if filter_policy else {},
        )
        return cls(sqs, queue_url)

    def read(self) -> list[Received]:
        """Take what has come since the last read."""
        new = list(self._take())
        self.received.extend(new)
        return new

    def _take(self) -> Iterator[Received]:
        while messages := self.sqs.receive_message(
            QueueUrl=self.queue_url, MaxNumberOfMessages=10
        ).get("Messages"):
            for message in messages:
                envelope = json.loads(message["Body"])
                yield Received(
                    body=json.loads(envelope["Message"]),
                    attributes={
                        name: value["Value"]
                        for name, value in envelope.get("MessageAttributes", {}).items()
                    },
                    subject=envelope.get("Subject", ""),
                )
                self.sqs.delete_message(
                    QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"]
                )
