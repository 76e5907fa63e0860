"""The alarms: when they go off, and what they say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from aws_cdk import App
from aws_cdk.assertions import Match, Template

from infra.config import Config
from infra.stack import SesInsightsStack
from ses_insights.domain.failures import FailureKind
from tests.support.shown import dashboard, graphs, queries_of

ALARM = "AWS::CloudWatch::Alarm"
LOOKUP = {"Name": "service", "Value": "lookup"}
FOLLOWUPS = {"Name": "service", "Value": "followups"}
NOT_RUNNING = "SesInsights-FollowUpsNotRunning"
NO_FRESH_IDS = "SesInsights-NoFreshIds"
SHARES = ("SesInsights-Coverage", "SesInsights-BounceRate", "SesInsights-ComplaintRate")
RUNBOOK = Path(__file__).resolve().parents[2] / "docs" / "runbook.md"


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
                "Threshold": 108_000,
            },
        ),
        *(
            (
                name,
                {
                    "Namespace": "SesInsights",
                    "MetricName": metric,
                    "Dimensions": [service],
                    "Statistic": "Sum",
                    "Threshold": 1,
                    "Period": 3600,
                    "DatapointsToAlarm": 1,
                    "EvaluationPeriods": 24,
                },
            )
            for name, metric, service in (
                ("FirstLooksPostponed", "Shed", LOOKUP),
                ("LooksGivenUp", "Shed", FOLLOWUPS),
                ("ForeignGroup", "ForeignGroups", LOOKUP),
            )
        ),
        (
            "FeedbackLag",
            {
                "Namespace": "SesInsights",
                "MetricName": "FeedbackLag",
                "Dimensions": [FOLLOWUPS],
                "Statistic": "Maximum",
                "Threshold": 3600,
                "Period": 900,
                "DatapointsToAlarm": 2,
                "EvaluationPeriods": 2,
            },
        ),
        (
            "BounceRate",
            {
                "Namespace": "AWS/SES",
                "MetricName": "Reputation.BounceRate",
                "Dimensions": Match.absent(),
                "Statistic": "Average",
                "Threshold": 0.025,
            },
        ),
        (
            "ComplaintRate",
            {
                "Namespace": "AWS/SES",
                "MetricName": "Reputation.ComplaintRate",
                "Dimensions": Match.absent(),
                "Statistic": "Average",
                "Threshold": 0.0005,
            },
        ),
    ],
)
def test_an_alarm_watches_for(template: Template, name: str, properties: object) -> None:
    """Each failure that needs a person has its alarm, named after the stack."""
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


def test_every_alarm_notifies_operations_and_again_when_it_is_over(template: Template) -> None:
    """Both go to the operations topic."""
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


def test_no_data_raises_no_alarm(template: Template) -> None:
    """What is counted only when it happens raises no alarm while nothing happens.

    Except for what runs every minute or comes every day, and for shares: without a value a share is
    unknown.
    """
    silence = dict.fromkeys(SHARES, "ignore") | dict.fromkeys(
        (NOT_RUNNING, NO_FRESH_IDS), "breaching"
    )
    for alarm in template.find_resources(ALARM).values():
        expected = silence.get(alarm["Properties"]["AlarmName"], "notBreaching")
        assert alarm["Properties"]["TreatMissingData"] == expected


def test_no_data_of_what_runs_every_minute_raises_an_alarm(template: Template) -> None:
    """Ten minutes in which no run of followups started raise an alarm."""
    followups = ref(template, "FollowUpFunctionName")
    template.has_resource_properties(
        ALARM,
        {
            "AlarmName": NOT_RUNNING,
            "Namespace": "AWS/Lambda",
            "MetricName": "Invocations",
            "Dimensions": [{"Name": "FunctionName", "Value": followups}],
            "Statistic": "Sum",
            "Threshold": 1,
            "ComparisonOperator": "LessThanThreshold",
            "Period": 300,
            "EvaluationPeriods": 2,
        },
    )


def test_most_ids_of_an_hour_not_shown_raises_an_alarm(template: Template) -> None:
    """The median of 1 and 0 is 0. A few ids are no median: CloudWatch asks for 20 of them."""
    template.has_resource_properties(
        ALARM,
        {
            "AlarmName": "SesInsights-Coverage",
            "Namespace": "SesInsights",
            "MetricName": "Coverage",
            "Dimensions": [LOOKUP],
            "ExtendedStatistic": "p50",
            "EvaluateLowSampleCountPercentile": "ignore",
            "Threshold": 0.5,
            "ComparisonOperator": "LessThanThreshold",
            "Period": 3600,
            "EvaluationPeriods": 1,
            "AlarmDescription": Match.string_like_regexp("several recipients or the mailbox sim"),
        },
    )


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("AlertsUndelivered", "AlertTopicArn"),
        ("OperationsUndelivered", "OpsTopicArn"),
        ("ChatUndelivered", "ChatTopicArn"),
    ],
)
def test_what_sns_could_not_deliver_raises_an_alarm(
    chosen: Template, name: str, output: str
) -> None:
    """Each topic has its own: one subscriber that is gone misses alerts without a word."""
    chosen.has_resource_properties(
        ALARM,
        {
            "AlarmName": f"Mail-{name}",
            "Namespace": "AWS/SNS",
            "MetricName": "NumberOfNotificationsFailed",
            "Dimensions": [{"Name": "TopicName", "Value": name_of_topic(chosen, output)}],
            "Statistic": "Sum",
            "Threshold": 1,
            "Period": 300,
            "DatapointsToAlarm": 1,
            "EvaluationPeriods": 12,
        },
    )


def name_of_topic(template: Template, output: str) -> object:
    """What stands for the name of a topic whose ARN is an output."""
    arn = ref(template, output)
    assert isinstance(arn, dict)
    return {"Fn::GetAtt": [arn["Ref"], "TopicName"]}


@pytest.mark.parametrize(
    ("deployed", "name", "days"), [("template", "SesInsights", 3), ("chosen", "Mail", 1)]
)
def test_days_without_a_fresh_id_raise_an_alarm(
    request: pytest.FixtureRequest, deployed: str, name: str, days: int
) -> None:
    """After three, so that no weekend does, or as many as are chosen."""
    request.getfixturevalue(deployed).has_resource_properties(
        ALARM,
        {
            "AlarmName": f"{name}-NoFreshIds",
            "Namespace": "SesInsights",
            "MetricName": "Fresh",
            "Dimensions": [LOOKUP],
            "Statistic": "Sum",
            "Threshold": 1,
            "ComparisonOperator": "LessThanThreshold",
            "Period": 86_400,
            "DatapointsToAlarm": days,
            "EvaluationPeriods": days,
        },
    )


def test_a_sender_without_a_rhythm_has_no_such_alarm(cdk_context: dict[str, object]) -> None:
    """`quietDays` false leaves it out."""
    app = App(context={**cdk_context, "aws:cdk:bundling-stacks": []}, analytics_reporting=False)
    quiet = Template.from_stack(SesInsightsStack(app, "Mail", config=Config(quiet_days=None)))
    names = {each["Properties"]["AlarmName"] for each in quiet.find_resources(ALARM).values()}
    assert "Mail-LooksGivenUp" in names
    assert "Mail-NoFreshIds" not in names


def test_an_alarm_looks_back_no_further_than_cloudwatch_can(template: Template) -> None:
    """A day where its period is below an hour, else a week."""
    for alarm in template.find_resources(ALARM).values():
        period, number = (alarm["Properties"][name] for name in ("Period", "EvaluationPeriods"))
        assert period * number <= (86_400 if period < 3600 else 604_800)


def test_the_rates_of_ses_are_watched_as_chosen(chosen: Template) -> None:
    """At 4 per cent of bounces; false leaves an alarm out."""
    names = {
        alarm["Properties"]["AlarmName"]: alarm["Properties"]["Threshold"]
        for alarm in chosen.find_resources(ALARM).values()
    }
    assert names["Mail-BounceRate"] == 0.04
    assert "Mail-ComplaintRate" not in names


def test_every_alarm_has_its_section_in_the_runbook(template: Template, chosen: Template) -> None:
    """Its description names the section; no section is without its alarm."""
    headings = re.findall("^## (.*)$", RUNBOOK.read_text(), flags=re.MULTILINE)
    names = set()
    for deployed in (template, chosen):
        for alarm in deployed.find_resources(ALARM).values():
            _, _, name = alarm["Properties"]["AlarmName"].partition("-")
            description = alarm["Properties"]["AlarmDescription"]
            assert description.endswith(f" See {name} in docs/runbook.md.")
            names.add(name)
    assert sorted(headings) == sorted(names)


def test_every_section_of_the_runbook_is_complete() -> None:
    """What you see, why, what to do, and how to check that it is over."""
    _, *sections = re.split("^## ", RUNBOOK.read_text(), flags=re.MULTILINE)
    for section in sections:
        parts = re.findall(r"^\*\*(.*?)\.?\*\* \S", section, flags=re.MULTILINE)
        assert parts == ["You see", "Why", "Do", "Over when"], section


def test_the_runbook_names_graphs_and_kinds_as_they_are(template: Template) -> None:
    """What it calls a graph is one, and each kind of failure has its remedy."""
    _, *sections = re.split("^## ", RUNBOOK.read_text(), flags=re.MULTILINE)
    body = dashboard(template)
    titles = {graph["title"] for graph in (*graphs(body), *queries_of(body))}
    for section in sections:
        in_italics = re.findall(r"(?<!\*)\*([^*]+)\*(?!\*)", section.replace("\n", " "))
        assert in_italics
        assert set(in_italics) <= titles
    (failures,) = (each for each in sections if each.startswith("SystemFailures\n"))
    for kind in FailureKind:
        assert f"`{kind}`" in failures


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


def test_alarms_of_another_stack_have_its_name(chosen: Template) -> None:
    """The list of alarms shows which stack each belongs to."""
    chosen.all_resources_properties(ALARM, {"AlarmName": Match.string_like_regexp("^Mail-")})


def test_nothing_watches_a_list_that_is_not_read(chosen: Template) -> None:
    """Its alarm is left out, too."""
    chosen.resource_properties_count_is(ALARM, {"AlarmName": "Mail-FeedbackLag"}, 0)
