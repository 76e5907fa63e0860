"""Publishing the alerts that stayed pending because their look was stopped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ses_insights.contracts.names import Partition
from ses_insights.contracts.rows import alert_key
from ses_insights.domain.alert import pending
from ses_insights.domain.due import HELD_FOR, Waiting
from ses_insights.domain.failures import SystemFailure, as_failure
from ses_insights.domain.lanes import Lane
from ses_insights.domain.times import iso
from ses_insights.service.outbox import Outbox
from ses_insights.service.ports import DueRows, Records
from ses_insights.service.summaries import Summaries
from ses_insights.service.telemetry import FollowUpTelemetry

STALE_AFTER: Final = timedelta(minutes=5)
"""An alert that is pending for longer is stale: its look would have published it by now."""


@dataclass(frozen=True, slots=True)
class PendingAlerts:
    """Publishes what is pending for longer than a look takes."""

    rows: DueRows
    records: Records
    outbox: Outbox
    summaries: Summaries
    telemetry: FollowUpTelemetry
    now: Callable[[], datetime]

    def publish(self, check_time: Callable[[], None]) -> None:
        """Publish every stale alert. Raises `SystemFailure`, and what `check_time` raises."""
        for page in self.rows.due(Lane.ALERT, until=iso(self.now() - STALE_AFTER)):
            for row in page:
                check_time()
                # So that neither another run nor a look publishes it, too.
                if self.rows.claim(row, until=iso(self.now() + HELD_FOR)):
                    self._publish(row)

    def _publish(self, row: Waiting) -> None:
        """Publish one alert; an unexpected error about it does not stop the others."""
        try:
            if row.message_id == Partition.SURGES:
                self.summaries.publish_pending(row)
                return
            record = self.records.load(row.message_id)
            if record is None:
                return  # the look that found it counts as not taken; the queue brings it back
            for alert in pending(record.alerts):
                if alert_key(alert.alert_id) == row.record:
                    done = self.outbox.publish(alert, record)
                    self.telemetry.published(done, row.message_id)
        except SystemFailure:
            raise
        except Exception as error:  # noqa: BLE001 - logged and counted; tried again in minutes
            self.telemetry.failed(as_failure(error))
