"""Which events raise an alert, and the alert's identity.

An alert's id is made of what happened, so the same event raises one alert however often the message
is looked at (decision record 5).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from ses_insights.domain.due import is_held
from ses_insights.domain.explanation import (
    Explanation,
    explain,
    explain_listing,
    is_complaint_of_a_person,
    plain,
)
from ses_insights.domain.insight import Destination, Event, Insights
from ses_insights.domain.listing import Listing, is_same_address
from ses_insights.domain.times import instant, instant_or_none


class AlertType(StrEnum):
    """What an alert is about."""

    BOUNCE = "BOUNCE"
    """A permanent bounce."""
    COMPLAINT = "COMPLAINT"
    """A complaint, or another feedback report."""
    REJECT = "REJECT"
    """SES found malware in the mail and did not send it."""
    RENDERING_FAILURE = "RENDERING_FAILURE"
    """The template could not be rendered and nothing was sent."""


ALL_TYPES: Final = frozenset(AlertType)


class Source(StrEnum):
    """Where an alert's event was found."""

    INSIGHTS = "insights"
    """In the answer to a look."""
    SUPPRESSION_LIST = "suppressionList"
    """On the account's suppression list, where no look shows it."""


class Grouping(StrEnum):
    """Whom a notification is for; the message attribute ``grouping``."""

    SINGLE = "single"
    """People and programs."""
    GROUPED = "grouped"
    """Programs: people get a summary."""
    SUMMARY = "summary"
    """People: what the grouped alerts of a time have in common."""


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
    claimed_at: str | None = field(default=None, compare=False)
    """When a look last set out to publish it, or until when a run of `followups` has it in hand, as
    its row had it when it was read; None where it was not read but found just now."""
    grouping: Grouping = Grouping.SINGLE
    """Stays as it was decided when the alert was stored, however often it is published."""
    source: Source = Source.INSIGHTS

    def is_held(self, now: datetime) -> bool:
        """Whether a run of `followups` is about to publish it."""
        return is_held(instant_or_none(self.claimed_at), now)

    @property
    def explanation(self) -> Explanation:
        """Reason, action, severity, confidence, cause and next step."""
        if self.source is Source.SUPPRESSION_LIST:
            return explain_listing(self.event)
        return explain(self.event)


_BY_EVENT_TYPE: Final = {
    "REJECT": AlertType.REJECT,
    "RENDERING_FAILURE": AlertType.RENDERING_FAILURE,
}


def alerts_in(
    insights: Insights, *, detected_at: str, alert_types: AbstractSet[AlertType] = ALL_TYPES
) -> tuple[Alert, ...]:
    """Find every alert the insights call for, one for each thing that happened."""
    found: dict[str, Alert] = {}
    for destination in insights.destinations:
        for alert in _alerts_of(insights.message_id, destination, detected_at):
            if alert.alert_type in alert_types:
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
        elif event.type in _BY_EVENT_TYPE:
            kind = _BY_EVENT_TYPE[event.type]
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


def alerts_of_listings(
    listings: Iterable[Listing],
    insights: Insights,
    *,
    detected_at: str,
    alert_types: AbstractSet[AlertType] = ALL_TYPES,
) -> tuple[Alert, ...]:
    """Return the alerts of what SES lists and shows nowhere else.

    A bounce has the same id as if the insights had shown it, so that it is published once.
    """
    found = []
    for listing in listings:
        kind = AlertType(listing.reason)
        if not listing.is_finding or kind not in alert_types:
            continue
        same = (
            destination
            for destination in insights.destinations
            if is_same_address(destination.address, listing.address)
        )
        destination = next(same, Destination(listing.address))
        what = [insights.message_id, destination.address]
        if kind is AlertType.COMPLAINT:
            what.append("")
        found.append(
            Alert(
                alert_id=_alert_id(kind, *what),
                alert_type=kind,
                destination=destination.address,
                isp=destination.isp,
                event=listing.event,
                detected_at=detected_at,
                source=Source.SUPPRESSION_LIST,
            )
        )
    return tuple(found)


def new_alerts(found: Iterable[Alert], known: Iterable[Alert]) -> tuple[Alert, ...]:
    """Select the alerts that are new.

    What was published from the suppression list is not published again when the insights show it,
    with the feedback type of a complaint or with the address in another spelling. Of several
    complaints the one of a person that came nearest to the listing is the one that was published.
    """
    found, known = tuple(found), tuple(known)
    known_ids = {alert.alert_id for alert in known}
    for listed in known:
        if listed.source is not Source.SUPPRESSION_LIST:
            continue
        same = [
            alert
            for alert in found
            if alert.alert_type is listed.alert_type
            and is_same_address(alert.destination, listed.destination)
        ]
        if same:
            known_ids.add(min(same, key=lambda alert: _distance(alert, listed)).alert_id)
    new = {alert.alert_id: alert for alert in found if alert.alert_id not in known_ids}
    return tuple(new.values())


def _distance(alert: Alert, listed: Alert) -> tuple[bool, float]:
    """Measure how unlikely it is that an alert is about what the address was listed for."""
    complaint = alert.event.complaint
    is_of_nobody = complaint is not None and not is_complaint_of_a_person(complaint)
    times = (alert.event.timestamp, listed.event.timestamp)
    moments = [instant(moment) for moment in times if moment]
    seconds = abs((moments[0] - moments[-1]).total_seconds()) if moments else 0.0
    return is_of_nobody, seconds


def _alert_id(*what: str) -> str:
    """Name an event by message, destination, alert type and a complaint's feedback type.

    Not by its time: SES may restate that. 128 bits of SHA-256, as hexadecimal digits.
    """
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]


def pending(alerts: Iterable[Alert]) -> tuple[Alert, ...]:
    """Select the alerts that are stored and not known to be published."""
    return tuple(alert for alert in alerts if alert.published_at is None)
