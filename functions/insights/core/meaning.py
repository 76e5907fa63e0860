"""What a finding means and what to do about it, in words for a person.

The subtypes are those of SES's bounce and complaint notifications:
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
Only the spelling of ``ON_ACCOUNT_SUPPRESSION_LIST`` was seen in GetMessageInsights, so they are
compared without case and punctuation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .insight import Bounce, Complaint


class Severity(StrEnum):
    """How soon somebody should act."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Meaning:
    """What happened, what to do now, and how soon."""

    cause: str
    next_step: str
    severity: Severity


# An enhanced status code (RFC 3463), and no part of an IP address or of a version.
_STATUS_CODE: Final = re.compile(r"(?<![\w.])5\.\d{1,3}\.\d{1,3}(?!\.?\w)")
_BLOCKED: Final = frozenset({"5.4.1", "5.4.4", "5.4.14", "5.7.1"})

_BAD_MAILBOX: Final = Meaning(
    "The address does not exist or takes no mail.",
    "Stop sending to the address and mend the list it came from.",
    Severity.HIGH,
)
_BLOCKED_MAIL: Final = Meaning(
    "The recipient's server refused the mail by policy, routing or reputation.",
    "Look at the sender's DNS records and reputation; the address itself may be good.",
    Severity.HIGH,
)
_BOUNCES: Final = {
    "general": Meaning(
        "The recipient's server refused the mail for good and gave no reason SES could name.",
        "Stop sending to the address and read the diagnostic code.",
        Severity.HIGH,
    ),
    "noemail": _BAD_MAILBOX,
    "suppressed": Meaning(
        "The address is on SES's global suppression list; delivery was not attempted.",
        "Verify the address. It leaves the list by itself within 14 days.",
        Severity.LOW,
    ),
    "onaccountsuppressionlist": Meaning(
        "The address is on your account's suppression list; delivery was not attempted.",
        "Stop enqueuing the address, or remove it from the list if it is there by mistake.",
        Severity.LOW,
    ),
}
_OTHER_BOUNCE: Final = Meaning(
    "The mail was refused for good, for a reason this service does not know.",
    "Stop sending to the address and read the diagnostic code.",
    Severity.HIGH,
)

_SPAM: Final = Meaning(
    "The recipient reported the mail as spam.",
    "Stop sending to the address at once.",
    Severity.HIGH,
)
_ABUSED_SENDER: Final = Meaning(
    "The mail was reported as phishing or as carrying malware; the sender may be compromised.",
    "Stop the campaign and rotate the sending credentials.",
    Severity.CRITICAL,
)
_COMPLAINTS: Final = {
    "abuse": _SPAM,
    "other": _SPAM,
    "": _SPAM,
    "fraud": _ABUSED_SENDER,
    "virus": _ABUSED_SENDER,
    "authfailure": Meaning(
        "A server reported that the mail failed DKIM or DMARC; no person complained.",
        "Mend the sender's authentication; keep the address.",
        Severity.MEDIUM,
    ),
    "notspam": Meaning(
        "The recipient took the mail out of the spam folder: a correction in your favour.",
        "Nothing to do.",
        Severity.INFO,
    ),
}
_SUPPRESSED_COMPLAINT: Final = Meaning(
    "The address is on your account's suppression list for a complaint; "
    "delivery was not attempted.",
    "Stop enqueuing the address, or remove it from the list if it is there by mistake.",
    Severity.LOW,
)
_OTHER_COMPLAINT: Final = Meaning(
    "A feedback report of a kind this service does not know came for the mail.",
    "Stop sending to the address until the report is understood.",
    Severity.HIGH,
)


def meaning_of_bounce(bounce: Bounce) -> Meaning:
    """Explain a permanent bounce by its subtype and, for General, by its diagnostic code."""
    kind = plain(bounce.bounce_sub_type)
    if kind == "general":
        codes = set(_STATUS_CODE.findall(bounce.diagnostic_code or ""))
        if codes & _BLOCKED:
            return _BLOCKED_MAIL
        if any(code.startswith("5.1.") or code == "5.2.1" for code in codes):
            return _BAD_MAILBOX
    return _BOUNCES.get(kind, _OTHER_BOUNCE)


def meaning_of_complaint(complaint: Complaint) -> Meaning:
    """Explain a complaint by its subtype and feedback type."""
    if plain(complaint.complaint_sub_type) == "onaccountsuppressionlist":
        return _SUPPRESSED_COMPLAINT
    return _COMPLAINTS.get(plain(complaint.complaint_feedback_type), _OTHER_COMPLAINT)


def plain(word: str | None) -> str:
    """Strip case and punctuation: ``ON_ACCOUNT…`` and ``OnAccount…`` are one."""
    return re.sub(r"[^0-9a-z]", "", (word or "").lower())
