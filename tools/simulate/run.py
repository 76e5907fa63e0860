"""One way to find bounces and complaints on one volume of mail, and what came of it."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from tools.simulate.mail import BULK_AT, DAY, Assumptions, Mail, Story, mail_of
from tools.simulate.rules import Core, OneLook
from tools.simulate.world import World

MOST: Final = 10_000
"""Mails a day that are simulated where all are enqueued; a larger volume is scaled to it."""
MOST_NOT_ENQUEUED: Final = 200_000
"""The same where none is: only what comes of it takes time."""


@dataclass(frozen=True, slots=True)
class Way:
    """A way to find out what became of mail."""

    name: str
    is_enqueued: bool = True
    """Whether every mail's id is enqueued."""
    rule: Callable[[Mail, Assumptions], Core] = Core
    reads_list: bool = False
    gets_events: bool = False


LADDER: Final = Way("the ladder alone")
ONE_LOOK: Final = Way("one look", rule=OneLook)
EVENTS: Final = Way("the ladder and SES's events", gets_events=True)
LIST: Final = Way("the ladder and the list", reads_list=True)
ALL: Final = Way("the ladder, the list and events", reads_list=True, gets_events=True)
EVENTS_ALONE: Final = Way("SES's events alone", is_enqueued=False, gets_events=True)
LIST_ALONE: Final = Way("the list alone", is_enqueued=False, reads_list=True)
BOTH_ALONE: Final = Way("the list and events", is_enqueued=False, reads_list=True, gets_events=True)


@dataclass(frozen=True, slots=True)
class Found:
    """How many of some events raised an alert, and how soon."""

    events: int
    found: int
    median: float
    """Seconds from the event to its alert, of those that raised one; not a number for none."""
    p95: float

    @property
    def share(self) -> float:
        """Of the events; not a number where there are none."""
        return self.found / self.events if self.events else math.nan


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one run. Times are seconds."""

    way: str
    per_day: int
    bounces: Found
    """Permanent bounces, each the first event of its address."""
    complaints: Found
    """The same of complaints."""
    several: Found
    """Those of both that are of mail to several recipients."""
    overtaken: Found
    """Of mail that was under way when its address was listed because of another mail."""
    repeats: Found
    """Mail to an address listed before, which SES does not attempt to deliver."""
    slots: float
    """Share of all slots, in the days in which mail is sent."""
    line: float
    """Share of the time that invocations and the gaps between them take, waiting left out."""
    longest_wait: float
    """Of a fresh id, beyond the queue's delay."""
    longest_told: float
    """Of what the list or an event tells of, beyond the queue's delay."""
    longest_behind: float
    """The part of a fresh id's wait that was spent on follow-ups, at most."""
    longest_lag: float
    """Of a follow-up, beyond its due time."""
    postponed: int
    """Fresh ids whose first look was postponed."""
    shed: int
    """Looks given up."""
    bulk: float
    """When the last look at a back-fill was taken, since it was put into the table."""
    took: float
    """Processor seconds that the run took."""

    @property
    def alertable(self) -> float:
        """The share found of all first events of an address."""
        events = self.bounces.events + self.complaints.events
        return (self.bounces.found + self.complaints.found) / events if events else math.nan


def run(way: Way, per_day: int, assumed: Assumptions) -> Result:
    """Send the mail and see what is found of it."""
    by = max(1.0, per_day / (MOST if way.is_enqueued else MOST_NOT_ENQUEUED))
    scaled = assumed.scaled(by)
    result = _run(way, per_day / by, scaled)
    return replace(
        result,
        per_day=per_day,
        postponed=int(result.postponed * by),
        shed=int(result.shed * by),
    )


def _run(way: Way, per_day: float, assumed: Assumptions) -> Result:
    began = time.process_time()
    gc.disable()  # nothing here is a cycle, and millions of records would be searched for some
    mail = mail_of(per_day, assumed, is_enqueued=way.is_enqueued)
    rule = way.rule(mail, assumed)
    world = World(mail, rule, assumed, way.reads_list, way.gets_events)
    world.run()
    measured = world.measured
    events = {n: story for n, story in mail.stories.items() if story.event < math.inf}

    def found(which: Callable[[Story], bool]) -> Found:
        return _found(rule, mail, (n for n, story in events.items() if which(story)))

    return Result(
        way=way.name,
        per_day=int(per_day),
        bounces=found(lambda story: story.is_listed and story.bounce < math.inf),
        complaints=found(lambda story: story.is_listed and story.complaint < math.inf),
        several=found(lambda story: story.is_listed and not story.is_shown),
        overtaken=found(lambda story: story.is_attempted and not story.is_listed),
        repeats=found(lambda story: not story.is_attempted),
        slots=measured.looks * assumed.period / (assumed.days * DAY),
        line=measured.busy / (assumed.days * DAY),
        longest_wait=measured.longest_wait,
        longest_told=measured.longest_told,
        longest_behind=measured.longest_behind * assumed.period,
        longest_lag=max(measured.longest_lag.values()) if not mail.bulk else math.nan,
        postponed=measured.postponed,
        shed=rule.shed,
        bulk=measured.last_bulk - BULK_AT if mail.bulk else math.nan,
        took=time.process_time() - began,
    )


def _found(rule: Core, mail: Mail, numbers: Iterable[int]) -> Found:
    events = list(numbers)
    delays = sorted(rule.found[n] - mail.event_at(n) for n in events if n in rule.found)
    return Found(len(events), len(delays), _percentile(delays, 0.5), _percentile(delays, 0.95))


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.nan
