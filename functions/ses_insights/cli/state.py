"""The state of the service at one moment, read from AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from ses_insights.adapters.counters import Counters
from ses_insights.adapters.due_index import DueIndex
from ses_insights.adapters.queue import SqsProducerQueue
from ses_insights.cli.deployment import Deployment, now
from ses_insights.contracts.names import LogMessage
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.overload import looks_per_message
from ses_insights.domain.times import iso

MOST_COUNTED: Final = 10_000
"""Due rows of a lane are counted up to here: a count reads every row that it counts."""

_LINES: Final = 100
"""Log lines that are searched for the last look; a look writes four at most."""

_LOOKED: Final = frozenset(LogMessage)

_VDM: Final = {"ENABLED": "on", "DISABLED": "off"}


@dataclass(frozen=True, slots=True)
class State:
    """The service at one moment."""

    stack: str
    at: datetime
    waiting: int
    """Ids in the queue that can be received."""
    delayed: int
    """Ids that joined the queue a short time ago and cannot be received yet."""
    in_flight: int
    due: Mapping[Lane, int]
    period: float
    """Seconds between two looks."""
    per_message: float
    """Looks that each message can have at the load of the last day."""
    rungs: int
    """Looks that each message has where there are enough."""
    dead_letters: int
    last_look: datetime | None
    """None where the log does not show one."""
    vdm: str
    """on, off or unknown."""

    @property
    def in_queue(self) -> int:
        """How many ids are in the queue."""
        return self.waiting + self.delayed + self.in_flight

    @property
    def queue_seconds(self) -> float:
        """How long looks at everything in the queue take."""
        return self.in_queue * self.period

    @property
    def seconds(self) -> float:
        """How long looks at everything in the queue and everything due take."""
        return (self.in_queue + sum(self.due[lane] for lane in LOOK_LANES)) * self.period


def read(deployment: Deployment, *, most: int = MOST_COUNTED) -> State:
    """Return the present state; due rows of a lane are counted up to ``most``.

    Raises what boto3 raises, `SystemFailure` and `SettingError`.
    """
    at = now()
    settings = deployment.settings
    depth = SqsProducerQueue(deployment.sqs, deployment.queue_url).depth()
    parked = SqsProducerQueue(deployment.sqs, deployment.dead_letter_queue_url).depth()
    index = DueIndex(deployment.dynamodb, deployment.table_name)
    arrivals = Counters(deployment.dynamodb, deployment.table_name).by_hour(at)
    return State(
        stack=deployment.stack,
        at=at,
        waiting=depth.visible,
        delayed=depth.delayed,
        in_flight=depth.in_flight,
        due={lane: index.count(lane, until=iso(at), most=most) for lane in Lane},
        period=settings.lookup_period,
        per_message=looks_per_message(arrivals, now=at, period=settings.lookup_period),
        rungs=len(settings.ladder.rungs),
        dead_letters=parked.visible + parked.delayed + parked.in_flight,
        last_look=last_look(deployment),
        vdm=vdm(deployment),
    )


def last_look(deployment: Deployment) -> datetime | None:
    """Return when the last id was looked up, by the newest log stream of the lookup function."""
    group = deployment.lookup_function.get("LoggingConfig", {}).get("LogGroup")
    logs = deployment.client("logs")
    try:
        streams = logs.describe_log_streams(
            logGroupName=group, orderBy="LastEventTime", descending=True, limit=1
        )["logStreams"]
        return newest_look(
            event
            for stream in streams
            for event in logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], limit=_LINES
            )["events"]
        )
    except (BotoCoreError, ClientError):
        return None  # it is worth showing, and not worth failing for


def newest_look(events: Iterator[Mapping[str, Any]]) -> datetime | None:
    """Return the time of the newest log line that a look has left."""
    times = [event["timestamp"] for event in events if _word(event["message"]) in _LOOKED]
    return datetime.fromtimestamp(max(times) / 1000, UTC) if times else None


def _word(line: str) -> object:
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return parsed.get("message") if isinstance(parsed, dict) else None


def vdm(deployment: Deployment) -> str:
    """Return whether Virtual Deliverability Manager is on, off or unknown."""
    try:
        account = deployment.client("sesv2").get_account()
    except (BotoCoreError, ClientError):
        return "unknown"
    return _VDM.get(account.get("VdmAttributes", {}).get("VdmEnabled", ""), "unknown")
