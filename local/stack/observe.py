"""What a person at the console would see: the rows, the queues, the parked messages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from local.stack.run import LocalRun
from ses_insights.contracts.rows import MESSAGE

Row = Mapping[str, Any]


def messages_in(run: LocalRun, queue_url: str) -> int:
    """Count a queue's messages: waiting, delayed and in flight."""
    sqs = run.session.client("sqs")
    found = sqs.get_queue_attributes(
        QueueUrl=queue_url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
        ],
    )
    return sum(int(count) for count in found["Attributes"].values())


def read_parked(run: LocalRun) -> list[Mapping[str, Any]]:
    """Read the dead-letter queue."""
    sqs = run.session.client("sqs")
    parked: list[Mapping[str, Any]] = []
    while messages := sqs.receive_message(
        QueueUrl=run.dead_letter_queue_url,
        MaxNumberOfMessages=10,
        MessageAttributeNames=["All"],
        VisibilityTimeout=300,
    ).get("Messages"):
        parked.extend(messages)
    return parked


def message_row(run: LocalRun, message_id: str) -> Row | None:
    """Read the row of a message as a whole; None where there is none."""
    table = run.session.resource("dynamodb").Table(run.table_name)
    return table.get_item(Key={"MessageId": message_id, "Record": MESSAGE}).get("Item")


def scan(run: LocalRun) -> Iterator[Row]:
    """Read every row of a message; the table also holds counts, whose partitions begin with #."""
    table = run.session.resource("dynamodb").Table(run.table_name)
    start: dict[str, Any] = {}
    while True:
        page = table.scan(**start)
        yield from (row for row in page["Items"] if not str(row["MessageId"]).startswith("#"))
        if "LastEvaluatedKey" not in page:
            return
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
