"""Message ids from arguments, lines and CSV files, checked before anything is sent. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from ses_insights.cli.errors import WrongUsageError
from ses_insights.contracts.queue_message import BodyError, read_body


@dataclass(frozen=True, slots=True)
class Entry:
    """A text that should hold an id, and its place in the input."""

    place: str
    """For a person, for example ``line 7``."""
    text: str


@dataclass(frozen=True, slots=True)
class Bad:
    """An entry without an id."""

    place: str
    why: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The ids of the input, each once and in order, and the entries without one."""

    ids: Mapping[str, bool]
    """Whether a look is forced, by id."""
    bad: tuple[Bad, ...]
    twice: int
    """How many ids were given more than once; they are sent once."""


def of_arguments(texts: Iterable[str]) -> Iterator[Entry]:
    """Return an entry for each argument."""
    return (Entry(f"argument {number}", text) for number, text in enumerate(texts, start=1))


def of_lines(lines: Iterable[str]) -> Iterator[Entry]:
    """Return an entry for each line that is not empty."""
    numbered = enumerate(lines, start=1)
    return (Entry(f"line {number}", text) for number, text in numbered if text.strip())


def of_column(lines: Iterable[str], column: str) -> Iterator[Entry]:
    """Return an entry for each row of a CSV file with headings. Raises `WrongUsageError`."""
    rest = iter(lines)
    first = next(rest, "")
    reader = csv.DictReader(chain([first], rest), delimiter=_delimiter(first, column))
    try:
        names = reader.fieldnames or []
        if column not in names:
            columns = ", ".join(names) or "no columns"
            raise WrongUsageError(f"The CSV has no column {column}; it has {columns}.")
        for row in reader:
            yield Entry(f"line {reader.line_num}", row[column] or "")
    except csv.Error as error:
        line = reader.line_num + 1
        raise WrongUsageError(f"Line {line} of the CSV cannot be read: {error}.") from None


def _delimiter(first: str, column: str) -> str:
    """Return the delimiter of a CSV file: spreadsheets write the one of their country."""
    for delimiter in ",;\t":
        if column in next(csv.reader([first], delimiter=delimiter), []):
            return delimiter
    return ","


def check(entries: Iterable[Entry]) -> Checked:
    """Read the id in each entry, in any form that the queue takes."""
    ids: dict[str, bool] = {}
    bad, read = [], 0
    for entry in entries:
        try:
            request = read_body(entry.text)
        except BodyError as error:
            bad.append(Bad(entry.place, str(error)))
        else:
            read += 1
            ids[request.message_id] = request.force or ids.get(request.message_id, False)
    return Checked(ids, tuple(bad), read - len(ids))
