"""Cause, next step and severity of each finding."""

from dataclasses import replace

import pytest

from ses_insights.domain.explanation import explain_bounce, explain_complaint, plain
from ses_insights.domain.insight import Bounce, Complaint

# What a person must find in the cause and in the next step.
GENERAL = ("gave no reason", "read the diagnostic code", "high")
BAD_MAILBOX = ("does not exist", "Stop sending to the address", "high")
BLOCKED = ("policy, routing or reputation", "DNS records and reputation", "high")
GLOBAL_LIST = ("global suppression list", "Verify the address", "low")
OWN_LIST = ("your account's suppression list", "Stop enqueuing the address", "low")
UNKNOWN_BOUNCE = ("reason this service does not know", "read the diagnostic code", "high")
SPAM = ("reported the mail as spam", "Stop sending to the address at once", "high")
PHISHING = ("phishing", "rotate the sending credentials", "critical")
AUTHENTICATION = ("DKIM or DMARC", "keep the address", "medium")
IN_FAVOUR = ("correction in your favour", "Nothing to do", "info")
UNKNOWN_REPORT = ("does not know", "Stop sending to the address", "high")


@pytest.mark.parametrize(
    ("subtype", "expected"),
    [
        ("General", GENERAL),
        ("NoEmail", BAD_MAILBOX),
        ("NO_EMAIL", BAD_MAILBOX),
        ("Suppressed", GLOBAL_LIST),
        ("OnAccountSuppressionList", OWN_LIST),
        ("ON_ACCOUNT_SUPPRESSION_LIST", OWN_LIST),
        ("on-account-suppression-list", OWN_LIST),
        ("MailboxFull", UNKNOWN_BOUNCE),
        ("AttachmentRejected", UNKNOWN_BOUNCE),
        (None, UNKNOWN_BOUNCE),
    ],
)
def test_a_permanent_bounce_is_explained_by_its_subtype(
    subtype: str | None, expected: tuple[str, str, str]
) -> None:
    """Each subtype, however it is spelt, has its cause, its next step and its severity."""
    meaning = explain_bounce(Bounce("PERMANENT", subtype))
    assert expected[0] in meaning.cause
    assert expected[1] in meaning.next_step
    assert meaning.severity == expected[2]


@pytest.mark.parametrize(
    ("diagnostic", "expected"),
    [
        ("smtp; 550 5.1.1 <ada@example.com>: user unknown", BAD_MAILBOX),
        ("smtp; 550 5.1.10 RESOLVER.ADR.RecipientNotFound", BAD_MAILBOX),
        ("smtp; 550-5.2.1 The account is disabled.", BAD_MAILBOX),
        ("smtp; 554 5.4.1 Recipient address rejected: Access denied", BLOCKED),
        ("smtp; 550 5.4.4 Invalid arguments", BLOCKED),
        ("smtp; 554 5.4.14 Hop count exceeded", BLOCKED),
        ("smtp; 550 #5.7.1 Message rejected as spam.", BLOCKED),
        ("smtp; 550 5.7.1 blocked; 5.1.1", BLOCKED),
        ("smtp; 552 5.2.2 mailbox full", GENERAL),
        ("smtp; 550 5.7.26 unauthenticated", GENERAL),
        ("smtp; 550 5.4.140", GENERAL),
        ("smtp; 421 4.7.1 try later", GENERAL),
        ("smtp; 550 no such user", GENERAL),
        (None, GENERAL),
    ],
)
def test_a_general_bounce_is_explained_by_its_diagnostic_code(
    diagnostic: str | None, expected: tuple[str, str, str]
) -> None:
    """General says nothing; its status code tells a bad mailbox from a blocked sender."""
    meaning = explain_bounce(Bounce("PERMANENT", "General", diagnostic))
    assert expected[0] in meaning.cause
    assert expected[1] in meaning.next_step
    assert meaning.severity == expected[2]


@pytest.mark.parametrize(
    "diagnostic",
    [
        "smtp; 550 refused, client [203.5.7.1]",
        "smtp; 550 refused by 5.1.1.20",
        "smtp; 550 refused, build 15.1.1",
    ],
)
def test_an_ip_address_is_not_read_as_a_status_code(diagnostic: str) -> None:
    """A diagnostic code names servers, too; digits of their addresses and versions mean nothing."""
    assert GENERAL[0] in explain_bounce(Bounce("PERMANENT", "General", diagnostic)).cause


@pytest.mark.parametrize("subtype", ["NoEmail", "Suppressed", "Odd"])
def test_only_a_general_bounce_is_read_for_its_code(subtype: str) -> None:
    """A subtype that says something is not overruled by a code."""
    blocked = explain_bounce(Bounce("PERMANENT", subtype, "smtp; 550 5.7.1 blocked"))
    plainly = explain_bounce(Bounce("PERMANENT", subtype))
    assert replace(blocked, confidence="") == replace(plainly, confidence="")


@pytest.mark.parametrize(
    ("feedback", "expected"),
    [
        ("abuse", SPAM),
        ("Abuse", SPAM),
        ("other", SPAM),
        (None, SPAM),
        ("fraud", PHISHING),
        ("virus", PHISHING),
        ("auth-failure", AUTHENTICATION),
        ("AUTH_FAILURE", AUTHENTICATION),
        ("not-spam", IN_FAVOUR),
        ("NotSpam", IN_FAVOUR),
        ("opt-out", UNKNOWN_REPORT),
    ],
)
def test_a_complaint_is_explained_by_its_feedback_type(
    feedback: str | None, expected: tuple[str, str, str]
) -> None:
    """Each feedback type has its cause, its next step and its severity; none means spam."""
    meaning = explain_complaint(Complaint(None, feedback))
    assert expected[0] in meaning.cause
    assert expected[1] in meaning.next_step
    assert meaning.severity == expected[2]


@pytest.mark.parametrize("subtype", ["OnAccountSuppressionList", "ON_ACCOUNT_SUPPRESSION_LIST"])
@pytest.mark.parametrize("feedback", [None, "abuse", "fraud"])
def test_a_suppressed_complaint_is_low_whatever_its_feedback(
    subtype: str, feedback: str | None
) -> None:
    """Nobody got that mail: the address is on the account's own list already."""
    meaning = explain_complaint(Complaint(subtype, feedback))
    assert "suppression list for a complaint" in meaning.cause
    assert "Stop enqueuing" in meaning.next_step
    assert meaning.severity == "low"


def test_another_complaint_subtype_changes_nothing() -> None:
    """Only the subtype that is known to mean suppressed is taken to mean it."""
    assert explain_complaint(Complaint("Odd", "fraud")).severity == "critical"


@pytest.mark.parametrize(
    ("word", "stripped"),
    [("On_Account-Suppression List7", "onaccountsuppressionlist7"), ("", ""), (None, "")],
)
def test_words_are_compared_without_case_and_punctuation(word: str | None, stripped: str) -> None:
    """Two spellings of one word are one word; digits count."""
    assert plain(word) == stripped


@pytest.mark.parametrize(
    ("subtype", "diagnostic", "said"),
    [
        ("General", "smtp; 550 5.1.1 no such user", "Sure: the recipient's server said so, with"),
        ("General", "smtp; 550 5.7.1 blocked", "with the code 5.7.1."),
        ("General", "smtp; 550 refused", "Sure that it was refused; the reason is open."),
        ("NoEmail", "smtp; 550-5.2.1 disabled", "with the code 5.2.1."),
        ("NoEmail", None, "Quite sure: SES calls it a bad address"),
        ("NoEmail", "smtp; 550 5.7.1 blocked", "Less sure: SES calls it a bad address, but the"),
        ("Suppressed", None, "the address may be good"),
        ("OnAccountSuppressionList", None, "Sure: the list is your own."),
        ("MailboxRetired", "smtp; 550 5.1.1", "the reason is open."),
    ],
)
def test_a_bounce_says_how_sure_it_is(subtype: str, diagnostic: str | None, said: str) -> None:
    """What the recipient's server said is sure; what SES alone says, or nobody, is less."""
    meaning = explain_bounce(Bounce("PERMANENT", subtype, diagnostic))
    assert said in meaning.confidence


@pytest.mark.parametrize(
    ("feedback", "subtype", "said"),
    [
        ("abuse", None, "Sure: the mailbox provider passed the report on."),
        ("other", None, "it means spam is likely"),
        (None, None, "it means spam is likely"),
        ("fraud", None, "whether the report is right is open"),
        ("auth-failure", None, "a machine checked it"),
        ("not-spam", None, "passed the correction on"),
        (None, "OnAccountSuppressionList", "nobody complained about this mail"),
        ("eavesdropping", None, "what it says is open"),
    ],
)
def test_a_complaint_says_how_sure_it_is(
    feedback: str | None, subtype: str | None, said: str
) -> None:
    """A person's report, a machine's finding and a correction are told apart."""
    assert said in explain_complaint(Complaint(subtype, feedback)).confidence


@pytest.mark.parametrize("subtype", ["General", "NoEmail", "Suppressed", "Odd", None])
@pytest.mark.parametrize("diagnostic", ["5.1.1", "5.7.1", "5.1.1 5.7.1", "{code}", "5.9.9", None])
def test_no_placeholder_is_left(subtype: str | None, diagnostic: str | None) -> None:
    """Every word of an explanation is for a person, whatever the diagnostic code."""
    meaning = explain_bounce(Bounce("PERMANENT", subtype, diagnostic))
    assert "{" not in meaning.cause + meaning.next_step + meaning.confidence
