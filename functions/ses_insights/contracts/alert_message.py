"""What subscribers get of an alert: JSON for programs, text for people, a card for a chat channel.

The message is a contract (``docs/alert.schema.json``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from ses_insights.contracts.console import TableAddress
from ses_insights.contracts.text import SPELLED, ascii_domain, domain_of, one_line
from ses_insights.domain.alert import Alert, AlertType, Grouping
from ses_insights.domain.explanation import is_complaint_of_a_person
from ses_insights.domain.insight import UNKNOWN_ISP, Bounce, Complaint, Event, Insights

SCHEMA_VERSION: Final = "1.1"

SENSITIVE_TAGS: Final = frozenset({"ses:source-ip", "ses:caller-identity"})
"""Auto-Tags that tell about the sender's machines and people; alerts leave the account."""

CONFIGURATION_SET: Final = "ses:configuration-set"
"""The Auto-Tag with the name of the configuration set."""

_AUTO_TAG: Final = "ses:"
_ATTRIBUTE_LENGTH: Final = 256
_QUOTE_LENGTH: Final = 500
_TAGS_LENGTH: Final = 1_000  # of the tags' line in an e-mail
SUBJECT_LENGTH: Final = 100  # https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
MESSAGE_BYTES: Final = 240_000  # SNS takes 256 KiB, attributes included


@dataclass(frozen=True, slots=True)
class Notification:
    """An alert or a summary as SNS takes it."""

    subject: str
    """ASCII, one line, at most 100 characters; of the mail nothing but the sender's domain."""
    message: str
    """JSON for ``MessageStructure=json``: ``default`` for programs, ``email`` for people."""
    chat: str | None
    """JSON in the schema of custom notifications; None where no chat is to get it."""
    attributes: dict[str, str]
    """For subscription filter policies; only those that exist, ten at most.

    Raw delivery to SQS drops a message with more:
    https://docs.aws.amazon.com/sns/latest/dg/sns-message-attributes.html
    """


def notification(
    alert: Alert, insights: Insights, table: TableAddress, *, sent_at: str
) -> Notification:
    """Write an alert for its subscribers; people read in it where the whole story is.

    Tags that would make it larger than SNS takes are left out; they are in the table.
    """
    message = _message(alert, insights, table, sent_at)
    if len(message.encode()) > MESSAGE_BYTES:
        message = _message(alert, replace(insights, email_tags={}), table, sent_at)
    is_for_people = alert.grouping is not Grouping.GROUPED
    return Notification(
        subject=_subject(alert, insights),
        message=message,
        chat=_chat(alert, insights, table) if is_for_people else None,
        attributes=_attributes(alert, insights),
    )


def sns_message(body: Mapping[str, Any], email: str) -> str:
    """Put what programs get and what people get into one message, for SNS to choose from."""
    default = json.dumps(body, ensure_ascii=False).translate(SPELLED)
    return json.dumps({"default": default, "email": email}, ensure_ascii=False)


def _message(alert: Alert, insights: Insights, table: TableAddress, sent_at: str) -> str:
    return sns_message(
        _body(alert, insights, table, sent_at), _email(alert, insights, table, sent_at)
    )


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
    return without_none(body)


def _body(alert: Alert, insights: Insights, table: TableAddress, sent_at: str) -> dict[str, Any]:
    explanation = alert.explanation
    return without_none(
        {
            "schemaVersion": SCHEMA_VERSION,
            "alertId": alert.alert_id,
            "alertType": alert.alert_type,
            "severity": explanation.severity,
            "reason": explanation.reason,
            "action": explanation.action,
            "confidence": explanation.confidence,
            "messageId": insights.message_id,
            "destination": alert.destination,
            "isp": alert.isp,
            "fromEmailAddress": insights.from_email_address,
            "subject": insights.subject,
            "configurationSet": configuration_set(insights.email_tags),
            "emailTags": {
                name: list(values) for name, values in shareable(insights.email_tags).items()
            },
            "event": event_body(alert.event),
            "cause": explanation.cause,
            "nextStep": explanation.next_step,
            "sentAt": sent_at,
            "detectedAt": alert.detected_at,
            "account": table.account,
            "region": table.region,
            "consoleUrl": table.console_link(insights.message_id),
            "source": alert.source,
        }
    )


def _email(alert: Alert, insights: Insights, table: TableAddress, sent_at: str) -> str:
    """Write for a person: what happened and what to do, the facts, and where to read more."""
    bounce, complaint = alert.event.bounce or Bounce(), alert.event.complaint or Complaint()
    explanation = alert.explanation
    own_tags = (
        f"{name}={value}"
        for name, values in sorted(insights.email_tags.items())
        if not name.startswith(_AUTO_TAG)
        for value in values
    )
    facts = {
        "Tags": ", ".join(own_tags)[:_TAGS_LENGTH],
        "Configuration set": configuration_set(insights.email_tags),
        "To": alert.destination,
        "From": insights.from_email_address,
        "Subject": insights.subject,
        "Sent": sent_at,
        "Happened": alert.event.timestamp,
        "Severity": explanation.severity,
        "Reason": explanation.reason,
        "Confidence": explanation.confidence,
        "Mailbox provider": None if alert.isp == UNKNOWN_ISP else alert.isp,
        "Bounce subtype": bounce.bounce_sub_type,
        "Diagnostic code": bounce.diagnostic_code,
        "Complaint subtype": complaint.complaint_sub_type,
        "Feedback type": complaint.complaint_feedback_type,
        "SES message id": insights.message_id,
        "Alert id": alert.alert_id,
        "AWS account and Region": f"{table.account} {table.region}",
    }
    what = f"Mail to {one_line(alert.destination)} {_what_happened(alert)}."
    return "\n".join(
        [
            f"{what} {explanation.cause} {explanation.evidence}".rstrip(),
            f"What to do: {explanation.next_step}",
            "",
            *fact_lines(facts),
            "",
            *table.ways_to(one_line(insights.message_id)),
        ]
    )


def fact_lines(facts: Mapping[str, str | None]) -> Iterable[str]:
    """Write each fact that there is in a line of its own."""
    return (f"{name}: {one_line(value)}" for name, value in facts.items() if value)


def _what_happened(alert: Alert) -> str:
    match alert.alert_type:
        case AlertType.BOUNCE:
            return "bounced permanently"
        case AlertType.REJECT:
            return "was rejected by SES and not sent"
        case AlertType.RENDERING_FAILURE:
            return "could not be rendered and was not sent"
        case AlertType.COMPLAINT:
            return f"drew a {_noun(alert)}"


def _noun(alert: Alert) -> str:
    match alert.alert_type:
        case AlertType.BOUNCE:
            return "permanent bounce"
        case AlertType.REJECT:
            return "rejection by SES"
        case AlertType.RENDERING_FAILURE:
            return "rendering failure"
        case AlertType.COMPLAINT:
            is_of_a_person = is_complaint_of_a_person(alert.event.complaint or Complaint())
            return "complaint" if is_of_a_person else "report"


def _chat(alert: Alert, insights: Insights, table: TableAddress) -> str:
    """Write for a chat channel; the subject of the mail stays out.

    A channel has more readers than a mailbox.
    """
    explanation, bounce = alert.explanation, alert.event.bounce or Bounce()
    link = table.console_link(insights.message_id)
    description = [
        f"Mail to {quoted(alert.destination)} {_what_happened(alert)}. {explanation.cause}",
        f"{explanation.evidence} Account {table.account}, {table.region}.".lstrip(),
    ]
    if bounce.diagnostic_code:
        description.append(f"Diagnostic code: {quoted(bounce.diagnostic_code)}")
    return chat_card(
        card_id=alert.alert_id,
        title=f"{_noun(alert).capitalize()}, severity {explanation.severity}",
        description=description,
        next_steps=[explanation.next_step, *([f"See the whole story: {link}"] if link else [])],
        keywords=[alert.alert_type, explanation.severity, explanation.reason],
        thread=insights.message_id,
        context={"alertId": alert.alert_id, "messageId": insights.message_id},
    )


def chat_card(  # noqa: PLR0913 - keyword-only; the parts of the schema
    *,
    card_id: str,
    title: str,
    description: Iterable[str],
    next_steps: Iterable[str],
    keywords: Iterable[str],
    thread: str,
    context: Mapping[str, str],
) -> str:
    """Write a custom notification; what does not fit the schema would be dropped without a word.

    https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
    """
    card: dict[str, Any] = {
        "version": "1.0",
        "source": "custom",
        "id": card_id,
        "content": {
            "textType": "client-markdown",
            "title": title,
            "description": "\n".join(description),
            "nextSteps": [*next_steps],
            "keywords": [str(keyword) for keyword in keywords],
        },
        "metadata": {
            "threadId": thread,
            "summary": title,
            "eventType": "SesInsightsAlert",
            "relatedResources": [thread],
            "additionalContext": dict(context),
        },
    }
    return json.dumps(card, ensure_ascii=False)


def quoted(text: str) -> str:
    """Show a text of the mail so that no chat takes it for a mention, a link or a format."""
    return f"`{re.sub('[`<>]', '', one_line(text))[:_QUOTE_LENGTH]}`"


def _subject(alert: Alert, insights: Insights) -> str:
    domain = ascii_domain(insights.from_email_address)
    preposition = "about" if alert.alert_type is AlertType.COMPLAINT else "of"
    sender = f" {preposition} mail from {domain}" if domain else ""
    noun, severity = _noun(alert), alert.explanation.severity
    return one_subject(f"{noun}{sender}, severity {severity}", f"{noun}, severity {severity}")


def one_subject(full: str, short: str) -> str:
    """Write the subject of an SNS message; the short one where the full one is too long."""
    subject = f"SES Insights: {full}"
    return subject if len(subject) <= SUBJECT_LENGTH else f"SES Insights: {short}"


def _attributes(alert: Alert, insights: Insights) -> dict[str, str]:
    bounce, complaint = alert.event.bounce or Bounce(), alert.event.complaint or Complaint()
    explanation, is_bounce = alert.explanation, alert.alert_type is AlertType.BOUNCE
    return existing_attributes(
        {
            "alertType": alert.alert_type,
            "severity": explanation.severity,
            "reason": explanation.reason,
            "action": explanation.action,
            "grouping": alert.grouping,
            "bounceSubType": bounce.bounce_sub_type if is_bounce else None,
            "complaintFeedbackType": None if is_bounce else complaint.complaint_feedback_type,
            "isp": alert.isp,
            "fromDomain": domain_of(insights.from_email_address),
            "destinationDomain": domain_of(alert.destination),
            "configurationSet": configuration_set(insights.email_tags),
        }
    )


def existing_attributes(candidates: Mapping[str, str | None]) -> dict[str, str]:
    """Keep the attributes that have a value, each in one line and as long as it may be."""
    lines = {
        name: one_line(value)[:_ATTRIBUTE_LENGTH] for name, value in candidates.items() if value
    }
    return {name: line for name, line in lines.items() if line}


def configuration_set(email_tags: Mapping[str, tuple[str, ...]]) -> str | None:
    """Name the configuration set with which the mail was sent, if SES says so."""
    return next(iter(email_tags.get(CONFIGURATION_SET, ())), None)


def shareable(email_tags: Mapping[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
    """Leave out the tags that stay in the account."""
    return {name: values for name, values in email_tags.items() if name not in SENSITIVE_TAGS}


def without_none(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is not known, at every depth."""
    return {
        key: without_none(value) if isinstance(value, dict) else value
        for key, value in body.items()
        if value is not None
    }
