"""GetMessageInsights, called at the pace. Nothing else calls it, and nothing else retries it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from botocore.config import Config
from botocore.exceptions import ClientError

from ses_insights.adapters.aws_errors import error_code, failure, is_client_error, is_of_the_call
from ses_insights.adapters.ses_response import read_insights
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.pace import Call, CallResult, Pace
from ses_insights.domain.record import Answer, Found, NotFound, Refused

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

CONFIG: Final = Config(
    # The SDK's own retries would not keep the pace (decision record 6).
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=2,
    read_timeout=5,
    tcp_keepalive=True,
)

LONGEST_CALL: Final = 7.0
"""Seconds: what one call may take by its two time-outs."""

STORING_NEEDS: Final = 8.0
"""Seconds kept free after a call to store its answer and to publish."""

_ANSWERS: Final = frozenset({"NotFoundException", "BadRequestException"})
"""Errors that are SES's answer about a message."""


@dataclass(slots=True)
class SesSource:
    """Asks SES, each attempt no sooner than the pace allows.

    The pace is kept in botocore's ``before-send`` hook: after signing, right before the first byte
    of the request. So the stamp is as near to the departure as it can be, and nothing gets past it.
    """

    client: SESV2Client
    pace: Pace
    on_call: Callable[[Call], None]
    """Called after every call to SES."""
    clock: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    _deadline: float = 0.0
    _left_at: float | None = None
    _after_gap: bool = False
    _ended: tuple[float, float] = (-math.inf, -math.inf)

    def __post_init__(self) -> None:
        """Put the pace between botocore and the network."""
        self.client.meta.events.register("before-send.sesv2.GetMessageInsights", self._leave)

    @contextmanager
    def invocation(self, seconds_left: float) -> Iterator[None]:
        """Span an invocation of the function: calls are made inside, and none after its end."""
        now, wall = self.clock(), self.wall_clock()
        # A frozen environment's monotonic clock may stand still; the wall clock may be set. The
        # longer gap is the safe one: it can only cost a wait.
        idle = max(now - self._ended[0], wall - self._ended[1])
        self.pace.invocation_began(now, idle=idle)
        self._deadline = now + seconds_left
        try:
            yield
        finally:
            self._ended = (self.clock(), self.wall_clock())

    def ask(self, message_id: str) -> Answer:
        """Ask about one message; again after a 429 while time is left.

        Raises `SystemFailure` for everything that says nothing about the message. Where there is
        no time to store an answer none is asked for: a slot would be spent for nothing.
        """
        problem = SystemFailure(
            FailureKind.OUT_OF_TIME, "GetMessageInsights: not enough time left in this invocation"
        )
        while self._has_time():
            try:
                return self._ask_once(message_id)
            except SystemFailure as failed:
                if failed.kind is not FailureKind.SES_THROTTLED:
                    raise
                problem = failed
        raise problem

    def _ask_once(self, message_id: str) -> Answer:
        result = CallResult.BROKEN
        try:
            response = self.client.get_message_insights(MessageId=message_id)
            result = CallResult.ANSWERED
        except Exception as error:
            if not is_of_the_call(error):
                raise
            result = _result_of(error)
            return _answer(error)
        finally:
            self._arrive(result)
        if response.keys() <= {"ResponseMetadata"}:
            raise SystemFailure(
                FailureKind.SES_UNAVAILABLE, "GetMessageInsights: an answer without a word"
            )
        return Found(read_insights(response, message_id))

    def _has_time(self) -> bool:
        """Whether one more call, at the pace, leaves enough to store what it says."""
        now = self.clock()
        return now + self.pace.wait(now) + LONGEST_CALL + STORING_NEEDS <= self._deadline

    def _leave(self, **_: object) -> None:
        """Wait for the pace, then note that the request leaves. botocore calls this."""
        while wait := self.pace.wait(self.clock()):
            self.sleep(wait)
        self._left_at, self._after_gap = self.clock(), self.pace.after_gap
        self.pace.call_started(self._left_at)

    def _arrive(self, result: CallResult) -> None:
        """Note how a request that left has ended; one that failed before it left is no call."""
        if self._left_at is None:
            return
        now = self.clock()
        self.pace.call_ended(now, result)
        throttled = result is CallResult.THROTTLED
        self.on_call(Call(now - self._left_at, throttled=throttled, after_gap=self._after_gap))
        self._left_at = None


def _result_of(error: Exception) -> CallResult:
    if is_throttled(error):
        return CallResult.THROTTLED
    return CallResult.ANSWERED if error_code(error) in _ANSWERS else CallResult.BROKEN


def is_throttled(error: Exception) -> bool:
    """Whether SES, or the front end that all its operations share, wants fewer calls.

    SES says 429; the front end says 400 and gives a code.
    """
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status == HTTPStatus.TOO_MANY_REQUESTS or error_code(error) == "ThrottlingException"


def _answer(error: Exception) -> Answer:
    """Read an error: two of them are answers about the message, the others are failures."""
    if _says_vdm_is_off(error):
        text = "GetMessageInsights: Virtual Deliverability Manager is off in this Region"
        raise SystemFailure(FailureKind.VDM_OFF, text) from error
    code = error_code(error)
    if code == "BadRequestException":
        return Refused()
    if code == "NotFoundException":
        return NotFound()
    kind = FailureKind.SES_THROTTLED if is_throttled(error) else FailureKind.SES_UNAVAILABLE
    if is_client_error(error, kind):
        raise error
    raise failure(error, kind, "GetMessageInsights") from error


def _says_vdm_is_off(error: Exception) -> bool:
    """Whether an error means that Virtual Deliverability Manager is off, whatever its code.

    SES leaves no other way to know than its text: "To use this feature you must enable Virtual
    Deliverability Manager". It comes with a 404 here, and with a 400 from CreateExportJob; read by
    its code alone, it would make every id "not found" or malformed.
    """
    return isinstance(error, ClientError) and "virtual deliverability manager" in str(error).lower()
