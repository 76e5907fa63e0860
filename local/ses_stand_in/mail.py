"""A mail that was sent, and what SES knows of it at a given time. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from random import Random
from typing import Any
from uuid import UUID

from local.ses_stand_in.stories import RETENTION, Event, Story, timelines, told
from local.ses_stand_in.suppression import Coming, listing

Payload = dict[str, Any]
"""A response as botocore's model describes it."""

REGION_DIGITS = "0102"  # what ids of eu-west-1 begin with


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail the stand-in took. Times are those of the real clock."""

    message_id: str
    from_email_address: str
    subject: str
    tags: tuple[tuple[str, str], ...]
    recipients: tuple[str, ...]
    story: Story
    sent_at: datetime
    speed: float
    """Fixed at the send: a change of speed must not move what SES has already said."""
    finished_at: datetime | None = None
    """When all that was still to come of its story happened at once."""

    @property
    def settled_at(self) -> datetime:
        """From here on SES knows all it will ever know of this mail."""
        return self._at(self.story.settled_after)

    def insights(self, now: datetime) -> Payload | None:
        """What GetMessageInsights answers at this time; None: not yet, never, or no more.

        SES forgets a mail 30 days after it was sent, whatever the speed: so no test and no demo has
        to be faster than a story.
        """
        visible_after = self.story.visible_after
        if visible_after is None or now < self._at(visible_after):
            return None
        if now - self.sent_at >= RETENTION:
            return None
        payload = {
            "MessageId": self.message_id,
            "FromEmailAddress": self.from_email_address,
            "Subject": self.subject if self.story.subject is None else self.story.subject,
            "EmailTags": [{"Name": name, "Value": value} for name, value in self.tags],
            "Insights": [
                self._insight(destination, events, now)
                for destination, events in told(self.recipients, self.story)
            ],
        }
        return {
            name: value
            for name, value in payload.items()
            if name not in self.story.missing and value != ""
        }

    def coming(self) -> Iterator[Coming]:
        """What this mail will put on the account's suppression list, unless it is there already."""
        for destination, events in timelines(self.recipients, self.story):
            for after, reason in listing(events):
                yield Coming(self._at(after), destination, reason, self.message_id)

    def _at(self, after: timedelta) -> datetime:
        at = self.sent_at + after / self.speed
        return at if self.finished_at is None else min(at, self.finished_at)

    def _insight(self, destination: str, events: tuple[Event, ...], now: datetime) -> Payload:
        insight: Payload = {"Destination": destination}
        if self.story.isp is not None:
            insight["Isp"] = self.story.isp
        known = [self._event(event, at) for event in events if (at := self._at(event.after)) <= now]
        # SES promises no order, so the stand-in keeps none (but the same at each look).
        Random(self.message_id).shuffle(known)  # noqa: S311 - not for secrets
        return insight | {"Events": known}

    @staticmethod
    def _event(event: Event, at: datetime) -> Payload:
        dated: Payload = {"Timestamp": at} if event.dated else {}
        details: Payload = {} if event.details is None else {"Details": event.details}
        return dated | {"Type": event.type} | details


def new_message_id(sent_at: datetime, unique: UUID) -> str:
    """An id of SES's form, e.g. 0106019fa36a2608-6c9654bb-dc58-4957-8828-68360c1c2d10-000000.

    The first group holds the milliseconds since 1970.
    """
    milliseconds = round(sent_at.timestamp() * 1000)
    return f"{REGION_DIGITS}{milliseconds:012x}-{unique}-000000"


def auto_tags(from_email_address: str, configuration_set: str | None) -> list[tuple[str, str]]:
    """The tags SES adds by itself. The addresses are of the ranges kept for documentation."""
    set_name = [("ses:configuration-set", configuration_set)] if configuration_set else []
    _, address = parseaddr(from_email_address)
    return [
        *set_name,
        ("ses:source-ip", "192.0.2.10"),
        ("ses:caller-identity", "send-pipeline"),
        ("ses:from-domain", address.rpartition("@")[2]),
        ("ses:outgoing-ip", "198.51.100.25"),
    ]
