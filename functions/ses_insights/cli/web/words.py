"""What the templates say of times, counts and names."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from ses_insights.cli.output import span
from ses_insights.domain.insight import Event
from ses_insights.domain.status import Status, status_of_event
from ses_insights.domain.times import instant

_SECONDS_UNTIL_NOW: Final = 2.0

_UNITS: Final = ((86_400, "d"), (3_600, "h"), (60, "min"))

_TONES: Final[Mapping[str, str]] = {
    **dict.fromkeys((Status.CLICKED, Status.OPENED, Status.DELIVERED), "good"),
    **dict.fromkeys(
        (Status.TRANSIENT_BOUNCE, Status.UNDETERMINED_BOUNCE, Status.DELAYED, "medium"), "warn"
    ),
    **dict.fromkeys(
        (
            *(Status.COMPLAINT, Status.PERMANENT_BOUNCE, Status.REJECTED),
            *(Status.RENDERING_FAILURE, Status.INVALID, "critical", "high"),
        ),
        "bad",
    ),
}
"""How a status or a severity is coloured; others are plain."""

_EVENTS: Final[Mapping[str, str]] = {
    "SEND": "Sent",
    "DELIVERY": "Delivered",
    "DELIVERY_DELAY": "Delayed",
    "OPEN": "Opened",
    "CLICK": "Link followed",
    "COMPLAINT": "Complaint",
    "REJECT": "Rejected by SES",
    "RENDERING_FAILURE": "Template not rendered",
    "SUBSCRIPTION": "Subscription changed",
}


def tone(word: object) -> str:
    """Name the colour of a status or a severity."""
    return _TONES.get(str(word), "plain")


def phrase(word: object) -> str:
    """Write an API's word for a person: ``PERMANENT_BOUNCE`` is "Permanent bounce"."""
    text = str(word).replace("_", " ").replace("-", " ")
    return text.capitalize() if text.isupper() or text.islower() else text


def event_name(event: Event) -> str:
    """Say what an event is; one of an unknown type keeps the API's word."""
    if event.type == "BOUNCE":
        return phrase(status_of_event(event))
    return _EVENTS.get(event.type, event.type)


def to_the_minute(moment: str) -> str:
    """Write a time of the table to the minute, for example ``2026-11-23 10:00``."""
    return f"{moment[:10]} {moment[11:16]}"


def to_the_second(moment: str) -> str:
    """Write a time of the table to the second, for example ``2026-11-23 10:00:07``."""
    return f"{moment[:10]} {moment[11:19]}"


def relative(moment: str, now: datetime) -> str:
    """Say how long ago a time of the table is, or in how long; empty where it is no time."""
    try:
        seconds = (now - instant(moment)).total_seconds()
    except ValueError:
        return ""
    if abs(seconds) < _SECONDS_UNTIL_NOW:
        return "now"
    return f"{rough(seconds)} ago" if seconds > 0 else f"in {rough(-seconds)}"


def rough(seconds: float) -> str:
    """Write a time span in its largest unit, for example ``3 h``: a page is glanced at."""
    whole = int(seconds)
    for size, unit in _UNITS:
        if whole >= size:
            return f"{whole // size} {unit}"
    return f"{whole} s"


def after(moment: str | None, start: str) -> str:
    """Say how long after the start something happened; empty where a time is missing."""
    try:
        seconds = (instant(moment or "") - instant(start)).total_seconds()
    except ValueError:
        return ""
    if seconds <= 0:
        return ""
    return f"+{span(seconds)}" if seconds >= 1 else f"+{round(seconds * 1000)} ms"
