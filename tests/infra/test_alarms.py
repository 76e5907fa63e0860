"""Alarms: when the service asks for help, and how it says so."""

from __future__ import annotations

import pytest
from aws_cdk.assertions import Match, Template

ALARM = "AWS::CloudWatch::Alarm"
LOOKUP = {"Name": "service", "Value": "lookup"}
FOLLOWUPS = {"Name": "service", "Value": "followups"}
NOT_RUNNING = "SesInsights-FollowUpsNotRunning"


def ref(template: Template, output: str) -> object:
    """Return what an output of the stack refers to."""
    return template.find_outputs(output)[output]["Value"]


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        (
            "DeadLetters",
            {
                "Namespace": "AWS/SQS",
                "MetricName": "ApproximateNumberOfMessagesVisible",
                "Statistic": "Maximum",
                "Threshold": 1,
            },
        ),
        (
            "OldestMessage",
            {
                "Namespace": "AWS/SQS",
                "MetricName": "ApproximateAgeOfOldestMessage",
                "Statistic": "Maximum",
                "Threshold": 4 * 3600,
            },
        ),
        (
            "LookupErrors",
            {
                "Namespace": "AWS/Lambda",
                "MetricName": "Errors",
                "Statistic": "Sum",
                "Threshold": 1,
            },
        ),
        (
            "SystemFailures",
            {
                "Namespace": "SesInsights",
                "MetricName": "SystemFailures",
                "Dimensions": [LOOKUP],
                "Statistic": "Sum",
                "Threshold": 1,
            },
        ),
        (
            "VdmOff",
            {
                "Namespace": "SesInsights",
                "MetricName": "SystemFailures",
                "Dimensions": [{"Name": "kind", "Value": "VdmOff"}, LOOKUP],
                "Statistic": "Sum",
                "Threshold": 1,
            },
        ),
        (
            "SesThrottling",
            {
                "Namespace": "SesInsights",
                "MetricName": "Throttles",
                "Dimensions": [LOOKUP],
                "Statistic": "Sum",
                "Threshold": 10,
            },
        ),
        (
            "FollowupsErrors",
            {
                "Namespace": "AWS/Lambda",
                "MetricName": "Errors",
                "Statistic": "Sum",
                "Threshold": 1,
            },
        ),
        (
            "FollowUpFailures",
            {
                "Namespace": "SesInsights",
                "MetricName": "SystemFailures",
                "Dimensions": [FOLLOWUPS],
                "Statistic": "Sum",
                "Threshold": 1,
            },
        ),
        (
            "FollowUpLag",
            {
                "Namespace": "SesInsights",
                "MetricName": "Lag",
                "Dimensions": [FOLLOWUPS],
                "Statistic": "Maximum",
                "Threshold": 86_400,
            },
        ),
    ],
)
def test_an_alarm_watches_for(template: Template, name: str, properties: object) -> None:
    """Each trouble the service knows of has its alarm, named after the stack."""
    assert isinstance(properties, dict)
    template.has_resource_properties(
        ALARM,
        {
            "AlarmName": f"SesInsights-{name}",
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            **properties,
        },
    )


@pytest.mark.parametrize(
    ("name", "dimension", "output", "attribute"),
    [
        ("DeadLetters", "QueueName", "DeadLetterQueueUrl", "QueueName"),
        ("OldestMessage", "QueueName", "QueueUrl", "QueueName"),
        ("LookupErrors", "FunctionName", "LookupFunctionName", None),
        ("FollowupsErrors", "FunctionName", "FollowUpFunctionName", None),
    ],
)
def test_an_alarm_watches_the_right_thing(
    template: Template, name: str, dimension: str, output: str, attribute: str | None
) -> None:
    """The dead letters' alarm watches the dead letters, and so on."""
    target = template.find_outputs(output)[output]["Value"]["Ref"]
    value = {"Fn::GetAtt": [target, attribute]} if attribute else {"Ref": target}
    template.has_resource_properties(
        ALARM,
        {
            "AlarmName": f"SesInsights-{name}",
            "Dimensions": [{"Name": dimension, "Value": value}],
        },
    )


def test_every_alarm_tells_operations_and_tells_when_it_is_over(template: Template) -> None:
    """No alarm goes off unheard."""
    operations = ref(template, "OpsTopicArn")
    template.all_resources_properties(
        ALARM, {"AlarmActions": [operations], "OKActions": [operations]}
    )


def test_every_alarm_says_what_it_means_and_what_to_do(template: Template) -> None:
    """Its description has a sentence for each, within what CloudWatch shows."""
    for alarm in template.find_resources(ALARM).values():
        description = alarm["Properties"]["AlarmDescription"]
        assert len(description.split(". ")) >= 2, description
        assert description.endswith(".")
        assert 100 < len(description) <= 1024, description


def test_silence_is_good(template: Template) -> None:
    """What is counted only when it happens raises no alarm while it does not happen."""
    for alarm in template.find_resources(ALARM).values():
        silent = "notBreaching" if alarm["Properties"]["AlarmName"] != NOT_RUNNING else "breaching"
        assert alarm["Properties"]["TreatMissingData"] == silent


def test_silence_of_what_runs_every_minute_is_trouble(template: Template) -> None:
    """Ten minutes in which no run of followups ended are told."""
    template.has_resource_properties(
        ALARM,
        {
            "AlarmName": NOT_RUNNING,
            "Namespace": "SesInsights",
            "MetricName": "Runs",
            "Dimensions": [FOLLOWUPS],
            "Statistic": "Sum",
            "Threshold": 1,
            "ComparisonOperator": "LessThanThreshold",
            "Period": 300,
            "EvaluationPeriods": 2,
        },
    )


@pytest.mark.parametrize(("name", "datapoints"), [("SystemFailures", 3), ("VdmOff", 1)])
def test_an_alarm_stays_on_between_two_tries(
    template: Template, name: str, datapoints: int
) -> None:
    """A failing look returns after at most 15 minutes; its alarm does not go off in between."""
    longest_pause = 15 * 60
    (alarm,) = template.find_resources(
        ALARM, {"Properties": {"AlarmName": f"SesInsights-{name}"}}
    ).values()
    assert alarm["Properties"]["DatapointsToAlarm"] == datapoints
    window = alarm["Properties"]["Period"] * alarm["Properties"]["EvaluationPeriods"]
    assert window > datapoints * longest_pause


def test_alarms_of_another_stack_bear_its_name(chosen: Template) -> None:
    """Two stacks can be told apart in the list of alarms."""
    chosen.all_resources_properties(ALARM, {"AlarmName": Match.string_like_regexp("^Mail-")})
