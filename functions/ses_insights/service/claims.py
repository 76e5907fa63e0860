"""The looks that a run has claimed: they join the queue in batches, or are released."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from ses_insights.domain.due import Claim, Waiting
from ses_insights.domain.failures import SystemFailure
from ses_insights.domain.lanes import Lane
from ses_insights.service.ports import DueRows, ProducerQueue
from ses_insights.service.telemetry import FollowUpTelemetry

BATCH: Final = 10
"""Due looks that join the queue in one call."""


@dataclass(slots=True)
class Claims:
    """Claims rows for one run, as many as there are free looks."""

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
