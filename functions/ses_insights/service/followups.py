"""One run of `followups`: publish what was left behind, then put due looks into the queue.

A run leaves nothing that the next one needs, and two at once do no harm: whoever acts on a row
claims it first, and a claim that leads to nothing ends by itself. So a run may stop anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ses_insights.contracts.rows import alert_key
from ses_insights.domain.alert import pending
from ses_insights.domain.budget import free_looks
from ses_insights.domain.due import (
    Claim,
    DueRow,
    Proceed,
    Reschedule,
    Waiting,
    decide,
    is_time,
    looks_for,
)
from ses_insights.domain.failures import SystemFailure, unexpected
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.schedule import Ladder
from ses_insights.domain.times import instant, iso
from ses_insights.service.outbox import Outbox
from ses_insights.service.ports import Capacity, DueRows, ProducerQueue, Records, SentCounts
from ses_insights.service.telemetry import FollowUpTelemetry

RUN_EVERY: Final = timedelta(minutes=1)
"""How often the schedule starts a run."""

STALE_AFTER: Final = timedelta(minutes=5)
"""An alert pending for longer was left behind: its look would have published it by now."""

CLAIMED_FOR: Final = timedelta(hours=1)
"""How much later than it becomes visible a claimed look may be taken; then it is due again."""

MOST_COUNTED: Final = 10_000
"""How many due rows of a lane are counted at most: a count reads all it counts."""

MOST_JUDGED: Final = 1_000
"""How many rows of a lane a run looks through at most for rungs to give up."""

BATCH: Final = 10
"""Due looks that join the queue in one call."""


class OutOfTimeError(Exception):
    """The run has to stop; the next one goes on."""


@dataclass(frozen=True, slots=True)
class FollowUps:
    """The use case, with everything it needs."""

    rows: DueRows
    queue: ProducerQueue
    records: Records
    outbox: Outbox
    counts: SentCounts
    load: Capacity
    ladder: Ladder
    period: float
    """Seconds between two looks."""
    delay: timedelta
    """How long whatever joins the queue waits before it can be received."""
    telemetry: FollowUpTelemetry
    now: Callable[[], datetime]
    clock: Callable[[], float]
    """Monotonic seconds."""

    def run(self, seconds: float) -> None:
        """Work for at most so many seconds.

        One step's failure does not keep the others from being tried; the first one is raised at
        the end, as a `SystemFailure`.
        """
        run = _Run(self, self.clock() + seconds)
        failures = []
        for step in (run.publish, run.repair, run.serve):
            try:
                step()
            except OutOfTimeError:
                self.telemetry.out_of_time()
                break
            except Exception as error:  # noqa: BLE001 - told, counted, and raised without its text
                failure = error if isinstance(error, SystemFailure) else unexpected(error)
                self.telemetry.failed(failure)
                failures.append(failure)
        self.telemetry.ran()
        if failures:
            raise failures[0]


@dataclass(slots=True)
class _Run:
    """One run: what it may still do, and what it has in hand."""

    parts: FollowUps
    deadline: float
    free: int = 0
    """How many looks may still join the queue."""
    claims: list[Claim] = field(default_factory=list)
    """Claimed and not yet in the queue."""
    claimed_until: str = ""
    sent: int = 0
    """How many looks joined the queue."""

    # Alerts that were left behind

    def publish(self) -> None:
        """Publish what is pending for longer than a look takes."""
        until = iso(self.parts.now() - STALE_AFTER)
        for page in self.parts.rows.due(Lane.ALERT, until=until):
            for row in page:
                self._check_time()
                # Pushing its time keeps another run from publishing it, too.
                if self.parts.rows.claim(row, until=iso(self.parts.now())):
                    self._publish(row)

    def _publish(self, row: Waiting) -> None:
        """Publish one alert; what nobody foresaw about it does not stop the others."""
        try:
            record = self.parts.records.load(row.message_id)
            # Without its message's row the look that found it counts as not taken; it comes back.
            alerts = pending(record.alerts) if record else ()
            for alert in alerts:
                if record and alert_key(alert.alert_id) == row.record:
                    done = self.parts.outbox.publish(alert, record)
                    self.parts.telemetry.published(done, row.message_id)
        except SystemFailure:
            raise
        except Exception as error:  # noqa: BLE001 - logged and counted; tried again in minutes
            self.parts.telemetry.failed(unexpected(error))

    # Rows that wait for no time

    def repair(self) -> None:
        """Make due what would wait for ever: rows whose time is none, or beyond any ladder."""
        after = iso(self.parts.now() + self.parts.ladder.ses_keeps + timedelta(days=1))
        for lane in Lane:
            for row in self.parts.rows.beyond(lane, after=after):
                self._check_time()
                self._make_due(row, lane)

    def _make_due(self, row: Waiting, lane: Lane) -> None:
        if self.parts.rows.claim(row, until=iso(self.parts.now())):
            self.parts.telemetry.bad_row(row.message_id, lane=lane)

    # Looks that are due

    def serve(self) -> None:
        """Put due looks into the queue, lane by lane, as far as there is room for them."""
        now = self.parts.now()
        looks_per_message = self.parts.load.looks_per_message()
        self.free = self._free(now, looks_per_message)
        self.claimed_until = iso(now + self.parts.delay + CLAIMED_FOR)
        self._tell_who_is_due(now)
        try:
            for lane in LOOK_LANES:
                try:
                    self._serve(lane, now, looks_per_message)
                finally:
                    self._send(lane)
        finally:
            if self.sent:
                self.parts.counts.count_sent(self.sent, now)

    def _free(self, now: datetime, looks_per_message: float) -> int:
        """Tell how many looks there is room for."""
        parts = self.parts
        depth = parts.queue.depth()
        first_looks = parts.ladder.first_looks(looks_per_message)
        # Where every fresh id takes a slot, it does not matter which of those waiting are fresh.
        scarce = first_looks < 1
        return free_looks(
            visible=depth.visible,
            delayed=depth.delayed,
            in_flight=depth.in_flight,
            delay=parts.delay.total_seconds(),
            period=parts.period,
            interval=RUN_EVERY.total_seconds(),
            follow_ups=parts.counts.sent_since(now - parts.delay) if scarce else None,
            first_looks=first_looks,
        )

    def _tell_who_is_due(self, now: datetime) -> None:
        rows, until = self.parts.rows, iso(now)
        due = {lane: rows.count(lane, until=until, most=MOST_COUNTED) for lane in LOOK_LANES}
        # What came in bulk may wait for weeks; nobody needs to know of that.
        oldest = [
            instant(row.next_look_at)
            for lane in (Lane.ESSENTIAL, Lane.FOLLOW_UP)
            for row in next(rows.due(lane, until=until), ())[:1]
            if is_time(row.next_look_at)
        ]
        lag = max(((now - moment).total_seconds() for moment in oldest), default=0.0)
        self.parts.telemetry.began(due=due, lag=lag, free=self.free)

    def _serve(self, lane: Lane, now: datetime, looks_per_message: float) -> None:
        scarce = lane is not Lane.BULK and looks_per_message < len(self.parts.ladder.rungs)
        to_judge = MOST_JUDGED if scarce else 0
        if not self.free and not to_judge:
            return
        for page in self.parts.rows.due(lane, until=iso(now)):
            known = self.parts.rows.details(page)
            for row in page:
                self._check_time()
                to_judge -= 1
                if not is_time(row.next_look_at):
                    self._make_due(row, lane)
                elif row.message_id in known:
                    self._act(row, known[row.message_id], lane, now, looks_per_message)
                if not self.free and to_judge <= 0:
                    return

    def _act(
        self, row: Waiting, known: DueRow, lane: Lane, now: datetime, looks_per_message: float
    ) -> None:
        """Do what is right for one row that is due."""
        if known.next_look_at != row.next_look_at:
            return  # the index lags behind: it was looked at, or claimed, since
        looks = looks_for(now - instant(row.next_look_at), looks_per_message)
        ladder = self.parts.ladder.for_message(row.message_id, looks)
        decision = decide(known, lane, ladder=ladder, now=now)
        if not isinstance(decision, Proceed):
            if self.parts.rows.apply(row, decision):
                at = decision.at if isinstance(decision, Reschedule) else None
                self.parts.telemetry.shed(row.message_id, decision.shed, next_look_at=at)
        elif self.free:
            if self.parts.rows.claim(row, until=self.claimed_until):
                self.free -= 1
                self.claims.append(Claim(row, known.looks + 1))
            if len(self.claims) == BATCH:
                self._send(lane)
        elif decision.is_essential and lane is not Lane.ESSENTIAL:
            # It has waited so long that this look is the kept one: it goes to the front.
            self.parts.rows.apply(
                row, Reschedule(row.next_look_at, Lane.ESSENTIAL, shed=0, note=None)
            )

    def _send(self, lane: Lane) -> None:
        """Put into the queue what is claimed; what the queue does not take is due again."""
        claims, self.claims = self.claims, []
        if not claims:
            return
        refused = claims
        try:
            refused = list(self.parts.queue.send(claims))
        finally:
            for claim in refused:
                self._release(claim)
            if sent := len(claims) - len(refused):
                self.sent += sent
                self.parts.telemetry.sent(sent, lane=lane)
            if refused:
                self.parts.telemetry.refused(len(refused))

    def _release(self, claim: Claim) -> None:
        # Where that does not work either, it is due again when the claim ends.
        with suppress(SystemFailure):
            self.parts.rows.release(claim.row, claimed_until=self.claimed_until)

    def _check_time(self) -> None:
        if self.parts.clock() >= self.deadline:
            raise OutOfTimeError
