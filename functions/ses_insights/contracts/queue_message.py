"""A message of the queue, and the SES message id in its body.

What producers may rely on is in docs/enqueue.md. Beyond that, a body that other programs have
wrapped is unwrapped, layer by layer, as long as it means exactly one id.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from ses_insights.contracts.names import MESSAGE_GROUP
from ses_insights.domain.listing import Feedback

# SES writes ids of about 60 characters: hexadecimal groups joined by dashes. The set is kept wider
# than that, but holds nothing that could change the path of the request the id becomes a part of.
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{15,127}")

# Bare, in quotes, as SES's answer over SMTP ("250 Ok ID"), or as the mail's header names it.
_FORM: Final = re.compile(
    r"(?:message-id:\s*|(?:250[ -])?ok:?\s+)?[\"']?"
    r"<?(?P<id>[^<>@\s\"']+)(?:@(?P<host>(?:[a-z0-9-]+\.)*amazonses\.com(?:\.cn)?))?>?[\"']?",
    re.IGNORECASE,
)
_SMTP_ANSWER: Final = re.compile(r"250[ -]ok\b", re.IGNORECASE)
_REGION: Final = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d{1,2}")

_BLANK: Final = " \t\r\n\f\v\u00a0\u200b\ufeff"
"""What may stand around a body: blanks, also those of pages that text is copied from, and the byte
order mark that Windows programs write."""

_BEHIND: Final = _BLANK + ",;."
"""What may stand behind it, where it was cut out of a list or a sentence."""

_MOST_LAYERS: Final = 8
"""Envelopes within envelopes that are opened; real ones have three."""

_SETS_UP: Final = "Successfully validated SNS topic for Amazon SES event publishing"

_SET_UP: Final[Mapping[str, str]] = {
    "SubscriptionConfirmation": "SNS asks to confirm that the queue subscribes to a topic",
    "UnsubscribeConfirmation": "SNS says that the queue no longer subscribes to a topic",
}
"""What SNS sends by itself, by its `Type`."""

_LISTS: Final = ("Records", "Messages", "BulkEmailEntryResults", "Status")
"""Where AWS's events and answers hold several messages; the last is a bulk send's of SES's older
API."""


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

    @property
    def is_foreign(self) -> bool:
        """Whether its message group is another than the one that keeps looks one at a time."""
        return self.group_id != MESSAGE_GROUP


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
    region: str | None = None
    """The Region that the body names, in the id's header form or in an event; None without one."""


class BodyError(Exception):
    """The body of a queue message holds no SES message id.

    ``slug`` names the fault in one word; the text says what is wrong. Neither repeats the body,
    which may hold personal data.
    """

    def __init__(self, slug: str, text: str) -> None:
        super().__init__(f"{slug}: {text}")
        self.slug = slug


class SetUpMessage(BodyError):
    """A message that AWS sends once, when an event destination or a subscription is set up.

    It is about no mail. What set it up worked, so nobody has to act on it.
    """


def read_body(body: str) -> LookRequest:
    """Decode a queue message's body.

    Raises `SetUpMessage` where AWS only says that something was set up, and `BodyError` where the
    body does not mean exactly one id.
    """
    value: object = body
    layers: list[Mapping[str, object]] = []
    for _ in range(_MOST_LAYERS):
        match value:
            case str():
                text = value.strip(_BLANK)
                if not text:
                    raise BodyError("Empty", "the body is empty; send one SES message id")
                text = text.rstrip(_BEHIND)
                if not text.startswith(("{", "[", '"')):
                    return _request(text, layers)
                value = _parsed(text)
                if isinstance(value, str) and not value.strip(_BLANK).startswith(("{", "[")):
                    return _request(value, layers)
            case dict():
                layers.append(value)
                if not _is_envelope(value):
                    return _request(_id_in(value), layers)
                value = _content(value)
            case list():
                value = _only(value)
            case _:
                raise BodyError("NoId", "the envelope holds nothing about a mail")
    raise BodyError("NoId", f"more than {_MOST_LAYERS} envelopes, one in the other")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise BodyError("BadJson", "the body looks like JSON but is not valid JSON") from None


def _only(values: list[object]) -> object:
    if len(values) == 1:
        return values[0]
    if values:
        raise BodyError("SeveralIds", "the body holds several; send one message for each")
    raise BodyError("NoId", "the list in the body is empty")


def _request(text: str, layers: list[Mapping[str, object]]) -> LookRequest:
    message_id, region = _checked(text)
    look = next((layer["look"] for layer in layers if "look" in layer), None)
    about = next(filter(None, (_feedback(layer.get("due")) for layer in layers)), None)
    return LookRequest(
        message_id,
        force=any(layer.get("force") is True for layer in layers),
        look=look if type(look) is int and look > 0 else None,
        due=about is not None or any(layer.get("due") is True for layer in layers),
        about=about,
        region=region or next(filter(None, map(_region_of_event, layers)), None),
    )


def due_body(message_id: str, about: Feedback) -> str:
    """Write the body by which SES's word that something happened brings a look forward."""
    return json.dumps({"MessageId": message_id, "due": about})


def _feedback(due: object) -> Feedback | None:
    """Read what has happened; SES's events spell it ``Bounce`` and ``Complaint``."""
    known = {str(each): each for each in Feedback}
    return known.get(due.upper()) if isinstance(due, str) else None


def _is_envelope(value: Mapping[str, object]) -> bool:
    """Whether an object only carries what matters; its own `MessageId` is not SES's."""
    return (
        _is_sns(value)
        or _is_sqs(value)
        or _is_invocation(value)
        or isinstance(value.get("Sns"), Mapping)  # Lambda's record of an SNS notification
        or ("detail-type" in value and not isinstance(value.get("mail"), Mapping))
        or several_in(value) is not None
    )


def several_in(value: Mapping[str, object]) -> list[object] | None:
    """Return the messages in an event or answer of AWS that holds several; None in another one."""
    if "MessageId" in value or "messageId" in value:
        return None
    lists = (value.get(name) for name in _LISTS)
    return next((each for each in lists if isinstance(each, list)), None)


def _is_sns(value: Mapping[str, object]) -> bool:
    return "TopicArn" in value and "Message" in value


def _is_sqs(value: Mapping[str, object]) -> bool:
    """Whether it is a message of SQS, as Lambda, EventBridge Pipes or ReceiveMessage has it."""
    return ("body" in value and ("receiptHandle" in value or "eventSource" in value)) or (
        "Body" in value and ("ReceiptHandle" in value or "MD5OfBody" in value)
    )


def _is_invocation(value: Mapping[str, object]) -> bool:
    """Whether it is what Lambda sends to a destination once a function is done."""
    return "requestPayload" in value and "requestContext" in value


def _content(envelope: Mapping[str, object]) -> object:
    """Take out what an envelope carries. Raises `SetUpMessage`."""
    if _is_sns(envelope):
        if notice := _SET_UP.get(str(envelope.get("Type"))):
            raise SetUpMessage("SetUp", notice)
        return envelope["Message"]
    if _is_sqs(envelope):
        return envelope.get("body", envelope.get("Body"))
    if _is_invocation(envelope):
        # What the function returned; where it returned nothing or failed, what it was given.
        response = envelope.get("responsePayload")
        failed = isinstance(response, Mapping) and "errorMessage" in response
        return envelope["requestPayload"] if response is None or failed else response
    if "detail-type" in envelope:
        return envelope.get("detail")
    return envelope.get("Sns") or several_in(envelope)


def _id_in(value: Mapping[str, object]) -> str:
    """Find the id in what is no envelope: an event of SES, or an answer to a send."""
    kind, mail = value.get("notificationType"), value.get("mail")
    if kind == "AmazonSnsSubscriptionSucceeded":
        raise SetUpMessage("SetUp", "SES says that it notifies a topic of bounces or complaints")
    is_of_receiving = "receipt" in value and isinstance(mail, Mapping)
    if kind == "Received" or is_of_receiving or value.get("eventSource") == "aws:ses":
        raise BodyError("ReceivedMail", "SES tells of mail that it received, not of mail it sent")
    if "MD5OfMessageBody" in value:
        raise BodyError("NoId", "this is SQS's answer to a send; its MessageId is SQS's own")
    own = [value[name] for name in ("MessageId", "messageId", *value) if _names_an_id(name, value)]
    found = mail.get("messageId") if isinstance(mail, Mapping) else None
    found = next((each for each in (found, *own) if each is not None), None)
    # Beside SES's answer over SMTP, a program's own id may stand, which SES replaced.
    answer = value.get("response")
    if isinstance(answer, str) and _SMTP_ANSWER.match(answer) and not _is_id(found):
        return answer
    if isinstance(found, str):
        return found
    raise BodyError("NoId", "the JSON holds no text in MessageId, messageId or mail.messageId")


def _is_id(found: object) -> bool:
    try:
        return bool(_checked(str(found)))
    except BodyError:
        return False


def _names_an_id(name: str, value: Mapping[str, object]) -> bool:
    """Whether an object has this name and it is one of an id, however its program spells it."""
    return name in value and re.sub("[_-]", "", name).lower() == "messageid"


def _region_of_event(value: Mapping[str, object]) -> str | None:
    """Return the Region of an event of SES: of its EventBridge envelope, or of its identity."""
    mail = value.get("mail")
    arn = mail.get("sourceArn") if isinstance(mail, Mapping) else None
    found = str(arn).split(":")[3:4] if arn else [value.get("region")]
    return next((each for each in map(str, found) if _REGION.fullmatch(each)), None)


def _checked(candidate: str) -> tuple[str, str | None]:
    """Return an id and the Region that stands with it."""
    text = candidate.strip(_BLANK)
    if text.startswith(_SETS_UP):
        raise SetUpMessage("SetUp", "SES says that it may publish its events to a topic")
    form = _FORM.fullmatch(text)
    message_id = form["id"] if form else text
    if not _ID.fullmatch(message_id):
        raise BodyError(
            "NotAnId",
            "not an SES message id; an id has 16 to 128 letters, digits, dashes and underscores",
        )
    host = form["host"] if form else None
    # us-east-1 writes "email" in the place of its name.
    named = (host or "").split(".")[0].lower()
    return message_id, named if _REGION.fullmatch(named) else None
