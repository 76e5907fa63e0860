"""What the tests of the service share."""

from __future__ import annotations

import logging

import pytest

from ses_insights.contracts.names import Service, Variable


@pytest.fixture
def _as_followups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let logs and metrics be those of the function `followups`."""
    monkeypatch.setenv(Variable.SERVICE_NAME, Service.FOLLOW_UPS)
    monkeypatch.delitem(logging.Logger.manager.loggerDict, Service.FOLLOW_UPS, raising=False)
