"""Which events raise an alert, and the alert's identity.

An alert's id is made of what happened, so the same event raises one alert however often the message
is looked at (decision record 5).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ses_insights.domain.explanation import Explanation, explain, plain
from ses_insights.domain.insight import Destination, Event, Insights


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
    def explanation(self) -> Explanation:
        """Cause, next step, severity and certainty."""
        return explain(self.event)


def alerts_in(insights: Insights, *, detected_at: str) -> tuple[Alert, ...]:
    """Find every alert the insights call for, told or not; one for each thing that happened."""
    found: dict[str, Alert] = {}
    for destination in insights.destinations:
        for alert in _alerts_of(insights.message_id, destination, detected_at):
            found.setdefault(alert.alert_id, alert)
    return tuple(found.values())


def _alerts_of(message_id: str, destination: Destination, detected_at: str) -> Iterator[Alert]:
    for event in destination.events:
        what = [message_id, destination.address]
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
            destination=destination.address,
            isp=destination.isp,
            event=event,
            detected_at=detected_at,
        )


def _alert_id(*what: str) -> str:
    """Name an event by message, destination, alert type and a complaint's feedback type.

    Not by its time: SES may restate that. 128 bits of SHA-256, as hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]


def pending(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Select the alerts that are stored and not known to be published."""
    return tuple(alert for alert in alerts if alert.published_at is None)
