"""SES's own events, through the deployed rules, into the queue; nothing in the pipeline enqueues.

Like AWS, the emulator takes no event of AWS's own sources from outside. So each deployed rule is
made to listen to one more source, whose events are otherwise as SES publishes them. Not shown here,
because the emulator does not do it: the queue's policy, its dropping of equal bodies, and the dead
letters of a rule. For these tests/infra holds the template to what is meant.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any, Final

import pytest

from local.actors.pipeline import SENDER
from local.ses_stand_in.stories import STORIES, address_of
from local.stack.deployment import ACCOUNT
from local.stack.run import LocalRun
from local.stack.sandbox import REGION
from tests.support.deployed_stack import LIFE, DeployedStack
from tests.support.patience import eventually

OURS: Final = "local.ses_stand_in"
"""The source that the rules listen to as well."""

BOUNCES_LATE: Final = "delivered-then-bounced"

Event = dict[str, Any]


def event(detail_type: str, message_id: object, story: str = "delivered") -> Event:
    """An event as SES publishes it, cut to the parts that say what it is about and of whom.

    https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
    """
    kind = {
        "Email Sent": "Send",
        "Email Bounced": "Bounce",
        "Email Complaint Received": "Complaint",
    }
    return {
        "source": "aws.ses",
        "detail-type": detail_type,
        "detail": {
            "eventType": kind.get(detail_type, detail_type.removeprefix("Email ")),
            "mail": {
                "timestamp": "2026-11-23T10:00:00.000Z",
                "source": SENDER,
                "messageId": message_id,
                "destination": [address_of(STORIES[story])],
                "commonHeaders": {"subject": f"Your order: {story}"},
            },
        },
    }


def without_id(detail_type: str) -> Event:
    """An event that names no message."""
    nameless = event(detail_type, "")
    del nameless["detail"]["mail"]["messageId"]
    return nameless


@pytest.fixture(scope="module")
def patterns(run: LocalRun) -> list[str]:
    """The patterns of the rules as they were deployed; from here on they listen to ours, too."""
    events = run.session.client("events")
    rules = [events.describe_rule(Name=rule["Name"]) for rule in events.list_rules()["Rules"]]
    for rule in rules:
        pattern = json.loads(rule["EventPattern"])
        pattern["source"].append(OURS)
        events.put_rule(Name=rule["Name"], EventPattern=json.dumps(pattern))
    return [rule["EventPattern"] for rule in rules]


@pytest.fixture
def intake(stack: DeployedStack, patterns: list[str]) -> DeployedStack:
    """The stack whose rules listen to the events of the test."""
    assert len(patterns) == 2
    return stack


def publish(stack: DeployedStack, *published: Event) -> None:
    """Put events on the account's default bus."""
    answer = stack.run.session.client("events").put_events(
        Entries=[
            {
                "Source": OURS,
                "DetailType": each["detail-type"],
                "Detail": json.dumps(each["detail"]),
            }
            for each in published
        ]
    )
    assert answer["FailedEntryCount"] == 0


def sent_and_looked_at(stack: DeployedStack, story: str = "delivered") -> str:
    """Send a mail, let SES publish that, and wait until it was looked at; returns its id."""
    message_id = str(stack.send(story)["MessageId"])
    publish(stack, event("Email Sent", message_id, story))
    eventually(lambda: stack.row(message_id))
    return message_id


def asked_for(stack: DeployedStack) -> list[str]:
    """The ids of all looks, in order."""
    return [call.message_id for call in stack.calls()]


def test_the_rules_take_what_ses_publishes_and_nothing_else(
    run: LocalRun, patterns: list[str]
) -> None:
    """As deployed, each of three kinds of event fits one rule, and any other fits none."""
    events = run.session.client("events")

    def fits(published: Event) -> int:
        whole = {
            "account": ACCOUNT,
            "region": REGION,
            **published,
            "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
            "time": "2026-11-23T10:00:00Z",
            "resources": [],
        }
        return sum(
            events.test_event_pattern(EventPattern=pattern, Event=json.dumps(whole))["Result"]
            for pattern in patterns
        )

    taken = ("Email Sent", "Email Bounced", "Email Complaint Received")
    ignored = ("Email Delivered", "Email Opened", "Email Clicked", "Email Delivery Delayed")
    assert [fits(event(each, "id")) for each in taken] == [1, 1, 1]
    assert [fits(event(each, "id")) for each in ignored] == [0, 0, 0, 0]
    assert [fits(without_id(each)) for each in taken] == [0, 0, 0]
    assert fits({**event("Email Sent", "id"), "source": "com.example.shop"}) == 0
    assert fits({**event("Email Sent", "id"), "account": "111122223333"}) == 0
    assert fits({**event("Email Sent", "id"), "region": "us-east-2"}) == 0


def test_a_mail_is_looked_at_because_ses_says_it_was_sent(intake: DeployedStack) -> None:
    """Nothing in the pipeline enqueues it; the rule does."""
    message_id = sent_and_looked_at(intake)
    assert intake.row(message_id)["Status"] == "DELIVERED"
    assert asked_for(intake) == [message_id]


def test_a_bounce_is_found_when_ses_publishes_it(intake: DeployedStack) -> None:
    """Its next look was minutes away; a second event of what is known then costs no look.

    A complaint is another thing that happened: it is looked for.
    """
    intake.run.ses.change(speed=LIFE)
    message_id = str(intake.send(BOUNCES_LATE)["MessageId"])
    intake.run.ses.advance(timedelta(minutes=5))
    publish(intake, event("Email Sent", message_id, BOUNCES_LATE))
    eventually(lambda: intake.row(message_id))
    assert intake.row(message_id)["Status"] == "DELIVERED"

    intake.run.ses.advance(timedelta(days=3))
    bounced = event("Email Bounced", message_id, BOUNCES_LATE)
    publish(intake, bounced)
    eventually(lambda: intake.row(message_id)["Status"] == "PERMANENT_BOUNCE")
    assert asked_for(intake) == [message_id] * 2

    publish(intake, bounced, event("Email Complaint Received", message_id))
    other = sent_and_looked_at(intake)
    assert asked_for(intake) == [message_id, message_id, message_id, other]


def test_other_events_enqueue_nothing(intake: DeployedStack) -> None:
    """Of another kind or without an id: no look, and nothing to park."""
    unseen = str(intake.send("opened")["MessageId"])
    publish(
        intake,
        event("Email Delivered", unseen),
        event("Email Opened", unseen),
        without_id("Email Sent"),
        without_id("Email Bounced"),
    )
    message_id = sent_and_looked_at(intake)
    assert asked_for(intake) == [message_id]
    assert intake.row(unseen) == {}
    assert intake.parked() == 0


def test_an_event_with_a_malformed_id_is_parked(intake: DeployedStack) -> None:
    """It costs no look and holds up no other; no address or subject of it got into the queue."""
    publish(
        intake,
        event("Email Sent", "no id"),
        event("Email Bounced", 4711),
    )
    message_id = sent_and_looked_at(intake)
    assert asked_for(intake) == [message_id]
    assert intake.parked_bodies() == [
        '{"MessageId": "4711", "due": "Bounce"}',
        '{"MessageId": "no id"}',
    ]
