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

from ses_insights.contracts.console import TableAddress
from ses_insights.contracts.queue_message import LookRequest
from ses_insights.domain.alert import Alert, pending
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.record import Answer, Record, Rules, after_look, postponed_record
from ses_insights.domain.schedule import LONGEST_WAIT
from ses_insights.domain.status import Status
from ses_insights.service.capacity import UNLIMITED
from ses_insights.service.outbox import Outbox
from ses_insights.service.ports import Capacity, RecordChangedError, Records, Source, Subscribers

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
    shed: int = 0
    """How many looks at this message were given up for want of slots."""
    before: Record | None = None
    """What was stored when the look was taken."""

    @property
    def is_postponed(self) -> bool:
        """Whether it was acknowledged without any look."""
        return self.answer is None and self.record.looks == 0

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
    load: Capacity = UNLIMITED
    delay: timedelta = timedelta(0)
    """How long a fresh id waits in the queue by rule."""
    table: TableAddress | None = None
    """Where people read more about an alert."""

    def __call__(self, request: LookRequest, *, enqueued_at: datetime) -> Outcome:
        """Take one look and tell whom it concerns. Raises `SystemFailure`; then nothing is lost."""
        stored = self.records.load(request.message_id)
        published: tuple[Alert, ...] = ()
        if stored is not None:
            # First what is stored and not told: it must not wait for SES, nor cost a look again.
            stored, published = self._publish_pending(stored)
            if self._is_redundant(stored, request):
                return Outcome(stored, published, answer=None)
        looks_per_message = self.load.looks_per_message()
        if stored is None and not (request.force or request.due or request.look):
            aside = self._postpone(request.message_id, enqueued_at, looks_per_message)
            if aside:
                return Outcome(aside, (), answer=None, shed=aside.shed)
        answer = self.source.ask(request.message_id)
        record = self._store(stored, answer, request.message_id, enqueued_at, looks_per_message)
        shed = record.shed - (stored.shed if stored else 0)
        record, more = self._publish_pending(record)
        return Outcome(record, (*published, *more), answer, shed, before=stored)

    def _is_redundant(self, stored: Record, request: LookRequest) -> bool:
        """Whether a look would cost a slot for nothing.

        A due look comes with its number: it is taken once, and whatever else is known. Where SES
        has published that something happened, only what has come to its end is left alone: a look
        of moments ago may have been too early to show it. What was erased is left alone by all.
        """
        if stored.erased_at is not None:
            return True
        if request.force:
            return False
        if request.look is not None:
            return stored.looks >= request.look
        if request.due:
            return stored.is_over
        return stored.is_settled(self.now(), recent=RECENT)

    def _postpone(
        self, message_id: str, enqueued_at: datetime, looks_per_message: float
    ) -> Record | None:
        """Store a fresh message without a look where there are too many; None where not."""
        now = self.now()
        delay, waited = self.delay, now - enqueued_at
        if waited - delay > LONGEST_WAIT and not self.load.line_is_long(waited - delay):
            # An outage made it wait, not the line: nobody behind it is to come first.
            delay = waited - LONGEST_WAIT
        record = postponed_record(
            message_id=message_id,
            enqueued_at=enqueued_at,
            now=now,
            delay=delay,
            rules=self.rules,
            looks_per_message=looks_per_message,
        )
        if record is None:
            return None
        try:
            self.records.save(record, (), read=None)
        except RecordChangedError:
            return None
        return record

    def _store(
        self,
        stored: Record | None,
        answer: Answer,
        message_id: str,
        enqueued_at: datetime,
        looks_per_message: float,
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
                looks_per_message=looks_per_message,
            )
            if record is stored:  # it was erased while SES was asked
                return record
            try:
                self.records.save(record, new_alerts, read=stored)
            except RecordChangedError:
                stored = self.records.load(message_id)
            else:
                return record
        raise SystemFailure(FailureKind.DYNAMODB, "another writer keeps changing the record")

    def _publish_pending(self, record: Record) -> tuple[Record, tuple[Alert, ...]]:
        """Publish what is not known to be published, each followed by its mark.

        An alert at which this program fails holds back no other one; its error is raised after.
        """
        outbox = Outbox(self.records, self.subscribers, self.now, self.table)
        published: dict[str, Alert] = {}
        errors: list[Exception] = []
        for alert in pending(record.alerts):
            try:
                done = outbox.publish(alert, record)
            except SystemFailure:
                raise
            except Exception as error:  # noqa: BLE001 - raised below
                errors.append(error)
            else:
                self.told(done)
                published[alert.alert_id] = done
        if errors:
            raise errors[0]
        alerts = tuple(published.get(alert.alert_id, alert) for alert in record.alerts)
        return replace(record, alerts=alerts), tuple(published.values())
