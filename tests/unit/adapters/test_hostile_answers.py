"""Every kept response, as SES would send it: the answer is read, or SES is to blame."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.adapters import ses
from ses_insights.adapters.ses import SesSource
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.pace import Pace
from ses_insights.domain.record import Answer, Found
from tests.support.fakes import Clock
from tests.support.wire import Network, Reply
from tools.fuzz import KEPT, responses
from tools.fuzz.mutate import ODD

Ask = Callable[[bytes], Answer]


@pytest.fixture(scope="module")
def ask(session: boto3.Session) -> Ask:
    """Asks SES about the message; its answer is a 200 with a body of the test's choice."""
    clock = Clock()
    network = Network(clock)
    source = SesSource(
        client=session.client("sesv2", config=ses.CONFIG),
        pace=Pace(1.0),
        on_call=lambda _: None,
        clock=clock.read,
        wall_clock=clock.read_wall,
        sleep=clock.sleep,
    )
    network.cut(source.client.meta.events)

    def asked(body: bytes) -> Answer:
        network.will(Reply(200, body))
        with source.invocation(300):
            return source.ask(responses.MESSAGE_ID)

    return asked


def check_read_or_blamed_on_ses(ask: Ask, body: bytes) -> None:
    """Hold an answer against what the parser alone makes of it; nothing else may get out."""
    said = responses.parsed(body)
    if said is None or said.keys() <= {"ResponseMetadata"}:
        with pytest.raises(SystemFailure) as caught:
            ask(body)
        assert caught.value.kind is FailureKind.SES_UNAVAILABLE
        return
    answer = ask(body)
    assert isinstance(answer, Found)
    assert answer.insights.message_id == responses.MESSAGE_ID


@pytest.mark.parametrize(
    "path", [pytest.param(path, id=path.name) for path in sorted((KEPT / "responses").iterdir())]
)
def test_a_kept_response_is_read_or_ses_is_to_blame(ask: Ask, path: Path) -> None:
    """A 200 that is no answer is an outage of SES: the message is never parked for it."""
    check_read_or_blamed_on_ses(ask, path.read_bytes())


@pytest.mark.parametrize("field", ["Insights", "EmailTags", "Subject", "MessageId"])
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:12])
def test_a_field_of_another_type_is_read_or_ses_is_to_blame(
    ask: Ask, field: str, odd: object
) -> None:
    """Wherever the parser trips over a type, it is SES's answer that is wrong."""
    check_read_or_blamed_on_ses(ask, json.dumps({field: odd}).encode())


@given(body=st.binary(max_size=40))
def test_any_bytes_are_read_or_ses_is_to_blame(ask: Ask, body: bytes) -> None:
    """No bytes of a 200 raise anything that would park the message."""
    check_read_or_blamed_on_ses(ask, body)
