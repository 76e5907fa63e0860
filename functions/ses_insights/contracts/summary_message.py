"""What people get of a surge: one summary instead of many alerts.

The message is a contract (``docs/alert.schema.json``, ``alertType`` SUMMARY).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from ses_insights.contracts.alert_message import (
    SCHEMA_VERSION,
    Notification,
    chat_card,
    existing_attributes,
    fact_lines,
    one_subject,
    quoted,
    sns_message,
    without_none,
)
from ses_insights.contracts.console import TableAddress
from ses_insights.contracts.text import ascii_domain, one_line
from ses_insights.domain.alert import AlertType, Grouping
from ses_insights.domain.surge import Summary, Top
from ses_insights.domain.times import instant

SUMMARY: Final = "SUMMARY"
"""The ``alertType`` of a summary."""

_HAPPENED: Final[Mapping[AlertType, str]] = {
    AlertType.BOUNCE: "bounced permanently",
    AlertType.COMPLAINT: "drew a complaint or a report",
    AlertType.REJECT: "was rejected by SES and not sent",
    AlertType.RENDERING_FAILURE: "could not be rendered and was not sent",
}

_NOUNS: Final[Mapping[AlertType, str]] = {
    AlertType.BOUNCE: "permanent bounces",
    AlertType.COMPLAINT: "complaints",
    AlertType.REJECT: "rejections by SES",
    AlertType.RENDERING_FAILURE: "rendering failures",
}

Example = tuple[str, str]
"""Message id and destination of one of the alerts."""


def summary_notification(
    summary: Summary, examples: Sequence[Example], table: TableAddress
) -> Notification:
    """Write a summary for the people who subscribed to it."""
    return Notification(
        subject=_subject(summary),
        message=sns_message(_body(summary, examples, table), _email(summary, examples, table)),
        chat=_chat(summary, table),
        attributes=existing_attributes(
            {
                "alertType": SUMMARY,
                "severity": summary.severity,
                "reason": summary.group.reason,
                "action": summary.explanation.action,
                "grouping": Grouping.SUMMARY,
                "fromDomain": summary.group.from_domain,
            }
        ),
    )


def _body(summary: Summary, examples: Sequence[Example], table: TableAddress) -> dict[str, Any]:
    return without_none(
        {
            "schemaVersion": SCHEMA_VERSION,
            "alertId": summary.alert_id,
            "alertType": SUMMARY,
            "of": summary.group.alert_type,
            "severity": summary.severity,
            "reason": summary.group.reason,
            "action": summary.explanation.action,
            "fromDomain": summary.group.from_domain or None,
            "beganAt": summary.began_at,
            "from": summary.since,
            "to": summary.until,
            "count": summary.count,
            "total": summary.total,
            "hasEnded": summary.has_ended,
            "topTags": [
                {"name": top.name, "value": top.value, "count": top.count}
                for top in summary.top_tags
            ],
            "topIsps": _tops(summary.top_isps),
            "topDestinationDomains": _tops(summary.top_domains),
            "examples": [
                {"messageId": message_id, "destination": destination}
                for message_id, destination in examples
            ],
            "cause": summary.explanation.cause,
            "nextStep": summary.explanation.next_step,
            "detectedAt": summary.detected_at,
            "account": table.account,
            "region": table.region,
            "consoleUrl": table.alerts_link(summary.group.alert_type),
        }
    )


def _tops(tops: Sequence[Top]) -> list[dict[str, Any]]:
    return [{"value": top.value, "count": top.count} for top in tops]


def _what(summary: Summary) -> str:
    """Say how many, of whom, what and when."""
    sender = f" from {one_line(summary.group.from_domain)}" if summary.group.from_domain else ""
    mails = "1 mail" if summary.count == 1 else f"{summary.count:,} mails"
    if not summary.count:
        mails = "No further mail"
    what = f"{mails}{sender} {_HAPPENED[summary.group.alert_type]}"
    if summary.count != 1 and summary.count:
        what = what.replace(" was ", " were ")
    return f"{what} {_period(summary.since, summary.until)}."


def _period(since: str, until: str) -> str:
    """Name a time to the minute, the day once where both are of one."""
    began, ended = instant(since), instant(until)
    end = f"{ended:%H:%M}" if _day(began) == _day(ended) else f"{ended:%Y-%m-%d %H:%M}"
    return f"from {began:%Y-%m-%d %H:%M} to {end} UTC"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _course(summary: Summary) -> str:
    """Say how many it are in all, and whether more is to come."""
    total = f"{summary.total:,} since {instant(summary.began_at):%Y-%m-%d %H:%M} UTC."
    if summary.has_ended:
        return f"It has ended: {total} Later ones are reported one by one again."
    return f"{total} The next summary comes in an hour; until then no single alerts of this kind."


def command(summary: Summary) -> str:
    """Write the command that lists the alerts of the surge."""
    options = {
        "--since": summary.began_at,
        "--until": summary.until,
        "--type": summary.group.alert_type,
        "--reason": summary.group.reason,
        "--from-domain": summary.group.from_domain,
    }
    words = (f"{name} {shlex.quote(one_line(value))}" for name, value in options.items() if value)
    return f"insights alerts {' '.join(words)}"


def _email(summary: Summary, examples: Sequence[Example], table: TableAddress) -> str:
    explanation = summary.explanation
    link = table.alerts_link(summary.group.alert_type)
    facts = {
        "So far": _course(summary),
        "Tags": ", ".join(f"{top.name}={top.value} ({top.count:,})" for top in summary.top_tags),
        "Mailbox providers": _listed(summary.top_isps),
        "Recipients' domains": _listed(summary.top_domains),
        "Severity": summary.severity,
        "Reason": summary.group.reason,
        "AWS account and Region": f"{table.account} {table.region}",
        "Alert id": summary.alert_id,
    }
    return "\n".join(
        [
            f"{_what(summary)} {explanation.cause}",
            f"What to do: {explanation.next_step}",
            "",
            *fact_lines(facts),
            "",
            "Examples:",
            *(f"{one_line(who)}: insights show {message_id}" for message_id, who in examples),
            "",
            "All of them:",
            command(summary),
            *([link] if link else []),
        ]
    )


def _listed(tops: Sequence[Top]) -> str:
    return ", ".join(f"{top.value} ({top.count:,})" for top in tops)


def _chat(summary: Summary, table: TableAddress) -> str:
    explanation = summary.explanation
    description = [
        f"{_what(summary)} {explanation.cause}",
        _course(summary),
        *(f"{quoted(f'{top.name}={top.value}')}: {top.count:,}" for top in summary.top_tags),
        f"Account {table.account}, {table.region}.",
    ]
    return chat_card(
        card_id=summary.alert_id,
        title=f"{summary.count:,} {_NOUNS[summary.group.alert_type]}, severity {summary.severity}",
        description=description,
        next_steps=[explanation.next_step, f"List them: {command(summary)}"],
        keywords=[SUMMARY, summary.severity, summary.group.reason],
        thread=summary.group.key,
        context={"alertId": summary.alert_id},
    )


def _subject(summary: Summary) -> str:
    domain = ascii_domain(f"@{summary.group.from_domain}")
    preposition = "about" if summary.group.alert_type is AlertType.COMPLAINT else "of"
    sender = f" {preposition} mail from {domain}" if domain else ""
    what = f"{summary.count} {_NOUNS[summary.group.alert_type]}"
    return one_subject(
        f"{what}{sender}, severity {summary.severity}", f"{what}, severity {summary.severity}"
    )
