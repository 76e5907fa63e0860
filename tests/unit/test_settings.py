"""Settings are read once, from what is passed in; a bad one fails loudly and by name."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from ses_insights.adapters.ses import LONGEST_CALL
from ses_insights.contracts.names import LONGEST_PERIOD
from ses_insights.domain.alert import AlertType
from ses_insights.domain.record import Rules
from ses_insights.domain.schedule import Ladder
from ses_insights.settings import FollowUpSettings, LookupSettings, SettingError, Settings

GOOD = {
    "POWERTOOLS_METRICS_NAMESPACE": "SesInsights",
    "TABLE_NAME": "Insights",
    "ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:Alerts",
    "QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/MessageIds.fifo",
    "DEAD_LETTER_QUEUE_URL": "https://sqs.eu-west-1.amazonaws.com/123456789012/DeadLetters.fifo",
    "LOOKUP_PERIOD_SECONDS": "1.5",
    "FIRST_LOOK_DELAY_SECONDS": "900",
    "FOLLOW_UP_LADDER": "[900, 7200, 86400]",
    "SES_KEEPS_DAYS": "40",
    "RETENTION_DAYS": "45",
    "REDACT_SUBJECTS": "true",
    "ALERT_TYPES": '["BOUNCE", "REJECT"]',
    "SURGE_AFTER": "7",
    "WATCH_SUPPRESSION_LIST": "true",
}


LADDER = Ladder(
    (timedelta(minutes=15), timedelta(hours=2), timedelta(days=1)), ses_keeps=timedelta(days=40)
)


def read(environment: dict[str, str]) -> tuple[Settings, LookupSettings, FollowUpSettings]:
    """Everything, as the two functions read it."""
    return (
        Settings.read(environment),
        LookupSettings.read(environment),
        FollowUpSettings.read(environment),
    )


def test_every_setting_is_read() -> None:
    """What the stack sets arrives, typed."""
    assert Settings.read(GOOD) == Settings(
        metrics_namespace="SesInsights",
        table_name=GOOD["TABLE_NAME"],
        alert_topic_arn=GOOD["ALERT_TOPIC_ARN"],
        queue_url=GOOD["QUEUE_URL"],
        lookup_period=1.5,
        first_look_delay=timedelta(minutes=15),
        ladder=LADDER,
        surge_after=7,
        retention=timedelta(days=45),
        chat_topic_arn=None,
    )


def test_a_chat_gets_alerts_only_where_there_is_one() -> None:
    """The stack leaves the setting out by default."""
    assert Settings.read(GOOD).chat_topic_arn is None
    assert Settings.read(GOOD | {"CHAT_TOPIC_ARN": "arn:chat"}).chat_topic_arn == "arn:chat"


def test_every_setting_of_the_lookup_function_is_read() -> None:
    """What only this one needs is apart."""
    assert LookupSettings.read(GOOD) == LookupSettings(
        dead_letter_queue_url=GOOD["DEAD_LETTER_QUEUE_URL"],
        rules=Rules(
            ladder=LADDER,
            retention=timedelta(days=45),
            redact_subjects=True,
            alert_types=frozenset({AlertType.BOUNCE, AlertType.REJECT}),
        ),
    )


@pytest.mark.parametrize(("text", "watched"), [("true", True), ("false", False)])
def test_the_suppression_list_is_read_unless_the_flag_says_no(text: str, *, watched: bool) -> None:
    """Only `followups` needs to know."""
    environment = GOOD | {"WATCH_SUPPRESSION_LIST": text}
    assert FollowUpSettings.read(environment) == FollowUpSettings(watched)


def test_subjects_are_kept_where_the_flag_says_so() -> None:
    """False is false."""
    assert not LookupSettings.read(GOOD | {"REDACT_SUBJECTS": "false"}).rules.redact_subjects


@pytest.mark.parametrize("value", ["1", "1.0", "1e0"])
def test_the_shortest_period_is_the_one_ses_allows(value: str) -> None:
    """One second is allowed."""
    assert Settings.read(GOOD | {"LOOKUP_PERIOD_SECONDS": value}).lookup_period == 1


def test_the_longest_period_keeps_a_signature_fresh() -> None:
    """A request is signed, waits up to a period, and arrives within AWS's five minutes."""
    longest = Settings.read(GOOD | {"LOOKUP_PERIOD_SECONDS": str(LONGEST_PERIOD)}).lookup_period
    assert longest + LONGEST_CALL < 300


@pytest.mark.parametrize("days", [1, 3650])
def test_rows_may_be_kept_for_a_day_or_for_years(days: int) -> None:
    """Whatever the stack takes, the function takes."""
    settings = LookupSettings.read(GOOD | {"RETENTION_DAYS": str(days)})
    assert settings.rules.retention == timedelta(days=days)


@pytest.mark.parametrize("name", GOOD)
def test_a_missing_setting_is_named(name: str) -> None:
    """The error says which variable is missing and who sets it."""
    without = {key: value for key, value in GOOD.items() if key != name}
    with pytest.raises(SettingError, match=rf"^the environment variable {name} is not set; "):
        read(without)


@pytest.mark.parametrize("name", GOOD)
def test_an_empty_setting_is_a_missing_one(name: str) -> None:
    """CloudFormation can set a variable to nothing."""
    with pytest.raises(SettingError, match=rf"\b{name} is not set"):
        read(GOOD | {name: ""})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOOKUP_PERIOD_SECONDS", "0.999"),
        ("LOOKUP_PERIOD_SECONDS", "0"),
        ("LOOKUP_PERIOD_SECONDS", "-1"),
        ("LOOKUP_PERIOD_SECONDS", "nan"),
        ("LOOKUP_PERIOD_SECONDS", "inf"),
        ("LOOKUP_PERIOD_SECONDS", "218.6"),
        ("LOOKUP_PERIOD_SECONDS", "one"),
        ("RETENTION_DAYS", "0"),
        ("RETENTION_DAYS", "0.9"),
        ("RETENTION_DAYS", "-3"),
        ("RETENTION_DAYS", "1e400"),
        ("RETENTION_DAYS", "1e12"),
        ("RETENTION_DAYS", "4000000"),
        ("RETENTION_DAYS", "ninety"),
        ("SES_KEEPS_DAYS", "0"),
        ("SES_KEEPS_DAYS", "a month"),
        ("FOLLOW_UP_LADDER", "900, 7200"),
        ("FOLLOW_UP_LADDER", "[]"),
        ("FOLLOW_UP_LADDER", "[900, 900]"),
        ("FOLLOW_UP_LADDER", "[7200, 900]"),
        ("FOLLOW_UP_LADDER", "[0, 900]"),
        ("FOLLOW_UP_LADDER", "[-5]"),
        ("FOLLOW_UP_LADDER", '["900"]'),
        ("FOLLOW_UP_LADDER", "[null]"),
        ("FOLLOW_UP_LADDER", "[NaN]"),
        ("FOLLOW_UP_LADDER", "[1e400]"),
        ("FOLLOW_UP_LADDER", "[1e15]"),
        ("FOLLOW_UP_LADDER", '{"900": 1}'),
        ("FOLLOW_UP_LADDER", "900"),
        ("FOLLOW_UP_LADDER", "null"),
        ("REDACT_SUBJECTS", "True"),
        ("REDACT_SUBJECTS", "yes"),
        ("REDACT_SUBJECTS", "1"),
    ],
)
def test_a_bad_setting_is_named_with_its_value(name: str, value: str) -> None:
    """The error says which variable, what it takes, and what it is."""
    with pytest.raises(SettingError) as caught:
        read(GOOD | {name: value})
    assert re.fullmatch(rf"{name} takes [^,]+, not {re.escape(repr(value))}", str(caught.value))


def test_other_variables_do_not_matter() -> None:
    """Lambda sets many."""
    assert read(GOOD | {"AWS_REGION": "eu-west-1", "PATH": "/bin"}) == read(GOOD)
