"""Cause, next step, severity and evidence of each finding."""

from dataclasses import fields
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.explanation import (
    Action,
    Confidence,
    Explanation,
    Reason,
    Severity,
    contradiction,
    explain,
    explain_bounce,
    explain_complaint,
    explain_listing,
    is_complaint_of_a_person,
    plain,
)
from ses_insights.domain.insight import Bounce, Complaint, Event
from ses_insights.domain.reasons import SUBTYPES

GENERAL: Final = "General"
KNOWN: Final = [
    ("550 User unknown", "medium", "does not know this address", "Stop sending"),
    ("550 Mailbox disabled", "medium", "mailbox is closed", "Stop sending"),
    ("550 Unknown domain", "medium", "domain of the address", "Stop sending"),
    ("552 Mailbox full", "low", "mailbox is full", "Try again in a few days"),
    ("550 Rate limit exceeded", "low", "short time", "Send again later"),
    ("550 Mail loop", "low", "receiving mail system failed", "send again later"),
    ("550 SPF check failed", "high", "SPF, DKIM or DMARC", "DKIM, MAIL FROM (SPF)"),
    ("550 No PTR record", "high", "name of the server", "DNS names"),
    ("550 You are on our blocklist", "high", "blocks the IP address", "ask for its removal"),
    ("550 Poor reputation", "high", "sender's reputation", "Send less"),
    ("550 Invalid sender", "high", "not the recipient's", "From address"),
    ("550 Relay access denied", "high", "takes no mail for the", "spelling of the domain"),
    ("550 STARTTLS is required", "high", "encrypted connection", "TLS policy"),
    ("550 Refused by policy", "medium", "a rule of its own", "ask the recipient"),
    ("550 This is spam", "medium", "what is in the mail", "Change what"),
    ("552 Message too large", "medium", "larger than", "links instead of attachments"),
]


@pytest.mark.parametrize(("diagnostic", "severity", "cause", "next_step"), KNOWN)
def test_a_bounce_is_explained_by_its_reason(
    diagnostic: str, severity: str, cause: str, next_step: str
) -> None:
    """Each reason has its severity, its cause and its next step."""
    found = explain_bounce(GENERAL, f"smtp; {diagnostic}")
    assert found.severity == severity
    assert cause in found.cause
    assert next_step in found.next_step


@pytest.mark.parametrize(
    ("sub_type", "action", "severity", "cause", "next_step"),
    [
        ("Suppressed", "stop-sending", "medium", "global suppression list", "bounce rate"),
        ("OnAccountSuppressionList", "stop-sending", "low", "your account's", "by mistake"),
        ("OnTenantSuppressionList", "stop-sending", "low", "the tenant's", "by mistake"),
        ("EmailValidationSuppressed", "stop-sending", "low", "email validation", "misspelled"),
        ("UnsubscribedRecipient", "none", "info", "has unsubscribed", "Nothing to do"),
    ],
)
def test_what_ses_did_not_try_is_explained_by_its_subtype(
    sub_type: str, action: str, severity: str, cause: str, next_step: str
) -> None:
    """Delivery was not attempted, and the words of no server change that."""
    found = explain_bounce(sub_type, "smtp; 550 5.7.1 refused - gsmtp")
    assert found.action == action
    assert found.severity == severity
    assert found.confidence == "high"
    assert cause in found.cause
    assert "not attempted" in found.cause
    assert next_step in found.next_step
    assert "https://" not in found.next_step


def test_an_unknown_cause_is_reviewed_before_an_address_is_dropped() -> None:
    """It may be the sender's fault, so nobody is told to stop."""
    found = explain_bounce(GENERAL, "smtp; 550 we did not like it")
    assert found.reason == "unknown"
    assert found.action == "review"
    assert found.severity == "medium"
    assert found.next_step == (
        "Read the diagnostic code before you drop the address: it may be the sender's fault."
    )


def test_where_there_is_no_diagnostic_code_nobody_is_sent_to_read_it() -> None:
    """The advice fits what there is."""
    found = explain_bounce(GENERAL, None)
    assert "SES passes on no diagnostic code" in found.cause
    assert "Read the diagnostic code" not in found.next_step
    assert "before you drop the address" in found.next_step


@pytest.mark.parametrize("bounce_type", ["TRANSIENT", "UNDETERMINED"])
def test_an_unknown_cause_is_not_for_good_where_ses_does_not_say_so(bounce_type: str) -> None:
    """Only a permanent bounce was refused for good."""
    assert "for good" in explain_bounce(GENERAL, "what?").cause
    assert "for good" not in explain_bounce(GENERAL, "what?", bounce_type).cause


# Texts that public bug reports have.


def test_a_dead_domain_is_dropped() -> None:
    """5.4.4 of SES is no policy."""
    found = explain_bounce(GENERAL, "smtp; 550 5.4.4 Invalid domain")
    assert (found.reason, found.action) == (Reason.DOMAIN_DEAD, Action.STOP_SENDING)


def test_a_refused_sender_is_not_an_unknown_recipient() -> None:
    """The domain that was not found is the sender's."""
    found = explain_bounce(
        GENERAL, "smtp; 550 5.1.8 <news@shop.example>: Sender address rejected: Domain not found"
    )
    assert (found.reason, found.action) == (Reason.SENDER_ADDRESS_REFUSED, Action.FIX_SENDER)


def test_the_code_within_the_quotes_is_the_servers() -> None:
    """SES's own prefix hides it."""
    found = explain_bounce(
        GENERAL,
        "smtp; 5.1.0 - Unknown address error 550-'5.2.2 <a@b.example>... Mailbox Full' "
        "(delivery attempts: 0)",
    )
    assert (found.reason, found.action) == (Reason.MAILBOX_FULL, Action.RETRY_LATER)
    assert "5.2.2" in found.evidence


def test_access_denied_to_a_recipient_of_microsoft_is_an_unknown_address() -> None:
    """And it is not said to be certain."""
    found = explain_bounce(
        GENERAL, "smtp; 550 5.4.1 Recipient address rejected: Access denied. AS(201806281)"
    )
    assert found.reason == Reason.ADDRESS_UNKNOWN
    assert found.confidence == Confidence.MEDIUM


def test_an_unauthenticated_sender_keeps_the_address() -> None:
    """5.7.26 in an answer of two lines."""
    found = explain_bounce(
        GENERAL,
        "smtp; 550-5.7.26 Unauthenticated email from shop.example is not accepted due to\n"
        "550-5.7.26 domain's DMARC policy.",
    )
    assert (found.reason, found.action) == (Reason.SENDER_UNAUTHENTICATED, Action.FIX_SENDER)
    assert found.next_step.startswith("Keep the address.")


def test_a_transient_bounce_that_is_refused_for_good_names_the_contradiction() -> None:
    """And nobody is told that the address may be fine."""
    said = contradiction(Bounce("TRANSIENT", GENERAL, "smtp; 550 5.4.4 Invalid domain"))
    assert said == (
        "SES calls the bounce transient, but the recipient's server refused for good with the "
        "code 5.4.4: the domain of the address does not exist or takes no mail."
    )


@pytest.mark.parametrize(
    ("diagnostic", "named"),
    [
        ("550 5.4.4 no", "the code 5.4.4"),
        ("550 User unknown", "the code 550"),
        ("User unknown", "in words"),
        ("550 5.7.1 Refused by policy", "the code 5.7.1"),
        ("554 no idea", "the code 554"),
    ],
)
def test_a_contradiction_names_what_the_server_said(diagnostic: str, named: str) -> None:
    """By its code, or where it gave none, by its words."""
    said = contradiction(Bounce("Transient", GENERAL, diagnostic))
    assert said is not None
    assert named in said
    assert "fine" not in said


@pytest.mark.parametrize(
    ("bounce_type", "sub_type", "diagnostic"),
    [
        ("PERMANENT", GENERAL, "550 5.4.4 Invalid domain"),
        ("UNDETERMINED", GENERAL, "550 5.4.4 Invalid domain"),
        (None, GENERAL, "550 5.4.4 Invalid domain"),
        ("TRANSIENT", "MailboxFull", "552 5.2.2 Mailbox full"),
        ("TRANSIENT", GENERAL, "550 4.4.7 Message expired"),
        ("TRANSIENT", GENERAL, "450 4.1.1 User unknown"),
        ("TRANSIENT", GENERAL, "Refused by policy"),
        ("TRANSIENT", GENERAL, None),
        ("TRANSIENT", "OnAccountSuppressionList", "550 5.1.1"),
    ],
)
def test_where_ses_and_the_server_agree_there_is_no_contradiction(
    bounce_type: str | None, sub_type: str, diagnostic: str | None
) -> None:
    """A full mailbox passes, and so does what the server itself calls transient."""
    assert contradiction(Bounce(bounce_type, sub_type, diagnostic)) is None


def test_a_contradicted_reason_to_stop_is_not_certain() -> None:
    """Its cause is the contradiction, and the address is looked at before it is dropped."""
    found = explain_bounce(GENERAL, "smtp; 550 5.4.4 Invalid domain", "TRANSIENT")
    assert found.cause.startswith("SES calls the bounce transient")
    assert found.confidence == "low"
    assert found.evidence == "Not certain: SES calls the bounce transient."
    assert "This is not certain" in found.next_step


def test_a_contradicted_fault_of_the_sender_stays_certain() -> None:
    """Whether the answer is final does not matter for what has to be corrected."""
    found = explain_bounce(GENERAL, "smtp; 550 5.7.26 DMARC", "TRANSIENT")
    assert found.cause.startswith("SES calls the bounce transient")
    assert found.confidence == "high"


@pytest.mark.parametrize(
    ("sub_type", "diagnostic", "evidence"),
    [
        (
            GENERAL,
            "550 5.1.1 User unknown",
            "Certain: the words of the recipient's server and the code 5.1.1 agree.",
        ),
        (
            "NoEmail",
            "550 5.1.1 User unknown",
            "Certain: the words of the recipient's server, the code 5.1.1 and SES's subtype agree.",
        ),
        (GENERAL, "550 User unknown", "Likely, by the words of the recipient's server alone."),
        (GENERAL, "550 5.1.1", "Likely, by the code 5.1.1 alone."),
        ("MailboxFull", None, "Likely, by SES's subtype alone."),
        (
            GENERAL,
            "550 5.7.1 User unknown",
            (
                "Not certain. For it: the words of the recipient's server. "
                "Against it: the code 5.7.1."
            ),
        ),
        (
            GENERAL,
            "550 This address is rejected",
            "Not certain: by a hint of the recipient's server alone.",
        ),
        (GENERAL, "552", "Not certain: by the reply code 552 alone."),
        ("Suppressed", None, "Certain: SES says so itself."),
        (GENERAL, None, "Certain that the mail was refused; why is open."),
    ],
)
def test_a_bounce_says_who_says_so(sub_type: str, diagnostic: str | None, evidence: str) -> None:
    """The server's words, its codes and SES's subtype are told apart."""
    assert explain_bounce(sub_type, diagnostic).evidence == evidence


def test_no_email_alone_is_what_aws_is_not_sure_of() -> None:
    """Two pages of AWS explain the subtype, each in its own way."""
    found = explain_bounce("NoEmail", None)
    assert found.reason == "address-unknown"
    assert found.confidence == "low"
    assert "AWS explains the subtype NoEmail" in found.evidence
    assert "verify the address before you drop it" in found.next_step


@pytest.mark.parametrize("diagnostic", ["550 5.7.1 User unknown", "550 This address is rejected"])
def test_an_address_is_not_dropped_on_an_uncertain_word(diagnostic: str) -> None:
    """Somebody reads the answer first."""
    found = explain_bounce(GENERAL, diagnostic)
    assert found.action == "stop-sending"
    assert found.confidence == "low"
    assert "read the diagnostic code before you drop the address" in found.next_step


PAGES: Final = [
    ("550 5.7.1 blocked using zen.spamhaus.org - gsmtp", "https://check.spamhaus.org/"),
    (
        "554 see http://www.barracudanetworks.com/reputation/",
        "https://www.barracudacentral.org/rbl/removal-request",
    ),
    ("550 blocked using bl.spamcop.net", "https://www.spamcop.net/bl.shtml"),
    ("550 in csi.cloudmark.com", "https://csi.cloudmark.com/reset-request/"),
    ("550 see https://ipcheck.proofpoint.com/?ip=203.0.113.5", "https://ipcheck.proofpoint.com/"),
    ("550 5.7.606 Access denied", "https://sender.office.com/"),
    ("550 5.7.1 on our list (S3150)", "https://sendersupport.olc.protection.outlook.com/pm/"),
    ("550 5.7.515 Access denied", "https://sendersupport.olc.protection.outlook.com/pm/"),
    ("550 5.7.509 Access denied", "non-delivery-reports-in-exchange-online"),
    ("550 5.4.1 AS(201806281)", "non-delivery-reports-in-exchange-online"),
    ("550 5.1.1 RESOLVER.ADR.RecipNotFound", "non-delivery-reports-in-exchange-online"),
    ("550 5.1.1 NoSuchUser a1 - gsmtp", "https://support.google.com/a/answer/3726730"),
    ("554 5.7.9 [TSS04] policy", "https://senders.yahooinc.com/smtp-error-codes/"),
    ("550 5.7.1 [CS01] policy", "https://support.apple.com/102322"),
    ("554 5.7.1 [HM08] policy", "https://support.apple.com/102322"),
    ("554 blocked BL000010", "https://www.xfinity.com/support/articles/email-errors"),
    ("554 blocked AUP#1310", "understanding-email-error-codes"),
    ("550 5.1.1 invalide OFR_416", "https://postmaster.orange.fr/"),
    ("550 5.1.1 invalide LPN007_401", "https://postmaster.laposte.net/"),
    (
        "550 see https://postmaster.gmx.net/en/case?c=hi",
        "https://postmaster.gmx.com/en/error-messages",
    ),
]


@pytest.mark.parametrize(("diagnostic", "page"), PAGES)
def test_the_next_step_names_the_providers_page(diagnostic: str, page: str) -> None:
    """Each provider leaves its mark in its answers; a blocklist comes before a provider."""
    next_step = explain_bounce(GENERAL, f"smtp; {diagnostic}").next_step
    assert page in next_step
    assert next_step.count("https://") == 1


@pytest.mark.parametrize(
    "diagnostic",
    ["550 User unknown", "550 <gsmtp@spamhaus.org>: User unknown", "550 203.5.7.606 refused", None],
)
def test_an_answer_without_a_mark_names_no_page(diagnostic: str | None) -> None:
    """Recipients' addresses and numbers of servers are no marks."""
    assert "https://" not in explain_bounce(GENERAL, diagnostic).next_step


# ------------------------------------------------------------------------------ complaints


SPAM: Final = ("spam-report", "stop-sending", "high", "as spam", "at once")
NEW_REPORT: Final = ("spam-report", "stop-sending", "high", "does not know", "until the report")
PHISHING: Final = ("fraud-or-virus", "fix-sender", "critical", "phishing", "credentials")
CHECKED: Final = ("authentication-failure", "fix-sender", "medium", "no person", "Keep the address")
IN_FAVOUR: Final = ("not-spam", "none", "info", "in your favour", "Nothing to do")
OPT_OUT: Final = ("opt-out", "stop-sending", "medium", "no more mail", "Unsubscribe")


@pytest.mark.parametrize(
    ("feedback", "confidence", "expected"),
    [
        ("abuse", "high", SPAM),
        ("Abuse", "high", SPAM),
        ("other", "medium", SPAM),
        ("", "medium", SPAM),
        (None, "medium", SPAM),
        ("fraud", "high", PHISHING),
        ("virus", "high", PHISHING),
        ("auth-failure", "high", CHECKED),
        ("AUTH_FAILURE", "high", CHECKED),
        ("not-spam", "high", IN_FAVOUR),
        ("NotSpam", "high", IN_FAVOUR),
        ("opt-out", "high", OPT_OUT),
        ("opt-out-list", "high", OPT_OUT),
        ("something-new", "low", NEW_REPORT),
    ],
)
def test_a_complaint_is_explained_by_its_feedback_type(
    feedback: str | None, confidence: str, expected: tuple[str, str, str, str, str]
) -> None:
    """Each feedback type has its reason; none means spam, and a new one is taken as gravely."""
    found = explain_complaint(None, feedback)
    assert (found.reason, found.action, found.severity) == expected[:3]
    assert found.confidence == confidence
    assert expected[3] in found.cause
    assert expected[4] in found.next_step


@pytest.mark.parametrize(
    ("sub_type", "reason"),
    [
        ("OnAccountSuppressionList", "suppressed-by-account"),
        ("ON_ACCOUNT_SUPPRESSION_LIST", "suppressed-by-account"),
        ("OnTenantSuppressionList", "suppressed-by-tenant"),
    ],
)
@pytest.mark.parametrize("feedback", [None, "abuse", "fraud", "not-spam"])
def test_a_suppressed_complaint_is_low_whatever_its_feedback(
    sub_type: str, reason: str, feedback: str | None
) -> None:
    """Nobody got that mail: the address is on a list already."""
    found = explain_complaint(sub_type, feedback)
    assert found.reason == reason
    assert found.severity == "low"
    assert "suppression list for a complaint" in found.cause
    assert "Nobody complained about this mail" in found.evidence


@pytest.mark.parametrize(
    ("sub_type", "feedback", "complained"),
    [
        (None, "abuse", True),
        (None, "other", True),
        (None, None, True),
        (None, "", True),
        (None, "fraud", True),
        (None, "VIRUS", True),
        (None, "something-new", True),
        ("SomethingNew", "abuse", True),
        (None, "auth-failure", False),
        (None, "AUTH_FAILURE", False),
        (None, "not-spam", False),
        (None, "opt-out", False),
        (None, "opt-out-list", False),
        ("OnAccountSuppressionList", "abuse", False),
        ("ON_ACCOUNT_SUPPRESSION_LIST", None, False),
        ("OnTenantSuppressionList", "fraud", False),
    ],
)
def test_a_complaint_is_of_a_person_unless_nobody_complained(
    sub_type: str | None,
    feedback: str | None,
    complained: bool,  # noqa: FBT001
) -> None:
    """After a report that nobody complained by, a complaint can still come."""
    assert is_complaint_of_a_person(Complaint(sub_type, feedback)) is complained


# ------------------------------------------------------------------------------ events


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (
            Event("BOUNCE", bounce=Bounce("PERMANENT", GENERAL, "550 User unknown")),
            "address-unknown",
        ),
        (Event("BOUNCE", bounce=Bounce("Permanent", "MailboxFull")), "mailbox-full"),
        (Event("BOUNCE", bounce=Bounce()), "unknown"),
        (Event("BOUNCE"), "unknown"),
        (Event("COMPLAINT", complaint=Complaint(None, "fraud")), "fraud-or-virus"),
        (Event("COMPLAINT"), "spam-report"),
        (Event("REJECT"), "reject"),
        (Event("RENDERING_FAILURE"), "rendering-failure"),
    ],
)
def test_an_event_is_explained_by_what_it_is(event: Event, reason: str) -> None:
    """Also where SES leaves out the details."""
    assert explain(event).reason == reason


@pytest.mark.parametrize(
    ("event_type", "cause", "next_step"),
    [
        ("REJECT", "malware", "remove the malware"),
        ("RENDERING_FAILURE", "fill in the template", "Compare the template"),
    ],
)
def test_a_mail_that_ses_did_not_send_is_the_senders_to_correct(
    event_type: str, cause: str, next_step: str
) -> None:
    """It would be lost in silence otherwise."""
    found = explain(Event(event_type))
    assert (found.action, found.severity) == (Action.FIX_SENDER, Severity.HIGH)
    assert found.confidence == Confidence.HIGH
    assert cause in found.cause
    assert next_step in found.next_step


def test_a_transient_event_is_explained_as_one() -> None:
    """The bounce type goes with the event."""
    event = Event("BOUNCE", bounce=Bounce("TRANSIENT", GENERAL, "550 5.4.4 Invalid domain"))
    assert explain(event).cause.startswith("SES calls the bounce transient")


def test_words_are_compared_without_case_and_punctuation() -> None:
    """Two spellings of one word are one word."""
    assert plain("On_Account-Suppression List7") == "onaccountsuppressionlist7"


# ------------------------------------------------------------------------------ every sentence

TEXTS: Final = st.none() | st.text(max_size=200)
FOUND: Final = st.one_of(
    st.builds(
        explain_bounce,
        TEXTS | st.sampled_from(sorted(SUBTYPES)),
        TEXTS | st.sampled_from([diagnostic for diagnostic, *_ in (*KNOWN, *PAGES)]),
        st.sampled_from(["PERMANENT", "TRANSIENT", "UNDETERMINED", ""]),
    ),
    st.builds(explain_complaint, TEXTS, TEXTS | st.sampled_from(["abuse", "fraud", "opt-out"])),
)


@given(FOUND)
def test_every_field_is_for_a_person(found: Explanation) -> None:
    """Nothing is empty, no placeholder is left, and nobody's text stands in it."""
    for name in (field.name for field in fields(found)):
        value = getattr(found, name)
        assert value
        assert "{" not in value
        assert value.isascii()
        assert value.isprintable()


@given(FOUND)
def test_an_unknown_cause_never_orders_a_stop(found: Explanation) -> None:
    """A person who stops mailing a good address because of us is the fault to prevent."""
    if found.reason is Reason.UNKNOWN:
        assert found.action is Action.REVIEW
        assert "before you drop the address" in found.next_step
        assert "Stop sending" not in found.next_step


@given(FOUND)
def test_only_a_reason_to_stop_says_stop(found: Explanation) -> None:
    """Action and next step never disagree."""
    if found.action in {Action.RETRY_LATER, Action.REVIEW, Action.NONE}:
        assert "Stop sending" not in found.next_step
    if found.action is Action.FIX_SENDER:
        assert "Stop sending" not in found.next_step
        assert "drop" not in found.next_step


@given(TEXTS, TEXTS)
def test_a_transient_bounce_never_has_an_address_that_may_be_fine(
    sub_type: str | None, diagnostic: str | None
) -> None:
    """The contradiction says what is so, and promises nothing."""
    said = contradiction(Bounce("TRANSIENT", sub_type, diagnostic)) or ""
    assert "may be" not in said


def test_a_complaint_that_is_only_listed_is_explained_as_far_as_it_is_known() -> None:
    """SES says that it came, and nothing of its kind."""
    found = explain_listing(Event("COMPLAINT", complaint=Complaint()))
    assert found.reason is Reason.SPAM_REPORT
    assert found.confidence is Confidence.MEDIUM
    assert "its kind is not known" in found.evidence
    assert found.cause.startswith("SES lists the address for a complaint about this message")


def test_a_bounce_that_is_only_listed_is_explained_as_far_as_it_is_known() -> None:
    """Why it bounced is open; SES attempts no more mail to the address."""
    found = explain_listing(Event("BOUNCE", bounce=Bounce("PERMANENT")))
    assert found.reason is Reason.UNKNOWN
    assert found.confidence is Confidence.LOW
    assert "why is open" in found.evidence
    assert found.cause.startswith("SES lists the address for a bounce of this message")
    assert "Leave it out of your mailings" in found.next_step


def test_a_complaint_that_ses_itself_explains_is_certain() -> None:
    """It attempted no mail because the address was on a list."""
    found = explain_complaint("OnAccountSuppressionList", None)
    assert found.confidence is Confidence.HIGH


def test_an_event_is_explained_by_all_that_ses_says_of_it() -> None:
    """A complaint's subtype among it; what SES did itself is certain."""
    listed = Event("COMPLAINT", complaint=Complaint("OnAccountSuppressionList", None))
    assert explain(listed) == explain_complaint("OnAccountSuppressionList", None)
    for kind in ("REJECT", "RENDERING_FAILURE"):
        assert explain(Event(kind)).evidence == "Certain: SES did this itself."
