"""The function's inside with everything outside in memory."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import IO, Any, cast

from aws_lambda_powertools import Logger, Metrics

from ses_insights.adapters.queue import SqsConsumerQueue
from ses_insights.domain.record import Answer
from ses_insights.service.consumer import Consumer
from ses_insights.service.look import Look
from ses_insights.service.telemetry import Telemetry
from tests.support.fakes import Clock, FakeRecords, FakeSource, FakeSqs, FakeSubscribers, Moments
from tests.support.samples import (
    DEAD_LETTERS_URL,
    MESSAGE,
    MESSAGE_ID,
    QUEUE_URL,
    RULES,
    bounced,
    found,
)

ANSWER = found(bounced())


@dataclass(slots=True)
class House:
    """Serves messages and shows what came of them; SES answers `ANSWER` unless told otherwise."""

    telemetry: Telemetry
    answers: list[Answer | Exception] = field(default_factory=lambda: [ANSWER])
    moments: Moments = field(default_factory=Moments)
    clock: Clock = field(default_factory=Clock)
    sqs: FakeSqs = field(default_factory=FakeSqs)
    source: FakeSource = field(init=False)
    records: FakeRecords = field(init=False)
    subscribers: FakeSubscribers = field(init=False)
    lookup: Consumer = field(init=False)

    def __post_init__(self) -> None:
        """Put the parts together as `lookup.wire` does."""
        self.source = FakeSource(self.moments, self.answers)
        self.records = FakeRecords(self.moments)
        self.subscribers = FakeSubscribers(self.moments)
        look = Look(
            self.source,
            self.records,
            self.subscribers,
            RULES,
            self.clock.now,
            self.telemetry.alerted,
        )
        line = SqsConsumerQueue(
            self.sqs.client, QUEUE_URL, DEAD_LETTERS_URL, now=self.clock.now, chance=lambda: 1
        )
        self.lookup = Consumer(look, line, self.telemetry)

    def serve(self, body: str = MESSAGE_ID, receive_count: int = 1) -> bool:
        """Serve one message."""
        return self.lookup.handle(replace(MESSAGE, body=body, receive_count=receive_count))

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


class _Stdout(io.TextIOBase):
    """Standard output as it is at the time of writing: pytest changes it after the set-up."""

    def write(self, text: str, /) -> int:
        """Write."""
        return sys.stdout.write(text)


def new_telemetry() -> Telemetry:
    """Logs and metrics as the function writes them."""
    return Telemetry(Logger(stream=cast("IO[str]", _Stdout())), Metrics())


Counters = dict[tuple[str, tuple[tuple[str, str], ...]], list[float]]
"""Values by metric name and dimensions."""


@dataclass(frozen=True, slots=True)
class Told:
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
