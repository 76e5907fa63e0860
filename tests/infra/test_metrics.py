"""The metrics that dashboard and alarms read, held against those that somebody writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from aws_cdk.assertions import Template
from aws_lambda_powertools import Metrics

from ses_insights.contracts.names import Shed
from ses_insights.domain.alert import Alert, alerts_in
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.insight import Bounce, Complaint, Destination
from ses_insights.domain.lanes import Lane
from ses_insights.domain.listing import Feedback
from ses_insights.domain.pace import Call
from ses_insights.domain.record import NotFound
from ses_insights.domain.status import Status
from ses_insights.domain.times import iso
from ses_insights.service.look import Outcome
from tests.support.fakes import START
from tests.support.harness import Output, new_follow_up_telemetry, new_telemetry
from tests.support.samples import event, insights_of, looked
from tests.support.shown import Watched, all_metrics, dashboard, queries_of

# What AWS writes, with the one dimension of each namespace:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
# https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
# https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-cloudwatch-alarm.html
OF_AWS = {
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", ("QueueName",)),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", ("QueueName",)),
    ("AWS/SNS", "NumberOfMessagesPublished", ("TopicName",)),
    ("AWS/SNS", "NumberOfNotificationsFailed", ("TopicName",)),
    ("AWS/Lambda", "Errors", ("FunctionName",)),
    ("AWS/Lambda", "Invocations", ("FunctionName",)),
    ("AWS/SES", "Reputation.BounceRate", ()),
    ("AWS/SES", "Reputation.ComplaintRate", ()),
}

BOUNCES = [
    "General",
    "NoEmail",
    "Suppressed",
    "OnAccountSuppressionList",
    "UnsubscribedRecipient",
    "of another kind",
]
COMPLAINTS = ["abuse", "other", "fraud", "virus", "auth-failure", "not-spam", "of another kind"]


@pytest.fixture(autouse=True)
def _powertools(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "SesInsights")
    Metrics().clear_metrics()
    yield
    Metrics().clear_metrics()


@pytest.fixture
def output(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Output:
    """Everything that the two functions can write, whatever happens to them."""
    for service, do_everything in (("lookup", _lookup), ("followups", _followups)):
        monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", service)
        do_everything()
    return Output(capsys.readouterr().out)


@pytest.fixture
def written(output: Output) -> set[Watched]:
    """The metrics among it."""
    return {
        Watched("SesInsights", name, frozenset(dimensions)) for name, dimensions in output.metrics
    }


@pytest.fixture
def lines(output: Output) -> list[dict[str, Any]]:
    """The log lines among it."""
    return output.logs


def _lookup() -> None:
    telemetry = new_telemetry()
    telemetry.called(Call(0.1, throttled=True, after_gap=True))
    for alert in _alerts():
        telemetry.alerted(alert)
    record, _ = looked(NotFound(), now=START + timedelta(hours=2))
    for status in Status:
        shown = replace(record, status=status)
        telemetry.looked(Outcome(shown, (), NotFound(), shed=1, is_fresh=True))
    telemetry.looked(Outcome(record, (), None))
    telemetry.looked(Outcome(replace(record, looks=0), (), None, shed=1))
    for kind in FailureKind:
        telemetry.failed(SystemFailure(kind, "Operation: Code"))
    telemetry.parked("NotAnId", "NotAnId: no id")
    telemetry.set_up("SetUp: it was set up")
    telemetry.regrouped()
    telemetry.flush()


def _followups() -> None:
    telemetry = new_follow_up_telemetry()
    telemetry.began(due=dict.fromkeys(Lane, 1), lag=timedelta(hours=1).total_seconds(), free=1)
    for lane in Lane:
        telemetry.sent(1, lane=lane)
    telemetry.refused(1)
    for what in Shed:
        telemetry.shed("id", 1, what, next_look_at=None)
    telemetry.bad_row("id", lane="bulk")
    for reason in Feedback:
        telemetry.listed("id", reason, lag=1.0)
    telemetry.listed_without_id()
    telemetry.list_off(frozenset(Feedback))
    telemetry.throttled()
    for alert in _alerts():
        telemetry.published(alert, "id")
    for kind in FailureKind:
        telemetry.failed(SystemFailure(kind, "Operation: Code"))
    telemetry.flush()


DIAGNOSTICS = (
    "550 5.7.1 blocked by zen.spamhaus.org",
    "550 5.1.1 user unknown",
    "552 5.2.2 mailbox full",
)


def _alerts() -> tuple[Alert, ...]:
    """One alert of each kind that the service tells apart."""
    events = [
        *(event("BOUNCE", bounce=Bounce("PERMANENT", subtype, "")) for subtype in BOUNCES),
        *(event("BOUNCE", bounce=Bounce("PERMANENT", None, text)) for text in DIAGNOSTICS),
        event("REJECT"),
        event("RENDERING_FAILURE"),
        *(event("COMPLAINT", complaint=Complaint(None, kind)) for kind in COMPLAINTS),
        event("COMPLAINT", complaint=Complaint("OnAccountSuppressionList", None)),
    ]
    places = [
        Destination(f"{number}@there.example", None, (each,)) for number, each in enumerate(events)
    ]
    return alerts_in(insights_of(*places), detected_at=iso(START))


def test_what_is_shown_and_watched_is_written(template: Template, written: set[Watched]) -> None:
    """No graph stays empty and no alarm silent because a metric or a dimension has another name."""
    own = {metric for metric in all_metrics(template) if metric.namespace == "SesInsights"}
    assert own
    assert own - written == set()


def test_what_is_written_is_shown_or_watched(template: Template, written: set[Watched]) -> None:
    """Each set of dimensions costs money every hour in which it is written."""
    own = {metric for metric in all_metrics(template) if metric.namespace == "SesInsights"}
    assert written - own == set()


def test_the_dashboard_reads_fields_of_lines_that_are_written(
    template: Template, lines: list[dict[str, Any]]
) -> None:
    """Each field that a query names is in some line with one of the messages that it names."""
    written = {name for line in lines for name in line}
    written |= {f"due.{lane}" for line in lines for lane in line.get("due", {})}
    queries = [each["query"] for each in queries_of(dashboard(template))]
    assert len(queries) == 5
    for query in queries:
        fields = re.findall(r"(?:ispresent|max|pct)\(`?([\w.-]+)", query)
        for by in re.findall(r"count\(\*\) as \w+ by (.*)", query):
            fields += by.split(", ")
        assert fields, query
        assert set(fields) <= written, query
        messages = re.findall(r'"(\w+)"', query)
        assert set(messages) <= {line.get("message") for line in lines}, query


def test_what_is_read_of_aws_is_documented(template: Template) -> None:
    """Each name with its namespace and its dimension, and nothing read that is not in the list."""
    read = {
        (metric.namespace, metric.name, tuple(name for name, _ in metric.dimensions))
        for metric in all_metrics(template)
        if metric.namespace != "SesInsights"
    }
    assert read == OF_AWS


def _values(written: set[Watched], name: str, *dimensions: str) -> set[tuple[str, ...]]:
    return {
        tuple(by_name[dimension] for dimension in dimensions)
        for metric in written
        if metric.name == name and (by_name := dict(metric.dimensions)).keys() >= set(dimensions)
    }


@pytest.mark.parametrize(
    ("name", "dimensions"),
    [
        ("SystemFailures", ("kind",)),
        ("Shed", ("service",)),
    ],
)
def test_a_graph_shows_every_kind(
    template: Template, written: set[Watched], name: str, dimensions: tuple[str, ...]
) -> None:
    """Every failure, and what either function gives up, has its line."""
    shown = _values(all_metrics(template), name, *dimensions)
    assert shown
    assert shown == _values(written, name, *dimensions)
