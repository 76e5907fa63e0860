"""Messages, answers and records that the tests share."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from ses_insights.contracts.console import TableAddress
from ses_insights.contracts.names import MESSAGE_GROUP
from ses_insights.contracts.queue_message import QueueMessage
from ses_insights.domain.alert import Alert, alerts_in
from ses_insights.domain.insight import Bounce, Complaint, Destination, Event, Insights
from ses_insights.domain.record import Answer, Found, Record, Rules, after_look
from ses_insights.domain.schedule import Ladder
from ses_insights.domain.times import iso
from tests.support.fakes import START

MESSAGE_ID: Final = "0106019fa36a2608-6c9654bb-dc58-4957-8828-68360c1c2d10-000000"
OTHER_ID: Final = "0106019fa36a2608-00000000-dc58-4957-8828-68360c1c2d10-000000"

RULES: Final = Rules(Ladder(), retention=timedelta(days=90))

QUEUE_URL: Final = "https://sqs.eu-west-1.amazonaws.com/123456789012/MessageIds.fifo"
DEAD_LETTERS_URL: Final = "https://sqs.eu-west-1.amazonaws.com/123456789012/DeadLetters.fifo"
TABLE_ADDRESS: Final = TableAddress("123456789012", "eu-west-1", "Insights")

MESSAGE: Final = QueueMessage(
    id="5f2a3c1e-0000-4000-8000-000000000001",
    body="anna@there.example is no message id",
    receipt_handle="handle-1",
    receive_count=1,
    sent_at=START - timedelta(minutes=14, milliseconds=123),
    group_id=MESSAGE_GROUP,
    sequence_number="18849496460467696128",
)

BOUNCES: Final = "bounces@there.example"
COMPLAINS: Final = "complains@there.example"
READS: Final = "reads@there.example"


def event(kind: str, minutes: float = 0, **details: Bounce | Complaint) -> Event:
    """An event so many minutes after the start."""
    return Event(
        type=kind,
        timestamp=iso(START + timedelta(minutes=minutes)),
        bounce=details.get("bounce"),  # type: ignore[arg-type] # named as the field is
        complaint=details.get("complaint"),  # type: ignore[arg-type] # named as the field is
    )


def bounced(address: str = BOUNCES) -> Destination:
    """A recipient whose address does not exist."""
    refused = event("BOUNCE", 1, bounce=Bounce("PERMANENT", "NoEmail", "smtp; 550 5.1.1 unknown"))
    return Destination(address, "Gmail", (event("SEND"), refused))


def complained(address: str = COMPLAINS) -> Destination:
    """A recipient who pressed "spam"."""
    spam = event("COMPLAINT", 2, complaint=Complaint(None, "abuse"))
    return Destination(address, "Yahoo", (event("SEND"), event("DELIVERY", 1), spam))


def delivered(address: str = READS) -> Destination:
    """A recipient of whom more may be heard."""
    return Destination(address, None, (event("SEND"), event("DELIVERY", 1)))


def insights_of(
    *destinations: Destination, message_id: str = MESSAGE_ID, subject: str = "Hi"
) -> Insights:
    """What SES shows of a message to these recipients."""
    return Insights(
        message_id,
        from_email_address="news@shop.example",
        subject=subject,
        email_tags={"campaign": ("spring",)},
        destinations=tuple(sorted(destinations, key=lambda destination: destination.address)),
    )


def found(*destinations: Destination) -> Found:
    """An answer of SES that knows the message."""
    return Found(insights_of(*destinations))


def looked(
    answer: Answer,
    stored: Record | None = None,
    *,
    now: datetime = START,
    message_id: str = MESSAGE_ID,
) -> tuple[Record, tuple[Alert, ...]]:
    """What a look makes of an answer: the record and its new alerts."""
    before = stored or Record.new(message_id, START, RULES)
    return after_look(before, answer, now=now, rules=RULES)


def published(alert: Alert, as_what: str = "sns-1", at: datetime = START) -> Alert:
    """The alert, published."""
    return replace(alert, published_at=iso(at), sns_message_id=as_what)


def alerts_of(insights: Insights) -> frozenset[str]:
    """The ids of every alert that insights call for."""
    return frozenset(alert.alert_id for alert in alerts_in(insights, detected_at=iso(START)))


def lambda_record(**attributes: str) -> dict[str, Any]:
    """`MESSAGE`, as Lambda hands it over from a FIFO queue."""
    return {
        "messageId": MESSAGE.id,
        "receiptHandle": MESSAGE.receipt_handle,
        "body": MESSAGE.body,
        "attributes": {
            "ApproximateReceiveCount": str(MESSAGE.receive_count),
            "SentTimestamp": f"{MESSAGE.sent_at.timestamp() * 1000:.0f}",
            "SequenceNumber": MESSAGE.sequence_number,
            "MessageGroupId": MESSAGE.group_id,
            "SenderId": "AIDA",
            "MessageDeduplicationId": "d",
            "ApproximateFirstReceiveTimestamp": "1795428000000",
            **attributes,
        },
        "messageAttributes": {},
        "md5OfBody": "x",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:MessageIds.fifo",
        "awsRegion": "eu-west-1",
    }
