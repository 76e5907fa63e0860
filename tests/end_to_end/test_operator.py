"""What the operator finds in the deployed stack: the dashboard, the alarms, and their numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from local.actors.pipeline import Pipeline
from local.ses_stand_in.stories import STORIES
from local.stack.observe import messages_in
from local.stack.run import LocalRun
from tests.support.patience import eventually

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient

FAST = 36_000.0
"""SES shows a mail 8 ms after it was sent, and forgets it after 72 s."""


@pytest.fixture(scope="module")
def cloudwatch(stack: LocalRun) -> CloudWatchClient:
    """CloudWatch, as an operator's tool reaches it."""
    return stack.session.client("cloudwatch")


@pytest.fixture
def pipeline(stack: LocalRun) -> Iterator[Pipeline]:
    """A send pipeline, and SES with a clean slate."""
    stack.ses.reset()
    stack.ses.change(speed=FAST)
    yield Pipeline(
        ses=stack.ses_client(),
        sqs=stack.session.client("sqs"),
        queue_url=stack.outputs["QueueUrl"],
    )
    eventually(lambda: messages_in(stack, stack.outputs["QueueUrl"]) == 0)


def test_the_dashboard_is_where_the_output_says(
    stack: LocalRun, cloudwatch: CloudWatchClient
) -> None:
    """Its body is JSON with both parts, and nothing in it waits to be filled in."""
    name = stack.outputs["DashboardName"]
    text = cloudwatch.get_dashboard(DashboardName=name)["DashboardBody"]
    widgets = json.loads(text)["widgets"]
    headings = [
        each["properties"]["markdown"].splitlines()[0]
        for each in widgets
        if each["properties"].get("markdown", "").startswith("# ")
    ]
    assert headings == ["# Outcome", "# Machinery"]
    assert "${" not in text
    assert '"Ref"' not in text
    assert stack.outputs["QueueUrl"].rpartition("/")[2] in text
    assert stack.outputs["LookupFunctionName"] in text


def test_another_name_is_no_dashboard(stack: LocalRun, cloudwatch: CloudWatchClient) -> None:
    """The stack makes one, and none by any other name."""
    with pytest.raises(cloudwatch.exceptions.ClientError, match="does not exist"):
        cloudwatch.get_dashboard(DashboardName=f"{stack.outputs['DashboardName']}-2")
    listed = cloudwatch.list_dashboards()["DashboardEntries"]
    assert [each["DashboardName"] for each in listed] == [stack.outputs["DashboardName"]]


def test_every_alarm_is_heard_by_operations(stack: LocalRun, cloudwatch: CloudWatchClient) -> None:
    """Each tells the topic when it starts and ends, and its state is on the dashboard."""
    alarms = [
        alarm
        for page in cloudwatch.get_paginator("describe_alarms").paginate()
        for alarm in page["MetricAlarms"]
    ]
    operations = [stack.outputs["OpsTopicArn"]]
    assert alarms
    for alarm in alarms:
        assert alarm["AlarmActions"] == alarm["OKActions"] == operations
        assert "docs/runbook.md" in alarm["AlarmDescription"]
    body = cloudwatch.get_dashboard(DashboardName=stack.outputs["DashboardName"])["DashboardBody"]
    (states,) = (each for each in json.loads(body)["widgets"] if each["type"] == "alarm")
    assert sorted(states["properties"]["alarms"]) == sorted(each["AlarmArn"] for each in alarms)


def test_a_look_writes_what_the_dashboard_reads(stack: LocalRun, pipeline: Pipeline) -> None:
    """A permanent bounce is in the metrics as its status, and as a message that SES shows."""
    before = len(_counted(stack))
    message_id = pipeline.send(STORIES["bounce-noemail"])["MessageId"]
    pipeline.enqueue(message_id)
    # The status is written at once, the rest when the invocation ends.
    eventually(lambda: {"Coverage": [1], "service": "lookup"} in _counted(stack)[before:])
    counted = {"Statuses": [1], "status": "PERMANENT_BOUNCE", "service": "lookup"}
    assert counted in _counted(stack)[before:]


def _counted(stack: LocalRun) -> list[dict[str, Any]]:
    """Statuses and coverage among the metrics that the lookup function wrote to its log."""
    names = ("Statuses", "Coverage", "status", "service")
    return [
        {name: record[name] for name in names if name in record}
        for record in stack.log_records(stack.outputs["LookupFunctionName"])
        if "_aws" in record and ("Statuses" in record or "Coverage" in record)
    ]
