"""Putting the looks that are due into the queue, as far as there is room for them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ses_insights.domain.due import Claim, DueRow, Waiting, is_time
from ses_insights.domain.failures import SystemFailure
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.overload import (
    Decision,
    Proceed,
    Reschedule,
    decide,
    first_looks,
    free_looks,
)
from ses_insights.domain.schedule import Ladder
from ses_insights.domain.times import instant, iso
from ses_insights.service.ports import Capacity, DueRows, ProducerQueue, SentCounts
from ses_insights.service.row_repair import RowRepair
from ses_insights.service.telemetry import FollowUpTelemetry

RUN_EVERY: Final = timedelta(minutes=1)
"""How often the schedule starts a run."""

CLAIMED_FOR: Final = timedelta(hours=1)
"""How much later than it becomes visible a claimed look may be taken; then it is due again."""

MOST_COUNTED: Final = 10_000
"""How many due rows of a lane are counted at most: a count reads all it counts."""

MOST_DECIDED: Final = 1_000
"""How many rows of a lane a run looks through at most for rungs to give up."""


BATCH: Final = 10
"""Due looks that join the queue in one call."""


@dataclass(frozen=True, slots=True)
class DueLooks:
    """Chooses due looks, lane by lane; `_Claims` claims and sends them."""

    rows: DueRows
    queue: ProducerQueue
    counts: SentCounts
    capacity: Capacity
    repair: RowRepair
    telemetry: FollowUpTelemetry
    ladder: Ladder
    period: float
    """Seconds between two looks."""
    delay: timedelta
    """How long a message waits in the queue before it can be received."""
    now: Callable[[], datetime]

    def enqueue(self, check_time: Callable[[], None]) -> None:
        """Put into the queue what is due. Raises `SystemFailure`, and what `check_time` raises."""
        now = self.now()
        looks = self.capacity.looks_per_message()
        claims = _Claims(
            self.rows,
            self.queue,
            self.telemetry,
            until=iso(now + self.delay + CLAIMED_FOR),
            free=self._free(now, looks),
        )
        self._report(now, claims.free)
        try:
            for lane in LOOK_LANES:
                try:
                    self._serve(lane, now, looks, claims, check_time)
                finally:
                    claims.send(lane)
        finally:
            if claims.sent:
                self.counts.count_sent(claims.sent, now)

    def _free(self, now: datetime, looks: float) -> int:
        """Return how many looks there is room for."""
        share = first_looks(self.ladder, looks)
        # Where every fresh id takes a slot, it does not matter which of those waiting are fresh.
        scarce = share < 1
        return free_looks(
            self.queue.depth(),
            delay=self.delay.total_seconds(),
            period=self.period,
            interval=RUN_EVERY.total_seconds(),
            follow_ups=self.counts.sent_since(now - self.delay) if scarce else None,
            first_looks=share,
        )

    def _report(self, now: datetime, free: int) -> None:
        """Count what is due, and say for how long the oldest has been."""
        until = iso(now)
        due = {lane: self.rows.count(lane, until=until, most=MOST_COUNTED) for lane in LOOK_LANES}
        # Without bulk, which may wait for weeks.
        oldest = [
            instant(row.next_look_at)
            for lane in (Lane.ESSENTIAL, Lane.FOLLOW_UP)
            for row in next(self.rows.due(lane, until=until), ())[:1]
            if is_time(row.next_look_at)
        ]
        lag = max(((now - moment).total_seconds() for moment in oldest), default=0.0)
        self.telemetry.began(due=due, lag=lag, free=free)

    def _serve(
        self,
        lane: Lane,
        now: datetime,
        looks: float,
        claims: _Claims,
        check_time: Callable[[], None],
    ) -> None:
        """Go through a lane, the oldest first, while looks are free or rungs can be given up."""
        scarce = lane is not Lane.BULK and looks < len(self.ladder.rungs)
        to_decide = MOST_DECIDED if scarce else 0
        if not claims.free and not to_decide:
            return
        for page in self.rows.due(lane, until=iso(now)):
            known = self.rows.details(page)
            for row in page:
                check_time()
                to_decide -= 1
                details = known.get(row.message_id)
                if not is_time(row.next_look_at):
                    self.repair.make_due(row, lane)
                # Where the two differ the index lags behind: it was looked at, or claimed, since.
                elif details and details.next_look_at == row.next_look_at:
                    decision = decide(details, lane, ladder=self.ladder, looks=looks, now=now)
                    self._apply(decision, row, details, lane, claims)
                if not claims.free and to_decide <= 0:
                    return

    def _apply(
        self, decision: Decision, row: Waiting, details: DueRow, lane: Lane, claims: _Claims
    ) -> None:
        if not isinstance(decision, Proceed):
            if self.rows.apply(row, decision):
                at = decision.at if isinstance(decision, Reschedule) else None
                self.telemetry.shed(row.message_id, decision.shed, next_look_at=at)
        elif claims.free:
            claims.add(row, details.looks + 1, lane)
        elif decision.is_essential and lane is not Lane.ESSENTIAL:
            # It has waited so long that this look is the essential one: it goes to the front.
            front = Reschedule(row.next_look_at, Lane.ESSENTIAL, shed=0, note=None)
            self.rows.apply(row, front)


@dataclass(slots=True)
class _Claims:
    """The rows that one run has claimed: their looks join the queue in batches, or are released."""

    rows: DueRows
    queue: ProducerQueue
    telemetry: FollowUpTelemetry
    until: str
    """The time for which a claimed row waits; then the claim has ended."""
    free: int
    """How many looks may still join the queue."""
    sent: int = 0
    """How many looks joined the queue."""
    _unsent: list[Claim] = field(default_factory=list)

    def add(self, row: Waiting, look: int, lane: Lane) -> None:
        """Claim a row for its look of this number. Raises `SystemFailure`."""
        if self.rows.claim(row, until=self.until):
            self.free -= 1
            self._unsent.append(Claim(row, look))
        if len(self._unsent) == BATCH:
            self.send(lane)

    def send(self, lane: Lane) -> None:
        """Put into the queue what is claimed; what the queue refuses is due again.

        Raises `SystemFailure`.
        """
        claims, self._unsent = self._unsent, []
        if not claims:
            return
        refused = claims
        try:
            refused = list(self.queue.send(claims))
        finally:
            for claim in refused:
                # Where that fails, too, the row is due again when the claim ends.
                with suppress(SystemFailure):
                    self.rows.release(claim.row, claimed_until=self.until)
            if sent := len(claims) - len(refused):
                self.sent += sent
                self.telemetry.sent(sent, lane=lane)
            if refused:
                self.telemetry.refused(len(refused))
