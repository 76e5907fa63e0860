"""What a chat channel gets of an alert."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from jsonschema import Draft202012Validator

from ses_insights.contracts.alert_message import notification
from ses_insights.contracts.console import TableAddress
from ses_insights.domain.alert import alerts_in
from ses_insights.domain.insight import Insights
from tests.support.strategies import (
    MESSAGE_ID,
    bounce,
    complaint,
    event,
    insights,
    read,
    response,
)

DETECTED_AT = "2026-11-23T10:15:00.000Z"
TABLE = TableAddress("123456789012", "eu-west-1", "Zoo")
TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT}

# https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
CUSTOM_NOTIFICATION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "source", "content"],
    "properties": {
        "version": {"const": "1.0"},
        "source": {"const": "custom"},
        "id": TEXT,
        "content": {
            "type": "object",
            "additionalProperties": False,
            "required": ["description"],
            "properties": {
                "textType": {"const": "client-markdown"},
                "title": TEXT,
                "description": TEXT,
                "nextSteps": TEXTS,
                "keywords": TEXTS,
            },
        },
        "metadata": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "threadId": TEXT,
                "summary": TEXT,
                "eventType": TEXT,
                "relatedResources": TEXTS,
                "additionalContext": {"type": "object", "additionalProperties": TEXT},
            },
        },
    },
}


def chats(seen: Insights) -> list[Any]:
    """What a chat gets of every alert."""
    alerts = alerts_in(seen, detected_at=DETECTED_AT)
    written = (notification(alert, seen, TABLE, sent_at=DETECTED_AT).chat for alert in alerts)
    return [json.loads(chat) for chat in written if chat]


def test_a_channel_reads_what_happened_and_what_to_do() -> None:
    """Title, words, next steps with the link, and a thread for each message."""
    details = {"BounceType": "PERMANENT", "BounceSubType": "NoEmail", "DiagnosticCode": "550 5.1.1"}
    seen = read(response(event("BOUNCE", Bounce=details)))
    (alert,) = alerts_in(seen, detected_at=DETECTED_AT)
    (chat,) = chats(seen)
    assert chat["id"] == alert.alert_id
    assert chat["content"] == {
        "textType": "client-markdown",
        "title": "Permanent bounce, severity medium",
        "description": "Mail to `ada@example.com` bounced permanently. "
        f"{alert.explanation.cause}\n{alert.explanation.evidence} Account {TABLE.account}, "
        f"{TABLE.region}.\nDiagnostic code: `550 5.1.1`",
        "nextSteps": [
            alert.explanation.next_step,
            f"See the whole story: {TABLE.console_link(MESSAGE_ID)}",
        ],
        "keywords": ["BOUNCE", "medium", "address-unknown"],
    }
    assert chat["metadata"]["threadId"] == MESSAGE_ID


def test_a_complaint_is_called_one() -> None:
    """The title tells bounces and complaints apart."""
    (chat,) = chats(read(response(complaint("fraud"))))
    assert chat["content"]["title"] == "Complaint, severity critical"


def test_the_mail_mentions_nobody_and_links_nowhere() -> None:
    """What somebody writes into an address or an answer alerts no channel and forges no link."""
    evil = "x` <!channel> <https://evil.example|click>\n*now* `"
    details = {"BounceType": "PERMANENT", "DiagnosticCode": evil}
    (chat,) = chats(read(response(event("BOUNCE", Bounce=details), to=evil)))
    words = chat["content"]["description"]
    assert not set("<>") & set(words)
    assert words.count("`") == 4
    assert words.count("\n") == 2


def test_the_subject_stays_out_of_the_channel() -> None:
    """A channel has more readers than a mailbox."""
    (chat,) = chats(read(response(bounce(), Subject="Your diagnosis")))
    assert "diagnosis" not in json.dumps(chat)


@given(insights())
def test_a_channel_gets_every_alert_in_the_schema(seen: Insights) -> None:
    """Chat applications drop what does not fit without a word: so everything fits, and is short."""
    validator = Draft202012Validator(CUSTOM_NOTIFICATION)
    for chat in chats(seen):
        assert list(validator.iter_errors(chat)) == []
        assert len(chat["content"]["title"]) <= 100
        assert len(chat["content"]["description"]) <= 2_000
