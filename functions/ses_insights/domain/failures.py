"""Failures of the system around a look: not of the message, so the message waits and comes back."""

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
    """Something every look needs does not work; the next look would fail, too.

    The text names the operation and the error code. It never holds anything of the mail.
    """

    def __init__(self, kind: FailureKind, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def unexpected(error: Exception) -> SystemFailure:
    """Name an error that nobody foresaw, and its place.

    Its own text may quote the mail and is left out.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return SystemFailure(FailureKind.UNEXPECTED, f"Unexpected: {type(error).__name__} at {place}")
