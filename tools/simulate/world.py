"""The queue, the one look a second, and `followups` every minute, in virtual time."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import takewhile
from typing import Final, Protocol

from ses_insights.domain.due import QueueDepth
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.overload import free_looks
from ses_insights.domain.pace import CallResult, Pace
from tools.simulate.mail import DAY, MINUTE, Assumptions, Mail

_NUMBER_BITS: Final = 24
"""A due look is one integer: milliseconds, then the mail's number. It takes a third of a tuple."""
_NUMBER: Final = (1 << _NUMBER_BITS) - 1


@dataclass(frozen=True, slots=True)
class Due:
    """The next look at a mail."""

    at: float
    lane: Lane = Lane.FOLLOW_UP


class Rule(Protocol):
    """Decides when to look, and keeps what it finds."""

    found: dict[int, float]
    """When the alert of a mail was raised."""

    def minute(self, late: float) -> None:
        """Called once a minute with how late the oldest essential look is."""

    def first_looks(self) -> float:
        """The share of fresh ids that is looked at on arrival."""

    def postpones(self, mail: int, waited: float) -> bool:
        """Whether a fresh id that waited so long gets no look. If so, `follows` has the next."""

    def look(self, mail: int, now: float) -> None:
        """Look at a mail."""

    def is_worth_it(self, mail: int, lane: Lane, now: float) -> bool:
        """Whether a due look is taken. If not, `follows` has the next one."""

    def follows(self, mail: int) -> Due | None:
        """What follows the last look, or a postponement; None: no look."""


@dataclass(slots=True)
class Measured:
    """What is measured of a run, besides what was found."""

    looks: int = 0
    """In the days in which mail is sent."""
    last_look: float = 0.0
    """When the last look was taken; later than those days."""
    postponed: int = 0
    longest_wait: float = 0.0
    """Of a fresh id, from the end of the queue's delay to its look, or to its postponement."""
    longest_behind: int = 0
    """The most follow-ups that were served while one fresh id waited."""
    longest_lag: dict[Lane, float] = field(default_factory=lambda: dict.fromkeys(LOOK_LANES, 0.0))


@dataclass(slots=True)
class World:
    """One run of one rule. All times are seconds since the first day began."""

    mail: Mail
    rule: Rule
    assumed: Assumptions
    measured: Measured = field(default_factory=Measured)
    _pace: Pace = field(init=False)
    _due: dict[Lane, list[int]] = field(default_factory=lambda: {lane: [] for lane in LOOK_LANES})
    _sent_back: deque[tuple[float, int]] = field(default_factory=deque)
    """Follow-ups in the queue: when each becomes visible, and of which mail it is."""
    _arrived: int = 0
    """Fresh ids that ever joined the queue, and, below, that left it and that became visible."""
    _served: int = 0
    _seen: int = 0
    _free_at: float = 0.0
    """When the function is done with the message it has."""
    _follow_ups: array[float] = field(default_factory=lambda: array("d"))
    """When each follow-up was served."""

    def __post_init__(self) -> None:
        self._pace = Pace(self.assumed.period)

    def run(self) -> None:
        """Run through the days, and on until nothing is left to be looked at."""
        end = self.assumed.days * DAY
        now = 0.0
        while now < end or self._is_busy:
            self._follow_up(now)
            self._arrive(now + MINUTE)
            self._serve(now + MINUTE)
            now += MINUTE

    @property
    def _is_busy(self) -> bool:
        return bool(self._sent_back or self._served < self._arrived or any(self._due.values()))

    def _arrive(self, until: float) -> None:
        sent = self.mail.sent
        while self._arrived < len(sent) and sent[self._arrived] < until:
            self._arrived += 1

    def _follow_up(self, now: float) -> None:
        """Do as `followups` does: fill what the budget leaves free, lane by lane, oldest first."""
        self.rule.minute(max(0.0, self._lag(Lane.ESSENTIAL, now)))
        for lane, heap in self._due.items():
            if heap:
                lag = self._lag(lane, now)
                self.measured.longest_lag[lane] = max(self.measured.longest_lag[lane], lag)
        while self._seen < self._arrived and self._visible_at(self._seen) <= now:
            self._seen += 1
        shown = sum(1 for _ in takewhile(lambda entry: entry[0] <= now, self._sent_back))
        follow_ups = len(self._sent_back) - shown
        free = free_looks(
            QueueDepth(
                visible=self._seen - self._served + shown,
                delayed=self._arrived - self._seen + follow_ups,
                in_flight=int(self._free_at > now),
            ),
            delay=self.assumed.delay,
            period=self.assumed.period,
            interval=MINUTE,
            follow_ups=follow_ups,
            first_looks=self.rule.first_looks(),
        )
        for lane in LOOK_LANES:
            while self._is_due(lane, now):
                mail = self._due[lane][0] & _NUMBER
                if not self.rule.is_worth_it(mail, lane, now):
                    heappop(self._due[lane])
                    self._await(mail)
                elif free:
                    heappop(self._due[lane])
                    self._sent_back.append((now + self.assumed.delay, mail))
                    free -= 1
                else:
                    break

    def _lag(self, lane: Lane, now: float) -> float:
        """How late the oldest row of a lane is; negative where it is not due yet."""
        heap = self._due[lane]
        return now - (heap[0] >> _NUMBER_BITS) / 1000 if heap else 0.0

    def _is_due(self, lane: Lane, now: float) -> bool:
        heap = self._due[lane]
        return bool(heap) and (heap[0] >> _NUMBER_BITS) <= now * 1000

    def _visible_at(self, fresh: int) -> float:
        return self.mail.sent[fresh] + self.assumed.delay

    def _serve(self, until: float) -> None:
        """Serve the queue in its order until a time."""
        while True:
            fresh = self._visible_at(self._served) if self._served < self._arrived else until
            again = self._sent_back[0][0] if self._sent_back else until
            begin = max(min(fresh, again), self._free_at)
            if begin >= until:
                return
            if fresh <= again:
                self._served += 1
                self._first(self._served - 1, fresh, begin)
            else:
                self._follow_ups.append(begin)
                self._look(self._sent_back.popleft()[1], begin)

    def _first(self, mail: int, visible: float, begin: float) -> None:
        measured = self.measured
        if begin - visible > self.assumed.queue_keeps - self.assumed.delay:
            return  # the queue has dropped it
        measured.longest_wait = max(measured.longest_wait, begin - visible)
        behind = len(self._follow_ups) - bisect_left(self._follow_ups, visible)
        measured.longest_behind = max(measured.longest_behind, behind)
        if self.rule.postpones(mail, begin - visible):
            measured.postponed += 1
            self._pace.invocation_began(begin, idle=begin - self._free_at)
            self._free_at = begin + self.assumed.work
            self._await(mail)
        else:
            self._look(mail, begin)

    def _look(self, mail: int, begin: float) -> None:
        """Call SES when the pace allows it."""
        pace = self._pace
        pace.invocation_began(begin, idle=begin - self._free_at)
        start = begin + pace.wait(begin)
        pace.call_started(start)
        answer = start + self.assumed.ses_latency
        pace.call_ended(answer, CallResult.ANSWERED)
        self._free_at = answer + self.assumed.work
        self.measured.last_look = start
        self.measured.looks += start < self.assumed.days * DAY
        self.rule.look(mail, answer)
        self._await(mail)

    def _await(self, mail: int) -> None:
        due = self.rule.follows(mail)
        if due:
            heappush(self._due[due.lane], int(due.at * 1000) << _NUMBER_BITS | mail)
