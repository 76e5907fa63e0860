"""What is done with one message of the queue: look at it, park it, or let it come back.

Three kinds of failure have three answers (decision record 3): a fault of this message parks it; a
message that SES does not know yet climbs the ladder; a failure of the system leaves it at the head
of the queue. Where SES keeps failing at the head it steps aside (`domain.aside`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ses_insights.contracts.queue_message import (
    BodyError,
    LookRequest,
    QueueMessage,
    SetUpMessage,
    read_body,
)
from ses_insights.domain.aside import tries_before_aside
from ses_insights.domain.failures import FailureKind, SystemFailure, as_failure
from ses_insights.service.look import Look
from ses_insights.service.ports import ConsumerQueue
from ses_insights.service.telemetry import LookupTelemetry

_TRIES_OF_A_BUG: Final = 5
"""Receives after which a message at which this program fails is parked: a bug does not pass."""


FAILING_REASON: Final = "SES fails at this id, and not at others, since "


@dataclass(slots=True)
class SesHealth:
    """What this execution environment knows of SES as a whole."""

    answered_at: datetime | None = None
    """When SES last answered; None where it did not yet."""
    in_vain: int = 0
    """How many ids stepped aside since then."""

    def answered(self, now: datetime) -> None:
        """Note that SES is well."""
        self.answered_at, self.in_vain = now, 0


@dataclass(frozen=True, slots=True)
class Consumer:
    """Handles the queue's messages, one after the other."""

    look: Look
    queue: ConsumerQueue
    telemetry: LookupTelemetry
    ses: SesHealth = field(default_factory=SesHealth)

    def handle(self, message: QueueMessage) -> bool:
        """Handle one message; return False where it is to stay in the queue and come back.

        Nothing escapes: Lambda would print an exception's text, which may quote the mail.
        """
        self.telemetry.began(message.id)
        try:
            if message.is_foreign:
                self._regroup(message)
            else:
                self._handle(message)
        except Exception as error:  # noqa: BLE001 - logged, counted; the message comes back
            failure = as_failure(error)
            if failure.kind is FailureKind.UNEXPECTED and message.receive_count >= _TRIES_OF_A_BUG:
                return self._give_up(message, failure)
            self._defer(message, failure)
            return False
        return True

    def _handle(self, message: QueueMessage) -> None:
        try:
            request = read_body(message.body)
        except SetUpMessage as notice:
            self.telemetry.set_up(str(notice))
            return
        except BodyError as bad:
            self._park(message, bad.slug, str(bad))
            return
        self.telemetry.about(request.message_id)
        try:
            self._look(message, request)
        except SystemFailure as failure:
            is_ses = failure.kind is FailureKind.SES_UNAVAILABLE
            if not (is_ses and self._steps_aside(message, request, failure)):
                raise

    def _look(self, message: QueueMessage, request: LookRequest) -> None:
        outcome = self.look.take(
            request, enqueued_at=message.sent_at, is_repeat=message.receive_count > 1
        )
        self.telemetry.looked(outcome)
        if outcome.answer:
            self.ses.answered(self.look.now())
        if outcome.refused:
            self._park(message, "Refused", "Refused: SES says that this is no message id")

    def _steps_aside(
        self, message: QueueMessage, request: LookRequest, failure: SystemFailure
    ) -> bool:
        """Let a message at which SES keeps failing step aside; False where it is to wait."""
        is_few = message.receive_count < tries_before_aside(self.ses.in_vain)
        try:
            aside = self.look.step_aside(
                request,
                enqueued_at=message.sent_at,
                is_few=is_few,
                answered_at=self.ses.answered_at,
            )
            if aside is None:
                return False
            self.telemetry.failed(failure)
            if aside.final:
                self._park(message, "Failing", f"Failing: {FAILING_REASON}{aside.failing_since}")
        except Exception as error:  # noqa: BLE001 - logged, and the message comes back
            self.telemetry.failed(as_failure(error))
            return False
        # One that stepped aside before says nothing new about SES, nor does one that is parked.
        self.ses.in_vain += not is_few and aside.final is None
        self.telemetry.stepped_aside(aside.next_look_at)
        return True

    def _regroup(self, message: QueueMessage) -> None:
        """Enqueue a message of another group again: beside that group, looks would run at once."""
        self.queue.regroup(message)
        self.telemetry.regrouped()

    def _park(self, message: QueueMessage, slug: str, reason: str) -> None:
        self.queue.park(message, reason)
        self.telemetry.parked(slug, reason)

    def _defer(self, message: QueueMessage, failure: SystemFailure) -> None:
        self.telemetry.failed(failure)
        try:
            delay = self.queue.defer(message)
        except Exception as error:  # noqa: BLE001 - logged; the visibility timeout brings it back
            self.telemetry.failed(as_failure(error))
        else:
            self.telemetry.deferred(delay, message.receive_count)

    def _give_up(self, message: QueueMessage, failure: SystemFailure) -> bool:
        """Park a message at which this program fails; where that fails, too, it comes back."""
        try:
            self._park(message, "Unexpected", str(failure))
        except Exception as error:  # noqa: BLE001 - logged, and the message comes back
            self._defer(message, as_failure(error))
            return False
        return True
