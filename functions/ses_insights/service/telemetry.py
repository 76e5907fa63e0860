"""Logs and metrics that tell the story of a look, with its message id and nothing of the mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from ses_insights.contracts.names import Metric
from ses_insights.domain.alert import Alert
from ses_insights.domain.coverage import newly_covered
from ses_insights.domain.failures import SystemFailure
from ses_insights.domain.lanes import Lane
from ses_insights.domain.pace import Call
from ses_insights.domain.record import NotFound
from ses_insights.service.look import Outcome


@dataclass(frozen=True, slots=True)
class Telemetry:
    """Writes one log line and the metrics of what happened; Powertools carries both."""

    logger: Logger
    metrics: Metrics

    def began(self, queue_message_id: str) -> None:
        """Let the log lines that follow name the queue's message, and no other SES message."""
        self.logger.remove_keys(["message_id"])
        self.logger.append_keys(queue_message_id=queue_message_id)

    def about(self, message_id: str) -> None:
        """Let the log lines that follow name the SES message, too."""
        self.logger.append_keys(message_id=message_id)

    def called(self, call: Call) -> None:
        """Count one call to SES."""
        self.metrics.add_metric(
            name=Metric.LOOK_LATENCY, unit=MetricUnit.Milliseconds, value=call.seconds * 1000
        )
        if call.throttled:
            self._count(Metric.THROTTLES)

    def alerted(self, alert: Alert) -> None:
        """Count an alert that was published."""
        self._count(
            Metric.ALERTS,
            alertType=str(alert.alert_type),
            severity=str(alert.explanation.severity),
        )
        self.logger.info("alerted", alert_id=alert.alert_id)

    def looked(self, outcome: Outcome) -> None:
        """Tell what a look came to."""
        record = outcome.record
        if not outcome.is_postponed:
            self._count(Metric.LOOKS if outcome.answer else Metric.SKIPPED)
        if outcome.shed:
            self._count(Metric.SHED, outcome.shed, what=_what_was_shed(outcome))
        if isinstance(outcome.answer, NotFound):
            self._count(Metric.NOT_FOUND)
        if outcome.answer:
            self._learned(outcome)
        self.logger.info(
            "set aside" if outcome.is_postponed else "looked" if outcome.answer else "skipped",
            status=str(record.status),
            looks=record.looks,
            destinations=len(record.insights.destinations),
            next_look_at=record.next_look_at,
            final=record.final,
        )

    def _learned(self, outcome: Outcome) -> None:
        """Count what a look changed in what is known of the message."""
        before, record = outcome.before, outcome.record
        if before is None or not before.looks or before.status is not record.status:
            # Only by status: their total would be one more metric to pay for, and say nothing.
            _count_apart(self.metrics, Metric.STATUSES, 1, status=str(record.status))
        covered = newly_covered(before, record)
        if covered is not None:
            # 1 or 0, so that of all ids its average is the share that SES shows.
            self._count(Metric.COVERAGE, int(covered))

    def parked(self, slug: str, reason: str) -> None:
        """Tell why a message went to the dead-letter queue."""
        self._count(Metric.PARKED, reason=slug)
        self.logger.warning("parked", reason=reason)

    def failed(self, failure: SystemFailure) -> None:
        """Tell what does not work."""
        self._count(Metric.SYSTEM_FAILURES, kind=str(failure.kind))
        self.logger.error("system failure", kind=str(failure.kind), what=str(failure))

    def deferred(self, seconds: int, receive_count: int) -> None:
        """Tell when the message comes back."""
        self.logger.info("deferred", seconds=seconds, receive_count=receive_count)

    def flush(self) -> None:
        """Write the metrics of the invocation."""
        self.metrics.flush_metrics()

    def _count(self, metric: Metric, number: int = 1, **dimensions: str) -> None:
        """Count, in total and, where dimensions are given, by these, too."""
        _count(self.metrics, metric, number, **dimensions)


def _what_was_shed(outcome: Outcome) -> str:
    """Name the worth of what was given up."""
    if outcome.answer:
        return "rung"
    return "all" if outcome.record.final else "first"


@dataclass(frozen=True, slots=True)
class FollowUpTelemetry:
    """Writes the log lines and metrics of a run of `followups`."""

    logger: Logger
    metrics: Metrics

    def began(self, *, due: Mapping[Lane, int], lag: float, free: int) -> None:
        """Tell who is due, for how long the oldest has been, and how many looks there are."""
        self._count(Metric.DUE, sum(due.values()))
        self.metrics.add_metric(name=Metric.LAG, unit=MetricUnit.Seconds, value=lag)
        by_lane = {str(lane): number for lane, number in due.items()}
        self.logger.info("due", due=by_lane, lag=lag, free=free)

    def sent(self, number: int, *, lane: str) -> None:
        """Count what joined the queue."""
        self._count(Metric.SENT, number, lane=lane)

    def refused(self, number: int) -> None:
        """Tell that the queue took a batch only in part; the rest is due again."""
        self._count(Metric.REFUSED, number)
        self.logger.warning("refused by the queue, due again", number=number)

    def shed(self, message_id: str, number: int, *, next_look_at: str | None) -> None:
        """Tell that planned looks were given up for want of slots."""
        self._count(Metric.SHED, number, what="rung" if next_look_at else "rest")
        self.logger.info(
            "shed", message_id=message_id, looks_given_up=number, next_look_at=next_look_at
        )

    def bad_row(self, message_id: str, *, lane: str) -> None:
        """Tell that a row waited for something that is no time, and is due now."""
        self._count(Metric.BAD_ROWS)
        self.logger.error(
            "NextLookAt was no time of this service; the row is due now",
            message_id=message_id,
            lane=lane,
        )

    def published(self, alert: Alert, message_id: str) -> None:
        """Tell that an alert which a look left behind was published."""
        self._count(
            Metric.ALERTS, alertType=str(alert.alert_type), severity=str(alert.explanation.severity)
        )
        self.logger.info("published", message_id=message_id, alerts=[alert.alert_id])

    def failed(self, failure: SystemFailure) -> None:
        """Tell what does not work."""
        self._count(Metric.SYSTEM_FAILURES, kind=str(failure.kind))
        self.logger.error("system failure", kind=str(failure.kind), what=str(failure))

    def out_of_time(self) -> None:
        """Tell that the run stops before everything is done; the next one goes on."""
        self.logger.info("out of time; the next run goes on")

    def ran(self) -> None:
        """Count a run that came to its end."""
        self._count(Metric.RUNS)

    def flush(self) -> None:
        """Write the metrics of the run."""
        self.metrics.flush_metrics()

    def _count(self, metric: Metric, number: int = 1, **dimensions: str) -> None:
        _count(self.metrics, metric, number, **dimensions)


def _count(metrics: Metrics, metric: Metric, number: int, **dimensions: str) -> None:
    metrics.add_metric(name=metric, unit=MetricUnit.Count, value=number)
    if dimensions:
        _count_apart(metrics, metric, number, **dimensions)


def _count_apart(metrics: Metrics, metric: Metric, number: int, **dimensions: str) -> None:
    with single_metric(
        name=metric, unit=MetricUnit.Count, value=number, namespace=metrics.namespace
    ) as single:
        for name, value in dimensions.items():
            single.add_dimension(name=name, value=value)
