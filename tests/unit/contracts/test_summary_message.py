"""What people get of a surge."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ses_insights.contracts.console import TableAddress
from ses_insights.contracts.summary_message import summary_notification
from ses_insights.domain.alert import AlertType
from ses_insights.domain.explanation import explain_reason
from ses_insights.domain.reasons import Reason, Severity
from ses_insights.domain.surge import Group, Summary, Top
from ses_insights.domain.times import iso
from tests.support.alert_schema import faults_of

NOW = datetime(2026, 11, 23, 10, 6, tzinfo=UTC)
TABLE = TableAddress("123456789012", "eu-west-1", "Table")
EXAMPLES = [("message-1", "anna@example.com"), ("message-2", "ben@example.com")]
SUMMARY = Summary(
    alert_id="5" * 32,
    group=Group(AlertType.BOUNCE, Reason.ADDRESS_UNKNOWN, "shop.example"),
    severity=Severity.HIGH,
    explanation=explain_reason(Reason.ADDRESS_UNKNOWN),
    began_at=iso(NOW - timedelta(minutes=6)),
    since=iso(NOW - timedelta(minutes=6)),
    until=iso(NOW - timedelta(minutes=1)),
    count=2_994,
    total=2_994,
    has_ended=False,
    top_tags=(Top("spring", 2_990, "campaign"),),
    top_isps=(Top("Gmail", 2_000), Top("Yahoo", 994)),
    top_domains=(Top("example.com", 2_994),),
    examples=(),
    detected_at=iso(NOW),
)


def default(summary: Summary = SUMMARY) -> dict[str, object]:
    """What programs get."""
    message = summary_notification(summary, EXAMPLES, TABLE).message
    return dict(json.loads(json.loads(message)["default"]))


def email(summary: Summary = SUMMARY) -> list[str]:
    """What people get, in lines."""
    message = summary_notification(summary, EXAMPLES, TABLE).message
    return str(json.loads(message)["email"]).splitlines()


@pytest.mark.parametrize("alert_type", list(AlertType))
@pytest.mark.parametrize("sender", ["shop.example", ""])
@pytest.mark.parametrize("count", [0, 1, 300])
def test_it_fits_its_schema(alert_type: AlertType, sender: str, count: int) -> None:
    """Whatever it is about."""
    group = Group(alert_type, Reason.UNKNOWN, sender)
    assert faults_of(default(replace(SUMMARY, group=group, count=count))) == []


def test_two_lines_say_what_how_many_when_and_what_to_do() -> None:
    """A person who reads no further knows what to do."""
    first, second = email()[:2]
    assert first.startswith(
        "2,994 mails from shop.example bounced permanently from 2026-11-23 10:00 to 10:05 UTC. "
    )
    assert first.endswith(SUMMARY.explanation.cause)
    assert second == f"What to do: {SUMMARY.explanation.next_step}"


def test_it_names_campaign_providers_and_examples() -> None:
    """With the command that lists all of them."""
    lines = email()
    assert "Tags: campaign=spring (2,990)" in lines
    assert "Mailbox providers: Gmail (2,000), Yahoo (994)" in lines
    assert "anna@example.com: insights show message-1" in lines
    assert (
        "insights alerts --since 2026-11-23T10:00:00.000Z --until 2026-11-23T10:05:00.000Z "
        "--type BOUNCE --reason address-unknown --from-domain shop.example"
    ) in lines


def test_the_last_one_says_that_it_has_ended() -> None:
    """And that the next alert of its kind comes by itself again."""
    ended = replace(SUMMARY, count=2, total=3_000, has_ended=True)
    (line,) = (line for line in email(ended) if line.startswith("So far: "))
    assert line.startswith("So far: It has ended: 3,000 since 2026-11-23 10:00 UTC.")


def test_nothing_further_is_said_as_such() -> None:
    """A last summary may have nothing to count."""
    first = email(replace(SUMMARY, count=0, has_ended=True))[0]
    assert first.startswith("No further mail from shop.example bounced permanently ")


@pytest.mark.parametrize(
    ("alert_type", "words"),
    [
        (AlertType.REJECT, "2 mails from shop.example were rejected by SES and not sent"),
        (AlertType.RENDERING_FAILURE, "2 mails from shop.example could not be rendered and were"),
    ],
)
def test_several_mails_take_the_plural(alert_type: AlertType, words: str) -> None:
    """In every sentence."""
    group = replace(SUMMARY.group, alert_type=alert_type)
    assert email(replace(SUMMARY, group=group, count=2))[0].startswith(words)


def test_the_subject_is_ascii_and_holds_nothing_but_the_senders_domain() -> None:
    """Also of a domain in another script, and of a long one."""
    for sender, shown in (
        ("shop.example", "of mail from shop.example, "),
        ("bücher.example", "of mail from xn--bcher-kva.example, "),
        (".".join(["a" * 60] * 4), "2994 permanent bounces, "),
        ("", "2994 permanent bounces, "),
    ):
        group = replace(SUMMARY.group, from_domain=sender)
        subject = summary_notification(replace(SUMMARY, group=group), [], TABLE).subject
        assert subject.isascii()
        assert len(subject) <= 100
        assert shown in subject


def test_subscriptions_can_choose_it() -> None:
    """By grouping, severity, reason, action and sender."""
    attributes = summary_notification(SUMMARY, EXAMPLES, TABLE).attributes
    assert attributes == {
        "alertType": "SUMMARY",
        "severity": "high",
        "reason": "address-unknown",
        "action": "stop-sending",
        "grouping": "summary",
        "fromDomain": "shop.example",
    }


def test_a_chat_gets_it_in_its_schema() -> None:
    """The title says how many; the text names no recipient."""
    chat = summary_notification(SUMMARY, EXAMPLES, TABLE).chat
    assert chat is not None
    card = json.loads(chat)
    assert card["content"]["title"] == "2,994 permanent bounces, severity high"
    assert "anna@" not in chat
