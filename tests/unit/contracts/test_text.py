"""Text of a mail, made safe for where it is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.contracts.text import domain_of, one_line


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ada@example.com", "example.com"),
        ("Ada <ada@Example.COM>", "example.com"),
        ("Ada <ada@example.com> ", "example.com"),
        ('"a@b"@example.com', "example.com"),
        ("ada@bücher.example", "bücher.example"),
        ("ada", None),
        ("ada@", None),
        ("ada@example.com and more", None),
        ("", None),
        (None, None),
    ],
)
def test_the_domain_is_what_follows_the_last_at_sign(
    address: str | None, expected: str | None
) -> None:
    """Domains are compared in lower case; where there is none, none is made up."""
    assert domain_of(address) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\r\nBcc: eve@example.com", "one Bcc: eve@example.com"),
        ("a\u2028b\u2029c\x85d\x0be\x00f", "a b c d e f"),
        ("\u202egpj.exe\u202c and \u2066more\u2069", "gpj.exe and more"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("half \ud83e lion", "half lion"),
        ("no\ufffe character\uffff", "no character"),
        ("  much \t space  ", "much space"),
        ("Grüße 🦁", "Grüße 🦁"),
    ],
)
def test_a_line_of_text_stays_one_line(text: str, shown: str) -> None:
    """Breaks become spaces; characters that hide or turn text around are taken out."""
    assert one_line(text) == shown


@given(st.text(alphabet=st.characters(codec=None)))
def test_no_text_breaks_out_of_its_line(text: str) -> None:
    """Whatever the text, its line is one line of printable characters, and cleaning it is final."""
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert all(sign.isprintable() or sign == " " or ord(sign) > 0x2FF for sign in line)
    assert not set(line) & set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert one_line(line) == line
