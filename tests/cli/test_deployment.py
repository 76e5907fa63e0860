"""The deployed stack is found by its name, and has to be one of this service."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Aws
from tests.support.said import Insights


def test_a_missing_stack_is_an_error(insights: Insights) -> None:
    """The sentence names the Region that was searched, and how to name another."""
    said = insights("status", "--stack", "Other")
    assert (said.code, said.out) == (3, "")
    assert said.err.startswith("There is no stack Other in eu-west-1 of this account: name it")


def test_a_stack_of_something_else_is_an_error(aws: Aws, insights: Insights) -> None:
    """It lacks the outputs of this service."""
    aws.stacks["Shop"] = {"TableName": "Orders"}
    said = insights("status", "--stack", "Shop")
    assert said.code == 3
    assert said.err.startswith("The stack Shop has no output DeadLetterQueueUrl")


def test_the_stack_can_be_named_by_the_environment(
    insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To name it once for many commands."""
    monkeypatch.setenv("SES_INSIGHTS_STACK", "Elsewhere")
    assert "no stack Elsewhere" in insights("status").err
