"""`insights status`: how much waits, how fast it goes, and whether something stands still."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.text import Text

from ses_insights.adapters.counters import Counters
from ses_insights.adapters.due_index import DueIndex
from ses_insights.adapters.queue import SqsProducerQueue
from ses_insights.cli.deployment import Deployment, now
from ses_insights.cli.options import DEFAULT_STACK, Json, Stack, deployment_of
from ses_insights.cli.output import Cell, columns, counted, echo, echo_json, span, to_the_second
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.overload import looks_per_message
from ses_insights.domain.times import iso

MOST_COUNTED: Final = 10_000
"""Due rows of a lane are counted up to here: a count reads all it counts."""

_LINES: Final = 100
"""Log lines searched for the last look; a look writes four at most."""

_LOOKED: Final = frozenset({"looked", "skipped", "set aside"})

VDM: Final = {"ENABLED": "on", "DISABLED": "off"}


@dataclass(frozen=True, slots=True)
class State:
    """The service at one moment."""

    stack: str
    at: datetime
    waiting: int
    """Ids in the queue that can be looked at now."""
    delayed: int
    """Ids that joined the queue a short time ago; insights would not be there yet."""
    in_flight: int
    due: Mapping[Lane, int]
    period: float
    """Seconds between two looks."""
    per_message: float
    """Looks that each message can have at the load of the last day."""
    rungs: int
    """Looks that each message has where there is room."""
    dead_letters: int
    last_look: datetime | None
    """None where the log does not say."""
    vdm: str
    """on, off or unknown."""

    @property
    def in_queue(self) -> int:
        """How many ids are in the queue."""
        return self.waiting + self.delayed + self.in_flight

    @property
    def queue_seconds(self) -> float:
        """How long the looks at everything in the queue take."""
        return self.in_queue * self.period

    @property
    def seconds(self) -> float:
        """How long the looks at everything in the queue and everything due take."""
        return (self.in_queue + sum(self.due[lane] for lane in LOOK_LANES)) * self.period


def command(ctx: typer.Context, stack: Stack = DEFAULT_STACK, as_json: Json = False) -> None:
    """Say how much waits, how fast it goes, and whether something stands still.

    \b
    Examples:
      insights status
      insights status --stack SesInsightsTest --json
    """
    state = read(deployment_of(ctx, stack))
    if as_json:
        echo_json(to_json(state))
        return
    for line in lines(state):
        echo(line)


def read(service: Deployment) -> State:
    """Ask AWS how things are."""
    at = now()
    settings = service.settings
    depth = SqsProducerQueue(service.sqs, service.outputs["QueueUrl"]).depth()
    parked = SqsProducerQueue(service.sqs, service.outputs["DeadLetterQueueUrl"]).depth()
    index = DueIndex(service.dynamodb, service.table_name)
    arrivals = Counters(service.dynamodb, service.table_name).by_hour(at)
    return State(
        stack=service.stack,
        at=at,
        waiting=depth.visible,
        delayed=depth.delayed,
        in_flight=depth.in_flight,
        due={lane: index.count(lane, until=iso(at), most=MOST_COUNTED) for lane in Lane},
        period=settings.lookup_period,
        per_message=looks_per_message(arrivals, now=at, period=settings.lookup_period),
        rungs=len(settings.ladder.rungs),
        dead_letters=parked.visible + parked.delayed + parked.in_flight,
        last_look=last_look(service),
        vdm=vdm(service),
    )


def last_look(service: Deployment) -> datetime | None:
    """Read when an id was served last, from the end of the lookup function's newest log stream."""
    group = service.lookup_function.get("LoggingConfig", {}).get("LogGroup")
    logs = service.client("logs")
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
        return None  # it is worth telling, and no reason to fail


def newest_look(events: Iterator[Mapping[str, Any]]) -> datetime | None:
    """Find the time of the newest log line that a served id has left."""
    times = [event["timestamp"] for event in events if _word(event["message"]) in _LOOKED]
    return datetime.fromtimestamp(max(times) / 1000, UTC) if times else None


def _word(line: str) -> object:
    try:
        parsed = json.loads(line)
    except ValueError:
        return None
    return parsed.get("message") if isinstance(parsed, dict) else None


def vdm(service: Deployment) -> str:
    """Ask whether Virtual Deliverability Manager is on."""
    try:
        account = service.client("sesv2").get_account()
    except (BotoCoreError, ClientError):
        return "unknown"
    return VDM.get(account.get("VdmAttributes", {}).get("VdmEnabled", ""), "unknown")


def lines(state: State) -> list[Text]:
    """Write the state for a person, one thing a line."""
    alerts = state.due[Lane.ALERT]
    facts: list[tuple[Cell, Cell]] = [
        ("Stack", state.stack),
        (
            "Queue",
            f"{state.waiting:,} waiting, {state.delayed:,} delayed, {state.in_flight:,} in flight",
        ),
        ("Due", ", ".join(f"{_capped(state.due[lane])} {lane}" for lane in LOOK_LANES)),
        ("Alerts to tell", _warning(_capped(alerts), is_bad=alerts > 0)),
        ("Budget", _budget(state)),
        ("To drain", f"{span(state.queue_seconds)} the queue, {span(state.seconds)} with the due"),
        ("Dead letters", _warning(f"{state.dead_letters:,}", is_bad=state.dead_letters > 0)),
        ("Last look", _ago(state.last_look, state.at)),
        ("VDM", _warning(_vdm_in_words(state.vdm), is_bad=state.vdm == "off")),
    ]
    return columns(facts)


def to_json(state: State) -> dict[str, Any]:
    """Write the state for a program; seconds, ISO 8601, and null for what is not known."""
    return {
        "stack": state.stack,
        "at": iso(state.at),
        "queue": {
            "waiting": state.waiting,
            "delayed": state.delayed,
            "inFlight": state.in_flight,
        },
        "due": {str(lane): number for lane, number in state.due.items()},
        "dueIsCountedUpTo": MOST_COUNTED,
        "budget": {
            "looksPerSecond": 1 / state.period,
            "looksPerMessage": min(state.per_message, state.rungs),
        },
        "secondsToDrain": {"queue": state.queue_seconds, "withDue": state.seconds},
        "deadLetters": state.dead_letters,
        "lastLookAt": iso(state.last_look) if state.last_look else None,
        "vdm": state.vdm,
    }


def one_line(state: State) -> str:
    """Write what changes from minute to minute in one line."""
    due = sum(state.due[lane] for lane in LOOK_LANES)
    return (
        f"{to_the_second(state.at)}  {state.in_queue:,} in the queue, {due:,} due, "
        f"{span(state.seconds)} to drain, {state.dead_letters:,} parked, "
        f"last look {_ago(state.last_look, state.at)}"
    )


def _budget(state: State) -> str:
    speed = f"{1 / state.period:.3g} looks a second"
    if state.per_message >= state.rungs or math.isinf(state.per_message):
        return f"{speed}, enough for all {counted(state.rungs, 'look')} at each message"
    return f"{speed}, {state.per_message:.1f} of {state.rungs} looks at each message"


def _capped(number: int) -> str:
    return f"{number:,}" + ("+" if number >= MOST_COUNTED else "")


def _ago(moment: datetime | None, at: datetime) -> str:
    if moment is None:
        return "unknown"
    return f"{to_the_second(moment)}, {span(max(0.0, (at - moment).total_seconds()))} ago"


def _vdm_in_words(vdm: str) -> str:
    if vdm == "off":
        return "off: SES answers no look, and mail sent now is never tracked"
    return vdm


def _warning(text: str, *, is_bad: bool) -> Text:
    return Text(text, "bold red" if is_bad else "")
