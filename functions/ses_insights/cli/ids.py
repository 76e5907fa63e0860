"""Message ids from arguments, text and CSV files, checked before anything is sent. Pure."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final

from ses_insights.cli.errors import WrongUsageError
from ses_insights.contracts.queue_message import (
    BodyError,
    LookRequest,
    SetUpMessage,
    read_body,
    several_in,
)

_FORM: Final = r"[0-9a-f]{16}-[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}-[0-9]{6}"
"""How all ids look that SES was seen to write. The queue takes others, too."""

_SES_ID: Final = re.compile(_FORM, re.IGNORECASE)
_IN_TEXT: Final = re.compile(
    r"(?:(?<![0-9a-z-])|(?<=%3c)|(?<=u003c))"  # also behind an escaped <, as logs have it
    rf"{_FORM}(?![0-9a-z-])(?:@[a-z0-9.-]*amazonses\.com(?:\.cn)?)?",
    re.IGNORECASE,
)
_COLOURS: Final = re.compile(r"\x1b\[[0-9;]*m")
"""What programs write that colour their logs."""

_LINE: Final = re.compile(r"(?:message-id:[ \t]*\n(?=[ \t]))?[^\n]*", re.IGNORECASE)
"""A line; the header that mails have may go over two."""

_DELIMITERS: Final = ",;\t|"
_NAMES_DELIMITER: Final = re.compile(rf'"?sep=[{_DELIMITERS}]"?\s*', re.IGNORECASE)
"""The line before the headings by which a CSV tells Excel its delimiter."""

_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BETWEEN: Final = " \t\f\v,[]\ufeff"
"""What may stand between the values of JSON lists and lines."""

_ENDS_VALUE: Final = re.compile(r'[ \t]*(?:[\n,\[\]{"]|\Z)')
_ENDS_FIELD: Final = re.compile(r'[ \t]*(?:[\n\[\]{"]|,?[ \t]*(?:\n|\Z))')

_MOST_RANGES: Final = 12


@dataclass(frozen=True, slots=True)
class Entry:
    """A text that should hold an id, and its place in the input."""

    number: int
    text: str
    unit: str = "line"

    @property
    def place(self) -> str:
        """The place for a person, for example ``line 7``."""
        return f"{self.unit} {self.number}"


@dataclass(frozen=True, slots=True)
class Bad:
    """An entry without an id, or one worth a warning."""

    entry: Entry
    why: str


@dataclass(frozen=True, slots=True)
class Checked:
    """The ids of the input, each once and in order, and the entries without one."""

    ids: Mapping[str, LookRequest]
    first: Mapping[str, Entry]
    """Where each id stands first."""
    bad: tuple[Bad, ...]
    twice: int
    """How many ids were given more than once; they are sent once."""

    def odd(self, region: str) -> list[Bad]:
        """Return a warning for each id that SES is not likely to know in a Region."""
        return [
            Bad(self.first[message_id], why)
            for message_id, request in self.ids.items()
            for why in _odd(request, region)
        ]


def ses_id(text: str) -> str | None:
    """Return the id where a text is one that SES writes, in a form that the queue takes."""
    try:
        found = read_body(text).message_id
    except BodyError:
        return None
    return found if _SES_ID.fullmatch(found) else None


def decoded(data: bytes, name: str) -> str:
    """Return the text of a file, with line feeds alone. Raises `WrongUsageError`."""
    mark, encoding = next((each for each in _BOMS if data.startswith(each[0])), (b"", "utf-8"))
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise WrongUsageError(f"{name} is not UTF-8 text; save it as UTF-8.")
    return _COLOURS.sub("", re.sub("\r\n?", "\n", text))


def of_arguments(texts: Iterable[str]) -> Iterator[Entry]:
    """Return an entry for each argument."""
    return (Entry(number, text, "argument") for number, text in enumerate(texts, start=1))


def of_text(text: str) -> Iterator[Entry]:
    """Return an entry for each JSON value of a text, and for each other line that is not empty.

    JSON may go over several lines, stand in lists, and follow without anything between.
    """
    decoder = json.JSONDecoder()
    at, line, depth = 0, 1, 0
    while at < len(text):
        if text[at] == "\n":
            line += 1
            at += 1
        elif text[at] in _BETWEEN:
            depth += (text[at] == "[") - (text[at] == "]")
            at += 1
        elif found := _json_at(decoder, text, at, in_list=depth > 0):
            value, end = found
            for each in _spread(value):
                yield Entry(line, each)
            line += text.count("\n", at, end)
            at = end
        else:
            read = _LINE.match(text, at)
            end = read.end() if read else len(text)
            yield Entry(line, text[at:end])
            line += text.count("\n", at, end)
            at, depth = end, 0


def _json_at(
    decoder: json.JSONDecoder, text: str, at: int, *, in_list: bool
) -> tuple[object, int] | None:
    """Return the JSON object or string that begins here, and its end, if it stands for itself.

    A string before a comma does in a list; elsewhere it is a field of a CSV.
    """
    if text[at] not in '{"':
        return None
    try:
        value, end = decoder.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None
    ends = _ENDS_FIELD if isinstance(value, str) and not in_list else _ENDS_VALUE
    return (value, end) if ends.match(text, end) else None


def _spread(value: object) -> Iterator[str]:
    """Return a body for each message of a JSON value."""
    several = several_in(value) if isinstance(value, dict) else None
    for each in several or ():
        yield from _spread(each)
    if several is None:
        yield value if isinstance(value, str) else json.dumps(value)


def of_column(text: str, column: str) -> Iterator[Entry]:
    """Return an entry for each row of a CSV text with headings. Raises `WrongUsageError`.

    A quote that is opened and not closed would swallow the lines behind it, with their ids: that,
    and a field of several lines that holds an id, is refused with its line.
    """
    lines = re.findall("[^\n]*\n|[^\n]+", text)
    before = sum(1 for _ in takewhile(_is_before_headings, lines))
    lines = lines[before:]
    begins = before + 1
    try:
        reader = csv.reader(lines, delimiter=_delimiter(lines, column), strict=True)
        names = [name.strip() for name in next(reader, [])]
        if column not in names:
            columns = ", ".join(names) or "no columns"
            raise WrongUsageError(f"The CSV has no column {column}; it has {columns}.")
        index = names.index(column)
        begins = before + reader.line_num + 1
        for row in reader:
            _refuse_swallowed(row)
            if row:
                yield Entry(begins, row[index] if index < len(row) else "")
            begins = before + reader.line_num + 1
    except csv.Error as error:
        why = str(error).replace("unexpected end of data", "a quote is opened and not closed")
        raise WrongUsageError(f"Line {begins} of the CSV cannot be read: {why}.") from None


def _is_before_headings(line: str) -> bool:
    return not line.strip() or bool(_NAMES_DELIMITER.fullmatch(line))


def _refuse_swallowed(row: Sequence[str]) -> None:
    if any("\n" in field and _SES_ID.search(field) for field in row):
        raise csv.Error("a quoted field holds whole lines with ids")


def _delimiter(lines: Sequence[str], column: str) -> str:
    """Return the delimiter of a CSV text: spreadsheets write the one of their country."""
    for delimiter in _DELIMITERS:
        names = next(csv.reader(lines[:1], delimiter=delimiter), [])
        if column in [name.strip() for name in names]:
            return delimiter
    return ","


def check(entries: Iterable[Entry]) -> Checked:
    """Read the id in each entry, in any form that the queue takes, or the only one in its text."""
    ids: dict[str, LookRequest] = {}
    first: dict[str, Entry] = {}
    bad, read = [], 0
    for entry in entries:
        try:
            request = _read(entry.text)
        except BodyError as error:
            bad.append(Bad(entry, str(error)))
            continue
        read += 1
        first.setdefault(request.message_id, entry)
        known = ids.get(request.message_id)
        force = request.force or bool(known and known.force)
        ids[request.message_id] = replace(
            request, force=force, region=request.region or (known.region if known else None)
        )
    return Checked(ids, first, tuple(bad), read - len(ids))


def _read(text: str) -> LookRequest:
    """Read an entry. Raises `BodyError`."""
    try:
        return read_body(text)
    except SetUpMessage:
        raise
    except BodyError as error:
        found = {each.partition("@")[0]: each for each in _IN_TEXT.findall(text)}
        if len(found) > 1:
            raise BodyError("SeveralIds", "several ids; write one a line") from None
        if not found or error.slug == "ReceivedMail":
            raise
        return read_body(next(iter(found.values())))


def _odd(request: LookRequest, region: str) -> Iterator[str]:
    if not re.fullmatch(_FORM, request.message_id):
        yield "does not look like an id of SES; it is sent all the same"
    if request.region not in {None, region}:
        yield (
            f"the text names the Region {request.region}, and this stack is in {region}, where SES "
            "does not know it; it is sent all the same"
        )


def in_groups(found: Iterable[Bad]) -> Iterator[tuple[str, Entry]]:
    """Return a sentence for each kind of fault with the places of its entries, and the first."""
    kinds: dict[str, list[Entry]] = {}
    for each in found:
        kinds.setdefault(each.why, []).append(each.entry)
    for why, entries in kinds.items():
        if len(entries) == 1:
            yield f"{entries[0].place}: {why}", entries[0]
        else:
            numbers = _ranges([entry.number for entry in entries])
            yield f"{entries[0].unit}s {numbers} ({len(entries):,}): {why}", entries[0]


def _ranges(numbers: Sequence[int]) -> str:
    """Write numbers in order as ranges, for example ``2-4, 7``."""
    ranges: list[tuple[int, int]] = []
    for number in numbers:
        if ranges and number - ranges[-1][1] <= 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    written = [f"{low}" if low == high else f"{low}-{high}" for low, high in ranges]
    more = ["…"] if len(written) > _MOST_RANGES else []
    return ", ".join([*written[:_MOST_RANGES], *more])
