"""Publishing an alert that is stored as pending, and marking it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ses_insights.contracts.alert_message import notification
from ses_insights.contracts.console import TableAddress
from ses_insights.domain.alert import Alert
from ses_insights.domain.record import Record
from ses_insights.domain.times import iso
from ses_insights.service.ports import Records, Subscribers


@dataclass(frozen=True, slots=True)
class Outbox:
    """Publishes first and marks after: an alert may be published twice, and is never lost."""

    records: Records
    subscribers: Subscribers
    table: TableAddress
    """Where people read more about an alert."""
    now: Callable[[], datetime]

    def publish(self, alert: Alert, record: Record) -> Alert:
        """Publish one alert of a record, then mark it. Raises `SystemFailure`."""
        message = notification(alert, record.insights, self.table, sent_at=record.sent_at)
        sns_message_id = self.subscribers.publish(message)
        done = replace(alert, published_at=iso(self.now()), sns_message_id=sns_message_id)
        self.records.mark_published(record.insights.message_id, done)
        return done
