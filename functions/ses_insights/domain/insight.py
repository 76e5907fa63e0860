"""What SES says about one message, as values, and how such a statement is read and merged.

The field names are the API's own in snake case:
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetMessageInsights.html
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

from ses_insights.domain.times import iso, whole_milliseconds

ENGAGEMENT: Final = ("OPEN", "CLICK")
"""Event types that come without bound: beyond a cap they become counts."""

ENGAGEMENT_KEPT: Final = 25
"""How many of the first and how many of the last events of each engagement type are kept."""

TEXT_KEPT: Final = 2048
"""Characters kept of a free text. SES's longest documented one is a subject of 998."""

ADDRESS_KEPT: Final = 500
"""Characters kept of an address. SES takes 320, and DynamoDB 2,048 bytes as the key of an index."""

TAGS_KEPT: Final = 60_000
"""Bytes kept of all tags, by name: twice what the 50 that SES documents can have."""

UNKNOWN_ISP: Final = "UNKNOWN_ISP"
"""What SES writes where it cannot tell."""


@dataclass(frozen=True, slots=True)
class Bounce:
    """Details of a BOUNCE event; each field as SES wrote it, or None where it wrote none."""

    bounce_type: str | None = None
    bounce_sub_type: str | None = None
    diagnostic_code: str | None = None


@dataclass(frozen=True, slots=True)
class Complaint:
    """Details of a COMPLAINT event; each field as SES wrote it, or None where it wrote none."""

    complaint_sub_type: str | None = None
    complaint_feedback_type: str | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """One event of one destination. An unknown type is kept as it is."""

    type: str
    timestamp: str | None = None
    """ISO 8601, or None where SES gave none."""
    bounce: Bounce | None = None
    complaint: Complaint | None = None

    @property
    def order(self) -> tuple[str, ...]:
        """Sorts events by time and, within one instant, the same way every time."""
        kind = "" if self.type == "SEND" else self.type  # nothing happens before it is sent
        return (self.timestamp or "", kind, repr(self.bounce), repr(self.complaint))

    @property
    def is_permanent_bounce(self) -> bool:
        """Whether the recipient will never get this mail."""
        kind = self.bounce.bounce_type if self.bounce else None
        return self.type == "BOUNCE" and (kind or "").upper() == "PERMANENT"

    @property
    def is_complaint(self) -> bool:
        """Whether the recipient, or their provider, sent a feedback report."""
        return self.type == "COMPLAINT"


@dataclass(frozen=True, slots=True)
class Destination:
    """What is known of one recipient of one message."""

    address: str
    isp: str | None = None
    events: tuple[Event, ...] = ()
    """Oldest first, each once; of engagement beyond the cap only the first and the last ones."""
    open_count: int = 0
    click_count: int = 0

    @property
    def last_event_at(self) -> str | None:
        """The time of the newest event, or None where no event has a time."""
        return max((event.timestamp for event in self.events if event.timestamp), default=None)


@dataclass(frozen=True, slots=True)
class Insights:
    """Everything SES says about one message."""

    message_id: str
    from_email_address: str | None = None
    subject: str | None = None
    email_tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Every value of each tag name, Auto-Tags included. A name can come with several values."""
    destinations: tuple[Destination, ...] = ()
    """Sorted by address, each address once."""

    def merged(self, later: Insights) -> Insights:
        """Join with a later statement about the same message."""
        return Insights(
            message_id=self.message_id,
            from_email_address=later.from_email_address or self.from_email_address,
            subject=later.subject or self.subject,
            email_tags=_joined_tags((*_pairs(self.email_tags), *_pairs(later.email_tags))),
            destinations=_joined_destinations((*self.destinations, *later.destinations)),
        )

    @property
    def events(self) -> tuple[Event, ...]:
        """The events of every destination."""
        return tuple(event for place in self.destinations for event in place.events)

    @property
    def sent_at(self) -> str | None:
        """The time of the first SEND event, or None where SES shows none."""
        sends = (event.timestamp for event in self.events if event.type == "SEND")
        return min((moment for moment in sends if moment), default=None)


def read_insights(response: Mapping[str, Any], message_id: str) -> Insights:
    """Read a GetMessageInsights response as boto3 parses it. Every field may be missing."""
    tags = ((_text(tag, "Name"), _text(tag, "Value")) for tag in _list(response, "EmailTags"))
    return Insights(
        message_id=message_id,
        from_email_address=_text(response, "FromEmailAddress"),
        subject=_text(response, "Subject"),
        email_tags=_joined_tags((name, value or "") for name, value in tags if name),
        destinations=_joined_destinations(map(_read_destination, _list(response, "Insights"))),
    )


def _read_destination(insight: Mapping[str, Any]) -> Destination:
    events = [_read_event(event) for event in _list(insight, "Events")]
    counts = {kind: sum(event.type == kind for event in events) for kind in ENGAGEMENT}
    return Destination(
        address=_address(insight),
        isp=_text(insight, "Isp"),
        events=_capped(events),
        open_count=counts["OPEN"],
        click_count=counts["CLICK"],
    )


def _read_event(event: Mapping[str, Any]) -> Event:
    details = event.get("Details") or {}
    bounce, complaint = details.get("Bounce"), details.get("Complaint")
    return Event(
        type=_text(event, "Type") or "UNKNOWN",
        timestamp=_moment(event),
        bounce=None
        if bounce is None
        else Bounce(
            _text(bounce, "BounceType"),
            _text(bounce, "BounceSubType"),
            _text(bounce, "DiagnosticCode"),
        ),
        complaint=None
        if complaint is None
        else Complaint(
            _text(complaint, "ComplaintSubType"), _text(complaint, "ComplaintFeedbackType")
        ),
    )


def _list(holder: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    """Read a list; boto3 keeps a null in it, which says nothing."""
    return (each for each in holder.get(name) or () if each is not None)


def _moment(event: Mapping[str, Any]) -> str | None:
    """Read a time; one without a zone is UTC, and one that the calendar has not in UTC is none."""
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


def _capped(events: Iterable[Event]) -> tuple[Event, ...]:
    """Each event once, oldest first; engagement beyond the cap gives way to its counts."""
    once = sorted(set(events), key=lambda event: event.order)
    dropped: set[Event] = set()
    for kind in ENGAGEMENT:
        of_kind = [event for event in once if event.type == kind]
        dropped.update(of_kind[ENGAGEMENT_KEPT : max(len(of_kind) - ENGAGEMENT_KEPT, 0)])
    return tuple(event for event in once if event not in dropped)


def _distinct(events: Iterable[Event], kind: str) -> int:
    return len({event for event in events if event.type == kind})


def _joined_destinations(places: Iterable[Destination]) -> tuple[Destination, ...]:
    by_address: dict[str, list[Destination]] = {}
    for place in places:
        by_address.setdefault(place.address, []).append(place)
    return tuple(_joined(by_address[address]) for address in sorted(by_address))


def _joined(places: Sequence[Destination]) -> Destination:
    """Join statements about one recipient, the latest last; nothing that was seen is forgotten.

    All at once: joining them one by one would take the square of the time.
    """
    if len(places) == 1:
        return places[0]
    events = tuple(event for place in places for event in place.events)
    isps = [place.isp for place in reversed(places) if place.isp]
    opened, clicked = (_distinct(events, kind) for kind in ENGAGEMENT)
    return Destination(
        address=places[0].address,
        isp=next((isp for isp in isps if isp != UNKNOWN_ISP), isps[0] if isps else None),
        events=_capped(events),
        open_count=max(opened, *(place.open_count for place in places)),
        click_count=max(clicked, *(place.click_count for place in places)),
    )


def _pairs(tags: Mapping[str, tuple[str, ...]]) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, values in tags.items() for value in values)


def _joined_tags(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    ordered, size = [], 0
    for pair in sorted(set(pairs)):
        size += len("".join(pair).encode())
        if size <= TAGS_KEPT:
            ordered.append(pair)
    return {
        name: tuple(value for _, value in group)
        for name, group in groupby(ordered, key=lambda pair: pair[0])
    }
