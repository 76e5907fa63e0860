"""What a deployment may choose: the CDK context keys, checked before anything is built.

A value comes typed from `cdk.json` or as text from `-c key=value`; both mean the same. `Config` is
the table of the keys, a key a field.
"""

from __future__ import annotations

import difflib
import json
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any, Final, Literal, TypeVar, cast

from ses_insights.contracts.names import (
    DEFAULT_LADDER_SECONDS,
    DEFAULT_RETENTION_DAYS,
    DEFAULT_SES_KEEPS_DAYS,
    DEFAULT_STACK_NAME,
    LONGEST_DELAY,
    LONGEST_PERIOD,
    LONGEST_TIMEOUT,
    MOST_SINGLE_ALERTS,
    PERIODS_OF_A_LOOK,
    SHORTEST_PERIOD,
    SURGE_AFTER,
    WORK_OF_A_LOOK,
    AlertType,
)

T = TypeVar("T")
Parser = Callable[[object], T]
"""Returns the value of a key from what was given. Raises `_NotAllowedError`."""
Chosen = Mapping[str, Any]
"""The values of the keys that stand above in the table, by field."""
RemovalPolicyName = Literal["retain", "destroy"]

DAY_SECONDS: Final = 86_400

# Ten years: beyond any use of a row, and still a date every tool can show.
MAX_RETENTION_DAYS: Final = 3650

# Per cent. SES reviews an account above these rates, and may pause it above 10 % and 0.5 %:
# https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-cloudwatch-alarm.html
SES_REVIEWS_BOUNCES_ABOVE: Final = 5.0
SES_REVIEWS_COMPLAINTS_ABOVE: Final = 0.1

# The most days that a CloudWatch alarm can look back:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
MOST_QUIET_DAYS: Final = 7

AWS_KEY: Final = "aws"
CUSTOMER_KEY: Final = "customer"
KEY_ARN: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/(mrk-)?[0-9a-f-]{32,36}")

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
TABLE_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{3,255}")

STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
EMAIL: Final = re.compile(r"[^@\s,;<>]{1,64}@[^@\s,;<>.]+(\.[^@\s,;<>.]+)+")
MAX_EMAIL_LENGTH: Final = 254


class ConfigError(Exception):
    """Context values cannot be used; the text names each key, its value and what is allowed."""


class _NotAllowedError(Exception):
    """A value does not fit its key; the text says what is allowed."""


# The parsers. Each raises `_NotAllowedError`.


def _stack_name(value: object) -> str:
    if isinstance(value, str) and STACK_NAME.fullmatch(value):
        return value
    raise _NotAllowedError("1 to 128 letters, digits and hyphens, the first one a letter")


def _whole_number(low: int, high: int, *, unit: str) -> Parser[int]:
    def parse(value: object) -> int:
        number = _whole(_typed(value))
        if number is not None and low <= number <= high:
            return number
        raise _NotAllowedError(f"a whole number of {unit} from {low} to {high}")

    return parse


def _period(value: object) -> float:
    number = _number(_typed(value))
    if number is not None and SHORTEST_PERIOD <= number <= LONGEST_PERIOD:
        return number
    raise _NotAllowedError(
        f"a number of seconds from {SHORTEST_PERIOD} (SES answers no more than one a second) to "
        f"{LONGEST_PERIOD} (what fits into the {LONGEST_TIMEOUT} seconds a Lambda function may run)"
    )


def _rate_or_none(review: float) -> Parser[float | None]:
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


def _quiet_days(value: object) -> int | None:
    days = _typed(value)
    if days is False:
        return None
    number = _whole(days)
    if number is not None and 1 <= number <= MOST_QUIET_DAYS:
        return number
    raise _NotAllowedError(
        f"a whole number of days from 1 to {MOST_QUIET_DAYS}, or false for no alarm"
    )


def _existing_table(value: object) -> str | None:
    if isinstance(value, str) and TABLE_NAME.fullmatch(value):
        return value
    raise _NotAllowedError(
        "the name of a table, 3 to 255 letters, digits, dots, dashes and underscores, or leave the "
        "key out"
    )


def _key_of_the_table(chosen: Chosen) -> tuple[str, Parser[str]]:
    """Return the default of `tableKey`, and its parser: a table that exists gets no new key."""
    exists = chosen["existing_table"] is not None
    ways = {AWS_KEY: "the key that AWS owns"}
    if not exists:
        ways[CUSTOMER_KEY] = "a key that the stack makes"

    def parse(value: object) -> str:
        if isinstance(value, str) and (value in ways or KEY_ARN.fullmatch(value)):
            return value
        named = ", ".join(f'"{name}" ({meaning})' for name, meaning in ways.items())
        raise _NotAllowedError(
            f"{named} or the ARN of a KMS key{' that existingTable has' if exists else ''}, like "
            "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
        )

    return AWS_KEY, parse


def _ladder_until_ses_forgets(chosen: Chosen) -> tuple[tuple[int, ...], Parser[tuple[int, ...]]]:
    """Return the default ladder up to `sesKeepsDays`, and the parser of one that ends before it."""
    days = chosen["ses_keeps_days"]
    end = days * DAY_SECONDS

    def parse(value: object) -> tuple[int, ...]:
        rungs = _typed(value)
        if isinstance(rungs, list):
            whole = tuple(second for rung in rungs if (second := _whole(rung)) is not None)
            rising = all(low < high for low, high in pairwise((0, *whole, end)))
            if whole and rising and len(whole) == len(rungs):
                return whole
        raise _NotAllowedError(
            "a JSON list of whole seconds since the message was sent, at least one, each above 0 "
            f"and above the one before it, the last below {end} ({days} days, for which SES is "
            f"assumed to keep insights), like {json.dumps(DEFAULT_LADDER_SECONDS)}"
        )

    return tuple(rung for rung in DEFAULT_LADDER_SECONDS if rung < end), parse


def _alert_types(value: object) -> tuple[str, ...]:
    chosen = _typed(value)
    if (
        isinstance(chosen, list)
        and chosen
        and all(isinstance(each, str) and each in set(AlertType) for each in chosen)
    ):
        return tuple(str(each) for each in AlertType if each in chosen)
    raise _NotAllowedError(
        f"a JSON list of one or more of {', '.join(AlertType)}, like {json.dumps(['BOUNCE'])}"
    )


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
    """Return a number, or None for anything else; true and false are not numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


# The table.


def key(name: str, parse: Parser[T], default: T) -> T:
    """Declare a context key: its name, how its value is read, and its default.

    What it returns is a dataclass field, typed like its value, as by `dataclasses.field`.
    """
    return key_after(name, default, lambda _: (default, parse))


def key_after(name: str, default: T, read: Callable[[Chosen], tuple[T, Parser[T]]]) -> T:
    """Declare a context key whose default and parser depend on keys above it."""
    return field(default=default, metadata={"key": name, "read": read})


def rate_key(name: str, review: float) -> float | None:
    """Declare the key of an alarm's rate; half of what SES reviews at by default."""
    return key(name, _rate_or_none(review), cast("float | None", review / 2))


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The choices of one deployment."""

    stack_name: str = key("stackName", _stack_name, DEFAULT_STACK_NAME)
    """Name of the CloudFormation stack, and the prefix of its alarms."""
    first_look_delay_seconds: int = key(
        "firstLookDelaySeconds", _whole_number(0, LONGEST_DELAY, unit="seconds"), 900
    )
    """How long a fresh id waits in the queue before its first look."""
    lookup_period_seconds: float = key("lookupPeriodSeconds", _period, SHORTEST_PERIOD)
    """The least time between two requests to SES."""
    ses_keeps_days: int = key(
        "sesKeepsDays", _whole_number(1, MAX_RETENTION_DAYS, unit="days"), DEFAULT_SES_KEEPS_DAYS
    )
    """How long SES is taken to answer for a message."""
    follow_up_ladder: tuple[int, ...] = key_after(
        "followUpLadder", DEFAULT_LADDER_SECONDS, _ladder_until_ses_forgets
    )
    """When a message is looked at, in seconds since it was sent."""
    retention_days: int = key(
        "retentionDays", _whole_number(1, MAX_RETENTION_DAYS, unit="days"), DEFAULT_RETENTION_DAYS
    )
    """How long a row stays in the table."""
    alert_email: str | None = key("alertEmail", _email, None)
    """The address to which bounces and complaints are mailed, if any."""
    ops_email: str | None = key("opsEmail", _email, None)
    """The address to which alarms are mailed, if any."""
    alert_types: tuple[str, ...] = key("alertTypes", _alert_types, tuple(map(str, AlertType)))
    """What raises an alert."""
    surge_after: int = key(
        "surgeAfter", _whole_number(1, MOST_SINGLE_ALERTS, unit="alerts"), SURGE_AFTER
    )
    """How many alerts of a kind within an hour people get one by one."""
    chat_notifications: bool = key("chatNotifications", _flag, default=False)
    """Whether alerts also go to a topic for chat applications."""
    redact_subjects: bool = key("redactSubjects", _flag, default=False)
    """Whether subjects are neither stored nor sent."""
    removal_policy: RemovalPolicyName = key(  # noqa: RUF009 - a field, see `key`
        "removalPolicy", _removal_policy, "retain"
    )
    """What becomes of the table when the stack is deleted."""
    existing_table: str | None = key("existingTable", _existing_table, None)
    """The name of the table to use, where the stack is to make none."""
    table_key: str = key_after("tableKey", AWS_KEY, _key_of_the_table)
    """The key the table is encrypted with: `AWS_KEY`, `CUSTOMER_KEY` or an ARN."""
    reserve_concurrency: bool = key("reserveConcurrency", _flag, default=True)
    """Whether the lookup function's concurrency of one is reserved.

    An account with a small Lambda quota cannot reserve it.
    """
    intake_sent: bool = key("intakeSent", _flag, default=False)
    """Whether a rule enqueues the id of each mail that SES says it has sent."""
    intake_feedback: bool = key("intakeFeedback", _flag, default=False)
    """Whether SES's bounce and complaint events bring the next look forward."""
    watch_suppression_list: bool = key("watchSuppressionList", _flag, default=True)
    """Whether what SES puts on the account's suppression list brings the next look forward."""
    bounce_rate_alarm: float | None = rate_key("bounceRateAlarm", SES_REVIEWS_BOUNCES_ABOVE)
    """Per cent of the account's mail that bounces at which an alarm warns; None for no alarm."""
    complaint_rate_alarm: float | None = rate_key(
        "complaintRateAlarm", SES_REVIEWS_COMPLAINTS_ABOVE
    )
    """Per cent of it that draws a complaint at which an alarm warns; None for no alarm."""
    quiet_days: int | None = key("quietDays", _quiet_days, cast("int | None", 3))
    """Days in a row without a fresh id at which an alarm warns; None for no alarm."""

    @classmethod
    def from_context(cls, lookup: Callable[[str], object], *, given: Iterable[str] = ()) -> Config:
        """Read every key with `lookup`; None or an empty text means the default.

        ``given`` are the names of everything in the context, the CDK's own among them. Raises
        ConfigError with all problems at once.
        """
        chosen: dict[str, Any] = {}
        known = [str(each.metadata["key"]) for each in fields(cls)]
        problems = [
            _unknown(name, known) for name in given if name not in known and not is_of_the_cdk(name)
        ]
        for each in fields(cls):
            name = each.metadata["key"]
            value, (default, parse) = lookup(name), each.metadata["read"](chosen)
            chosen[each.name] = default
            if value is None or value == "":
                continue
            try:
                chosen[each.name] = parse(value)
            except _NotAllowedError as allowed:
                problems.append(f"{name}: {_shown(value)} is not allowed. Use {allowed}.")
        if problems:
            raise ConfigError(_report(problems))
        return cls(**chosen)

    @property
    def lookup_timeout_seconds(self) -> int:
        """The lookup function's time-out: its work, and the waits the period can cause."""
        return math.ceil(WORK_OF_A_LOOK + PERIODS_OF_A_LOOK * self.lookup_period_seconds)


def is_of_the_cdk(name: str) -> bool:
    """Whether a context key is the CDK's own: a feature flag, an option or a cached look-up.

    Theirs have a sign in them that ours never have (`@aws-cdk/core:…`, `aws:cdk:…`,
    `availability-zones:account=…`), but for the notices that somebody has acknowledged.
    """
    return bool(re.search(r"[@:/]", name)) or name == "acknowledged-issue-numbers"


def _unknown(name: str, known: Sequence[str]) -> str:
    """Refuse a key that is not in the table, and name the one that it is most like."""
    by_letters = {each.lower(): each for each in known}
    letters = re.sub(r"[^a-z]", "", name.lower())
    nearest = difflib.get_close_matches(letters, by_letters, n=1)
    advice = f"Did you mean {by_letters[nearest[0]]}?" if nearest else "Remove it."
    return f"{name}: there is no such key. {advice} docs/configuration.md has them all."


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
