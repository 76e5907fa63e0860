"""The commands and policies of ``docs/alerts.md`` work as they stand, on the deployed stack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import pytest
from boto3.dynamodb.conditions import Key

from local.actors.subscriber import Subscriber
from local.stack.run import PROJECT, LocalRun
from ses_insights.contracts.names import Partition
from tests.support.deployed_stack import deployed_stack
from tests.support.pages import run_page
from tests.support.patience import eventually

PAGE: Final = (PROJECT / "docs" / "alerts.md").read_text(encoding="utf-8")

POLICIES: Final[Mapping[str, str]] = dict(
    re.findall(r"^([^\n]+):\n\n^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
)
"""The filter policies of the page, by the sentence before each."""

# Story, sender, configuration set.
SENT: Final = (
    ("complaint-abuse", "shop@sender.example", "shop"),
    ("complaint-not-spam", "shop@Sender.example", "plain"),
    ("bounce-noemail", "news@other.example", "news"),
    ("bounce-suppressed", "shop@sender.example", "shop"),
    ("complaint-auth-failure", "news@other.example", "shop"),
)

ALL: Final = {story for story, _, _ in SENT}

EXPECTED: Final[Mapping[str, set[str]]] = {
    "Only what the sender has to fix": {"complaint-auth-failure"},
    "What people should read, single alerts and summaries": ALL,
    "Only summaries": set(),
    "Every event once, for programs, and no summary": ALL,
    "Only complaints": {"complaint-abuse", "complaint-not-spam", "complaint-auth-failure"},
    "Only mail from one sender domain": {
        *("complaint-abuse", "complaint-not-spam", "bounce-suppressed")
    },
    "All but `info`": {
        *("complaint-abuse", "bounce-noemail", "bounce-suppressed", "complaint-auth-failure")
    },
    "Only one configuration set": {
        *("complaint-abuse", "bounce-suppressed", "complaint-auth-failure")
    },
    "What cannot wait, from one sender domain": {"complaint-abuse"},
}
"""Which of them each policy lets by, written out by hand."""

NO_MATCH: Final = '{"fromDomain": ["nobody.example"]}'
"""A policy that matches no alert."""


@dataclass(frozen=True, slots=True)
class Received:
    """What each subscriber received, by the story that it is about."""

    by_policy: Mapping[str, list[str]]
    without_match: list[str]


def forget_surges(run: LocalRun) -> None:
    """Let no alert of another test count: then none of these is grouped."""
    table = run.session.resource("dynamodb").Table(run.table_name)
    for row in table.query(KeyConditionExpression=Key("MessageId").eq(Partition.SURGES))["Items"]:
        table.delete_item(Key={"MessageId": row["MessageId"], "Record": row["Record"]})


@pytest.fixture(scope="module")
def received(run: LocalRun) -> Iterator[Received]:
    """Raise alerts of several stories, with a queue subscribed under each policy of the page."""

    def subscribe(name: str, policy: str) -> Subscriber:
        return Subscriber.subscribe(
            run.session, run.alert_topic_arn, name=name, filter_policy=policy
        )

    forget_surges(run)
    without_match = subscribe("without-match", NO_MATCH)
    subscribers = {
        label: subscribe(f"policy-{number}", policy)
        for number, (label, policy) in enumerate(POLICIES.items())
    }
    with deployed_stack(run) as stack:
        stories = {}
        for story, sender, configuration_set in SENT:
            response = stack.send(story, sender=sender, configuration_set=configuration_set)
            stories[response["MessageId"]] = story
        stack.enqueue(*stories)

        def of(subscriber: Subscriber) -> list[str]:
            subscriber.read()
            ids = [alert.body.get("messageId") for alert in subscriber.received]
            return sorted(stories[each] for each in ids if each in stories)

        eventually(stack.is_done)
        # SNS keeps no order among queues: an alert for another subscriber may be on its way.
        eventually(
            lambda: all(len(of(subscribers[each])) >= len(EXPECTED[each]) for each in EXPECTED)
        )
        yield Received({label: of(each) for label, each in subscribers.items()}, of(without_match))


def test_every_policy_of_the_page_is_known_here() -> None:
    """None is added to the page without being tried."""
    assert POLICIES.keys() == EXPECTED.keys()


@pytest.mark.parametrize("label", EXPECTED)
def test_a_policy_lets_exactly_the_right_alerts_by(received: Received, label: str) -> None:
    """A subscriber with a policy of the page gets what its sentence says, once, and no more."""
    assert received.by_policy[label] == sorted(EXPECTED[label])


def test_a_policy_that_matches_nothing_gets_nothing(received: Received) -> None:
    """A subscriber to one sender's alerts gets none of another sender."""
    assert received.without_match == []


def test_the_command_of_the_page_subscribes_people(run: LocalRun) -> None:
    """It adds an e-mail subscription with the policy that its sentence names."""
    run_page(PAGE, run)
    sns = run.session.client("sns")
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=run.alert_topic_arn)
    people = [each for each in subscriptions["Subscriptions"] if each.get("Protocol") == "email"]
    assert [each.get("Endpoint") for each in people] == ["mail-owners@example.com"]


def test_the_command_for_a_topic_that_is_none_says_so(run: LocalRun) -> None:
    """With the wrong topic it fails with an error, and subscribes nothing."""
    wrong = PAGE.replace("AlertTopicArn", "QueueUrl")
    with pytest.raises(AssertionError, match="An error occurred"):
        run_page(wrong, run)
