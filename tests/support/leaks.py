"""Finds what belongs to a mail in a text where it must not be, a log above all."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import quote, quote_plus

OF_THE_MAIL: Final = frozenset(
    {"FromEmailAddress", "Destination", "Subject", "EmailTags", "DiagnosticCode"}
)
"""Attributes of the rows whose texts belong to the mail."""

PIECE: Final = 16
"""Characters. A text is searched for in pieces, because what is logged may be cut off."""

SHORTEST: Final = 6
"""Characters; a shorter text may stand anywhere by chance and is not searched for."""


def texts_of_the_mail(value: object, *, of_the_mail: bool = False) -> Iterator[str]:
    """Find every text that belongs to the mail in a row, however deep it lies."""
    if isinstance(value, str):
        if of_the_mail:
            yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from texts_of_the_mail(inner, of_the_mail=of_the_mail or name in OF_THE_MAIL)
    elif isinstance(value, Iterable):
        for inner in value:
            yield from texts_of_the_mail(inner, of_the_mail=of_the_mail)


def leaks(texts: Iterable[str], log: str) -> set[str]:
    """Find pieces of the texts in a log, in any of the forms they can have there."""
    pieces = {piece for text in texts for piece in _pieces(text)}
    return {piece for piece in pieces if any(form in log for form in _forms(piece))}


def _pieces(text: str) -> Iterator[str]:
    for line in text.splitlines():
        for start in range(0, max(len(line) - PIECE + 1, 1), PIECE):
            piece = line[start : start + PIECE]
            if len(piece) >= SHORTEST:
                yield piece


def _forms(text: str) -> set[str]:
    """As it is; escaped by JSON, once and twice, and by Python; quoted in a URL; in base64."""
    escaped = json.dumps(text)[1:-1]
    return {
        text,
        escaped,
        json.dumps(escaped)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        repr(text)[1:-1],
        quote(text, safe=""),
        quote_plus(text),
        *_base64(text),
    }


def _base64(text: str) -> Iterator[str]:
    """Write it as base64 does, which depends on where in the encoded text it begins."""
    data = text.encode()
    for skipped in range(3):
        whole = data[skipped : skipped + (len(data) - skipped) // 3 * 3]
        if len(whole) >= SHORTEST:  # eight characters of base64
            yield b64encode(whole).decode()
