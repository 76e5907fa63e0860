"""AWS at the end of a cut wire: botocore signs and parses as ever, and not a byte leaves.

A `Network` stands behind every other ``before-send`` handler of a client, the pace's among them,
where botocore would open a connection. It hands back the bytes AWS would send.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from io import BytesIO
from itertools import pairwise
from typing import cast

from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.hooks import BaseEventHooks

from tests.support.fakes import START, Clock
from tests.support.samples import BOUNCES, MESSAGE_ID

SES = "before-send.sesv2.GetMessageInsights"

ONCE = Config(retries={"total_max_attempts": 1, "mode": "standard"})
"""For clients whose errors are tested: botocore sleeps between its own tries."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP response."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


def insights(**fields: object) -> Reply:
    """SES's answer about a message; its fields replace those of a bounced mail."""
    at = START.timestamp()
    no_email = {"BounceType": "PERMANENT", "BounceSubType": "NoEmail", "DiagnosticCode": "5.1.1"}
    mail: dict[str, object] = {
        "MessageId": MESSAGE_ID,
        "FromEmailAddress": "news@shop.example",
        "Subject": "Hi",
        "EmailTags": [{"Name": "campaign", "Value": "spring"}],
        "Insights": [
            {
                "Destination": BOUNCES,
                "Isp": "Gmail",
                "Events": [
                    {"Timestamp": at, "Type": "SEND"},
                    {"Timestamp": at + 60.25, "Type": "BOUNCE", "Details": {"Bounce": no_email}},
                ],
            }
        ],
    }
    return Reply(200, json.dumps(mail | fields).encode(), {"Content-Type": "application/json"})


def ses_error(status: int, code: str, text: str = "no") -> Reply:
    """An error of SES: its code in a header, with the colon and URL that AWS appends."""
    headers = {
        "x-amzn-ErrorType": f"{code}:http://internal.amazon.com/coral/com.amazonaws.sesv2/",
        "Content-Type": "application/json",
    }
    return Reply(status, json.dumps({"message": text}).encode(), headers)


NOT_FOUND = ses_error(404, "NotFoundException", "Message ID not found for account 123456789012")
REFUSED = ses_error(400, "BadRequestException", "Invalid message id")
THROTTLED = ses_error(429, "TooManyRequestsException", "Rate exceeded")
VDM_OFF = ses_error(
    404,
    "NotFoundException",
    "To use this feature you must enable Virtual Deliverability Manager",
)


def dynamodb_ok(**fields: object) -> Reply:
    """An answer of DynamoDB."""
    return Reply(200, json.dumps(fields).encode(), {"Content-Type": "application/x-amz-json-1.0"})


def dynamodb_error(status: int, code: str, text: str = "no", **fields: object) -> Reply:
    """An error of DynamoDB: its code in the body, behind the namespace."""
    namespace = "com.amazonaws.dynamodb.v20120810"
    body = {"__type": f"{namespace}#{code}", "message": text, **fields}
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/x-amz-json-1.0"})


def cancelled(*reasons: str, text: str = "no") -> Reply:
    """A transaction that DynamoDB did not carry out, with a reason for each action."""
    return dynamodb_error(
        400,
        "TransactionCanceledException",
        f"Transaction cancelled, please refer cancellation reasons for specific reasons {reasons}",
        CancellationReasons=[{"Code": reason, "Message": text} for reason in reasons],
    )


def sns_ok() -> Reply:
    """SNS's answer to Publish."""
    body = (
        '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>'
        "<MessageId>sns-1</MessageId></PublishResult></PublishResponse>"
    )
    return Reply(200, body.encode(), {"Content-Type": "text/xml"})


def sns_error(status: int, code: str, text: str = "no") -> Reply:
    """An error of SNS, in XML."""
    body = (
        '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type>'
        f"<Code>{code}</Code><Message>{text}</Message></Error></ErrorResponse>"
    )
    return Reply(status, body.encode(), {"Content-Type": "text/xml"})


def sqs_ok() -> Reply:
    """SQS's answer to what returns nothing."""
    return Reply(200, b"{}", {"Content-Type": "application/x-amz-json-1.0"})


def sqs_error(status: int, code: str, text: str = "no") -> Reply:
    """An error of SQS: JSON, and the code of the older protocol in a header."""
    headers = {
        "Content-Type": "application/x-amz-json-1.0",
        "x-amzn-query-error": f"{code};Sender",
    }
    body = {"__type": f"com.amazonaws.sqs#{code}", "message": text}
    return Reply(status, json.dumps(body).encode(), headers)


GARBLED = [
    Reply(status, body)
    for status in (200, 400, 500, 503)
    for body in (b"null", b"[]", b'["no"]', b"7", b"true", b'"no"', b"\xff\xfe{")
]
"""Answers over which botocore's JSON parsers fall: no object, or no text."""


@dataclass(slots=True)
class Network:
    """Takes requests where the network begins, and replies from a script."""

    clock: Clock
    script: deque[Reply | BaseException] = field(default_factory=deque)
    """One entry a request; the last one answers all further ones."""
    latency: float = 0.05
    """Seconds from the request's departure to its answer."""
    requests: list[AWSPreparedRequest] = field(default_factory=list)
    departures: list[float] = field(default_factory=list)
    """When each request left, on the monotonic clock."""

    def cut(self, events: BaseEventHooks, event: str = SES) -> None:
        """Take the place of the network for the calls that an event of botocore names."""
        # botocore takes the first answer of a handler; its types know only those without one.
        events.register_last(event, cast("Callable[..., None]", self._reply))

    def restore(self, events: BaseEventHooks, event: str = SES) -> None:
        """Undo `cut`."""
        events.unregister(event, cast("Callable[..., None]", self._reply))

    def will(self, *replies: Reply | BaseException) -> None:
        """Set what the next requests are answered with."""
        self.script = deque(replies)

    @property
    def gaps(self) -> list[float]:
        """Seconds between the departures."""
        return [late - early for early, late in pairwise(self.departures)]

    def _reply(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        self.requests.append(request)
        self.departures.append(self.clock.monotonic)
        self.clock.advance(self.latency)
        reply = self.script.popleft() if len(self.script) > 1 else self.script[0]
        if isinstance(reply, BaseException):
            raise reply
        headers = HTTPHeaders.from_dict(reply.headers)
        return AWSResponse(request.url, reply.status, headers, _Raw(reply.body))


class _Raw(BytesIO):
    """A body as urllib3 hands it over."""

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self.read()
