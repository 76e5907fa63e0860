"""The function `followups` as Lambda runs it, on AWS in memory."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import boto3
import pytest
from aws_lambda_powertools.utilities.typing import LambdaContext

from ses_insights.adapters.records import RecordTable
from ses_insights.adapters.suppression_list import SesSuppressionList
from ses_insights.adapters.topic import AlertTopic
from ses_insights.contracts.console import TableAddress
from ses_insights.domain.alert import pending
from ses_insights.domain.record import NotFound
from ses_insights.domain.times import iso
from ses_insights.handlers import followups
from ses_insights.settings import SettingError
from tests.support.fakes import Table
from tests.support.harness import Output
from tests.support.samples import MESSAGE_ID, OTHER_ID, bounced, found, looked

AGO = datetime.now(UTC) - timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda says of the invocation."""

    left: int = 60_000

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the time-out."""
        return self.left


@dataclass(frozen=True, slots=True)
class Cloud:
    """The stack, in memory."""

    table: Table
    environment: Mapping[str, str]
    sqs: Any

    def run(self, left: int = 60_000) -> None:
        """Invoke the function."""
        followups.handler({}, cast("LambdaContext", Context(left)))

    def received(self) -> list[Any]:
        """Take what is in the queue."""
        url = self.environment["QUEUE_URL"]
        answer = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in answer.get("Messages", [])]


@pytest.fixture
def cloud(
    session: boto3.Session,
    table: Table,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Cloud:
    """Everything that the environment names."""
    del capsys
    monkeypatch.delitem(logging.Logger.manager.loggerDict, "followups", raising=False)
    sqs, sns = session.client("sqs"), session.client("sns")
    attributes = {"FifoQueue": "true", "ContentBasedDeduplication": "true"}
    environment = {
        "POWERTOOLS_SERVICE_NAME": "followups",
        "POWERTOOLS_METRICS_NAMESPACE": "SesInsights",
        "TABLE_NAME": table.name,
        "ALERT_TOPIC_ARN": sns.create_topic(Name="alerts")["TopicArn"],
        "QUEUE_URL": sqs.create_queue(QueueName="ids.fifo", Attributes=attributes)["QueueUrl"],  # type: ignore[arg-type] # names as SQS has them
        "LOOKUP_PERIOD_SECONDS": "1.0",
        "FIRST_LOOK_DELAY_SECONDS": "900",
        "FOLLOW_UP_LADDER": "[900, 7200, 259200]",
        "SES_KEEPS_DAYS": "30",
        "RETENTION_DAYS": "90",
        "SURGE_AFTER": "5",
        "WATCH_SUPPRESSION_LIST": "false",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    followups._followups.cache_clear()  # noqa: SLF001 - what a new execution environment has
    return Cloud(table, environment, sqs)


def store(cloud: Cloud, *, published: bool = True) -> RecordTable:
    """Store a message that is due, and one whose alert was published or is stale."""
    records = RecordTable(cloud.table.client, cloud.table.name)
    due, _ = looked(NotFound(), now=AGO)
    records.save(replace(due, next_look_at=iso(AGO), sent_at=iso(AGO)), (), read=None)
    bounce, alerts = looked(found(bounced()), message_id=OTHER_ID, now=AGO)
    bounce = replace(bounce, insights=replace(bounce.insights, message_id=OTHER_ID))
    records.save(bounce, alerts, read=None)
    if published:
        for alert in alerts:
            done = replace(alert, published_at=iso(AGO), sns_message_id="1")
            records.mark_published(OTHER_ID, done)
    return records


def test_a_run_sends_what_is_due_and_publishes_what_is_stale(
    cloud: Cloud, output: Callable[[], Output]
) -> None:
    """From the table to the queue and the topic, and once only."""
    records = store(cloud, published=False)
    cloud.run()
    cloud.run()
    assert cloud.received() == [{"MessageId": MESSAGE_ID, "look": 2}]
    assert cloud.received() == []
    bounce = records.load(OTHER_ID)
    assert bounce is not None
    assert pending(bounce.alerts) == ()
    lines = output()
    assert lines.line("published")["alert_type"] == "BOUNCE"
    assert [sum(line["due"].values()) for line in lines.logs if line["message"] == "due"] == [1, 0]
    assert len(lines.metrics["Lag", (("service", "followups"),)]) == 2


def test_what_is_published_waits_in_no_lane(cloud: Cloud) -> None:
    """The mark takes the alert out of the index."""
    store(cloud)
    lanes = [row.get("DueLane", {}).get("S") for row in cloud.table.rows()]
    assert lanes.count("alert") == 0
    assert lanes.count("follow-up") + lanes.count("keep") == 1


def test_a_run_stops_ten_seconds_before_its_time_out(
    cloud: Cloud, output: Callable[[], Output]
) -> None:
    """With ten seconds left it begins nothing."""
    store(cloud)
    cloud.run(left=10_000)
    assert cloud.received() == []
    assert any("out of time" in line["message"] for line in output().logs)


def test_an_alert_is_sent_once_a_run(cloud: Cloud, session: boto3.Session) -> None:
    """The SDK sends no alert again: it may have arrived. A run finishes what it has in hand."""
    topic = followups.wire(cloud.environment, session).pending_alerts.outbox.subscribers
    assert isinstance(topic, AlertTopic)
    config = vars(topic.client.meta.config)
    assert config["retries"]["total_max_attempts"] == 1
    assert config["connect_timeout"] + config["read_timeout"] < followups.KEPT_FREE


def test_a_setting_that_is_missing_is_named(cloud: Cloud) -> None:
    """Each one the function needs."""
    names = [name for name in cloud.environment if name != "POWERTOOLS_SERVICE_NAME"]
    for name in names:
        rest = {each: value for each, value in cloud.environment.items() if each != name}
        with pytest.raises(SettingError, match=name):
            followups.wire(rest, boto3.Session())


def test_the_suppression_list_is_read_where_it_is_chosen(
    cloud: Cloud, session: boto3.Session
) -> None:
    """Without retries of the SDK, which would not keep the pace; otherwise SES is not called."""
    assert followups.wire(cloud.environment, session).feedback is None
    chosen = {**cloud.environment, "WATCH_SUPPRESSION_LIST": "true"}
    reader = followups.wire(chosen, session).feedback
    assert reader is not None
    source = reader.suppression_list
    assert isinstance(source, SesSuppressionList)
    config = vars(source.client.meta.config)
    assert config["retries"]["total_max_attempts"] == 1
    assert config["connect_timeout"] + config["read_timeout"] < followups.KEPT_FREE


def test_a_stale_alert_names_the_table(cloud: Cloud, session: boto3.Session) -> None:
    """Its reader learns where the whole story is, as with any other alert."""
    outbox = followups.wire(cloud.environment, session).pending_alerts.outbox
    assert outbox.table == TableAddress("123456789012", session.region_name, cloud.table.name)


def test_a_stale_alert_reaches_the_chat(cloud: Cloud, session: boto3.Session) -> None:
    """Its topic is wired beside the topic of alerts, where the stack has one."""
    environment = {**cloud.environment, "CHAT_TOPIC_ARN": "arn:chat"}
    topics = [
        followups.wire(each, session).pending_alerts.outbox.subscribers
        for each in (cloud.environment, environment)
    ]
    assert [each.chat_topic_arn for each in topics if isinstance(each, AlertTopic)] == [
        None,
        "arn:chat",
    ]
