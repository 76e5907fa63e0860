"""The function `followups` and its schedule."""

from __future__ import annotations

import pytest
from aws_cdk.assertions import Match, Template

FUNCTION = "AWS::Lambda::Function"
SCHEDULE = "AWS::Scheduler::Schedule"


def value_of(template: Template, output: str) -> object:
    """Return what an output of the stack refers to."""
    return template.find_outputs(output)[output]["Value"]


def test_it_runs_every_minute(template: Template) -> None:
    """EventBridge Scheduler invokes this function, on the minute and without tries of its own."""
    function = template.find_outputs("FollowUpFunctionName")["FollowUpFunctionName"]["Value"]["Ref"]
    template.has_resource_properties(
        SCHEDULE,
        {
            "ScheduleExpression": "rate(1 minute)",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": Match.absent(),
            "Target": {
                "Arn": {"Fn::GetAtt": [function, "Arn"]},
                "RetryPolicy": {"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60},
            },
        },
    )


def test_a_failed_run_is_not_repeated(template: Template) -> None:
    """The next minute's run does what it did not."""
    template.has_resource_properties(
        "AWS::Lambda::EventInvokeConfig",
        {
            "FunctionName": value_of(template, "FollowUpFunctionName"),
            "MaximumRetryAttempts": 0,
            "MaximumEventAgeInSeconds": 60,
        },
    )


def test_the_function_is_the_followups_handler(template: Template) -> None:
    """It runs `followups.handler` of the same package, for a minute at most."""
    template.has_resource_properties(
        FUNCTION,
        {
            "Handler": "ses_insights.handlers.followups.handler",
            "Runtime": "python3.14",
            "Architectures": ["arm64"],
            "MemorySize": 256,
            "Timeout": 60,
            "ReservedConcurrentExecutions": Match.absent(),
        },
    )


def test_the_functions_settings(template: Template) -> None:
    """Its environment names every resource, and the choices that decide on looks."""
    variables = {
        "TABLE_NAME": value_of(template, "TableName"),
        "ALERT_TOPIC_ARN": value_of(template, "AlertTopicArn"),
        "QUEUE_URL": value_of(template, "QueueUrl"),
        "LOOKUP_PERIOD_SECONDS": "1.0",
        "FIRST_LOOK_DELAY_SECONDS": "900",
        "FOLLOW_UP_LADDER": "[900, 7200, 86400, 259200, 604800, 1209600, 2505600]",
        "SES_KEEPS_DAYS": "30",
        "RETENTION_DAYS": "90",
        "SURGE_AFTER": "5",
        "WATCH_SUPPRESSION_LIST": "true",
        "POWERTOOLS_SERVICE_NAME": "followups",
        "POWERTOOLS_METRICS_NAMESPACE": "SesInsights",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    }
    template.has_resource_properties(
        FUNCTION, {"Environment": {"Variables": Match.object_equals(variables)}}
    )


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("LOOKUP_PERIOD_SECONDS", "2.5"),
        ("FIRST_LOOK_DELAY_SECONDS", "0"),
        ("FOLLOW_UP_LADDER", "[60, 3600]"),
        ("WATCH_SUPPRESSION_LIST", "false"),
    ],
)
def test_choices_reach_the_function(chosen: Template, setting: str, value: str) -> None:
    """A value of the context is in the environment of the function."""
    chosen.has_resource_properties(
        FUNCTION,
        {
            "Handler": "ses_insights.handlers.followups.handler",
            "Environment": {"Variables": {setting: value}},
        },
    )
