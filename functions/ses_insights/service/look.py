"""One look at one message: gather, decide, apply.

The order of the steps is what makes every crash harmless (decision record 5): alerts are stored as
pending together with the insight, then published, then marked. Whatever stops the look in between,
the queue brings the message back, and the pending alerts are published first.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ses_insights.contracts.queue_message import LookRequest
from ses_insights.domain.alert import Alert, pending
from ses_insights.domain.aside import failing_since, step_aside
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.overload import has_first_look
from ses_insights.domain.record import Answer, Record, Rules, after_look, other_region, postpone
from ses_insights.domain.status import Status
from ses_insights.domain.times import instant
from ses_insights.service.grouping import Grouping
from ses_insights.service.outbox import Outbox
from ses_insights.service.ports import Capacity, RecordChangedError, Records, Source

RECENT: Final = timedelta(minutes=15)
"""How long after a look an id that comes again is skipped; as long as the longest retry."""

_TRIES_TO_SAVE: Final = 3


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a look came to."""

    record: Record
    published: tuple[Alert, ...]
    answer: Answer | None
    """None where the look was skipped or postponed: no call to SES was made."""
    shed: int = 0
    """How many looks at this message were given up for want of slots: its first ones."""
    before: Record | None = None
    """What was stored when the look was taken."""
    is_fresh: bool = False
    """Whether a producer enqueued an id of which nothing was stored."""

    @property
    def is_postponed(self) -> bool:
        """Whether no look was taken yet, neither now nor before."""
        return self.answer is None and self.record.looks == 0

    @property
    def refused(self) -> bool:
        """Whether SES says, now or at an earlier look, that the id is no message id."""
        return self.record.status is Status.INVALID


@dataclass(frozen=True, slots=True)
class Look:
    """Looks at messages, one at a time."""

    source: Source
    records: Records
    outbox: Outbox
    capacity: Capacity
    grouping: Grouping
    rules: Rules
    region: str
    """The Region in which SES is asked."""
    delay: timedelta
    """How long a fresh id waits in the queue by rule."""
    on_published: Callable[[Alert], None]
    """Called with every alert once it is published and marked, also where the look fails later."""
    now: Callable[[], datetime]

    def take(self, request: LookRequest, *, enqueued_at: datetime, is_repeat: bool) -> Outcome:
        """Take one look, store what it shows and publish its alerts.

        ``is_repeat`` says that the queue hands the message over once more: a look at it may have
        failed on its way, and what was begun is finished, whatever the load. Raises
        `SystemFailure`; then nothing is lost.
        """
        stored = self.records.load(request.message_id)
        published: tuple[Alert, ...] = ()
        if stored is not None:
            # What is pending comes first: it must not wait for SES, nor cost a look again.
            stored, published = self._publish_pending(stored)
            if self._is_redundant(stored, request, is_repeat=is_repeat):
                return Outcome(stored, published, answer=None)
        note = other_region(request.region, self.region)
        known = (stored or self._new(request, enqueued_at)).noting(note)
        is_fresh = stored is None and not (request.due or request.look)
        if is_fresh and not (is_repeat or request.force):
            postponed = self._postpone(known, enqueued_at)
            if postponed:
                return Outcome(postponed, (), answer=None, shed=postponed.shed, is_fresh=True)
        answer = self.source.ask(request.message_id)
        record = self._store(stored, known, answer, request)
        record, more = self._publish_pending(record)
        published = (*published, *more)
        return Outcome(record, published, answer, before=stored, is_fresh=is_fresh)

    def step_aside(
        self,
        request: LookRequest,
        *,
        enqueued_at: datetime,
        is_few: bool,
        answered_at: datetime | None,
    ) -> Record | None:
        """Store that SES fails at an id, for a later look; None where it is to be tried again now.

        ``is_few`` says that it was tried a few times only: then it steps aside only if it did so
        before, and is not given up. ``answered_at`` is when SES last answered for any id. Raises
        `SystemFailure`.
        """
        stored = self.records.load(request.message_id)
        since = failing_since(stored)
        if is_few and since is None:
            return None
        before = stored or self._new(request, enqueued_at)
        aside = step_aside(
            before,
            self.now(),
            others_answered=bool(since and answered_at and answered_at > instant(since)),
        )
        if aside.final and is_few:
            return None  # SES may have answered meanwhile, and the answer was not stored
        try:
            self.records.save(aside, (), read=stored)
        except RecordChangedError:  # it is as it was left by another writer
            return None
        return aside

    def _new(self, request: LookRequest, enqueued_at: datetime) -> Record:
        """Return the record of a message of which nothing is stored, but perhaps a listing."""
        new = Record.new(request.message_id, enqueued_at, self.rules)
        if request.about is None:
            return new
        return replace(new, listings=tuple(self.records.listings(request.message_id)))

    def _is_redundant(self, stored: Record, request: LookRequest, *, is_repeat: bool) -> bool:
        """Whether a look would cost a slot for nothing.

        A due look comes with its number: it is taken once, and whatever else is known. Where SES
        has said what happened, a message is skipped if that is known; where it has said only that
        something did, if nothing more can happen to it: a look of moments ago may have been too
        early to show it. What was erased is always skipped, and what is half stored never: that
        look was not finished. Nor was one, perhaps, that comes again and was given up meanwhile.
        """
        if stored.erased_at is not None:
            return True
        if request.force or stored.is_half_stored:
            return False
        if request.look is not None:
            return stored.looks >= request.look
        if request.about is not None:
            return stored.knows(request.about)
        if request.due:
            return stored.is_over
        is_begun = is_repeat and stored.is_given_up
        return not is_begun and stored.is_settled(self.now(), recent=RECENT)

    def _postpone(self, fresh: Record, enqueued_at: datetime) -> Record | None:
        """Store a fresh message without a look where looks are scarce; None where it gets one."""
        waited = self.now() - enqueued_at - self.delay
        if not self.capacity.held_up(waited) and has_first_look(
            fresh.insights.message_id, self.capacity.late()
        ):
            return None
        record = postpone(fresh, self.rules)
        with suppress(RecordChangedError):  # another writer was faster: it is not fresh
            self.records.save(record, (), read=None)
            return record
        return None

    def _store(
        self, stored: Record | None, fresh: Record, answer: Answer, request: LookRequest
    ) -> Record:
        """Merge the answer into what is stored, again if another writer stores in between."""
        note = other_region(request.region, self.region)
        for _ in range(_TRIES_TO_SAVE):
            now, before = self.now(), (stored or fresh).noting(note)
            record, found = after_look(
                before, answer, now=now, rules=self.rules, about=request.about
            )
            if record is stored:  # it was erased while SES was asked
                return record
            new_alerts, surges = self.grouping.of(found, record.insights, now)
            record = record.with_alerts(new_alerts)
            try:
                self.records.save(record, new_alerts, read=stored, surges=surges)
            except RecordChangedError:
                stored = self.records.load(fresh.insights.message_id)
            else:
                return record
        raise SystemFailure(FailureKind.DYNAMODB, "another writer keeps changing the record")

    def _publish_pending(self, record: Record) -> tuple[Record, tuple[Alert, ...]]:
        """Publish what is pending, each alert followed by its mark.

        What was stored before is claimed first, unless a run of `followups` has it in hand; what
        this look has just stored needs no claim.
        An alert at which this program fails holds back no other one; its error is raised after.
        """
        published: dict[str, Alert] = {}
        errors: list[Exception] = []
        for alert in pending(record.alerts):
            try:
                if alert.is_held(self.now()):
                    continue
                if alert.claimed_at is not None and not self.outbox.claim(alert, record):
                    continue  # somebody else publishes it, or it was erased
                done = self.outbox.publish(alert, record)
            except SystemFailure:
                raise
            except Exception as error:  # noqa: BLE001 - raised below
                errors.append(error)
            else:
                self.on_published(done)
                published[alert.alert_id] = done
        if errors:
            raise errors[0]
        return record.with_alerts(published.values()), tuple(published.values())
