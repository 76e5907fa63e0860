"""What is stored of one message, and how a look changes it.

`after_look` is the decision of the whole service: from what is stored and what SES answers to what
is stored next. It is pure; `service.look` gathers what it needs and applies what it returns.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ses_insights.domain.alert import ALL_TYPES, Alert, AlertType, alerts_in
from ses_insights.domain.insight import Insights
from ses_insights.domain.lanes import Lane
from ses_insights.domain.schedule import Ladder, Next
from ses_insights.domain.status import Status, is_closed, most_telling, status_of
from ses_insights.domain.times import instant, iso


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
class Record:
    """Everything stored of one message. Instants are ISO 8601 text, as in the table."""

    insights: Insights
    status: Status
    sent_at: str
    """When it was sent, or when its id was enqueued where SES does not tell."""
    looks: int
    """How many answers of SES went into this. Also the version that a writer must have read."""
    first_look_at: str | None
    """None where no look was taken yet."""
    last_look_at: str | None
    next_look_at: str | None
    final: str | None
    """Why there is no next look; None while there is one."""
    note: str | None
    expires_at: int
    """Epoch seconds after which DynamoDB may delete it."""
    alerts: tuple[Alert, ...] = ()
    lane: Lane = Lane.FOLLOW_UP
    """Where it waits for its next look, if there is one."""
    shed: int = 0
    """How many looks were given up because of the load."""
    erased_at: str | None = None
    """When a recipient's data was erased. From then on nothing is added (decision record 11)."""

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

    def is_settled(self, now: datetime, *, recent: timedelta) -> bool:
        """Whether a look cannot teach anything.

        The story is final, or a look was taken within ``recent`` and none is due.
        """
        if self.final is not None or self.next_look_at is None:
            return True
        due = now >= instant(self.next_look_at)
        if self.last_look_at is None:
            # Set aside for want of slots: it waits for its time. What came in bulk may be looked
            # at sooner, where somebody asks for it.
            return not due and self.lane is not Lane.BULK
        return not due and now - instant(self.last_look_at) < recent


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
        """Tell when a message's rows may go.

        Never before SES itself has forgotten the message: a later look would raise its alerts
        again.
        """
        kept = max(self.retention, self.ladder.ses_keeps + timedelta(days=1))
        return int((sent_at + kept).timestamp())


def after_look(  # noqa: PLR0913 - keyword-only facts of one look
    stored: Record | None,
    answer: Answer,
    *,
    message_id: str,
    enqueued_at: datetime,
    now: datetime,
    rules: Rules,
    looks_per_message: float = math.inf,
) -> tuple[Record, tuple[Alert, ...]]:
    """Join what is stored with what SES answered.

    Returns the record to store and the alerts that are new with it. What was seen once is never
    forgotten: a message that SES no longer knows keeps all that it showed before.
    ``looks_per_message`` is what `load.looks_per_message` makes of the present load. Where a
    recipient's data was erased nothing changes: the very record that is stored comes back.
    """
    if stored is not None and stored.erased_at is not None:
        return stored, ()
    seen = _merged(stored, answer, message_id, rules)
    known = stored.sent_at if stored else iso(enqueued_at)
    sent_at = instant(min(seen.sent_at or known, known))
    looks = (stored.looks if stored else 0) + 1
    look_at = iso(now)
    # What came in bulk takes only slots that are left over; there is nothing to give up for it.
    is_bulk = stored is not None and stored.lane is Lane.BULK
    ladder = rules.ladder.for_message(message_id, math.inf if is_bulk else looks_per_message)
    if isinstance(answer, Found) or _was_found(stored):
        status = most_telling(status_of(destination) for destination in seen.destinations)
        following = ladder.after_found(seen.destinations, sent_at=sent_at, now=now)
    elif isinstance(answer, Refused):
        status = Status.INVALID
        following = Next(final="SES says that this is no message id. It was enqueued by mistake.")
    else:
        status = Status.NOT_FOUND
        following = ladder.after_not_found(sent_at=sent_at, now=now, looks=looks)
    old = stored.alerts if stored else ()
    told = {alert.alert_id for alert in old}
    raised = alerts_in(seen, detected_at=look_at, alert_types=rules.alert_types)
    new = tuple(alert for alert in raised if alert.alert_id not in told)
    record = Record(
        insights=seen,
        status=status,
        sent_at=iso(sent_at),
        looks=looks,
        first_look_at=(stored.first_look_at if stored else None) or look_at,
        last_look_at=look_at,
        next_look_at=iso(following.at) if following.at else None,
        final=following.final,
        note=following.note,
        expires_at=rules.expires_at(sent_at),
        alerts=tuple(sorted((*old, *new), key=lambda alert: alert.alert_id)),
        lane=_lane(stored, following, sent_at, rules.ladder),
        shed=(stored.shed if stored else 0) + following.shed,
    )
    return record, new


def postponed_record(  # noqa: PLR0913 - keyword-only facts of one moment
    *,
    message_id: str,
    enqueued_at: datetime,
    now: datetime,
    delay: timedelta,
    rules: Rules,
    looks_per_message: float,
) -> Record | None:
    """Acknowledge a fresh id without a look, or tell with None that it is looked at now.

    Acknowledged are ids whose ladder has no first look at this load, unless there is a slot to
    spare, and those that waited too long beyond the queue's ``delay``. Their first look is moved
    to the kept rung; where the load leaves no look for this message, ``final`` says so.
    """
    ladder = rules.ladder.for_message(message_id, looks_per_message)
    age = now - enqueued_at
    if ladder.first_look_now(age, waited=age - delay):
        return None
    following = ladder.after_no_look(sent_at=enqueued_at)
    return Record(
        insights=Insights(message_id),
        status=Status.NOT_FOUND,
        sent_at=iso(enqueued_at),
        looks=0,
        first_look_at=None,
        last_look_at=None,
        next_look_at=iso(following.at) if following.at else None,
        final=following.final,
        note=following.note,
        expires_at=rules.expires_at(enqueued_at),
        lane=_lane(None, following, enqueued_at, rules.ladder),
        shed=following.shed,
    )


def _lane(stored: Record | None, following: Next, sent_at: datetime, ladder: Ladder) -> Lane:
    """Choose where the next look is waited for; what came in bulk stays there to the end."""
    if stored and stored.lane is Lane.BULK:
        return Lane.BULK
    waits_for_essential = following.at is not None and following.at - sent_at == ladder.essential
    return Lane.ESSENTIAL if waits_for_essential else Lane.FOLLOW_UP


def _merged(stored: Record | None, answer: Answer, message_id: str, rules: Rules) -> Insights:
    seen = stored.insights if stored else Insights(message_id)
    if isinstance(answer, Found) and answer.insights != seen:  # most looks show nothing new
        seen = seen.merged(answer.insights)
    return replace(seen, subject=None) if rules.redact_subjects else seen


def _was_found(stored: Record | None) -> bool:
    return stored is not None and stored.status not in {Status.NOT_FOUND, Status.INVALID}
