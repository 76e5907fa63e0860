"""`insights watch` shows the status again and again, also after a failure that passes."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Aws
from tests.support.said import Insights


def test_each_reading_is_a_line_where_there_is_no_terminal(insights: Insights) -> None:
    """As many as were asked for."""
    said = insights("watch", "--every", "0", "--times", "3")
    assert (said.code, said.err) == (0, "")
    assert ["\t0 in the queue\t0 due\t" in line for line in said.out.splitlines()] == [True] * 3


def test_a_program_reads_an_object_a_line(insights: Insights) -> None:
    """The same that `status` gives."""
    said = insights("watch", "--every", "0", "--times", "2", "--json")
    objects = [json.loads(line) for line in said.out.splitlines()]
    assert [each["stack"] for each in objects] == ["SesInsights"] * 2


def test_ctrl_c_is_how_it_ends(insights: Insights, monkeypatch: pytest.MonkeyPatch) -> None:
    """With exit code 0."""

    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ses_insights.cli.commands.watch.time.sleep", interrupted)
    said = insights("watch")
    assert (said.code, len(said.out.splitlines()), said.err) == (0, 1, "")


def test_a_later_failure_is_shown_and_the_next_reading_follows(
    aws: Aws, insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A throttled reading is left out."""
    states = iter(["ThrottlingException", ""])

    def meanwhile(_: float) -> None:
        aws.fails = {"Query": code} if (code := next(states)) else {}

    monkeypatch.setattr("ses_insights.cli.commands.watch.time.sleep", meanwhile)
    said = insights("watch", "--times", "3")
    assert (said.code, len(said.out.splitlines())) == (0, 2)
    assert said.err == "AWS throttles Query: try again in a minute.\n"


@pytest.mark.parametrize("operation", ["DescribeStacks", "Query"])
def test_a_failure_at_the_first_reading_ends_it(
    aws: Aws, insights: Insights, operation: str
) -> None:
    """There is nothing to wait for."""
    aws.fails[operation] = "AccessDeniedException"
    assert insights("watch", "--times", "1").code == 3


def test_wrong_usage_is_refused(insights: Insights) -> None:
    """Zero readings, for example."""
    assert insights("watch", "--times", "0").code == 2
