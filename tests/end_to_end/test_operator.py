"""What the operator finds in the deployed stack: the dashboard, the alarms, and their numbers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from local.stack.run import LocalRun
from ses_insights.contracts.names import (
    LogField,
    LogMessage,
    Metric,
    Output,
    Service,
    Status,
)
from tests.support.deployed_stack import DeployedStack
from tests.support.patience import eventually

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch import CloudWatchClient


@pytest.fixture(scope="module")
def cloudwatch(run: LocalRun) -> CloudWatchClient:
    """CloudWatch, as an operator's tool reaches it."""
    return run.session.client("cloudwatch")


def test_the_dashboard_is_where_the_output_says(
    run: LocalRun, cloudwatch: CloudWatchClient
) -> None:
    """Its body is JSON with both parts, and nothing in it waits to be filled in."""
    name = run.outputs[Output.DASHBOARD_NAME]
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
    assert run.queue_url.rpartition("/")[2] in text
    assert run.lookup_function in text


def test_another_name_is_no_dashboard(run: LocalRun, cloudwatch: CloudWatchClient) -> None:
    """The stack makes one, and none by any other name."""
    with pytest.raises(cloudwatch.exceptions.ClientError, match="does not exist"):
        cloudwatch.get_dashboard(DashboardName=f"{run.outputs[Output.DASHBOARD_NAME]}-2")
    listed = cloudwatch.list_dashboards()["DashboardEntries"]
    assert [each["DashboardName"] for each in listed] == [run.outputs[Output.DASHBOARD_NAME]]


def test_every_alarm_is_heard_by_operations(run: LocalRun, cloudwatch: CloudWatchClient) -> None:
    """Each notifies the topic when it starts and ends, and its state is on the dashboard."""
    alarms = [
        alarm
        for page in cloudwatch.get_paginator("describe_alarms").paginate()
        for alarm in page["MetricAlarms"]
    ]
    operations = [run.outputs[Output.OPS_TOPIC_ARN]]
    assert alarms
    for alarm in alarms:
        assert alarm["AlarmActions"] == alarm["OKActions"] == operations
        assert "docs/runbook.md" in alarm["AlarmDescription"]
    body = cloudwatch.get_dashboard(DashboardName=run.outputs[Output.DASHBOARD_NAME])[
        "DashboardBody"
    ]
    (states,) = (each for each in json.loads(body)["widgets"] if each["type"] == "alarm")
    assert sorted(states["properties"]["alarms"]) == sorted(each["AlarmArn"] for each in alarms)


def test_a_look_writes_what_the_dashboard_reads(stack: DeployedStack) -> None:
    """A permanent bounce is in a line as its status, and in the metrics as shown by SES."""
    before = len(stack.run.log_records(stack.run.lookup_function))
    sent = stack.send_and_enqueue("bounce-noemail")

    def written() -> list[dict[str, Any]]:
        return stack.run.log_records(stack.run.lookup_function)[before:]

    eventually(lambda: any(Metric.COVERAGE in line for line in written()))
    (counted,) = (line for line in written() if Metric.COVERAGE in line)
    assert (counted[Metric.COVERAGE], counted["service"]) == ([1], Service.LOOKUP)
    (looked,) = (line for line in written() if line.get("message") == LogMessage.LOOKED)
    assert looked[LogField.CAME_TO] == Status.PERMANENT_BOUNCE
    assert looked["message_id"] == sent
