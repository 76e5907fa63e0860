"""The service with everything outside in memory, and what it writes to its log."""

from __future__ import annotations

import io
import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import IO, Any, cast

from aws_lambda_powertools import Logger, Metrics

from ses_insights.adapters.queue import SqsConsumerQueue
from ses_insights.contracts.names import MESSAGE_GROUP
from ses_insights.contracts.queue_message import LookRequest
from ses_insights.contracts.rows import alert_key
from ses_insights.domain.alert import Alert
from ses_insights.domain.listing import Feedback
from ses_insights.domain.record import Answer, Record, Rules
from ses_insights.domain.surge import SURGE_AFTER
from ses_insights.domain.times import iso
from ses_insights.service.consumer import Consumer, SesHealth
from ses_insights.service.due_looks import DueLooks
from ses_insights.service.feedback import FeedbackReader
from ses_insights.service.followups import FollowUps
from ses_insights.service.grouping import Grouping
from ses_insights.service.look import Look, Outcome
from ses_insights.service.outbox import Outbox
from ses_insights.service.pending_alerts import STALE_AFTER, PendingAlerts
from ses_insights.service.row_repair import RowRepair
from ses_insights.service.summaries import Summaries
from ses_insights.service.telemetry import FollowUpTelemetry, LookupTelemetry
from tests.support.fakes import (
    START,
    Clock,
    FakeRecords,
    FakeSource,
    FakeSqs,
    FakeSubscribers,
    Moments,
)
from tests.support.fakes_due import FakeCapacity, FakeCounters, FakeDueRows, FakeQueue, Row
from tests.support.fakes_feedback import FakeListings, FakeSuppressionList
from tests.support.samples import (
    DEAD_LETTERS_URL,
    MESSAGE,
    MESSAGE_ID,
    QUEUE_URL,
    RULES,
    TABLE_ADDRESS,
    bounced,
    complained,
    found,
    looked,
)


class _Stdout(io.TextIOBase):
    """Standard output as it is at the time of writing: pytest changes it after the set-up."""

    def write(self, text: str, /) -> int:
        """Write."""
        return sys.stdout.write(text)


def new_telemetry() -> LookupTelemetry:
    """Logs and metrics as the lookup function writes them."""
    return LookupTelemetry(Logger(stream=cast("IO[str]", _Stdout())), Metrics())


def new_follow_up_telemetry() -> FollowUpTelemetry:
    """Logs and metrics as `followups` writes them."""
    return FollowUpTelemetry(Logger(stream=cast("IO[str]", _Stdout())), Metrics())


ANSWER = found(bounced())


@dataclass(slots=True)
class Harness:
    """Both functions on fakes; SES answers `ANSWER` unless it is given other answers."""

    answers: list[Answer | Exception] = field(default_factory=lambda: [ANSWER])
    rules: Rules = RULES
    delay: timedelta = timedelta(minutes=15)
    """How long a message waits in the queue by rule."""
    waited: timedelta = timedelta(0)
    """How long ago a message was enqueued when it is looked at."""
    clock: Clock = field(default_factory=Clock)
    moments: Moments = field(default_factory=Moments)
    capacity: FakeCapacity = field(default_factory=FakeCapacity)
    sqs: FakeSqs = field(default_factory=FakeSqs)
    queue: FakeQueue = field(default_factory=FakeQueue)
    rows: FakeDueRows = field(default_factory=FakeDueRows)
    counts: FakeCounters = field(default_factory=FakeCounters)
    suppression_list: FakeSuppressionList = field(default_factory=FakeSuppressionList)
    published: list[Alert] = field(default_factory=list)
    """The alerts that a look announced as published."""
    telemetry: LookupTelemetry = field(default_factory=new_telemetry)
    ses: SesHealth = field(default_factory=SesHealth)
    """What the execution environment knows of SES."""
    source: FakeSource = field(init=False)
    records: FakeRecords = field(init=False)
    listings: FakeListings = field(init=False)
    subscribers: FakeSubscribers = field(init=False)

    def __post_init__(self) -> None:
        """Let the fakes share the moments and the clock."""
        self.source = FakeSource(self.moments, self.answers)
        self.records = FakeRecords(self.moments)
        self.subscribers = FakeSubscribers(self.moments)
        self.listings = FakeListings(self.moments, self.records)
        self.rows.clock = self.clock
        self.queue.moments = self.moments
        self.suppression_list.moments = self.moments
        self.suppression_list.clock = self.clock

    # The lookup function

    def look(  # noqa: PLR0913 - keyword-only; what a message may ask for
        self,
        *,
        force: bool = False,
        due: bool = False,
        about: Feedback | None = None,
        number: int | None = None,
        waited: timedelta | None = None,
        is_repeat: bool = False,
    ) -> Outcome:
        """Take a look at a message that was enqueued so long ago."""
        is_due = due or about is not None
        request = LookRequest(MESSAGE_ID, force=force, due=is_due, about=about, look=number)
        ago = self.waited if waited is None else waited
        look = self._look(self.published.append)
        return look.take(request, enqueued_at=self.clock.now() - ago, is_repeat=is_repeat)

    def handle(
        self, body: str = MESSAGE_ID, receive_count: int = 1, group_id: str = MESSAGE_GROUP
    ) -> bool:
        """Handle one message of the queue."""
        now = self.clock.now
        queue = SqsConsumerQueue(
            self.sqs.client, QUEUE_URL, DEAD_LETTERS_URL, now=now, chance=lambda: 1
        )
        consumer = Consumer(self._look(self.telemetry.alerted), queue, self.telemetry, self.ses)
        return consumer.handle(
            replace(MESSAGE, body=body, receive_count=receive_count, group_id=group_id)
        )

    def _look(self, on_published: Callable[[Alert], None]) -> Look:
        return Look(
            source=self.source,
            records=self.records,
            outbox=self._outbox(),
            capacity=self.capacity,
            grouping=Grouping(self.records.surges, SURGE_AFTER),
            rules=self.rules,
            region="eu-west-1",
            delay=self.delay,
            on_published=on_published,
            now=self.clock.now,
        )

    def _outbox(self) -> Outbox:
        return Outbox(self.records, self.subscribers, TABLE_ADDRESS, self.clock.now)

    # Follow-ups

    def followups(self) -> FollowUps:
        """Put the parts together as `followups.wire` does."""
        telemetry, now = new_follow_up_telemetry(), self.clock.now
        repair = RowRepair(self.rows, self.rules.ladder.ses_keeps, telemetry, now)
        summaries = Summaries(
            rows=self.rows,
            surges=self.records.surges,
            subscribers=self.subscribers,
            now=now,
            table=TABLE_ADDRESS,
            surge_after=SURGE_AFTER,
            on_published=telemetry.summarized,
        )
        return FollowUps(
            pending_alerts=PendingAlerts(
                self.rows, self.records, self._outbox(), summaries, telemetry, now
            ),
            summaries=summaries,
            row_repair=repair,
            due_looks=DueLooks(
                rows=self.rows,
                queue=self.queue,
                counts=self.counts,
                repair=repair,
                telemetry=telemetry,
                ladder=self.rules.ladder,
                period=1.0,
                delay=self.delay,
                now=now,
            ),
            feedback=FeedbackReader(
                suppression_list=self.suppression_list,
                listings=self.listings,
                queue=self.queue,
                telemetry=telemetry,
                now=now,
            ),
            telemetry=telemetry,
            clock=self.clock.read,
        )

    def run(self, seconds: float = 50.0) -> None:
        """Do one run of `followups`."""
        followups = self.followups()
        try:
            followups.run(seconds)
        finally:
            followups.telemetry.flush()

    # What came of it

    @property
    def stored(self) -> Record:
        """What is in the table of the message."""
        return self.records.records[MESSAGE_ID]

    @stored.setter
    def stored(self, record: Record) -> None:
        self.records.records[MESSAGE_ID] = record

    def store_stale_alerts(self, *, since: timedelta = STALE_AFTER) -> None:
        """Store a look with two alerts that were found so long ago and not published."""
        then = START - since
        self.stored, alerts = looked(found(bounced(), complained()), now=then)
        self.rows.put(
            *(
                {
                    "MessageId": MESSAGE_ID,
                    "Record": alert_key(alert.alert_id),
                    "DueLane": "alert",
                    "NextLookAt": iso(then),
                }
                for alert in alerts
            )
        )

    def row(self, message_id: str) -> Row:
        """The row of a message that waits for its time."""
        return self.rows.rows[message_id, "MESSAGE"]

    @property
    def notified(self) -> Counter[str]:
        """How often each alert was published, by its id."""
        messages = (json.loads(sent.message) for sent in self.subscribers.published)
        return Counter(json.loads(message["default"])["alertId"] for message in messages)

    @property
    def parked(self) -> list[dict[str, Any]]:
        """What was sent to the dead-letter queue."""
        return self.sqs.of("send_message")

    @property
    def deferred(self) -> list[int]:
        """The waits of messages that are to come back."""
        changes = self.sqs.of("change_message_visibility")
        return [change["VisibilityTimeout"] for change in changes]

    @property
    def reason(self) -> str:
        """Why the last message was parked."""
        return str(self.parked[-1]["MessageAttributes"]["Reason"]["StringValue"])


Counters = dict[tuple[str, tuple[tuple[str, str], ...]], list[float]]
"""Values by metric name and dimensions."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a function wrote to its log."""

    text: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All lines, parsed."""
        return [json.loads(line) for line in self.text.splitlines() if line.strip()]

    @property
    def logs(self) -> list[dict[str, Any]]:
        """Its log lines."""
        return [line for line in self.lines if "_aws" not in line]

    def line(self, message: str) -> dict[str, Any]:
        """The only log line with a message."""
        (line,) = (line for line in self.logs if line["message"] == message)
        return line

    @property
    def metrics(self) -> Counters:
        """What CloudWatch makes of its metric lines."""
        return _counts(line for line in self.lines if "_aws" in line)


def _counts(metric_lines: Iterable[Mapping[str, Any]]) -> Counters:
    """What CloudWatch makes of metric lines: values by metric name and dimensions."""
    values: Counters = {}
    for line in metric_lines:
        for directive in line["_aws"]["CloudWatchMetrics"]:
            for names in directive["Dimensions"]:
                dimensions = tuple(sorted((name, line[name]) for name in names))
                for metric in directive["Metrics"]:
                    key = (metric["Name"], dimensions)
                    values.setdefault(key, []).extend(line[metric["Name"]])
    return values
