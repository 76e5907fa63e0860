"""One stand-in under a clock that tests move, and a real boto3 client that talks to it."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore.config import Config

from local.ses_stand_in.control import Control
from local.ses_stand_in.settings import Settings
from tests.support.stand_in import ManualClock, stand_in_thread

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

SEED = 7
START = datetime(2026, 11, 23, 10, 0, 0, 123456, tzinfo=UTC)


@pytest.fixture(scope="session")
def clock() -> ManualClock:
    """The stand-in's clocks."""
    return ManualClock(START)


@pytest.fixture(scope="session")
def url(clock: ManualClock) -> Iterator[str]:
    """Where a stand-in is without latency and without a rate limit, until a test asks for them."""
    settings = Settings(period_seconds=0, latency_ms=(0, 0))
    with stand_in_thread(settings, clock, seed=SEED) as url:
        yield url


@pytest.fixture
def control(url: str, clock: ManualClock) -> Control:
    """The stand-in's control, everything back at its start, the clock as well."""
    control = Control(url)
    control.reset()
    clock.rewind()
    return control


def new_client(url: str, read_timeout: float) -> "SESV2Client":
    """Make a client of the URL, with the credentials of tests/conftest.py."""
    return boto3.client(
        "sesv2",
        endpoint_url=url,
        config=Config(
            proxies={},
            read_timeout=read_timeout,
            retries={"total_max_attempts": 1, "mode": "standard"},
        ),
    )


@pytest.fixture(scope="session")
def session_client(url: str) -> "SESV2Client":
    """The client, made once: that is what takes time."""
    return new_client(url, read_timeout=20)


@pytest.fixture
def client(session_client: "SESV2Client", control: Control) -> "SESV2Client":
    """A boto3 client of a stand-in that is at its start."""
    assert not control.calls()
    return session_client


@pytest.fixture
def impatient_client(url: str, control: Control) -> "SESV2Client":
    """The same, but it waits a moment only."""
    assert not control.calls()
    return new_client(url, read_timeout=0.2)


@pytest.fixture
def send(client: "SESV2Client") -> Callable[..., str]:
    """Sends a mail to these addresses and returns its id."""

    def send(*recipients: str) -> str:
        return client.send_email(
            FromEmailAddress="Shop <news@shop.example>",
            Destination={"ToAddresses": list(recipients)},
            Content={"Simple": {"Subject": {"Data": "Spring"}, "Body": {"Text": {"Data": "Hi"}}}},
            EmailTags=[{"Name": "campaign", "Value": "spring"}],
            ConfigurationSetName="main",
        )["MessageId"]

    return send
