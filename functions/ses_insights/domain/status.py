"""The one word that tells most about a destination or a message."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from ses_insights.domain.explanation import is_complaint_of_a_person
from ses_insights.domain.insight import Complaint, Destination, Event


class Status(StrEnum):
    """The contract's statuses, the most telling first."""

    COMPLAINT = "COMPLAINT"
    PERMANENT_BOUNCE = "PERMANENT_BOUNCE"
    REJECTED = "REJECTED"
    RENDERING_FAILURE = "RENDERING_FAILURE"
    TRANSIENT_BOUNCE = "TRANSIENT_BOUNCE"
    UNDETERMINED_BOUNCE = "UNDETERMINED_BOUNCE"
    CLICKED = "CLICKED"
    OPENED = "OPENED"
    DELIVERED = "DELIVERED"
    DELAYED = "DELAYED"
    SENT = "SENT"
    NOT_FOUND = "NOT_FOUND"
    INVALID = "INVALID"


_RANK: Final = {status: rank for rank, status in enumerate(Status)}

_BY_EVENT_TYPE: Final = {
    "COMPLAINT": Status.COMPLAINT,
    "REJECT": Status.REJECTED,
    "RENDERING_FAILURE": Status.RENDERING_FAILURE,
    "CLICK": Status.CLICKED,
    "OPEN": Status.OPENED,
    "DELIVERY": Status.DELIVERED,
    "DELIVERY_DELAY": Status.DELAYED,
}

_CLOSED: Final = frozenset({Status.PERMANENT_BOUNCE, Status.REJECTED, Status.RENDERING_FAILURE})


def status_of(destination: Destination) -> Status:
    """Tell what became of the mail to one recipient.

    SENT where no event says more: SES knows the recipient, or there would be no insight.
    """
    statuses = [status_of_event(event) for event in destination.events]
    if destination.click_count:
        statuses.append(Status.CLICKED)
    if destination.open_count:
        statuses.append(Status.OPENED)
    return most_telling(statuses)


def most_telling(statuses: Iterable[Status]) -> Status:
    """Pick the status that says most; SENT of none."""
    return min(statuses, key=_RANK.__getitem__, default=Status.SENT)


def is_closed(destination: Destination) -> bool:
    """Whether nothing more can come for this recipient.

    The mail bounced permanently, or SES never tried to deliver it, or a person complained. A report
    that no person is behind (a machine found an authentication failure, somebody took the mail out
    of the spam folder), an opt-out, and a complaint because the address was on a list close
    nothing: the complaint of a person can follow.
    """
    return any(map(_closes, destination.events))


def _closes(event: Event) -> bool:
    if event.is_complaint:
        return is_complaint_of_a_person(event.complaint or Complaint())
    return status_of_event(event) in _CLOSED


def status_of_event(event: Event) -> Status:
    """Tell what one event alone says; SENT where it says nothing of what became of the mail."""
    if event.is_permanent_bounce:
        return Status.PERMANENT_BOUNCE
    if event.type == "BOUNCE":
        kind = (event.bounce.bounce_type if event.bounce else None) or ""
        transient = kind.upper() == "TRANSIENT"
        return Status.TRANSIENT_BOUNCE if transient else Status.UNDETERMINED_BOUNCE
    return _BY_EVENT_TYPE.get(event.type, Status.SENT)
