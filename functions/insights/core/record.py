"""What is stored of one message, and how a look changes it.

`after_look` is the decision of the whole service: from what is stored and what SES answers to what
is stored next. It is pure; `insights.look` gathers what it needs and applies what it returns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .alerts import Alert, alerts_in
from .insight import Insights
from .ladder import Ladder, Next
from .status import Status, most_telling, status_of
from .times import instant, iso


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
    first_look_at: str
    last_look_at: str
    next_look_at: str | None
    final: str | None
    """Why there is no next look; None while there is one."""
    note: str | None
    expires_at: int
    """Epoch seconds after which DynamoDB may delete it."""
    alerts: tuple[Alert, ...] = ()

    def is_settled(self, now: datetime, *, recent: timedelta) -> bool:
        """Whether a look cannot teach anything.

        The story is final, or a look was taken within ``recent`` and none is due.
        """
        if self.final is not None or self.next_look_at is None:
            return True
        due = now >= instant(self.next_look_at)
        return not due and now - instant(self.last_look_at) < recent


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner of a deployment decides about looks and rows."""

    ladder: Ladder
    retention: timedelta
    """How long rows are kept since the message was sent."""
    redact_subjects: bool = False

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
) -> tuple[Record, tuple[Alert, ...]]:
    """Join what is stored with what SES answered.

    Returns the record to store and the alerts that are new with it. What was seen once is never
    forgotten: a message that SES no longer knows keeps all that it showed before.
    """
    seen = _merged(stored, answer, message_id, rules)
    known = stored.sent_at if stored else iso(enqueued_at)
    sent_at = instant(min(seen.sent_at or known, known))
    looks = (stored.looks if stored else 0) + 1
    if isinstance(answer, Found) or _was_found(stored):
        status = most_telling(status_of(place) for place in seen.destinations)
        following = rules.ladder.after_found(seen.destinations, sent_at=sent_at, now=now)
    elif isinstance(answer, Refused):
        status = Status.INVALID
        following = Next(final="SES says that this is no message id. It was enqueued by mistake.")
    else:
        status = Status.NOT_FOUND
        following = rules.ladder.after_not_found(sent_at=sent_at, now=now, looks=looks)
    old = stored.alerts if stored else ()
    told = {alert.alert_id for alert in old}
    raised = alerts_in(seen, detected_at=iso(now))
    new = tuple(alert for alert in raised if alert.alert_id not in told)
    record = Record(
        insights=seen,
        status=status,
        sent_at=iso(sent_at),
        looks=looks,
        first_look_at=stored.first_look_at if stored else iso(now),
        last_look_at=iso(now),
        next_look_at=iso(following.at) if following.at else None,
        final=following.final,
        note=following.note,
        expires_at=rules.expires_at(sent_at),
        alerts=tuple(sorted((*old, *new), key=lambda alert: alert.alert_id)),
    )
    return record, new


def _merged(stored: Record | None, answer: Answer, message_id: str, rules: Rules) -> Insights:
    seen = stored.insights if stored else Insights(message_id)
    if isinstance(answer, Found):
        seen = seen.merged(answer.insights)
    return replace(seen, subject=None) if rules.redact_subjects else seen


def _was_found(stored: Record | None) -> bool:
    return stored is not None and stored.status not in {Status.NOT_FOUND, Status.INVALID}
