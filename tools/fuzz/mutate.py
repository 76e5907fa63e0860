"""Changes to JSON documents: what a fuzzer of bytes would hardly ever hit upon.

Every change is drawn from the given generator alone, so a run can be repeated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

Path = tuple[str | int, ...]

SIGNS: Final = (
    *("", " ", "\r\nBcc: eve@example.com", "\x00", "\x1b[2J", "\u2028", '"};{', "\\u0000"),
    *("\u202egnp.exe\u202c", "\u200f", "🦁", "\ud83e", "\udd81", "\ufffe", "\uffff", "\ufeff"),
    *("x" * 998, "é" * 330, "ada@example.com", "ada@example.com#0002", "#", "~", "@", "<", ">"),
)
"""Texts that want to be more than text."""

NAMES: Final = (
    *("MessageId", "messageId", "mail", "detail", "detail-type", "TopicArn", "Message", "force"),
    *("look", "FromEmailAddress", "Subject", "EmailTags", "Name", "Value", "Insights", "Isp"),
    *("Destination", "Events", "Timestamp", "Type", "Details", "Bounce", "BounceType"),
    *("BounceSubType", "DiagnosticCode", "Complaint", "ComplaintSubType"),
    "ComplaintFeedbackType",
)

WORDS: Final = (
    *("SEND", "BOUNCE", "COMPLAINT", "DELIVERY", "OPEN", "CLICK", "REJECT", "DELIVERY_DELAY"),
    *("SUBSCRIPTION", "RENDERING_FAILURE", "ARCHIVED", "PERMANENT", "Permanent", "TRANSIENT"),
    *("General", "NoEmail", "ON_ACCOUNT_SUPPRESSION_LIST", "abuse", "fraud", "not-spam"),
    *("UNKNOWN_ISP", "smtp; 550 5.7.1 no", "ses:configuration-set", "__type"),
    "0106019fa36a2608-6c9654bb-dc58-4957-8828-68360c1c2d10-000000",
)

TIMES: Final = (
    *(0, -1, 1_795_428_000, 1_795_428_000.25, 1_795_428_000_000, 253_402_300_799.999, 1e300),
    *(-62_135_596_800, float("nan"), float("inf"), "1795428000", "2026-11-23T10:00:00Z"),
    *("2026-11-23T10:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9-14:00", "noon"),
)

ODD: Final[Sequence[Any]] = (None, True, False, [], {}, [None], [[]], {"": None}, 10**400, "x", 7)


def mutated(data: bytes, chance: Random) -> bytes | None:
    """Change a document in one to three places; None where the bytes are no JSON."""
    try:
        text = data.decode()
        for _ in range(chance.randint(1, 3)):
            document = json.loads(text)
            changed = _changed(document, chance.choice(_paths(document)), chance)
            text = json.dumps(changed, ensure_ascii=chance.choice([True, False]))
    except (ValueError, RecursionError):
        return None
    return text.encode("utf-8", "surrogatepass")


def _paths(value: Any) -> list[Path]:
    """List the way to every value within a value, itself first."""
    found: list[Path] = []
    rest: list[tuple[Path, Any]] = [((), value)]
    while rest:
        path, each = rest.pop()
        found.append(path)
        match each:
            case dict():
                rest += [((*path, name), inner) for name, inner in each.items()]
            case list():
                rest += [((*path, number), inner) for number, inner in enumerate(each)]
    return found


def _changed(document: Any, path: Path, chance: Random) -> Any:
    if not path:
        return _other(document, chance)
    holder = document
    for step in path[:-1]:
        holder = holder[step]
    last = path[-1]
    match chance.randrange(6):
        case 0:
            del holder[last]
        case 1 if isinstance(last, int):
            holder[last:last] = [holder[last]] * chance.choice([1, 1, 2, 60])
        case 1:
            holder[chance.choice(NAMES)] = holder[last]
        case _:
            holder[last] = _other(holder[last], chance)
    return document


def _other(value: Any, chance: Random) -> Any:
    """Make another value of one, mostly of its own kind."""
    if chance.randrange(10) == 0:
        return chance.choice(ODD)
    match value:
        case str():
            return chance.choice(_CHANGES_OF_TEXT)(value, chance)
        case dict():
            return {**value, chance.choice(NAMES): chance.choice([*WORDS, *SIGNS, *TIMES, *ODD])}
        case list():
            return [*value, *(value[:1] or [{}]), chance.choice(ODD)]
        case _:
            return chance.choice(TIMES)


_CHANGES_OF_TEXT: Final[Sequence[Callable[[str, Random], Any]]] = (
    lambda text, chance: _spliced(text, chance.choice(SIGNS), chance),
    lambda text, chance: text * chance.choice([2, 30]),
    lambda text, chance: text[: chance.randint(0, len(text))],
    lambda _, chance: chance.choice(WORDS),
    lambda _, chance: chance.choice(TIMES),
    lambda text, _: json.dumps(text),
    lambda text, _: text.swapcase(),
)


def _spliced(text: str, sign: str, chance: Random) -> str:
    destination = chance.randint(0, len(text))
    return text[:destination] + sign + text[destination:]
