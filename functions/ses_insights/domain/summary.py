"""What became of a mail, in one sentence for whoever opens the table.

A sentence is made of what the row itself holds, and written with it, so both always say the same.
It tells nothing of looks to come: those change without a new answer of SES.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final

from ses_insights.domain.explanation import contradiction, explain, explain_listing
from ses_insights.domain.insight import Bounce, Destination, Event
from ses_insights.domain.listing import Listing
from ses_insights.domain.reasons import Severity
from ses_insights.domain.status import Status, status_of, status_of_event
from ses_insights.domain.times import instant

_SENTENCES: Final[Mapping[Status, str]] = {
    Status.COMPLAINT: "A complaint or feedback report came{when}. {cause}",
    Status.PERMANENT_BOUNCE: "The mail bounced for good{when}. {cause}",
    Status.REJECTED: "SES rejected the mail{when} and did not attempt it: it found malware in it.",
    Status.RENDERING_FAILURE: "The template could not be rendered{when}; nothing was sent.",
    Status.TRANSIENT_BOUNCE: "The mail bounced{when}. {transient}",
    Status.UNDETERMINED_BOUNCE: "The mail bounced{when}; SES cannot tell whether for good.",
    Status.CLICKED: "A link in the mail was followed {clicks}.",
    Status.OPENED: "The mail was opened {opens}.",
    Status.DELIVERED: "The recipient's server took the mail{when}.",
    Status.DELAYED: "The recipient's server put SES off{when}; nothing tells if it took the mail.",
    Status.SENT: "SES sent the mail{when}; nothing tells if it arrived.",
    Status.NOT_FOUND: "SES has told nothing of this message.",
    Status.INVALID: "SES says that this is no message id.",
}

_PASSING: Final = "SES calls it transient: a later mail to the address may arrive."

_SCANNER: Final = (
    "All of it within seconds of the delivery: that looks like a program that checks links, not "
    "like a person."
)
_SCANNER_CLICKS: Final = 3
_SCANNER_WITHIN: Final = timedelta(seconds=10)

_WORDS: Final[Mapping[Status, str]] = {
    Status.COMPLAINT: "with a complaint or feedback report",
    Status.PERMANENT_BOUNCE: "bounced for good",
    Status.REJECTED: "rejected by SES",
    Status.RENDERING_FAILURE: "not rendered",
    Status.TRANSIENT_BOUNCE: "bounced, not for good",
    Status.UNDETERMINED_BOUNCE: "bounced, perhaps for good",
    Status.CLICKED: "followed a link",
    Status.OPENED: "opened it",
    Status.DELIVERED: "delivered",
    Status.DELAYED: "put off",
    Status.SENT: "sent",
}

_SEVERITIES: Final = tuple(Severity)


def summary_of_message(
    status: Status, destinations: Sequence[Destination], listings: Sequence[Listing] = ()
) -> str:
    """Say what became of the mail to all of its recipients."""
    listed = [listing for listing in listings if listing.is_finding]
    if not destinations and len(listed) == 1:
        return summary_of_listing(listed[0])
    if not destinations and listed:
        return f"SES lists {len(listed)} recipients because of this message and shows no more."
    if not destinations:
        return _SENTENCES[status].format(when="")
    if len(destinations) == 1:
        return summary_of_destination(destinations[0])
    statuses = [status_of(destination) for destination in destinations]
    counts = [f"{statuses.count(each)} {_WORDS[each]}" for each in _WORDS if each in statuses]
    return f"{len(destinations)} recipients: {', '.join(counts)}."


def summary_of_listing(listing: Listing) -> str:
    """Say what a listing stands for that is all that SES shows."""
    return explain_listing(listing.event).cause


def summary_of_destination(destination: Destination) -> str:
    """Say what became of the mail to one recipient."""
    status = status_of(destination)
    # Of several events that say the same the gravest one counts, and of those the last one.
    telling = max(
        (event for event in destination.events if _says(event, status)),
        key=lambda event: (_gravity(event), event.order),
        default=None,
    )
    if status is Status.CLICKED and _looks_like_a_scanner(destination):
        return f"{_SENTENCES[status].format(clicks=_times(destination.click_count))} {_SCANNER}"
    return _SENTENCES[status].format(
        when=_when(telling),
        cause=explain(telling).cause if telling else "",
        transient=(contradiction(telling.bounce or Bounce()) if telling else None) or _PASSING,
        opens=_times(destination.open_count),
        clicks=_times(destination.click_count),
    )


def _looks_like_a_scanner(destination: Destination) -> bool:
    """Whether all clicks came at once and right after delivery, as no person reads."""
    clicks = [event.timestamp for event in destination.events if event.type == "CLICK"]
    delivered = [event.timestamp for event in destination.events if event.type == "DELIVERY"]
    if destination.click_count < _SCANNER_CLICKS or None in clicks or not delivered:
        return False
    first, last = delivered[0], max(each for each in clicks if each)
    return first is not None and instant(last) - instant(first) <= _SCANNER_WITHIN


def _says(event: Event, status: Status) -> bool:
    # Types that say nothing of what became of the mail count as SENT, too.
    return event.type == "SEND" if status is Status.SENT else status_of_event(event) is status


def _gravity(event: Event) -> int:
    if event.is_complaint or event.is_permanent_bounce:
        return -_SEVERITIES.index(explain(event).severity)
    return 0


def _when(event: Event | None) -> str:
    """Write an event's time to the minute, as a part of a sentence; nothing where it has none."""
    if event is None or event.timestamp is None:
        return ""
    return f" on {event.timestamp[:10]} at {event.timestamp[11:16]} UTC"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
