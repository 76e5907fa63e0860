"""One run, from its seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from unittest import mock

from ses_insights.adapters import records
from ses_insights.adapters.records import RecordTable
from ses_insights.cli.dead_letters import DeadLetters
from ses_insights.cli.deployment import Deployment
from ses_insights.cli.erasing import erase, held_of
from ses_insights.contracts.names import AlertType
from ses_insights.domain.record import Rules
from ses_insights.domain.schedule import Ladder
from ses_insights.service.backfill import Bulk
from tools.chaos.calls import Fault, Faults
from tools.chaos.dynamodb import PAGE_BYTES, Table
from tools.chaos.promise import Promise
from tools.chaos.promises import Promises
from tools.chaos.scenario import Erasure, Scenario, Sent, draw
from tools.chaos.service import TABLE, Aws, Deployed, Session
from tools.chaos.ses import Mailbox, listed_because_of
from tools.chaos.sns import Topic
from tools.chaos.sqs import Queue
from tools.chaos.world import DAY, HOUR, MINUTE, START, Process, World


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a run."""

    seed: int
    violations: Sequence[str]
    broken: Mapping[Promise, int]
    invocations: int
    runs: int
    calls: int
    """To SES."""
    published: int
    faults: Mapping[tuple[str, Fault], int]
    """Calls that went wrong, by service."""
    days: float
    """Of virtual time."""
    given_up: int
    """Looks, for want of slots."""
    postponed: int
    """Messages whose first look was given up."""
    trace: Sequence[str] = field(default=())


@dataclass(slots=True)
class _Run:
    """A run that is under way."""

    world: World
    plan: Scenario
    aws: Aws
    service: Deployed
    promises: Promises
    enqueued: set[str] = field(default_factory=set)

    def prepare(self) -> None:
        """Let everything happen at its time."""
        world, plan = self.world, self.plan
        for sent in plan.sent:
            world.at(sent.at, lambda sent=sent: self._send(sent))  # type: ignore[misc] # bound now
        for at, ids in plan.bulk:
            world.at(at, lambda ids=ids: self._person(lambda s: self._bulk(s, ids)))  # type: ignore[misc]
        for erasure in plan.erasures:
            world.at(
                erasure.at,
                lambda e=erasure: self._person(lambda s: self._erase(s, e)),  # type: ignore[misc]
            )
        for at in plan.redrives:
            world.at(at, lambda: self._person(self._redrive))
        for at, settings in plan.deployments:
            world.at(at, lambda settings=settings: self.service.deploy(settings))  # type: ignore[misc]
        for at, seconds in plan.pauses:
            world.at(at, lambda seconds=seconds: self._pause(seconds))  # type: ignore[misc]
        world.at(world.now + DAY, self._sweep)
        if plan.settings.watch_suppression_list:
            for entry in self.aws.mailbox.listed:
                world.at(entry.shown_from, lambda: self.service.run_by(world.now))
                self.enqueued.add(entry.mail)
            # Without a first run that goes well nobody knows from when on the list is to be read.
            calm, self.aws.faults.until = self.aws.faults.until, 0.0
            self.service.start_followups()
            world.run(world.now + MINUTE)
            self.aws.faults.until = calm

    def _send(self, sent: Sent) -> None:
        self.aws.queue.send(sent.body, "looks", None, None)
        self.enqueued.add(sent.mail or sent.body)

    def _person(self, work: object) -> None:
        """Let somebody do something; where AWS fails they try again later."""
        world = self.world
        process = Process("person")
        session = Session(self.aws, process)

        def body() -> None:
            try:
                work(session)  # type: ignore[operator] # one of the methods below
            except Exception as error:  # noqa: BLE001 - shown to the person, who tries again
                world.note("failed", error=repr(error))
                world.at(world.now + HOUR, lambda: self._person(work))

        world.start(process, body)
        if process.is_dead:
            world.at(world.now + HOUR, lambda: self._person(work))

    def _bulk(self, session: Session, ids: Sequence[str]) -> None:
        settings = self.service.settings
        rules = Rules(
            Ladder.of_seconds(settings.ladder),
            timedelta(days=settings.retention_days),
            alert_types=frozenset(map(AlertType, settings.alert_types)),
        )
        table = RecordTable(session.client("dynamodb"), TABLE)
        list(Bulk(table, rules, session.region_name, self.world.wall).put(ids))
        self.enqueued.update(ids)

    def _erase(self, session: Session, erasure: Erasure) -> None:
        promises, world = self.promises, self.world
        deployment = Deployment(session, "SesInsights", self.service.outputs())  # type: ignore[arg-type]
        held = list(held_of(deployment, erasure.address, scan=True, on_rows=lambda _: None))
        for each in held:
            promises.erasing[session.process] = each.message_id, each.address
            try:
                erase(deployment, each)
            finally:
                del promises.erasing[session.process]
            promises.erased[each.message_id, each.address] = world.now
        world.note("erased", messages=[each.message_id for each in held])

    def _redrive(self, session: Session) -> None:
        letters = DeadLetters(session.client("sqs"), self.aws.dead_letters.url, self.aws.queue.url)
        list(letters.redrive(None))

    def _pause(self, seconds: float) -> None:
        self.service.pause(seconds)
        self.promises.paused_until = self.service.paused_until

    def _sweep(self) -> None:
        """Delete rows that have expired, some of them, in any order."""
        world, table = self.world, self.aws.table
        expired = [
            key
            for key, item in table.everything()
            if "ExpiresAt" in item and int(item["ExpiresAt"]["N"]) < world.now
        ]
        world.random.shuffle(expired)
        self.promises.is_sweeping = True
        for key in expired:
            if world.chance(0.5):
                table.put(key, None)
        self.promises.is_sweeping = False
        world.at(world.now + DAY * (0.5 + world.random.random()), self._sweep)

    def finish(self) -> None:
        """Run to the end, and check what has come of it."""
        world = self.world
        world.run(self.plan.ends)
        # What is left over of the last day is done, or it never is.
        world.run(world.now + 8 * HOUR)
        self.promises.at_the_end(
            self.enqueued,
            [message.body for message in self.aws.dead_letters.messages],
            list(self.aws.queue.messages),
        )


def run(seed: int, *, is_traced: bool = False, stops_at: Promise | None = None) -> Result:
    """Do the run of a seed, inside `virtual_time`, to its end or until a promise is broken."""
    plan = draw(random.Random(seed))  # noqa: S311 - to be repeated, not to be secret
    world = World(seed, is_traced=is_traced, stops_at=stops_at)
    faults = Faults(
        world, plan.calm_from, plan.rate, plan.kinds, plan.services, tuple(plan.outages)
    )
    dead_letters = Queue(world, "DeadLetters.fifo")
    aws = Aws(
        world,
        faults,
        Table(world, page_bytes=plan.page_bytes or PAGE_BYTES, longest_lag=plan.longest_lag),
        Queue(world, "MessageIds.fifo", dead_letters=dead_letters),
        dead_letters,
        Topic(world),
        Mailbox(
            world,
            mails={mail.id: mail for mail in plan.mails},
            listed=listed_because_of(plan.mails),
        ),
    )
    service = Deployed(aws, plan.settings, skew=plan.skew)
    promises = Promises(
        world,
        faults,
        aws.table,
        aws.mailbox,
        skew=plan.skew,
        periods=service.periods,
        watches_list=plan.settings.watch_suppression_list,
        longest_ladder=max(
            plan.settings.ladder[-1], *(each.ladder[-1] for _, each in plan.deployments), 0.0
        ),
        delay=min([plan.settings.delay, *(each.delay for _, each in plan.deployments)]),
    )
    aws.table.watchers.append(promises.written)
    aws.topic.watchers.append(promises.published)
    aws.mailbox.on_arrival.append(promises.arrived)
    aws.mailbox.on_answer.append(promises.answered)
    aws.mailbox.on_list.append(promises.read_list)
    aws.queue.on_lost = promises.lost
    service.on_received = lambda message: promises.received(message, aws.queue.messages)
    this = _Run(world, plan, aws, service, promises)
    with _small_transactions(plan.small_transactions):
        this.prepare()
        this.finish()
    return Result(
        seed,
        world.violations,
        world.broken,
        service.invocations,
        service.runs,
        len(aws.mailbox.arrivals),
        len(aws.topic.published),
        faults.struck_by,
        (world.now - START) / DAY,
        promises.given_up,
        promises.postponed,
        world.trace,
    )


@contextmanager
def _small_transactions(actions: int | None) -> Iterator[None]:
    """Let the adapter cut records as it cuts large ones, though these are small."""
    if actions is None:
        yield
    else:
        with mock.patch.object(records, "_ACTIONS", actions):
            yield
