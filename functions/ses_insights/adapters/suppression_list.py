"""SES's account suppression list, read at the pace at which SES lets it be read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from botocore.config import Config

from ses_insights.adapters.aws_errors import (
    error_code,
    failure,
    is_client_error,
    is_of_the_call,
)
from ses_insights.adapters.ses import is_throttled
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.listing import Feedback
from ses_insights.domain.suppression import Entry, Page, Suppressed
from ses_insights.domain.times import whole_milliseconds

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

CONFIG: Final = Config(
    # The SDK's own retries would not keep the pace.
    retries={"total_max_attempts": 1, "mode": "standard"},
    connect_timeout=1,
    read_timeout=3,
)

PERIOD: Final = 1.0
"""Seconds between two calls of one operation: "All actions except for SendEmail … are throttled at
one request per second." https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas.html"""

PAGE_SIZE: Final = 1000

_A_SECOND: Final = timedelta(seconds=1)


@dataclass(slots=True)
class SesSuppressionList:
    """Reads the list. Each operation is called a period after its last call has ended, or later.

    So no two of one operation arrive at SES within a period, however long one is under way. Methods
    raise `SystemFailure`.
    """

    client: SESV2Client
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _not_before: dict[str, float] = field(default_factory=dict)

    def page(self, *, since: datetime, until: datetime | None, token: str | None) -> Page:
        """Return a page of what was listed from ``since`` on, and perhaps some that was before.

        SES filters by dates of which it does not document the resolution: it is asked for a second
        more on both sides.
        """
        asked: dict[str, Any] = {"StartDate": _whole_seconds(since) - _A_SECOND}
        if until is not None:
            asked["EndDate"] = _whole_seconds(until) + _A_SECOND
        if token is not None:
            asked["NextToken"] = token
        answer = self._call("ListSuppressedDestinations", PageSize=PAGE_SIZE, **asked)
        return Page(
            tuple(
                Entry(each["EmailAddress"], whole_milliseconds(each["LastUpdateTime"]))
                for each in answer.get("SuppressedDestinationSummaries", [])
            ),
            answer.get("NextToken"),
        )

    def look_up(self, address: str) -> Suppressed | None:
        """Return why an address is listed; None where it is listed no more."""
        operation = "GetSuppressedDestination"
        try:
            answer = self._call(operation, EmailAddress=address)
        except _GoneError:
            return None
        found = answer.get("SuppressedDestination")
        if not found:
            raise SystemFailure(FailureKind.SES_UNAVAILABLE, f"{operation}: an answer without one")
        reason = found.get("Reason")
        return Suppressed(
            found.get("Attributes", {}).get("MessageId"),
            Feedback(reason) if reason in set(Feedback) else None,
            whole_milliseconds(found["LastUpdateTime"]),
        )

    def reasons_off(self) -> frozenset[Feedback]:
        """Return the reasons for which the account lists no address."""
        account = self._call("GetAccount")
        on = account.get("SuppressionAttributes", {}).get("SuppressedReasons", [])
        return frozenset(Feedback).difference(on)

    def _call(self, operation: str, **asked: Any) -> dict[str, Any]:
        wait = self._not_before.get(operation, 0.0) - self.clock()
        if wait > 0:
            self.sleep(wait)
        try:
            answer: dict[str, Any] = getattr(self.client, _METHODS[operation])(**asked)
        except Exception as error:
            if not is_of_the_call(error):
                raise
            raise _failure(error, operation) from error
        finally:
            self._not_before[operation] = self.clock() + PERIOD
        return answer


_METHODS: Final = {
    "ListSuppressedDestinations": "list_suppressed_destinations",
    "GetSuppressedDestination": "get_suppressed_destination",
    "GetAccount": "get_account",
}


class _GoneError(Exception):
    """The address is not on the list."""


def _failure(error: Exception, operation: str) -> Exception:
    kind = FailureKind.SES_THROTTLED if is_throttled(error) else FailureKind.SES_UNAVAILABLE
    if operation == "GetSuppressedDestination":
        if error_code(error) == "NotFoundException":
            return _GoneError()
        if error_code(error) == "BadRequestException":
            return error  # about this address: the next one may pass
    return error if is_client_error(error, kind) else failure(error, kind, operation)


def _whole_seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
