"""What the recipient's server answered, made ready to be read.

An answer is whatever a stranger's server writes: it may be long, hostile, in any script, and full
of names that look like words. Reading it takes a bounded time.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

READ_LENGTH: Final = 2048
"""Characters of an answer that are read. A line of SMTP ends at 512; the rest is an essay."""

READ_WORDS: Final = 160
"""Words of them that the phrases are compared with."""

_SAYS_NOTHING: Final = frozenset({"0.0", "1.0", "2.0", "3.0", "4.0", "5.0"})
"""Status codes that name no cause: another code of the same answer says more."""

# SES's own sentence around the server's answer: 5.1.0 - Unknown address error 550-'5.2.2 ...'
_WRAPPED: Final = re.compile(
    r"\b[45]\.[\dx]\.\d{1,3} - [a-z ()]{3,80}(?:([45]\d\d)[- ])?'", re.ASCII
)
_URL: Final = re.compile(r"(?:https?://|www\.)[^\s<>\"']{0,400}")
# No part of an IP address, a version or a path, and no number that is called a version.
_CODE: Final = re.compile(
    r"(?<![\w./])(?<![a-z]-)(?<!version )(?<!build )(?<!release )"
    r"[45]\.[0-7]\.\d{1,3}(?!\.?\w)",
    re.ASCII,
)
# At the beginning, or where somebody quotes it: no number within a sentence.
_REPLY: Final = re.compile(r"(?:^|[:;'\"(>\]] ?)([45]\d\d)(?=[ \-=]|$)", re.ASCII)
_APOSTROPHE: Final = re.compile(r"(?<=[a-z])['\"`\u2019\u00b4](?=[st]\b)")
_JOINED: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])\.(?=[A-Z])")
_WORD: Final = re.compile(r"[A-Za-z]{3}")
_LETTERS: Final = re.compile(r"[a-z]+")
_SENTENCE_ENDS: Final = (".", ";", "!", "?")


@dataclass(frozen=True, slots=True)
class Answer:
    """A server's answer, made ready for the rules."""

    text: str = ""
    """The whole but for addresses, in small letters without accents, every gap one space."""
    words: str = " "
    """Its words, a space around each; a sentence ends with a full stop of its own.

    Without numbers, host names and links: somebody chose those, and they mean nothing. ``addr``
    stands for each e-mail address.
    """
    code: str | None = None
    """The enhanced status code."""
    reply: str | None = None
    """The three-digit reply code."""


def answer_in(diagnostic: str | None) -> Answer:
    """Make a diagnostic code ready for the rules; nothing beyond `READ_LENGTH` is read."""
    raw = " ".join((diagnostic or "")[:READ_LENGTH].split())
    text = _small(raw)
    named = " ".join(token for token in text.split() if "@" not in token)
    wrapped = _WRAPPED.search(text)
    inner = text[wrapped.end() :] if wrapped else ""
    if wrapped and _LETTERS.search(inner.partition("(delivery attempts")[0]):
        said = raw.partition("'")[2].partition("(delivery attempts")[0]
        code = _code_in(inner) or _code_in(text)
        return Answer(named, _words_in(said), code, wrapped[1])
    reply = _REPLY.search(raw)
    said = raw[reply.end() :] if reply and _WORD.search(raw, reply.end()) else raw
    return Answer(named, _words_in(said), _code_in(text), reply[1] if reply else None)


def _small(text: str) -> str:
    """Write in small letters without accents. Some letters become several: it is cut again."""
    if not text.isascii():
        apart = unicodedata.normalize("NFD", text)
        text = "".join(char for char in apart if not unicodedata.combining(char))
    return text[:READ_LENGTH].lower()[:READ_LENGTH]


def _code_in(text: str) -> str | None:
    """Find the first status code that names a cause, else the first one."""
    codes = _CODE.findall(text)
    return next((code for code in codes if code[2:] not in _SAYS_NOTHING), next(iter(codes), None))


def _words_in(raw: str) -> str:
    text = _URL.sub(_topic_of_link, raw)
    text = text.replace("...", ". ").replace("<", " <").replace(">", "> ")
    text = _small(_JOINED.sub(" ", text))
    text = _APOSTROPHE.sub("", _CODE.sub(" ", text))
    words: list[str] = []
    for token in text.split():
        core = token.strip(".,;:!?()[]<>{}'\"")
        if "@" in core:
            words += ["addr", *_LETTERS.findall(core.partition("@")[2].partition(":")[2])]
        elif "." not in core:
            words += _LETTERS.findall(core)
        if token.endswith(_SENTENCE_ENDS):
            words.append(".")
    return f" {' '.join(words[:READ_WORDS])} "


def _topic_of_link(link: re.Match[str]) -> str:
    """Keep the name of a page of Gmail's help, such as ``?p=NoSuchUser``."""
    return f" {link[0].partition('?p=')[2][:40]} "
