"""SES's wire format: botocore's own model of it, SES's errors, the signature."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Literal

from botocore.loaders import create_loader
from botocore.model import ServiceModel, Shape
from botocore.validate import ParamValidator
from multidict import MultiMapping

from local.ses_stand_in.mail import Payload
from local.ses_stand_in.settings import FaultKind, Operation

MESSAGE_ID = re.compile(
    r"[0-9a-f]{16}-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}-[0-9]{6}", re.IGNORECASE
)

_SIGNED_FOR_SES = re.compile(
    r"AWS4-HMAC-SHA256 Credential=[^/,\s]+/\d{8}/[a-z0-9-]+/ses/aws4_request,"
    r"\s*SignedHeaders=[^,\s]+,\s*Signature=[0-9a-f]{64}"
)


class ShapeError(Exception):
    """A message does not fit botocore's model of the API."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as SES answers it."""

    status: int
    code: str
    message: str

    @property
    def body(self) -> bytes:
        """The JSON that goes over the wire; the code travels in a header."""
        return json.dumps({"message": self.message}).encode()


ACCOUNT = "000000000000"
_VDM_OFF = "To use this feature you must enable Virtual Deliverability Manager"
VDM_OFF: Mapping[int, Refusal] = {
    404: Refusal(404, "NotFoundException", _VDM_OFF),
    400: Refusal(400, "BadRequestException", _VDM_OFF),
}
"""By status: SES says the same sentence with either, for different operations."""

NOT_LISTED = Refusal(
    404, "NotFoundException", "Email address does not exist on your suppression list."
)
INVALID_TOKEN = Refusal(400, "InvalidNextTokenException", "The specified token is invalid.")
UNKNOWN_ID = Refusal(404, "NotFoundException", f"Message ID not found for account {ACCOUNT}")
MALFORMED_ID = Refusal(400, "BadRequestException", "Message ID is not valid")
THROTTLED = Refusal(429, "TooManyRequestsException", "Rate exceeded")
NO_TOKEN = Refusal(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
NO_SUCH_OPERATION = Refusal(404, "UnknownOperationException", "The stand-in has no such operation")

_FAULTS: Mapping[FaultKind, Refusal] = {
    FaultKind.THROTTLED: THROTTLED,
    FaultKind.INTERNAL: Refusal(500, "InternalFailure", "Internal failure"),
    FaultKind.UNAVAILABLE: Refusal(503, "ServiceUnavailableException", "Service unavailable"),
    FaultKind.EXPIRED_CREDENTIALS: Refusal(
        403, "ExpiredTokenException", "The security token included in the request is expired"
    ),
    FaultKind.GONE: NOT_LISTED,
}


def refusal(fault: FaultKind, operation: Operation) -> Refusal | None:
    """The error that a fault answers with; None for a fault that is no error."""
    if fault is FaultKind.ACCESS_DENIED:
        action = f"ses:{operation}"
        return Refusal(
            403,
            "AccessDeniedException",
            f"User: arn:aws:sts::{ACCOUNT}:assumed-role/role/function is not authorized to "
            f"perform: {action} because no identity-based policy allows the {action} action",
        )
    return _FAULTS.get(fault)


def bad_request(message: str) -> Refusal:
    """SES's answer to a request it cannot take."""
    return Refusal(400, "BadRequestException", message)


def signed_for_ses(authorization: str) -> bool:
    """Whether this header carries a Signature Version 4 for SES. The signature is not checked."""
    return _SIGNED_FOR_SES.fullmatch(authorization) is not None


@cache
def model() -> ServiceModel:
    """Read botocore's model of SESv2, once: that takes longer than an answer may."""
    return ServiceModel(create_loader().load_service_model("sesv2", "service-2"), "sesv2")


def check(operation: str, side: Literal["input", "output"], payload: Mapping[str, Any]) -> None:
    """Hold a request or a response against botocore's model of the API.

    It checks names, types and least lengths, but not enumerations: so an event type that SES
    adds later passes, as it passes a real client.

    Raises ShapeError.
    """
    shapes = model().operation_model(operation)
    shape = shapes.input_shape if side == "input" else shapes.output_shape
    if shape is None:
        raise ShapeError(f"{operation} has no {side}")
    errors = ParamValidator().validate(payload, shape)
    if errors.has_errors():
        raise ShapeError(f"{operation} {side}: {errors.generate_report()}")


def read_query(operation: str, query: MultiMapping[str]) -> Payload:
    """The parameters that a request carries in its query string.

    Raises ShapeError.
    """
    shape = model().operation_model(operation).input_shape
    members = {} if shape is None else shape.members
    try:
        parameters = {
            name: _read(member, query.getall(member.serialization["name"]))
            for name, member in members.items()
            if member.serialization.get("location") == "querystring"
            and member.serialization["name"] in query
        }
    except ValueError as error:
        raise ShapeError(f"{operation} input: {error}") from error
    check(operation, "input", parameters)
    return parameters


def _read(shape: Shape, values: list[str]) -> Any:
    match shape.type_name:
        case "list":
            return values
        case "integer":
            return int(values[0])
        case "timestamp":
            # https://smithy.io/2.0/spec/protocol-traits.html: ISO 8601 in a query string
            return datetime.fromisoformat(values[0])
    return values[0]


def encode(operation: str, payload: Payload) -> bytes:
    """A successful response as it goes over the wire.

    Raises ShapeError.
    """
    check(operation, "output", payload)
    return json.dumps(payload, default=_epoch).encode()


def _epoch(value: object) -> float:
    """The protocol (rest-json) writes times as seconds since 1970, to the millisecond."""
    if isinstance(value, datetime):
        return round(value.timestamp(), 3)
    raise TypeError(f"{type(value).__name__} has no place in a response")
