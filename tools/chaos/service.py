"""The deployed service: its functions' real code, wired to AWS in memory and to virtual time."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from types import SimpleNamespace
from typing import Any, Final, Self, cast
from unittest import mock

from aws_lambda_powertools.utilities.typing import LambdaContext

from ses_insights.adapters.items import from_item
from ses_insights.adapters.queue import SqsConsumerQueue
from ses_insights.adapters.ses import SesSource
from ses_insights.adapters.suppression_list import SesSuppressionList
from ses_insights.cli import erasing
from ses_insights.contracts.feedback_rows import PROGRESS, read_progress
from ses_insights.contracts.names import (
    LONGEST_RUN_SECONDS,
    PERIODS_OF_A_LOOK,
    WORK_OF_A_LOOK,
    Lane,
    Output,
    Partition,
    Service,
    Variable,
)
from ses_insights.domain.suppression import Entry
from ses_insights.domain.times import instant
from ses_insights.handlers import followups, lookup
from ses_insights.service import telemetry
from ses_insights.service.pending_alerts import STALE_AFTER
from tools.chaos.calls import Caller, Faults
from tools.chaos.dynamodb import DynamoDb, Key, Table
from tools.chaos.expressions import Item
from tools.chaos.promise import Promise
from tools.chaos.ses import Mailbox, Ses
from tools.chaos.sns import Sns, Topic
from tools.chaos.sqs import Message, Queue, Sqs
from tools.chaos.world import HOUR, MINUTE, Killed, Process, World

TABLE: Final = "Insights"
TOPIC_ARN: Final = "arn:aws:sns:eu-west-1:123456789012:Alerts"
PENDING_FOR: Final = STALE_AFTER.total_seconds()
"""Seconds after which `followups` takes a pending alert up."""

_LONGEST_REST: Final = 6 * HOUR
"""The longest time between two runs of `followups` that change nothing.

The schedule starts one each minute. Those of a long outage are the same again and again.
"""


@dataclass(slots=True)
class _Now:
    """The world of the run that this process of the machine is at."""

    world: World = field(default_factory=lambda: World(0))
    parts: dict[Process, Any] = field(default_factory=dict)

    def now(self) -> datetime:
        """The present, as the process's clock has it."""
        return self.world.wall()

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.world.sleep(seconds)

    def chance(self) -> float:
        """Something between 0 and 1."""
        return self.world.random.random()

    def monotonic(self) -> float:
        """Seconds that never go back; they stand still while an environment is frozen."""
        world = self.world
        return world.now - (world.current.frozen if world.current else 0.0)

    def wall(self) -> float:
        """Seconds since 1970, as the process's clock has them."""
        world = self.world
        return world.now + (world.current.skew if world.current else 0.0)

    def wired(self) -> Any:
        """What the function that runs keeps between invocations."""
        return None if self.world.current is None else self.parts[self.world.current]


_NOW: Final = _Now()


@contextmanager
def virtual_time() -> Iterator[None]:
    """Put the virtual time, and what an environment keeps, into the functions' modules."""
    seams: list[tuple[Any, str, Any]] = [
        (lookup, "_now", _NOW.now),
        (lookup, "_parts", _NOW.wired),
        (
            lookup,
            "SesSource",
            partial(
                SesSource,
                clock=_NOW.monotonic,
                wall_clock=_NOW.wall,
                sleep=_NOW.sleep,
            ),
        ),
        (
            lookup,
            "SqsConsumerQueue",
            partial(SqsConsumerQueue, chance=_NOW.chance),
        ),
        (followups, "_now", _NOW.now),
        (followups, "_followups", _NOW.wired),
        (
            followups,
            "SesSuppressionList",
            partial(SesSuppressionList, clock=_NOW.monotonic, sleep=_NOW.sleep),
        ),
        (followups, "time", SimpleNamespace(monotonic=_NOW.monotonic)),
        (erasing, "now", _NOW.now),
        (lookup, "Metrics", _NoMetrics),
        (followups, "Metrics", _NoMetrics),
        (telemetry, "single_metric", _NoMetrics),
        (sys, "stdout", _Nowhere()),
    ]
    silent = {
        Variable.LOG_LEVEL: "CRITICAL",
        Variable.SERVICE_NAME: Service.LOOKUP,
        Variable.METRICS_NAMESPACE: "Chaos",
    }
    with mock.patch.dict(os.environ, silent):
        patches = [mock.patch.object(holder, name, seam) for holder, name, seam in seams]
        for each in patches:
            each.start()
        try:
            yield
        finally:
            for each in reversed(patches):
                each.stop()


class _Nowhere:
    """Takes what is printed."""

    def write(self, text: str) -> int:
        """Drop it."""
        return len(text)

    def flush(self) -> None:
        """Do nothing."""


class _NoMetrics:
    """Takes metrics and drops them: Powertools' own code is a tenth of the time of a run."""

    def __init__(self, namespace: str = "", **_: Any) -> None:
        self.namespace = namespace
        self.metric_set: dict[str, Any] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Write nothing."""

    def add_metric(self, **_: Any) -> None:
        """Drop it."""

    def add_dimension(self, **_: Any) -> None:
        """Drop it."""

    def flush_metrics(self) -> None:
        """Write nothing."""


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda tells a function of its invocation."""

    world: World
    ends: float

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds that the invocation may still run."""
        return int((self.ends - self.world.now) * 1000)


@dataclass(slots=True)
class Aws:
    """Everything in memory, and what goes wrong with it."""

    world: World
    faults: Faults
    table: Table
    queue: Queue
    dead_letters: Queue
    topic: Topic
    mailbox: Mailbox


@dataclass(frozen=True, slots=True)
class Session:
    """Makes the clients of one process, as a session of boto3 does."""

    aws: Aws
    process: Process
    region_name: str = "eu-west-1"

    def client(self, name: str, config: Any = None) -> Any:
        """Return a client with the time-outs and tries of its configuration."""
        aws = self.aws
        retries = (config and config.retries) or {}
        caller = Caller(
            aws.world,
            aws.faults,
            self.process,
            name,
            tries=retries.get("total_max_attempts", 3),
            read_timeout=config.read_timeout if config else 60.0,
        )
        if name == "dynamodb":
            return DynamoDb(caller, aws.table)
        if name == "sqs":
            return Sqs(caller, {queue.url: queue for queue in (aws.queue, aws.dead_letters)})
        if name == "sns":
            return Sns(caller, aws.topic)
        return Ses(caller, aws.mailbox)


@dataclass(slots=True)
class Settings:
    """What the owner of the deployment chose."""

    period: float = 1.0
    delay: float = 900.0
    ladder: tuple[float, ...] = (900, 7200, 86_400, 259_200, 604_800, 1_209_600, 2_505_600)
    ses_keeps_days: float = 30
    retention_days: float = 90
    surge_after: int = 5
    alert_types: tuple[str, ...] = ("BOUNCE", "COMPLAINT", "REJECT", "RENDERING_FAILURE")
    redact_subjects: bool = False
    watch_suppression_list: bool = False

    @property
    def timeout(self) -> float:
        """Seconds that the lookup function may run."""
        return WORK_OF_A_LOOK + PERIODS_OF_A_LOOK * self.period

    def environment(self, aws: Aws) -> dict[str, str]:
        """Return the functions' environment variables."""
        return {
            Variable.METRICS_NAMESPACE: "Chaos",
            Variable.TABLE_NAME: TABLE,
            Variable.ALERT_TOPIC_ARN: TOPIC_ARN,
            Variable.QUEUE_URL: aws.queue.url,
            Variable.DEAD_LETTER_QUEUE_URL: aws.dead_letters.url,
            Variable.LOOKUP_PERIOD_SECONDS: str(self.period),
            Variable.FIRST_LOOK_DELAY_SECONDS: str(self.delay),
            Variable.FOLLOW_UP_LADDER: json.dumps(self.ladder),
            Variable.SES_KEEPS_DAYS: str(self.ses_keeps_days),
            Variable.RETENTION_DAYS: str(self.retention_days),
            Variable.SURGE_AFTER: str(self.surge_after),
            Variable.ALERT_TYPES: json.dumps(self.alert_types),
            Variable.REDACT_SUBJECTS: json.dumps(self.redact_subjects),
            Variable.WATCH_SUPPRESSION_LIST: json.dumps(self.watch_suppression_list),
        }


@dataclass(slots=True)
class Deployed:
    """The functions, what starts them, and what a person does with the stack."""

    aws: Aws
    settings: Settings
    on_received: Callable[[Message], None] = lambda _: None
    on_done: Callable[[Message], None] = lambda _: None
    """Told of each message that leaves the queue, because its invocation went well."""
    invocations: int = 0
    runs: int = 0
    is_busy: bool = False
    skew: float = 0.0
    """Seconds by which clocks are wrong at most."""
    periods: dict[Process, float] = field(default_factory=dict)
    """With which period an environment of `lookup` was deployed."""
    paused_until: float = 0.0
    _lookup: Process | None = None
    _followups: list[Process] = field(default_factory=list)
    _poll_at: float = float("inf")
    _run_at: float = float("inf")
    _rest: float = MINUTE
    _writes: dict[Process, int] = field(default_factory=dict)
    _last_ended: float = 0.0

    def __post_init__(self) -> None:
        _NOW.world = self.world
        _NOW.parts = {}
        self.aws.queue.on_change = self._arm
        self.aws.queue.delay = self.settings.delay
        self.aws.queue.visibility = 6 * self.settings.timeout
        self.aws.table.watchers.append(self._written)

    @property
    def world(self) -> World:
        """The time."""
        return self.aws.world

    def deploy(self, settings: Settings) -> None:
        """Give the functions other settings; an invocation that is under way keeps the old ones."""
        self.settings = settings
        self._lookup = None
        self._followups.clear()
        self.aws.queue.change_delay(settings.delay)
        self.aws.queue.visibility = 6 * settings.timeout

    def pause(self, seconds: float) -> None:
        """Disable the event source mapping and the schedule, and enable both again then."""
        self.world.note("paused", seconds=seconds)
        self.paused_until = self.world.now + seconds

    def outputs(self) -> dict[str, str]:
        """Return the stack's outputs, as far as the commands use them."""
        return {
            Output.TABLE_NAME: TABLE,
            Output.QUEUE_URL: self.aws.queue.url,
            Output.DEAD_LETTER_QUEUE_URL: self.aws.dead_letters.url,
        }

    # The event source mapping

    def _arm(self) -> None:
        """See to it that the queue is polled when a message can be received."""
        if self.is_busy:
            return
        visible = self.aws.queue.next_visible()
        if visible is None:
            return
        when = max(visible, self.world.now, self.paused_until) + 0.02
        if when < self._poll_at:
            self._poll_at = when
            self.world.at(when, lambda: self._poll(when))

    def _poll(self, due: float) -> None:
        if due != self._poll_at:
            return
        self._poll_at = float("inf")
        if self.is_busy:
            return
        if self.world.now < self.paused_until:
            self._arm()
            return
        received = self.aws.queue.receive(1)
        if received:
            self._invoke(received[0])
        else:
            self._arm()

    def _invoke(self, message: Message) -> None:
        """Start the lookup function for one message."""
        world, aws = self.world, self.aws
        process = self._environment_of_lookup()
        self.is_busy = True
        self.invocations += 1
        number = self.invocations
        ends = world.now + self.settings.timeout
        receipt = message.receipt or ""
        self.on_received(message)
        world.note("received", message=message.id, body=message.body, receives=message.receives)

        def work() -> None:
            try:
                answer = lookup.handler(
                    {"Records": [_record(message)]}, cast("LambdaContext", Context(world, ends))
                )
            except Killed:
                self._lookup = None
                raise
            except Exception as error:  # noqa: BLE001 - Lambda reports it, the message comes back
                world.violated(Promise.CAUGHT, error=repr(error))
            else:
                # The mapping deletes what went well; where that fails the message comes again.
                if not answer["batchItemFailures"]:
                    lost = world.now < aws.faults.until and world.chance(aws.faults.rate / 2)
                    if not lost:
                        self.on_done(message)
                        aws.queue.delete(receipt)
            finally:
                if number == self.invocations:
                    self.is_busy = False
                    self._last_ended = world.now
                    self._arm()

        def end() -> None:
            if self.is_busy and number == self.invocations:
                world.kill(process)
                self._lookup = None

        world.at(ends, end)
        world.start(process, work)

    def _environment_of_lookup(self) -> Process:
        """Return an execution environment, the last one or a new one."""
        world, aws = self.world, self.aws
        troubled = world.now < aws.faults.until
        if self._lookup is None or (troubled and world.chance(0.05)):
            process = Process(f"lookup-{self.invocations}", skew=self._skew())
            _NOW.parts[process] = lookup.wire(
                self.settings.environment(aws),
                Session(aws, process),  # type: ignore[arg-type] # it has what is used of one
            )
            self.periods[process] = self.settings.period
            self._lookup = process
        elif troubled and world.chance(0.1):
            self._lookup.frozen += max(0.0, world.now - self._last_ended) * world.random.random()
            self._lookup.skew = self._skew()
        return self._lookup

    def _skew(self) -> float:
        """Return by how much a clock is wrong."""
        world = self.world
        return world.random.uniform(-1, 1) * self.skew if world.now < self.aws.faults.until else 0.0

    # The schedule

    def _written(self, key: Key, before: Item | None, after: Item | None) -> None:
        del before
        process = self.world.current
        if process is not None and not key[0].startswith("#"):
            self._writes[process] = self._writes.get(process, 0) + 1
            if not process.name.startswith("followups"):
                self._rest = MINUTE
        if after and "DueLane" in after:
            self.run_by(_due(after))

    def run_by(self, moment: float) -> None:
        """Let `followups` run at the first full minute after this moment, at the latest."""
        when = (max(moment, self.world.now) // MINUTE + 1) * MINUTE
        if when < self._run_at:
            self._run_at = when
            self.world.at(when, lambda: self._scheduled(when))

    def _scheduled(self, due: float) -> None:
        if due != self._run_at:
            return
        self._run_at = float("inf")
        faults, world = self.aws.faults, self.world
        if world.now < self.paused_until:
            self.run_by(self.paused_until)
            return
        self.start_followups()
        if world.now < faults.until and world.chance(0.05 + faults.rate):
            world.at(world.now + 3 * world.random.random(), self.start_followups)

    def start_followups(self) -> None:
        """Start a run."""
        world, aws = self.world, self.aws
        self.runs += 1
        process = self._followups.pop() if self._followups else None
        if process is None or (world.now < aws.faults.until and world.chance(0.1)):
            process = Process(f"followups-{self.runs}", skew=self._skew())
            _NOW.parts[process] = followups.wire(
                self.settings.environment(aws),
                Session(aws, process),  # type: ignore[arg-type] # it has what is used of one
            )
        ends = world.now + LONGEST_RUN_SECONDS
        is_running = True
        before = self._writes.get(process, 0)
        settings = self.settings
        world.note("run of followups")

        def work() -> None:
            nonlocal is_running
            try:
                followups.handler({}, cast("LambdaContext", Context(world, ends)))
            except Killed:
                raise
            except Exception as error:  # noqa: BLE001 - Lambda reports it
                world.note("run failed", error=error)
            finally:
                is_running = False
                if not process.is_dead and settings is self.settings:
                    self._followups.append(process)
                self._rest_after(changed=self._writes.get(process, 0) != before)

        def end() -> None:
            if is_running:
                world.kill(process)

        world.at(ends, end)
        world.start(process, work)

    def _rest_after(self, *, changed: bool) -> None:
        """Plan the next run: at the next minute, or later where nothing changes or is due."""
        now = self.world.now
        self._rest = MINUTE if changed else min(2 * self._rest, _LONGEST_REST)
        due = min(
            (_due(item) for _, item in self.aws.table.everything() if "DueLane" in item),
            default=None,
        )
        if due is not None:
            self.run_by(max(due, now + (self._rest - MINUTE if due <= now else 0.0)))
        if self.settings.watch_suppression_list and self._has_unread():
            self.run_by(now + self._rest - MINUTE)

    def _has_unread(self) -> bool:
        """Whether the suppression list shows an address that no run has done."""
        row = self.aws.table.get((Partition.FEEDBACK, PROGRESS))
        shown = [
            Entry(entry.address, datetime.fromtimestamp(entry.at, UTC))
            for entry in self.aws.mailbox.shown()
        ]
        return row is None or bool(read_progress(from_item(row)).new_in(shown))


def _due(row: Item) -> float:
    """Return when `followups` takes a row up."""
    try:
        due = instant(row["NextLookAt"]["S"]).timestamp()
    except ValueError:
        return 0.0
    return due + PENDING_FOR if row["DueLane"]["S"] == Lane.ALERT else due


def _record(message: Message) -> Mapping[str, Any]:
    """Return a message as Lambda hands it over."""
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.receives),
            "SentTimestamp": str(int(message.sent_at * 1000)),
            "SequenceNumber": str(message.sequence),
            "MessageGroupId": message.group,
        },
    }
