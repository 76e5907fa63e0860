"""The run itself: feed the queue, switch faults on and off, and gather the results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from local.actors.subscriber import Received, Subscriber
from local.expectations import differences, is_about_one_mail
from local.ses_stand_in.pace import Call, report_on
from local.stack.observe import messages_in, scan
from local.stack.processes import processes_of
from local.stack.run import LocalRun
from ses_insights.contracts.names import Service
from ses_insights.contracts.rows import MESSAGE
from tools.soak.faults import Faults
from tools.soak.feed import Feed
from tools.soak.figures import (
    Delivery,
    Figures,
    Sample,
    Spell,
    memories,
    quiet_stretches,
    recovery,
    slots_of,
    unexplained,
)
from tools.soak.plan import SES, Turn

Row = Mapping[str, Any]
Progress = Callable[[str], None]

TICK: Final = 0.25
"""Seconds between two looks at the plan."""

FEED_EVERY: Final = 2.0
SAMPLE_EVERY: Final = 10.0
REPORT_EVERY: Final = 60.0
AT_ONCE: Final = 100
"""Rows that one BatchGetItem reads at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Soak:
    """What a soak is to be like."""

    seconds: float
    """How long ids are enqueued and faults come."""
    turns: Sequence[Turn]
    late: float | None
    """Seconds after which every third story ends; None: all end soon."""
    backlog: int
    patience: float
    """Seconds given to what is left in the queue, and to stories that end late, after that."""


@dataclass(slots=True)
class _Seen:
    """What is seen while it runs."""

    run: LocalRun
    subscriber: Subscriber
    deliveries: list[Delivery] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)

    def listen(self) -> None:
        """Read the alerts that have come."""
        new = self.subscriber.read()
        now = time.monotonic()
        self.deliveries += [Delivery(alert.body["alertId"], now) for alert in new]

    def weigh(self) -> None:
        """Read what the processes of both functions hold."""
        for function, name in (
            (Service.LOOKUP, self.run.lookup_function),
            (Service.FOLLOW_UPS, self.run.followups_function),
        ):
            self.samples += [
                Sample(function, process.pid, time.monotonic(), process.memory)
                for process in processes_of(self.run, name)
            ]


def soak(run: LocalRun, plan: Soak, progress: Progress) -> Figures:
    """Run it to its end; returns its figures. It begins with a reset of the SES stand-in."""
    run.ses.reset()
    before = {row["MessageId"] for row in scan(run)}
    parked_before = messages_in(run, run.dead_letter_queue_url)
    name = f"soak-{time.time():.0f}"
    seen = _Seen(run, Subscriber.subscribe(run.session, run.alert_topic_arn, name=name))
    feed = Feed(run=run, late=plan.late, backlog=plan.backlog)
    began = time.monotonic()

    def report(what: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - began), 60)
        progress(f"{minutes:3}:{seconds:02}  {what}")

    faults = Faults(run, plan.turns, began, report)
    _feed(plan, feed, faults, seen, report)
    fed_until = time.monotonic()
    report("No more ids; what is in the queue is worked off.")
    _drain(plan, feed, seen, report)

    rows = [row for row in scan(run) if row["MessageId"] not in before]
    parked = messages_in(run, run.dead_letter_queue_url) - parked_before
    gathered = _gather(plan, feed, faults.spells, seen, rows, fed_until)
    return replace(gathered, parked=parked, waiting=messages_in(run, run.queue_url))


def _feed(plan: Soak, feed: Feed, faults: Faults, seen: _Seen, progress: Progress) -> None:
    """Keep the queue full while faults come and go; on a busy machine these take longer."""
    steps = (
        _Every(FEED_EVERY, feed.step),
        _Every(FEED_EVERY, seen.listen),
        _Every(SAMPLE_EVERY, seen.weigh),
        _Every(REPORT_EVERY, lambda: progress(_so_far(feed, seen))),
    )
    while time.monotonic() < faults.began + plan.seconds or not faults.are_over:
        faults.step()
        for step in steps:
            step.maybe()
        time.sleep(TICK)
    faults.end()
    feed.last_step()


def _so_far(feed: Feed, seen: _Seen) -> str:
    alerts = len({delivery.alert_id for delivery in seen.deliveries})
    return f"{len(feed.expected):,} ids enqueued, {alerts:,} alerts received"


def _drain(plan: Soak, feed: Feed, seen: _Seen, progress: Progress) -> None:
    """Wait until the queue is empty and every story was looked at after its end."""
    run = feed.run
    pending = set(feed.expected)
    deadline = time.monotonic() + plan.patience
    while pending and time.monotonic() < deadline:
        time.sleep(FEED_EVERY)
        seen.listen()
        seen.weigh()
        if messages_in(run, run.queue_url):
            continue
        ends = _ends(run)  # not sooner: a long answer keeps the stand-in from hearing others
        rows = {str(row["MessageId"]): row for row in _message_rows(run, pending)}
        done = {each for each, row in rows.items() if _is_settled(row, ends.get(each))}
        pending -= done
        if done:
            progress(f"{len(pending):,} ids are still to be looked at")
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
    table = run.table_name
    dynamodb = run.session.resource("dynamodb")
    wanted = sorted(ids)
    for start in range(0, len(wanted), AT_ONCE):
        keys = [{"MessageId": each, "Record": MESSAGE} for each in wanted[start : start + AT_ONCE]]
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
    messages = {str(row["MessageId"]): row for row in rows if row["Record"] == MESSAGE}
    ends = _ends(run)
    received = _each_once(seen.subscriber.received)
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
        differences=tuple(differences(feed.expected, rows, received)),
        looks=report.accepted,
        looks_again=sum(max(int(row["Looks"]) - 1, 0) for row in messages.values()),
        throttled=report.throttled,
        closest=report.closest,
        slots=slots,
        used=used,
        memory=memories(seen.samples),
        alerts_expected=sum(len(expected.alerts) for expected in feed.expected.values()),
        alerts_received=sum(map(is_about_one_mail, received)),
        repeats=len(seen.subscriber.received) - len(received),
        repeats_unexplained=unexplained(seen.deliveries, spells),
        waiting=0,
        parked=0,
        parked_expected=feed.parked_expected,
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
