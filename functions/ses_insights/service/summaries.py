"""Summaries of surges: written when they are due, stored as pending, published, marked."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from ses_insights.contracts.console import TableAddress
from ses_insights.contracts.summary_message import summary_notification
from ses_insights.domain.due import Waiting
from ses_insights.domain.explanation import explain_reason
from ses_insights.domain.lanes import Lane
from ses_insights.domain.surge import Summary, period_to_summarize, summarized
from ses_insights.domain.times import instant, iso
from ses_insights.service.ports import DueRows, RecordChangedError, Subscribers, Surges


@dataclass(frozen=True, slots=True)
class Summaries:
    """Tells people of surges."""

    rows: DueRows
    surges: Surges
    subscribers: Subscribers
    now: Callable[[], datetime]
    table: TableAddress
    surge_after: int
    on_published: Callable[[Summary], None]

    def write(self, check_time: Callable[[], None]) -> None:
        """Write, store and publish each summary that is due. Raises `SystemFailure`.

        Whatever stops it, the next run goes on: what is not stored is still due, and what is stored
        and not published is pending, as an alert is. Of two runs one stores it.
        """
        for page in self.rows.due(Lane.SUMMARY, until=iso(self.now())):
            for row in page:
                check_time()
                with suppress(RecordChangedError):  # the other run, or the next one, writes it
                    self._write(row)

    def _write(self, row: Waiting) -> None:
        now = self.now()
        surge = self.surges.load_key(row.record)
        if surge is None or surge.next_summary_at is None or instant(surge.next_summary_at) > now:
            return  # the index lags behind
        since, until = period_to_summarize(surge, now)
        following, summary = summarized(
            surge,
            self.surges.findings(surge.group, since=since, until=until),
            explain_reason(surge.group.reason),
            now=now,
            surge_after=self.surge_after,
        )
        self.surges.save_summary(summary, following)
        self.publish(summary)

    def publish(self, summary: Summary) -> None:
        """Publish a stored summary, then mark it. Raises `SystemFailure`."""
        examples = self.surges.destinations(summary.examples)
        sns_message_id = self.subscribers.publish(
            summary_notification(summary, examples, self.table)
        )
        done = replace(summary, published_at=iso(self.now()), sns_message_id=sns_message_id)
        self.surges.mark_published(done)
        self.on_published(done)

    def publish_pending(self, row: Waiting) -> None:
        """Publish the summary that a run stored and did not publish. Raises `SystemFailure`."""
        summary = self.surges.load_summary(row.record)
        if summary is not None and summary.published_at is None:
            self.publish(summary)
