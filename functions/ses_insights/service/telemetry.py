"""Logs and metrics: each line has the id of its message, and nothing of the mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from ses_insights.contracts.names import LogMessage, Metric, Shed
from ses_insights.domain.alert import Alert
from ses_insights.domain.coverage import newly_covered
from ses_insights.domain.failures import SystemFailure
from ses_insights.domain.lanes import Lane
from ses_insights.domain.pace import Call
from ses_insights.domain.record import NotFound
from ses_insights.domain.surge import Summary
from ses_insights.service.look import Outcome


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What both functions write; Powertools carries it."""

    logger: Logger
    metrics: Metrics

    def failed(self, failure: SystemFailure) -> None:
        """Log and count a failure by its kind."""
        self._count(Metric.SYSTEM_FAILURES, kind=str(failure.kind))
        self.logger.error("system failure", kind=str(failure.kind), what=str(failure))

    def flush(self) -> None:
        """Write the metrics of the invocation."""
        self.metrics.flush_metrics()

    def _count(self, metric: Metric, number: int = 1, **dimensions: str) -> None:
        """Count in total and, where dimensions are given, by these, too."""
        self._add(metric, number)
        if dimensions:
            self._count_apart(metric, number, **dimensions)

    def _count_apart(self, metric: Metric, number: int = 1, **dimensions: str) -> None:
        """Count by dimensions only."""
        with single_metric(
            name=metric, unit=MetricUnit.Count, value=number, namespace=self.metrics.namespace
        ) as single:
            for name, value in dimensions.items():
                single.add_dimension(name=name, value=value)

    def _count_alert(self, alert: Alert) -> None:
        severity = str(alert.explanation.severity)
        self._count(Metric.ALERTS, alertType=str(alert.alert_type), severity=severity)

    def _add(self, metric: Metric, value: float, unit: MetricUnit = MetricUnit.Count) -> None:
        self.metrics.add_metric(name=metric, unit=unit, value=value)


@dataclass(frozen=True, slots=True)
class LookupTelemetry(Telemetry):
    """What the lookup function writes."""

    def began(self, queue_message_id: str) -> None:
        """Let the log lines that follow name the queue's message, and no other SES message."""
        self.logger.remove_keys(["message_id"])
        self.logger.append_keys(queue_message_id=queue_message_id)

    def about(self, message_id: str) -> None:
        """Let the log lines that follow name the SES message, too."""
        self.logger.append_keys(message_id=message_id)

    def called(self, call: Call) -> None:
        """Count one call to SES."""
        self._add(Metric.LOOK_LATENCY, call.seconds * 1000, MetricUnit.Milliseconds)
        if call.throttled:
            self._count(Metric.THROTTLES)

    def alerted(self, alert: Alert) -> None:
        """Log and count an alert that was published."""
        self._count_alert(alert)
        self.logger.info("alerted", alert_id=alert.alert_id)

    def looked(self, outcome: Outcome) -> None:
        """Log and count what a look came to."""
        record = outcome.record
        if not outcome.is_postponed:
            self._count(Metric.LOOKS if outcome.answer else Metric.SKIPPED)
        if outcome.shed:
            self._count(Metric.SHED, outcome.shed, what=Shed.FIRST)
        if isinstance(outcome.answer, NotFound):
            self._count(Metric.NOT_FOUND)
        if outcome.answer:
            self._count_changes(outcome)
        self.logger.info(
            _what_was_done(outcome),
            status=str(record.status),
            looks=record.looks,
            destinations=len(record.insights.destinations),
            next_look_at=record.next_look_at,
            final=record.final,
        )

    def _count_changes(self, outcome: Outcome) -> None:
        """Count what a look changed in what is known of the message."""
        before, record = outcome.before, outcome.record
        if before is None or not before.looks or before.status is not record.status:
            # Only by status: their total would be one more metric to pay for, and say nothing.
            self._count_apart(Metric.STATUSES, status=str(record.status))
        covered = newly_covered(before, record)
        if covered is not None:
            # 1 or 0, so that its average is the share of all ids that SES shows.
            self._count(Metric.COVERAGE, int(covered))

    def parked(self, slug: str, reason: str) -> None:
        """Log and count why a message went to the dead-letter queue."""
        self._count(Metric.PARKED, reason=slug)
        self.logger.warning("parked", reason=reason)

    def stepped_aside(self, next_look_at: str | None) -> None:
        """Log that SES fails at the message, and when it is tried again."""
        self.logger.warning("stepped aside", next_look_at=next_look_at)

    def deferred(self, seconds: int, receive_count: int) -> None:
        """Log when the message comes back."""
        self.logger.info("deferred", seconds=seconds, receive_count=receive_count)


def _what_was_done(outcome: Outcome) -> LogMessage:
    if outcome.is_postponed:
        return LogMessage.POSTPONED
    return LogMessage.LOOKED if outcome.answer else LogMessage.SKIPPED


@dataclass(frozen=True, slots=True)
class FollowUpTelemetry(Telemetry):
    """What a run of `followups` writes."""

    def began(self, *, due: Mapping[Lane, int], lag: float, free: int) -> None:
        """Log and count what is due, for how long the oldest has been, and the free looks."""
        self._count(Metric.DUE, sum(due.values()))
        self._add(Metric.LAG, lag, MetricUnit.Seconds)
        by_lane = {str(lane): number for lane, number in due.items()}
        self.logger.info("due", due=by_lane, lag=lag, free=free)

    def sent(self, number: int, *, lane: str) -> None:
        """Count what joined the queue."""
        self._count(Metric.SENT, number, lane=lane)

    def refused(self, number: int) -> None:
        """Log and count what the queue refused of a batch; it is due again."""
        self._count(Metric.REFUSED, number)
        self.logger.warning("refused by the queue, due again", number=number)

    def shed(self, message_id: str, number: int, what: Shed, *, next_look_at: str | None) -> None:
        """Log and count planned looks that were given up for want of slots."""
        self._count(Metric.SHED, number, what=what)
        self.logger.info(
            "shed", message_id=message_id, looks_given_up=number, next_look_at=next_look_at
        )

    def bad_row(self, message_id: str, *, lane: str) -> None:
        """Log and count a row whose time was not valid; it is due now."""
        self._count(Metric.BAD_ROWS)
        self.logger.error(
            "NextLookAt was no time of this service; the row is due now",
            message_id=message_id,
            lane=lane,
        )

    def summarized(self, summary: Summary) -> None:
        """Log a summary that was published; its alerts are counted by themselves."""
        self.logger.info(
            "summarized", alert_id=summary.alert_id, alerts=summary.count, ended=summary.has_ended
        )

    def published(self, alert: Alert, message_id: str) -> None:
        """Log and count a stale alert that was published."""
        self._count_alert(alert)
        self.logger.info("published", message_id=message_id, alerts=[alert.alert_id])

    def out_of_time(self) -> None:
        """Log that the run stops before everything is done."""
        self.logger.info("out of time; the next run goes on")

    def ran(self) -> None:
        """Count a run that came to its end."""
        self._count(Metric.RUNS)
