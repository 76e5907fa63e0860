"""The suppression list is asked once a second an operation, and read as SES writes it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from ses_insights.adapters.suppression_list import CONFIG, SesSuppressionList
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.listing import Feedback
from ses_insights.domain.suppression import Entry, Page, Suppressed
from tests.support.fakes import START, Clock
from tests.support.samples import BOUNCES, MESSAGE_ID
from tests.support.wire import GARBLED, THROTTLED, Network, Reply, ses_error

ALL = "before-send.sesv2"
PERIOD = 1.0
"""Seconds from one call of an operation to the next."""
AT = START + timedelta(milliseconds=364)
NOT_LISTED = ses_error(404, "NotFoundException", f"Email address {BOUNCES} does not exist")
Call = Callable[[SesSuppressionList], object]


def ok(**fields: object) -> Reply:
    """An answer of SES."""
    return Reply(200, json.dumps(fields).encode(), {"Content-Type": "application/json"})


def entry(address: str = BOUNCES, reason: str = "BOUNCE") -> dict[str, object]:
    """An address as SES writes it."""
    return {"EmailAddress": address, "Reason": reason, "LastUpdateTime": AT.timestamp()}


def page(*entries: dict[str, object], **more: object) -> Reply:
    """A page of the list."""
    return ok(SuppressedDestinationSummaries=list(entries), **more)


def detail(reason: str = "BOUNCE", **more: object) -> Reply:
    """What SES says of one address."""
    return ok(SuppressedDestination=entry(reason=reason) | more)


WITH_ID = detail(Attributes={"MessageId": MESSAGE_ID, "FeedbackId": "f"})


@pytest.fixture
def network(clock: Clock) -> Network:
    """The end of the wire."""
    return Network(clock)


@pytest.fixture
def source(session: boto3.Session, clock: Clock, network: Network) -> SesSuppressionList:
    """The real adapter at the end of a cut wire."""
    client = session.client("sesv2", region_name="eu-west-1", config=CONFIG)
    network.cut(client.meta.events, ALL)
    return SesSuppressionList(client, clock=clock.read, sleep=clock.sleep)


def first_page(source: SesSuppressionList) -> Page:
    """Read a page."""
    return source.page(since=START, until=None, token=None)


def asked(network: Network) -> dict[str, list[str]]:
    """The query of the last request."""
    return parse_qs(urlsplit(str(network.requests[-1].url)).query)


CALLS: list[tuple[str, Call, Reply]] = [
    ("ListSuppressedDestinations", first_page, page()),
    ("GetSuppressedDestination", lambda source: source.look_up(BOUNCES), WITH_ID),
    ("GetAccount", lambda source: source.reasons_off(), ok()),
]
BY_NAME = [pytest.param(call, reply, id=name) for name, call, reply in CALLS]


# The pace


@pytest.mark.parametrize(("call", "reply"), BY_NAME)
@pytest.mark.parametrize("latency", [0.0, 0.05, 0.9, 4.0])
def test_an_operation_is_called_once_a_second(
    source: SesSuppressionList, network: Network, call: Call, reply: Reply, latency: float
) -> None:
    """A second after the last answer: however long a request travels, no two arrive within one."""
    network.latency = latency
    network.will(reply)
    for _ in range(5):
        call(source)
    assert network.gaps == pytest.approx([PERIOD + latency] * 4)


@pytest.mark.parametrize(("call", "reply"), BY_NAME)
@pytest.mark.parametrize(
    "trouble",
    [
        THROTTLED,
        ses_error(500, "InternalServiceErrorException"),
        ReadTimeoutError(endpoint_url="https://ses"),
        ConnectTimeoutError(endpoint_url="https://ses"),
        EndpointConnectionError(endpoint_url="https://ses"),
    ],
    ids=["429", "500", "read", "connect", "network"],
)
def test_a_failed_call_is_not_repeated_and_keeps_the_pace(
    source: SesSuppressionList,
    network: Network,
    call: Call,
    reply: Reply,
    trouble: Reply | BaseException,
) -> None:
    """Neither by the SDK nor here; what failed may have arrived."""
    network.will(trouble, reply)
    with pytest.raises(SystemFailure):
        call(source)
    assert len(network.requests) == 1
    call(source)
    assert network.gaps[0] >= PERIOD


def test_ses_has_four_seconds() -> None:
    """One for the connection and three for the answer; `followups` runs every minute."""
    settings = vars(CONFIG)
    assert (settings["connect_timeout"], settings["read_timeout"]) == (1, 3)


def test_operations_have_a_limit_of_their_own(
    source: SesSuppressionList, network: Network, clock: Clock
) -> None:
    """A look-up follows a page at once."""
    network.will(page(), WITH_ID)
    first_page(source)
    source.look_up(BOUNCES)
    assert clock.slept == []


# What is asked


def test_a_page_is_asked_for_from_a_second_earlier(
    source: SesSuppressionList, network: Network
) -> None:
    """In whole seconds: "after a specific date", and nobody knows how exact."""
    network.will(page())
    source.page(since=START + timedelta(milliseconds=700), until=None, token=None)
    assert asked(network) == {
        "StartDate": ["2026-11-23T09:59:59Z"],
        "PageSize": ["1000"],
    }


def test_an_end_and_a_token_are_passed_on(source: SesSuppressionList, network: Network) -> None:
    """The end a second later, in whole seconds."""
    network.will(page())
    source.page(since=START, until=START + timedelta(minutes=1), token="t/1+=")  # noqa: S106 - of a page
    query = asked(network)
    assert (query["EndDate"], query["NextToken"]) == (["2026-11-23T10:01:01Z"], ["t/1+="])


# What is read


def test_entries_and_the_token_are_read(source: SesSuppressionList, network: Network) -> None:
    """Times to the millisecond."""
    network.will(page(entry(), entry("b@x.example", "COMPLAINT"), NextToken="more"))
    assert first_page(source) == Page((Entry(BOUNCES, AT), Entry("b@x.example", AT)), "more")


@pytest.mark.parametrize("reply", [page(), ok()], ids=["no entries", "no list of entries"])
def test_an_empty_page_is_the_last_one(
    source: SesSuppressionList, network: Network, reply: Reply
) -> None:
    """Without a token there is no other."""
    network.will(reply)
    assert first_page(source) == Page((), None)


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (WITH_ID, Suppressed(MESSAGE_ID, Feedback.BOUNCE, AT)),
        (detail("COMPLAINT"), Suppressed(None, Feedback.COMPLAINT, AT)),
        (detail(Attributes={}), Suppressed(None, Feedback.BOUNCE, AT)),
        (detail("SPAM"), Suppressed(None, None, AT)),
        (NOT_LISTED, None),
    ],
    ids=["with id", "by hand", "without attributes", "new reason", "gone"],
)
def test_what_is_said_of_an_address_is_read(
    source: SesSuppressionList, network: Network, reply: Reply, found: Suppressed | None
) -> None:
    """With its message, or without one; or it is listed no more."""
    network.will(reply)
    assert source.look_up(BOUNCES) == found


@pytest.mark.parametrize(
    ("attributes", "off"),
    [
        ({"SuppressedReasons": ["BOUNCE", "COMPLAINT"]}, set()),
        ({"SuppressedReasons": ["BOUNCE"]}, {Feedback.COMPLAINT}),
        ({"SuppressedReasons": []}, set(Feedback)),
        ({}, set(Feedback)),
    ],
)
def test_the_reasons_that_are_off_are_those_that_are_not_on(
    source: SesSuppressionList, network: Network, attributes: Any, off: set[Feedback]
) -> None:
    """SES names those that are on."""
    network.will(ok(SuppressionAttributes=attributes))
    assert source.reasons_off() == off


# Failures


@pytest.mark.parametrize("call", [each for _, each, _ in CALLS])
@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (THROTTLED, FailureKind.SES_THROTTLED),
        (ses_error(400, "ThrottlingException"), FailureKind.SES_THROTTLED),
        (ses_error(500, "InternalServiceErrorException"), FailureKind.SES_UNAVAILABLE),
        (ses_error(403, "ExpiredTokenException"), FailureKind.CREDENTIALS),
        *((garbled, FailureKind.SES_UNAVAILABLE) for garbled in GARBLED if garbled.status == 200),
    ],
)
def test_a_refusal_is_a_failure_of_its_kind(
    source: SesSuppressionList,
    network: Network,
    call: Call,
    trouble: Reply,
    kind: FailureKind,
) -> None:
    """It says nothing of an address, and its text names none."""
    network.will(trouble)
    with pytest.raises(SystemFailure) as failed:
        call(source)
    assert failed.value.kind is kind
    assert BOUNCES not in str(failed.value)


@pytest.mark.parametrize(("operation", "call"), [each[:2] for each in CALLS])
def test_a_refusal_is_named(
    source: SesSuppressionList, network: Network, operation: str, call: Call
) -> None:
    """By operation and code."""
    network.will(ses_error(500, "InternalServerErrorException"))
    with pytest.raises(SystemFailure) as failed:
        call(source)
    assert str(failed.value) == f"{operation}: InternalServerErrorException"


@pytest.mark.parametrize("call", [each for _, each, _ in CALLS])
def test_a_malformed_request_is_a_fault_of_this_program(
    source: SesSuppressionList, network: Network, call: Call
) -> None:
    """It stays what it is: waiting does not help."""
    network.will(ses_error(400, "ValidationException"))
    with pytest.raises(ClientError):
        call(source)


def test_a_missing_permission_names_the_action(
    source: SesSuppressionList, network: Network
) -> None:
    """As IAM writes it."""
    text = "User: arn:x is not authorized to perform: ses:ListSuppressedDestinations on resource: *"
    network.will(ses_error(403, "AccessDeniedException", text))
    with pytest.raises(SystemFailure, match="ses:ListSuppressedDestinations") as failed:
        first_page(source)
    assert failed.value.kind is FailureKind.ACCESS_DENIED


def test_an_answer_without_the_address_is_no_answer(
    source: SesSuppressionList, network: Network
) -> None:
    """The address is asked for again by the next run."""
    network.will(ok())
    with pytest.raises(SystemFailure) as failed:
        source.look_up(BOUNCES)
    assert failed.value.kind is FailureKind.SES_UNAVAILABLE
    assert str(failed.value) == "GetSuppressedDestination: an answer without one"


def test_an_address_that_ses_refuses_is_no_failure_of_the_system(
    source: SesSuppressionList, network: Network
) -> None:
    """The next one may pass."""
    network.will(ses_error(400, "BadRequestException", "Invalid email address"))
    with pytest.raises(Exception, match="BadRequest") as failed:
        source.look_up(BOUNCES)
    assert not isinstance(failed.value, SystemFailure)


def test_times_are_instants(source: SesSuppressionList, network: Network) -> None:
    """Comparable with the clock of the function."""
    network.will(page(entry()))
    (only,) = first_page(source).entries
    assert only.listed_at == datetime(2026, 11, 23, 10, 0, 0, 364000, tzinfo=UTC)
