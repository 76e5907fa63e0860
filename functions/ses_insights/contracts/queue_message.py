"""A message of the queue, and the SES message id in its body.

The accepted forms are a contract (README, "How a pipeline enqueues"): the bare id, the header
form ``<id@region.amazonses.com>``, a JSON object with ``MessageId`` or ``messageId``, and an SES
event, also inside an SNS or EventBridge envelope.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ses_insights.domain.listing import Feedback

# SES writes ids of about 60 characters: hexadecimal groups joined by dashes. The set is kept wider
# than that, but holds nothing that could change the path of the request the id becomes a part of.
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{15,127}")
_HEADER: Final = re.compile(
    r"<?(?P<id>[^<>@\s]+)@(?:[a-z0-9-]+\.)*amazonses\.com(?:\.cn)?>?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class QueueMessage:
    """One message as Lambda hands it over."""

    id: str
    body: str
    receipt_handle: str
    receive_count: int
    sent_at: datetime
    group_id: str
    sequence_number: str

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> QueueMessage:
        """Read a record of an SQS event."""
        attributes = record["attributes"]
        return cls(
            id=record["messageId"],
            body=record["body"],
            receipt_handle=record["receiptHandle"],
            receive_count=int(attributes["ApproximateReceiveCount"]),
            sent_at=datetime.fromtimestamp(int(attributes["SentTimestamp"]) / 1000, UTC),
            group_id=attributes["MessageGroupId"],
            sequence_number=attributes["SequenceNumber"],
        )


@dataclass(frozen=True, slots=True)
class LookRequest:
    """What a queue message asks for."""

    message_id: str
    force: bool = False
    """Look even where a look is not expected to show anything new."""
    look: int | None = None
    """The number of the look that is due; None where a producer enqueued the id."""
    due: bool = False
    """Look now unless nothing new can be shown: SES has said that something happened."""
    about: Feedback | None = None
    """What that is, where it is known."""


class BodyError(Exception):
    """The body of a queue message holds no SES message id.

    ``slug`` names the fault in one word; the text says what is wrong. Neither repeats the body,
    which may hold personal data.
    """

    def __init__(self, slug: str, text: str) -> None:
        super().__init__(f"{slug}: {text}")
        self.slug = slug


def read_body(body: str) -> LookRequest:
    """Decode a queue message's body. Raises `BodyError` when there is no id in it."""
    text = body.strip()
    if not text:
        raise BodyError("Empty", "the body is empty; send one SES message id")
    if not text.startswith("{"):
        return LookRequest(_checked(text))
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        raise BodyError("BadJson", "the body looks like JSON but is not valid JSON") from None
    look, about = parsed.get("look"), _feedback(parsed.get("due"))
    return LookRequest(
        _checked(_id_in(parsed)),
        force=parsed.get("force") is True,
        look=look if type(look) is int and look > 0 else None,
        due=about is not None or parsed.get("due") is True,
        about=about,
    )


def due_body(message_id: str, about: Feedback) -> str:
    """Write the body by which SES's word that something happened brings a look forward."""
    return json.dumps({"MessageId": message_id, "due": about})


def _feedback(due: object) -> Feedback | None:
    """Read what has happened; SES's events spell it ``Bounce`` and ``Complaint``."""
    known = {str(each): each for each in Feedback}
    return known.get(due.upper()) if isinstance(due, str) else None


def _id_in(body: Mapping[str, object]) -> str:
    """Find the id in any of the JSON forms.

    The envelopes come first: an SNS notification has a MessageId of its own, which is not SES's.
    """
    event = _unwrapped(body)
    mail = event.get("mail")
    found = mail.get("messageId") if isinstance(mail, Mapping) else None
    if found is None and event is body:
        found = body.get("MessageId", body.get("messageId"))
    if isinstance(found, str):
        return found
    raise BodyError("NoId", "the JSON holds no text in MessageId, messageId or mail.messageId")


def _unwrapped(body: Mapping[str, object]) -> Mapping[str, object]:
    """Take an SES event out of its SNS or EventBridge envelope."""
    inner: object = body
    if "TopicArn" in body and "Message" in body:
        try:
            inner = json.loads(str(body["Message"]))
        except (ValueError, RecursionError):
            raise BodyError("BadJson", "the SNS notification's Message is not valid JSON") from None
    if isinstance(inner, Mapping) and "detail-type" in inner:
        inner = inner.get("detail")
    if not isinstance(inner, Mapping):
        raise BodyError("NoId", "the envelope holds no SES event")
    return inner


def _checked(candidate: str) -> str:
    header = _HEADER.fullmatch(candidate.strip())
    message_id = header["id"] if header else candidate.strip()
    if _ID.fullmatch(message_id):
        return message_id
    raise BodyError(
        "NotAnId",
        "not an SES message id; an id has 16 to 128 letters, digits, dashes and underscores",
    )
