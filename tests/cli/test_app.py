"""Every command has help with examples, prints JSON, and is on the page."""

from __future__ import annotations

import re
from importlib.metadata import version

import pytest

from local.stack.run import PROJECT
from tests.cli.conftest import Aws
from tests.support.said import Insights

COMMANDS = (
    *("status", "watch", "enqueue", "show", "find", "alerts", "explain", "export"),
    *("erase", "doctor", "web"),
    *("parked", "parked redrive", "parked drop"),
)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_has_help(insights: Insights, command: str) -> None:
    """With examples to copy, on lines of their own, and --json among its options; also by -h."""
    said = insights(*command.split(), "--help")
    assert said.code == 0
    assert insights(*command.split(), "-h") == said
    assert f"\n    insights {command}" in said.out
    assert "--json " in said.out
    assert ("--stack " in said.out) is (command != "explain")


def test_the_list_names_every_command(insights: Insights) -> None:
    """It is the list above, each with its whole first sentence, and the exit codes."""
    listed = insights("--help").out.partition("Commands:")[2].split("\n  ")[1:]
    assert {line.split()[0] for line in listed if line.strip() and line[0] != " "} == {
        command.split()[0] for command in COMMANDS
    }
    assert "..." not in insights("--help").out.partition("Commands:")[2]
    assert insights("-h") == insights("--help")
    assert "3 AWS refuses the request" in " ".join(insights("--help").out.split())


def test_it_shows_its_version(insights: Insights) -> None:
    """That of the installed package."""
    said = insights("--version")
    assert (said.code, said.err) == (0, "")
    assert said.out == f"insights {version('ses-insights')}\n"


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_on_the_page(command: str) -> None:
    """As something to type."""
    page = (PROJECT / "docs" / "cli.md").read_text()
    assert f"`insights {command}" in page or f"| insights {command}" in page


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("alerts --severity urgent", "'urgent' is not one of 'critical', 'high', "),
        ("alerts --limit few", "'--limit': it takes a whole number\n"),
        ("alerts --limit 1.5", "'--limit': it takes a whole number\n"),
        ("watch --every often", "'--every': it takes a number\n"),
        ("watch --every inf", "'--every': it has to be less than or equal to 86400\n"),
        ("watch --every nan", "'--every': it has to be "),
        ("web --port 70000", "'--port': it has to be less than or equal to 65535\n"),
    ],
)
def test_a_wrong_value_is_told_in_plain_words(
    insights: Insights, arguments: str, says: str
) -> None:
    """Those of the library that reads it do not reach a person."""
    said = insights(*arguments.split())
    assert (said.code, said.out) == (2, "")
    assert says in said.err
    assert not re.search("Value error|Input should|unable to parse| valid ", said.err)


def test_without_a_command_it_shows_its_help(insights: Insights) -> None:
    """That is wrong usage: exit code 2."""
    said = insights()
    assert said.code == 2
    assert "Commands:" in said.out + said.err


WHERE = ("--stack", "Elsewhere", "--region", "eu-west-3", "--profile", "work")


@pytest.mark.parametrize(
    "arguments",
    [
        (*WHERE, "find"),
        ("find", *WHERE),
        (*WHERE, "parked", "drop"),
        ("parked", *WHERE, "drop"),
        ("parked", "drop", *WHERE),
        ("--stack", "Other", *WHERE[2:], "find", "--stack", "Elsewhere"),
    ],
)
def test_the_stack_is_named_before_or_after_the_command(
    aws: Aws, insights: Insights, arguments: tuple[str, ...]
) -> None:
    """What stands closest to the command counts."""
    assert insights(*arguments).code == 3
    assert aws.asked == [("Elsewhere", "eu-west-3", "work")]


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("parked", "drop", "--reason", "", "--yes"), "--reason"),
        (("parked", "--reason", ""), "--reason"),
        (("parked", "redrive", "--stack=", "--yes"), "--stack"),
        (("--stack", "", "erase", "anna@there.example", "--yes"), "--stack"),
        (("--region", "", "status"), "--region"),
        (("find", "--day", ""), "--day"),
        (("find", "--to", ""), "--to"),
        (("alerts", "--since", ""), "--since"),
        (("export", "--from", "today", "--recipient", ""), "--recipient"),
    ],
)
def test_an_empty_option_is_wrong_usage(
    aws: Aws, insights: Insights, arguments: tuple[str, ...], option: str
) -> None:
    """As of a variable that is not set: left out, it would mean all, or another stack."""
    said = insights(*arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith(f"{option} is empty: give a")
    assert aws.asked == []


def test_a_variable_names_the_stack(
    aws: Aws, insights: Insights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An option is stronger."""
    monkeypatch.setenv("SES_INSIGHTS_STACK", "Elsewhere")
    insights("find")
    insights("--stack", "SesInsights", "find")
    assert [stack for stack, *_ in aws.asked] == ["Elsewhere", "SesInsights"]


@pytest.mark.parametrize(
    "command", [(), ("status",), ("parked",), ("parked", "drop"), ("explain",)]
)
def test_the_version_is_shown_after_a_command_too(
    insights: Insights, command: tuple[str, ...]
) -> None:
    """AWS is not asked."""
    assert insights(*command, "--version").out == f"insights {version('ses-insights')}\n"
