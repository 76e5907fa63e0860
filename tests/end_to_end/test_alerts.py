"""What ``docs/alerts.md`` tells to type works as it stands, on the deployed stack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import pytest

from local.actors.subscriber import Subscriber
from local.ses_stand_in.stories import STORIES, address_of
from local.stack.run import PROJECT, LocalRun
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

EXPECTED: Final[Mapping[str, set[str]]] = {
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

NOBODYS: Final = '{"fromDomain": ["nobody.example"]}'
"""A policy that matches no alert."""


@dataclass(frozen=True, slots=True)
class Told:
    """What each subscriber was told, by the story that it is about."""

    by_policy: Mapping[str, list[str]]
    of_nobodys: list[str]


@pytest.fixture(scope="module")
def told(stack: LocalRun) -> Told:
    """Raise alerts of several stories, with a queue subscribed under each policy of the page."""
    stack.ses.reset()
    stack.ses.change(speed=36_000.0)
    topic, ses = stack.outputs["AlertTopicArn"], stack.ses_client()

    def subscribe(name: str, policy: str | None = None) -> Subscriber:
        return Subscriber.subscribe(stack.session, topic, name=name, filter_policy=policy)

    everything = subscribe("unfiltered")
    nobodys = subscribe("nobodys", NOBODYS)
    subscribers = {
        label: subscribe(f"policy-{number}", policy)
        for number, (label, policy) in enumerate(POLICIES.items())
    }
    stories = {}
    for story, sender, configuration_set in SENT:
        message_id = ses.send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [address_of(STORIES[story])]},
            Content={"Simple": {"Subject": {"Data": story}, "Body": {"Text": {"Data": "Hello"}}}},
            ConfigurationSetName=configuration_set,
        )["MessageId"]
        stories[message_id] = story
        stack.session.client("sqs").send_message(
            QueueUrl=stack.outputs["QueueUrl"], MessageGroupId="looks", MessageBody=message_id
        )

    def of(subscriber: Subscriber) -> list[str]:
        subscriber.read()
        ids = [alert.body["messageId"] for alert in subscriber.received]
        return sorted(stories[each] for each in ids if each in stories)

    eventually(lambda: len(of(everything)) == len(SENT))
    # SNS keeps no order among queues: what is due to somebody may still be on its way.
    eventually(lambda: all(len(of(subscribers[each])) >= len(EXPECTED[each]) for each in EXPECTED))
    return Told({label: of(each) for label, each in subscribers.items()}, of(nobodys))


def test_every_policy_of_the_page_is_known_here() -> None:
    """None is added to the page without being tried."""
    assert POLICIES.keys() == EXPECTED.keys()


@pytest.mark.parametrize("label", EXPECTED)
def test_a_policy_lets_exactly_the_right_alerts_by(told: Told, label: str) -> None:
    """Who subscribes with a policy of the page gets what its sentence says, once, and no more."""
    assert told.by_policy[label] == sorted(EXPECTED[label])


def test_a_policy_that_matches_nothing_gets_nothing(told: Told) -> None:
    """Another sender's alerts are not told to whoever asked for one sender's."""
    assert told.of_nobodys == []


def test_the_command_of_the_page_subscribes_people(stack: LocalRun) -> None:
    """It adds an e-mail subscription with the policy that its sentence names."""
    run_page(PAGE, stack)
    sns = stack.session.client("sns")
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=stack.outputs["AlertTopicArn"])
    people = [each for each in subscriptions["Subscriptions"] if each.get("Protocol") == "email"]
    assert [each.get("Endpoint") for each in people] == ["mail-owners@example.com"]


def test_the_command_for_a_topic_that_is_none_says_so(stack: LocalRun) -> None:
    """With the wrong topic it fails and tells why; nobody is subscribed by mistake."""
    wrong = PAGE.replace("AlertTopicArn", "QueueUrl")
    with pytest.raises(AssertionError, match="An error occurred"):
        run_page(wrong, stack)
