"""Putting the looks that are due into the queue, as far as there is room for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from ses_insights.contracts.names import Shed
from ses_insights.domain.due import MOST_COUNTED, Claim, DueRow, Waiting, is_time, late_by
from ses_insights.domain.failures import SystemFailure
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.overload import (
    GIVEN_UP_AFTER,
    Drop,
    Proceed,
    Reschedule,
    decide,
    first_looks,
    free_looks,
)
from ses_insights.domain.schedule import Ladder
from ses_insights.domain.times import iso
from ses_insights.service.ports import DueRows, ProducerQueue, SentCounts
from ses_insights.service.row_repair import RowRepair
from ses_insights.service.telemetry import FollowUpTelemetry

RUN_EVERY: Final = timedelta(minutes=1)
"""How often the schedule starts a run."""

CLAIMED_FOR: Final = timedelta(hours=1)
"""How much later than it becomes visible a claimed look may be taken; then it is due again."""

MOST_GIVEN_UP: Final = 1_000
"""How many looks of a lane a run gives up at most: each is a write."""

BATCH: Final = 10
"""Due looks that join the queue in one call."""


@dataclass(frozen=True, slots=True)
class DueLooks:
    """Chooses due looks, lane by lane; `_Claims` claims and sends them."""

    rows: DueRows
    queue: ProducerQueue
    counts: SentCounts
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
        late = {
            lane: late_by(self.rows.oldest(lane, until=iso(now)), now)
            for lane in (Lane.ESSENTIAL, Lane.FOLLOW_UP)
        }
        claims = _Claims(
            self.rows,
            self.queue,
            self.telemetry,
            until=iso(now + self.delay + CLAIMED_FOR),
            free=self._free(now, late[Lane.ESSENTIAL]),
        )
        # Without bulk, which may wait for weeks.
        self._report(now, max(late.values()), claims.free)
        try:
            for lane in LOOK_LANES:
                try:
                    self._serve(lane, now, claims, check_time)
                finally:
                    claims.send(lane)
        finally:
            if claims.sent:
                self.counts.count_sent(claims.sent, now)

    def _free(self, now: datetime, late: timedelta) -> int:
        """Return how many looks there is room for while the oldest essential one is so late."""
        share = first_looks(late)
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

    def _report(self, now: datetime, lag: timedelta, free: int) -> None:
        """Count what is due, and say for how long the oldest has been."""
        until = iso(now)
        due = {lane: self.rows.count(lane, until=until, most=MOST_COUNTED) for lane in LOOK_LANES}
        self.telemetry.began(due=due, lag=lag.total_seconds(), free=free)

    def _serve(
        self, lane: Lane, now: datetime, claims: _Claims, check_time: Callable[[], None]
    ) -> None:
        """Go through a lane, the oldest first: send what there is room for, give up the rest."""
        given_up = 0
        for page in self.rows.due(lane, until=iso(now)):
            if not (claims.free or self._may_be_given_up(page, lane, now)):
                return
            known = self.rows.details(page)
            for row in page:
                check_time()
                details = known.get(row.message_id)
                if not is_time(row.next_look_at):
                    self.repair.make_due(row, lane)
                # Where the two differ the index lags behind: it was looked at, or claimed, since.
                elif details and details.next_look_at == row.next_look_at:
                    decision = decide(details, lane, ladder=self.ladder, now=now)
                    if not isinstance(decision, Proceed):
                        self._give_up(row, details, decision)
                        given_up += 1
                    elif claims.free:
                        claims.add(row, details.looks + 1, lane)
                    else:
                        return  # what follows is no later
                if given_up == MOST_GIVEN_UP:
                    return

    @staticmethod
    def _may_be_given_up(page: Sequence[Waiting], lane: Lane, now: datetime) -> bool:
        """Whether the page begins with a look that is too late; it is in order of time."""
        late = late_by(page[0] if page else None, now)
        return lane is not Lane.BULK and late >= GIVEN_UP_AFTER

    def _give_up(self, row: Waiting, details: DueRow, decision: Reschedule | Drop) -> None:
        if not self.rows.apply(row, decision):
            return  # another run was faster
        at = decision.at if isinstance(decision, Reschedule) else None
        what = Shed.RUNG if at else Shed.REST if details.looks else Shed.ALL
        self.telemetry.shed(row.message_id, decision.shed, what, next_look_at=at)


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
