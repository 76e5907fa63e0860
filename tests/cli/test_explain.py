"""`insights explain` says what a text means and what to do, and asks nobody."""

from __future__ import annotations

import pytest

from tests.support.said import Insights
from tests.support.samples import MESSAGE_ID

TEXTS = [
    ("smtp; 550 5.4.4 Invalid domain", "domain-dead", "stop-sending"),
    (
        "smtp; 550 5.1.8 <news@shop.example>: Sender address rejected: Domain not found",
        "sender-address-refused",
        "fix-sender",
    ),
    (
        "smtp; 5.1.0 - Unknown address error 550-'5.2.2 <a@b.example>... Mailbox Full'",
        "mailbox-full",
        "retry-later",
    ),
    (
        "smtp; 550-5.7.26 Unauthenticated email is not accepted due to\n550-5.7.26 DMARC policy.",
        "sender-unauthenticated",
        "fix-sender",
    ),
]


@pytest.mark.parametrize(("text", "reason", "action"), TEXTS)
def test_a_text_is_explained(insights: Insights, text: str, reason: str, action: str) -> None:
    """Reason and action for programs, the sentences beside them."""
    result = insights("explain", text, "--json").json
    assert (result["reason"], result["action"]) == (reason, action)
    assert result.keys() == {"reason", "action", "severity", "confidence", "cause", "nextStep"}


def test_a_person_reads_what_to_do(insights: Insights) -> None:
    """A line for each thing."""
    lines = insights("explain", "550 5.1.1 user unknown").out.splitlines()
    assert lines[0] == "Reason\taddress-unknown"
    assert lines[2].startswith("What to do\tStop sending to the address")


def test_a_complaint_is_explained_by_its_feedback_type(insights: Insights) -> None:
    """Fraud is the sender's to fix, at once."""
    result = insights("explain", "--feedback-type", "fraud", "--json").json
    assert (result["reason"], result["severity"]) == ("fraud-or-virus", "critical")


def test_a_subtype_alone_is_enough(insights: Insights) -> None:
    """In every spelling."""
    for spelling in ("OnAccountSuppressionList", "ON_ACCOUNT_SUPPRESSION_LIST"):
        result = insights("explain", "--subtype", spelling, "--json").json
        assert result["reason"] == "suppressed-by-account"


@pytest.mark.parametrize(
    "text", [MESSAGE_ID, f"<{MESSAGE_ID}@eu-west-1.amazonses.com>", f"250 Ok {MESSAGE_ID}"]
)
def test_a_message_id_is_no_text_of_a_bounce(insights: Insights, text: str) -> None:
    """It says what shows that message."""
    said = insights("explain", text)
    assert (said.code, said.out) == (2, "")
    assert said.err.endswith(f": use insights show {MESSAGE_ID}\n")


def test_a_text_that_holds_an_id_is_explained(insights: Insights) -> None:
    """Servers quote the mail's header."""
    text = f"550 5.1.1 user unknown <{MESSAGE_ID}@eu-west-1.amazonses.com>"
    assert insights("explain", text, "--json").json["reason"] == "address-unknown"


def test_nothing_to_explain_is_a_usage_error(insights: Insights) -> None:
    """It says what to give."""
    said = insights("explain")
    assert (said.code, said.out) == (2, "")
    assert "--feedback-type" in said.err
