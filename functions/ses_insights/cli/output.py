"""Printing for people and for programs, and asking for confirmation.

On a terminal tables have colour, headings and its width. In a pipe a record is a line, its fields
stand between tabs, and nothing is cut, padded or put above them. Text of a mail goes through
`clean`: it must neither move the cursor nor look like a line of its own.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, NoReturn

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


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Leave it to `__main__`, which ends the program as a closed pipe does."""
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


OUT: Final = _Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
ERR: Final = _Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

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

_NOT_PLAIN: Final = re.compile(r"[^\n -~]")

_MILLISECONDS: Final = re.compile(r"(?<=:[0-9]{2})\.[0-9]+(?=Z)")

_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR

Cell = str | Text


def echo(line: Cell = "") -> None:
    """Print a line of the result."""
    if at_terminal():
        OUT.print(line)
    else:  # Rich would write blanks for a tab
        sys.stdout.write(f"{line.plain if isinstance(line, Text) else line}\n")


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
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=_number)
    return _NOT_PLAIN.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    """Escape what steers a terminal or the direction of text, and JSON does not escape."""
    steers = unicodedata.category(found[0]) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return json.dumps(found[0])[1:-1] if steers else found[0]


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


def moment_of(text: object) -> str:
    """Return an instant of the table; for a person to the second."""
    written = clean(text)
    return _MILLISECONDS.sub("", written) if at_terminal() else written


def time_of(text: object) -> Text:
    """Return an instant as a cell that is never cut."""
    return Text(moment_of(text), no_wrap=True)


def at_terminal() -> bool:
    """Whether the result goes to a terminal."""
    return sys.stdout.isatty()


def table(head: Sequence[str], rows: Iterable[Sequence[Cell]]) -> list[Text]:
    """Return rows in columns below a heading; in a pipe the rows alone."""
    found = list(rows)
    if not found or not at_terminal():
        return columns(found)
    return columns([[Text(word, "bold") for word in head], *found])


def columns(rows: Iterable[Sequence[Cell]]) -> list[Text]:
    """Return rows laid out in columns for the terminal; in a pipe with a tab between two cells."""
    cells = [[each if isinstance(each, Text) else Text(each) for each in row] for row in rows]
    if at_terminal():
        return fitted(cells, shutil.get_terminal_size().columns)
    return [Text("\t".join(cell.plain for cell in row)) for row in cells]


def fitted(rows: Sequence[Sequence[Text]], width: int) -> list[Text]:
    """Return rows laid out in columns, two blanks apart, in lines of a width.

    Where they are too wide, the last column goes over several lines; where its words, ids among
    them, would not fit even so, it gets lines of its own. Only then are other columns cut.
    """
    if not rows:
        return []
    *first, last = zip(*rows, strict=True)
    widths = [_widest(column) for column in first]
    left = width - sum(widths) - _GAP * len(widths)
    longest = max(cell_len(word) for cell in last for word in cell.plain.split() or [""])
    is_apart = left < min(_widest(last), max(longest, _NARROWEST))
    if is_apart:
        _shrink(widths, width, [any(cell.no_wrap for cell in column) for column in first])
        left = width - _GAP
    lines: list[Text] = []
    for *cells, end in rows:
        line = Text()
        for cell, wide in zip(cells, widths, strict=True):
            shown = cell.copy()
            shown.truncate(wide, overflow="ellipsis")
            line.append_text(shown)
            line.append(" " * (wide - cell_len(shown.plain) + _GAP))
        indent = _GAP if is_apart else sum(widths) + _GAP * len(widths)
        folded = list(end.wrap(OUT, max(left, 1), overflow="fold")) if end.plain else []
        if not is_apart and folded:
            line.append_text(folded.pop(0))
        lines += [line, *(Text(" " * indent).append_text(more) for more in folded)]
    for line in lines:
        line.rstrip()
    return lines


_GAP: Final = 2
"""Blanks between two columns."""
_NARROWEST: Final = 16
"""Cells that a column needs to be read."""


def _widest(column: Sequence[Text]) -> int:
    return max(cell_len(cell.plain) for cell in column)


def _shrink(widths: list[int], width: int, whole: Sequence[bool]) -> None:
    """Make the widest columns narrower until all fit, as far as they can still be read."""
    cut = [number for number, keep in enumerate(whole) if not keep]
    while sum(widths) + _GAP * len(widths) > width and cut:
        widest = max(cut, key=widths.__getitem__)
        if widths[widest] <= _NARROWEST:
            return
        widths[widest] -= 1


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
