"""The settings of a function, read from its environment and checked by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from ses_insights.contracts.names import (
    LONGEST_DELAY,
    LONGEST_PERIOD,
    MOST_SINGLE_ALERTS,
    SHORTEST_PERIOD,
    Variable,
)
from ses_insights.domain.alert import AlertType
from ses_insights.domain.record import Rules
from ses_insights.domain.schedule import Ladder


class SettingError(Exception):
    """An environment variable is missing or unusable; the text names it and says what it takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of every function."""

    metrics_namespace: str
    table_name: str
    alert_topic_arn: str
    queue_url: str
    lookup_period: float
    """Seconds between two calls to SES."""
    first_look_delay: timedelta
    """How long a message waits in the queue before it can be received."""
    ladder: Ladder
    surge_after: int
    """Alerts of a kind within an hour that people get one by one."""
    retention: timedelta
    """How long rows are kept."""
    chat_topic_arn: str | None
    """None where alerts go to no chat."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> Settings:
        """Read settings from environment variables. Raises `SettingError`."""
        return cls(
            # Powertools reads it, too, but misses it only when the work is done.
            metrics_namespace=_required(env, Variable.METRICS_NAMESPACE),
            table_name=_required(env, Variable.TABLE_NAME),
            alert_topic_arn=_required(env, Variable.ALERT_TOPIC_ARN),
            queue_url=_required(env, Variable.QUEUE_URL),
            lookup_period=_number(
                env, Variable.LOOKUP_PERIOD_SECONDS, SHORTEST_PERIOD, LONGEST_PERIOD
            ),
            first_look_delay=timedelta(
                seconds=_number(env, Variable.FIRST_LOOK_DELAY_SECONDS, 0.0, LONGEST_DELAY)
            ),
            ladder=_ladder(env),
            surge_after=int(_number(env, Variable.SURGE_AFTER, 1, MOST_SINGLE_ALERTS)),
            retention=_days(env, Variable.RETENTION_DAYS),
            chat_topic_arn=env.get(Variable.CHAT_TOPIC_ARN) or None,
        )


@dataclass(frozen=True, slots=True)
class FollowUpSettings:
    """The settings that only the function `followups` has."""

    watch_suppression_list: bool
    """Whether it reads the account's suppression list."""

    @classmethod
    def read(cls, env: Mapping[str, str]) -> FollowUpSettings:
        """Read settings from environment variables. Raises `SettingError`."""
        return cls(watch_suppression_list=_flag(env, Variable.WATCH_SUPPRESSION_LIST))


@dataclass(frozen=True, slots=True)
class LookupSettings:
    """The settings that only the lookup function has."""

    dead_letter_queue_url: str
    rules: Rules

    @classmethod
    def read(cls, env: Mapping[str, str]) -> LookupSettings:
        """Read settings from environment variables. Raises `SettingError`."""
        return cls(
            dead_letter_queue_url=_required(env, Variable.DEAD_LETTER_QUEUE_URL),
            rules=Rules(
                ladder=_ladder(env),
                retention=_days(env, Variable.RETENTION_DAYS),
                redact_subjects=_flag(env, Variable.REDACT_SUBJECTS),
                alert_types=_alert_types(env),
            ),
        )


def _required(env: Mapping[str, str], name: str) -> str:
    value = env.get(name, "")
    if not value:
        raise SettingError(f"the environment variable {name} is not set; the stack sets it")
    return value


def _number(env: Mapping[str, str], name: str, least: float, most: float) -> float:
    text = _required(env, name)
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise SettingError(f"{name} takes a number from {least:g} to {most:g}, not {text!r}")
    return number


def _days(env: Mapping[str, str], name: str) -> timedelta:
    return timedelta(days=_number(env, name, 1.0, 36_500.0))


def _ladder(env: Mapping[str, str]) -> Ladder:
    name = Variable.FOLLOW_UP_LADDER
    text = _required(env, name)
    ses_keeps = _days(env, Variable.SES_KEEPS_DAYS)
    try:
        return Ladder.of_seconds(json.loads(text), ses_keeps=ses_keeps)
    except (TypeError, ValueError):
        raise SettingError(
            f"{name} takes a JSON list of increasing seconds, not {text!r}"
        ) from None


def _alert_types(env: Mapping[str, str]) -> frozenset[AlertType]:
    name = Variable.ALERT_TYPES
    text = _required(env, name)
    try:
        return frozenset(map(AlertType, json.loads(text)))
    except (TypeError, ValueError):
        raise SettingError(
            f"{name} takes a JSON list of {', '.join(AlertType)}, not {text!r}"
        ) from None


def _flag(env: Mapping[str, str], name: str) -> bool:
    text = _required(env, name)
    if text not in {"true", "false"}:
        raise SettingError(f"{name} takes true or false, not {text!r}")
    return text == "true"
