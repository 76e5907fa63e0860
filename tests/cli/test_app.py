"""Every command has help with examples, speaks JSON, and stands on the page."""

from __future__ import annotations

import pytest

from local.stack.run import PROJECT
from tests.support.said import Insights

COMMANDS = (
    *("status", "watch", "enqueue", "show", "find", "export", "erase"),
    *("parked", "parked redrive", "parked drop"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_explains_itself(insights: Insights, command: str) -> None:
    """With examples that can be copied, on lines of their own, and --json among its options."""
    said = insights(*command.split(), "--help")
    assert said.code == 0
    assert f"\n    insights {command}" in said.out
    assert "--json " in said.out
    assert "--stack " in said.out


def test_the_list_names_every_command(insights: Insights) -> None:
    """None was forgotten above; the exit codes are told."""
    listed = insights("--help").out.partition("Commands:")[2].split("\n  ")[1:]
    assert {line.split()[0] for line in listed if line.strip() and line[0] != " "} == {
        command.split()[0] for command in COMMANDS
    }
    assert "3 AWS refuses or cannot be reached" in " ".join(insights("--help").out.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_stands_on_the_page(command: str) -> None:
    """As something to type."""
    page = (PROJECT / "docs" / "cli.md").read_text()
    assert f"`insights {command}" in page or f"| insights {command}" in page


def test_without_a_command_it_shows_its_help(insights: Insights) -> None:
    """Wrong usage, and no failure to be wondered at."""
    said = insights()
    assert said.code == 2
    assert "Commands:" in said.out + said.err
