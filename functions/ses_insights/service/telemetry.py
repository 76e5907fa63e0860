"""Logs and metrics: each line has the id of its message, and nothing of the mail."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger, Metrics, single_metric
from aws_lambda_powertools.metrics import MetricUnit

from ses_insights.contracts.names import LogField, LogMessage, Metric, Shed
from ses_insights.domain.alert import Alert
from ses_insights.domain.coverage import newly_covered
from ses_insights.domain.failures import SystemFailure
from ses_insights.domain.lanes import Lane
from ses_insights.domain.listing import Feedback
from ses_insights.domain.pace import Call
from ses_insights.domain.surge import Summary
from ses_insights.service.look import Outcome


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What both functions write; Powertools carries it."""

    logger: Logger
    metrics: Metrics

    def failed(self, failure: SystemFailure) -> None:
        """Log and count a failure."""
        self._add(Metric.SYSTEM_FAILURES)
        self.logger.error("system failure", kind=str(failure.kind), what=str(failure))

    def flush(self) -> None:
        """Write the metrics of the invocation; where there are none Powertools would warn."""
        if self.metrics.metric_set:
            self.metrics.flush_metrics()

    def _add(self, metric: Metric, value: float = 1, unit: MetricUnit = MetricUnit.Count) -> None:
        self.metrics.add_metric(name=metric, unit=unit, value=value)


def _about(alert: Alert) -> dict[str, Any]:
    """Return what an alert is about, for its log line; nothing of it is personal."""
    return {
        LogField.ALERT_TYPE: str(alert.alert_type),
        LogField.SEVERITY: str(alert.explanation.severity),
        LogField.REASON: str(alert.explanation.reason),
    }


@dataclass(frozen=True, slots=True)
class LookupTelemetry(Telemetry):
    """What the lookup function writes."""

    def began(self, queue_message_id: str) -> None:
        """Let the log lines that follow name the queue's message, and no other SES message."""
        self.logger.remove_keys(["message_id", LogField.SES_MS])
        self.logger.append_keys(queue_message_id=queue_message_id)

    def about(self, message_id: str) -> None:
        """Let the log lines that follow name the SES message, too."""
        self.logger.append_keys(message_id=message_id)

    def called(self, call: Call) -> None:
        """Count one call to SES, and let the log lines that follow say how long it took."""
        self.logger.append_keys(**{LogField.SES_MS: round(call.seconds * 1000)})
        if call.throttled:
            self._add(Metric.THROTTLES)
        if call.after_gap:
            self._add(Metric.FULL_WAITS)

    def failed(self, failure: SystemFailure) -> None:
        """Log and count a failure, also by its kind: an alarm watches one of them."""
        Telemetry.failed(self, failure)
        with single_metric(
            name=Metric.SYSTEM_FAILURES,
            unit=MetricUnit.Count,
            value=1,
        ) as single:
            single.add_dimension(name="kind", value=str(failure.kind))

    def alerted(self, alert: Alert) -> None:
        """Log an alert that was published."""
        self.logger.info(LogMessage.ALERTED, alert_id=alert.alert_id, **_about(alert))

    def looked(self, outcome: Outcome) -> None:
        """Log and count what a look came to."""
        record = outcome.record
        if outcome.is_fresh:
            self._add(Metric.FRESH)
        if outcome.shed:
            self._add(Metric.SHED, outcome.shed)
        if outcome.answer:
            self._add(Metric.LOOKS)
            covered = newly_covered(outcome.before, record)
            if covered is not None:
                # 1 or 0, so that its average is the share of all ids that SES shows.
                self._add(Metric.COVERAGE, int(covered))
        self.logger.info(
            _what_was_done(outcome),
            status=str(record.status),
            looks=record.looks,
            destinations=len(record.insights.destinations),
            next_look_at=record.next_look_at,
            final=record.final,
            shed=outcome.shed or None,
            **_news(outcome),
        )

    def set_up(self, what: str) -> None:
        """Log and count a message in which AWS says that something was set up."""
        self._add(Metric.SET_UPS)
        self.logger.info("set up", what=what)

    def parked(self, slug: str, reason: str) -> None:
        """Log and count why a message went to the dead-letter queue."""
        self._add(Metric.PARKED)
        self.logger.warning("parked", slug=slug, reason=reason)

    def regrouped(self) -> None:
        """Log and count a message of another message group, which was enqueued again in ours."""
        self._add(Metric.FOREIGN_GROUPS)
        self.logger.warning("of another message group; enqueued again in the right one")

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


def _news(outcome: Outcome) -> dict[str, Any]:
    """Return the status to which a look brought its message, unless it is the one of before."""
    before, record = outcome.before, outcome.record
    if outcome.answer and (not before or not before.looks or before.status is not record.status):
        return {LogField.CAME_TO: str(record.status)}
    return {}


@dataclass(frozen=True, slots=True)
class FollowUpTelemetry(Telemetry):
    """What a run of `followups` writes."""

    def began(self, *, due: Mapping[Lane, int], lag: float, free: int) -> None:
        """Log what is due, the free looks, and for how long the oldest is due; count that."""
        self._add(Metric.LAG, lag, MetricUnit.Seconds)
        by_lane = {str(lane): number for lane, number in due.items()}
        self.logger.info(LogMessage.DUE, due=by_lane, lag=lag, free=free)

    def sent(self, number: int, *, lane: str) -> None:
        """Log what joined the queue."""
        self.logger.info("sent", number=number, lane=lane)

    def refused(self, number: int) -> None:
        """Log what the queue refused of a batch; it is due again."""
        self.logger.warning("refused by the queue, due again", number=number)

    def shed(self, message_id: str, number: int, what: Shed, *, next_look_at: str | None) -> None:
        """Log and count planned looks that were given up for want of slots."""
        self._add(Metric.SHED, number)
        self.logger.info(
            "shed",
            message_id=message_id,
            looks_given_up=number,
            what=what,
            next_look_at=next_look_at,
        )

    def bad_row(self, message_id: str, *, lane: str) -> None:
        """Log a row whose time was not valid; it is due now."""
        self.logger.error(
            "NextLookAt was no time of this service; the row is due now",
            message_id=message_id,
            lane=lane,
        )

    def listed(self, message_id: str, reason: Feedback, *, lag: float) -> None:
        """Log and count a message that joined the queue because SES listed an address for it."""
        self._add(Metric.FEEDBACK_LAG, lag, MetricUnit.Seconds)
        self.logger.info(LogMessage.LISTED, message_id=message_id, reason=str(reason), lag=lag)

    def listed_without_id(self) -> None:
        """Count an address that is listed for no message, or listed no more."""
        self._add(Metric.LISTED_WITHOUT_ID)

    def list_off(self, reasons: AbstractSet[Feedback]) -> None:
        """Log and count the reasons for which the account lists no address."""
        self._add(Metric.LIST_OFF, len(reasons))
        self.logger.warning("the suppression list is off", reasons=sorted(map(str, reasons)))

    def throttled(self) -> None:
        """Count a run that SES throttled; the next one goes on."""
        self._add(Metric.THROTTLES)
        self.logger.info("throttled; the next run goes on")

    def summarized(self, summary: Summary) -> None:
        """Log a summary that was published; its alerts are counted by themselves."""
        self.logger.info(
            "summarized", alert_id=summary.alert_id, alerts=summary.count, ended=summary.has_ended
        )

    def published(self, alert: Alert, message_id: str) -> None:
        """Log a stale alert that was published."""
        self.logger.info(
            LogMessage.PUBLISHED, message_id=message_id, alert_id=alert.alert_id, **_about(alert)
        )

    def out_of_time(self) -> None:
        """Log that the run stops before everything is done."""
        self.logger.info("out of time; the next run goes on")
