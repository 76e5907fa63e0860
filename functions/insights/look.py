"""One look at one message: gather, decide, apply.

The order of the steps is what makes every crash harmless (decision record 5): alerts are stored as
pending together with the insight, then published, then marked. Whatever stops the look in between,
the queue brings the message back, and the pending alerts are published first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from insights.core.alerts import Alert, notification, pending
from insights.core.message_id import LookRequest
from insights.core.record import Answer, Record, Rules, after_look
from insights.core.status import Status
from insights.core.times import iso
from insights.failures import Kind, SystemFailure
from insights.ports import RecordChanged, Records, Source, Subscribers

RECENT: Final = timedelta(minutes=15)
"""How long after a look an id that comes again teaches nothing; as long as the longest retry."""

_TRIES_TO_SAVE: Final = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a look came to."""

    record: Record
    published: tuple[Alert, ...]
    answer: Answer | None
    """None where the look was skipped: no call to SES was made."""

    @property
    def refused(self) -> bool:
        """Whether SES says, now or at an earlier look, that the id is no message id."""
        return self.record.status is Status.INVALID


@dataclass(frozen=True, slots=True)
class Look:
    """The use case, with everything it needs."""

    source: Source
    records: Records
    subscribers: Subscribers
    rules: Rules
    now: Callable[[], datetime]
    told: Callable[[Alert], None] = field(default=lambda _: None)
    """Hears of every alert once it is published and marked, also where the look fails later."""

    def __call__(self, request: LookRequest, *, enqueued_at: datetime) -> Outcome:
        """Take one look and tell whom it concerns. Raises `SystemFailure`; then nothing is lost."""
        stored = self.records.load(request.message_id)
        published: tuple[Alert, ...] = ()
        if stored is not None:
            # First what is stored and not told: it must not wait for SES, nor cost a look again.
            stored, published = self._publish_pending(stored)
            if not request.force and stored.is_settled(self.now(), recent=RECENT):
                return Outcome(stored, published, answer=None)
        answer = self.source.ask(request.message_id)
        record = self._store(stored, answer, request.message_id, enqueued_at)
        record, more = self._publish_pending(record)
        return Outcome(record, (*published, *more), answer)

    def _store(
        self, stored: Record | None, answer: Answer, message_id: str, enqueued_at: datetime
    ) -> Record:
        """Merge the answer into what is stored, again if somebody else stores in between."""
        for _ in range(_TRIES_TO_SAVE):
            record, new_alerts = after_look(
                stored,
                answer,
                message_id=message_id,
                enqueued_at=enqueued_at,
                now=self.now(),
                rules=self.rules,
            )
            try:
                self.records.save(record, new_alerts, read=stored)
            except RecordChanged:
                stored = self.records.load(message_id)
            else:
                return record
        raise SystemFailure(Kind.DYNAMODB, "another writer keeps changing the record")

    def _publish_pending(self, record: Record) -> tuple[Record, tuple[Alert, ...]]:
        """Publish what is not known to be published, each followed by its mark."""
        published = {}
        for alert in pending(record.alerts):
            sns_message_id = self.subscribers.publish(notification(alert, record.insights))
            done = replace(alert, published_at=iso(self.now()), sns_message_id=sns_message_id)
            self.records.mark_published(record.insights.message_id, done)
            self.told(done)
            published[alert.alert_id] = done
        alerts = tuple(published.get(alert.alert_id, alert) for alert in record.alerts)
        return replace(record, alerts=alerts), tuple(published.values())
