"""What a finding means and what to do about it, in words for a person.

The subtypes are those of SES's bounce and complaint notifications:
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
Only the spelling of ``ON_ACCOUNT_SUPPRESSION_LIST`` was seen in GetMessageInsights, so they are
compared without case and punctuation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from ses_insights.domain.insight import Bounce, Complaint, Event


class Severity(StrEnum):
    """How soon somebody should act."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What happened, what to do now, how soon, and how sure that is."""

    cause: str
    next_step: str
    severity: Severity
    confidence: str
    """Who says so, and what that leaves open."""


# An enhanced status code (RFC 3463), and no part of an IP address or of a version.
_STATUS_CODE: Final = re.compile(r"(?<![\w.])5\.\d{1,3}\.\d{1,3}(?!\.?\w)")
_BLOCKED: Final = frozenset({"5.4.1", "5.4.4", "5.4.14", "5.7.1"})

_SAID_BY_SERVER: Final = "Sure: the recipient's server said so, with the code {code}."
_BAD_MAILBOX: Final = Explanation(
    "The address does not exist or takes no mail.",
    "Stop sending to the address and mend the list it came from.",
    Severity.HIGH,
    "Quite sure: SES calls it a bad address, without the words of the recipient's server.",
)
_BLOCKED_MAIL: Final = Explanation(
    "The recipient's server refused the mail by policy, routing or reputation.",
    "Look at the sender's DNS records and reputation; the address itself may be good.",
    Severity.HIGH,
    _SAID_BY_SERVER,
)
_CONTRADICTED: Final = (
    "Less sure: SES calls it a bad address, but the code {code} of the recipient's server speaks "
    "of policy, routing or reputation."
)
_BOUNCES: Final = {
    "general": Explanation(
        "The recipient's server refused the mail for good and gave no reason SES could name.",
        "Stop sending to the address and read the diagnostic code.",
        Severity.HIGH,
        "Sure that it was refused; the reason is open.",
    ),
    "noemail": _BAD_MAILBOX,
    "suppressed": Explanation(
        "The address is on SES's global suppression list; delivery was not attempted.",
        "Verify the address. It leaves the list by itself within 14 days.",
        Severity.LOW,
        "Sure that it was not attempted; the address may be good, nobody tried it this time.",
    ),
    "onaccountsuppressionlist": Explanation(
        "The address is on your account's suppression list; delivery was not attempted.",
        "Stop enqueuing the address, or remove it from the list if it is there by mistake.",
        Severity.LOW,
        "Sure: the list is your own.",
    ),
}
_OTHER_BOUNCE: Final = Explanation(
    "The mail was refused for good, for a reason this service does not know.",
    "Stop sending to the address and read the diagnostic code.",
    Severity.HIGH,
    "Sure that it was refused; the reason is open.",
)

_NO_KIND: Final = (
    "Sure that a report came; that it means spam is likely, it does not name its kind."
)
_SPAM: Final = Explanation(
    "The recipient reported the mail as spam.",
    "Stop sending to the address at once.",
    Severity.HIGH,
    "Sure: the mailbox provider passed the report on.",
)
_ABUSED_SENDER: Final = Explanation(
    "The mail was reported as phishing or as carrying malware; the sender may be compromised.",
    "Stop the campaign and rotate the sending credentials.",
    Severity.CRITICAL,
    "Sure that it was reported; whether the report is right is open.",
)
_COMPLAINTS: Final = {
    "abuse": _SPAM,
    "other": replace(_SPAM, confidence=_NO_KIND),
    "": replace(_SPAM, confidence=_NO_KIND),
    "fraud": _ABUSED_SENDER,
    "virus": _ABUSED_SENDER,
    "authfailure": Explanation(
        "A server reported that the mail failed DKIM or DMARC; no person complained.",
        "Mend the sender's authentication; keep the address.",
        Severity.MEDIUM,
        "Sure of the failure: a machine checked it.",
    ),
    "notspam": Explanation(
        "The recipient took the mail out of the spam folder: a correction in your favour.",
        "Nothing to do.",
        Severity.INFO,
        "Sure: the mailbox provider passed the correction on.",
    ),
}
_SUPPRESSED_COMPLAINT: Final = Explanation(
    "The address is on your account's suppression list for a complaint; "
    "delivery was not attempted.",
    "Stop enqueuing the address, or remove it from the list if it is there by mistake.",
    Severity.LOW,
    "Sure: the list is your own; nobody complained about this mail.",
)
_OTHER_COMPLAINT: Final = Explanation(
    "A feedback report of a kind this service does not know came for the mail.",
    "Stop sending to the address until the report is understood.",
    Severity.HIGH,
    "Sure that a report came; what it says is open.",
)


NOBODY_COMPLAINED: Final = frozenset({"authfailure", "notspam"})
"""Feedback types of reports that no complaint of a person is behind, in plain spelling."""


def explain(event: Event) -> Explanation:
    """Explain a permanent bounce or a complaint."""
    if event.is_complaint:
        return explain_complaint(event.complaint or Complaint())
    return explain_bounce(event.bounce or Bounce())


def explain_bounce(bounce: Bounce) -> Explanation:
    """Explain a permanent bounce by its subtype and its diagnostic code.

    The code tells the cause of General, and how sure a bad address is.
    """
    kind = plain(bounce.bounce_sub_type)
    codes = _STATUS_CODE.findall(bounce.diagnostic_code or "")
    blocked = next((code for code in codes if code in _BLOCKED), None)
    bad = next((code for code in codes if code.startswith("5.1.") or code == "5.2.1"), None)
    if kind == "general" and blocked:
        return _said(_BLOCKED_MAIL, _SAID_BY_SERVER, blocked)
    if kind in {"general", "noemail"} and bad:
        return _said(_BAD_MAILBOX, _SAID_BY_SERVER, bad)
    if kind == "noemail" and blocked:
        return _said(_BAD_MAILBOX, _CONTRADICTED, blocked)
    return _BOUNCES.get(kind, _OTHER_BOUNCE)


def explain_complaint(complaint: Complaint) -> Explanation:
    """Explain a complaint by its subtype and feedback type."""
    if plain(complaint.complaint_sub_type) == "onaccountsuppressionlist":
        return _SUPPRESSED_COMPLAINT
    return _COMPLAINTS.get(plain(complaint.complaint_feedback_type), _OTHER_COMPLAINT)


def plain(word: str | None) -> str:
    """Strip case and punctuation: ``ON_ACCOUNT…`` and ``OnAccount…`` are one."""
    return re.sub(r"[^0-9a-z]", "", (word or "").lower())


def _said(meaning: Explanation, confidence: str, code: str) -> Explanation:
    return replace(meaning, confidence=confidence.format(code=code))
