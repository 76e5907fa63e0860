"""What a look needs of the world, named by role. `insights.adapters` has the real ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from insights.core.alerts import Alert, Notification
from insights.core.record import Answer, Record


class Source(Protocol):
    """Where the truth about a message comes from: SES."""

    def ask(self, message_id: str) -> Answer:
        """Ask once, at the pace. Raises `SystemFailure`."""
        ...


class Records(Protocol):
    """Where records are kept: the table."""

    def load(self, message_id: str) -> Record | None:
        """Read everything stored of a message. Raises `SystemFailure`."""
        ...

    def save(self, record: Record, new_alerts: Sequence[Alert], *, read: Record | None) -> None:
        """Store a record and its new alerts, together, over the one that was read.

        Raises `RecordChanged` where somebody else stored one since, and `SystemFailure`.
        """
        ...

    def mark_published(self, message_id: str, alert: Alert) -> None:
        """Note when and as what a stored alert was published. Raises `SystemFailure`."""
        ...


class RecordChanged(Exception):
    """Another writer was faster: read again and decide again."""


class Subscribers(Protocol):
    """Who is told: the alert topic."""

    def publish(self, notification: Notification) -> str:
        """Tell, and return SNS's message id. Raises `SystemFailure`."""
        ...
