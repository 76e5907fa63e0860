"""What the environment of a function says, read once and checked by name."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from ses_insights.contracts.names import (
    LONGEST_DELAY,
    LONGEST_PERIOD,
    SHORTEST_PERIOD,
)
from ses_insights.domain.record import Rules
from ses_insights.domain.schedule import Ladder


class SettingError(Exception):
    """An environment variable is missing or unusable; the text names it and says what it takes."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What every function of the service is told."""

    metrics_namespace: str
    table_name: str
    alert_topic_arn: str
    queue_url: str
    lookup_period: float
    """Seconds between two calls to SES."""
    first_look_delay: timedelta
    """How long whatever joins the queue waits in it."""
    ladder: Ladder
    chat_topic_arn: str | None = None
    """None where no chat is told."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Settings:
        """Read settings from environment variables. Raises `SettingError`."""
        return cls(
            # Powertools reads it, too, but misses it only when the work is done.
            metrics_namespace=_required(environment, "POWERTOOLS_METRICS_NAMESPACE"),
            table_name=_required(environment, "TABLE_NAME"),
            alert_topic_arn=_required(environment, "ALERT_TOPIC_ARN"),
            queue_url=_required(environment, "QUEUE_URL"),
            lookup_period=_number(
                environment, "LOOKUP_PERIOD_SECONDS", least=SHORTEST_PERIOD, most=LONGEST_PERIOD
            ),
            first_look_delay=timedelta(
                seconds=_number(
                    environment,
                    "FIRST_LOOK_DELAY_SECONDS",
                    least=0.0,
                    most=LONGEST_DELAY,
                )
            ),
            ladder=_ladder(environment),
            chat_topic_arn=environment.get("CHAT_TOPIC_ARN") or None,
        )


@dataclass(frozen=True, slots=True)
class LookupSettings:
    """What the lookup function is told besides."""

    dead_letter_queue_url: str
    rules: Rules

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> LookupSettings:
        """Read settings from environment variables. Raises `SettingError`."""
        return cls(
            dead_letter_queue_url=_required(environment, "DEAD_LETTER_QUEUE_URL"),
            rules=Rules(
                ladder=_ladder(environment),
                retention=timedelta(
                    days=_number(environment, "RETENTION_DAYS", least=1.0, most=36_500.0)
                ),
                redact_subjects=_flag(environment, "REDACT_SUBJECTS"),
            ),
        )


def _required(environment: Mapping[str, str], name: str) -> str:
    value = environment.get(name, "")
    if not value:
        raise SettingError(f"the environment variable {name} is not set; the stack sets it")
    return value


def _number(environment: Mapping[str, str], name: str, *, least: float, most: float) -> float:
    text = _required(environment, name)
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not least <= number <= most:
        raise SettingError(f"{name} takes a number from {least:g} to {most:g}, not {text!r}")
    return number


def _ladder(environment: Mapping[str, str]) -> Ladder:
    name = "FOLLOW_UP_LADDER"
    text = _required(environment, name)
    ses_keeps = timedelta(days=_number(environment, "SES_KEEPS_DAYS", least=1.0, most=36_500.0))
    try:
        return Ladder.of_seconds(json.loads(text), ses_keeps=ses_keeps)
    except (TypeError, ValueError):
        raise SettingError(
            f"{name} takes a JSON list of increasing seconds, not {text!r}"
        ) from None


def _flag(environment: Mapping[str, str], name: str) -> bool:
    text = _required(environment, name)
    if text not in {"true", "false"}:
        raise SettingError(f"{name} takes true or false, not {text!r}")
    return text == "true"
