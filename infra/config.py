"""What a deployment may choose: the CDK context keys, checked before anything is built.

A value comes typed from `cdk.json` or as text from `-c key=value`; both mean the same.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, TypeVar, cast

T = TypeVar("T")
RemovalPolicyName = Literal["retain", "destroy"]

DAY_SECONDS = 86_400

# SQS delays a queue by at most 15 minutes:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html
MAX_QUEUE_DELAY_SECONDS = 900

# "You can execute this operation no more than once per second."
# https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetMessageInsights.html
MIN_PERIOD_SECONDS = 1.0

# An assumption: SES does not document for how long it answers for a message. Seen working after
# 12 days, seen gone after 71.
SES_RETENTION_DAYS = 30

# Ten years: beyond any use of a row, and still a date every tool can show.
MAX_RETENTION_DAYS = 3650

# Per cent. SES reviews an account above these rates, and may pause it above 10 % and 0.5 %:
# https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-cloudwatch-alarm.html
SES_REVIEWS_BOUNCES_ABOVE = 5.0
SES_REVIEWS_COMPLAINTS_ABOVE = 0.1

# What one invocation of the lookup function may take, apart from waiting for its turn: start,
# the calls to SES, DynamoDB and SNS, each with its own time-out.
WORK_SECONDS = 26
# It waits up to one period before its first request, and three more after answers 429.
PERIODS_PER_LOOK = 4
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
MAX_LAMBDA_TIMEOUT_SECONDS = 900
MAX_PERIOD_SECONDS = (MAX_LAMBDA_TIMEOUT_SECONDS - WORK_SECONDS) / PERIODS_PER_LOOK

DEFAULT_LADDER = (
    900,
    7_200,
    1 * DAY_SECONDS,
    3 * DAY_SECONDS,
    7 * DAY_SECONDS,
    14 * DAY_SECONDS,
    29 * DAY_SECONDS,
)

STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
EMAIL = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>.]+(\.[^@\s,;<>.]+)+")
MAX_EMAIL_LENGTH = 254


class ConfigError(Exception):
    """Context values cannot be used; the text names each key, its value and what is allowed."""


class _NotAllowedError(Exception):
    """A value does not fit its key; the text says what is allowed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The choices of one deployment.

    Attributes:
        stack_name: name of the CloudFormation stack, and the prefix of its alarms.
        first_look_delay_seconds: how long a fresh id waits in the queue before its first look.
        lookup_period_seconds: least time between two requests to SES.
        ses_keeps_days: how long SES is taken to answer for a message.
        follow_up_ladder: when a message is looked at, in seconds since it was sent.
        retention_days: how long a row stays in the table.
        alert_email: who is told of bounces and complaints by e-mail, if anybody.
        ops_email: who is told of alarms by e-mail, if anybody.
        chat_notifications: whether alerts also go to a topic for chat applications.
        redact_subjects: whether subjects are neither stored nor sent.
        removal_policy: what becomes of the table when the stack is deleted.
        reserve_concurrency: whether the lookup function's concurrency of one is reserved; an
            account with a small Lambda quota cannot.
        intake_sent: whether the ids of mails that SES says it has sent are enqueued by a rule.
        intake_feedback: whether SES's bounce and complaint events bring the next look forward.
        bounce_rate_alarm: per cent of the account's bounces at which an alarm warns, if any does.
        complaint_rate_alarm: per cent of its complaints at which an alarm warns, if any does.

    """

    stack_name: str = "SesInsights"
    first_look_delay_seconds: int = 900
    lookup_period_seconds: float = 1.0
    ses_keeps_days: int = SES_RETENTION_DAYS
    follow_up_ladder: tuple[int, ...] = DEFAULT_LADDER
    retention_days: int = 90
    alert_email: str | None = None
    ops_email: str | None = None
    chat_notifications: bool = False
    redact_subjects: bool = False
    removal_policy: RemovalPolicyName = "retain"
    reserve_concurrency: bool = True
    intake_sent: bool = False
    intake_feedback: bool = False
    # Half of what SES reviews at: there is time to act.
    bounce_rate_alarm: float | None = SES_REVIEWS_BOUNCES_ABOVE / 2
    complaint_rate_alarm: float | None = SES_REVIEWS_COMPLAINTS_ABOVE / 2

    @classmethod
    def from_context(cls, lookup: Callable[[str], object]) -> Config:
        """Read every key with `lookup`; None or an empty text means the default.

        Raises ConfigError with all problems at once.
        """
        context = _Context(lookup)
        default = cls()
        ses_keeps_days = context.read(
            "sesKeepsDays",
            _whole_number(1, MAX_RETENTION_DAYS, unit="days"),
            default.ses_keeps_days,
        )
        config = cls(
            stack_name=context.read("stackName", _stack_name, default.stack_name),
            first_look_delay_seconds=context.read(
                "firstLookDelaySeconds",
                _whole_number(0, MAX_QUEUE_DELAY_SECONDS, unit="seconds"),
                default.first_look_delay_seconds,
            ),
            lookup_period_seconds=context.read(
                "lookupPeriodSeconds", _period, default.lookup_period_seconds
            ),
            ses_keeps_days=ses_keeps_days,
            follow_up_ladder=context.read(
                "followUpLadder",
                _ladder(ses_keeps_days),
                tuple(rung for rung in DEFAULT_LADDER if rung < ses_keeps_days * DAY_SECONDS),
            ),
            retention_days=context.read(
                "retentionDays",
                _whole_number(1, MAX_RETENTION_DAYS, unit="days"),
                default.retention_days,
            ),
            alert_email=context.read("alertEmail", _email, default.alert_email),
            ops_email=context.read("opsEmail", _email, default.ops_email),
            chat_notifications=context.read("chatNotifications", _flag, default.chat_notifications),
            redact_subjects=context.read("redactSubjects", _flag, default.redact_subjects),
            removal_policy=context.read("removalPolicy", _removal_policy, default.removal_policy),
            reserve_concurrency=context.read(
                "reserveConcurrency", _flag, default.reserve_concurrency
            ),
            intake_sent=context.read("intakeSent", _flag, default.intake_sent),
            intake_feedback=context.read("intakeFeedback", _flag, default.intake_feedback),
            bounce_rate_alarm=context.read(
                "bounceRateAlarm",
                _rate_or_none(SES_REVIEWS_BOUNCES_ABOVE),
                default.bounce_rate_alarm,
            ),
            complaint_rate_alarm=context.read(
                "complaintRateAlarm",
                _rate_or_none(SES_REVIEWS_COMPLAINTS_ABOVE),
                default.complaint_rate_alarm,
            ),
        )
        if context.problems:
            raise ConfigError(_report(context.problems))
        return config

    @property
    def lookup_timeout_seconds(self) -> int:
        """The lookup function's time-out: its work, and the waits the period can cause."""
        return math.ceil(WORK_SECONDS + PERIODS_PER_LOOK * self.lookup_period_seconds)


class _Context:
    """Reads values by key and collects what is wrong with them."""

    def __init__(self, lookup: Callable[[str], object]) -> None:
        self._lookup = lookup
        self.problems: list[str] = []

    def read(self, key: str, parse: Callable[[object], T], default: T) -> T:
        value = self._lookup(key)
        if value is None or value == "":
            return default
        try:
            return parse(value)
        except _NotAllowedError as allowed:
            self.problems.append(f"{key}: {_shown(value)} is not allowed. Use {allowed}.")
            return default


def _report(problems: list[str]) -> str:
    what = "a context value" if len(problems) == 1 else f"{len(problems)} context values"
    lines = "\n".join(f"  {problem}" for problem in problems)
    return (
        f"The stack was not built because of {what}:\n{lines}\n"
        'Set context in cdk.json under "context", or on the command line with -c key=value.'
    )


def _shown(value: object) -> str:
    """Show the value as it was typed, cut where it would flood the terminal."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else f"{text[:200]}…"  # noqa: PLR2004 - a width, no rule


def _stack_name(value: object) -> str:
    if isinstance(value, str) and STACK_NAME.fullmatch(value):
        return value
    raise _NotAllowedError("1 to 128 letters, digits and hyphens, the first one a letter")


def _whole_number(low: int, high: int, *, unit: str) -> Callable[[object], int]:
    def parse(value: object) -> int:
        number = _whole(_typed(value))
        if number is not None and low <= number <= high:
            return number
        raise _NotAllowedError(f"a whole number of {unit} from {low} to {high}")

    return parse


def _period(value: object) -> float:
    number = _number(_typed(value))
    if number is not None and MIN_PERIOD_SECONDS <= number <= MAX_PERIOD_SECONDS:
        return number
    raise _NotAllowedError(
        f"a number of seconds from {MIN_PERIOD_SECONDS} (SES answers no more than one a second) "
        f"to {MAX_PERIOD_SECONDS} (what fits into the {MAX_LAMBDA_TIMEOUT_SECONDS} seconds a "
        "Lambda function may run)"
    )


def _rate_or_none(review: float) -> Callable[[object], float | None]:
    def parse(value: object) -> float | None:
        rate = _typed(value)
        if rate is False:
            return None
        number = _number(rate)
        if number is not None and 0 < number < review:
            return number
        raise _NotAllowedError(
            f"a number of per cent above 0 and below {review} (where SES reviews the account), or "
            "false for no alarm"
        )

    return parse


def _ladder(ses_keeps_days: int) -> Callable[[object], tuple[int, ...]]:
    end = ses_keeps_days * DAY_SECONDS

    def parse(value: object) -> tuple[int, ...]:
        rungs = _typed(value)
        if isinstance(rungs, list):
            whole = tuple(second for rung in rungs if (second := _whole(rung)) is not None)
            rising = all(low < high for low, high in pairwise((0, *whole, end)))
            if whole and rising and len(whole) == len(rungs):
                return whole
        raise _NotAllowedError(
            "a JSON list of whole seconds since the message was sent, at least one, each above 0 "
            f"and above the one before it, the last below {end} ({ses_keeps_days} days, for which "
            f"SES is assumed to keep insights), like {json.dumps(DEFAULT_LADDER)}"
        )

    return parse


def _email(value: object) -> str:
    if isinstance(value, str) and len(value) <= MAX_EMAIL_LENGTH and EMAIL.fullmatch(value):
        return value
    raise _NotAllowedError("one e-mail address, like team@example.com, or leave the key out")


def _flag(value: object) -> bool:
    flag = _typed(value)
    if isinstance(flag, bool):
        return flag
    raise _NotAllowedError("true or false")


def _removal_policy(value: object) -> RemovalPolicyName:
    if value == "retain" or value == "destroy":  # noqa: PLR1714 - mypy narrows no set membership
        return value
    raise _NotAllowedError(
        '"retain" (the table outlives the stack) or "destroy" (it is deleted with the stack)'
    )


def _typed(value: object) -> object:
    """Give text from the command line the type it has in `cdk.json`; None if it has none."""
    if not isinstance(value, str):
        return value
    try:
        return cast("object", json.loads(value))
    except (ValueError, RecursionError):
        return None


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number.is_integer() else None


def _number(value: object) -> float | None:
    """Return a number, or None for anything else; true and false are no numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None
