"""The lookup function and its trigger."""

from __future__ import annotations

import pytest
from aws_cdk.assertions import Match, Template

FUNCTION = "AWS::Lambda::Function"
MAPPING = "AWS::Lambda::EventSourceMapping"


def value_of(template: Template, output: str) -> object:
    """Return what an output of the stack refers to."""
    return template.find_outputs(output)[output]["Value"]


def test_one_id_at_a_time_is_looked_up(template: Template) -> None:
    """Each invocation has one id, and a second one cannot run beside it."""
    template.has_resource_properties(MAPPING, {"BatchSize": 1})
    template.has_resource_properties(FUNCTION, {"ReservedConcurrentExecutions": 1})


def test_a_young_account_need_not_reserve(chosen: Template) -> None:
    """With reserveConcurrency false no concurrency is reserved; the queue alone serialises."""
    chosen.has_resource_properties(FUNCTION, {"ReservedConcurrentExecutions": Match.absent()})


def test_a_throttled_look_is_reported_back_to_the_queue(template: Template) -> None:
    """The queue keeps exactly the messages the function reports as failed."""
    queue = template.find_outputs("QueueUrl")["QueueUrl"]["Value"]["Ref"]
    template.has_resource_properties(
        MAPPING,
        {
            "EventSourceArn": {"Fn::GetAtt": [queue, "Arn"]},
            "FunctionName": value_of(template, "LookupFunctionName"),
            "FunctionResponseTypes": ["ReportBatchItemFailures"],
        },
    )


def test_the_function_is_the_lookup_handler(template: Template) -> None:
    """It runs `lookup.handler` on the newest Python, on arm64, with 256 MB."""
    template.has_resource_properties(
        FUNCTION,
        {
            "Handler": "ses_insights.handlers.lookup.handler",
            "Runtime": "python3.14",
            "Architectures": ["arm64"],
            "MemorySize": 256,
            "Timeout": 30,
        },
    )


def test_the_functions_settings(template: Template) -> None:
    """Its environment names every resource, and the defaults as documented."""
    variables = {
        "TABLE_NAME": value_of(template, "TableName"),
        "ALERT_TOPIC_ARN": value_of(template, "AlertTopicArn"),
        "QUEUE_URL": value_of(template, "QueueUrl"),
        "DEAD_LETTER_QUEUE_URL": value_of(template, "DeadLetterQueueUrl"),
        "LOOKUP_PERIOD_SECONDS": "1.0",
        "FIRST_LOOK_DELAY_SECONDS": "900",
        "FOLLOW_UP_LADDER": "[900, 7200, 86400, 259200, 604800, 1209600, 2505600]",
        "SES_KEEPS_DAYS": "30",
        "RETENTION_DAYS": "90",
        "REDACT_SUBJECTS": "false",
        "SURGE_AFTER": "5",
        "ALERT_TYPES": '["BOUNCE", "COMPLAINT", "REJECT", "RENDERING_FAILURE"]',
        "POWERTOOLS_SERVICE_NAME": "lookup",
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
        ("RETENTION_DAYS", "30"),
        ("REDACT_SUBJECTS", "true"),
    ],
)
def test_choices_reach_the_function(chosen: Template, setting: str, value: str) -> None:
    """A value of the context is in the environment of the function."""
    chosen.has_resource_properties(FUNCTION, {"Environment": {"Variables": {setting: value}}})


def test_a_longer_period_gets_a_longer_time_out(chosen: Template) -> None:
    """A function that waits longer for its turn may run longer."""
    chosen.has_resource_properties(FUNCTION, {"Timeout": 36})


def test_logs_expire_after_a_month(template: Template) -> None:
    """Each function writes to a log group of its own, which keeps a month."""
    groups = template.find_resources("AWS::Logs::LogGroup", {"Properties": {"RetentionInDays": 30}})
    used = [
        function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        for function in template.find_resources(FUNCTION).values()
    ]
    assert sorted(used) == sorted(groups)
