"""Whatever AWS refuses an adapter is a failure of the system, named by what was tried."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import boto3
import pytest

from ses_insights.adapters.counters import Counters
from ses_insights.adapters.due_index import DueIndex
from ses_insights.adapters.listings import ListingTable
from ses_insights.adapters.queue import SqsConsumerQueue, SqsProducerQueue
from ses_insights.adapters.records import RecordTable
from ses_insights.adapters.surges import SurgeTable
from ses_insights.contracts.rows import MESSAGE
from ses_insights.domain.alert import AlertType
from ses_insights.domain.due import Claim, Waiting
from ses_insights.domain.explanation import explain_reason
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.lanes import Lane
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.overload import Drop
from ses_insights.domain.reasons import Reason
from ses_insights.domain.suppression import Progress
from ses_insights.domain.surge import Group, counted, summarized
from ses_insights.domain.times import iso
from tests.support.fakes import START, Clock
from tests.support.samples import (
    BOUNCES,
    DEAD_LETTERS_URL,
    MESSAGE_ID,
    QUEUE_URL,
    bounced,
    found,
    looked,
    published,
)
from tests.support.samples import MESSAGE as QUEUED
from tests.support.wire import ONCE, Network, dynamodb_error, dynamodb_ok, sqs_error

NOW = iso(START)
ROW = Waiting(MESSAGE_ID, MESSAGE, NOW)
LISTING = Listing(BOUNCES, Feedback.BOUNCE, NOW)
RECORD, (ALERT,) = looked(found(bounced()))
GROUP = Group(AlertType.BOUNCE, Reason.ADDRESS_UNKNOWN, "shop.example")
SURGE, SUMMARY = summarized(
    counted(None, GROUP, now=START, surge_after=0)[0],
    (),
    explain_reason(GROUP.reason),
    now=START,
    surge_after=5,
)


@dataclass(frozen=True, slots=True)
class Adapters:
    """What talks to DynamoDB and to SQS."""

    records: RecordTable
    listings: ListingTable
    due: DueIndex
    counters: Counters
    surges: SurgeTable
    consumer: SqsConsumerQueue
    producer: SqsProducerQueue


@pytest.fixture
def network(clock: Clock) -> Network:
    """The end of the wire."""
    return Network(clock)


@pytest.fixture
def adapters(session: boto3.Session, clock: Clock, network: Network) -> Adapters:
    """All of them, at the end of the cut wire."""
    dynamodb, sqs = session.client("dynamodb", config=ONCE), session.client("sqs", config=ONCE)
    network.cut(dynamodb.meta.events, "before-send.dynamodb")
    network.cut(sqs.meta.events, "before-send.sqs")
    return Adapters(
        RecordTable(dynamodb, "Insights"),
        ListingTable(dynamodb, "Insights"),
        DueIndex(dynamodb, "Insights"),
        Counters(dynamodb, "Insights"),
        SurgeTable(dynamodb, "Insights", timedelta(days=90)),
        SqsConsumerQueue(sqs, QUEUE_URL, DEAD_LETTERS_URL, now=clock.now),
        SqsProducerQueue(sqs, QUEUE_URL),
    )


Call = Callable[[Adapters], object]

OF_THE_TABLE: list[tuple[str, Call]] = [
    ("Query", lambda of: of.records.load(MESSAGE_ID)),
    ("Query", lambda of: of.records.listings(MESSAGE_ID)),
    ("TransactWriteItems", lambda of: of.records.save(RECORD, [ALERT], read=None)),
    ("UpdateItem", lambda of: of.records.claim(MESSAGE_ID, ALERT, at=NOW)),
    ("UpdateItem", lambda of: of.records.mark_published(MESSAGE_ID, published(ALERT))),
    ("Query", lambda of: of.listings.progress()),
    ("PutItem", lambda of: of.listings.save_progress(Progress(START))),
    ("Query", lambda of: of.listings.put(MESSAGE_ID, LISTING)),
    ("Query", lambda of: of.due.count(Lane.ESSENTIAL, until=NOW, most=1)),
    ("Query", lambda of: of.due.oldest(Lane.ESSENTIAL, until=NOW)),
    ("Query", lambda of: list(of.due.due(Lane.ESSENTIAL, until=NOW))),
    ("Query", lambda of: of.due.beyond(Lane.ESSENTIAL, after=NOW)),
    ("BatchGetItem", lambda of: of.due.details([ROW])),
    ("UpdateItem", lambda of: of.due.claim(ROW, until=NOW)),
    ("UpdateItem", lambda of: of.due.release(ROW, claimed_until=NOW)),
    ("UpdateItem", lambda of: of.due.apply(ROW, Drop("Enough.", shed=0))),
    ("UpdateItem", lambda of: of.counters.count_sent(1, START)),
    ("Query", lambda of: of.counters.sent_since(START)),
    ("Query", lambda of: of.surges.load(GROUP)),
    ("Query", lambda of: list(of.surges.findings(GROUP, since=NOW, until=NOW))),
    ("TransactWriteItems", lambda of: of.surges.save_summary(SUMMARY, SURGE)),
    (
        "UpdateItem",
        lambda of: of.surges.mark_published(
            replace(SUMMARY, published_at=NOW, sns_message_id="sns-1")
        ),
    ),
]

OF_THE_QUEUE: list[tuple[str, Call]] = [
    ("ChangeMessageVisibility", lambda of: of.consumer.defer(QUEUED)),
    ("SendMessage", lambda of: of.consumer.regroup(QUEUED)),
    ("SendMessage", lambda of: of.consumer.park(QUEUED, "why")),
    ("GetQueueAttributes", lambda of: of.producer.depth()),
    ("SendMessageBatch", lambda of: of.producer.send([Claim(ROW, 2)])),
    ("SendMessage", lambda of: of.producer.send_due(MESSAGE_ID, LISTING)),
]


@pytest.mark.parametrize(("operation", "call"), OF_THE_TABLE)
def test_a_refusal_of_dynamodb_is_named(
    adapters: Adapters, network: Network, operation: str, call: Call
) -> None:
    """By operation and code; nothing is repeated of the mail."""
    network.will(dynamodb_error(500, "InternalServerError", f"about {BOUNCES}"))
    with pytest.raises(SystemFailure) as caught:
        call(adapters)
    assert caught.value.kind is FailureKind.DYNAMODB
    assert str(caught.value) == f"{operation}: InternalServerError"


@pytest.mark.parametrize(("operation", "call"), OF_THE_QUEUE)
def test_a_refusal_of_sqs_is_named(
    adapters: Adapters, network: Network, operation: str, call: Call
) -> None:
    """By operation and code; nothing is repeated of the message."""
    network.will(sqs_error(500, "InternalFailure", f"about {MESSAGE_ID}"))
    with pytest.raises(SystemFailure) as caught:
        call(adapters)
    assert caught.value.kind is FailureKind.SQS
    assert str(caught.value) == f"{operation}: InternalFailure"


def test_a_listing_that_cannot_be_stored_is_named(adapters: Adapters, network: Network) -> None:
    """The write that follows the read of its message fails by itself."""
    network.will(dynamodb_ok(Items=[]), dynamodb_error(500, "InternalServerError"))
    with pytest.raises(SystemFailure) as caught:
        adapters.listings.put(MESSAGE_ID, LISTING)
    assert caught.value.kind is FailureKind.DYNAMODB
    assert str(caught.value) == "TransactWriteItems: InternalServerError"
