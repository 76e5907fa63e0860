"""What a summary names of the many alerts that it is about."""

from __future__ import annotations

from datetime import timedelta

from ses_insights.domain.alert import AlertType
from ses_insights.domain.explanation import explain_reason
from ses_insights.domain.reasons import Reason
from ses_insights.domain.surge import Finding, Group, Surge, summarized
from ses_insights.domain.times import iso
from tests.support.fakes import START

GROUP = Group(AlertType.BOUNCE, Reason.ADDRESS_UNKNOWN, "zoo.example")


def finding(number: int) -> Finding:
    """One of many; the lower its number, the more others share its tag, provider and domain."""
    kinds = [f"{kind}" for kind in range(7) if number % (kind + 2) == 0]
    return Finding(
        message_id=f"message-{number}",
        alert_id=f"{number:032x}",
        isp=f"Isp {len(kinds)}",
        destination_domain=f"{len(kinds)}.example",
        email_tags={"cage": tuple(kinds)},
    )


def test_it_names_the_five_tags_three_providers_and_three_domains_that_most_share() -> None:
    """And five mails as examples: a person reads it at a glance."""
    surge = Surge(GROUP, iso(START), 840, iso(START))
    findings = [finding(number) for number in range(840)]
    now = START + timedelta(minutes=6)
    _, summary = summarized(surge, findings, explain_reason(GROUP.reason), now=now, surge_after=5)
    assert [(top.value, top.count) for top in summary.top_tags] == [
        ("0", 420),
        ("1", 280),
        ("2", 210),
        ("3", 168),
        ("4", 140),
    ]
    assert (len(summary.top_isps), len(summary.top_domains)) == (3, 3)
    assert [example.message_id for example in summary.examples] == [
        f"message-{number}" for number in range(5)
    ]
