"""SES's own events, through the deployed rules, into the line; with nothing in the pipeline.

Like AWS, the emulator takes no event of AWS's own sources from outside. So each deployed rule is
made to listen to one more source, whose events are otherwise as SES publishes them. Not shown here,
because the emulator does not do it: the queue's policy, its dropping of equal bodies, and the dead
letters of a rule. For these tests/infra holds the template to what is meant.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Final

import pytest

from local.actors.pipeline import SENDER, Pipeline
from local.ses_stand_in.stories import STORIES, address_of
from local.stack.observe import message_row, messages_in, read_parked
from local.stack.run import LocalRun, local_stack
from tests.support.patience import eventually

OURS: Final = "local.ses_stand_in"
"""The source that the rules listen to as well."""

FAST: Final = 36_000.0
"""SES shows a mail 8 ms after it was sent."""

BOUNCES_LATE: Final = STORIES["delivered-then-bounced"]
SECONDS_TO_BOUNCE: Final = 8.0
"""Enough for the first look to come before."""

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
def intake() -> Iterator[LocalRun]:
    """The stack with both rules, where a fresh id is looked at without delay."""
    keys = {"firstLookDelaySeconds": "0", "intakeSent": "true", "intakeFeedback": "true"}
    with local_stack(keys) as run:
        yield run


@pytest.fixture(scope="module")
def patterns(intake: LocalRun) -> list[str]:
    """The patterns of the rules as they were deployed; from here on they listen to ours, too."""
    events = intake.session.client("events")
    rules = [events.describe_rule(Name=rule["Name"]) for rule in events.list_rules()["Rules"]]
    for rule in rules:
        pattern = json.loads(rule["EventPattern"])
        pattern["source"].append(OURS)
        events.put_rule(Name=rule["Name"], EventPattern=json.dumps(pattern))
    return [rule["EventPattern"] for rule in rules]


@pytest.fixture
def pipeline(intake: LocalRun, patterns: list[str]) -> Pipeline:
    """A pipeline that sends and enqueues nothing; SES and the dead letters with a clean slate."""
    assert len(patterns) == 2
    sqs = intake.session.client("sqs")
    intake.ses.reset()
    intake.ses.change(speed=FAST)
    sqs.purge_queue(QueueUrl=intake.outputs["DeadLetterQueueUrl"])
    return Pipeline(ses=intake.ses_client(), sqs=sqs, queue_url=intake.outputs["QueueUrl"])


def publish(run: LocalRun, *published: Event) -> None:
    """Put events on the account's default bus."""
    answer = run.session.client("events").put_events(
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


def sent_and_looked_at(run: LocalRun, pipeline: Pipeline, story: str = "delivered") -> str:
    """Send a mail, let SES say so, and wait until it was looked at; returns its id."""
    message_id = str(pipeline.send(STORIES[story])["MessageId"])
    publish(run, event("Email Sent", message_id, story))
    eventually(lambda: message_row(run, message_id) is not None)
    return message_id


def asked_for(run: LocalRun) -> list[str]:
    """The ids of all looks, in order."""
    return [call.message_id for call in run.ses.calls()]


def test_the_rules_take_what_ses_publishes_and_nothing_else(
    intake: LocalRun, patterns: list[str]
) -> None:
    """As deployed, each of three kinds of event fits one rule, and any other fits none."""
    events = intake.session.client("events")

    def fits(published: Event) -> int:
        whole = {
            **published,
            "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
            "account": "111122223333",
            "region": "eu-west-1",
            "time": "2026-11-23T10:00:00Z",
            "resources": [],
        }
        return sum(
            events.test_event_pattern(EventPattern=pattern, Event=json.dumps(whole))["Result"]
            for pattern in patterns
        )

    taken = ("Email Sent", "Email Bounced", "Email Complaint Received")
    passed_over = ("Email Delivered", "Email Opened", "Email Clicked", "Email Delivery Delayed")
    assert [fits(event(each, "id")) for each in taken] == [1, 1, 1]
    assert [fits(event(each, "id")) for each in passed_over] == [0, 0, 0, 0]
    assert [fits(without_id(each)) for each in taken] == [0, 0, 0]
    assert fits({**event("Email Sent", "id"), "source": "com.example.shop"}) == 0


def test_a_mail_is_looked_at_because_ses_says_it_was_sent(
    intake: LocalRun, pipeline: Pipeline
) -> None:
    """Nothing in the pipeline enqueues it; the rule does."""
    message_id = sent_and_looked_at(intake, pipeline)
    row = message_row(intake, message_id)
    assert row is not None
    assert row["Status"] == "DELIVERED"
    assert asked_for(intake) == [message_id]


def test_a_bounce_is_found_when_ses_publishes_it(intake: LocalRun, pipeline: Pipeline) -> None:
    """Its next look was hours away; a second event of what is known then costs no look."""
    bounce = max(each.after for each in BOUNCES_LATE.events)
    intake.ses.change(speed=bounce.total_seconds() / SECONDS_TO_BOUNCE)
    message_id = sent_and_looked_at(intake, pipeline, BOUNCES_LATE.name)
    before = message_row(intake, message_id)
    assert before is not None
    assert before["Status"] == "DELIVERED"

    eventually(lambda: all(time.time() > each.settled_at.timestamp() for each in intake.ses.sent()))
    bounced = event("Email Bounced", message_id, BOUNCES_LATE.name)
    publish(intake, bounced)
    eventually(lambda: _status(intake, message_id) == "PERMANENT_BOUNCE")
    assert asked_for(intake) == [message_id] * 2

    publish(intake, bounced, event("Email Complaint Received", message_id))
    other = sent_and_looked_at(intake, pipeline)
    assert asked_for(intake) == [message_id, message_id, other]


def test_other_events_enqueue_nothing(intake: LocalRun, pipeline: Pipeline) -> None:
    """Of another kind or without an id: no look, and nothing to park."""
    unseen = str(pipeline.send(STORIES["opened"])["MessageId"])
    publish(
        intake,
        event("Email Delivered", unseen),
        event("Email Opened", unseen),
        without_id("Email Sent"),
        without_id("Email Bounced"),
    )
    message_id = sent_and_looked_at(intake, pipeline)
    assert asked_for(intake) == [message_id]
    assert message_row(intake, unseen) is None
    assert messages_in(intake, intake.outputs["DeadLetterQueueUrl"]) == 0


def test_an_event_with_a_malformed_id_is_parked(intake: LocalRun, pipeline: Pipeline) -> None:
    """It costs no look and holds up nobody; no address or subject of it got into the queue."""
    publish(
        intake,
        event("Email Sent", "no id"),
        event("Email Bounced", 4711),
    )
    message_id = sent_and_looked_at(intake, pipeline)
    assert asked_for(intake) == [message_id]
    bodies = sorted(str(message["Body"]) for message in read_parked(intake))
    assert bodies == ['{"MessageId": "4711", "due": true}', '{"MessageId": "no id"}']


def _status(run: LocalRun, message_id: str) -> object:
    row = message_row(run, message_id)
    return row and row["Status"]
