"""The failures to be expected, each as one sentence that says what to do."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import typer
from botocore import exceptions
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
)
from botocore.parsers import ResponseParserError

from ses_insights.adapters.aws_errors import CREDENTIALS, action_denied, error_code, is_denied
from ses_insights.contracts.text import one_line
from ses_insights.domain.failures import SystemFailure
from ses_insights.settings import SettingError

NOTHING: Final = 1
"""Exit code: nothing was found, or part of the input was refused."""
USAGE: Final = 2
"""Exit code: the command was used wrongly."""
AWS: Final = 3
"""Exit code: AWS refuses the request or cannot be reached."""

TRACE: Final = "SES_INSIGHTS_TRACE"
"""The environment variable with which an error of this program is shown with its trace."""

_THROTTLED: Final = frozenset(
    {
        "LimitExceededException",
        "ProvisionedThroughputExceededException",
        "RequestThrottled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)


class CliError(typer.TyperException):
    """A command cannot do what was asked; the text says why, in one sentence for a person."""

    exit_code = AWS


class NothingFoundError(CliError):
    """What was asked for does not exist."""

    exit_code = NOTHING


class WrongUsageError(CliError):
    """The arguments of the command cannot be used."""

    exit_code = USAGE


class PipeClosed(Exception):
    """Whoever reads the output has gone, as `head` does; nothing is left to say."""


EXPECTED: Final = (
    CliError,
    SystemFailure,
    SettingError,
    BotoCoreError,
    ClientError,
    ResponseParserError,
)


def defect(error: Exception) -> str:
    """Return in one line that this program is wrong, and where."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    return one_line(
        f"insights itself failed: {type(error).__name__} at {where}: {error}. Please report it; "
        f"{TRACE}=1 shows the whole trace."
    )


def without_jargon(text: str) -> str:
    """Return what Typer says of a wrong value in words for a person: it hands on pydantic's."""
    for found, better in _JARGON:
        text = found.sub(better, text)
    return text


_JARGON: Final = (
    (re.compile(r"\bValue error, "), ""),
    (re.compile(r", unable to parse.*|, got a number with.*", re.DOTALL), ""),
    (re.compile(r"\bInput should be a (?:valid integer|finite number)"), "it takes a whole number"),
    (re.compile(r"\bInput should be a valid number"), "it takes a number"),
    (re.compile(r"\bInput should be "), "it has to be "),
)


def exit_code(error: BaseException) -> int:
    """Return the exit code of a failure."""
    return error.exit_code if isinstance(error, CliError) else AWS


def sentence(error: BaseException) -> str:
    """Return in one line what is wrong and what to do."""
    if isinstance(error, SystemFailure) and isinstance(error.__cause__, EXPECTED):
        return sentence(error.__cause__)
    if isinstance(error, ClientError):
        return one_line(_of_aws(error))
    return one_line(_before_aws(error))


def _of_aws(error: ClientError) -> str:
    code = error_code(error)
    if is_denied(code):
        what = action_denied(error) or error.operation_name
        return f"These credentials do not allow this: {what} is denied. docs/cli.md has the policy."
    if code in CREDENTIALS:
        return f"AWS rejects these credentials ({code}): log in again, or use others."
    if code in _THROTTLED:
        return f"AWS throttles {error.operation_name}: try again in a minute."
    text = error.response.get("Error", {}).get("Message", "")
    return f"AWS refuses {error.operation_name}: {code}: {text}"


def _before_aws(error: BaseException) -> str:
    for kinds, words in _WORDS.items():
        if isinstance(error, kinds):
            return words.format(error)
    return str(error)


_WORDS: Final[Mapping[tuple[type[Exception], ...], str]] = {
    (NoCredentialsError, PartialCredentialsError): (
        "There are no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
        "AWS_SECRET_ACCESS_KEY."
    ),
    (CredentialRetrievalError,): "The AWS credentials cannot be read: log in again. {}",
    (ProfileNotFound,): "{}: set AWS_PROFILE to one that `aws configure list-profiles` shows.",
    (NoRegionError,): "No Region is set: give --region, or set AWS_REGION, to that of the stack.",
    (InvalidRegionError,): "{} Give --region, or set AWS_REGION, to that of the stack.",
    (SSLError,): (
        "The certificate of AWS's endpoint is not trusted: for `make local` type `. .local/env` in "
        "this terminal, else check AWS_CA_BUNDLE."
    ),
    (SettingError,): "The stack does not match this version of insights: {}. Deploy it again.",
    (ResponseParserError,): "The answer is not one of AWS: check AWS_ENDPOINT_URL.",
    (exceptions.ConnectionError, HTTPClientError): (
        "AWS cannot be reached: check the network, AWS_REGION and AWS_ENDPOINT_URL. {}"
    ),
}
"""What can fail before AWS answers; the first entry that fits counts."""
