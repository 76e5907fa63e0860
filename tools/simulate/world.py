"""The queue, the one look a second, and `followups` every minute, in virtual time."""

from __future__ import annotations

import math
import random
from array import array
from bisect import bisect_left
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import takewhile
from typing import Final, Protocol

from ses_insights.domain.due import QueueDepth
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.overload import GIVEN_UP_AFTER, free_looks
from ses_insights.domain.pace import CallResult, Pace
from ses_insights.service.due_looks import MOST_GIVEN_UP
from tools.simulate.mail import BULK_AT, DAY, MINUTE, Assumptions, Mail

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

    def minute(self, now: float, late: float, waiting: int) -> None:
        """Called once a minute: how late essential looks are, and how many messages wait."""

    def first_looks(self) -> float:
        """The share of fresh ids that is looked at on arrival."""

    def postpones(self, mail: int, waited: float) -> bool:
        """Whether a fresh id that waited so long gets no look. If so, `follows` has the next."""

    def look(self, mail: int, now: float) -> None:
        """Look at a mail."""

    def listed(self, mail: int, at: float) -> None:
        """Note that the address was listed because of this mail."""

    def looks(self, mail: int) -> int:
        """How many looks were taken at a mail of which something comes."""

    def is_worth_it(self, mail: int, lane: Lane, due_at: float, now: float) -> bool:
        """Whether a look that is a day late is taken. If not, `follows` has the next one."""

    def follows(self, mail: int) -> Due | None:
        """What follows the last look, or a postponement; None: no look."""


@dataclass(slots=True)
class Measured:
    """What is measured of a run, besides what was found."""

    looks: int = 0
    """In the days in which mail is sent."""
    busy: float = 0.0
    """Seconds of those days that invocations and the gaps between them took without waiting."""
    postponed: int = 0
    longest_wait: float = 0.0
    """Of a fresh id, from the end of the queue's delay to its look, or to its postponement."""
    longest_told: float = 0.0
    """The same of what the list or an event told of."""
    longest_behind: int = 0
    """The most follow-ups that were served while one fresh id waited."""
    longest_lag: dict[Lane, float] = field(default_factory=lambda: dict.fromkeys(LOOK_LANES, 0.0))
    last_bulk: float = 0.0
    """When the last look at what came in bulk was taken for the first time."""


@dataclass(slots=True)
class World:
    """One run of one rule. All times are seconds since the first day began."""

    mail: Mail
    rule: Rule
    assumed: Assumptions
    reads_list: bool = False
    """Whether the account's suppression list is read."""
    gets_events: bool = False
    """Whether SES's own events arrive."""
    measured: Measured = field(default_factory=Measured)
    _enqueued: int = field(init=False)
    _pace: Pace = field(init=False)
    _due: dict[Lane, list[int]] = field(default_factory=lambda: {lane: [] for lane in LOOK_LANES})
    _sent_back: deque[tuple[float, int, int]] = field(default_factory=deque)
    """Follow-ups in the queue: when each becomes visible, of which mail, after how many looks."""
    _told: deque[tuple[float, int]] = field(default_factory=deque)
    """What the list or an event told of, in the queue: when it becomes visible, and which mail."""
    _events: list[tuple[float, int]] = field(default_factory=list)
    """What happens, the next one last."""
    _listed: list[tuple[float, int]] = field(default_factory=list)
    """What the list shows and is not read yet, the next one last."""
    _names: float = 0.0
    """How many addresses may be asked for."""
    _arrived: int = 0
    """Fresh ids that ever joined the queue, and, below, that left it and that became visible."""
    _served: int = 0
    _seen: int = 0
    _free_at: float = 0.0
    """When the function is done with the message it has."""
    _follow_ups: array[float] = field(default_factory=lambda: array("d"))
    """When each follow-up was served."""
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._enqueued = self.mail.enqueued
        self._pace = Pace(self.assumed.period)
        self._chance = random.Random(self.assumed.seed)  # noqa: S311 - which events get lost
        mail = self.mail
        events = [n for n, story in mail.stories.items() if story.event < math.inf]
        of_events = sorted(((mail.event_at(n), n) for n in events), reverse=True)
        if self.gets_events:
            self._events = list(of_events)
        if self.reads_list:
            after = self.assumed.listed_after
            self._listed = [(e + after, n) for e, n in of_events if self.mail.story(n).is_listed]

    def run(self) -> None:
        """Run through the days, and on until nothing is left to be looked at."""
        end = self.assumed.days * DAY
        now = 0.0
        while now < end or self._is_busy:
            if self.mail.bulk and now == BULK_AT:
                self._put_bulk(now)
            self._follow_up(now)
            self._arrive(now + MINUTE)
            self._tell(now)
            self._serve(now + MINUTE)
            now += MINUTE

    @property
    def _is_busy(self) -> bool:
        waiting = self._sent_back or self._told or self._events or self._listed
        return bool(waiting or self._served < self._arrived or any(self._due.values()))

    def _put_bulk(self, now: float) -> None:
        for number in range(self.mail.enqueued, len(self.mail.sent)):
            heappush(self._due[Lane.BULK], int(now * 1000) << _NUMBER_BITS | number)

    def _arrive(self, until: float) -> None:
        sent = self.mail.sent
        while self._arrived < self._enqueued and sent[self._arrived] < until:
            self._arrived += 1

    def _tell(self, now: float) -> None:
        """Put into the queue what the list and the events of this minute tell of."""
        joined: list[tuple[float, int]] = []
        while self._events and self._events[-1][0] < now + MINUTE:
            moment, mail = self._events.pop()
            if self._chance.random() < self.assumed.events_share:
                joined.append((moment + self.assumed.event_after, mail))
        self._names = min(self._names, 1.0) + self.assumed.names_a_run
        asked = 0
        while self._names >= 1 and self._listed and self._listed[-1][0] <= now:
            moment, mail = self._listed.pop()
            self._names -= 1
            asked += 1
            self.rule.listed(mail, moment)
            joined.append((now + asked, mail))
        delay = self.assumed.delay
        self._told.extend((moment + delay, mail) for moment, mail in sorted(joined))

    def _follow_up(self, now: float) -> None:
        """Do as `followups` does: fill what the budget leaves free, lane by lane, oldest first."""
        while self._seen < self._arrived and self._visible_at(self._seen) <= now:
            self._seen += 1
        shown = sum(1 for _ in takewhile(lambda entry: entry[0] <= now, self._sent_back))
        told = sum(1 for _ in takewhile(lambda entry: entry[0] <= now, self._told))
        visible = self._seen - self._served + shown + told
        late = max(0.0, self._lag(Lane.ESSENTIAL, now))
        self.rule.minute(now, late, visible)
        for lane in LOOK_LANES:
            lag = self._lag(lane, now)
            self.measured.longest_lag[lane] = max(self.measured.longest_lag[lane], lag)
        follow_ups = len(self._sent_back) - shown
        share = self.rule.first_looks()
        free = free_looks(
            QueueDepth(
                visible=visible,
                delayed=self._arrived - self._seen + follow_ups + len(self._told) - told,
                in_flight=int(self._free_at > now),
            ),
            delay=self.assumed.delay,
            period=self.assumed.period,
            interval=MINUTE,
            follow_ups=follow_ups if share < 1 else None,
            first_looks=share,
        )
        for lane in LOOK_LANES:
            free = self._serve_lane(lane, now, free)

    def _serve_lane(self, lane: Lane, now: float, free: int) -> int:
        """Send what there is room for, and give up what is too late; returns the room left."""
        given_up = 0
        too_late = GIVEN_UP_AFTER.total_seconds()
        for due_at, mail in self._first_due(lane, now):
            may_be_given_up = lane is not Lane.BULK and now - due_at >= too_late
            if may_be_given_up and not self.rule.is_worth_it(mail, lane, due_at, now):
                heappop(self._due[lane])
                self._await(mail)
                given_up += 1
                if given_up == MOST_GIVEN_UP:
                    break
            elif free:
                heappop(self._due[lane])
                looks = self.rule.looks(mail)
                self._sent_back.append((now + self.assumed.delay, mail, looks))
                free -= 1
            else:
                break
        return free

    def _first_due(self, lane: Lane, now: float) -> Iterator[tuple[float, int]]:
        """Yield the oldest row of a lane, again and again, while one is due."""
        heap = self._due[lane]
        while heap and (heap[0] >> _NUMBER_BITS) <= now * 1000:
            due_at, mail = (heap[0] >> _NUMBER_BITS) / 1000, heap[0] & _NUMBER
            if mail in self.mail.stories:
                due = self.rule.follows(mail)
                # A look that the list or an event asked for has changed the row since.
                if due is None or due.lane is not lane or _entry(due, mail) != heap[0]:
                    heappop(heap)
                    continue
            yield due_at, mail

    def _lag(self, lane: Lane, now: float) -> float:
        """How late the oldest row of a lane is; negative where it is not due yet."""
        heap = self._due[lane]
        return now - (heap[0] >> _NUMBER_BITS) / 1000 if heap else 0.0

    def _visible_at(self, fresh: int) -> float:
        return self.mail.sent[fresh] + self.assumed.delay

    def _serve(self, until: float) -> None:
        """Serve the queue in its order until a time."""
        while True:
            fresh = self._visible_at(self._served) if self._served < self._arrived else until
            again = self._sent_back[0][0] if self._sent_back else until
            told = self._told[0][0] if self._told else until
            begin = max(min(fresh, again, told), self._free_at)
            if self.assumed.outage and self.assumed.outage[0] <= begin < self.assumed.outage[1]:
                begin = self.assumed.outage[1]
            if begin >= until:
                return
            if fresh <= min(again, told):
                self._served += 1
                self._first(self._served - 1, fresh, begin)
            elif told <= again:
                visible, mail = self._told.popleft()
                waited = begin - visible
                self.measured.longest_told = max(self.measured.longest_told, waited)
                if mail in self.rule.found:
                    self._pass(begin)
                else:
                    self._look(mail, begin)
            else:
                _, mail, looks = self._sent_back.popleft()
                if self.rule.looks(mail) == looks:
                    self._follow_ups.append(begin)
                    self._look(mail, begin)
                else:
                    self._pass(begin)

    def _first(self, mail: int, visible: float, begin: float) -> None:
        measured = self.measured
        if begin - visible > self.assumed.queue_keeps - self.assumed.delay:
            return  # the queue has dropped it
        measured.longest_wait = max(measured.longest_wait, begin - visible)
        behind = len(self._follow_ups) - bisect_left(self._follow_ups, visible)
        measured.longest_behind = max(measured.longest_behind, behind)
        if self.rule.looks(mail):
            self._pass(begin)  # the list or an event was faster
        elif self.rule.postpones(mail, begin - visible):
            measured.postponed += 1
            self._pass(begin)
            self._await(mail)
        else:
            self._look(mail, begin)

    def _pass(self, begin: float) -> None:
        """Spend an invocation that asks SES nothing."""
        self._pace.invocation_began(begin, idle=begin - self._free_at + self.assumed.gap)
        self._end(begin, begin + self.assumed.work)

    def _look(self, mail: int, begin: float) -> None:
        """Call SES when the pace allows it: half of the work comes before the call."""
        pace, assumed = self._pace, self.assumed
        pace.invocation_began(begin, idle=begin - self._free_at + assumed.gap)
        ready = begin + assumed.work / 2
        start = ready + pace.wait(ready)
        pace.call_started(start)
        answer = start + assumed.ses_latency
        pace.call_ended(answer, CallResult.ANSWERED)
        self._end(begin + start - ready, answer + assumed.work / 2)
        self.measured.looks += start < assumed.days * DAY
        if self.mail.bulk and mail >= self._enqueued:
            self.measured.last_bulk = start
        self.rule.look(mail, answer)
        self._await(mail)

    def _end(self, begin: float, end: float) -> None:
        """Note the end of an invocation that, without waiting, would have begun then."""
        self._free_at = end + self.assumed.gap
        if end < self.assumed.days * DAY:
            self.measured.busy += self._free_at - begin

    def _await(self, mail: int) -> None:
        due = self.rule.follows(mail)
        if due:
            heappush(self._due[due.lane], _entry(due, mail))


def _entry(due: Due, mail: int) -> int:
    return round(due.at * 1000) << _NUMBER_BITS | mail
