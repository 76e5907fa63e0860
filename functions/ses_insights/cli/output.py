"""Printing for people and for programs, and asking for confirmation.

On a terminal with colour; elsewhere plain text in lines of any length. Text of a mail goes through
`clean`: it must neither move the cursor nor look like a line of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import typer
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from ses_insights.cli.errors import WrongUsageError
from ses_insights.contracts.text import one_line
from ses_insights.domain.explanation import Severity
from ses_insights.domain.lanes import Lane
from ses_insights.domain.status import Status
from ses_insights.domain.times import iso

OUT: Final = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
ERR: Final = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

_STYLES: Final[Mapping[str, str]] = {
    Status.COMPLAINT: "bold red",
    Status.PERMANENT_BOUNCE: "red",
    Status.REJECTED: "red",
    Status.RENDERING_FAILURE: "red",
    Status.INVALID: "red",
    Status.TRANSIENT_BOUNCE: "yellow",
    Status.UNDETERMINED_BOUNCE: "yellow",
    Status.DELAYED: "yellow",
    Status.CLICKED: "green",
    Status.OPENED: "green",
    Status.DELIVERED: "green",
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "cyan",
    Severity.INFO: "green",
}
"""The colours of statuses and severities; others have none."""

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR

Cell = str | Text


def echo(line: Cell = "") -> None:
    """Print a line of the result."""
    OUT.print(line)


def echo_err(line: str) -> None:
    """Print a line on standard error: a warning or a failure."""
    ERR.print(line)


def echo_json(value: object) -> None:
    """Print a value as JSON."""
    sys.stdout.write(f"{as_json(value)}\n")


def confirm(question: str, *, yes: bool) -> bool:
    """Ask on the terminal, unless the answer was given beforehand by `yes`.

    Raises `WrongUsageError` where there is no terminal.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise WrongUsageError(f"{question} There is no terminal to ask at: give --yes.")
    return typer.confirm(question, err=True)


def as_json(value: object, *, indent: int | None = 2) -> str:
    """Return a value as JSON; decimals of the table become numbers."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_number)


def _number(value: object) -> int | float:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def clean(text: object) -> str:
    """Return text of a mail as one line without control characters; empty for None."""
    return "" if text is None else one_line(str(text))


def coloured(word: object) -> Text:
    """Return a status or a severity in its colour."""
    text = clean(word)
    return Text(text, _STYLES.get(text, ""))


def columns(rows: Iterable[Sequence[Cell]]) -> list[Text]:
    """Return rows laid out in columns, two blanks apart; nothing is cut."""
    cells = [[each if isinstance(each, Text) else Text(each) for each in row] for row in rows]
    widths = [max(cell_len(cell.plain) for cell in column) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        line = Text()
        for cell, width in zip(row, widths, strict=True):
            line.append_text(cell)
            line.append(" " * (width - cell_len(cell.plain) + 2))
        line.rstrip()
        lines.append(line)
    return lines


def heading(*words: str) -> list[Cell]:
    """Return the first row of a table."""
    return [Text(word, "bold") for word in words]


def span(seconds: float) -> str:
    """Return a time span in its two largest units, for example ``2 h 5 min``."""
    whole = round(seconds)
    for size, name, below, lower in (
        (_DAY, "d", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 1, "s"),
    ):
        if whole >= size:
            rest = whole % size // below
            return f"{whole // size} {name} {rest} {lower}" if rest else f"{whole // size} {name}"
    return f"{whole} s"


def counted(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def to_the_second(moment: datetime) -> str:
    """Return an instant for a person, for example ``2026-11-23T10:00:00Z``."""
    return f"{iso(moment)[:19]}Z"


def lane_name(lane: Lane) -> str:
    """Return the name of a lane for a person: that of its member, for example ``essential``."""
    return lane.name.lower().replace("_", "-")
