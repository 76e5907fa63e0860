"""`insights doctor` asks AWS, judges what it answers, and passes nothing that it could not ask."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from ses_insights.cli.checks import Check
from ses_insights.cli.commands.doctor import lines
from ses_insights.cli.deployment import now
from tests.cli.conftest import LOG_GROUP, Aws
from tests.support.said import Insights, Said

CHECKS = [
    *("credentials", "vdm", "engagement-tracking", "sending", "sandbox", "suppression-list"),
    *("stack", "one-stack", "trigger", "reserved-concurrency", "schedule", "followups-run"),
    *("looks", "dead-letters", "alarms", "alert-subscribers", "operations-subscribers"),
    *("topic-key", "time-to-live", "backups", "deletion-protection", "encryption", "indexes"),
    *("slots", "full-waits"),
]

TOPIC = "arn:aws:sns:eu-west-1:123456789012:topic"

HEALTHY: dict[str, Any] = {
    "GetAccount": {
        "VdmAttributes": {
            "VdmEnabled": "ENABLED",
            "DashboardAttributes": {"EngagementMetrics": "ENABLED"},
        },
        "SendingEnabled": True,
        "EnforcementStatus": "HEALTHY",
        "ProductionAccessEnabled": True,
        "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
    },
    "GetTemplate": {"TemplateBody": {"Resources": {"T": {"Type": "AWS::DynamoDB::GlobalTable"}}}},
    "ListEventSourceMappings": {"EventSourceMappings": [{"State": "Enabled", "UUID": "u"}]},
    "GetFunctionConcurrency": {},
    "ListSchedules": {
        "Schedules": [
            {
                "State": "ENABLED",
                "Target": {"Arn": "arn:aws:lambda:eu-west-1:1:function:FollowUps"},
            },
            {"State": "DISABLED", "Target": {"Arn": "arn:aws:lambda:eu-west-1:1:function:Others"}},
        ]
    },
    "DescribeAlarms": {"MetricAlarms": [{"AlarmName": "SesInsights-x", "StateValue": "OK"}]},
    "ListSubscriptionsByTopic": {"Subscriptions": [{"SubscriptionArn": f"{TOPIC}:1"}]},
    "GetTopicAttributes": {"Attributes": {"KmsMasterKeyId": "k"}},
    "DescribeKey": {"KeyMetadata": {"KeyState": "Enabled"}},
    "DescribeTimeToLive": {
        "TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ExpiresAt"}
    },
    "DescribeContinuousBackups": {
        "ContinuousBackupsDescription": {
            "PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}
        }
    },
    "GetMetricData": {"MetricDataResults": []},
}


@pytest.fixture
def healthy(aws: Aws) -> Aws:
    """A deployment in which nothing is wrong."""
    aws.answers = dict(HEALTHY)
    aws.vdm = "ENABLED"
    aws.stacks["SesInsights"] |= {
        "FollowUpFunctionName": "FollowUps",
        "AlertTopicArn": TOPIC,
        "OpsTopicArn": TOPIC,
    }
    logs = aws.session.client("logs")
    logs.create_log_group(logGroupName=LOG_GROUP)
    logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName="s")
    logs.put_log_events(
        logGroupName=LOG_GROUP,
        logStreamName="s",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": "{}"}],
    )
    return aws


def verdicts(said: Said) -> dict[str, bool | None]:
    """The verdict of each check."""
    return {each["check"]: each["ok"] for each in said.json}


def test_everything_is_checked_and_a_healthy_deployment_passes(
    healthy: Aws, insights: Insights
) -> None:
    """But for what cannot be told without a busy hour; exit code 0."""
    del healthy
    said = insights("doctor", "--json")
    assert [each["check"] for each in said.json] == CHECKS
    assert {each["check"]: each["found"] for each in said.json if not each["ok"]}.keys() == {
        "slots",
        "full-waits",
    }
    assert {key for each in said.json for key in each} == {"check", "ok", "found", "remedy"}
    assert said.code == 0


@pytest.mark.parametrize(
    ("operation", "answer", "wrong"),
    [
        ("ListEventSourceMappings", {"EventSourceMappings": []}, {"trigger"}),
        ("ListSchedules", {"Schedules": []}, {"schedule"}),
        (
            "ListSubscriptionsByTopic",
            {"Subscriptions": [{"SubscriptionArn": "PendingConfirmation"}]},
            {"alert-subscribers", "operations-subscribers"},
        ),
        ("GetFunctionConcurrency", {"ReservedConcurrentExecutions": 0}, {"reserved-concurrency"}),
        (
            "GetTemplate",
            {
                "TemplateBody": {
                    "Resources": {
                        "A": {
                            "Type": "AWS::DynamoDB::GlobalTable",
                            "Properties": {"Replicas": [{"DeletionProtectionEnabled": True}]},
                        }
                    }
                }
            },
            {"deletion-protection"},
        ),
    ],
)
def test_what_is_wrong_gives_exit_code_1(
    healthy: Aws, insights: Insights, operation: str, answer: dict[str, Any], wrong: set[str]
) -> None:
    """With what to do, and nothing else is touched by it."""
    healthy.answers[operation] = answer
    said = insights("doctor", "--json")
    assert said.code == 1
    assert {each["check"] for each in said.json if each["ok"] is False} == wrong
    assert all(each["remedy"] for each in said.json if each["ok"] is False)


def test_another_stack_of_the_service_is_found(healthy: Aws, insights: Insights) -> None:
    """By its outputs, whatever it is called."""
    healthy.stacks["Elsewhere"] = healthy.stacks["SesInsights"]
    said = insights("doctor", "--json")
    assert verdicts(said)["one-stack"] is False
    assert "Elsewhere" in said.out


@pytest.mark.parametrize("operation", [*HEALTHY, "GetCallerIdentity", "DescribeTable", "Query"])
def test_what_cannot_be_asked_is_unknown(healthy: Aws, insights: Insights, operation: str) -> None:
    """It is said and never passed; it is no fault of the deployment either."""
    healthy.fails[operation] = "AccessDeniedException"
    said = insights("doctor", "--json")
    assert said.code == 0
    denied = [each for each in said.json if "could not be asked. These cred" in each["found"]]
    assert denied
    assert {each["ok"] for each in denied} == {None}


def test_an_answer_that_cannot_be_read_is_unknown(healthy: Aws, insights: Insights) -> None:
    """An emulator may leave out what AWS always has; it says what."""
    healthy.answers["GetTopicAttributes"] = {}
    said = insights("doctor", "--json")
    (topic_key,) = (each for each in said.json if each["check"] == "topic-key")
    assert (said.code, topic_key["ok"]) == (0, None)
    assert topic_key["found"] == "the answer lacks 'Attributes'"


def test_a_topic_without_a_key_is_wrong(healthy: Aws, insights: Insights) -> None:
    """SNS leaves the attribute out; the stack has one."""
    healthy.answers["GetTopicAttributes"] = {"Attributes": {}}
    said = insights("doctor", "--json")
    assert (said.code, verdicts(said)["topic-key"]) == (1, False)


def test_followups_need_not_have_run_in_the_first_minutes(healthy: Aws, insights: Insights) -> None:
    """Nothing can be told yet; later it is a fault."""
    healthy.answers["FilterLogEvents"] = {"events": []}
    healthy.made = now()
    said = insights("doctor", "--json")
    (run,) = (each for each in said.json if each["check"] == "followups-run")
    assert run["ok"] is None
    assert run["found"].startswith("none yet; the stack was made ")
    healthy.made = now() - timedelta(minutes=6)
    assert verdicts(insights("doctor", "--json"))["followups-run"] is False


def test_without_a_stack_that_is_the_finding(insights: Insights) -> None:
    """Nothing else can be checked."""
    said = insights("doctor", "--json", "--stack", "Nowhere")
    assert (said.code, verdicts(said)) == (1, {"stack": False})
    assert "There is no stack Nowhere" in said.out


def test_a_person_reads_what_to_do_below_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pipe it is the last field of the line."""
    found = [
        Check("vdm", ok=False, found="it is off", remedy="Turn it on."),
    ]
    found.append(Check("slots", ok=None, found="nothing can be told", remedy=""))
    assert [line.plain for line in lines(found)] == [
        "wrong\tvdm\tit is off\tTurn it on.",
        "unknown\tslots\tnothing can be told\t",
    ]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert [line.plain for line in lines(found)] == [
        "wrong    vdm    it is off",
        "                Turn it on.",
        "unknown  slots  nothing can be told",
    ]


def test_the_verdicts_are_counted(healthy: Aws, insights: Insights) -> None:
    """On standard error, so that the result stays one line a check."""
    del healthy
    said = insights("doctor")
    assert said.err == "23 ok, 0 wrong, 2 unknown.\n"
    assert len(said.out.splitlines()) == len(CHECKS)
