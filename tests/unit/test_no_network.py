"""Unit tests talk to nobody."""

from __future__ import annotations

import socket

import boto3
import pytest
from botocore.exceptions import HTTPClientError
from pytest_socket import SocketBlockedError

from tests.support.wire import ONCE

# pytest-socket warns before it raises, and a warning is an error here.
pytestmark = pytest.mark.filterwarnings("ignore:A test tried to use socket")


def test_a_unit_test_cannot_open_a_socket() -> None:
    """A test that tries fails at once, and does not wait for an answer."""
    with pytest.raises(SocketBlockedError):
        socket.socket(socket.AF_INET)


def test_a_unit_test_cannot_reach_aws(session: boto3.Session) -> None:
    """A client whose wire nobody cut ends before it asks for an address."""
    with pytest.raises(HTTPClientError, match="A test tried to use socket"):
        session.client("sns", config=ONCE).list_topics()
