"""What is stored of one message, and how a look changes it.

`after_look` is the decision of the whole service: from what is stored and what SES answers to what
is stored next. It is pure; `service.look` gathers what it needs and applies what it returns.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ses_insights.domain.alert import (
    ALL_TYPES,
    Alert,
    AlertType,
    alerts_in,
    alerts_of_listings,
    new_alerts,
)
from ses_insights.domain.insight import Insights
from ses_insights.domain.lanes import Lane
from ses_insights.domain.listing import Feedback, Listing, is_known, is_open
from ses_insights.domain.overload import SHED_ALL, SHED_REST, lane_of, postponed_look
from ses_insights.domain.schedule import Ladder, Next
from ses_insights.domain.status import Status, is_closed, most_telling, status_of
from ses_insights.domain.times import instant, iso

_OTHER_REGION: Final = re.compile(r"The enqueued text names the Region \S+; SES is asked in \S+\.")


def other_region(named: str | None, own: str) -> str | None:
    """Say that an id was enqueued as one of another Region than SES is asked in; None if not."""
    if named is None or named == own:
        return None
    return f"The enqueued text names the Region {named}; SES is asked in {own}."


@dataclass(frozen=True, slots=True)
class Found:
    """SES knows the message."""

    insights: Insights


@dataclass(frozen=True, slots=True)
class NotFound:
    """SES does not know the message, or not yet, or no more."""


@dataclass(frozen=True, slots=True)
class Refused:
    """SES says that the id is no message id."""


Answer = Found | NotFound | Refused
"""What SES said to one look."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner of a deployment decides about looks and rows."""

    ladder: Ladder
    retention: timedelta
    """How long rows are kept since the message was sent."""
    redact_subjects: bool = False
    alert_types: frozenset[AlertType] = ALL_TYPES
    """What raises an alert."""

    def expires_at(self, sent_at: datetime) -> int:
        """Return when a message's rows may go, in epoch seconds.

        Never before SES itself has forgotten the message: a later look would raise its alerts
        again.
        """
        kept = max(self.retention, self.ladder.ses_keeps + timedelta(days=1))
        return int((sent_at + kept).timestamp())


@dataclass(frozen=True, slots=True)
class Record:
    """Everything stored of one message. Instants are ISO 8601 text, as in the table."""

    insights: Insights
    sent_at: str
    """When it was sent, or when its id was enqueued where SES does not say."""
    expires_at: int
    """Epoch seconds after which DynamoDB may delete it."""
    status: Status = Status.NOT_FOUND
    looks: int = 0
    """How many answers of SES went into this. Also the version that a writer must have read."""
    first_look_at: str | None = None
    """None where no look was taken yet."""
    last_look_at: str | None = None
    next_look_at: str | None = None
    final: str | None = None
    """Why there is no next look; None while there is one."""
    note: str | None = None
    alerts: tuple[Alert, ...] = ()
    lane: Lane = Lane.FOLLOW_UP
    """Where it waits for its next look, if there is one."""
    shed: int = 0
    """How many looks were given up because of the load."""
    erased_at: str | None = None
    """When a recipient's data was erased. From then on nothing is added (decision record 11)."""
    failing_since: str | None = None
    """Since when SES fails at this id; None where it answered last time."""
    alert_ids: frozenset[str] = frozenset()
    """Ids of all alerts ever raised: an alert's own row may expire before the message's."""
    is_half_stored: bool = False
    """Whether a look that did not come to its end has stored some of what it found."""
    listings: tuple[Listing, ...] = ()
    """Where the account's suppression list names this message."""

    @classmethod
    def new(cls, message_id: str, sent_at: datetime, rules: Rules) -> Record:
        """Return the record of a message that was never looked at, with no look planned."""
        return cls(Insights(message_id), iso(sent_at), rules.expires_at(sent_at))

    @property
    def is_over(self) -> bool:
        """Whether nothing more can come, whatever SES publishes of it.

        Less than `final`, which may also be there because looks were given up or the id was not
        found.
        """
        destinations = self.insights.destinations
        return self.status is Status.INVALID or (
            bool(destinations) and all(is_closed(destination) for destination in destinations)
        )

    def knows(self, about: Feedback) -> bool:
        """Whether what SES says has happened is known, so that a look would show nothing new."""
        return self.status is Status.INVALID or is_known(about, self.insights, self.listings)

    @property
    def is_given_up(self) -> bool:
        """Whether there is no next look because looks were scarce."""
        return self.final in {SHED_REST, SHED_ALL}

    @property
    def was_found(self) -> bool:
        """Whether SES has ever known the message."""
        return self.status not in {Status.NOT_FOUND, Status.INVALID}

    def is_settled(self, now: datetime, *, recent: timedelta) -> bool:
        """Whether a look cannot show anything new.

        The story is final, or a look was taken within ``recent`` and none is due.
        """
        if self.final is not None or self.next_look_at is None:
            return True
        due = now >= instant(self.next_look_at)
        if self.last_look_at is None:
            # Postponed: it waits for its time. What came in bulk may be looked at sooner, where
            # somebody asks for it.
            return not due and self.lane is not Lane.BULK
        return not due and now - instant(self.last_look_at) < recent

    def noting(self, note: str | None) -> Record:
        """Return the record with a note before its own, unless there is none or it was erased."""
        if note is None or self.erased_at is not None or note in (self.note or ""):
            return self
        return replace(self, note=_joined(note, self.note))

    def with_alerts(self, alerts: Iterable[Alert]) -> Record:
        """Return the record with these alerts in the place of those with the same ids."""
        changed = {alert.alert_id: alert for alert in alerts}
        if not changed:
            return self
        return replace(
            self, alerts=tuple(changed.get(alert.alert_id, alert) for alert in self.alerts)
        )

    def followed_by(self, following: Next, ladder: Ladder, *, is_expected: bool = False) -> Record:
        """Return the record with its next look, or with the reason why there is none.

        ``is_expected`` says that there is something to find: that look goes first.
        """
        age = following.at - instant(self.sent_at) if following.at else None
        lane = Lane.LISTED if is_expected else lane_of(ladder, age)
        # What explains why SES does not know a message is true until SES knows it.
        region = None if self.was_found else _OTHER_REGION.search(self.note or "")
        left_out = self.insights.left_out
        more = f"SES shows {left_out:,} more recipients; they are not stored." if left_out else None
        return replace(
            self,
            next_look_at=iso(following.at) if following.at else None,
            final=following.final,
            note=_joined(region and region[0], following.note, more),
            # What came in bulk stays in its lane to the end.
            lane=Lane.BULK if self.lane is Lane.BULK else lane,
            shed=self.shed + following.shed,
        )


def after_look(
    before: Record,
    answer: Answer,
    *,
    now: datetime,
    rules: Rules,
    about: Feedback | None = None,
) -> tuple[Record, tuple[Alert, ...]]:
    """Join what was known before, stored or `Record.new`, with what SES answered.

    Returns the record to store and the alerts that are new with it. What was seen once is never
    forgotten: a message that SES no longer knows keeps all that it showed before. Where a
    recipient's data was erased nothing changes: the very record that is stored comes back.

    ``about`` is what SES says has happened. Until it is known, or what an address is listed for,
    the next look comes soon, whatever rung is next.
    """
    if before.erased_at is not None:
        return before, ()
    seen = _merged(before.insights, answer, rules)
    sent_at = instant(min(seen.sent_at or before.sent_at, before.sent_at))
    looks = before.looks + 1
    look_at = iso(now)
    if isinstance(answer, Found) or before.was_found:
        status = most_telling(status_of(destination) for destination in seen.destinations)
        following = rules.ladder.after_found(seen.destinations, sent_at=sent_at, now=now)
    elif isinstance(answer, Refused):
        status = Status.INVALID
        following = Next(final="SES says that this is no message id. It was enqueued by mistake.")
    else:
        status = Status.NOT_FOUND
        following = rules.ladder.after_not_found(sent_at=sent_at, now=now, looks=looks)
    # What SES calls no message id it will not show later either.
    step = timedelta(0) if isinstance(answer, Refused) else rules.ladder.listed_step
    listings = tuple(
        listing.after_look(seen, last_look_at=before.last_look_at, now=now, step=step)
        for listing in before.listings
    )
    raised = (
        *alerts_in(seen, detected_at=look_at, alert_types=rules.alert_types),
        *alerts_of_listings(listings, seen, detected_at=look_at, alert_types=rules.alert_types),
    )
    new = tuple(
        alert
        for alert in new_alerts(raised, before.alerts)
        if alert.alert_id not in before.alert_ids
    )
    record = replace(
        before,
        insights=seen,
        status=status,
        sent_at=iso(sent_at),
        looks=looks,
        first_look_at=before.first_look_at or look_at,
        last_look_at=look_at,
        expires_at=rules.expires_at(sent_at),
        alerts=tuple(sorted((*before.alerts, *new), key=lambda alert: alert.alert_id)),
        alert_ids=before.alert_ids.union(alert.alert_id for alert in new),
        failing_since=None,
        is_half_stored=False,
        listings=listings,
    )
    is_expected = status is not Status.INVALID and (
        any(is_open(listing, seen) for listing in listings)
        or (about is not None and not record.knows(about))
    )
    if is_expected:
        soon = now + step
        following = Next(at=min(following.at or soon, soon), note=following.note)
    return record.followed_by(following, rules.ladder, is_expected=is_expected), new


def _joined(*notes: str | None) -> str | None:
    return " ".join(filter(None, notes)) or None


def postpone(fresh: Record, rules: Rules) -> Record:
    """Return a fresh record whose first look is postponed (`overload.postponed_look`)."""
    following = postponed_look(rules.ladder, instant(fresh.sent_at))
    return fresh.followed_by(following, rules.ladder)


def _merged(seen: Insights, answer: Answer, rules: Rules) -> Insights:
    if isinstance(answer, Found) and answer.insights != seen:  # most looks show nothing new
        seen = seen.merged(answer.insights)
    return replace(seen, subject=None) if rules.redact_subjects else seen
