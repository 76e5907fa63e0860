"""The search for what belongs to a mail finds it in every form."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from tests.support.leaks import leaks, texts_of_the_mail

ROW = {
    "MessageId": "0102019fa36a2608-6c9654bb",
    "Record": "DESTINATION#anna.karenina@recipient.example",
    "Destination": "anna.karenina@recipient.example",
    "Status": "PERMANENT_BOUNCE",
    "EmailTags": {"campaign": ["spring"]},
    "Events": [
        {
            "Type": "BOUNCE",
            "Details": {"Bounce": {"BounceType": "PERMANENT", "DiagnosticCode": "smtp; 550"}},
        }
    ],
}

SUBJECT = 'Bücher\x1b & "mehr"'
"""Every form writes it in another way."""


def test_the_texts_of_a_row_are_those_of_the_mail() -> None:
    """Addresses, subject, tags and diagnostic codes, however deep they lie; ids are not."""
    assert set(texts_of_the_mail(ROW)) == {
        "anna.karenina@recipient.example",
        "spring",
        "smtp; 550",
    }


@pytest.mark.parametrize(
    "write",
    [
        str,
        json.dumps,
        lambda text: json.dumps(text, ensure_ascii=False),
        lambda text: json.dumps({"body": json.dumps({"subject": text})}),
        lambda text: repr({"subject": text}),
        lambda text: quote(text, safe=""),
        quote_plus,
        lambda text: b64encode(text.encode()).decode(),
        lambda text: b64encode(f"x{text}".encode()).decode(),
        lambda text: b64encode(f"xy{text}".encode()).decode(),
    ],
)
def test_a_text_is_found_in_every_form(write: Callable[[str], str]) -> None:
    """Escaped, quoted or encoded, inside a line of a log."""
    assert leaks([SUBJECT], f'{{"level":"INFO","message":"{write(SUBJECT)}"}}')


def test_a_text_that_is_cut_off_is_found() -> None:
    """A log that stops in the middle of it still holds it."""
    assert leaks(["anna.karenina@recipient.example"], "no such mailbox: anna.karenina@rec")


def test_a_log_without_it_holds_no_text() -> None:
    """What is in the log for reasons of its own is no leak."""
    texts = texts_of_the_mail(ROW)
    assert leaks(texts, '{"message":"looked","message_id":"0102019fa36a2608-6c9654bb"}') == set()
