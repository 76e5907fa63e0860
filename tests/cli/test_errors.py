"""Each expected failure is one sentence that says what to do."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    ProfileNotFound,
    ReadTimeoutError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from ses_insights.cli.deployment import Deployment
from ses_insights.cli.errors import CliError, sentence
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.settings import SettingError
from tests.cli.conftest import Aws
from tests.support.said import Insights

URL = "https://sqs.eu-west-1.amazonaws.com/"


def refused(code: str, text: str = "") -> ClientError:
    """AWS's own error."""
    return ClientError({"Error": {"Code": code, "Message": text}}, "Query")


DENIED = refused(
    "AccessDeniedException",
    "User: arn:aws:sts::123456789012:assumed-role/r/s is not authorized to perform: dynamodb:Query "
    "on resource: x",
)


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (NoCredentialsError(), "set AWS_PROFILE, or AWS_ACCESS_KEY_ID"),
        (NoRegionError(), "set AWS_REGION"),
        (InvalidRegionError(region_name="Ireland"), "'Ireland' doesn't match a supported format."),
        (InvalidRegionError(region_name="Ireland"), "set AWS_REGION"),
        (ProfileNotFound(profile="work"), "(work) could not be found: set AWS_PROFILE"),
        (EndpointConnectionError(endpoint_url=URL), "cannot be reached: check the network"),
        (ConnectTimeoutError(endpoint_url=URL), "cannot be reached: check the network"),
        (ReadTimeoutError(endpoint_url=URL), "cannot be reached: check the network"),
        (SSLError(endpoint_url=URL, error=OSError("self-signed")), "type `. .local/env`"),
        (ResponseParserError("not XML"), "check AWS_ENDPOINT_URL"),
        (DENIED, "dynamodb:Query is denied. docs/cli.md"),
        (refused("ExpiredToken"), "log in again"),
        (refused("ThrottlingException"), "AWS throttles Query: try again in a minute."),
        (refused("Odd", "line one\nline two"), "AWS refuses Query: Odd: line one line two"),
        (SettingError("PERIOD is not set"), "PERIOD is not set. Deploy it again."),
        (SystemFailure(FailureKind.DYNAMODB, "Query: Odd"), "Query: Odd"),
        (CliError("There is no stack X."), "There is no stack X."),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_each_failure_says_what_to_do(error: Exception, says: str) -> None:
    """In one line."""
    assert says in sentence(error)
    assert "\n" not in sentence(error)


def test_a_failure_of_the_service_is_shown_by_its_cause() -> None:
    """The service's own text leaves out AWS's; a person at a terminal may read it."""
    failure = SystemFailure(FailureKind.DYNAMODB, "Query: ThrottlingException")
    failure.__cause__ = refused("ThrottlingException")
    assert sentence(failure).startswith("AWS throttles Query")


def test_an_endpoint_that_is_no_url_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable that names it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1")
    with pytest.raises(
        CliError, match=r"^Invalid endpoint: 127\.0\.0\.1: check AWS_ENDPOINT_URL\.$"
    ):
        Deployment.find("SesInsights", boto3.Session())


def test_an_unknown_command_is_wrong_usage(insights: Insights) -> None:
    """It names the one that was meant."""
    said = insights("stats")
    assert said.code == 2
    assert "status" in said.err


@pytest.mark.parametrize("error", [BotoCoreError(), refused("Odd")])
def test_every_error_of_boto3_is_expected(aws: Aws, insights: Insights, error: Exception) -> None:
    """None comes out as a stack trace."""

    def fail(**_: object) -> None:
        raise error

    event = "before-call.dynamodb.Query"
    aws.session.events.register_first(event, fail)
    try:
        assert insights("status").code == 3
    finally:
        aws.session.events.unregister(event, fail)
