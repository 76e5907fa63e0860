"""What an event means and what to do about it, in words for a person.

The subtypes are those of SES's bounce and complaint notifications:
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
GetMessageInsights spells some of them ``LIKE_THIS``, so case and punctuation do not count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from ses_insights.domain.answer import answer_in
from ses_insights.domain.insight import DESTINATIONS_KEPT, Bounce, Complaint, Event
from ses_insights.domain.reasons import (
    ACTIONS,
    NOT_ATTEMPTED,
    SUBTYPES,
    Action,
    Confidence,
    Reading,
    Reason,
    Severity,
    Source,
    plain,
    read,
)

__all__ = [
    "Action",
    "Confidence",
    "Explanation",
    "Reason",
    "Severity",
    "contradiction",
    "explain",
    "explain_bounce",
    "explain_complaint",
    "is_complaint_of_a_person",
    "plain",
]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What happened, what to do now, how soon, and how sure that is."""

    reason: Reason
    action: Action
    severity: Severity
    confidence: Confidence
    cause: str
    next_step: str
    """What to do, and where the provider explains its answers."""
    evidence: str
    """Who says so, and what that leaves open."""


@dataclass(frozen=True, slots=True)
class _Text:
    """What is said of a reason."""

    severity: Severity
    cause: str
    next_step: str


_TEXTS: Final = {
    Reason.ADDRESS_UNKNOWN: _Text(
        Severity.MEDIUM,
        "The recipient's server does not know this address.",
        "Stop sending to the address, and check the list it came from for misspelled and old "
        "addresses.",
    ),
    Reason.MAILBOX_CLOSED: _Text(
        Severity.MEDIUM,
        "The mailbox is closed: it was disabled, given up or moved.",
        "Stop sending to the address.",
    ),
    Reason.DOMAIN_DEAD: _Text(
        Severity.MEDIUM,
        "The domain of the address does not exist or takes no mail.",
        "Stop sending to the address. If its domain is misspelled, correct it.",
    ),
    Reason.MAILBOX_FULL: _Text(
        Severity.LOW,
        "The recipient's mailbox is full.",
        "Try again in a few days. If the mailbox is still full after several mails, nobody reads "
        "it: drop the address then.",
    ),
    Reason.RATE_LIMITED: _Text(
        Severity.LOW,
        "The recipient's server got too many mails or connections in a short time.",
        "Keep the address. Send again later, and more slowly.",
    ),
    Reason.RECEIVING_SYSTEM: _Text(
        Severity.LOW,
        "The receiving mail system failed, or could not be reached in time.",
        "Keep the address and send again later. If it fails for days, check the spelling of the "
        "domain.",
    ),
    Reason.SENDER_UNAUTHENTICATED: _Text(
        Severity.HIGH,
        "The mail failed a check of its sender by SPF, DKIM or DMARC.",
        "Keep the address. Correct the DKIM, MAIL FROM (SPF) and DMARC records of the sender's "
        "domain, then send again.",
    ),
    Reason.REVERSE_DNS: _Text(
        Severity.HIGH,
        "The recipient's server does not accept the name of the server that sent the mail: it is "
        "missing in the DNS or does not match.",
        "Keep the address. Check the DNS names of your dedicated IP addresses; with SES's shared "
        "IP addresses, report it to AWS Support.",
    ),
    Reason.BLOCKLISTED: _Text(
        Severity.HIGH,
        "The recipient's server blocks the IP address or the domain the mail came from.",
        "Keep the address. Find the blocklist in the diagnostic code, stop what caused the entry, "
        "and ask for its removal; with SES's shared IP addresses, report it to AWS Support.",
    ),
    Reason.REPUTATION: _Text(
        Severity.HIGH,
        "The recipient's provider refuses the mail because of the sender's reputation.",
        "Keep the address. Send less, and only to people who read your mails, until complaints "
        "and bounces are down.",
    ),
    Reason.SENDER_ADDRESS_REFUSED: _Text(
        Severity.HIGH,
        "The recipient's server refuses the sender's address or domain, not the recipient's.",
        "Keep the address. Check that the From address and the MAIL FROM domain exist and can "
        "receive mail.",
    ),
    Reason.RELAYING: _Text(
        Severity.HIGH,
        "The server that SES reached takes no mail for the recipient's domain.",
        "Check the spelling of the domain. If it is right, the recipient's mail is set up wrong: "
        "keep the address, and tell the recipient in another way.",
    ),
    Reason.TLS: _Text(
        Severity.HIGH,
        "The mail needs an encrypted connection, and the two servers could not agree on one.",
        "Keep the address. Check the TLS policy of the configuration set; where it is right, the "
        "recipient has to correct the certificate of their server.",
    ),
    Reason.POLICY: _Text(
        Severity.MEDIUM,
        "The recipient's server refuses the mail by a rule of its own.",
        "Keep the address. Read the diagnostic code for the rule, or ask the recipient to allow "
        "your mail.",
    ),
    Reason.CONTENT: _Text(
        Severity.MEDIUM,
        "The recipient's server refuses what is in the mail: text, links, attachments or headers.",
        "Keep the address. Change what the diagnostic code names, then send again.",
    ),
    Reason.MESSAGE_TOO_LARGE: _Text(
        Severity.MEDIUM,
        "The mail is larger than the recipient's server allows.",
        "Keep the address. Send less in one mail, and links instead of attachments.",
    ),
    Reason.SUPPRESSED_GLOBALLY: _Text(
        Severity.MEDIUM,
        "The address is on SES's global suppression list, because it bounced before; delivery was "
        "not attempted.",
        "Remove the address unless you are certain that it is right: this counts in your bounce "
        "rate. It leaves the list by itself within 14 days.",
    ),
    Reason.SUPPRESSED_BY_ACCOUNT: _Text(
        Severity.LOW,
        "The address is on your account's suppression list; delivery was not attempted.",
        "Stop sending to the address, or remove it from the list if it is there by mistake.",
    ),
    Reason.SUPPRESSED_BY_TENANT: _Text(
        Severity.LOW,
        "The address is on the tenant's suppression list; delivery was not attempted.",
        "Stop sending to the address, or remove it from the list if it is there by mistake.",
    ),
    Reason.VALIDATION_SUPPRESSED: _Text(
        Severity.LOW,
        "SES's email validation holds the address for a bad one; delivery was not attempted.",
        "Stop sending to the address, or correct it if it is misspelled.",
    ),
    Reason.UNSUBSCRIBED_RECIPIENT: _Text(
        Severity.INFO,
        "The recipient has unsubscribed from this list; delivery was not attempted.",
        "Nothing to do: SES keeps to the unsubscription.",
    ),
    Reason.UNKNOWN: _Text(
        Severity.MEDIUM,
        "The mail was refused for good, for a reason this service does not know.",
        "Read the diagnostic code before you drop the address: it may be the sender's fault.",
    ),
    Reason.SPAM_REPORT: _Text(
        Severity.HIGH,
        "The recipient reported the mail as spam.",
        "Stop sending to the address at once.",
    ),
    Reason.FRAUD_OR_VIRUS: _Text(
        Severity.CRITICAL,
        "The mail was reported as phishing or as carrying malware; the sender may be compromised.",
        "Stop the campaign and rotate the sending credentials.",
    ),
    Reason.AUTHENTICATION_FAILURE: _Text(
        Severity.MEDIUM,
        "A server reported that the mail failed SPF, DKIM or DMARC; no person complained.",
        "Keep the address, and correct the records of the sender's domain.",
    ),
    Reason.NOT_SPAM: _Text(
        Severity.INFO,
        "The recipient took the mail out of the spam folder: a correction in your favour.",
        "Nothing to do.",
    ),
    Reason.OPT_OUT: _Text(
        Severity.MEDIUM,
        "The recipient asks to get no more mail of this kind.",
        "Unsubscribe the address, and stop sending to it.",
    ),
    Reason.REJECT: _Text(
        Severity.HIGH,
        "SES found malware in the mail and did not send it.",
        "Find out where the attachment comes from and remove the malware, then send again.",
    ),
    Reason.RENDERING_FAILURE: _Text(
        Severity.HIGH,
        "SES could not fill in the template and did not send the mail.",
        "Compare the template with the data of this mail: a value is missing or misnamed. Then "
        "send again.",
    ),
}

_NO_DIAGNOSTIC: Final = "SES passes on no diagnostic code."
_KEEP_UNTIL_KNOWN: Final = (
    "Look for the bounce in other reports before you drop the address: it may be the sender's "
    "fault."
)
_NOT_PERMANENT: Final = "The mail bounced, for a reason this service does not know."
_CHECK_FIRST: Final = (
    "This is not certain: read the diagnostic code before you drop the address for good."
)
_VERIFY_FIRST: Final = "This is not certain: verify the address before you drop it for good."

_FOR_A_COMPLAINT: Final = {
    Reason.SUPPRESSED_BY_ACCOUNT: "The address is on your account's suppression list for a "
    "complaint; delivery was not attempted.",
    Reason.SUPPRESSED_BY_TENANT: "The address is on the tenant's suppression list for a "
    "complaint; delivery was not attempted.",
}
_COMPLAINTS: Final = {
    "abuse": Reason.SPAM_REPORT,
    "other": Reason.SPAM_REPORT,
    "": Reason.SPAM_REPORT,
    "fraud": Reason.FRAUD_OR_VIRUS,
    "virus": Reason.FRAUD_OR_VIRUS,
    "authfailure": Reason.AUTHENTICATION_FAILURE,
    "notspam": Reason.NOT_SPAM,
    "optout": Reason.OPT_OUT,
    "optoutlist": Reason.OPT_OUT,
}
"""Feedback types in plain spelling: https://www.iana.org/assignments/marf-parameters"""

_UNNAMED: Final = frozenset({"", "other"})
_NOBODY_COMPLAINED: Final = frozenset(
    {Reason.AUTHENTICATION_FAILURE, Reason.NOT_SPAM, Reason.OPT_OUT}
)

_NO_EMAIL: Final = (
    "Not certain: AWS explains the subtype NoEmail as an address that does not exist, and "
    "elsewhere as one that SES could not read in the bounce."
)
_TRANSIENT: Final = "Not certain: SES calls the bounce transient."
_WITHOUT_EVIDENCE: Final = "Certain that the mail was refused; why is open."
_COMPLAINT_EVIDENCE: Final = {
    Reason.SPAM_REPORT: "Certain: the mailbox provider passed the report on.",
    Reason.FRAUD_OR_VIRUS: "Certain that it was reported; whether the report is right is open.",
    Reason.AUTHENTICATION_FAILURE: "Certain: a machine checked it.",
    Reason.NOT_SPAM: "Certain: the mailbox provider passed the correction on.",
    Reason.OPT_OUT: "Certain: the mailbox provider passed the request on.",
}


def explain(event: Event) -> Explanation:
    """Explain a bounce, a complaint, a rejection or a rendering failure."""
    if event.is_complaint:
        complaint = event.complaint or Complaint()
        return explain_complaint(complaint.complaint_sub_type, complaint.complaint_feedback_type)
    if event.type == "REJECT":
        return _explanation(Reason.REJECT, Confidence.HIGH, "Certain: SES did this itself.")
    if event.type == "RENDERING_FAILURE":
        reason = Reason.RENDERING_FAILURE
        return _explanation(reason, Confidence.HIGH, "Certain: SES did this itself.")
    bounce = event.bounce or Bounce()
    return explain_bounce(
        bounce.bounce_sub_type, bounce.diagnostic_code, bounce.bounce_type or "PERMANENT"
    )


@lru_cache(maxsize=2 * DESTINATIONS_KEPT)  # rows, alerts and logs of one look ask for the same
def explain_bounce(
    sub_type: str | None, diagnostic: str | None, bounce_type: str = "PERMANENT"
) -> Explanation:
    """Explain a bounce by its subtype and by what the recipient's server answered."""
    reading = read(diagnostic, sub_type)
    found = _explanation(reading.reason, reading.confidence, _evidence(reading))
    if reading.reason is Reason.UNKNOWN:
        found = _unknown(found, diagnostic, bounce_type)
    if said := contradiction(Bounce(bounce_type, sub_type, diagnostic)):
        found = _contradicted(found, said)
    if found.action is Action.STOP_SENDING and found.confidence is Confidence.LOW:
        found = _with_step(found, _CHECK_FIRST if diagnostic else _VERIFY_FIRST)
    if reading.reason not in NOT_ATTEMPTED:
        found = _with_step(found, _help_in(diagnostic))
    return found


def explain_listing(event: Event) -> Explanation:
    """Explain a bounce or complaint of which SES shows only that it listed the address for it."""
    if event.is_complaint:
        return replace(
            _explanation(
                Reason.SPAM_REPORT,
                Confidence.MEDIUM,
                "Certain that a complaint came; its kind is not known, most are about spam.",
            ),
            cause="SES lists the address for a complaint about this message and shows no more.",
        )
    return replace(
        _explanation(
            Reason.UNKNOWN, Confidence.LOW, "Certain that the mail bounced for good; why is open."
        ),
        cause="SES lists the address for a bounce of this message and shows no more.",
        next_step="SES attempts no mail to the address while it is on the account's suppression "
        "list. Leave it out of your mailings; if you know that it is good, find out why the mail "
        "was refused before you take it off that list.",
    )


def explain_reason(reason: Reason) -> Explanation:
    """Explain a reason alone, as of many alerts that have it."""
    return _explanation(reason, Confidence.HIGH, "")


def explain_complaint(sub_type: str | None, feedback_type: str | None) -> Explanation:
    """Explain a complaint by its subtype and its feedback type."""
    listed = SUBTYPES.get(plain(sub_type))
    if listed in _FOR_A_COMPLAINT:
        evidence = "Certain: SES says so itself. Nobody complained about this mail."
        return replace(
            _explanation(listed, Confidence.HIGH, evidence), cause=_FOR_A_COMPLAINT[listed]
        )
    kind = plain(feedback_type)
    reason = _COMPLAINTS.get(kind)
    if reason is None:
        return replace(
            _explanation(
                Reason.SPAM_REPORT, Confidence.LOW, "Certain that a report came; its kind is new."
            ),
            cause="A feedback report of a kind this service does not know came for the mail.",
            next_step="Stop sending to the address until the report is understood.",
        )
    if kind in _UNNAMED:
        evidence = "Certain that a report came; it does not name its kind, most are about spam."
        return _explanation(reason, Confidence.MEDIUM, evidence)
    return _explanation(reason, Confidence.HIGH, _COMPLAINT_EVIDENCE[reason])


def is_complaint_of_a_person(complaint: Complaint) -> bool:
    """Whether somebody complained about this mail.

    Nobody did where a machine reports a failure, the recipient corrects a spam filter or asks to
    be unsubscribed, or SES did not try to deliver. A report of a new kind counts as a complaint.
    """
    if SUBTYPES.get(plain(complaint.complaint_sub_type)) in _FOR_A_COMPLAINT:
        return False
    reason = _COMPLAINTS.get(plain(complaint.complaint_feedback_type))
    return reason not in _NOBODY_COMPLAINED


def contradiction(bounce: Bounce) -> str | None:
    """Say where SES calls a bounce transient and the recipient's server answered for good.

    None where they agree. A full mailbox, a limit and a failing system pass, whatever their code.
    """
    if plain(bounce.bounce_type) != "transient":
        return None
    reading = read(bounce.diagnostic_code, bounce.bounce_sub_type)
    action = ACTIONS[reading.reason]
    if reading.reason in NOT_ATTEMPTED or action is Action.RETRY_LATER:
        return None
    named = reading.code or reading.reply
    if not reading.is_final and (named or action is not Action.STOP_SENDING):
        return None
    by = f"with the code {named}" if named else "in words"
    if reading.reason is Reason.UNKNOWN:
        return f"SES calls the bounce transient, but the recipient's server refused for good {by}."
    cause = _TEXTS[reading.reason].cause
    return (
        f"SES calls the bounce transient, but the recipient's server refused for good {by}: "
        f"{cause[0].lower()}{cause[1:]}"
    )


def _explanation(reason: Reason, confidence: Confidence, evidence: str) -> Explanation:
    text = _TEXTS[reason]
    return Explanation(
        reason=reason,
        action=ACTIONS[reason],
        severity=text.severity,
        confidence=confidence,
        cause=text.cause,
        next_step=text.next_step,
        evidence=evidence,
    )


def _unknown(found: Explanation, diagnostic: str | None, bounce_type: str) -> Explanation:
    cause = found.cause if plain(bounce_type) == "permanent" else _NOT_PERMANENT
    if diagnostic:
        return replace(found, cause=cause)
    return replace(found, cause=f"{cause} {_NO_DIAGNOSTIC}", next_step=_KEEP_UNTIL_KNOWN)


def _contradicted(found: Explanation, said: str) -> Explanation:
    """Let the contradiction stand first; it makes a reason to stop uncertain, and no other."""
    if found.action is not Action.STOP_SENDING:
        return replace(found, cause=said)
    return replace(found, cause=said, confidence=Confidence.LOW, evidence=_TRANSIENT)


def _with_step(found: Explanation, more: str | None) -> Explanation:
    return replace(found, next_step=f"{found.next_step} {more}") if more else found


# ------------------------------------------------------------------------------ who says so


def _evidence(reading: Reading) -> str:
    """Say who names the reason, and who names another."""
    if not reading.sources:
        return _WITHOUT_EVIDENCE
    if reading.reason in NOT_ATTEMPTED and Source.SUBTYPE in reading.sources:
        return "Certain: SES says so itself."
    who = _listed(reading.sources, reading)
    if reading.against:
        return f"Not certain. For it: {who}. Against it: {_listed(reading.against, reading)}."
    match reading.confidence:
        case Confidence.HIGH:
            return f"Certain: {who} agree."
        case Confidence.MEDIUM:
            return f"Likely, by {who} alone."
    return _NO_EMAIL if Source.SUBTYPE in reading.sources else f"Not certain: by {who} alone."


def _listed(sources: tuple[Source, ...], reading: Reading) -> str:
    """Name who speaks, as a part of a sentence."""
    names = {
        Source.WORDS: "the words of the recipient's server",
        Source.CODE: f"the code {reading.code}",
        Source.SUBTYPE: "SES's subtype",
        Source.HINT: "a hint of the recipient's server",
        Source.REPLY: f"the reply code {reading.reply}",
    }
    *others, last = (names[source] for source in sources)
    return f"{', '.join(others)} and {last}" if others else last


# ------------------------------------------------------------------------------ where to read on

_MICROSOFT: Final = "https://learn.microsoft.com/troubleshoot/exchange/email-delivery/ndr"
_PAGES: Final = (
    # Blocklists first: the provider's page only says that there is one.
    ("spamhaus|abuseat", "Spamhaus looks an entry up", "https://check.spamhaus.org/"),
    (
        "barracuda(?:central|networks)",
        "Barracuda removes an entry",
        "https://www.barracudacentral.org/rbl/removal-request",
    ),
    ("spamcop", "SpamCop looks an entry up", "https://www.spamcop.net/bl.shtml"),
    (
        r"csi\.cloudmark",
        "Cloudmark resets an IP address",
        "https://csi.cloudmark.com/reset-request/",
    ),
    (r"proofpoint\.com", "Proofpoint looks an IP address up", "https://ipcheck.proofpoint.com/"),
    (
        r"(?<![\w.])5\.7\.6\d\d\b(?!\.)|sender\.office\.com",
        "Microsoft 365 removes an IP address",
        "https://sender.office.com/",
    ),
    (
        r"\bs31[45]0\b|mail\.live\.com|(?<![\w.])5\.7\.515\b(?!\.)",
        "Outlook.com helps senders",
        "https://sendersupport.olc.protection.outlook.com/pm/",
    ),
    (
        r"\bas\(?\d{3}|outlook\.com\b|(?<![\w.])5\.7\.[57]\d\d\b(?!\.)|\bresolver\.|\bstoredrv\b",
        "Microsoft 365 explains its answers",
        f"{_MICROSOFT}/non-delivery-reports-in-exchange-online",
    ),
    (
        r"\bgsmtp\b|\bgcdp\b|support\.google\.com",
        "Gmail explains its answers",
        "https://support.google.com/a/answer/3726730",
    ),
    (
        r"\[(?:tss?|bl|ph|gl)\d\d\]|yahooinc\.com|yahoodns|postmaster\.yahoo",
        "Yahoo explains its answers",
        "https://senders.yahooinc.com/smtp-error-codes/",
    ),
    (
        r"\[(?:cs|hm|hme)\d+\]|support\.apple\.com",
        "Apple helps senders",
        "https://support.apple.com/102322",
    ),
    (
        r"postmaster\.comcast|\b(?:bl|rl)0\d{5}\b",
        "Comcast explains its answers",
        "https://www.xfinity.com/support/articles/email-errors",
    ),
    (
        r"\baup#",
        "Spectrum explains its answers",
        "https://www.spectrum.net/support/internet/understanding-email-error-codes",
    ),
    (r"\bofr_?\d", "Orange explains its answers", "https://postmaster.orange.fr/"),
    (r"\blpn_?\d", "La Poste explains its answers", "https://postmaster.laposte.net/"),
    (
        r"postmaster\.(?:gmx|web|mail|1and1)\.|nemesis esmtp",
        "GMX and WEB.DE explain their answers",
        "https://postmaster.gmx.com/en/error-messages",
    ),
)
"""Marks of providers and lists in an answer, and the page that explains or mends it."""


def _help_in(diagnostic: str | None) -> str | None:
    """Find the page of help of the provider that answered, or of the list it names."""
    if not diagnostic:
        return None
    text = answer_in(diagnostic).text
    pages = (f"{what}: {url}" for mark, what, url in _PAGES if re.search(mark, text))
    return next(pages, None)
