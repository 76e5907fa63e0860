"""Spellings of an address are told to be of one, and no others."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ses_insights.contracts.addresses import bare, canonical, spellings


@pytest.mark.parametrize(
    "text",
    [
        "anna.smith@example.com",
        "Anna.Smith@Example.COM",
        "  anna.smith@example.com\n",
        "\u00a0anna.smith@example.com",
        "<anna.smith@example.com>",
        "Anna Smith <Anna.Smith@Example.com>",
        '"Smith, Anna" <anna.smith@example.com>',
        '"<odd>" < anna.smith@example.com >',
        "mailto:anna.smith@example.com",
        "MAILTO:Anna.Smith%40Example.com?subject=Hi",
        "<mailto:anna.smith@example.com>",
        "anna.smith@example.com.",
        '"anna.smith"@example.com',
        "anna.smith@example\uff0ecom",
        "anna.smith@example.com,",
        "Anna <anna.smith@example.com>;",
        "'anna.smith@example.com'",
        '"Anna.Smith@example.com",',
        "anna.smith@example.com (Anna Smith)",
        "SMTP:Anna.Smith@example.com",
        "rfc822; anna.smith@example.com",
        "\u202aanna.smith@example.com\u202c",
        "\u200banna.smith@example.com",
    ],
)
def test_spellings_of_one_address_are_one(text: str) -> None:
    """Display names, capitals, blanks, links, quotes, dots and commas make no difference."""
    assert canonical(text) == "anna.smith@example.com"


@pytest.mark.parametrize(
    ("readable", "ascii_form"),
    [
        ("anna@bücher.example", "anna@xn--bcher-kva.example"),
        ("anna@BÜCHER.example", "anna@XN--BCHER-KVA.example"),
        ("anna@bu\u0308cher.example", "anna@xn--bcher-kva.example"),
        ("anna@straße.example", "anna@xn--strae-oqa.example"),
        ("anna@日本.example", "anna@xn--wgv71a.example"),
    ],
)
def test_both_forms_of_an_internationalised_domain_are_one(readable: str, ascii_form: str) -> None:
    """However it is composed; and each is among the likely spellings of the other."""
    assert canonical(readable) == canonical(ascii_form)
    assert ascii_form.lower() in spellings(readable)
    assert canonical(readable) in spellings(ascii_form)


@pytest.mark.parametrize(
    "other",
    [
        "anna.smith+news@example.com",
        "annasmith@example.com",
        "anna.smith@example.org",
        "anna.smith@mail.example.com",
        "anna.smith",
        "anna.smith@xn--\u00fc.example",
        "anna.smith'@example.com",
        "smtp@example.com",
        "(anna)anna.smith@example.com",
        "",
    ],
)
def test_other_addresses_are_others(other: str) -> None:
    """Dots and plus signs are a provider's own rule."""
    assert canonical(other) != canonical("anna.smith@example.com")


def test_likely_spellings_begin_with_the_given_one() -> None:
    """As it stands, alone, in lower case, and as people write names."""
    found = spellings("Anna <anna.SMITH@Example.com>")
    assert found[:2] == ("Anna <anna.SMITH@Example.com>", "anna.SMITH@Example.com")
    assert {"anna.smith@example.com", "Anna.Smith@Example.com", "Anna.Smith@example.com"} < {*found}


LOCALS = st.text("abXY09._-+äÖ日", min_size=1, max_size=12)
DOMAINS = st.lists(st.text("abXY09äÖß日", min_size=1, max_size=6), min_size=1, max_size=3)


@given(LOCALS, DOMAINS)
def test_every_likely_spelling_is_one_of_the_address(local: str, labels: list[str]) -> None:
    """None is looked up that belongs to somebody else."""
    address = f"{local}@{'.'.join(labels)}"
    assert {canonical(spelling) for spelling in spellings(address)} == {canonical(address)}


@given(st.text())
@example("<>")
def test_any_text_has_spellings(text: str) -> None:
    """It may be no address at all."""
    assert spellings(text)[0] == text
    assert "" not in spellings(text)[1:]
    assert canonical(text) is not None
    assert bare(bare(text)) is not None
