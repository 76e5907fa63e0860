"""What must hold for the body of any queue message."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from ses_insights.contracts.queue_message import BodyError, LookRequest, read_body
from tools.fuzz.promises import hold

_ID: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{15,127}")

REFUSALS: Final = {
    "Empty: the body is empty; send one SES message id",
    "BadJson: the body looks like JSON but is not valid JSON",
    "NoId: the JSON holds no text in MessageId, messageId or mail.messageId",
    "NoId: the envelope holds nothing about a mail",
    "NoId: the list in the body is empty",
    "NoId: more than 8 envelopes, one in the other",
    "NoId: this is SQS's answer to a send; its MessageId is SQS's own",
    "ReceivedMail: SES tells of mail that it received, not of mail it sent",
    "SeveralIds: the body holds several; send one message for each",
    "SetUp: SNS asks to confirm that the queue subscribes to a topic",
    "SetUp: SNS says that the queue no longer subscribes to a topic",
    "SetUp: SES says that it notifies a topic of bounces or complaints",
    "SetUp: SES says that it may publish its events to a topic",
    "NotAnId: not an SES message id; an id has 16 to 128 letters, digits, dashes and underscores",
}
"""Every text of a refusal. None is made of the body, so none can repeat it."""


def check(data: bytes) -> str:
    """Hold the promises against a body, bytes as they may come; returns what it was, in a word."""
    return check_text(data.decode("utf-8", "surrogateescape"))


def check_text(body: str) -> str:
    """Hold the promises against a body. Raises `BrokenPromise`, or whatever the decoder let out."""
    try:
        request = read_body(body)
    except BodyError as bad:
        hold(str(bad) in REFUSALS, "a refusal is one of a few texts and repeats nothing")
        hold(str(bad).startswith(f"{bad.slug}: "), "the slug is the first word of the text")
        hold(
            bad.__cause__ is None and (bad.__suppress_context__ or bad.__context__ is None),
            "nor does what caused a refusal repeat the body",
        )
        return bad.slug
    _check_request(request, body)
    if request.force:
        return "forced"
    return "forward" if request.due else "due" if request.look else "id"


def _check_request(request: LookRequest, body: str) -> None:
    hold(_ID.fullmatch(request.message_id) is not None, "an id cannot shape the request's path")
    hold(
        any(request.message_id in text for text in _texts(body)),
        "the id is in the body as it came",
    )
    hold(type(request.force) is bool, "force is true or false")
    hold(
        request.region is None or request.region in "".join(_texts(body)).lower(),
        "the Region is in the body",
    )
    hold(type(request.due) is bool, "due is true or false")
    hold(
        request.look is None or (type(request.look) is int and request.look > 0),
        "the number of a look is a whole one from 1",
    )


def _texts(body: str) -> Iterator[str]:
    """Collect every text in a body: itself, and what JSON spells, also JSON within JSON."""
    yield body
    rest: list[object] = [_parsed(body)]
    while rest:
        match rest.pop():
            case str(text):
                yield text
                rest.append(_parsed(text))
            case dict(holder):
                rest += [*holder, *holder.values()]
            case list(values):
                rest += values


def _parsed(text: str) -> object:
    if not text.strip(" \t\r\n\f\v\ufeff").startswith(("{", "[", '"')):
        return None
    try:
        return json.loads(text.strip(" \t\r\n\f\v\ufeff"))
    except (ValueError, RecursionError):
        return None
