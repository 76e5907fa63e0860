"""What SES knows of a mail at a given time."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from local.ses_stand_in.mail import Mail, Payload, auto_tags, new_message_id
from local.ses_stand_in.stories import STORIES
from local.ses_stand_in.wire import MESSAGE_ID

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
UNIQUE = UUID("6c9654bb-dc58-4957-8828-68360c1c2d10")
SECOND = timedelta(seconds=1)


def mail(
    story: str, *, speed: float = 1.0, recipients: tuple[str, ...] = ("anna@a.example",)
) -> Mail:
    """Make a mail that was sent at START."""
    return Mail(
        message_id=new_message_id(START, UNIQUE),
        from_email_address="news@shop.example",
        subject="Spring",
        tags=(("campaign", "spring"),),
        recipients=recipients,
        story=STORIES[story],
        sent_at=START,
        speed=speed,
    )


def types(payload: Payload | None) -> set[str]:
    """The types of the first destination's events."""
    assert payload is not None
    return {event["Type"] for event in payload["Insights"][0]["Events"]}


def test_nothing_is_found_before_insights_show() -> None:
    """Insights show five minutes after the send, not a moment earlier."""
    sent = mail("delivered")
    assert sent.insights(START + timedelta(minutes=5) - SECOND) is None
    assert types(sent.insights(START + timedelta(minutes=5))) == {"SEND", "DELIVERY"}


def test_a_story_unfolds_event_by_event() -> None:
    """An event shows from its time on, and none is taken back."""
    sent = mail("delivered-then-bounced")
    bounced = START + timedelta(days=2, hours=4)
    assert types(sent.insights(bounced - SECOND)) == {"SEND", "DELIVERY"}
    assert types(sent.insights(bounced)) == {"SEND", "DELIVERY", "BOUNCE"}


def test_a_late_story_shows_late_and_whole() -> None:
    """Where insights show after an hour, all that happened until then shows at once."""
    sent = mail("late")
    assert sent.insights(START + timedelta(minutes=59)) is None
    assert types(sent.insights(START + timedelta(hours=1))) == {"SEND", "DELIVERY"}


def test_an_untracked_mail_is_never_found() -> None:
    """Every look at it finds nothing, early or late."""
    for days in (0, 1, 29, 31):
        assert mail("never").insights(START + timedelta(days=days)) is None


def test_ses_forgets_after_thirty_days() -> None:
    """What was known a moment before is gone."""
    sent = mail("delivered")
    assert sent.insights(START + timedelta(days=30) - SECOND) is not None
    assert sent.insights(START + timedelta(days=30)) is None


def test_speed_shortens_a_story_as_a_whole() -> None:
    """At 3,600, an hour passes in a second: when insights show, events, their times."""
    sent = mail("delivered-then-bounced", speed=3600)
    assert sent.insights(START + timedelta(seconds=0.05)) is None
    whole = sent.insights(START + timedelta(seconds=52))
    assert types(whole) == {"SEND", "DELIVERY", "BOUNCE"}
    assert whole is not None
    bounce = next(e for e in whole["Insights"][0]["Events"] if e["Type"] == "BOUNCE")
    assert bounce["Timestamp"] == START + timedelta(seconds=52)
    assert sent.settled_at == START + timedelta(seconds=52)


def test_no_speed_makes_ses_forget_sooner() -> None:
    """However fast its story, a mail is known for 30 days: a test can be slow."""
    sent = mail("delivered", speed=1e9)
    assert types(sent.insights(START)) == {"SEND", "DELIVERY"}
    assert sent.insights(START + timedelta(days=30) - SECOND) is not None
    assert sent.insights(START + timedelta(days=30)) is None


def test_ses_restates_nothing() -> None:
    """Two looks show the same events with the same times in the same order."""
    sent = mail("opened-often")
    later = START + timedelta(days=3)
    assert sent.insights(later) == sent.insights(later + SECOND)


def test_events_come_in_no_order() -> None:
    """SES promises none; code that relies on one fails here."""
    payload = mail("opened-often").insights(START + timedelta(days=3))
    assert payload is not None
    times = [event["Timestamp"] for event in payload["Insights"][0]["Events"]]
    assert times != sorted(times)


def test_every_recipient_is_a_destination() -> None:
    """A mail to two that is shown at all shows for each that it was sent."""
    sent = mail("untracked-send", recipients=("anna@a.example", "ben@b.example"))
    payload = sent.insights(START + timedelta(days=1))
    assert payload is not None
    assert [insight["Destination"] for insight in payload["Insights"]] == [
        "anna@a.example",
        "ben@b.example",
    ]


def test_further_destinations_have_addresses_of_their_own() -> None:
    """No two destinations of one answer are the same."""
    payload = mail("huge").insights(START + timedelta(days=1))
    assert payload is not None
    assert len({insight["Destination"] for insight in payload["Insights"]}) == 50


def test_what_ses_leaves_out_is_not_there() -> None:
    """Missing fields are absent, not empty."""
    payload = mail("missing-fields").insights(START + timedelta(days=1))
    assert payload is not None
    assert payload.keys() == {"MessageId", "FromEmailAddress", "Insights"}
    assert payload["Insights"][0].keys() == {"Destination", "Events"}


def test_an_undated_event_has_no_timestamp() -> None:
    """The bounce shows, its time does not."""
    payload = mail("undated").insights(START + timedelta(days=1))
    assert payload is not None
    bounce = next(e for e in payload["Insights"][0]["Events"] if e["Type"] == "BOUNCE")
    assert "Timestamp" not in bounce


def test_ids_have_the_form_of_ses() -> None:
    """Milliseconds since 1970 in hexadecimal, a UUID, six digits."""
    message_id = new_message_id(START, UNIQUE)
    assert MESSAGE_ID.fullmatch(message_id)
    assert message_id.endswith(f"-{UNIQUE}-000000")
    assert int(message_id[4:16], 16) == START.timestamp() * 1000


@pytest.mark.parametrize("configuration_set", ["main", None])
def test_ses_adds_its_own_tags(configuration_set: str | None) -> None:
    """Auto-Tags name the domain, and the configuration set where there is one."""
    tags = dict(auto_tags("Shop <news@shop.example>", configuration_set))
    assert tags["ses:from-domain"] == "shop.example"
    assert tags.get("ses:configuration-set") == configuration_set
    assert {"ses:source-ip", "ses:caller-identity", "ses:outgoing-ip"} < tags.keys()
