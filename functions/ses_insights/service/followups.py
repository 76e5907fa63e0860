"""One run of `followups`: alerts, summaries, repairs, due looks, and what SES lists.

A run leaves nothing that the next one needs, and two at once do no harm: a run claims a row before
it acts on it, and a claim that leads to nothing ends by itself. So a run may stop anywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ses_insights.domain.failures import SystemFailure, as_failure
from ses_insights.service.due_looks import DueLooks
from ses_insights.service.feedback import FeedbackReader
from ses_insights.service.pending_alerts import PendingAlerts
from ses_insights.service.row_repair import RowRepair
from ses_insights.service.summaries import Summaries
from ses_insights.service.telemetry import FollowUpTelemetry


class OutOfTimeError(Exception):
    """The run has to stop; the next one goes on."""


@dataclass(frozen=True, slots=True)
class FollowUps:
    """Runs the steps one after the other."""

    pending_alerts: PendingAlerts
    summaries: Summaries
    row_repair: RowRepair
    due_looks: DueLooks
    feedback: FeedbackReader | None
    """None where the suppression list is not read. Comes last: it takes what time is left."""
    telemetry: FollowUpTelemetry
    clock: Callable[[], float]
    """Monotonic seconds."""

    def run(self, seconds: float) -> None:
        """Work for at most so many seconds.

        A step that fails does not keep the others from being tried; the first failure is raised at
        the end, as a `SystemFailure`.
        """
        ends = self.clock() + seconds

        def check_time() -> None:
            if self.clock() >= ends:
                raise OutOfTimeError

        failures: list[SystemFailure] = []
        steps = [
            self.pending_alerts.publish,
            self.summaries.write,
            self.row_repair.repair,
            self.due_looks.enqueue,
        ]
        if self.feedback:
            steps += [self.feedback.check, self.feedback.read]
        for step in steps:
            try:
                step(check_time)
            except OutOfTimeError:
                self.telemetry.out_of_time()
                break
            except Exception as error:  # noqa: BLE001 - logged, counted, raised without its text
                failures.append(as_failure(error))
                self.telemetry.failed(failures[-1])
        if failures:
            raise failures[0]
