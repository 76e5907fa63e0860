"""Message ids from wherever a person keeps them, checked before anything is sent. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from ses_insights.cli.errors import WrongUsageError
from ses_insights.contracts.queue_message import BodyError, read_body


@dataclass(frozen=True, slots=True)
class SqsConsumerQueue:
    """A text that is to hold an id, and where it stands."""

    place: str
    """For a person, for example ``line 7``."""
    text: str


@dataclass(frozen=True, slots=True)
class Bad:
    """A text that holds no id."""

    place: str
    why: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What was given: ids, each once and in order, and what holds none."""

    ids: Mapping[str, bool]
    """Whether a look is forced, by id."""
    bad: tuple[Bad, ...]
    twice: int
    """How many ids were given more than once; they are sent once."""


def of_arguments(texts: Iterable[str]) -> Iterator[SqsConsumerQueue]:
    """Take each argument."""
    return (
        SqsConsumerQueue(f"argument {number}", text) for number, text in enumerate(texts, start=1)
    )


def of_lines(lines: Iterable[str]) -> Iterator[SqsConsumerQueue]:
    """Take each line that is not empty."""
    numbered = enumerate(lines, start=1)
    return (SqsConsumerQueue(f"line {number}", text) for number, text in numbered if text.strip())


def of_column(lines: Iterable[str], column: str) -> Iterator[SqsConsumerQueue]:
    """Take a column of a CSV file whose first line has the names. Raises `WrongUsageError`."""
    rest = iter(lines)
    first = next(rest, "")
    reader = csv.DictReader(chain([first], rest), delimiter=_delimiter(first, column))
    try:
        names = reader.fieldnames or []
        if column not in names:
            there = ", ".join(names) or "no column at all"
            raise WrongUsageError(f"The CSV has no column {column}; it has {there}.")
        for row in reader:
            yield SqsConsumerQueue(f"line {reader.line_num}", row[column] or "")
    except csv.Error as error:
        line = reader.line_num + 1
        raise WrongUsageError(f"Line {line} of the CSV cannot be read: {error}.") from None


def _delimiter(first: str, column: str) -> str:
    """Find what stands between the fields: spreadsheets write what their country is used to."""
    for delimiter in ",;\t":
        if column in next(csv.reader([first], delimiter=delimiter), []):
            return delimiter
    return ","


def check(lines: Iterable[SqsConsumerQueue]) -> Checked:
    """Read the id in each; in any form that the queue takes."""
    ids: dict[str, bool] = {}
    bad, read = [], 0
    for line in lines:
        try:
            request = read_body(line.text)
        except BodyError as error:
            bad.append(Bad(line.place, str(error)))
        else:
            read += 1
            ids[request.message_id] = request.force or ids.get(request.message_id, False)
    return Checked(ids, tuple(bad), read - len(ids))
