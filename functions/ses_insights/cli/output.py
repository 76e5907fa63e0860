"""Writing for people and for programs.

On a terminal with colour; elsewhere plain text, and lines as long as they are. Whatever comes from
a mail goes through `clean`: it must not move the cursor, nor pretend to be a line of its own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from ses_insights.contracts.text import one_line
from ses_insights.domain.times import iso

OUT: Final = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
ERR: Final = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

STYLES: Final[Mapping[str, str]] = {
    "COMPLAINT": "bold red",
    "PERMANENT_BOUNCE": "red",
    "REJECTED": "red",
    "RENDERING_FAILURE": "red",
    "INVALID": "red",
    "TRANSIENT_BOUNCE": "yellow",
    "UNDETERMINED_BOUNCE": "yellow",
    "DELAYED": "yellow",
    "CLICKED": "green",
    "OPENED": "green",
    "DELIVERED": "green",
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "cyan",
    "info": "green",
}
"""Colours of statuses and severities; others have none."""

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR

Cell = str | Text


def echo(line: Cell = "") -> None:
    """Print a line of the answer."""
    OUT.print(line)


def echo_err(line: str) -> None:
    """Print a line that is not part of the answer: a warning, a question, a failure."""
    ERR.print(line)


def echo_json(value: object) -> None:
    """Print a value as JSON."""
    sys.stdout.write(f"{as_json(value)}\n")


def as_json(value: object, *, indent: int | None = 2) -> str:
    """Write a value as JSON; numbers of the table are numbers."""
    return json.dumps(value, ensure_ascii=False, indent=indent, default=_number)


def _number(value: object) -> int | float:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} has no place in the answer")


def clean(text: object) -> str:
    """Make text of a mail one line without signs that steer a terminal; empty for None."""
    return "" if text is None else one_line(str(text))


def coloured(word: object) -> Text:
    """Give a status or a severity its colour."""
    text = clean(word)
    return Text(text, STYLES.get(text, ""))


def columns(rows: Iterable[Sequence[Cell]]) -> list[Text]:
    """Lay rows out in columns, two blanks apart; nothing is cut."""
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
    """Make the first row of a table."""
    return [Text(word, "bold") for word in words]


def span(seconds: float) -> str:
    """Write a time span in its two largest units, for example ``2 h 5 min``."""
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
    """Write a number with its noun."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def to_the_second(moment: datetime) -> str:
    """Write an instant for a person, for example ``2026-11-23T10:00:00Z``."""
    return f"{iso(moment)[:19]}Z"
