"""The switches of the proxy: which service and operation meet which fault, and how often."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit

TIMEOUT_SECONDS: Final = 10.0

HELD_SECONDS: Final = 120
"""How long a request is held; every client has given up or died long before."""


class Service(StrEnum):
    """The services behind the proxy, by their names in signatures."""

    DYNAMODB = "dynamodb"
    SNS = "sns"
    SQS = "sqs"


class FaultKind(StrEnum):
    """What a request meets while the fault is on."""

    THROTTLED = "throttled"
    INTERNAL = "500"
    UNAVAILABLE = "503"
    ACCESS_DENIED = "access-denied"
    RESET = "reset"
    """The connection is cut; nothing has happened."""
    HANG = "hang"
    """No answer; nothing has happened."""
    ANSWER_LOST = "answer-lost"
    """The request is carried out, and the connection is cut before its answer."""


ERRORS: Final[Mapping[FaultKind, Mapping[Service, tuple[str, int]]]] = {
    FaultKind.THROTTLED: {
        Service.DYNAMODB: ("ProvisionedThroughputExceededException", 400),
        Service.SNS: ("ThrottledException", 429),
        Service.SQS: ("ThrottlingException", 400),
    },
    FaultKind.INTERNAL: {
        Service.DYNAMODB: ("InternalServerError", 500),
        Service.SNS: ("InternalErrorException", 500),
        Service.SQS: ("InternalFailure", 500),
    },
    FaultKind.UNAVAILABLE: dict.fromkeys(Service, ("ServiceUnavailable", 503)),
    FaultKind.ACCESS_DENIED: {
        Service.DYNAMODB: ("AccessDeniedException", 400),
        Service.SNS: ("AuthorizationErrorException", 403),
        Service.SQS: ("AccessDeniedException", 400),
    },
}
"""The faults that are answers: AWS's code and HTTP status, by service."""


@dataclass(frozen=True, slots=True)
class Faults:
    """Switches faults on and off, and lists the requests that met one."""

    url: str

    def fail(
        self,
        service: Service,
        kind: FaultKind,
        *,
        operation: str | None = None,
        times: int | None = None,
        after: int = 0,
    ) -> None:
        """Let requests to a service meet a fault: so many, or until `heal`.

        The first `after` of them pass; `met` counts these, too.
        """
        if after:
            self.delay(service, operation=operation, times=after)
        self._add(_effect(service, kind), service, operation, times)

    def delay(
        self,
        service: Service,
        *,
        operation: str | None = None,
        times: int | None = None,
    ) -> None:
        """Let requests be carried out a millisecond later; `met` counts them, too."""
        self._add({"latency": 1}, service, operation, times)

    def heal(self) -> None:
        """Switch all faults off and forget which requests met one."""
        self._call("POST", "rules", [])
        self._call("DELETE", "fired")

    def met(self) -> list[str]:
        """The operations that met a fault since the last `heal`, in order."""
        return [event["operation"] for event in self._call("GET", "fired?limit=2000")]

    def _add(
        self,
        effect: Mapping[str, Any],
        service: Service,
        operation: str | None,
        times: int | None,
    ) -> None:
        conditions = {"operation": operation, "times": times}
        known = {name: value for name, value in conditions.items() if value is not None}
        self._call("PATCH", "rules", [{"service": service, **known, **effect}])

    def _call(self, method: str, path: str, body: object = None) -> Any:
        address = urlsplit(self.url)
        with closing(
            HTTPConnection(str(address.hostname), address.port, timeout=TIMEOUT_SECONDS)
        ) as connection:
            connection.request(method, f"/_microburst/{path}", body=json.dumps(body))
            response = connection.getresponse()
            answer = response.read()
        if response.status != HTTPStatus.OK:
            raise ValueError(f"{method} {path}: {response.status} {answer!r}")
        return json.loads(answer)


def _effect(service: Service, kind: FaultKind) -> dict[str, Any]:
    match kind:
        case FaultKind.RESET:
            return {"reset": True}
        case FaultKind.HANG:
            return {"timeout_ms": HELD_SECONDS * 1000}
        case FaultKind.ANSWER_LOST:
            return {"response": {"abort_bytes": 1}}
    code, status = ERRORS[kind][service]
    return {"error": {"code": code, "status": status}}
