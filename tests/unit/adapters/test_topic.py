"""An alert reaches those who subscribed, with what their filters and programs rely on."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    ReadTimeoutError,
)

from ses_insights.adapters.topic import CONFIG, AlertTopic
from ses_insights.contracts.alert_message import Notification, notification
from ses_insights.domain.failures import FailureKind, SystemFailure
from tests.support.fakes import Clock
from tests.support.samples import (
    BOUNCES,
    COMPLAINS,
    TABLE_ADDRESS,
    bounced,
    complained,
    found,
    looked,
)
from tests.support.wire import ONCE, Network, Reply, sns_error, sns_ok

ARN = "arn:aws:sns:eu-west-1:123456789012:Alerts"
URL = "https://sns.eu-west-1.amazonaws.com"

RECORD, (BOUNCE, COMPLAINT) = looked(found(bounced(), complained()))
BOUNCE_NOTIFICATION = notification(BOUNCE, RECORD.insights, TABLE_ADDRESS, sent_at=RECORD.sent_at)
COMPLAINT_NOTIFICATION = notification(
    COMPLAINT, RECORD.insights, TABLE_ADDRESS, sent_at=RECORD.sent_at
)


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A topic in memory, and queues that subscribed to it."""

    session: boto3.Session
    topic: AlertTopic

    def subscribe(self, name: str, **attributes: str) -> str:
        """Subscribe a queue; returns its URL."""
        sqs = self.session.client("sqs", config=ONCE)
        url = sqs.create_queue(QueueName=name)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        self.topic.client.subscribe(
            TopicArn=self.topic.topic_arn,
            Protocol="sqs",
            Endpoint=arn["Attributes"]["QueueArn"],
            Attributes=attributes,
        )
        return url

    def received(self, url: str) -> list[Any]:
        """What a queue got."""
        sqs = self.session.client("sqs", config=ONCE)
        return [
            json.loads(message["Body"])
            for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get(
                "Messages", []
            )
        ]


@pytest.fixture
def subscribed(session: boto3.Session, _cloud: None) -> Subscribed:
    """The topic of the stack."""
    sns = session.client("sns", config=ONCE)
    return Subscribed(
        session, AlertTopic(sns, sns.create_topic(Name="Alerts")["TopicArn"], chat_topic_arn=None)
    )


def test_a_program_gets_the_alert_as_json(subscribed: Subscribed) -> None:
    """A queue that subscribed receives the contract's JSON, not the text for people."""
    url = subscribed.subscribe("programs")
    subscribed.topic.publish(BOUNCE_NOTIFICATION)
    (received,) = subscribed.received(url)
    alert = json.loads(received["Message"])
    assert alert["alertId"] == BOUNCE.alert_id
    assert alert["destination"] == BOUNCES
    assert (
        received["Subject"]
        == "SES Insights: permanent bounce of mail from shop.example, severity medium"
    )


def test_the_id_of_the_publication_is_returned(subscribed: Subscribed) -> None:
    """What is stored as SnsMessageId is what the subscriber sees."""
    url = subscribed.subscribe("programs")
    sns_message_id = subscribed.topic.publish(BOUNCE_NOTIFICATION)
    (received,) = subscribed.received(url)
    assert received["MessageId"] == sns_message_id


def test_attributes_carry_what_filters_ask_for(subscribed: Subscribed) -> None:
    """Every attribute of the notification arrives as text."""
    url = subscribed.subscribe("programs")
    subscribed.topic.publish(BOUNCE_NOTIFICATION)
    (received,) = subscribed.received(url)
    attributes = received["MessageAttributes"]
    assert {
        name: value["Value"] for name, value in attributes.items()
    } == BOUNCE_NOTIFICATION.attributes
    assert {value["Type"] for value in attributes.values()} == {"String"}


def test_a_filter_policy_chooses(subscribed: Subscribed) -> None:
    """Who asks for complaints gets no bounces."""
    url = subscribed.subscribe("complaints", FilterPolicy=json.dumps({"alertType": ["COMPLAINT"]}))
    subscribed.topic.publish(BOUNCE_NOTIFICATION)
    subscribed.topic.publish(COMPLAINT_NOTIFICATION)
    (received,) = subscribed.received(url)
    assert json.loads(received["Message"])["destination"] == COMPLAINS


@pytest.mark.parametrize("policy", ['{"severity": "high"}', '{"severity": [["high"]]}'])
def test_a_policy_that_cannot_be_read_is_refused(subscribed: Subscribed, policy: str) -> None:
    """A mistake is refused at once, and does not become a subscription that stays silent."""
    with pytest.raises(ClientError) as refused:
        subscribed.subscribe("slips", FilterPolicy=policy)
    assert refused.value.response["Error"]["Code"] == "InvalidParameter"


# Errors


@dataclass(frozen=True, slots=True)
class Cut:
    """A topic behind a cut wire."""

    topic: AlertTopic
    network: Network

    def publish(self, written: Notification = BOUNCE_NOTIFICATION) -> str:
        """Publish the bounce."""
        return self.topic.publish(written)


@pytest.fixture
def cut(session: boto3.Session, clock: Clock) -> Cut:
    """SNS answers with bytes of the test's choice."""
    network = Network(clock)
    client = session.client("sns", config=CONFIG)
    network.cut(client.meta.events, "before-send.sns")
    return Cut(AlertTopic(client, ARN, chat_topic_arn=None), network)


def test_people_get_a_text_of_their_own(cut: Cut) -> None:
    """The request asks SNS to choose by protocol, and has a text for e-mail."""
    cut.network.will(sns_ok())
    assert cut.publish() == "sns-1"
    body = cut.network.requests[0].body
    assert isinstance(body, bytes | str)
    assert "MessageStructure=json" in str(body)
    assert BOUNCE_NOTIFICATION.message.count('"email"') == 1


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        (sns_error(404, "NotFound"), FailureKind.SNS),
        (sns_error(429, "Throttled"), FailureKind.SNS),
        (sns_error(400, "Throttling"), FailureKind.SNS),
        (sns_error(500, "InternalError"), FailureKind.SNS),
        (sns_error(503, "ServiceUnavailable"), FailureKind.SNS),
        (Reply(503, b""), FailureKind.SNS),
        (Reply(200, b"<PublishResponse"), FailureKind.SNS),
        (Reply(200, b"<PublishResponse/>"), FailureKind.SNS),
        (Reply(200, b"null"), FailureKind.SNS),
        (Reply(500, b"\xff\xfe{"), FailureKind.SNS),
        (Reply(500, b"<ErrorResponse><Error>no</Error></ErrorResponse>"), FailureKind.SNS),
        (sns_error(400, "KMSThrottling"), FailureKind.SNS),
        (sns_error(400, "KMSDisabled"), FailureKind.SNS),
        (sns_error(403, "AuthorizationError"), FailureKind.ACCESS_DENIED),
        (sns_error(400, "KMSAccessDenied"), FailureKind.ACCESS_DENIED),
        (sns_error(403, "AccessDenied"), FailureKind.ACCESS_DENIED),
        (sns_error(403, "InvalidClientTokenId"), FailureKind.CREDENTIALS),
        (sns_error(403, "SignatureDoesNotMatch"), FailureKind.CREDENTIALS),
        (sns_error(403, "ExpiredToken"), FailureKind.CREDENTIALS),
        (ReadTimeoutError(endpoint_url=URL), FailureKind.SNS),
        (EndpointConnectionError(endpoint_url=URL), FailureKind.SNS),
    ],
)
def test_a_refusal_of_sns_is_a_failure_of_the_system(
    cut: Cut, trouble: Reply | BotoCoreError, kind: FailureKind
) -> None:
    """Whatever SNS refuses is named by operation and by what is to be mended."""
    cut.network.will(trouble)
    with pytest.raises(SystemFailure) as caught:
        cut.publish()
    assert caught.value.kind is kind
    assert str(caught.value).startswith("Publish: ")


def test_the_sdk_publishes_nothing_twice(cut: Cut) -> None:
    """An alert whose answer is lost may have reached everybody."""
    cut.network.will(ReadTimeoutError(endpoint_url=URL), sns_ok())
    with pytest.raises(SystemFailure):
        cut.publish()
    assert len(cut.network.requests) == 1


def test_sns_has_six_seconds() -> None:
    """One for the connection and five for the answer; lookup keeps eight free to publish."""
    settings = vars(CONFIG)
    assert (settings["connect_timeout"], settings["read_timeout"]) == (1, 5)


def test_a_malformed_alert_is_no_failure_of_the_system(cut: Cut) -> None:
    """What SNS will never take must not hold up the queue: it is a fault of this program."""
    cut.network.will(sns_error(400, "InvalidParameter", "Invalid parameter: Message too long"))
    with pytest.raises(ClientError):
        cut.publish()


def test_a_failure_of_sns_repeats_no_address(cut: Cut) -> None:
    """What SNS writes into an error may quote the alert."""
    cut.network.will(sns_error(500, "InternalError", f"about {BOUNCES}"))
    with pytest.raises(SystemFailure) as caught:
        cut.publish()
    assert BOUNCES not in str(caught.value)


# Chat

CHAT_ARN = "arn:aws:sns:eu-west-1:123456789012:Chat"


def test_a_chat_gets_its_own_words(subscribed: Subscribed) -> None:
    """The chat's topic gets the raw notification, the alert's topic what it always gets."""
    url = subscribed.subscribe("programs")
    arn = subscribed.topic.client.create_topic(Name="Chat")["TopicArn"]
    chat = Subscribed(subscribed.session, replace(subscribed.topic, topic_arn=arn))
    chat_url = chat.subscribe("chat")
    sns_message_id = replace(subscribed.topic, chat_topic_arn=arn).publish(BOUNCE_NOTIFICATION)
    (program,), (people,) = subscribed.received(url), subscribed.received(chat_url)
    assert json.loads(program["Message"])["alertId"] == BOUNCE.alert_id
    assert people["Message"] == BOUNCE_NOTIFICATION.chat
    assert people["MessageAttributes"] == program["MessageAttributes"]
    assert sns_message_id == program["MessageId"]


def test_without_a_chat_one_call_is_made(cut: Cut) -> None:
    """Who wants no chat pays for none."""
    cut.network.will(sns_ok())
    cut.publish()
    assert len(cut.network.requests) == 1


def test_where_the_chat_fails_no_program_gets_it_yet(cut: Cut) -> None:
    """The alert stays pending and both are repeated; programs get it once all the same."""
    cut.network.will(sns_error(500, "InternalError"))
    with pytest.raises(SystemFailure):
        replace(cut.topic, chat_topic_arn=CHAT_ARN).publish(BOUNCE_NOTIFICATION)
    assert len(cut.network.requests) == 1
    assert "Chat" in str(cut.network.requests[0].body)


def test_where_the_alert_topic_fails_the_alert_stays_pending(cut: Cut) -> None:
    """It is published only where both calls went well."""
    cut.network.will(sns_ok(), sns_error(500, "InternalError"))
    with pytest.raises(SystemFailure):
        replace(cut.topic, chat_topic_arn=CHAT_ARN).publish(BOUNCE_NOTIFICATION)
    assert len(cut.network.requests) == 2
