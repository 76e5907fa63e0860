"""A probe: AWS calls, made with the rights of a role, that show which of them the role may do.

This file is also the whole code of the function in which the calls are made. So it imports boto3
and nothing of the project.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import boto3
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

REFUSALS: Final = frozenset(
    {
        *("AccessDenied", "AccessDeniedException", "AuthorizationError"),
        *("MissingAuthenticationToken", "MissingAuthenticationTokenException"),
    }
)
"""The codes by which AWS's services refuse a caller whom they know, and one whom they do not."""

NAME: Final = "probe"


class Call(NamedTuple):
    """One AWS call."""

    service: str
    operation: str
    """As the client's method is named."""
    parameters: Mapping[str, Any]


Clients = Callable[[str], Any]
"""Makes the client of a service."""


def allowed(clients: Clients, calls: Mapping[str, Call]) -> set[str]:
    """Make the calls one after the other; returns the names of those that were not refused.

    An error of another kind counts as allowed: AWS asks IAM before it looks at a request.
    """
    return {name for name, call in calls.items() if _answer(clients, call) not in REFUSALS}


def allowed_to(role_arn: str, functions: LambdaClient, calls: Mapping[str, Call]) -> set[str]:
    """Do as `allowed` from inside a function that is made for it and runs with the role.

    The emulator lets a function run with any role, whatever service its trust policy names.
    Raises RuntimeError where the function fails.
    """
    functions.create_function(
        FunctionName=NAME,
        Role=role_arn,
        Runtime="python3.11",
        Handler="probe.handler",
        Code={"ZipFile": _this_file()},
        Timeout=60,
    )
    try:
        answer = functions.invoke(FunctionName=NAME, Payload=json.dumps(calls))
        names = json.load(answer["Payload"])
    finally:
        functions.delete_function(FunctionName=NAME)
    if "FunctionError" in answer:
        raise RuntimeError(f"the probe failed: {names}")
    return set(names)


def handler(event: Mapping[str, list[Any]], context: object) -> list[str]:
    """Make the calls of the event; all services are the emulator's, that of SES, too."""
    del context
    clients = partial(boto3.client, endpoint_url=os.environ["AWS_ENDPOINT_URL"])
    return sorted(allowed(clients, {name: Call(*call) for name, call in event.items()}))


def _answer(clients: Clients, call: Call) -> str:
    """Make one call; returns the code of its error, empty where there is none."""
    try:
        getattr(clients(call.service), call.operation)(**call.parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return ""


def _this_file() -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.write(Path(__file__), "probe.py")
    return package.getvalue()
