"""Output can be read, and cannot steer the terminal."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal

import pytest
from rich.text import Text

from ses_insights.cli.output import (
    as_json,
    clean,
    coloured,
    columns,
    counted,
    fitted,
    moment_of,
    span,
    table,
    time_of,
)
from tests.support.samples import MESSAGE_ID


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (7_500, "2 h 5 min"),
        (7_200, "2 h"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_span_has_two_units_at_most(seconds: float, words: str) -> None:
    """The largest unit, and the one below where there is something in it."""
    assert span(seconds) == words


def shown(width: int, *rows: Sequence[str]) -> list[str]:
    """Rows as a terminal of that width shows them."""
    return [line.plain for line in fitted([[Text(cell) for cell in row] for row in rows], width)]


def test_columns_line_up() -> None:
    """Wide signs take two cells; no line ends in blanks."""
    assert shown(40, ["Ä", "b"], ["日本", ""], ["c", "d"]) == ["Ä     b", "日本", "c     d"]


def test_a_long_last_column_goes_over_several_lines() -> None:
    """Below itself, between words."""
    assert shown(26, ["Cause", "the server does not know it"], ["To", "anna"]) == [
        "Cause  the server does not",
        "       know it",
        "To     anna",
    ]


def test_an_id_is_whole_on_a_narrow_terminal() -> None:
    """It gets a line of its own, and other columns are cut only where they do not fit."""
    address = "a.very.long.address.of.somebody@department.there.example"
    assert shown(80, ["When", "Recipient", "Message"], ["10:00", address, MESSAGE_ID]) == [
        "When   Recipient",
        "  Message",
        f"10:00  {address}",
        f"  {MESSAGE_ID}",
    ]
    lines = shown(66, ["10:00", address, MESSAGE_ID], ["10:01", address * 2, MESSAGE_ID])
    assert max(map(len, lines)) <= 66
    assert lines[1] == lines[3] == f"  {MESSAGE_ID}"
    assert lines[2].endswith("…")


def test_a_time_is_whole_on_a_narrow_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the second; a pipe gets it as the table has it."""
    at = "2026-11-23T10:00:00.123Z"
    assert moment_of(at) == at
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    line, _ = fitted([[time_of(at), Text("anna" * 20), Text(MESSAGE_ID)]], 66)
    assert line.plain.startswith("2026-11-23T10:00:00Z  annaanna")
    assert len(line.plain) <= 66
    assert moment_of("unknown") == "unknown"


def test_a_time_is_not_cut_where_nothing_fits() -> None:
    """The other columns are, down to what can be read."""
    line, *_ = fitted([[time_of("2026-11-23T10:00:00Z"), Text("x" * 40), Text(MESSAGE_ID)]], 20)
    assert line.plain == f"2026-11-23T10:00:00Z  {'x' * 15}…"


def test_an_id_wider_than_the_terminal_is_folded_and_not_cut() -> None:
    """It can still be put together."""
    assert "".join(line.strip() for line in shown(30, ["x", MESSAGE_ID])) == f"x{MESSAGE_ID}"


def test_a_pipe_gets_fields_between_tabs() -> None:
    """Nothing is cut or padded, and no heading stands above them."""
    long = "x" * 300
    rows: list[list[str | Text]] = [["Ä", "b"], [Text("c", "red"), long]]
    assert [line.plain for line in table(("One", "Two"), rows)] == ["Ä\tb", f"c\t{long}"]


def test_no_rows_are_no_lines() -> None:
    """An empty table prints nothing."""
    assert columns([]) == []


def test_text_of_a_mail_cannot_steer_the_terminal() -> None:
    """Escape sequences, line breaks and direction marks do not get through."""
    assert clean("a\x1b[2Jb\nc\u202ed") == "a [2Jb cd"
    assert clean(None) == ""


@pytest.mark.parametrize(
    "sign", ["\x7f", "\x9b", "\x85", "\u202e", "\u2066", "\u2028", "\U000e0041"]
)
def test_json_is_escaped_where_it_could_steer_the_terminal(sign: str) -> None:
    """C1 controls, line separators and marks of direction; what is read back is the same."""
    text = as_json({"DiagnosticCode": f"a{sign}b", "to": "日本ä"})
    assert sign not in text
    assert "日本ä" in text
    assert json.loads(text)["DiagnosticCode"] == f"a{sign}b"


def test_a_status_has_its_colour_and_a_new_one_none() -> None:
    """What SES may add later is printed all the same."""
    assert (coloured("COMPLAINT").style, coloured("UNHEARD_OF").style) == ("bold red", "")


def test_numbers_of_the_table_are_numbers() -> None:
    """DynamoDB's decimals are whole numbers or fractions in JSON; anything else is refused."""
    assert as_json({"a": Decimal(3), "b": Decimal("1.5")}, indent=None) == '{"a": 3, "b": 1.5}'
    with pytest.raises(TypeError, match="object cannot be written"):
        as_json(object())


def test_a_noun_follows_its_number() -> None:
    """One id, many ids."""
    assert [counted(1, "id"), counted(1_200, "id")] == ["1 id", "1,200 ids"]
