"""Output can be read, and cannot steer the terminal."""

from __future__ import annotations

from decimal import Decimal

import pytest
from rich.text import Text

from ses_insights.cli.output import as_json, clean, coloured, columns, counted, span


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


def test_columns_line_up_and_nothing_is_cut() -> None:
    """Wide signs take two cells; no line ends in blanks."""
    long = "x" * 300
    lines = columns([["Ä", "b"], ["日本", ""], [Text("c", "red"), long]])
    assert [line.plain for line in lines] == ["Ä     b", "日本", f"c     {long}"]


def test_no_rows_are_no_lines() -> None:
    """An empty table prints nothing."""
    assert columns([]) == []


def test_text_of_a_mail_cannot_steer_the_terminal() -> None:
    """Escape sequences, line breaks and direction marks do not get through."""
    assert clean("a\x1b[2Jb\nc\u202ed") == "a [2Jb cd"
    assert clean(None) == ""


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
