"""Logs and metrics that tell the story of a look, with its message id and nothing of the mail."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from insights.adapters.ses import Call
from insights.core.alerts import Alert
from insights.core.record import NotFound
from insights.failures import SystemFailure
from insights.look import Outcome


class Metric(StrEnum):
    """The names of the metrics; the alarms of the stack watch them by the same names."""

    LOOKS = "Looks"
    LOOK_LATENCY = "LookLatency"
    THROTTLES = "Throttles"
    NOT_FOUND = "NotFound"
    PARKED = "Parked"
    SKIPPED = "Skipped"
    ALERTS = "Alerts"
    SYSTEM_FAILURES = "SystemFailures"


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
            severity=str(alert.meaning.severity),
        )
        self.logger.info("alerted", alert_id=alert.alert_id)

    def looked(self, outcome: Outcome) -> None:
        """Tell what a look came to."""
        record = outcome.record
        self._count(Metric.LOOKS if outcome.answer else Metric.SKIPPED)
        if isinstance(outcome.answer, NotFound):
            self._count(Metric.NOT_FOUND)
        self.logger.info(
            "looked" if outcome.answer else "skipped",
            status=str(record.status),
            looks=record.looks,
            destinations=len(record.insights.destinations),
            next_look_at=record.next_look_at,
            final=record.final,
        )

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

    def _count(self, metric: Metric, **dimensions: str) -> None:
        """Count one, in total and, where dimensions are given, by these, too."""
        self.metrics.add_metric(name=metric, unit=MetricUnit.Count, value=1)
        if dimensions:
            with single_metric(name=metric, unit=MetricUnit.Count, value=1) as single:
                for name, value in dimensions.items():
                    single.add_dimension(name=name, value=value)
