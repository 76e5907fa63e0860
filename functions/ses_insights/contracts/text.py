"""Text of a mail, made safe for a line, an attribute or a chat channel."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# The two signs outside the surrogates that SQS, where many alerts go on to, does not take:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
# JSON can spell them.
SPELLED: Final = str.maketrans({"\ufffe": r"\ufffe", "\uffff": r"\uffff"})


def domain_of(address: str | None) -> str | None:
    """Return the domain of an address, in lower case; None where there is none."""
    match = re.search(r"@([^@\s<>]+)>?\s*$", address or "")
    return match[1].lower() if match else None


def one_line(text: str) -> str:
    """Make text safe to stand in a line: no breaks, no control or direction-changing characters."""
    kept = (" " if unicodedata.category(sign) in {"Zl", "Zp", "Cc"} else sign for sign in text)
    visible = "".join(
        sign
        for sign in kept
        if unicodedata.category(sign) not in {"Cf", "Cs"} and ord(sign) not in SPELLED
    )
    return " ".join(visible.split())


def ascii_domain(address: str | None) -> str | None:
    """Take the domain out of an address as ASCII, as DNS has it; None where there is none."""
    domain = domain_of(address)
    try:
        text = domain.encode("idna").decode() if domain else ""
    except UnicodeError:  # an empty label, or one that is too long
        return None
    return text if re.fullmatch(r"[a-z0-9.-]+", text) else None
