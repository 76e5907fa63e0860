"""`insights doctor`: everything that a deployment can get wrong, asked of AWS itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Final

import typer
from rich.text import Text

from ses_insights.cli.checks import Check
from ses_insights.cli.errors import EXPECTED, NOTHING, CliError, sentence
from ses_insights.cli.examine import Examination
from ses_insights.cli.options import Json, deployment_of
from ses_insights.cli.output import Cell, at_terminal, clean, columns, echo, echo_err, echo_json

_WORDS: Final = {True: ("ok", "green"), False: ("wrong", "bold red"), None: ("unknown", "yellow")}


def command(ctx: typer.Context, as_json: Json = False) -> None:
    """Check what a deployment can get wrong, and say what to do.

    It asks AWS itself and changes nothing. What cannot be asked, for want of permission or because
    nothing can be told yet, is unknown and never passed. Exit code 1: something is wrong.

    \b
    Examples:
      insights doctor
      insights doctor --json
    """
    found = list(examine(ctx))
    if as_json:
        echo_json([asdict(each) for each in found])
    else:
        for line in lines(found):
            echo(line)
        echo_err(total(found))
    if any(each.ok is False for each in found):
        raise typer.Exit(NOTHING)


def examine(ctx: typer.Context) -> Iterator[Check]:
    """Return all checks; where the stack cannot be found, that one alone."""
    try:
        deployment = deployment_of(ctx)
    except EXPECTED as error:
        name = "stack" if isinstance(error, CliError) else "credentials"
        yield Check(
            name,
            ok=False,
            found=sentence(error),
            remedy="Nothing else can be checked without it. docs/first-hour.md begins here.",
        )
        return
    yield from Examination(deployment).run()


def lines(found: Sequence[Check]) -> list[Text]:
    """Return checks, one a line; at a terminal with the remedy below what is wrong."""
    rows: list[list[Cell]] = []
    for each in found:
        word, style = _WORDS[each.ok]
        row: list[Cell] = [Text(word, style), each.check, clean(each.found)]
        if not at_terminal():
            rows.append([*row, clean(each.remedy)])
            continue
        rows.append(row)
        if each.remedy:
            rows.append(["", "", Text(clean(each.remedy), "bold" if each.ok is False else "")])
    return columns(rows)


def total(found: Sequence[Check]) -> str:
    """Count the checks by their verdict."""
    counts = Counter(each.ok for each in found)
    return f"{counts[True]} ok, {counts[False]} wrong, {counts[None]} unknown."
