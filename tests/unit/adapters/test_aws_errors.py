"""AWS's errors are mapped in one place, named by what to repair, without quoting the mail."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from ses_insights.adapters.aws_errors import error_code, error_codes, failing_as
from ses_insights.domain.failures import FailureKind, SystemFailure

ADDRESS = "anna@there.example"


def refusal(code: str, text: str = "no") -> ClientError:
    """An error as boto3 raises it."""
    return ClientError({"Error": {"Code": code, "Message": text}}, "Publish")


def mapped(error: Exception) -> SystemFailure:
    """What an error becomes."""
    with pytest.raises(SystemFailure) as caught, failing_as(FailureKind.SNS, "Publish"):
        raise error
    return caught.value


def test_what_works_is_left_alone() -> None:
    """Without an error nothing is raised, and what follows is done."""
    done = []
    with failing_as(FailureKind.SNS, "Publish"):
        done.append("published")
    done.append("marked")
    assert done == ["published", "marked"]


def test_a_failure_names_operation_and_code() -> None:
    """The text says what was tried and what AWS called it."""
    failure = mapped(refusal("InternalError"))
    assert (failure.kind, str(failure)) == (FailureKind.SNS, "Publish: InternalError")


@pytest.mark.parametrize("kind", [FailureKind.DYNAMODB, FailureKind.SNS, FailureKind.SQS])
def test_a_failure_is_that_of_the_service(kind: FailureKind) -> None:
    """The caller says which service it is."""
    with pytest.raises(SystemFailure) as caught, failing_as(kind, "Operation"):
        raise refusal("InternalError")
    assert caught.value.kind is kind


def test_an_error_without_a_code_has_a_name() -> None:
    """A response that names nothing is Unknown."""
    assert str(mapped(ClientError({}, "Publish"))) == "Publish: Unknown"


def test_the_code_is_the_one_aws_wrote() -> None:
    """Codes are read, not made up."""
    assert error_code(refusal("InternalError")) == "InternalError"


def test_what_aws_did_not_answer_has_no_code() -> None:
    """It is no error of AWS."""
    error = ReadTimeoutError(endpoint_url="https://sns")
    assert (error_code(error), error_codes(error)) == ("", frozenset({""}))


def cancelled(*reasons: dict[str, str]) -> ClientError:
    """A transaction that DynamoDB did not carry out, as boto3 raises it."""
    response: Any = {
        "Error": {"Code": "TransactionCanceledException", "Message": "no"},
        "CancellationReasons": list(reasons),
    }
    return ClientError(response, "TransactWriteItems")


def test_the_codes_of_a_transaction_are_its_own_and_those_of_its_actions() -> None:
    """A reason without a code says nothing."""
    error = cancelled({"Code": "None"}, {}, {"Code": "ConditionalCheckFailed"})
    assert error_codes(error) == {
        "TransactionCanceledException",
        "None",
        "",
        "ConditionalCheckFailed",
    }


def test_a_malformed_action_is_a_fault_of_this_program() -> None:
    """As a malformed request is."""
    error = cancelled({"Code": "None"}, {"Code": "ValidationError"})
    with pytest.raises(ClientError) as caught, failing_as(FailureKind.DYNAMODB, "Write"):
        raise error
    assert caught.value is error


def test_a_failure_keeps_its_origin() -> None:
    """The error boto3 raised is the cause of ours."""
    error = refusal("InternalError")
    assert mapped(error).__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeoutError(endpoint_url="https://sns"),
        EndpointConnectionError(endpoint_url="https://sns"),
        ResponseParserError(ADDRESS),
    ],
)
def test_a_failure_of_the_network_is_named_by_its_class(error: Exception) -> None:
    """What never got an answer has no code; its class says enough."""
    failure = mapped(error)
    assert (failure.kind, str(failure)) == (FailureKind.SNS, f"Publish: {type(error).__name__}")


@pytest.mark.parametrize(
    "error",
    [
        NoCredentialsError(),
        PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"),
        CredentialRetrievalError(provider="container", error_msg="no"),
    ],
)
def test_credentials_that_cannot_be_had_are_named_so(error: BotoCoreError) -> None:
    """However botocore comes to have none, credentials are what is to be mended."""
    failure = mapped(error)
    assert failure.kind is FailureKind.CREDENTIALS
    assert str(failure) == f"Publish: {type(error).__name__}"


@pytest.mark.parametrize(
    "code",
    [
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ],
)
def test_bad_credentials_are_named_so(code: str) -> None:
    """Whichever service refuses them."""
    failure = mapped(refusal(code, f"about {ADDRESS}"))
    assert (failure.kind, str(failure)) == (FailureKind.CREDENTIALS, f"Publish: {code}")


def denials(session: boto3.Session) -> set[str]:
    """The codes by which the services used here say, in their own models, who may not."""
    shapes = (
        shape
        for service in ("dynamodb", "sns", "sqs", "sesv2")
        for shape in session.client(service).meta.service_model.error_shapes
    )
    return {
        shape.metadata.get("error", {}).get("code", shape.name)
        for shape in shapes
        if "AccessDenied" in shape.name or "Authorization" in shape.name
    }


def test_a_missing_permission_is_named_so(session: boto3.Session) -> None:
    """Whichever service says it, and however it spells it; the action is named."""
    spelled = denials(session) | {
        "AccessDenied",
        "AccessDeniedException",
        "KMS.AccessDeniedException",
    }
    text = "User is not authorized to perform: sns:Publish on resource: arn:aws:sns:::Alerts"
    failures = {code: mapped(refusal(code, text)) for code in spelled}
    assert {code: failure.kind for code, failure in failures.items()} == dict.fromkeys(
        spelled, FailureKind.ACCESS_DENIED
    )
    assert all(code in str(failure) for code, failure in failures.items())
    assert all("sns:Publish" in str(failure) for failure in failures.values())


def test_a_missing_permission_is_named_by_its_action() -> None:
    """The text of the failure says what to grant."""
    text = "User is not authorized to perform: kms:GenerateDataKey because no policy allows it"
    failure = mapped(refusal("KMSAccessDenied", text))
    assert str(failure) == "Publish: KMSAccessDenied, kms:GenerateDataKey is not allowed"


def test_a_refusal_that_names_no_action_is_named_by_its_code() -> None:
    """Nothing is made up."""
    assert str(mapped(refusal("AccessDenied"))) == "Publish: AccessDenied"


def test_a_missing_permission_is_named_without_addresses() -> None:
    """AWS's text about a refusal can name an identity; what it names is left out."""
    text = (
        f"not authorized to perform: sns:Publish on resource: arn:aws:sns:::{ADDRESS} as {ADDRESS}"
    )
    assert ADDRESS not in str(mapped(refusal("AccessDenied", text)))


@pytest.mark.parametrize("code", ["InternalError", "Throttling", "ExpiredToken", "NotFound"])
def test_no_other_text_is_repeated(code: str) -> None:
    """AWS's texts may quote the request."""
    assert ADDRESS not in str(mapped(refusal(code, json.dumps({"about": ADDRESS}))))


@pytest.mark.parametrize(
    "error",
    [
        refusal("ValidationException"),
        refusal("ValidationError"),
        refusal("InvalidParameter"),
        refusal("InvalidParameterValue"),
        refusal("SerializationException"),
        ParamValidationError(report="x"),
        KeyError("x"),
    ],
)
def test_a_fault_of_this_program_stays_what_it_is(error: Exception) -> None:
    """A malformed request stays malformed, so it is no failure of the system."""
    with pytest.raises(type(error)) as caught, failing_as(FailureKind.SNS, "Publish"):
        raise error
    assert caught.value is error


def test_an_invalid_value_is_no_fault_of_this_program_at_sqs() -> None:
    """It says so of a receipt handle that has expired."""
    with pytest.raises(SystemFailure) as caught, failing_as(FailureKind.SQS, "Receive"):
        raise refusal("InvalidParameterValue")
    assert str(caught.value) == "Receive: InvalidParameterValue"
