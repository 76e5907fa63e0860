"""Spellings of an e-mail address, of which the table keeps the one that SES wrote.

People write one address in many ways, and keys of the table tell every sign apart. Two spellings
are of one address if `canonical` gives the same for both. It goes no further than that: that some
providers ignore dots or what stands behind a plus sign is their own rule.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import product
from typing import Final
from urllib.parse import unquote

_UNSEEN: Final = "".join(map(chr, [*range(0x200B, 0x2010), *range(0x202A, 0x202F)]))
"""What mail programs put around an address that is copied from them."""

_BLANK: Final = f" \t\r\n\f\v\u00a0\ufeff{_UNSEEN}"
_BEHIND: Final = f"{_BLANK},;"
"""What may stand behind an address, where it was cut out of a list."""

_COMMENT: Final = re.compile(r"[ \t]+\([^()]*\)\Z")
_KIND: Final = re.compile(r"(?:smtp:|rfc822;)[ \t]*", re.IGNORECASE)
"""What Exchange and delivery reports put before an address."""

_MAILTO: Final = re.compile("mailto:([^?]*)", re.IGNORECASE)
_IN_BRACKETS: Final = re.compile(r"<([^<>]*)>[^<>]*\Z")
_IN_QUOTES: Final = re.compile(r"([\"'])([^\"']*@[^\"']*)\1")
_QUOTED: Final = re.compile(r'"([a-z0-9!#$%&\'*+/=?^_`{|}~.-]+)"', re.IGNORECASE)
_DOTS: Final = re.compile("[\u3002\uff0e\uff61]")
"""What stands for a dot in an internationalised domain: RFC 3490, section 3.1."""

_ACE: Final = "xn--"


def bare(text: str) -> str:
    """Return the address alone, without a display name, ``mailto:`` and what lists have around."""
    found = _COMMENT.sub("", text.strip(_BLANK).rstrip(_BEHIND))
    if brackets := _IN_BRACKETS.search(found):
        found = brackets[1].strip(_BLANK)
    if kind := _KIND.match(found):
        found = found[kind.end() :]
    if mailto := _MAILTO.match(found):
        found = unquote(mailto[1]).strip(_BLANK)
    if quoted := _IN_QUOTES.fullmatch(found):
        found = quoted[2]
    return found


def canonical(text: str) -> str:
    """Return what all spellings of an address have in common."""
    local, at, domain = bare(text).rpartition("@")
    if quoted := _QUOTED.fullmatch(local):
        local = quoted[1]
    return f"{_plain(local)}{at}{_unicode(domain)}"


def spellings(text: str) -> tuple[str, ...]:
    """Return an address in the spellings in which it is likely stored, the given one first."""
    given = bare(text)
    local, at, domain = given.rpartition("@")
    readable = _unicode(domain)
    locals_ = (local, canonical(given).rpartition("@")[0], _capitals(local))
    domains = (domain, domain.lower(), readable, _ascii(readable), _capitals(domain))
    likely = (given, *(f"{one}{at}{other}" for one, other in product(locals_, domains)))
    # A display name may be a part of what SES wrote. Of a text that is no address nothing may be
    # left, and no key is empty.
    return tuple(dict.fromkeys((text, *filter(None, likely))))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFC", text).lower()


def _unicode(domain: str) -> str:
    """Return a domain in its readable form, in lower case."""
    labels = _DOTS.sub(".", domain).rstrip(".").split(".")
    return ".".join(map(_readable, labels))


def _readable(label: str) -> str:
    plain = unicodedata.normalize("NFKC", label).lower()
    if plain.startswith(_ACE):
        try:
            return plain.removeprefix(_ACE).encode("ascii").decode("punycode")
        except UnicodeError:
            return plain
    return plain


def _ascii(domain: str) -> str:
    """Return a readable domain as DNS has it."""
    return ".".join(
        label if label.isascii() else f"{_ACE}{label.encode('punycode').decode('ascii')}"
        for label in domain.split(".")
    )


def _capitals(text: str) -> str:
    """Write each word with a capital, for example ``Anna.Smith``."""
    return re.sub("[A-Za-z]+", lambda word: word[0].capitalize(), text)
