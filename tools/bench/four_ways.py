"""The service's pace beside three naive ones, each against an SES stand-in of its own, at once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from typing import Final

import boto3
from botocore.config import Config

from local.actors.pipeline import send_mail
from local.ses_stand_in.control import Control
from local.ses_stand_in.pace import Report
from local.ses_stand_in.stories import STORIES
from local.stack.run import PROJECT
from local.stack.sandbox import ACCESS_KEY, REGION
from ses_insights.adapters import ses
from ses_insights.adapters.ses import LONGEST_CALL, STORING_NEEDS, SesSource
from ses_insights.contracts.alert_message import Notification
from ses_insights.contracts.console import TableAddress
from ses_insights.contracts.queue_message import LookRequest
from ses_insights.domain.alert import Alert
from ses_insights.domain.failures import SystemFailure
from ses_insights.domain.listing import Listing
from ses_insights.domain.pace import CallResult, Pace
from ses_insights.domain.record import Record, Rules
from ses_insights.domain.schedule import Ladder
from ses_insights.domain.surge import SURGE_AFTER, Group, Surge
from ses_insights.service.grouping import Grouping
from ses_insights.service.look import Look
from ses_insights.service.outbox import Outbox

PERIOD: Final = 1.0
LATENCY: Final = "20-400"
"""Milliseconds that SES's stand-in takes to answer."""


@dataclass(slots=True)
class _Naive(Pace):
    """A pace that does not know when a request arrives."""

    period: float = PERIOD
    pause: float = 0.0
    """Seconds from the moment it counts from to the next call."""
    from_start: bool = False
    _next: float = 0.0

    def invocation_began(self, now: float, *, idle: float) -> None:
        """Start at once."""
        del now, idle

    def wait(self, now: float) -> float:
        return max(0.0, self._next - now)

    def call_started(self, now: float) -> None:
        if self.from_start:
            self._next = now + self.pause

    def call_ended(self, now: float, result: CallResult) -> None:
        del result
        if not self.from_start:
            self._next = now + self.pause


@dataclass(frozen=True, slots=True)
class Way:
    """A way to keep the rate, by name."""

    name: str
    pace: Callable[[], Pace]
    config: Config = ses.CONFIG


SDK_RETRIES: Final = Config(retries={"total_max_attempts": 5, "mode": "standard"})

WAYS: Final = (
    Way("this service's pace", lambda: Pace(PERIOD)),
    Way("sleep one second after each call", lambda: _Naive(pause=PERIOD)),
    Way("one second from call start to call start", lambda: _Naive(pause=PERIOD, from_start=True)),
    Way("no spacing, the SDK retries", _Naive, SDK_RETRIES),
)


def compare(seconds: float) -> list[tuple[str, Report]]:
    """Let every way look for so long, all at the same time; the stand-ins' reports."""
    with ProcessPoolExecutor(len(WAYS), mp_context=get_context("spawn")) as pool:
        reports = pool.map(_run, range(len(WAYS)), [seconds] * len(WAYS))
        return [(way.name, report) for way, report in zip(WAYS, reports, strict=True)]


def _run(number: int, seconds: float) -> Report:
    """Look for so long in the given way, through the handler's own core."""
    command = [
        sys.executable,
        "-m",
        "local.ses_stand_in",
        "--latency",
        LATENCY,
        "--seed",
        str(number),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as stand_in:
        try:
            assert stand_in.stdout is not None  # noqa: S101 - asked for by PIPE
            url = stand_in.stdout.readline().strip()
            _look_for(seconds, WAYS[number], url)
            return Control(url).report()
        finally:
            stand_in.terminate()


def _look_for(seconds: float, way: Way, url: str) -> None:
    session = boto3.Session(ACCESS_KEY, ACCESS_KEY, region_name=REGION)
    client = session.client("sesv2", endpoint_url=url, config=way.config)
    message_id = send_mail(client, STORIES["delivered"])["MessageId"]
    source = SesSource(client=client, pace=way.pace(), on_call=lambda _: None)
    records = _NoRecords()
    look = Look(
        source=source,
        records=records,
        outbox=Outbox(
            records, _NoSubscribers(), TableAddress("123456789012", "eu-west-1", "Insights"), _now
        ),
        capacity=_Unlimited(),
        grouping=Grouping(_NoGroups(), SURGE_AFTER),
        rules=Rules(Ladder(), retention=timedelta(days=90)),
        region=REGION,
        delay=timedelta(0),
        on_published=lambda _: None,
        now=_now,
    )
    request = LookRequest(message_id)
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        # Time to store the answer is left after the end, so that looks go on up to it.
        with source.invocation(left + PERIOD + LONGEST_CALL + STORING_NEEDS):
            try:
                look.take(request, enqueued_at=_now(), is_repeat=False)
            except SystemFailure:
                continue  # a 429; the report counts it


def _now() -> datetime:
    return datetime.now(UTC)


class _Unlimited:
    """As many looks as anybody wants."""

    def late(self) -> timedelta:
        return timedelta(0)

    def held_up(self, waited: timedelta) -> bool:
        del waited
        return False


class _NoRecords:
    """Stores nothing and takes no time."""

    def load(self, message_id: str) -> Record | None:
        del message_id
        return None

    def listings(self, message_id: str) -> Sequence[Listing]:
        del message_id
        return ()

    def save(
        self,
        record: Record,
        new_alerts: Sequence[Alert],
        *,
        read: Record | None,
        surges: Sequence[Surge] = (),
    ) -> None:
        pass

    def claim(self, message_id: str, alert: Alert, *, at: str) -> bool:
        del message_id, alert, at
        return True

    def mark_published(self, message_id: str, alert: Alert) -> None:
        pass


class _NoSubscribers:
    """Publishes nothing."""

    def publish(self, notification: Notification) -> str:
        del notification
        return "not published"


class _NoGroups:
    """Knows of no alerts; what is looked at here was delivered."""

    def load(self, group: Group) -> Surge | None:
        del group
        return None
