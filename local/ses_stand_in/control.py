"""A client for the stand-in: its switches, its report on the pace, and the mail it took."""

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any, Self, TypedDict, Unpack
from urllib.parse import urlsplit

from local.ses_stand_in.pace import Call, Report
from local.ses_stand_in.settings import (
    LOOPBACK,
    Fault,
    FaultKind,
    Operation,
    Settings,
    SettingsError,
)
from local.ses_stand_in.stories import Expectation, ExpectedAlert

TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A mail the stand-in took, and what must become of it in the table and on the topic."""

    message_id: str
    story: str
    sentence: str
    recipients: tuple[str, ...]
    sent_at: datetime
    settled_at: datetime
    """From here on SES knows all it will ever know: a look shows the whole story."""
    expected: Expectation

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Read one entry of the list of sent mails."""
        alerts = tuple(ExpectedAlert(**alert) for alert in value["expected"]["alerts"])
        return cls(
            message_id=value["message_id"],
            story=value["story"],
            sentence=value["sentence"],
            recipients=tuple(value["recipients"]),
            sent_at=datetime.fromisoformat(value["sent_at"]),
            settled_at=datetime.fromisoformat(value["settled_at"]),
            expected=Expectation(value["expected"]["status"], alerts),
        )


class Changes(TypedDict, total=False):
    """The switches of `Settings`."""

    vdm: bool
    vdm_off_status: int
    suppressed_reasons: Sequence[str]
    list_lag_seconds: float
    speed: float
    period_seconds: float
    latency_ms: tuple[float, float]
    travel_ms: tuple[float, float]
    faults: Sequence[Fault]


class Control:
    """The stand-in's control API. Raises OSError when nothing answers at the URL."""

    def __init__(self, url: str) -> None:
        """Take the URL the stand-in printed.

        Raises ValueError for one that is not on 127.0.0.1.
        """
        parts = urlsplit(url)
        if (parts.scheme, parts.hostname) != ("http", LOOPBACK):
            raise ValueError(f"{url}: the SES stand-in is on {LOOPBACK}; use the URL it printed")
        self._port = parts.port

    def settings(self) -> Settings:
        """The switches as they stand."""
        return Settings().changed(self._ask("GET", "settings"))

    def change(self, **changes: Unpack[Changes]) -> Settings:
        """Set the switches that are given.

        Raises SettingsError.
        """
        return Settings().changed(self._ask("PUT", "settings", changes))

    def fail(
        self,
        kind: FaultKind,
        times: int | None = None,
        *,
        operation: Operation = Operation.GET_MESSAGE_INSIGHTS,
    ) -> None:
        """Fail the next `times` calls of an operation in this way and no other; None: until `heal`.

        Raises SettingsError.
        """
        self.change(faults=(Fault(kind, times, operation),))

    def heal(self) -> None:
        """Switch every fault off."""
        self.change(faults=())

    def report(self, operation: Operation = Operation.GET_MESSAGE_INSIGHTS) -> Report:
        """The report on the calls of an operation so far."""
        return Report(**self._ask("GET", f"report/{operation}"))

    def calls(self, operation: Operation = Operation.GET_MESSAGE_INSIGHTS) -> list[Call]:
        """The log of the calls of an operation, in the order of their arrival."""
        return [
            Call(
                **{
                    **call,
                    "operation": operation,
                    "fault": call["fault"] and FaultKind(call["fault"]),
                }
            )
            for call in self._ask("GET", f"calls/{operation}")
        ]

    def advance(self, by: timedelta) -> None:
        """Let time pass in all stories, however fast the machine is."""
        self._ask("POST", "advance", by.total_seconds())

    def finish(self, message_id: str) -> None:
        """Let all that is still to come of a mail's story happen now, in that mail alone."""
        self._ask("POST", "finish", message_id)

    def forget_calls(self) -> None:
        """Begin a new report; mails, switches and the rate limit stay."""
        self._ask("DELETE", "calls")

    def sent(self) -> list[Sent]:
        """The mails the stand-in took, in order."""
        return [Sent.from_json(mail) for mail in self._ask("GET", "sent")]

    def reset(self) -> None:
        """Back to the start: no mail, no calls, the first settings."""
        self._ask("POST", "reset")

    def _ask(self, method: str, what: str, body: object = None) -> Any:
        text = None if body is None else json.dumps(body, default=asdict)
        with closing(HTTPConnection(LOOPBACK, self._port, timeout=TIMEOUT_SECONDS)) as connection:
            connection.request(method, f"/_stand_in/{what}", text)
            response = connection.getresponse()
            answer = json.load(response)
        if response.status != HTTPStatus.OK:
            raise SettingsError(answer["message"])
        return answer
