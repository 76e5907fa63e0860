"""The state of the service at one moment, read from AWS, and what it means."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from ses_insights.adapters.due_index import DueIndex
from ses_insights.adapters.listings import ListingTable
from ses_insights.adapters.queue import SqsProducerQueue
from ses_insights.cli.deployment import Deployment, now
from ses_insights.cli.output import counted, span, to_the_second
from ses_insights.contracts.names import LogMessage
from ses_insights.domain.due import MOST_COUNTED, late_by
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.listing import Feedback
from ses_insights.domain.suppression import Progress
from ses_insights.domain.times import iso

RECENT: Final = timedelta(minutes=5)
"""The time over which the speed is measured."""

STILL: Final = timedelta(minutes=10)
"""What waits stands still when nothing was looked at, or published, for so long."""

_PERIODS: Final = 10
"""The same, in periods between two looks, where these are long."""

_ALWAYS: Final = "9999"
"""Sorts after every time of the table."""

_STREAMS: Final = 10
_PAGES: Final = 5
"""How far back in the log the last look is searched: streams, and pages of each."""

_LOOKED: Final = frozenset({LogMessage.LOOKED, LogMessage.SKIPPED, LogMessage.POSTPONED})

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
    planned: Mapping[Lane, int]
    """Looks to come, the due ones not included."""
    late: Mapping[Lane, timedelta]
    """How late the oldest row of each lane is."""
    period: float
    """Seconds between two looks."""
    first_look_delay: timedelta
    """How long an id that has joined the queue is delayed."""
    dead_letters: int
    log: Log | None
    """None where the log cannot be read."""
    vdm: str
    """on, off or unknown."""
    feedback: Progress | None = None
    """How far the account's suppression list is read; None where no run has read it."""
    list_off: frozenset[Feedback] = frozenset()
    """The reasons for which the account lists no address, as far as is known."""

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

    @property
    def last_look(self) -> datetime | None:
        """When an id was looked up last; None where the log does not show it."""
        return self.log.last_look if self.log else None

    @property
    def stands_still(self) -> tuple[str, ...]:
        """What does not move although it should, a sentence each."""
        return tuple(self._still())

    def _still(self) -> Iterator[str]:
        if self.vdm == "off":
            yield "VDM is off: SES refuses every look, and mail sent now is never tracked."
        if self.log and not self._was_active:
            last = self.last_look
            none = f"none since {to_the_second(last)}" if last else "none as far as the log shows"
            if self.waiting or self.in_flight:
                number = counted(self.waiting + self.in_flight, "id waits", "ids wait")
                yield f"{number} in the queue; looked at was {none}."
            elif self._look_late > STILL and not self.delayed:
                since = to_the_second(self.at - self._look_late)
                yield f"Looks are due since {since}; taken was {none}."
        if self.late[Lane.ALERT] > STILL:
            since = to_the_second(self.at - self.late[Lane.ALERT])
            yield f"Alerts wait for their publication since {since}."

    @property
    def _look_late(self) -> timedelta:
        return max(self.late[lane] for lane in LOOK_LANES)

    @property
    def _was_active(self) -> bool:
        longest = max(STILL, timedelta(seconds=_PERIODS * self.period))
        return self.last_look is not None and self.at - self.last_look <= longest

    @property
    def _longest(self) -> str:
        delay = self.first_look_delay.total_seconds() if self.delayed else 0.0
        return span(delay + self.seconds)

    @property
    def verdict(self) -> str:
        """How the service is, in a line."""
        if self.stands_still:
            return f"Something stands still. {' '.join(self.stands_still)}"
        waits = self.in_queue + sum(self.due[lane] for lane in LOOK_LANES)
        parked = counted(self.dead_letters, "message is", "messages are")
        return (
            "All is well: "
            + (f"what waits is looked up within {self._longest}." if waits else "nothing waits.")
            + (f" {parked} parked; insights parked lists them." if self.dead_letters else "")
        )


@dataclass(frozen=True, slots=True)
class Log:
    """What the lookup function's log shows of looks."""

    recent: int
    """Calls to SES in the time of `RECENT`."""
    last_look: datetime | None


def read(deployment: Deployment) -> State:
    """Return the present state. Raises what boto3 raises, `SystemFailure` and `SettingError`."""
    at = now()
    settings = deployment.settings
    account = account_of(deployment)
    depth = SqsProducerQueue(deployment.sqs, deployment.queue_url).depth()
    parked = SqsProducerQueue(deployment.sqs, deployment.dead_letter_queue_url).depth()
    index = DueIndex(deployment.dynamodb, deployment.table_name)
    due = {lane: index.count(lane, until=iso(at), most=MOST_COUNTED) for lane in Lane}
    late = {lane: late_by(index.oldest(lane, until=iso(at)), at) for lane in Lane}
    return State(
        stack=deployment.stack,
        at=at,
        waiting=depth.visible,
        delayed=depth.delayed,
        in_flight=depth.in_flight,
        due=due,
        planned={
            lane: max(0, index.count(lane, until=_ALWAYS, most=MOST_COUNTED) - due[lane])
            for lane in LOOK_LANES
        },
        late=late,
        period=settings.lookup_period,
        first_look_delay=settings.first_look_delay,
        dead_letters=parked.visible + parked.delayed + parked.in_flight,
        log=log_of(deployment, at),
        vdm=vdm(account),
        feedback=ListingTable(deployment.dynamodb, deployment.table_name).progress(),
        list_off=list_off(account),
    )


def log_of(deployment: Deployment, at: datetime) -> Log | None:
    """Return what the lookup function's log shows; None where it cannot be read."""
    group = deployment.lookup_function.get("LoggingConfig", {}).get("LogGroup")
    logs = deployment.client("logs")
    since = round((at - RECENT).timestamp() * 1000)
    try:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=since
        )
        events = [event for page in pages for event in page["events"]]
        return Log(
            recent=sum(_word(event["message"]) == LogMessage.LOOKED for event in events),
            last_look=newest_look(events) or _search(logs, group),
        )
    except (BotoCoreError, ClientError):
        return None  # it is worth showing, and not worth failing for


def _search(logs: Any, group: str) -> datetime | None:
    """Search the newest streams backwards for the last look: the newest one may show none."""
    streams = logs.describe_log_streams(
        logGroupName=group, orderBy="LastEventTime", descending=True, limit=_STREAMS
    )["logStreams"]
    found = (_newest_in(logs, group, stream["logStreamName"]) for stream in streams)
    return max(filter(None, found), default=None)


def _newest_in(logs: Any, group: str, stream: str) -> datetime | None:
    token: dict[str, str] = {}
    for _ in range(_PAGES):
        page = logs.get_log_events(logGroupName=group, logStreamName=stream, **token)
        if found := newest_look(page["events"]):
            return found
        before = {"nextToken": page["nextBackwardToken"]}
        if before == token:
            return None
        token = before
    return None


def newest_look(events: Iterable[Mapping[str, Any]]) -> datetime | None:
    """Return the time of the newest log line that a look has left."""
    times = [event["timestamp"] for event in events if _word(event["message"]) in _LOOKED]
    return datetime.fromtimestamp(max(times) / 1000, UTC) if times else None


def _word(line: str) -> object:
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return parsed.get("message") if isinstance(parsed, dict) else None


def account_of(deployment: Deployment) -> Mapping[str, Any]:
    """Return what SES says of the account; nothing where it may not be asked."""
    try:
        account: Mapping[str, Any] = deployment.client("sesv2").get_account()
    except (BotoCoreError, ClientError):
        return {}
    return account


def list_off(account: Mapping[str, Any]) -> frozenset[Feedback]:
    """Return the reasons for which the account lists no address."""
    on = account.get("SuppressionAttributes", {}).get("SuppressedReasons")
    return frozenset() if on is None else frozenset(Feedback).difference(on)


def vdm(account: Mapping[str, Any]) -> str:
    """Return whether Virtual Deliverability Manager is on, off or unknown."""
    return _VDM.get(account.get("VdmAttributes", {}).get("VdmEnabled", ""), "unknown")
