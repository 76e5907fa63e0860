"""Rows whose ``NextLookAt`` is no valid time: they would wait for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from ses_insights.domain.due import Waiting
from ses_insights.domain.lanes import Lane
from ses_insights.domain.times import iso
from ses_insights.service.ports import DueRows
from ses_insights.service.telemetry import FollowUpTelemetry


@dataclass(frozen=True, slots=True)
class RowRepair:
    """Makes such rows due now."""

    rows: DueRows
    longest_wait: timedelta
    """What no rung lies beyond."""
    telemetry: FollowUpTelemetry
    now: Callable[[], datetime]

    def repair(self, check_time: Callable[[], None]) -> None:
        """Repair the rows that sort after every valid time; `DueLooks` meets those before it.

        Raises `SystemFailure`, and what `check_time` raises.
        """
        after = iso(self.now() + self.longest_wait + timedelta(days=1))
        for lane in Lane:
            for row in self.rows.beyond(lane, after=after):
                check_time()
                self.make_due(row, lane)

    def make_due(self, row: Waiting, lane: Lane) -> None:
        """Repair one row. Raises `SystemFailure`."""
        if self.rows.claim(row, until=iso(self.now())):
            self.telemetry.bad_row(row.message_id, lane=lane)
