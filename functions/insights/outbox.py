"""Publishing an alert that is stored as pending, and marking it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from insights.core.alerts import Alert, notification
from insights.core.console import TableAddress
from insights.core.record import Record
from insights.core.times import iso
from insights.ports import Records, Subscribers


@dataclass(frozen=True, slots=True)
class Outbox:
    """Tells what is stored and was not told."""

    records: Records
    subscribers: Subscribers
    now: Callable[[], datetime]
    table: TableAddress | None = None
    """Where people read more; None where there is no console."""

    def publish(self, alert: Alert, record: Record) -> Alert:
        """Publish one alert of a record, then mark it. Raises `SystemFailure`."""
        sns_message_id = self.subscribers.publish(notification(alert, record.insights, self.table))
        done = replace(alert, published_at=iso(self.now()), sns_message_id=sns_message_id)
        self.records.mark_published(record.insights.message_id, done)
        return done
