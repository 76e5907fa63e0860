"""A GetMessageInsights response, as boto3 parses it, read into values.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetMessageInsights.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from ses_insights.domain.insight import (
    ENGAGEMENT,
    Bounce,
    Complaint,
    Destination,
    Event,
    Insights,
    capped,
    joined_destinations,
    joined_tags,
)
from ses_insights.domain.times import iso, whole_milliseconds

TEXT_KEPT: Final = 2048
"""Characters kept of a free text. SES's longest documented one is a subject of 998."""

ADDRESS_KEPT: Final = 500
"""Characters kept of an address. SES takes 320, and DynamoDB 2,048 bytes as the key of an index."""

T = TypeVar("T", Bounce, Complaint)


def read_insights(response: Mapping[str, Any], message_id: str) -> Insights:
    """Read a GetMessageInsights response as boto3 parses it. Every field may be missing."""
    tags = ((_text(tag, "Name"), _text(tag, "Value")) for tag in _list(response, "EmailTags"))
    destinations, left_out = joined_destinations(
        map(_read_destination, _list(response, "Insights"))
    )
    return Insights(
        message_id=message_id,
        from_email_address=_text(response, "FromEmailAddress"),
        subject=_text(response, "Subject"),
        email_tags=joined_tags((name, value or "") for name, value in tags if name),
        destinations=destinations,
        left_out=left_out,
    )


def _read_destination(insight: Mapping[str, Any]) -> Destination:
    events = [_read_event(event) for event in _list(insight, "Events")]
    counts = {kind: sum(event.type == kind for event in events) for kind in ENGAGEMENT}
    return Destination(
        address=_address(insight),
        isp=_text(insight, "Isp"),
        events=capped(events),
        open_count=counts["OPEN"],
        click_count=counts["CLICK"],
    )


def _read_event(event: Mapping[str, Any]) -> Event:
    details = event.get("Details") or {}
    return Event(
        type=_text(event, "Type") or "UNKNOWN",
        timestamp=_moment(event),
        bounce=_read(Bounce, details, "BounceType", "BounceSubType", "DiagnosticCode"),
        complaint=_read(Complaint, details, "ComplaintSubType", "ComplaintFeedbackType"),
    )


def _read(kind: type[T], details: Mapping[str, Any], *names: str) -> T | None:
    """Read the structure that is named like a kind of details, where there is one."""
    found = details.get(kind.__name__)
    return None if found is None else kind(*(_text(found, name) for name in names))


def _list(holder: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    """Read a list; boto3 keeps a null in it, which says nothing."""
    return (each for each in holder.get(name) or () if each is not None)


def _moment(event: Mapping[str, Any]) -> str | None:
    """Read a time; one without a zone is UTC, and None stands for one that UTC cannot express."""
    moment = event.get("Timestamp")
    if not isinstance(moment, datetime):
        return None
    try:
        return iso(whole_milliseconds(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))
    except (OverflowError, ValueError):  # its zone takes it out of the years 1 to 9999, or is none
        return None


def _address(insight: Mapping[str, Any]) -> str:
    """Read a destination; one that is too long is cut, so that different ones stay different."""
    whole = _storable(str(insight.get("Destination") or ""))
    if len(whole) <= ADDRESS_KEPT:
        return whole
    digest = hashlib.sha256(whole.encode()).hexdigest()
    return f"{whole[: ADDRESS_KEPT - len(digest)]}~{digest}"


def _text(holder: Mapping[str, Any], name: str) -> str | None:
    text = _storable(str(holder.get(name) or ""))
    if len(text) <= TEXT_KEPT:
        return text or None
    return f"{text[:TEXT_KEPT]}… ({len(text) - TEXT_KEPT} more characters)"


def _storable(text: str) -> str:
    """Replace half a surrogate pair, as of a subject cut inside an emoji: nothing can store it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
