"""The run itself: feed the line, let faults come, and gather what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from local.actors.subscriber import Received, Subscriber
from local.expectations import differences
from local.ses_stand_in.pace import Call, report_on
from local.stack.observe import messages_in, scan
from local.stack.processes import workers
from local.stack.run import LocalRun
from tools.soak.faults import Faults
from tools.soak.feed import Feed, Timing
from tools.soak.figures import (
    Figures,
    Sample,
    Spell,
    Telling,
    memories,
    quiet_stretches,
    recovery,
    slots_of,
    unexplained,
)
from tools.soak.plan import SES, Turn

Row = Mapping[str, Any]
Say = Callable[[str], None]

TICK: Final = 0.25
"""Seconds between two looks at the plan."""

FEED_EVERY: Final = 2.0
SAMPLE_EVERY: Final = 10.0
TELL_EVERY: Final = 60.0
AT_ONCE: Final = 100
"""Rows that one BatchGetItem reads at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """What a soak is to be like."""

    seconds: float
    """How long ids are enqueued and faults come."""
    turns: Sequence[Turn]
    timing: Timing
    backlog: int
    patience: float
    """Seconds given to what is left in the queue, and to stories that end late, after that."""


@dataclass(slots=True)
class _Seen:
    """What is seen while it runs."""

    run: LocalRun
    subscriber: Subscriber
    tellings: list[Telling] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def listen(self) -> None:
        """Read the alerts that have come."""
        new = self.subscriber.read()
        now = time.monotonic()
        self.tellings += [Telling(alert.body["alertId"], now) for alert in new]

    def weigh(self) -> None:
        """Read what the processes of both functions hold."""
        for function, output in (
            ("lookup", "LookupFunctionName"),
            ("followups", "FollowUpFunctionName"),
        ):
            self.samples += [
                Sample(function, worker.pid, time.monotonic(), worker.memory)
                for worker in workers(self.run, self.run.outputs[output])
            ]


def soak(run: LocalRun, plan: Soak, say: Say) -> Figures:
    """Run it to its end and tell what it came to. It begins with a reset of the SES stand-in."""
    run.ses.reset()
    before = {row["MessageId"] for row in scan(run)}
    parked_before = messages_in(run, run.outputs["DeadLetterQueueUrl"])
    name = f"soak-{time.time():.0f}"
    seen = _Seen(run, Subscriber.subscribe(run.session, run.outputs["AlertTopicArn"], name=name))
    feed = Feed(run=run, timing=plan.timing, backlog=plan.backlog)
    began = time.monotonic()

    def say_when(what: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - began), 60)
        say(f"{minutes:3}:{seconds:02}  {what}")

    faults = Faults(run, plan.turns, began, say_when)
    _feed(plan, feed, faults, seen, say_when)
    fed_until = time.monotonic()
    say_when("No more ids; what is in the line is worked off.")
    _drain(plan, feed, seen, say_when)

    rows = [row for row in scan(run) if row["MessageId"] not in before]
    parked = messages_in(run, run.outputs["DeadLetterQueueUrl"]) - parked_before
    gathered = _gather(plan, feed, faults.spells, seen, rows, fed_until)
    return replace(gathered, parked=parked, waiting=messages_in(run, run.outputs["QueueUrl"]))


def _feed(plan: Soak, feed: Feed, faults: Faults, seen: _Seen, say: Say) -> None:
    """Keep the line full while faults come and go."""
    steps = (
        _Every(FEED_EVERY, feed.step),
        _Every(FEED_EVERY, seen.listen),
        _Every(SAMPLE_EVERY, seen.weigh),
        _Every(TELL_EVERY, lambda: say(_progress(feed, seen))),
    )
    while time.monotonic() < faults.began + plan.seconds:
        faults.step()
        for step in steps:
            step.maybe()
        time.sleep(TICK)
    faults.end()
    feed.last_step()


def _progress(feed: Feed, seen: _Seen) -> str:
    told = len({telling.alert_id for telling in seen.tellings})
    return f"{len(feed.expected):,} ids enqueued, {told:,} alerts told"


def _drain(plan: Soak, feed: Feed, seen: _Seen, say: Say) -> None:
    """Wait until the line is empty and every story was looked at after its end."""
    run = feed.run
    pending = set(feed.expected)
    deadline = time.monotonic() + plan.patience
    while pending and time.monotonic() < deadline:
        time.sleep(FEED_EVERY)
        seen.listen()
        seen.weigh()
        if messages_in(run, run.outputs["QueueUrl"]):
            continue
        ends = _ends(run)  # not sooner: a long answer keeps the stand-in from hearing others
        rows = {str(row["MessageId"]): row for row in _message_rows(run, pending)}
        done = {each for each, row in rows.items() if _is_settled(row, ends.get(each))}
        pending -= done
        if done:
            say(f"{len(pending):,} ids are still to be looked at")
    seen.listen()


def _ends(run: LocalRun) -> dict[str, datetime]:
    return {sent.message_id: sent.settled_at for sent in run.ses.sent()}


def _is_settled(row: Row, story_ends: datetime | None) -> bool:
    """Whether the last look came after the story's end; what SES never sent has no story."""
    last = row.get("LastLookAt")
    if last is None:
        return False
    return story_ends is None or datetime.fromisoformat(last) >= story_ends


def _message_rows(run: LocalRun, ids: Iterable[str]) -> Iterator[Row]:
    table = run.outputs["TableName"]
    dynamodb = run.session.resource("dynamodb")
    wanted = sorted(ids)
    for start in range(0, len(wanted), AT_ONCE):
        keys = [
            {"MessageId": each, "Record": "MESSAGE"} for each in wanted[start : start + AT_ONCE]
        ]
        found = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys}})
        yield from found["Responses"].get(table, [])


def _gather(  # noqa: PLR0913, PLR0917 - all that was seen
    plan: Soak,
    feed: Feed,
    spells: Sequence[Spell],
    seen: _Seen,
    rows: Sequence[Row],
    fed_until: float,
) -> Figures:
    run = feed.run
    calls = run.ses.calls()
    period = run.ses.settings().period_seconds
    report = report_on(calls, period)
    messages = {str(row["MessageId"]): row for row in rows if row["Record"] == "MESSAGE"}
    ends = _ends(run)
    told = _each_once(seen.subscriber.received)
    slots, used = slots_of(quiet_stretches(spells, calls, ends=fed_until), calls, period)
    return Figures(
        seconds=plan.seconds,
        ids=len(feed.expected),
        stored=sum(each in messages for each in feed.expected),
        unsettled=sum(
            not _is_settled(messages[each], ends.get(each))
            for each in feed.expected
            if each in messages
        ),
        differences=tuple(differences(feed.expected, rows, told)),
        looks=report.accepted,
        looks_again=sum(max(int(row["Looks"]) - 1, 0) for row in messages.values()),
        throttled=report.throttled,
        closest=report.closest,
        slots=slots,
        used=used,
        memory=memories(seen.samples),
        alerts_due=sum(len(expected.alerts) for expected in feed.expected.values()),
        alerts_told=len(told),
        told_again=len(seen.subscriber.received) - len(told),
        told_again_unexplained=unexplained(seen.tellings, spells),
        waiting=0,
        parked=0,
        parked_due=feed.parked_due,
        spells=tuple(_with_those_of_ses(spell, calls) for spell in spells),
        recoveries=tuple(recovery(spell, calls) for spell in spells),
    )


def _with_those_of_ses(spell: Spell, calls: Sequence[Call]) -> Spell:
    """Count the calls that met a fault of SES; the proxy sees none of them."""
    if spell.fault.of != SES:
        return spell
    return replace(spell, met=sum(spell.on <= call.arrival < spell.off for call in calls))


def _each_once(received: Iterable[Received]) -> list[Received]:
    return list({alert.body["alertId"]: alert for alert in received}.values())


@dataclass(slots=True)
class _Every:
    """Does something every so many seconds."""

    seconds: float
    do: Callable[[], object]
    _next: float = 0.0

    def maybe(self) -> None:
        """Do it if it is time."""
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + self.seconds
            self.do()
