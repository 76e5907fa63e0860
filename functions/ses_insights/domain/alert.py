"""Which events raise an alert, the alert's identity, and what its subscribers get.

The message is a contract (``docs/alert.schema.json``). An alert's id is made of what happened, so
the same event raises one alert however often the message is looked at (decision record 5).
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from ses_insights.contracts.console import TableAddress
from ses_insights.domain.explanation import NOBODY_COMPLAINED, Meaning, meaning_of, plain
from ses_insights.domain.insight import UNKNOWN_ISP, Bounce, Complaint, Destination, Event, Insights

SCHEMA_VERSION: Final = "1.0"

SENSITIVE_TAGS: Final = frozenset({"ses:source-ip", "ses:caller-identity"})
"""Auto-Tags that tell about the sender's machines and people; alerts leave the account."""

_ATTRIBUTE_LENGTH: Final = 256
_QUOTE_LENGTH: Final = 500
_MESSAGE_BYTES: Final = 240_000  # SNS takes 256 KiB, attributes included

# The two signs outside the surrogates that SQS, where many alerts go on to, does not take:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
# JSON can spell them.
_SPELLED: Final = str.maketrans({"\ufffe": r"\ufffe", "\uffff": r"\uffff"})


class AlertType(StrEnum):
    """What an alert is about."""

    BOUNCE = "BOUNCE"
    COMPLAINT = "COMPLAINT"


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that happened to one recipient and that somebody should know."""

    alert_id: str
    alert_type: AlertType
    destination: str
    isp: str | None
    event: Event
    detected_at: str
    published_at: str | None = None
    """None while the alert is pending."""
    sns_message_id: str | None = None

    @property
    def meaning(self) -> Meaning:
        """Cause, next step, severity and certainty."""
        return meaning_of(self.event)


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


def alerts_in(insights: Insights, *, detected_at: str) -> tuple[Alert, ...]:
    """Find every alert the insights call for, told or not; one for each thing that happened."""
    found: dict[str, Alert] = {}
    for place in insights.destinations:
        for alert in _alerts_of(insights.message_id, place, detected_at):
            found.setdefault(alert.alert_id, alert)
    return tuple(found.values())


def _alerts_of(message_id: str, place: Destination, detected_at: str) -> Iterator[Alert]:
    for event in place.events:
        what = [message_id, place.address]
        if event.is_permanent_bounce:
            kind = AlertType.BOUNCE
        elif event.is_complaint:
            kind = AlertType.COMPLAINT
            feedback = event.complaint.complaint_feedback_type if event.complaint else None
            what.append(plain(feedback))
        else:
            continue
        yield Alert(
            alert_id=_alert_id(kind, *what),
            alert_type=kind,
            destination=place.address,
            isp=place.isp,
            event=event,
            detected_at=detected_at,
        )


def _alert_id(*what: str) -> str:
    """Name an event by message, destination, alert type and a complaint's feedback type.

    Not by its time: SES may restate that. 128 bits of SHA-256, as hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]


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
    body = json.dumps(_body(alert, insights), ensure_ascii=False).translate(_SPELLED)
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
        "severity": alert.meaning.severity,
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
        "cause": alert.meaning.cause,
        "nextStep": alert.meaning.next_step,
        "detectedAt": alert.detected_at,
    }
    return _without_none(body)


def _email(alert: Alert, insights: Insights, table: TableAddress | None) -> str:
    """Write for a person: what happened and what to do, the facts, and where to read more."""
    bounce, complaint = alert.event.bounce or Bounce(), alert.event.complaint or Complaint()
    facts = {
        "Severity": alert.meaning.severity,
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
    meaning = alert.meaning
    what = f"Mail to {one_line(alert.destination)} {_what_happened(alert)}."
    lines = [
        f"{what} {meaning.cause} {meaning.certainty}",
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
    meaning, bounce = alert.meaning, alert.event.bounce or Bounce()
    what = "Permanent bounce" if alert.alert_type is AlertType.BOUNCE else "Complaint"
    link = table.console_link(insights.message_id) if table else None
    description = [
        f"Mail to {_quoted(alert.destination)} {_what_happened(alert)}. {meaning.cause}",
        meaning.certainty,
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
    return f"SES Insights: {what}, severity {alert.meaning.severity}"


def _attributes(alert: Alert, insights: Insights) -> dict[str, str]:
    bounce, complaint = alert.event.bounce or Bounce(), alert.event.complaint or Complaint()
    is_bounce = alert.alert_type is AlertType.BOUNCE
    candidates = {
        "alertType": alert.alert_type,
        "severity": alert.meaning.severity,
        "bounceSubType": bounce.bounce_sub_type if is_bounce else None,
        "complaintFeedbackType": None if is_bounce else complaint.complaint_feedback_type,
        "isp": alert.isp,
        "fromDomain": domain(insights.from_email_address),
        "destinationDomain": domain(alert.destination),
        "configurationSet": next(iter(insights.email_tags.get("ses:configuration-set", ())), None),
    }
    lines = {name: one_line(value) for name, value in candidates.items() if value}
    return {name: line[:_ATTRIBUTE_LENGTH] for name, line in lines.items() if line}


def domain(address: str | None) -> str | None:
    """Take the domain out of an address, in lower case; None where there is none."""
    match = re.search(r"@([^@\s<>]+)>?\s*$", address or "")
    return match[1].lower() if match else None


def one_line(text: str) -> str:
    """Make text safe to stand in a line: no breaks, no control or direction-changing characters."""
    kept = (" " if unicodedata.category(sign) in {"Zl", "Zp", "Cc"} else sign for sign in text)
    visible = "".join(
        sign
        for sign in kept
        if unicodedata.category(sign) not in {"Cf", "Cs"} and ord(sign) not in _SPELLED
    )
    return " ".join(visible.split())


def pending(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Select the alerts that are stored and not known to be published."""
    return tuple(alert for alert in alerts if alert.published_at is None)


def _without_none(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what SES left out, at every depth."""
    return {
        key: _without_none(value) if isinstance(value, dict) else value
        for key, value in body.items()
        if value is not None
    }
