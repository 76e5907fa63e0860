"""Context keys: what a deployment may choose, and how a value that cannot be used is refused."""

from __future__ import annotations

import json
from dataclasses import fields

import pytest

from infra.config import Config, ConfigError
from ses_insights.adapters.ses import LONGEST_CALL, STORING_NEEDS
from ses_insights.contracts.names import DEFAULT_LADDER_SECONDS, LONGEST_PERIOD

MONTH = 30 * 86_400

KEYS = {
    "stackName": "stack_name",
    "firstLookDelaySeconds": "first_look_delay_seconds",
    "lookupPeriodSeconds": "lookup_period_seconds",
    "followUpLadder": "follow_up_ladder",
    "sesKeepsDays": "ses_keeps_days",
    "retentionDays": "retention_days",
    "alertEmail": "alert_email",
    "opsEmail": "ops_email",
    "alertTypes": "alert_types",
    "surgeAfter": "surge_after",
    "chatNotifications": "chat_notifications",
    "redactSubjects": "redact_subjects",
    "removalPolicy": "removal_policy",
    "reserveConcurrency": "reserve_concurrency",
    "intakeSent": "intake_sent",
    "intakeFeedback": "intake_feedback",
    "watchSuppressionList": "watch_suppression_list",
    "bounceRateAlarm": "bounce_rate_alarm",
    "complaintRateAlarm": "complaint_rate_alarm",
    "existingTable": "existing_table",
    "tableKey": "table_key",
    "quietDays": "quiet_days",
}

KEY_ARN = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"

GOOD: list[tuple[str, object, object]] = [
    ("stackName", "Mail-2", "Mail-2"),
    ("stackName", "A" * 128, "A" * 128),
    ("firstLookDelaySeconds", 0, 0),
    ("firstLookDelaySeconds", 900.0, 900),
    ("lookupPeriodSeconds", 1, 1.0),
    ("lookupPeriodSeconds", 2.5, 2.5),
    ("lookupPeriodSeconds", 218.5, 218.5),
    ("followUpLadder", [900], (900,)),
    ("followUpLadder", [1, MONTH - 1], (1, MONTH - 1)),
    ("sesKeepsDays", 30, 30),
    ("sesKeepsDays", 60, 60),
    ("retentionDays", 1, 1),
    ("retentionDays", 3650, 3650),
    ("alertEmail", "a.b+c@mail.example.com", "a.b+c@mail.example.com"),
    ("opsEmail", "ops@example.com", "ops@example.com"),
    ("alertTypes", ["BOUNCE"], ("BOUNCE",)),
    ("alertTypes", '["REJECT", "BOUNCE"]', ("BOUNCE", "REJECT")),
    ("surgeAfter", 1, 1),
    ("surgeAfter", "1000", 1000),
    ("chatNotifications", True, True),
    ("redactSubjects", True, True),
    ("removalPolicy", "destroy", "destroy"),
    ("removalPolicy", "retain", "retain"),
    ("reserveConcurrency", False, False),
    ("intakeSent", True, True),
    ("intakeFeedback", True, True),
    ("watchSuppressionList", False, False),
    ("bounceRateAlarm", 4, 4.0),
    ("bounceRateAlarm", 0.5, 0.5),
    ("bounceRateAlarm", False, None),
    ("complaintRateAlarm", 0.09, 0.09),
    ("complaintRateAlarm", False, None),
    ("tableKey", "aws", "aws"),
    ("tableKey", "customer", "customer"),
    ("tableKey", KEY_ARN, KEY_ARN),
    *(
        ("tableKey", arn, arn)
        for arn in (
            "arn:aws-cn:kms:cn-north-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
            "arn:aws:kms:eu-west-1:123456789012:key/mrk-1234abcd12ab34cd56ef1234567890ab",
        )
    ),
    ("existingTable", "SesInsights-Restored", "SesInsights-Restored"),
    ("quietDays", 1, 1),
    ("quietDays", 7, 7),
    ("quietDays", False, None),
]

NO_WHOLE_NUMBERS: list[object] = [-1, 1.5, True, "soon", "1e400", "NaN", "9" * 5000, [1], {}]
NO_EMAILS: list[object] = [
    *("nobody", "a@b", "a@@b.c", "a b@c.de", "a@b.c, d@e.f", "@b.c", "a@.c", "a@b." + "c" * 251, 5)
]
NO_RATES: list[object] = [0, -1, True, "none", "NaN", "Infinity", 10**400, [1]]
NO_FLAGS: list[object] = ["no", "True", 0, "1", []]
BAD: dict[str, list[object]] = {
    "stackName": ["1st", "My_Stack", "a b", "A" * 129, "Ä", 7, ["A"]],
    "firstLookDelaySeconds": [*NO_WHOLE_NUMBERS, 901],
    "lookupPeriodSeconds": [
        *(0.999, 0, -1, 218.6, True, "fast", "NaN", "Infinity", float("inf"), 10**400, [1])
    ],
    "followUpLadder": [
        *([], "[]", [0, 900], [-1], [900, 900], [7200, 900], [900, MONTH], [900.5], [True]),
        *([900, None], [900, "later"], [60, True, 900], ["900"], [None], [[900]], [float("inf")]),
        *("900", 900, "900,7200", "[900,", "[" * 100_000, {}, True),
    ],
    "sesKeepsDays": [*NO_WHOLE_NUMBERS, 0, 3651],
    "retentionDays": [*NO_WHOLE_NUMBERS, 0, 3651],
    "alertEmail": NO_EMAILS,
    "opsEmail": NO_EMAILS,
    "alertTypes": [[], "BOUNCE", ["Bounce"], [1], [["BOUNCE"]], {"BOUNCE": 1}, True, 5],
    "surgeAfter": [*NO_WHOLE_NUMBERS, 0, 1001],
    "chatNotifications": NO_FLAGS,
    "redactSubjects": NO_FLAGS,
    "removalPolicy": ["keep", "RETAIN", True, ["retain"]],
    "reserveConcurrency": NO_FLAGS,
    "intakeSent": NO_FLAGS,
    "intakeFeedback": NO_FLAGS,
    "watchSuppressionList": NO_FLAGS,
    "bounceRateAlarm": [*NO_RATES, 5, 5.0, 50],
    "complaintRateAlarm": [*NO_RATES, 0.1, 1],
    "tableKey": [
        *("AWS", "alias/mine", True, ["aws"], "1234abcd-12ab-34cd-56ef-1234567890ab"),
        KEY_ARN.replace("key/", "alias/"),
        KEY_ARN.replace("kms", "s3"),
        f"{KEY_ARN} ",
    ],
    "existingTable": ["ab", "a" * 256, "my table", "arn:aws:dynamodb:x:1:table/x", True, ["abc"]],
    "quietDays": [*NO_WHOLE_NUMBERS, 0, 8],
}


def test_every_key_has_a_default() -> None:
    """Without any context the stack has the documented shape."""
    assert Config.from_context(lambda _: None) == Config(
        stack_name="SesInsights",
        first_look_delay_seconds=900,
        lookup_period_seconds=1.0,
        follow_up_ladder=DEFAULT_LADDER_SECONDS,
        retention_days=90,
        alert_email=None,
        ops_email=None,
        chat_notifications=False,
        redact_subjects=False,
        removal_policy="retain",
        reserve_concurrency=True,
        intake_sent=False,
        intake_feedback=False,
        watch_suppression_list=True,
        bounce_rate_alarm=2.5,
        complaint_rate_alarm=0.05,
        existing_table=None,
        table_key="aws",
        quiet_days=3,
    )
    assert DEFAULT_LADDER_SECONDS == (900, 7200, 86400, 259200, 604800, 1209600, 2505600)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_without_a_value_means_its_default(key: str) -> None:
    """`-c key=` on the command line takes a choice made in cdk.json back."""
    assert Config.from_context({key: ""}.get) == Config()


@pytest.mark.parametrize(("key", "value", "expected"), GOOD)
def test_a_value_from_cdk_json_is_taken(key: str, value: object, expected: object) -> None:
    """A typed value within the documented range is used, and nothing else changes."""
    config = Config.from_context({key: value}.get)
    assert getattr(config, KEYS[key]) == expected
    others = {name for other, name in KEYS.items() if other != key}
    assert all(getattr(config, name) == getattr(Config(), name) for name in others)


@pytest.mark.parametrize(("key", "value", "expected"), GOOD)
def test_the_command_line_means_the_same(key: str, value: object, expected: object) -> None:
    """The text of `-c key=value` is read as cdk.json would be."""
    text = value if isinstance(value, str) else json.dumps(value)
    assert getattr(Config.from_context({key: text}.get), KEYS[key]) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [(key, value) for key, values in BAD.items() for value in values],
    ids=lambda value: str(value)[:30],
)
def test_a_value_that_cannot_be_used_is_refused(key: str, value: object) -> None:
    """The message names the key, the value and what is allowed."""
    with pytest.raises(ConfigError) as refused:
        Config.from_context({key: value}.get)
    message = str(refused.value)
    shown = json.dumps(value, ensure_ascii=False, default=str)
    assert f"{key}: {shown[:200]}" in message
    assert "is not allowed. Use " in message
    assert len(message) < 1000


def test_every_key_is_tried() -> None:
    """Each key has a value here that it refuses and one that it takes."""
    assert {each.metadata["key"]: each.name for each in fields(Config)} == KEYS
    assert set(BAD) == {key for key, *_ in GOOD} == set(KEYS)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("alertMail", "alertEmail"),
        ("alert-email", "alertEmail"),
        ("opsMail", "opsEmail"),
        ("AlertEmail", "alertEmail"),
        ("retention", "retentionDays"),
        ("reserveConcurency", "reserveConcurrency"),
    ],
)
def test_a_key_that_is_not_known_is_refused(given: str, meant: str) -> None:
    """Else a choice would vanish without a word. The message names the nearest one that is."""
    with pytest.raises(ConfigError) as refused:
        Config.from_context({given: "x"}.get, given=[given, "alertEmail"])
    assert f"\n  {given}: there is no such key. Did you mean {meant}?" in str(refused.value)


def test_a_key_like_no_other_has_no_near_one() -> None:
    """The message says to remove it, and where all are."""
    with pytest.raises(ConfigError, match=r"zzz: there is no such key\. Remove it\. docs/conf"):
        Config.from_context(lambda _: None, given=["zzz"])


@pytest.mark.parametrize(
    "name",
    [
        "@aws-cdk/core:checkSecretUsage",
        "@aws-cdk-containers/ecs-service-extensions:enableDefaultLogDriver",
        "aws:cdk:enable-path-metadata",
        "aws-cdk:enableDiffNoFail",
        "cdk:something",
        "aws-cdk-lib/core:somethingNew",
        "availability-zones:account=123456789012:region=eu-west-1",
        "acknowledged-issue-numbers",
    ],
)
def test_keys_of_the_cdk_are_none_of_ours(name: str) -> None:
    """Its feature flags, options and cached look-ups pass."""
    assert Config.from_context(lambda _: None, given=[name]) == Config()


def test_a_table_that_exists_gets_no_new_key() -> None:
    """It has one already: named by its ARN, the functions may use it."""
    given = {"existingTable": "Kept", "tableKey": "customer"}
    with pytest.raises(ConfigError, match="or the ARN of a KMS key that existingTable has"):
        Config.from_context(given.get)
    assert Config.from_context({**given, "tableKey": KEY_ARN}.get).table_key == KEY_ARN


def test_all_problems_are_reported_at_once() -> None:
    """One attempt shows every value that has to be corrected."""
    bad = {"firstLookDelaySeconds": 901, "removalPolicy": "keep", "followUpLadder": "[]"}
    with pytest.raises(ConfigError) as refused:
        Config.from_context(bad.get)
    assert all(f"\n  {key}: " in str(refused.value) for key in bad)
    assert "3 context values" in str(refused.value)


def test_the_function_has_time_for_what_the_period_makes_it_wait() -> None:
    """A look waits up to a period before it asks, and three more after answers 429."""
    assert Config(lookup_period_seconds=1.0).lookup_timeout_seconds == 30
    assert Config(lookup_period_seconds=2.5).lookup_timeout_seconds == 36
    assert Config(lookup_period_seconds=218.5).lookup_timeout_seconds == 900


# Lambda gives a cold start at most ten seconds:
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
LONGEST_START = 10.0


@pytest.mark.parametrize("period", [1.0, 1.001, 2.5, 60.0, LONGEST_PERIOD])
def test_the_function_has_time_for_its_first_call(period: float) -> None:
    """Also ten seconds late, a look that waits a full period can ask, be answered and store."""
    left = Config(lookup_period_seconds=period).lookup_timeout_seconds - LONGEST_START
    assert left >= period + LONGEST_CALL + STORING_NEEDS


def test_the_ladder_ends_before_ses_forgets() -> None:
    """Where SES is taken to forget sooner, the default ladder has only the rungs before that."""
    shorter = Config.from_context({"sesKeepsDays": 14}.get)
    assert shorter.follow_up_ladder == DEFAULT_LADDER_SECONDS[:5]
    longer = {"sesKeepsDays": 60, "followUpLadder": [900, MONTH]}
    assert Config.from_context(longer.get).follow_up_ladder == (900, MONTH)
    with pytest.raises(ConfigError, match=r"followUpLadder.*14 days"):
        Config.from_context({"sesKeepsDays": 14, "followUpLadder": [14 * 86_400]}.get)
