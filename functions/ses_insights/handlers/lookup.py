"""Entry point of the lookup function, which wires it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
from aws_lambda_powertools import Logger, Metrics
from botocore.config import Config

from ses_insights.adapters import ses, topic
from ses_insights.adapters.due_index import DueIndex
from ses_insights.adapters.queue import SqsConsumerQueue, SqsProducerQueue
from ses_insights.adapters.records import RecordTable
from ses_insights.adapters.ses import SesSource
from ses_insights.adapters.surges import SurgeTable
from ses_insights.adapters.topic import AlertTopic
from ses_insights.contracts.console import TableAddress
from ses_insights.contracts.queue_message import QueueMessage
from ses_insights.domain.pace import Pace
from ses_insights.service.capacity import MeasuredCapacity
from ses_insights.service.consumer import Consumer
from ses_insights.service.grouping import Grouping
from ses_insights.service.look import Look
from ses_insights.service.outbox import Outbox
from ses_insights.service.telemetry import LookupTelemetry
from ses_insights.settings import LookupSettings, Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# One try more than the first: what fails twice waits at the head of the queue instead.
_SHORT: Final = Config(
    retries={"total_max_attempts": 2, "mode": "standard"}, connect_timeout=1, read_timeout=2
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What an execution environment keeps between invocations."""

    source: SesSource
    consumer: Consumer
    telemetry: LookupTelemetry


def wire(environment: Mapping[str, str], session: boto3.Session) -> Parts:
    """Put the function's parts together. Raises `SettingError`."""
    settings, own = Settings.read(environment), LookupSettings.read(environment)
    telemetry = LookupTelemetry(Logger(), Metrics(namespace=settings.metrics_namespace))
    sesv2 = session.client("sesv2", config=ses.CONFIG)
    source = SesSource(sesv2, Pace(settings.lookup_period), on_call=telemetry.called)
    dynamodb = session.client("dynamodb", config=_SHORT)
    sqs = session.client("sqs", config=_SHORT)
    sns = session.client("sns", config=topic.CONFIG)
    topics = AlertTopic(sns, settings.alert_topic_arn, settings.chat_topic_arn)
    records = RecordTable(dynamodb, settings.table_name)
    address = TableAddress.beside(
        settings.alert_topic_arn, session.region_name, settings.table_name
    )
    surges = SurgeTable(dynamodb, settings.table_name, settings.retention)
    rows = DueIndex(dynamodb, settings.table_name)
    producer = SqsProducerQueue(sqs, settings.queue_url)
    look = Look(
        source=source,
        records=records,
        outbox=Outbox(records, topics, address, _now),
        capacity=MeasuredCapacity(rows, producer, settings.lookup_period, _now),
        grouping=Grouping(surges, settings.surge_after),
        rules=own.rules,
        region=session.region_name,
        delay=settings.first_look_delay,
        on_published=telemetry.alerted,
        now=_now,
    )
    queue = SqsConsumerQueue(sqs, settings.queue_url, own.dead_letter_queue_url, _now)
    return Parts(source, Consumer(look, queue, telemetry), telemetry)


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle a batch of the queue and return what is to come back.

    The batch size is 1. With more, the queue would still keep its order: the first message that is
    to come back holds all those behind it.
    """
    parts = _parts()
    messages = [QueueMessage.of_record(record) for record in event["Records"]]
    # A message of another group can come while a look is under way elsewhere. Its invocation asks
    # SES nothing, and must not count as one that shows that nobody else did (`domain.pace`).
    is_turn = not any(message.is_foreign for message in messages)
    seconds = context.get_remaining_time_in_millis() / 1000
    done = 0
    try:
        with parts.source.invocation(seconds) if is_turn else nullcontext():
            while done < len(messages) and parts.consumer.handle(messages[done]):
                done += 1
    finally:
        parts.telemetry.flush()
    return {"batchItemFailures": [{"itemIdentifier": message.id} for message in messages[done:]]}


@cache
def _parts() -> Parts:
    """Wire once per execution environment."""
    return wire(os.environ, boto3.Session())


def _now() -> datetime:
    return datetime.now(UTC)
