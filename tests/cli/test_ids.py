"""Ids are read from every input, each once; entries without one are listed with their place."""

from __future__ import annotations

import pytest

from ses_insights.cli.errors import WrongUsageError
from ses_insights.cli.ids import check, of_arguments, of_column, of_lines
from tests.support.samples import MESSAGE_ID, OTHER_ID


def test_every_form_that_the_queue_takes_is_an_id() -> None:
    """Bare, as in a header, and as a response of SES; in the order in which they stand."""
    texts = [f"<{OTHER_ID}@eu-west-1.amazonses.com>", f'{{"MessageId": "{MESSAGE_ID}"}}']
    assert list(check(of_arguments(texts)).ids) == [OTHER_ID, MESSAGE_ID]


def test_an_id_that_is_given_twice_is_one() -> None:
    """It is counted, so that nobody wonders at the numbers; force asked for once holds."""
    forced = f'{{"MessageId": "{MESSAGE_ID}", "force": true}}'
    checked = check(of_lines([MESSAGE_ID, forced, f"{MESSAGE_ID}@email.amazonses.com"]))
    assert (checked.ids, checked.twice) == ({MESSAGE_ID: True}, 2)


def test_an_entry_without_an_id_is_listed_with_its_line() -> None:
    """Empty lines are no fault, and count."""
    checked = check(of_lines([MESSAGE_ID, "", "  \n", "anna@there.example", '{"order": 1}']))
    assert list(checked.ids) == [MESSAGE_ID]
    assert [(bad.place, bad.why.partition(":")[0]) for bad in checked.bad] == [
        ("line 4", "NotAnId"),
        ("line 5", "NoId"),
    ]


def test_why_a_line_is_bad_does_not_repeat_it() -> None:
    """It may hold an address, and this goes to a terminal or a log."""
    (bad,) = check(of_lines(["anna@there.example"])).bad
    assert "anna" not in bad.why


def test_a_column_of_a_csv_is_found_by_its_name() -> None:
    """Quoted fields may hold commas and line breaks; places are lines of the file."""
    rows = [
        "to,message_id\r\n",
        f'"a, b",{MESSAGE_ID}\r\n',
        '"c\r\n',
        f'd",{OTHER_ID}\r\n',
        "e\r\n",
    ]
    checked = check(of_column(rows, "message_id"))
    assert list(checked.ids) == [MESSAGE_ID, OTHER_ID]
    assert [bad.place for bad in checked.bad] == ["line 5"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_may_have_other_delimiters(delimiter: str) -> None:
    """As spreadsheets write it where the comma is the decimal sign."""
    rows = [f"to, or cc{delimiter}message_id\n", f"anna{delimiter}{MESSAGE_ID}\n"]
    if delimiter == ",":
        rows[0] = '"to, or cc",message_id\n'
    assert list(check(of_column(rows, "message_id")).ids) == [MESSAGE_ID]


def test_a_csv_that_cannot_be_read_is_wrong_usage() -> None:
    """With the line."""
    with pytest.raises(WrongUsageError, match="Line 2 of the CSV cannot be read: field larger"):
        list(of_column(["id\n", "x" * 200_000], "id"))


@pytest.mark.parametrize(
    ("lines", "there"), [(["to,id\n"], "to, id"), ([], "no columns")], ids=["other", "empty"]
)
def test_a_missing_column_is_wrong_usage(lines: list[str], there: str) -> None:
    """The sentence lists the columns that there are."""
    with pytest.raises(WrongUsageError, match=f"no column message_id; it has {there}"):
        list(of_column(lines, "message_id"))
