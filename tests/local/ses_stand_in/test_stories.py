"""The catalogue of stories: complete, and true to the contract."""

from datetime import timedelta

import pytest

from local.ses_stand_in.stories import (
    HOSTILE_SUBJECT,
    MISSING,
    STORIES,
    Event,
    Expectation,
    Story,
    address_of,
    story_for,
)
from local.ses_stand_in.wire import MESSAGE_ID

STATUSES = {
    "COMPLAINT", "PERMANENT_BOUNCE", "REJECTED", "RENDERING_FAILURE", "TRANSIENT_BOUNCE",
    "UNDETERMINED_BOUNCE", "CLICKED", "OPENED", "DELIVERED", "DELAYED", "SENT", "NOT_FOUND",
    "INVALID",
}  # fmt: skip
EVENT_TYPES = {
    "SEND", "REJECT", "BOUNCE", "COMPLAINT", "DELIVERY", "OPEN", "CLICK", "RENDERING_FAILURE",
    "DELIVERY_DELAY", "SUBSCRIPTION",
}  # fmt: skip


def events_of(story: Story) -> list[Event]:
    """Every event of every destination."""
    return [event for events in (story.events, *story.others) for event in events]


def finding(event: Event, name: str) -> str | None:
    """One field of Details.Bounce or Details.Complaint."""
    parts = (event.details or {}).values()
    return next((part[name] for part in parts if name in part), None)


def test_stories_end_in_every_status_of_the_contract() -> None:
    """Every status the contract knows is the end of some story or of some id without one."""
    ends = {story.expected.status for story in STORIES.values()}
    assert ends | {expected.status for expected in MISSING.values()} == STATUSES


def test_stories_have_every_event_type_and_one_that_ses_adds_later() -> None:
    """All ten event types of the API occur, and exactly one that it does not have."""
    types = {event.type for story in STORIES.values() for event in events_of(story)}
    assert types > EVENT_TYPES
    assert len(types - EVENT_TYPES) == 1


@pytest.mark.parametrize(
    ("alert_type", "word", "severity"),
    [
        ("BOUNCE", "General", "high"),
        ("BOUNCE", "General", "medium"),
        ("BOUNCE", "NoEmail", "medium"),
        ("BOUNCE", "Suppressed", "medium"),
        ("BOUNCE", "ON_ACCOUNT_SUPPRESSION_LIST", "low"),
        ("BOUNCE", "OnAccountSuppressionList", "low"),
        ("BOUNCE", "MailboxRetired", "medium"),
        ("BOUNCE", None, "medium"),
        ("REJECT", None, "high"),
        ("RENDERING_FAILURE", None, "high"),
        ("COMPLAINT", "abuse", "high"),
        ("COMPLAINT", "other", "high"),
        ("COMPLAINT", None, "high"),
        ("COMPLAINT", None, "low"),
        ("COMPLAINT", "fraud", "critical"),
        ("COMPLAINT", "virus", "critical"),
        ("COMPLAINT", "auth-failure", "medium"),
        ("COMPLAINT", "not-spam", "info"),
    ],
)
def test_every_finding_has_a_story_with_its_severity(
    alert_type: str, word: str | None, severity: str
) -> None:
    """Each kind of bounce and complaint has a story that expects the severity it is worth."""
    alerts = [alert for story in STORIES.values() for alert in story.expected.alerts]
    assert (alert_type, word, severity) in {
        (alert.alert_type, alert.bounce_sub_type or alert.complaint_feedback_type, alert.severity)
        for alert in alerts
    }


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_a_story_expects_one_alert_for_each_finding_in_it(story: Story) -> None:
    """Permanent bounces by destination, complaints by feedback type, and what was never sent."""
    findings = {
        (number, event.type, finding(event, name))
        for number, events in enumerate((story.events, *story.others))
        for event in events
        for name in ("BounceSubType", "ComplaintFeedbackType")
        if (event.type == "BOUNCE" and name.startswith("Bounce")
            and finding(event, "BounceType") == "PERMANENT")
        or (event.type == "COMPLAINT" and name.startswith("Complaint"))
        or event.type in {"REJECT", "RENDERING_FAILURE"}
    }  # fmt: skip
    expected = [
        (alert.alert_type, alert.bounce_sub_type or alert.complaint_feedback_type)
        for alert in story.expected.alerts
    ]
    assert sorted(expected, key=str) == sorted((each[1:] for each in findings), key=str)


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_whenever_a_story_is_looked_at_its_end_can_be_found(story: Story) -> None:
    """A bounce or complaint that ends the looking hides no other one that comes after it."""
    for events in (story.events, *story.others):
        closing = [
            event.after
            for event in events
            if event.type == "COMPLAINT" or finding(event, "BounceType") == "PERMANENT"
        ]
        assert story.visible_after is None or len(closing) < 2 or closing[-1] < story.visible_after


def test_a_story_is_settled_with_its_last_event_but_not_before_it_shows() -> None:
    """From settled_after on a look shows everything, in stories early and late."""
    assert STORIES["delivered"].settled_after == timedelta(minutes=5)
    assert STORIES["complaint-late"].settled_after == timedelta(days=4, hours=6)
    assert STORIES["late"].settled_after == timedelta(hours=1)
    assert STORIES["many-destinations"].settled_after == timedelta(minutes=30)
    assert STORIES["never"].settled_after == timedelta(0)


@pytest.mark.parametrize(
    ("recipients", "name"),
    [
        (["bounce-noemail@stories.example"], "bounce-noemail"),
        (["bounce-noemail+anna@stories.example"], "bounce-noemail"),
        (["Complaint-Late+7@anywhere.example"], "complaint-late"),
        (["anna@stories.example"], "delivered"),
        (["bounce@simulator.amazonses.com"], "simulator"),
        (["bounce-noemail@stories.example", "anna@stories.example"], "several-recipients"),
        (["untracked-send@stories.example", "anna@stories.example"], "untracked-send"),
    ],
)
def test_the_recipient_chooses_the_story(recipients: list[str], name: str) -> None:
    """The local part names the story; several recipients and the simulator are never tracked."""
    assert story_for(recipients).name == name


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_the_address_of_a_story_chooses_it(story: Story) -> None:
    """An address made for a story chooses it, with a label or without."""
    assert story_for([address_of(story)]) is story
    assert story_for([address_of(story, "anna")]) is story


def test_ids_without_a_story_are_either_unknown_or_malformed() -> None:
    """An id of SES's form that was never given out is not found; any other is invalid."""
    for message_id, expected in MISSING.items():
        known_form = MESSAGE_ID.fullmatch(message_id) is not None
        assert expected == Expectation("NOT_FOUND" if known_form else "INVALID")


def test_the_hostile_subject_is_as_long_as_ses_allows() -> None:
    """998 characters with line breaks, control, direction-changing and wide characters."""
    assert len(HOSTILE_SUBJECT) == 998
    assert {"\r", "\n", "\0", "\u202e", "\U0001f4a5"} < set(HOSTILE_SUBJECT)


def test_the_huge_stories_are_huge() -> None:
    """Over 5,000 events of 50 destinations, and 5,000 of a single one."""
    assert len(events_of(STORIES["huge"])) > 5000
    assert len(STORIES["huge"].others) + 1 == 50
    assert len(STORIES["huge-engagement"].events) == 5000
