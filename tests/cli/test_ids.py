"""Ids are read from every input, each once; entries without one are listed with their place."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable

import pytest

from ses_insights.cli.errors import WrongUsageError
from ses_insights.cli.ids import (
    Bad,
    Checked,
    Entry,
    check,
    decoded,
    in_groups,
    of_arguments,
    of_column,
    of_text,
)
from tests.support.samples import MESSAGE_ID, OTHER_ID

THIRD_ID = MESSAGE_ID.replace("0", "3")


def ids(entries: Iterable[Entry]) -> list[str]:
    """The ids, where every entry has one."""
    checked = check(entries)
    assert checked.bad == ()
    return list(checked.ids)


def faults(checked: Checked) -> list[tuple[str, str]]:
    """Places and kinds of the bad entries."""
    return [(bad.entry.place, bad.why.partition(":")[0]) for bad in checked.bad]


def test_every_form_that_the_queue_takes_is_an_id() -> None:
    """Bare, as in a header, and as a response of SES; in the order in which they stand."""
    texts = [f"<{OTHER_ID}@eu-west-1.amazonses.com>", f'{{"MessageId": "{MESSAGE_ID}"}}']
    assert ids(of_arguments(texts)) == [OTHER_ID, MESSAGE_ID]


def test_an_id_that_is_given_twice_is_one() -> None:
    """It is counted, so that nobody wonders at the numbers; force asked for once holds."""
    forced = f'{{"MessageId": "{MESSAGE_ID}", "force": true}}'
    checked = check(of_text(f"{MESSAGE_ID}\n{forced}\n{MESSAGE_ID}@email.amazonses.com"))
    assert list(checked.ids) == [MESSAGE_ID]
    assert (checked.ids[MESSAGE_ID].force, checked.twice) == (True, 2)


@pytest.mark.parametrize(
    "text",
    [
        f'{{\n    "MessageId": "{MESSAGE_ID}"\n}}\n{{\n    "MessageId": "{OTHER_ID}"\n}}\n',
        f'{{"MessageId": "{MESSAGE_ID}"}}{{"MessageId": "{OTHER_ID}"}}',
        f'["{MESSAGE_ID}", "{OTHER_ID}"]',
        f'[\n  "{MESSAGE_ID}",\n  {{"messageId": "{OTHER_ID}"}}\n]\n',
        f'"{MESSAGE_ID}"\n"{OTHER_ID}"\n',
        json.dumps(
            {
                "BulkEmailEntryResults": [
                    {"Status": "SUCCESS", "MessageId": MESSAGE_ID},
                    {"Status": "SUCCESS", "MessageId": OTHER_ID},
                ]
            },
            indent=4,
        ),
        f'[\n{{"messageid":"{MESSAGE_ID}","subject":"[x] {{"}}\n,{{"messageid":"{OTHER_ID}"}}\n]',
        json.dumps(
            {"Records": [{"eventSource": "x", "body": each} for each in (MESSAGE_ID, OTHER_ID)]}
        ),
        f"250 Ok {MESSAGE_ID}\n<{OTHER_ID}>\n",
        f"Message-ID: <{MESSAGE_ID}@eu-west-1.amazonses.com>\nMessage-ID: <{OTHER_ID}@x>\n",
        (
            "Nov 26 09:00:01 mx postfix/smtp[7]: 4X1: to=<anna@there.example>, relay=email-smtp, "
            f"dsn=2.0.0, status=sent (250 Ok {MESSAGE_ID})\n"
            f"[2026-11-26] INFO {{'MessageId': '{OTHER_ID}', 'again': '{OTHER_ID}'}}\n"
        ),
        f'{{"event": "sent", "id": "{MESSAGE_ID}"}}\n{{"id": "{OTHER_ID}"}} (of the second)\n',
        f"{MESSAGE_ID},anna@there.example\n{OTHER_ID},ben@there.example\n",
        f"{MESSAGE_ID}\r{OTHER_ID}\r",
        f"\ufeff{MESSAGE_ID}\r\n\ufeff{OTHER_ID}\r\n",
        f'"{MESSAGE_ID}","anna@there.example"\n"{OTHER_ID}","ben@there.example"\n',
        f'"{MESSAGE_ID}",\n"{OTHER_ID}",\n',
        f"Message-ID:\r\n <{MESSAGE_ID}@eu-west-1.amazonses.com>\r\nMessage-Id: <{OTHER_ID}@x>\r\n",
        f"\x1b[32msent\x1b[0m \x1b[1;36m{MESSAGE_ID}\x1b[0m\n\x1b[36m{OTHER_ID}\x1b[0m\n",
        f"GET /seen?id=%3C{MESSAGE_ID}%40email.amazonses.com%3E\nsent \\u003c{OTHER_ID}@x\\u003e\n",
        json.dumps({"Status": [{"MessageId": MESSAGE_ID}, {"MessageId": OTHER_ID}]}),
        (
            "2026-11-26 09:00:01 1tFxyz-0001 => anna@there.example R=smart T=remote_smtp "
            f'H=email-smtp C="250 Ok {MESSAGE_ID}"\n'
            f'[outbound] delivered file=17 domain="there.example" response="Ok {OTHER_ID}"\n'
        ),
        f"SendEmailResponse(MessageId={MESSAGE_ID})\n    [MessageId] => {OTHER_ID}\n",
    ],
    ids=[
        *("indented JSON", "JSON without anything between", "JSON list", "indented JSON list"),
        *("JSON strings", "bulk response", "SES's export", "SQS event", "SMTP answers", "headers"),
        *("logs", "other JSON", "CSV without --column", "carriage returns", "byte order marks"),
        *("quoted CSV", "lines of a list", "folded header", "colours", "escaped brackets"),
        *("older bulk response", "Exim and Haraka", "Java and PHP"),
    ],
)
def test_text_of_other_programs_is_read(text: str) -> None:
    """One id in each JSON value, or in each line."""
    text = decoded(text.encode(), "x")
    assert ids(of_text(text)) == [MESSAGE_ID, OTHER_ID]


def test_an_entry_without_an_id_is_listed_with_its_line() -> None:
    """Empty lines are no fault, and count; JSON over several lines counts all of them."""
    checked = check(
        of_text(f'{MESSAGE_ID}\n\n  \nanna@there.example\n{{\n"order": 1\n}}\noops\n{{"half\n')
    )
    assert list(checked.ids) == [MESSAGE_ID]
    assert faults(checked) == [
        ("line 4", "NotAnId"),
        ("line 5", "NoId"),
        ("line 8", "NotAnId"),
        ("line 9", "BadJson"),
    ]


def test_a_line_with_two_ids_is_refused() -> None:
    """Which of them is meant is not known; the same one twice is one."""
    checked = check(of_text(f"{MESSAGE_ID} {OTHER_ID}\n{MESSAGE_ID} {MESSAGE_ID}\n"))
    assert (list(checked.ids), faults(checked)) == ([MESSAGE_ID], [("line 1", "SeveralIds")])


def test_a_longer_text_that_begins_like_an_id_is_none() -> None:
    """A part of it is not what SES wrote."""
    assert faults(check(of_text(f"see x{MESSAGE_ID}\nsee {MESSAGE_ID}-7\n"))) == [
        ("line 1", "NotAnId"),
        ("line 2", "NotAnId"),
    ]


def test_mail_that_ses_received_is_no_id() -> None:
    """However much the id of another server looks like one."""
    body = json.dumps({"notificationType": "Received", "mail": {"messageId": MESSAGE_ID}})
    assert faults(check(of_text(body))) == [("line 1", "ReceivedMail")]


def test_why_a_line_is_bad_does_not_repeat_it() -> None:
    """It may hold an address, and this may go to a log."""
    (bad,) = check(of_text("anna@there.example")).bad
    assert "anna" not in bad.why


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (b"", "utf-8"),
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_text_is_read_by_its_byte_order_mark(mark: bytes, encoding: str) -> None:
    """As Windows programs write it; line ends become line feeds."""
    assert decoded(mark + "ä\r\nb\rc".encode(encoding), "x") == "ä\nb\nc"


@pytest.mark.parametrize(
    "data",
    [b"PK\x03\x04\xff\xfe", "id".encode("utf-16-le"), "ä".encode("latin-1"), b"\xff\xfea"],
    ids=["zip", "UTF-16 without a mark", "Latin-1", "half of UTF-16"],
)
def test_what_is_no_text_is_wrong_usage(data: bytes) -> None:
    """In one sentence with the file's name."""
    with pytest.raises(WrongUsageError, match="x is not UTF-8 text; save it as UTF-8"):
        decoded(data, "x")


def test_a_column_of_a_csv_is_found_by_its_name() -> None:
    """Quoted fields may hold commas and line breaks; places are the lines where rows begin."""
    text = f'to, message_id\n"a, b",{MESSAGE_ID}\n"c\nd",{OTHER_ID}\n\ne\nf,\n'
    checked = check(of_column(text, "message_id"))
    assert list(checked.ids) == [MESSAGE_ID, OTHER_ID]
    assert [bad.entry.place for bad in checked.bad] == ["line 6", "line 7"]


def test_a_csv_may_name_its_delimiter_in_a_line_before() -> None:
    """As for Excel, and behind blank lines; both count as lines."""
    checked = check(of_column(f"\nsep=;\nmessage_id;to\n{MESSAGE_ID};anna\n;ben\n", "message_id"))
    assert list(checked.ids) == [MESSAGE_ID]
    assert [bad.entry.place for bad in checked.bad] == ["line 5"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_csv_may_have_other_delimiters(delimiter: str) -> None:
    """As spreadsheets write it where the comma is the decimal sign."""
    head = '"to, or cc"' if delimiter == "," else "to, or cc"
    text = f"{head}{delimiter}message_id\nanna{delimiter}{MESSAGE_ID}\n"
    assert ids(of_column(text, "message_id")) == [MESSAGE_ID]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id\n" + "x" * 200_000, "Line 2 of the CSV cannot be read: field larger"),
        ("x" * 200_000 + ",id\n", "Line 1 of the CSV cannot be read: field larger"),
        (
            f'id,subject\n{MESSAGE_ID},x\n{OTHER_ID},"5 inch\n{THIRD_ID},y\n',
            "Line 3 of the CSV cannot be read: a quote is opened and not closed.",
        ),
        (
            f'id,subject\n{MESSAGE_ID},"5 inch\n{OTHER_ID},y\n{THIRD_ID},"7 inch\n',
            "Line 2 of the CSV cannot be read: ',' expected after",
        ),
        (
            f'id,subject\n{MESSAGE_ID},"5 inch\n{OTHER_ID},y\n",z\n',
            "Line 2 of the CSV cannot be read: a quoted field holds whole lines with ids.",
        ),
    ],
    ids=["long field", "long heading", "open quote", "two open quotes", "closed by chance"],
)
def test_a_csv_that_cannot_be_read_is_wrong_usage(text: str, says: str) -> None:
    """With the line where the row begins: no id is lost in silence."""
    with pytest.raises(WrongUsageError, match=says):
        list(of_column(text, "id"))


@pytest.mark.parametrize(
    ("text", "there"), [("to,id\n", "to, id"), ("", "no columns")], ids=["other", "empty"]
)
def test_a_missing_column_is_wrong_usage(text: str, there: str) -> None:
    """The sentence lists the columns that there are."""
    with pytest.raises(WrongUsageError, match=f"no column message_id; it has {there}"):
        list(of_column(text, "message_id"))


def test_ids_that_ses_is_not_likely_to_know_are_told() -> None:
    """Those of another Region, of another form, or in capitals; each where it stands first."""
    text = (
        f"<{MESSAGE_ID}@eu-central-1.amazonses.com>\n{OTHER_ID}\nb6f3c1a2-not-one-of-ses\n"
        f"{THIRD_ID.upper()}\n"
    )
    odd = check(of_text(text)).odd("eu-west-1")
    assert [(bad.entry.place, bad.why.partition(",")[0]) for bad in odd] == [
        ("line 1", "the text names the Region eu-central-1"),
        ("line 3", "does not look like an id of SES; it is sent all the same"),
        ("line 4", "does not look like an id of SES; it is sent all the same"),
    ]
    assert check(of_text(f"<{MESSAGE_ID}@eu-west-1.amazonses.com>")).odd("eu-west-1") == []


def test_faults_of_one_kind_are_one_sentence() -> None:
    """With the numbers of their lines as ranges, and the first of them."""
    bad = [Bad(Entry(number, "x"), "NoId: none") for number in (2, 3, 4, 7)]
    bad.append(Bad(Entry(5, "y"), "NotAnId: not"))
    assert [text for text, _ in in_groups(bad)] == [
        "lines 2-4, 7 (4): NoId: none",
        "line 5: NotAnId: not",
    ]
    many = [Bad(Entry(number, "x"), "NoId: none") for number in range(1, 85, 2)]
    ((text, first),) = in_groups(many)
    assert text.endswith("21, 23, … (42): NoId: none")
    assert first.number == 1
