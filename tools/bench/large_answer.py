"""The processor time that an answer of SES about a crowd of recipients takes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from ses_insights.adapters.records import RecordTable
from ses_insights.adapters.ses_response import read_insights
from ses_insights.domain.explanation import explain_bounce
from ses_insights.domain.record import Found, Record, Rules, after_look
from ses_insights.domain.schedule import Ladder
from tools.fuzz import responses

RECIPIENTS: Final = 1_500
ALLOWED: Final = 8 * 256 / 1769
"""Seconds of a whole processor that 256 MB have in the 8 s kept for storing (decision record 2).

1,769 MB have one: https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
"""

_RUNS: Final = 5
_RULES: Final = Rules(Ladder(), timedelta(days=90))
_NOW: Final = datetime(2026, 11, 23, 10, tzinfo=UTC)


class _Stored:
    """DynamoDB's answer to a write, on no network."""

    def stream(self) -> Iterator[bytes]:
        """Return the body."""
        yield b"{}"


def seconds() -> float:
    """The least of some runs, each from the bytes of the answer to the requests that store it."""
    client = boto3.client(
        "dynamodb",
        region_name="eu-west-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",  # noqa: S106 - no request leaves
    )
    stored: Any = lambda **_: AWSResponse("", 200, HTTPHeaders(), _Stored())  # noqa: E731 - typed
    client.meta.events.register("before-send.dynamodb", stored)
    table = RecordTable(client, "Insights")
    body = _answer()
    return min(_look(table, body) for _ in range(_RUNS))


def _look(table: RecordTable, body: bytes) -> float:
    explain_bounce.cache_clear()
    began = time.process_time()
    said = responses.parsed(body) or {}
    before = Record.new(responses.MESSAGE_ID, _NOW, _RULES)
    found = Found(read_insights(said, responses.MESSAGE_ID))
    record, alerts = after_look(before, found, now=_NOW, rules=_RULES)
    table.save(record, alerts, read=None)
    return time.process_time() - began


def _answer() -> bytes:
    sent = int(_NOW.timestamp())
    return json.dumps(
        {"Insights": [_insight(number, sent) for number in range(RECIPIENTS)]}
    ).encode()


def _insight(number: int, sent: int) -> dict[str, Any]:
    address = f"reader-{number}@example.com"
    said = f"smtp; 550 5.1.1 <{address}>: Recipient address rejected: User unknown"
    bounce = {"BounceType": "PERMANENT", "BounceSubType": "General", "DiagnosticCode": said}
    return {
        "Destination": address,
        "Isp": "Gmail",
        "Events": [
            {"Type": "SEND", "Timestamp": sent},
            {"Type": "BOUNCE", "Timestamp": sent + 1, "Details": {"Bounce": bounce}},
        ],
    }
