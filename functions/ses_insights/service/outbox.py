"""Publishing an alert that is stored as pending, and marking it.

Each publication comes after a write that is its own: the one that stores the alert, or a claim. So
while DynamoDB takes no writes nothing is published again, however often it is tried.
"""

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

    def claim(self, alert: Alert, record: Record) -> bool:
        """Set out to publish an alert that was stored before; False where somebody else does.

        Raises `SystemFailure`.
        """
        return self.records.claim(record.insights.message_id, alert, at=iso(self.now()))

    def publish(self, alert: Alert, record: Record) -> Alert:
        """Publish one alert of a record, stored or claimed just now, then mark it.

        Raises `SystemFailure`.
        """
        message = notification(alert, record.insights, self.table, sent_at=record.sent_at)
        sns_message_id = self.subscribers.publish(message)
        done = replace(alert, published_at=iso(self.now()), sns_message_id=sns_message_id)
        self.records.mark_published(record.insights.message_id, done)
        return done
