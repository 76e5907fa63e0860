"""What the unit tests share: no sockets, clients without a network, and AWS in memory."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import boto3
import pytest
from aws_lambda_powertools import Metrics
from moto import mock_aws

from ses_insights.contracts.names import METRIC_NAMESPACE, Service, Variable
from tests.support.fakes import Clock, Table
from tests.support.harness import Harness, Output
from tests.support.tables import make_table
from tests.support.wire import ONCE

SERVICE = Service.LOOKUP


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """No unit test reaches a network, whatever options pytest is started with."""


@pytest.fixture(autouse=True)
def _powertools(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give every test what the stack sets, and a logger and metrics that nothing wrote to."""
    monkeypatch.setenv(Variable.SERVICE_NAME, SERVICE)
    monkeypatch.setenv(Variable.METRICS_NAMESPACE, METRIC_NAMESPACE)
    monkeypatch.setenv(Variable.LOG_LEVEL, "INFO")
    # Powertools keeps the first stream a logger was made with, which is that of another test.
    monkeypatch.delitem(logging.Logger.manager.loggerDict, SERVICE, raising=False)
    Metrics().clear_metrics()
    yield
    Metrics().clear_metrics()


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """One session for all: loading the service models is what takes time."""
    return boto3.Session()


@pytest.fixture
def _cloud() -> Iterator[None]:
    """AWS in memory, but for SES, of whose insights moto knows nothing."""
    with mock_aws(config={"core": {"passthrough": {"services": ["sesv2"]}}}):
        yield


@pytest.fixture
def table(session: boto3.Session, _cloud: None) -> Table:
    """The table, empty."""
    client = session.client("dynamodb", config=ONCE)
    make_table(client, "Insights")
    return Table(client, "Insights")


@pytest.fixture
def harness() -> Harness:
    """The service, in which everything works."""
    return Harness()


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Callable[[], Output]:
    """Reads what was written since the last reading."""
    return lambda: Output(capsys.readouterr().out)
