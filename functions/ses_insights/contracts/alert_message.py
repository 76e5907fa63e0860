"""What subscribers get of an alert: JSON for programs, text for people, a card for a chat channel.

The message is a contract (``docs/alert.schema.json``).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any, Final

from ses_insights.contracts.console import TableAddress
from ses_insights.contracts.text import SPELLED, domain_of, one_line
from ses_insights.domain.alert import Alert, AlertType
from ses_insights.domain.explanation import NOBODY_COMPLAINED, plain
from ses_insights.domain.insight import UNKNOWN_ISP, Bounce, Complaint, Event, Insights

SCHEMA_VERSION: Final = "1.0"

SENSITIVE_TAGS: Final = frozenset({"ses:source-ip", "ses:caller-identity"})
"""Auto-Tags that tell about the sender's machines and people; alerts leave the account."""

_ATTRIBUTE_LENGTH: Final = 256
_QUOTE_LENGTH: Final = 500
_MESSAGE_BYTES: Final = 240_000  # SNS takes 256 KiB, attributes included


@dataclass(frozen=True, slots=True)
class Notification:
    """An alert as SNS takes it."""

    subject: str
    """ASCII, one line, at most 100 characters, nothing of the mail in it."""
    message: str
    """JSON for ``MessageStructure=json``: ``default`` for programs, ``email`` for people."""
    chat: str
    """JSON in the schema of custom notifications, for AWS's chat applications."""
    attributes: dict[str, str]
    """For subscription filter policies; only those that exist."""


def notification(
    alert: Alert, insights: Insights, table: TableAddress | None = None
) -> Notification:
    """Write an alert for its subscribers; with ``table``, people read where the whole story is.

    Tags that would make it larger than SNS takes are left out; they are in the table.
    """
    message = _message(alert, insights, table)
    if len(message.encode()) > _MESSAGE_BYTES:
        message = _message(alert, replace(insights, email_tags={}), table)
    return Notification(
        subject=_subject(alert),
        message=message,
        chat=_chat(alert, insights, table),
        attributes=_attributes(alert, insights),
    )


def _message(alert: Alert, insights: Insights, table: TableAddress | None) -> str:
    body = json.dumps(_body(alert, insights), ensure_ascii=False).translate(SPELLED)
    email = _email(alert, insights, table)
    return json.dumps({"default": body, "email": email}, ensure_ascii=False)


def event_body(event: Event) -> dict[str, Any]:
    """Write an event as the alert's contract has it; fields that SES left out are left out."""
    body: dict[str, Any] = {"timestamp": event.timestamp, "type": event.type}
    if event.bounce:
        body["bounce"] = {
            "bounceType": event.bounce.bounce_type,
            "bounceSubType": event.bounce.bounce_sub_type,
            "diagnosticCode": event.bounce.diagnostic_code,
        }
    if event.complaint:
        body["complaint"] = {
            "complaintSubType": event.complaint.complaint_sub_type,
            "complaintFeedbackType": event.complaint.complaint_feedback_type,
        }
    return _without_none(body)


def _body(alert: Alert, insights: Insights) -> dict[str, Any]:
    body: dict[str, Any] = {
        "schemaVersion": SCHEMA_VERSION,
        "alertId": alert.alert_id,
        "alertType": alert.alert_type,
        "severity": alert.explanation.severity,
        "messageId": insights.message_id,
        "destination": alert.destination,
        "isp": alert.isp,
        "fromEmailAddress": insights.from_email_address,
        "subject": insights.subject,
        "emailTags": {
            name: list(values)
            for name, values in insights.email_tags.items()
            if name not in SENSITIVE_TAGS
        },
        "event": event_body(alert.event),
        "cause": alert.explanation.cause,
        "nextStep": alert.explanation.next_step,
        "detectedAt": alert.detected_at,
    }
    return _without_none(body)


def _email(alert: Alert, insights: Insights, table: TableAddress | None) -> str:
    """Write for a person: what happened and what to do, the facts, and where to read more."""
    bounce, complaint = alert.event.bounce or Bounce(), alert.event.complaint or Complaint()
    facts = {
        "Severity": alert.explanation.severity,
        "To": alert.destination,
        "From": insights.from_email_address,
        "Subject": insights.subject,
        "Mailbox provider": None if alert.isp == UNKNOWN_ISP else alert.isp,
        "When": alert.event.timestamp,
        "Bounce subtype": bounce.bounce_sub_type,
        "Diagnostic code": bounce.diagnostic_code,
        "Complaint subtype": complaint.complaint_sub_type,
        "Feedback type": complaint.complaint_feedback_type,
        "SES message id": insights.message_id,
        "Alert id": alert.alert_id,
    }
    meaning = alert.explanation
    what = f"Mail to {one_line(alert.destination)} {_what_happened(alert)}."
    lines = [
        f"{what} {meaning.cause} {meaning.confidence}",
        f"What to do: {meaning.next_step}",
        "",
        *(f"{name}: {one_line(value)}" for name, value in facts.items() if value),
    ]
    if table:
        lines += ["", *table.ways_to(one_line(insights.message_id))]
    return "\n".join(lines)


def _what_happened(alert: Alert) -> str:
    if alert.alert_type is AlertType.BOUNCE:
        return "bounced permanently"
    feedback = alert.event.complaint.complaint_feedback_type if alert.event.complaint else None
    return "drew a report" if plain(feedback) in NOBODY_COMPLAINED else "drew a complaint"


def _chat(alert: Alert, insights: Insights, table: TableAddress | None) -> str:
    """Write for a chat channel; what does not fit the schema would be dropped without a word.

    https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
    The subject of the mail stays out: a channel has more readers than a mailbox.
    """
    meaning, bounce = alert.explanation, alert.event.bounce or Bounce()
    what = "Permanent bounce" if alert.alert_type is AlertType.BOUNCE else "Complaint"
    link = table.console_link(insights.message_id) if table else None
    description = [
        f"Mail to {_quoted(alert.destination)} {_what_happened(alert)}. {meaning.cause}",
        meaning.confidence,
    ]
    if bounce.diagnostic_code:
        description.append(f"Diagnostic code: {_quoted(bounce.diagnostic_code)}")
    notification: dict[str, Any] = {
        "version": "1.0",
        "source": "custom",
        "id": alert.alert_id,
        "content": {
            "textType": "client-markdown",
            "title": f"{what}, severity {meaning.severity}",
            "description": "\n".join(description),
            "nextSteps": [meaning.next_step, *([f"See the whole story: {link}"] if link else [])],
            "keywords": [str(alert.alert_type), str(meaning.severity)],
        },
        "metadata": {
            "threadId": insights.message_id,
            "summary": f"{what}, severity {meaning.severity}",
            "eventType": "SesInsightsAlert",
            "relatedResources": [insights.message_id],
            "additionalContext": {"alertId": alert.alert_id, "messageId": insights.message_id},
        },
    }
    return json.dumps(notification, ensure_ascii=False)


def _quoted(text: str) -> str:
    """Show a text of the mail so that no chat takes it for a mention, a link or a format."""
    return f"`{re.sub('[`<>]', '', one_line(text))[:_QUOTE_LENGTH]}`"


def _subject(alert: Alert) -> str:
    what = "permanent bounce" if alert.alert_type is AlertType.BOUNCE else "complaint"
    return f"SES Insights: {what}, severity {alert.explanation.severity}"


def _attributes(alert: Alert, insights: Insights) -> dict[str, str]:
    bounce, complaint = alert.event.bounce or Bounce(), alert.event.complaint or Complaint()
    is_bounce = alert.alert_type is AlertType.BOUNCE
    candidates = {
        "alertType": alert.alert_type,
        "severity": alert.explanation.severity,
        "bounceSubType": bounce.bounce_sub_type if is_bounce else None,
        "complaintFeedbackType": None if is_bounce else complaint.complaint_feedback_type,
        "isp": alert.isp,
        "fromDomain": domain_of(insights.from_email_address),
        "destinationDomain": domain_of(alert.destination),
        "configurationSet": next(iter(insights.email_tags.get("ses:configuration-set", ())), None),
    }
    lines = {name: one_line(value) for name, value in candidates.items() if value}
    return {name: line[:_ATTRIBUTE_LENGTH] for name, line in lines.items() if line}


def _without_none(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what SES left out, at every depth."""
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in body.items()
        if value is not None
    }
