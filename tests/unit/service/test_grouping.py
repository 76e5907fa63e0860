"""New alerts are counted by type, reason and sender, and each says for whom it is."""

from __future__ import annotations

from dataclasses import replace

from ses_insights.domain.alert import AlertType, Grouping, alerts_in
from ses_insights.domain.reasons import Reason
from ses_insights.domain.surge import Group, Surge
from ses_insights.domain.times import iso
from ses_insights.service import grouping
from tests.support.fakes import START
from tests.support.samples import bounced, complained, insights_of
from tests.support.surges import FakeSurges

SEEN = insights_of(bounced(), bounced("other@there.example"), complained())
ALERTS = alerts_in(SEEN, detected_at=iso(START))
BOUNCES = Group(AlertType.BOUNCE, Reason.ADDRESS_UNKNOWN, "shop.example")
COMPLAINTS = Group(AlertType.COMPLAINT, Reason.SPAM_REPORT, "shop.example")


def test_alerts_of_one_message_are_counted_by_group() -> None:
    """Two bounces are two of one group; the complaint is one of another."""
    decided, surges = grouping.Grouping(FakeSurges(), 5).of(ALERTS, SEEN, START)
    assert {surge.group: surge.count for surge in surges} == {BOUNCES: 2, COMPLAINTS: 1}
    assert decided == ALERTS


def test_counting_goes_on_from_what_is_stored() -> None:
    """The fifth of an hour is single, and the sixth is not."""
    stored = FakeSurges()
    stored.store(Surge(BOUNCES, iso(START), 4, iso(START)))
    decided, surges = grouping.Grouping(stored, 5).of(ALERTS, SEEN, START)
    assert [(alert.alert_type, alert.grouping) for alert in decided] == [
        (AlertType.BOUNCE, Grouping.SINGLE),
        (AlertType.COMPLAINT, Grouping.SINGLE),
        (AlertType.BOUNCE, Grouping.GROUPED),
    ]
    assert {surge.group: surge.count for surge in surges} == {BOUNCES: 6, COMPLAINTS: 1}


def test_alerts_without_a_sender_are_a_group_too() -> None:
    """SES may leave the sender out."""
    seen = replace(SEEN, from_email_address=None)
    _, surges = grouping.Grouping(FakeSurges(), 5).of(ALERTS[:1], seen, START)
    assert [surge.group.from_domain for surge in surges] == [""]
