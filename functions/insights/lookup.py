"""What is done with one message of the queue: look, or park it, or let it come back.

Three kinds of failure have three answers (decision record 3): a fault of this message parks it; a
message that SES does not know yet climbs the ladder; a failure of the system leaves it at the head
of the line.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from insights.adapters.queue import Line, QueueMessage
from insights.core.message_id import BadBody, read_body
from insights.failures import SystemFailure, unforeseen
from insights.look import Look
from insights.telemetry import Telemetry

_TRIES_OF_A_BUG: Final = 5
"""Receives after which a message at which this program fails is parked: waiting mends no bug."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Serves the queue's messages, one after the other."""

    look: Look
    line: Line
    telemetry: Telemetry

    def serve(self, message: QueueMessage) -> bool:
        """Serve one message. False where it is to stay in the queue and come back."""
        self.telemetry.began(message.id)
        try:
            self._serve(message)
        except SystemFailure as failure:
            self._defer(message, failure)
            return False
        except Exception as error:  # noqa: BLE001 - logged, counted, and bounded by parking
            return self._contain(message, error)
        return True

    def _serve(self, message: QueueMessage) -> None:
        try:
            request = read_body(message.body)
        except BadBody as bad:
            self._park(message, bad.slug, str(bad))
            return
        self.telemetry.about(request.message_id)
        outcome = self.look(request, enqueued_at=message.sent_at)
        self.telemetry.looked(outcome)
        if outcome.refused:
            self._park(message, "Refused", "Refused: SES says that this is no message id")

    def _park(self, message: QueueMessage, slug: str, reason: str) -> None:
        self.line.park(message, reason)
        self.telemetry.parked(slug, reason)

    def _defer(self, message: QueueMessage, failure: SystemFailure) -> None:
        self.telemetry.failed(failure)
        try:
            delay = self.line.defer(message)
        except SystemFailure as second:
            # The visibility timeout brings it back all the same.
            self.telemetry.failed(second)
        else:
            self.telemetry.deferred(delay, message.receive_count)

    def _contain(self, message: QueueMessage, error: Exception) -> bool:
        """Answer an error nobody foresaw: try again a few times, then park the message."""
        failure = unforeseen(error)
        if message.receive_count >= _TRIES_OF_A_BUG:
            try:
                self._park(message, "Unexpected", str(failure))
            except SystemFailure as second:
                self._defer(message, second)
                return False
            return True
        self._defer(message, failure)
        return False
