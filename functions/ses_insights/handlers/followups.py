"""Entry point of the function `followups`, which wires it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import boto3
from aws_lambda_powertools import Logger, Metrics
from botocore.config import Config

from ses_insights.adapters import suppression_list, topic
from ses_insights.adapters.counters import Counters
from ses_insights.adapters.due_index import DueIndex
from ses_insights.adapters.listings import ListingTable
from ses_insights.adapters.queue import SqsProducerQueue
from ses_insights.adapters.records import RecordTable
from ses_insights.adapters.suppression_list import SesSuppressionList
from ses_insights.adapters.surges import SurgeTable
from ses_insights.adapters.topic import AlertTopic
from ses_insights.contracts.console import TableAddress
from ses_insights.service.due_looks import DueLooks
from ses_insights.service.feedback import FeedbackReader
from ses_insights.service.followups import FollowUps
from ses_insights.service.outbox import Outbox
from ses_insights.service.pending_alerts import PendingAlerts
from ses_insights.service.row_repair import RowRepair
from ses_insights.service.summaries import Summaries
from ses_insights.service.telemetry import FollowUpTelemetry
from ses_insights.settings import FollowUpSettings, Settings

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

# One try more than the first: what fails twice is tried by the next run.
_SHORT: Final = Config(
    retries={"total_max_attempts": 2, "mode": "standard"}, connect_timeout=1, read_timeout=3
)

KEPT_FREE: Final = 10.0
"""Seconds before its time-out at which a run stops: what is in hand then is finished."""


def wire(environment: Mapping[str, str], session: boto3.Session) -> FollowUps:
    """Put the function's parts together. Raises `SettingError`."""
    settings, own = Settings.read(environment), FollowUpSettings.read(environment)
    dynamodb = session.client("dynamodb", config=_SHORT)
    queue = SqsProducerQueue(session.client("sqs", config=_SHORT), settings.queue_url)
    sns = session.client("sns", config=topic.CONFIG)
    topics = AlertTopic(sns, settings.alert_topic_arn, settings.chat_topic_arn)
    records = RecordTable(dynamodb, settings.table_name)
    rows = DueIndex(dynamodb, settings.table_name)
    address = TableAddress.beside(
        settings.alert_topic_arn, session.region_name, settings.table_name
    )
    telemetry = FollowUpTelemetry(Logger(), Metrics(namespace=settings.metrics_namespace))
    outbox = Outbox(records, topics, address, _now)
    repair = RowRepair(rows, settings.ladder.ses_keeps, telemetry, _now)
    summaries = Summaries(
        rows=rows,
        surges=SurgeTable(dynamodb, settings.table_name, settings.retention),
        subscribers=topics,
        now=_now,
        table=address,
        surge_after=settings.surge_after,
        on_published=telemetry.summarized,
    )
    feedback = FeedbackReader(
        suppression_list=SesSuppressionList(
            session.client("sesv2", config=suppression_list.CONFIG)
        ),
        listings=ListingTable(dynamodb, settings.table_name),
        queue=queue,
        telemetry=telemetry,
        now=_now,
    )
    return FollowUps(
        pending_alerts=PendingAlerts(rows, records, outbox, summaries, telemetry, _now),
        summaries=summaries,
        row_repair=repair,
        due_looks=DueLooks(
            rows=rows,
            queue=queue,
            counts=Counters(dynamodb, settings.table_name),
            repair=repair,
            telemetry=telemetry,
            ladder=settings.ladder,
            period=settings.lookup_period,
            delay=settings.first_look_delay,
            now=_now,
        ),
        feedback=feedback if own.watch_suppression_list else None,
        telemetry=telemetry,
        clock=time.monotonic,
    )


def handler(event: Mapping[str, Any], context: LambdaContext) -> None:
    """Do one run; the event holds nothing it needs."""
    del event
    followups = _followups()
    try:
        followups.run(context.get_remaining_time_in_millis() / 1000 - KEPT_FREE)
    finally:
        followups.telemetry.flush()


@cache
def _followups() -> FollowUps:
    """Wire once per execution environment."""
    return wire(os.environ, boto3.Session())


def _now() -> datetime:
    return datetime.now(UTC)
