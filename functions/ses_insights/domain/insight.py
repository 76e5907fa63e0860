"""What SES says about one message, as values, and how several such statements are merged.

The field names are the API's own in snake case:
https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetMessageInsights.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice
from typing import Final

ENGAGEMENT: Final = ("OPEN", "CLICK")
"""Event types that come without bound: beyond a cap they become counts."""

ENGAGEMENT_KEPT: Final = 25
"""How many of the first and how many of the last events of each engagement type are kept."""

TAGS_KEPT: Final = 60_000
"""Bytes kept of all tags, by name: twice what the 50 that SES documents can have."""

DESTINATIONS_KEPT: Final = 100
"""Recipients kept of one message: twice as many as SES sends one message to (decision record 7).

https://docs.aws.amazon.com/ses/latest/dg/quotas.html
"""

UNKNOWN_ISP: Final = "UNKNOWN_ISP"
"""What SES writes where it does not know."""


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
    left_out: int = 0
    """How many more recipients SES shows than `DESTINATIONS_KEPT`; of them nothing is stored."""

    def merged(self, later: Insights) -> Insights:
        """Join with a later statement about the same message."""
        destinations, left_out = joined_destinations((*self.destinations, *later.destinations))
        return Insights(
            message_id=self.message_id,
            from_email_address=later.from_email_address or self.from_email_address,
            subject=later.subject or self.subject,
            email_tags=joined_tags((*_pairs(self.email_tags), *_pairs(later.email_tags))),
            destinations=destinations,
            left_out=later.left_out + left_out,
        )

    @property
    def events(self) -> tuple[Event, ...]:
        """The events of every destination."""
        return tuple(event for destination in self.destinations for event in destination.events)

    @property
    def sent_at(self) -> str | None:
        """The time of the first SEND event, or None where SES shows none."""
        sends = (event.timestamp for event in self.events if event.type == "SEND")
        return min((moment for moment in sends if moment), default=None)


def capped(events: Iterable[Event]) -> tuple[Event, ...]:
    """Each event once, oldest first; engagement beyond the cap gives way to its counts."""
    once = sorted(set(events), key=lambda event: event.order)
    dropped: set[Event] = set()
    for kind in ENGAGEMENT:
        of_kind = [event for event in once if event.type == kind]
        dropped.update(of_kind[ENGAGEMENT_KEPT : max(len(of_kind) - ENGAGEMENT_KEPT, 0)])
    return tuple(event for event in once if event not in dropped)


def _distinct(events: Iterable[Event], kind: str) -> int:
    return len({event for event in events if event.type == kind})


def joined_destinations(
    destinations: Iterable[Destination],
) -> tuple[tuple[Destination, ...], int]:
    """Join statements about each address into one, sorted by address.

    Of more than `DESTINATIONS_KEPT` the first are kept. Returns how many are left out, too.
    """
    by_address: dict[str, list[Destination]] = {}
    for destination in destinations:
        by_address.setdefault(destination.address, []).append(destination)
    kept = sorted(islice(by_address, DESTINATIONS_KEPT))
    return tuple(_joined(by_address[address]) for address in kept), len(by_address) - len(kept)


def _joined(destinations: Sequence[Destination]) -> Destination:
    """Join statements about one recipient, the latest last; nothing that was seen is forgotten.

    All at once: joining them one by one would take the square of the time.
    """
    if len(destinations) == 1:
        return destinations[0]
    events = tuple(event for destination in destinations for event in destination.events)
    isps = [destination.isp for destination in reversed(destinations) if destination.isp]
    opened, clicked = (_distinct(events, kind) for kind in ENGAGEMENT)
    return Destination(
        address=destinations[0].address,
        isp=next((isp for isp in isps if isp != UNKNOWN_ISP), isps[0] if isps else None),
        events=capped(events),
        open_count=max(opened, *(destination.open_count for destination in destinations)),
        click_count=max(clicked, *(destination.click_count for destination in destinations)),
    )


def _pairs(tags: Mapping[str, tuple[str, ...]]) -> Iterable[tuple[str, str]]:
    return ((name, value) for name, values in tags.items() for value in values)


def joined_tags(pairs: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    """Join name and value pairs, each once, by name; those beyond `TAGS_KEPT` are left out."""
    ordered, size = [], 0
    for pair in sorted(set(pairs)):
        size += len("".join(pair).encode())
        if size <= TAGS_KEPT:
            ordered.append(pair)
    return {
        name: tuple(value for _, value in group)
        for name, group in groupby(ordered, key=lambda pair: pair[0])
    }
