"""AWS's errors as ours, mapped in one place."""

from __future__ import annotations

import re
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

from insights.failures import Kind, SystemFailure

AwsError = (ClientError, BotoCoreError, ResponseParserError)
"""Everything boto3 raises for a call: AWS's own errors, those of the network, and an answer that
is none."""

# The services spell it differently: AccessDeniedException, AuthorizationError, KMSAccessDenied, …
_DENIED: Final = re.compile("access.?denied|authorization", re.IGNORECASE)
_ACTION: Final = re.compile(r"not authorized to perform: ([a-z0-9-]+:[A-Za-z]+)")

_CREDENTIALS: Final = frozenset(
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
_NO_CREDENTIALS: Final = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)

_OUR_FAULT: Final = frozenset(
    {"ValidationException", "ValidationError", "InvalidParameter", "InvalidParameterValue"}
)


@contextmanager
def failing_as(kind: Kind, operation: str) -> Iterator[None]:
    """Turn what boto3 raises inside into a `SystemFailure` of the given kind.

    A request that AWS finds malformed is a fault of this program and stays as it is: waiting does
    not mend it. Not so with SQS, which calls a receipt handle that has expired an invalid value.
    """
    try:
        yield
    except ParamValidationError:
        raise
    except AwsError as error:
        if kind is not Kind.SQS and error_codes(error) & _OUR_FAULT:
            raise
        raise failure(error, kind, operation) from error


def failure(error: Exception, kind: Kind, operation: str) -> SystemFailure:
    """Name what went wrong, in the given kind or as missing permissions or bad credentials.

    AWS's own text is not repeated, because it may quote the request; the action that a refusal
    names is.
    """
    if isinstance(error, _NO_CREDENTIALS):
        return SystemFailure(Kind.CREDENTIALS, f"{operation}: {type(error).__name__}")
    if not isinstance(error, ClientError):
        return SystemFailure(kind, f"{operation}: {type(error).__name__}")
    code = error_code(error)
    if _DENIED.search(code):
        action = _ACTION.search(str(error))
        may_not = f", {action[1]} is not allowed" if action else ""
        return SystemFailure(Kind.ACCESS_DENIED, f"{operation}: {code}{may_not}")
    if code in _CREDENTIALS:
        return SystemFailure(Kind.CREDENTIALS, f"{operation}: {code}")
    return SystemFailure(kind, f"{operation}: {code}")


def error_code(error: Exception) -> str:
    """Take AWS's code out of an error; empty where AWS did not answer."""
    if not isinstance(error, ClientError):
        return ""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))


def error_codes(error: Exception) -> frozenset[str]:
    """Take out AWS's code and, of a transaction, the codes of its actions."""
    reasons = (
        error.response.get("CancellationReasons", []) if isinstance(error, ClientError) else []
    )
    return frozenset({error_code(error), *(str(reason.get("Code", "")) for reason in reasons)})
