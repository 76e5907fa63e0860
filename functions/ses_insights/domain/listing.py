"""What the account's suppression list says of a message. Pure.

SES lists an address when a mail to it bounces for good or draws a complaint, and names the mail.
That is known within seconds, also of mail to several recipients, of which GetMessageInsights never
shows anything (decision record 19).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from ses_insights.domain.explanation import is_complaint_of_a_person
from ses_insights.domain.insight import Bounce, Complaint, Event, Insights
from ses_insights.domain.times import instant


class Feedback(StrEnum):
    """What SES says has happened to a message."""

    BOUNCE = "BOUNCE"
    """It bounced for good."""
    COMPLAINT = "COMPLAINT"


ENOUGH_STEPS: Final = 4
"""After so many steps (an hour, by default) one look that shows nothing is enough."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One address that is listed because of one message."""

    address: str
    reason: Feedback
    listed_at: str
    is_finding: bool = False
    """Whether it stands for an event that SES shows nowhere else."""

    @property
    def event(self) -> Event:
        """The event that it stands for, as far as it is known."""
        if self.reason is Feedback.BOUNCE:
            return Event("BOUNCE", self.listed_at, bounce=Bounce("PERMANENT"))
        return Event("COMPLAINT", self.listed_at, complaint=Complaint())

    def is_shown(self, insights: Insights) -> bool:
        """Whether SES's insights show the event.

        Of a complaint any report: where SES tells of the message at all, the ladder finds the
        others.
        """
        return any(
            event.is_permanent_bounce if self.reason is Feedback.BOUNCE else event.is_complaint
            for destination in insights.destinations
            if is_same_address(destination.address, self.address)
            for event in destination.events
        )

    def after_look(
        self, insights: Insights, *, last_look_at: str | None, now: datetime, step: timedelta
    ) -> Listing:
        """Return what it is after a look after which SES has shown ``insights``.

        It becomes the finding at the second look that shows nothing, the first one a ``step`` after
        the listing or later, because insights take minutes to come. ``last_look_at`` is the look
        before. Where it is later than `ENOUGH_STEPS` one look is enough.
        """
        if self.is_shown(insights):
            return replace(self, is_finding=False)
        listed_at = instant(self.listed_at)
        is_second = last_look_at is not None and instant(last_look_at) >= listed_at + step
        is_late = now >= listed_at + ENOUGH_STEPS * step
        return replace(self, is_finding=self.is_finding or is_second or is_late)


def is_same_address(one: str, other: str) -> bool:
    """Whether two addresses are one to SES, which lists them in a spelling of its own."""
    return one.lower() == other.lower()


def is_open(listing: Listing, insights: Insights) -> bool:
    """Whether nothing is known yet of what the address is listed for."""
    return not listing.is_finding and not listing.is_shown(insights)


def is_known(about: Feedback, insights: Insights, listings: Iterable[Listing]) -> bool:
    """Whether it is known what SES says has happened: another look would show nothing new.

    A bounce is known by a permanent one, a complaint by that of a person: the complaint of a person
    can follow a machine's report.
    """
    of_kind = [listing for listing in listings if listing.reason is about]
    if any(is_open(listing, insights) for listing in of_kind):
        return False
    return any(listing.is_finding for listing in of_kind) or any(
        event.is_permanent_bounce
        if about is Feedback.BOUNCE
        else event.is_complaint and is_complaint_of_a_person(event.complaint or Complaint())
        for event in insights.events
    )
