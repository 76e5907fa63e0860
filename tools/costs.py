"""`python -m tools.costs`: what a month of the service costs, from what it uses and list prices.

Counted is what the service does at AWS, by the sizes of the rows that it really writes and the
calls that `make bench` measures. Where something depends on the mail or on AWS it is taken high:
each figure is what a month costs at most at that volume, free tiers left out.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from ses_insights.contracts.names import DEFAULT_RETENTION_DAYS
from ses_insights.contracts.rows import destination_rows, message_row
from ses_insights.domain.insight import Destination, Event, Insights
from ses_insights.domain.record import Found, Record, Rules, after_look
from ses_insights.domain.schedule import Ladder
from ses_insights.domain.times import iso

SIZES: Final = (1_000, 10_000, 80_000)
"""Mails a day of the worked examples: a shop, a platform, and the ceiling."""

FLOORS: Final[Mapping[int, float]] = {1_000: 11.0, 10_000: 30.0}
"""Dollars that a month may cost at most, by mails a day (decision record 20)."""

PAGE: Final = Path(__file__).resolve().parent.parent / "docs" / "costs.md"
MARK: Final = "<!-- What follows is written by `make costs`. -->\n"

DAYS: Final = 30
MILLION: Final = 1e6
GB: Final = 2.0**30
KB: Final = 1024


@dataclass(frozen=True, slots=True)
class Price:
    """A list price of us-east-1, and where it was read."""

    dollars: float
    per: str
    source: str
    """A page that names it, and the month for which the page says so."""


_LAMBDA: Final = "cloudchipr.com/blog/aws-lambda-pricing, 2024"
_SQS: Final = "cloudburn.io/blog/amazon-sqs-pricing, 2026-03"
_SNS: Final = "factualminds.com/blog/amazon-sns-pricing-publishes-fanout-protocols, 2026-06"
_DYNAMODB: Final = "airbyte.com/data-engineering-resources/dynamodb-pricing, 2025-07"
_KMS: Final = "aws.amazon.com/kms/pricing; cloudburn.io/blog/aws-kms-pricing, 2026-03"
_CLOUDWATCH: Final = (
    "factualminds.com/blog/amazon-cloudwatch-pricing-metrics-logs-alarms-dashboards, 2026-06"
)
_METRICS: Final = "signoz.io/guides/cloudwatch-pricing, 2026-02"
_EVENTBRIDGE: Final = "cloudburn.io/blog/amazon-eventbridge-pricing, 2026-03"
_CLOUDWATCH_TOO: Final = "cloudburn.io/blog/amazon-cloudwatch-pricing, 2026-02"
_VDM: Final = "0.06 to 0.07 by a secondary source; look at aws.amazon.com/ses/pricing"
_KNOWN: Final = "as known to the authors, 2026-11"

LAMBDA_SECOND: Final = Price(0.0000133334, "GB-second, arm64", _LAMBDA)
LAMBDA_REQUEST: Final = Price(0.20, "million requests", _LAMBDA)
SQS_REQUEST: Final = Price(0.50, "million requests, FIFO", _SQS)
WRITE_UNIT: Final = Price(0.625, "million write request units", _DYNAMODB)
READ_UNIT: Final = Price(0.125, "million read request units", _DYNAMODB)
STORED: Final = Price(0.25, "GB and month", _KNOWN)
BACKUP: Final = Price(0.20, "GB and month, point-in-time recovery", _KNOWN)
PUBLISHED: Final = Price(0.50, "million publications", _SNS)
MAILED: Final = Price(20.00, "million e-mail deliveries", _SNS)
KEY: Final = Price(1.00, "key and month", _KMS)
KEY_USE: Final = Price(3.00, "million requests", _KMS)
LOGGED: Final = Price(0.50, "GB of log", _CLOUDWATCH)
LOG_READ: Final = Price(0.005, "GB of log that a graph reads", _CLOUDWATCH_TOO)
ALARM: Final = Price(0.10, "alarm and month", _KNOWN)
DASHBOARD: Final = Price(3.00, "dashboard and month", _CLOUDWATCH)
METRIC: Final = Price(0.30, "metric and month", _METRICS)
SCHEDULED: Final = Price(1.00, "million invocations", _EVENTBRIDGE)
EVENT: Final = Price(1.00, "million events", f"{_EVENTBRIDGE}, for custom events")
VDM: Final = Price(0.07, "thousand mails", _VDM)

PRICES: Final[Mapping[str, Price]] = {
    "Lambda, time": LAMBDA_SECOND,
    "Lambda, requests": LAMBDA_REQUEST,
    "SQS": SQS_REQUEST,
    "DynamoDB, writes": WRITE_UNIT,
    "DynamoDB, reads": READ_UNIT,
    "DynamoDB, storage": STORED,
    "DynamoDB, backup": BACKUP,
    "SNS, publications": PUBLISHED,
    "SNS, e-mail": MAILED,
    "KMS, key": KEY,
    "KMS, requests": KEY_USE,
    "CloudWatch, logs": LOGGED,
    "CloudWatch, logs read": LOG_READ,
    "CloudWatch, alarms": ALARM,
    "CloudWatch, dashboard": DASHBOARD,
    "CloudWatch, metrics": METRIC,
    "EventBridge Scheduler": SCHEDULED,
    "EventBridge, events": EVENT,
    "SES, Virtual Deliverability Manager": VDM,
}

# What the service is.

MEMORY_GB: Final = 0.25
ALARMS: Final = 20
"""With every key at its default; a topic for chat and the intake rules have one more each."""
EVERY_HOUR: Final = 6
"""Metrics, counted by name and dimensions, that are written in most hours. CloudWatch bills a
metric for the hours in which it is written."""
IN_TROUBLE: Final = 22
"""Metrics that are written only while something is wrong."""

# What is assumed, and taken high.

LOOK_SECONDS: Final = 1.0
"""While messages wait a look takes the period and the guard of 25 ms, less the gap to the next
invocation, which is not billed: 25 ms at least. In the demo looks took 0.97 to 1.1 s."""
LONE_LOOK_SECONDS: Final = 1.15
"""One that comes after a gap waits a whole period by itself, and then asks and stores."""
SHORT_SECONDS: Final = 0.1
"""An id that is postponed."""
RUN_SECONDS: Final = 1.0
"""A run of followups in which nothing is due: some sixteen calls."""
FOLLOW_UP_SECONDS: Final = 0.03
"""More for each due look: its claim, and its share of a batch."""
LISTED_SECONDS: Final = 1.1
"""More for each address that the suppression list names: SES is asked about one a second."""
RUNS: Final = DAYS * 24 * 60
SLOTS: Final = 0.97 * 86_400
"""Looks of a day in which more is due than fits; `make simulate` prints the share of slots used."""
READS_OF_A_RUN: Final = 20
"""Queries of lanes and counts, most of them half a unit, and how far the suppression list is
read."""
WRITES_OF_A_RUN: Final = 2
"""How far the suppression list is read: before and after."""
LOG_BYTES: Final = 1_200
"""Of an invocation: a line of 420, one of metrics of 300, Lambda's own three of 330, and 26 more
for each of the five."""
VIEWS: Final = 3 * DAYS
"""How often the dashboard is opened, with a day shown: three of its graphs read lookup's log."""
GRAPHS_OF_LOG: Final = 3
HOURS_OF_TROUBLE: Final = 12
"""In a month, of each metric that is written only then."""
POLLS: Final = 5 * 3 * 60 * 24 * DAYS
"""Requests with which Lambda's five pollers find the queue empty, each after 20 seconds."""
BATCH: Final = 10
"""Follow-ups that join the queue with one request."""
ALERTS_PER_MAIL: Final = 0.021
"""Two permanent bounces in a hundred mails and a complaint in a thousand."""
NEWS_PER_MAIL: Final = 0.4
"""Later looks that show something new: two mails in five are opened after their first look."""
WRITES_OF_A_LISTING: Final = 4
"""Its row, in a transaction that checks the message's."""
READS_OF_A_LISTING: Final = 1
"""Until when the message's own row is kept."""
KEY_USES_PER_ALERT: Final = 2
WRITES_OF_AN_ALERT: Final = 7
"""Its row in the look's transaction and in two indexes; its mark, and what that changes in both."""


def dynamodb_bytes(value: object) -> int:
    """Bytes that DynamoDB counts for a value.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    match value:
        case str():
            return len(value.encode())
        case Mapping():
            return 3 + sum(1 + len(name.encode()) + dynamodb_bytes(v) for name, v in value.items())
        case list() | tuple():
            return 3 + sum(1 + dynamodb_bytes(item) for item in value)
        case bool() | None:
            return 1
        case _:
            return 1 + math.ceil(len(str(value)) / 2)


def item_bytes(row: Mapping[str, object]) -> int:
    """Bytes that DynamoDB counts for an item."""
    return sum(len(name.encode()) + dynamodb_bytes(value) for name, value in row.items())


def typical() -> Record:
    """A mail as most are, after a look: one recipient, delivered and opened, a few tags."""
    now = datetime(2026, 11, 23, 10, tzinfo=UTC)
    insights = Insights(
        "0106019fa36a2608-6c9654bb-dc58-4957-8828-68360c1c2d10-000000",
        from_email_address="The Shop <shop@sender.example>",
        subject="Your order of the 23rd of November is on its way to you",
        email_tags={
            "ses:configuration-set": ("shop",),
            "ses:source-ip": ("198.51.100.17",),
            "ses:from-domain": ("sender.example",),
            "ses:caller-identity": ("pipeline",),
            "ses:outgoing-ip": ("198.51.100.18",),
            "campaign": ("spring",),
        },
        destinations=(
            Destination(
                "somebody.with.a.name@provider.example",
                "Gmail",
                tuple(Event(kind, iso(now)) for kind in ("SEND", "DELIVERY", "OPEN")),
                open_count=1,
            ),
        ),
    )
    rules = Rules(Ladder(), timedelta(days=DEFAULT_RETENTION_DAYS))
    record, _ = after_look(
        Record.new(insights.message_id, now, rules),
        Found(insights),
        now=now + timedelta(minutes=15),
        rules=Rules(Ladder(), timedelta(days=DEFAULT_RETENTION_DAYS)),
    )
    return record


@dataclass(frozen=True, slots=True)
class Rows:
    """The bytes of a typical mail's two rows."""

    message: int
    destination: int

    @classmethod
    def of(cls, record: Record) -> Rows:
        """Measure them."""
        (destination,) = destination_rows(record)
        return cls(item_bytes(message_row(record)), item_bytes(destination))

    @property
    def writes_of_a_look(self) -> int:
        """Write units where nothing is new: the message's row, and its move in the index of due."""
        return _units(self.message) + 2

    @property
    def writes_of_a_look_with_news(self) -> int:
        """Both rows in a transaction, and the moves in the index of due and in two others."""
        return 2 * (_units(self.message) + _units(self.destination)) + 2 + self._moves

    @property
    def writes_of_a_first_look(self) -> int:
        """Both rows in a transaction, into three indexes."""
        return 2 * (_units(self.message) + _units(self.destination)) + 1 + self._moves // 2

    @property
    def _moves(self) -> int:
        """Of the recipient's row in two indexes: out of its place, and into the new one."""
        return 2 * 2 * _units(self.destination)

    @property
    def writes_of_a_claim(self) -> int:
        """Of a due look, before it joins the queue: the row's time, and its place in the index."""
        return _units(self.message) + 2

    @property
    def writes_without_a_look(self) -> int:
        """Of an id that is postponed: its row, and the index."""
        return _units(self.message) + 1

    @property
    def stored(self) -> tuple[int, int]:
        """Bytes in the table, and in the indexes, each item with 100 more in an index."""
        keys = 200
        return self.message + self.destination, 2 * (self.destination + 100) + keys + 100


def _units(size: int) -> int:
    return math.ceil(size / KB)


@dataclass(frozen=True, slots=True)
class Day:
    """What a day of so many mails is made of, at the same volume for good."""

    mails: int
    first_looks: float
    follow_ups: float

    @classmethod
    def of(cls, mails: int) -> Day:
        """Divide the looks as the service does; every mail climbs its whole ladder.

        The essential look goes first, then the first look, then the other rungs.
        """
        essential = min(float(mails), SLOTS)
        first = min(float(mails), SLOTS - essential)
        others = min(mails * float(len(Ladder().rungs) - 2), SLOTS - essential - first)
        return cls(mails, first, essential + others)

    @property
    def looks(self) -> float:
        """All of them."""
        return self.first_looks + self.follow_ups

    @property
    def moved(self) -> float:
        """Rows that go on to their next rung, a day late, or end.

        At most one after the first look, and one for each of the three rungs above the essential.
        """
        others = self.follow_ups - min(float(self.mails), SLOTS)
        return max(0.0, self.first_looks + 3 * self.mails - others)

    @property
    def is_postponed(self) -> float:
        """Ids whose first look is postponed when they come."""
        return self.mails - self.first_looks


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """Dollars of a month, by what they are paid for."""

    compute: float
    queue: float
    table: float
    storage: float
    alerts: float
    logs: float
    fixed: float

    @property
    def total(self) -> float:
        """All of it."""
        return float(sum(astuple(self)))


def month(day: Day, rows: Rows) -> Month:
    """Add up what a month of such days costs."""
    invocations = DAYS * (day.looks + day.is_postponed)
    alerts = DAYS * day.mails * ALERTS_PER_MAIL
    # Due looks come in a block each minute; a fresh id comes at any time of the day.
    idle = max(0.0, 1 - day.looks * LOOK_SECONDS / 86_400)
    lone = min(day.looks, RUNS / DAYS + day.first_looks * idle)
    seconds = DAYS * (
        lone * LONE_LOOK_SECONDS
        + (day.looks - lone) * LOOK_SECONDS
        + day.is_postponed * SHORT_SECONDS
        + day.follow_ups * FOLLOW_UP_SECONDS
    )
    # Each alert is a listing, too, whose id joins the queue by itself.
    requests = DAYS * (3 * day.mails + (2 + 1 / BATCH) * day.follow_ups) + 3 * alerts + POLLS
    news = min(day.follow_ups, day.mails * NEWS_PER_MAIL)
    writes = DAYS * (
        day.first_looks * rows.writes_of_a_first_look
        + news * rows.writes_of_a_look_with_news
        + (day.follow_ups - news) * rows.writes_of_a_look
        + day.follow_ups * rows.writes_of_a_claim
        + day.is_postponed * rows.writes_without_a_look
        # A row that goes on to its next rung changes as one that is claimed.
        + day.moved * rows.writes_of_a_claim
    )
    writes += RUNS * WRITES_OF_A_RUN + alerts * WRITES_OF_A_LISTING
    reads = invocations + DAYS * day.follow_ups + RUNS * READS_OF_A_RUN
    reads += alerts * READS_OF_A_LISTING
    logged = (invocations + RUNS) * LOG_BYTES / GB
    run_seconds = RUNS * RUN_SECONDS + alerts * LISTED_SECONDS
    table, indexes = (size * day.mails * DEFAULT_RETENTION_DAYS / GB for size in rows.stored)
    return Month(
        compute=(invocations + RUNS) / MILLION * LAMBDA_REQUEST.dollars
        + (seconds + run_seconds) * MEMORY_GB * LAMBDA_SECOND.dollars,
        queue=requests / MILLION * SQS_REQUEST.dollars,
        table=writes / MILLION * WRITE_UNIT.dollars + reads / MILLION * READ_UNIT.dollars,
        storage=(table + indexes) * STORED.dollars + table * BACKUP.dollars,
        alerts=alerts
        / MILLION
        * (
            PUBLISHED.dollars
            + MAILED.dollars
            + KEY_USES_PER_ALERT * KEY_USE.dollars
            + WRITES_OF_AN_ALERT * WRITE_UNIT.dollars
        ),
        logs=logged * LOGGED.dollars + logged / DAYS * VIEWS * GRAPHS_OF_LOG * LOG_READ.dollars,
        fixed=KEY.dollars
        + ALARMS * ALARM.dollars
        + EVERY_HOUR * METRIC.dollars
        + IN_TROUBLE * METRIC.dollars * HOURS_OF_TROUBLE / (24 * DAYS)
        + DASHBOARD.dollars
        + RUNS / MILLION * SCHEDULED.dollars,
    )


def worked(sizes: Sequence[int]) -> str:
    """Write the worked sizes, the bytes and units they are made of, and the prices."""
    rows = Rows.of(typical())
    table, indexes = rows.stored
    days = [Day.of(mails) for mails in sizes]
    months = [month(day, rows) for day in days]
    heads = [f"{mails:,} mails a day" for mails in sizes]
    looks = _table(
        ["", *heads],
        [
            ["looks a day", *(f"{day.looks:,.0f}" for day in days)],
            [
                "of them as soon as the id's turn comes",
                *(f"{day.first_looks:,.0f}" for day in days),
            ],
            ["looks a mail", *(f"{day.looks / day.mails:.2f}" for day in days)],
        ],
    )
    dollars = _table(
        ["Dollars a month", *heads],
        [
            [what, *(f"{getattr(each, name):,.2f}" for each in months)]
            for name, what in _LINES.items()
        ]
        + [["**total**", *(f"**{each.total:,.2f}**" for each in months)]]
        + [["promised, at most", *(_promised(day) for day in days)]]
        + [["for a thousand mails", *_by_thousand(days, months)]]
        + [["more where `intakeSent` is on, at most", *(f"{_events(day):,.2f}" for day in days)]]
        + [
            [
                "beside it, to SES for Virtual Deliverability Manager",
                *(f"{DAYS * day.mails / 1000 * VDM.dollars:,.2f}" for day in days),
            ]
        ],
    )
    units = _table(
        ["A mail of one recipient", ""],
        [
            ["row of the message", f"{rows.message:,} bytes"],
            ["row of the recipient", f"{rows.destination:,} bytes"],
            [
                f"kept for {DEFAULT_RETENTION_DAYS} days",
                f"{table + indexes:,} bytes, indexes included",
            ],
            ["write units of the first look", f"{rows.writes_of_a_first_look}"],
            ["write units of a later look without news", f"{rows.writes_of_a_look}"],
            ["write units of a later look with news", f"{rows.writes_of_a_look_with_news}"],
            ["write units to put it into the queue for that", f"{rows.writes_of_a_claim}"],
            ["write units of an id that is postponed", f"{rows.writes_without_a_look}"],
        ],
    )
    prices = _table(
        ["Price in us-east-1", "Dollars", "per", "Read at"],
        [
            [name, f"{price.dollars:.10f}".rstrip("0").rstrip("."), price.per, price.source]
            for name, price in PRICES.items()
        ],
    )
    return f"{looks}\n\n{dollars}\n\n{units}\n\n{prices}"


_LINES: Final = {
    "compute": "Lambda",
    "queue": "SQS",
    "table": "DynamoDB, reads and writes",
    "storage": "DynamoDB, storage and backup",
    "alerts": "alerts, each to one e-mail subscriber",
    "logs": "logs, written and read",
    "fixed": "fixed: key, alarms, metrics, dashboard, schedule",
}


def _events(day: Day) -> float:
    """SES's events of a month; whether EventBridge bills those of SES is not known for sure."""
    return DAYS * day.mails / MILLION * EVENT.dollars


def _promised(day: Day) -> str:
    floor = FLOORS.get(day.mails)
    return "" if floor is None else f"{floor:,.2f}"


def broken(sizes: Iterable[int]) -> list[str]:
    """Return a sentence for each promised total that is exceeded."""
    totals = {mails: month(Day.of(mails), Rows.of(typical())).total for mails in sizes}
    return [
        f"{mails:,} mails a day cost {total:.2f} $ a month; promised are {FLOORS[mails]:.2f} $."
        for mails, total in totals.items()
        if total > FLOORS.get(mails, math.inf)
    ]


def _by_thousand(days: Iterable[Day], months: Iterable[Month]) -> list[str]:
    return [
        f"{each.total / (day.mails * DAYS) * 1000:.3f}"
        for day, each in zip(days, months, strict=True)
    ]


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rule = ["---"] + ["---:" if "a day" in each else "---" for each in head[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *lines])


def main() -> int:
    """Print the tables; without volumes of the caller's own, write them into the page, too.

    Returns 1 where a total exceeds what is promised.
    """
    parser = argparse.ArgumentParser(prog="python -m tools.costs", description=__doc__)
    parser.add_argument(
        "mails", type=int, nargs="*", help=f"mails a day, instead of {SIZES}; writes no page"
    )
    chosen = parser.parse_args().mails
    if any(mails < 1 for mails in chosen):
        parser.error("a volume is one mail a day or more")
    text = worked(chosen or SIZES)
    print(text)
    if not chosen:
        PAGE.write_text(f"{PAGE.read_text().partition(MARK)[0]}{MARK}\n{text}\n")
    exceeded = broken(chosen or SIZES)
    print(*exceeded, sep="\n", end="\n" if exceeded else "", file=sys.stderr)
    return 1 if exceeded else 0


if __name__ == "__main__":
    sys.exit(main())
