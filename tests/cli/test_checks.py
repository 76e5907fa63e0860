"""The verdicts of `insights doctor`: what is right, what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ses_insights.cli import checks
from ses_insights.cli.checks import Check, Designed, Hour
from tests.cli.test_status import AT, QUIET

GOOD: Mapping[str, Any] = {
    "VdmAttributes": {
        "VdmEnabled": "ENABLED",
        "DashboardAttributes": {"EngagementMetrics": "ENABLED"},
    },
    "SendingEnabled": True,
    "EnforcementStatus": "HEALTHY",
    "ProductionAccessEnabled": True,
    "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
}
DESIGNED = Designed(is_reserved=True, is_protected=True)
CONFIRMED = {"SubscriptionArn": "arn:aws:sns:eu-west-1:123456789012:alerts:1"}
PENDING = {"SubscriptionArn": "PendingConfirmation"}
OUTPUTS = [{"OutputKey": "QueueUrl"}, {"OutputKey": "TableName"}]
TTL = {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "ExpiresAt"}}
PITR = "PointInTimeRecoveryDescription"
BACKUPS = {"ContinuousBackupsDescription": {PITR: {"PointInTimeRecoveryStatus": "ENABLED"}}}
TABLE: Mapping[str, Any] = {
    "DeletionProtectionEnabled": True,
    "GlobalSecondaryIndexes": [{"IndexName": "ByStatus", "IndexStatus": "ACTIVE"}],
}
HOUR = datetime(2026, 11, 23, 9, tzinfo=UTC)
BUSY = Hour(HOUR, looks=3_500, full_waits=20, least_waiting=40)
IDLE = Hour(HOUR + timedelta(hours=1), looks=100, full_waits=99, least_waiting=0)


@pytest.mark.parametrize(
    "check",
    [
        checks.credentials({"Arn": "arn:aws:iam::123456789012:user/x"}, "eu-west-1"),
        checks.vdm(GOOD),
        checks.engagement_tracking(GOOD),
        checks.sending(GOOD),
        checks.sandbox(GOOD),
        checks.suppression_list(GOOD),
        checks.stack({"StackName": "SesInsights", "StackStatus": "UPDATE_COMPLETE"}),
        checks.one_stack([{"StackName": "A", "Outputs": OUTPUTS}], "A", ["QueueUrl"]),
        checks.one_stack(
            [{"StackName": "A", "Outputs": OUTPUTS}, {"StackName": "B"}], "A", ["QueueUrl"]
        ),
        checks.trigger([{"State": "Enabled", "UUID": "u"}]),
        checks.reserved_concurrency({"ReservedConcurrentExecutions": 1}, DESIGNED),
        checks.reserved_concurrency({}, replace(DESIGNED, is_reserved=False)),
        checks.schedule([{"State": "ENABLED"}]),
        checks.followups_run(AT - timedelta(minutes=2), AT),
        checks.looks(QUIET),
        checks.dead_letters(0),
        checks.alarms([{"AlarmName": "A-x", "StateValue": "INSUFFICIENT_DATA"}]),
        checks.subscribers("alert", "AlertTopicArn", [CONFIRMED, PENDING]),
        checks.topic_key({"KeyMetadata": {"KeyState": "Enabled"}}),
        checks.time_to_live(TTL),
        checks.backups(BACKUPS),
        checks.deletion_protection(TABLE, DESIGNED),
        checks.deletion_protection({}, replace(DESIGNED, is_protected=False)),
        checks.encryption(TABLE),
        checks.encryption({"SSEDescription": {"Status": "ENABLED", "KMSMasterKeyArn": "arn:k"}}),
        checks.indexes(TABLE, ["ByStatus"]),
        checks.slots([BUSY, IDLE], 1.0),
        checks.full_waits([BUSY, IDLE]),
    ],
    ids=lambda check: check.check,
)
def test_what_is_right_is_passed(check: Check) -> None:
    """It says what was found, and there is nothing to do."""
    assert (check.ok, check.remedy) == (True, "")
    assert check.found


@pytest.mark.parametrize(
    ("check", "found", "remedy"),
    [
        (checks.vdm({}), "Manager is off", "Turn it on in the SES console"),
        (checks.sending({**GOOD, "SendingEnabled": False}), "sending is off", "Read what SES"),
        (checks.sending({**GOOD, "EnforcementStatus": "PROBATION"}), "PROBATION", "Read what"),
        (checks.sandbox({}), "in the sandbox", "request production access"),
        (
            checks.suppression_list({"SuppressionAttributes": {"SuppressedReasons": ["BOUNCE"]}}),
            "is on for BOUNCE",
            "Turn it on for COMPLAINT: aws sesv2 put-account-suppression-attributes",
        ),
        (checks.suppression_list({}), "on for nothing", "for BOUNCE and COMPLAINT"),
        (checks.stack({"StackStatus": "UPDATE_ROLLBACK_COMPLETE"}), "ROLLBACK", "deploy again"),
        (
            checks.one_stack(
                [{"StackName": name, "Outputs": OUTPUTS} for name in "AB"], "A", ["QueueUrl"]
            ),
            "in this Region: B",
            "delete the others",
        ),
        (checks.trigger([]), "function: none", "deploy the stack again"),
        (checks.trigger([{"State": "Disabled", "UUID": "u-1"}]), "Disabled", "--uuid u-1"),
        (checks.trigger([{"State": "Enabled"}] * 2), "Enabled, Enabled", "has to be one"),
        (checks.reserved_concurrency({}, DESIGNED), "not reserved; the stack asks for 1", "deploy"),
        (
            checks.reserved_concurrency({"ReservedConcurrentExecutions": 0}, DESIGNED),
            "reserved: 0",
            "With 0 nothing is looked up",
        ),
        (checks.schedule([{"State": "DISABLED"}]), "DISABLED", "enable it"),
        (checks.schedule([]), "followups: none", "deploy the stack again"),
        (checks.followups_run(None, AT), "none in the last hour", "FollowUpFunctionName"),
        (checks.followups_run(AT - timedelta(minutes=6), AT), "6 min ago", "every minute"),
        (checks.looks(replace(QUIET, waiting=1)), "stands still", "docs/runbook.md"),
        (checks.dead_letters(2), "2 parked messages", "insights parked"),
        (checks.alarms([]), "0 alarms", "deploy it again"),
        (
            checks.alarms([{"AlarmName": "A-VdmOff", "StateValue": "ALARM"}]),
            "on: A-VdmOff",
            "a section for each",
        ),
        (checks.subscribers("alert", "AlertTopicArn", []), "0 confirmed", "AlertTopicArn"),
        (checks.subscribers("alert", "X", [PENDING]), "1 pending", "confirmation mail"),
        (checks.topic_key({"KeyMetadata": {"KeyState": "PendingDeletion"}}), "Pending", "cancel"),
        (checks.topic_key(None), "names no key", "deploy the stack again"),
        (checks.time_to_live({}), "DISABLED", "Rows are kept for ever"),
        (
            checks.time_to_live(
                {"TimeToLiveDescription": {"TimeToLiveStatus": "ENABLED", "AttributeName": "x"}}
            ),
            "by the attribute x",
            "with the attribute ExpiresAt",
        ),
        (checks.backups({}), "recovery is DISABLED", "Turn it on"),
        (
            checks.deletion_protection({}, DESIGNED),
            "is off; the stack asks for on",
            "change it back",
        ),
        (
            checks.encryption(
                {"SSEDescription": {"Status": "ENABLED", "InaccessibleEncryptionDateTime": AT}}
            ),
            "cannot be used since 2026",
            "Enable the key",
        ),
        (checks.indexes(TABLE, ["ByStatus", "ByAlert"]), "ByAlert missing", "next deployment"),
        (checks.slots([replace(BUSY, looks=1_800)], 1.0), "50% of the slots", "SesThrottling"),
        (checks.full_waits([replace(BUSY, full_waits=3_000)]), "86% of the looks", "two slots"),
    ],
    ids=lambda value: value.check if isinstance(value, Check) else "",
)
def test_what_is_wrong_is_said_with_what_to_do(check: Check, found: str, remedy: str) -> None:
    """In plain words."""
    assert check.ok is False
    assert found in check.found
    assert remedy in check.remedy


def test_engagement_tracking_is_a_choice() -> None:
    """Without it alerts come all the same."""
    off = checks.engagement_tracking({})
    assert off.ok is True
    assert "SES records no opens and clicks" in off.found
    assert off.remedy


def test_indexes_of_which_nothing_is_said_are_unknown() -> None:
    """One that is missing is wrong all the same."""
    table = {"GlobalSecondaryIndexes": [{"IndexName": "ByStatus"}]}
    unknown = checks.indexes(table, ["ByStatus"])
    assert (unknown.ok, unknown.found) == (
        None,
        "the answer lacks IndexStatus, the state of: ByStatus",
    )
    assert checks.indexes(table, ["ByStatus", "ByAlert"]).ok is False


@pytest.mark.parametrize("hours", [[], [IDLE]], ids=["no metrics", "little mail"])
def test_the_pace_is_not_judged_without_a_busy_hour(hours: Sequence[Hour]) -> None:
    """With little mail nearly every look waits a full period, and nothing is lost by that."""
    for check in (checks.slots(hours, 1.0), checks.full_waits(hours)):
        assert check.ok is None
        assert "nothing can be told" in check.found


def test_the_last_busy_hour_is_judged() -> None:
    """Not an earlier one, from before something was mended."""
    before = replace(BUSY, begins=HOUR - timedelta(hours=5), looks=10)
    assert checks.slots([before, BUSY, IDLE], 1.0).ok is True


def test_metric_data_is_read_by_the_hour() -> None:
    """In order; what was not written counts nothing."""
    later = HOUR + timedelta(hours=1)
    found = {
        "MetricDataResults": [
            {"Id": "looks", "Timestamps": [later, HOUR], "Values": [2.0, 1.0]},
            {"Id": "waits", "Timestamps": [later], "Values": [1.0]},
            {"Id": "waiting", "Timestamps": [HOUR], "Values": [7.0]},
        ]
    }
    assert checks.hours_of(found) == [Hour(HOUR, 1.0, 0.0, 7.0), Hour(later, 2.0, 1.0, 0.0)]
    assert checks.hours_of({}) == []


def test_what_the_stack_asks_for_is_read_from_its_template() -> None:
    """Some deployments reserve no concurrency, and some are to be destroyed with their table."""
    template = {
        "Resources": {
            "A": {"Type": "AWS::Lambda::Function", "Properties": {}},
            "B": {
                "Type": "AWS::Lambda::Function",
                "Properties": {"ReservedConcurrentExecutions": 1},
            },
            "C": {
                "Type": "AWS::DynamoDB::GlobalTable",
                "Properties": {"Replicas": [{"DeletionProtectionEnabled": True}]},
            },
            "D": {"Type": "AWS::SNS::Topic"},
        }
    }
    assert Designed.of_template(template) == DESIGNED
    assert not Designed.of_template({}).is_reserved


@pytest.mark.parametrize(
    ("tables", "is_protected"),
    [
        ([{"Replicas": [{"DeletionProtectionEnabled": False}]}], False),
        ([], True),
    ],
    ids=["one that goes with the stack", "one of another stack"],
)
def test_a_table_that_the_stack_did_not_make_is_to_be_protected(
    tables: list[dict[str, object]], *, is_protected: bool
) -> None:
    """Whatever `removalPolicy` says: it is not the stack that could delete it."""
    resources = {
        str(number): {"Type": "AWS::DynamoDB::GlobalTable", "Properties": table}
        for number, table in enumerate(tables)
    }
    designed = Designed.of_template({"Resources": resources})
    assert designed.is_protected is is_protected
