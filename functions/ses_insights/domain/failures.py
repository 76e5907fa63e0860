"""Failures of the system, not of one message: the message stays in the queue and comes back."""

from __future__ import annotations

import traceback
from enum import StrEnum
from pathlib import Path


class FailureKind(StrEnum):
    """What failed, as alarms and logs name it."""

    VDM_OFF = "VdmOff"
    SES_THROTTLED = "SesThrottled"
    SES_UNAVAILABLE = "SesUnavailable"
    ACCESS_DENIED = "AccessDenied"
    CREDENTIALS = "Credentials"
    DYNAMODB = "DynamoDb"
    SNS = "Sns"
    SQS = "Sqs"
    OUT_OF_TIME = "OutOfTime"
    """What comes before the call to SES took too long; what made it late is not known."""
    UNEXPECTED = "Unexpected"


class SystemFailure(Exception):
    """Something that every look needs does not work; the next look would fail, too.

    The text names the operation and the error code. It never holds anything of the mail.
    """

    def __init__(self, kind: FailureKind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def as_failure(error: Exception) -> SystemFailure:
    """Return a `SystemFailure` as it is, and any other error by its name and where it was raised.

    That error's own text is left out: it may quote the mail.
    """
    if isinstance(error, SystemFailure):
        return error
    frames = traceback.extract_tb(error.__traceback__)
    where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return SystemFailure(FailureKind.UNEXPECTED, f"Unexpected: {type(error).__name__} at {where}")
