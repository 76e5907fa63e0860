"""One rule on one volume of mail, and what came of it."""

from __future__ import annotations

import gc
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from tools.simulate import rules
from tools.simulate.mail import DAY, Assumptions, Mail, mail_of
from tools.simulate.world import World

Ruled = rules.Core | rules.Plain

RULES: Final[Mapping[str, Callable[[Mail, Assumptions], Ruled]]] = {
    "SES Insights": rules.Core,
    "one look": lambda mail, assumed: rules.Plain(mail, assumed, rules.one_look),
    "oldest due first": lambda mail, assumed: rules.Plain(mail, assumed, rules.ladder),
    "every 20 hours": lambda mail, assumed: rules.Plain(mail, assumed, rules.every_20_hours),
}
OURS: Final = "SES Insights"


@dataclass(frozen=True, slots=True)
class Found:
    """How many of the bounces, or of the complaints, raised an alert, and how soon."""

    events: int
    share: float
    median: float
    """Seconds from the event to its alert, of those that raised one; not a number for none."""
    p95: float


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one run. Times are seconds."""

    rule: str
    per_day: int
    bounces: Found
    complaints: Found
    at_most: float
    """Share of the mail that the slots until the run's last look suffice for."""
    slots: float
    """Share of all slots, in the days in which mail is sent."""
    longest_wait: float
    """Of a fresh id, beyond the queue's delay."""
    longest_behind: float
    """The part of a fresh id's wait that was spent on follow-ups, at most."""
    longest_lag: float
    """Of a follow-up, beyond its due time."""
    postponed: int
    """Fresh ids whose first look was postponed, or that got none."""
    shed: int
    """Looks given up."""
    took: float
    """Processor seconds that the run took."""


def run(rule: str, per_day: int, assumed: Assumptions) -> Result:
    """Send the mail and see what the rule finds."""
    began = time.process_time()
    gc.disable()  # nothing here is a cycle, and millions of records would be searched for some
    mail = mail_of(per_day, assumed)
    ruled = RULES[rule](mail, assumed)
    world = World(mail, ruled, assumed)
    world.run()
    measured = world.measured
    stories = mail.stories
    return Result(
        rule=rule,
        per_day=per_day,
        bounces=_found(ruled, mail, (n for n, s in stories.items() if s.bounce < math.inf)),
        complaints=_found(ruled, mail, (n for n, s in stories.items() if s.complaint < math.inf)),
        at_most=min(1.0, measured.last_look / assumed.period / len(mail.sent)),
        slots=measured.looks * assumed.period / (assumed.days * DAY),
        longest_wait=measured.longest_wait,
        longest_behind=measured.longest_behind * assumed.period,
        longest_lag=max(measured.longest_lag.values()),
        postponed=measured.postponed,
        shed=ruled.shed,
        took=time.process_time() - began,
    )


def _found(ruled: Ruled, mail: Mail, numbers: Iterable[int]) -> Found:
    events = list(numbers)
    delays = sorted(ruled.found[n] - mail.event_at(n) for n in events if n in ruled.found)
    return Found(
        events=len(events),
        share=len(delays) / len(events) if events else math.nan,
        median=_percentile(delays, 0.5),
        p95=_percentile(delays, 0.95),
    )


def _percentile(ordered: list[float], share: float) -> float:
    return ordered[math.ceil(share * len(ordered)) - 1] if ordered else math.nan
