"""AWS's errors, mapped to those of the service in one place."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
)
from botocore.parsers import ResponseParserError

from ses_insights.domain.failures import FailureKind, SystemFailure

_AWS_ERRORS: Final = (ClientError, BotoCoreError, ResponseParserError)
"""What boto3 means to raise for a call: AWS's own errors, those of the network, and an answer that
cannot be parsed."""

# The services spell it differently: AccessDeniedException, AuthorizationError, KMSAccessDenied, …
_DENIED: Final = re.compile("access.?denied|authorization", re.IGNORECASE)
_ACTION: Final = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")

CREDENTIALS: Final = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
"""Codes of AWS for credentials that it refuses."""
_NO_CREDENTIALS: Final = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)

# What depends on what a request holds, and so on the mail: the next message may pass. Whatever
# else a 400 says (a table that is gone, an operation unknown) holds for all of them.
# DynamoDB: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
# and SerializationException, which it gives for what it cannot read, as a map with the name
# "__type": https://github.com/aws/aws-sdk-js/issues/1547
# SNS: https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
_CLIENT_ERRORS: Final = frozenset(
    {
        "InvalidParameter",
        "InvalidParameterValue",
        "SerializationException",
        "ValidationError",
        "ValidationException",
    }
)


@contextmanager
def failing_as(kind: FailureKind, operation: str) -> Iterator[None]:
    """Turn what boto3 raises inside into a `SystemFailure` of the given kind.

    What `is_client_error` passes unchanged: waiting does not help.
    """
    try:
        yield
    except Exception as error:
        if not is_of_the_call(error) or is_client_error(error, kind):
            raise
        raise failure(error, kind, operation) from error


def is_of_the_call(error: Exception) -> bool:
    """Whether boto3 raised this for a call to AWS, and not this program at its own work."""
    return isinstance(error, _AWS_ERRORS) or _failed_on_an_answer(error)


def _failed_on_an_answer(error: Exception) -> bool:
    """Whether botocore failed between sending a request and handing over the answer to it.

    botocore trusts an answer to have the shape of its model. On JSON that is not an object, or on
    bytes that are not text, it raises whatever Python raises. Nothing below its endpoint belongs to
    this program, except for the hook that keeps the pace.
    """
    modules = [
        str(frame.f_globals.get("__name__")) for frame, _ in traceback.walk_tb(error.__traceback__)
    ]
    if "botocore.endpoint" not in modules:
        return False
    below = modules[modules.index("botocore.endpoint") :]
    return not any(module.startswith("ses_insights.") for module in below)


def is_client_error(error: Exception, kind: FailureKind) -> bool:
    """Whether AWS finds a request malformed: a fault of this program and not of the system.

    Not so with SQS, which calls a receipt handle that has expired an invalid value.
    """
    if isinstance(error, ParamValidationError):
        return True
    return kind is not FailureKind.SQS and bool(error_codes(error) & _CLIENT_ERRORS)


def failure(error: Exception, kind: FailureKind, operation: str) -> SystemFailure:
    """Return what went wrong, in the given kind or as missing permissions or bad credentials.

    AWS's own text is not repeated, because it may quote the request; the action that a refusal
    names is.
    """
    if isinstance(error, _NO_CREDENTIALS):
        return SystemFailure(FailureKind.CREDENTIALS, f"{operation}: {type(error).__name__}")
    if not isinstance(error, ClientError):
        what = "" if isinstance(error, _AWS_ERRORS) else "an answer that cannot be read, "
        return SystemFailure(kind, f"{operation}: {what}{type(error).__name__}")
    code = error_code(error)
    if is_denied(code):
        action = action_denied(error)
        may_not = f", {action} is not allowed" if action else ""
        return SystemFailure(FailureKind.ACCESS_DENIED, f"{operation}: {code}{may_not}")
    if code in CREDENTIALS:
        return SystemFailure(FailureKind.CREDENTIALS, f"{operation}: {code}")
    return SystemFailure(kind, f"{operation}: {code}")


def is_denied(code: str) -> bool:
    """Whether a code of AWS says that a permission is missing."""
    return _DENIED.search(code) is not None


def action_denied(error: Exception) -> str | None:
    """Return the action that a refusal names, or None."""
    action = _ACTION.search(str(error))
    return action[1] if action else None


def error_code(error: Exception) -> str:
    """Return AWS's code of an error; empty where AWS did not answer."""
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def error_codes(error: Exception) -> frozenset[str]:
    """Return AWS's code and, of a transaction, the codes of its actions."""
    reasons = (
        error.response.get("CancellationReasons", []) if isinstance(error, ClientError) else []
    )
    return frozenset({error_code(error), *(str(reason.get("Code", "")) for reason in reasons)})
