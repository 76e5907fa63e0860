"""AWS's errors as ours, mapped in one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError

from insights.failures import Kind, SystemFailure

_ACCESS_DENIED: Final = frozenset(
    {"AccessDenied", "AccessDeniedException", "AuthorizationError", "KMSAccessDeniedException"}
)
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
_OUR_FAULT: Final = frozenset(
    {"ValidationException", "InvalidParameter", "InvalidParameterValue", "ValidationError"}
)


@contextmanager
def failing_as(kind: Kind, operation: str) -> Iterator[None]:
    """Turn what boto3 raises inside into a `SystemFailure` of the given kind.

    Missing permissions and bad credentials keep their own kinds, whichever service says so. A
    request that AWS finds malformed is a fault of this program and stays as it is: waiting does
    not mend it.
    """
    try:
        yield
    except ParamValidationError:
        raise
    except ClientError as error:
        if error_code(error) in _OUR_FAULT:
            raise
        raise failure(error, kind, operation) from error
    except BotoCoreError as error:
        raise failure(error, kind, operation) from error


def failure(error: ClientError | BotoCoreError, kind: Kind, operation: str) -> SystemFailure:
    """Name what went wrong.

    Only a refusal's own text is repeated: it names action and resource, while the texts of other
    errors may quote the request.
    """
    if isinstance(error, NoCredentialsError):
        return SystemFailure(Kind.CREDENTIALS, f"{operation}: no credentials")
    if not isinstance(error, ClientError):
        return SystemFailure(kind, f"{operation}: {type(error).__name__}")
    code = error_code(error)
    if code in _ACCESS_DENIED:
        text = error.response.get("Error", {}).get("Message", "")
        return SystemFailure(Kind.ACCESS_DENIED, f"{operation}: {code}: {text}")
    if code in _CREDENTIALS:
        return SystemFailure(Kind.CREDENTIALS, f"{operation}: {code}")
    return SystemFailure(kind, f"{operation}: {code}")


def error_code(error: ClientError) -> str:
    """Take AWS's code out of an error."""
    return str(error.response.get("Error", {}).get("Code", "Unknown"))
