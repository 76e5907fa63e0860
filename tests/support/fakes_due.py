"""The lanes, the queue and the counts in memory.

`test_due_index.py` runs the contract of `DueRows` against `FakeDueRows` and the real index alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ses_insights.domain.due import Claim, DueRow, QueueDepth, Waiting
from ses_insights.domain.failures import SystemFailure
from ses_insights.domain.lanes import Lane
from ses_insights.domain.listing import Listing
from ses_insights.domain.overload import LONGEST_WAIT, Drop, Reschedule
from ses_insights.domain.times import iso
from tests.support.fakes import START, Clock, Moments

Row = dict[str, Any]


def message(message_id: str, lane: Lane, due: datetime, age: timedelta, looks: int = 1) -> Row:
    """A message's own row, as far as followups reads it, with a rung due then at this age."""
    return {
        "MessageId": message_id,
        "Record": "MESSAGE",
        "DueLane": str(lane),
        "NextLookAt": iso(due),
        "SentAt": iso(due - age),
        "Looks": looks,
    }


def due(
    name: str,
    lane: Lane = Lane.FOLLOW_UP,
    *,
    since: timedelta = timedelta(minutes=1),
    age: timedelta = timedelta(hours=2),
    looks: int = 1,
) -> Row:
    """A message that has been due for so long at the start, for the rung at this age."""
    return message(name, lane, START - since, age, looks)


@dataclass(slots=True)
class FakeDueRows:
    """The sparse index over rows in memory; `stale` are rows as the index still shows them."""

    rows: dict[tuple[str, str], Row] = field(default_factory=dict)
    page: int = 100
    clock: Clock | None = None
    seconds_a_call: float = 0.0
    calls: int = 0
    stale: list[Waiting] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    """Messages that `details` leaves out, as DynamoDB does under load."""

    def put(self, *rows: Row) -> None:
        """Put rows into the table."""
        self.rows |= {(row["MessageId"], row["Record"]): row for row in rows}

    def count(self, lane: Lane, *, until: str, most: int) -> int:
        """Count the rows that are due."""
        self._call()
        return min(len(self._sorted(lane, until)), most)

    def oldest(self, lane: Lane, *, until: str) -> Waiting | None:
        """The row that has been due for longest."""
        self._call()
        return next(iter(self._sorted(lane, until)), None)

    def due(self, lane: Lane, *, until: str) -> Iterator[Sequence[Waiting]]:
        """The rows that are due, page by page."""
        self._call()
        # What moves while it is read is read as it was: the index lags behind.
        found = [*(row for row in self.stale), *self._sorted(lane, until)]
        for start in range(0, max(len(found), 1), self.page):
            self._call()
            yield found[start : start + self.page]

    def beyond(self, lane: Lane, *, after: str) -> Sequence[Waiting]:
        """A page of rows whose time sorts after all valid ones."""
        self._call()
        found = reversed(self._sorted(lane, "\U0010ffff"))
        return [row for row in found if row.next_look_at > after][: self.page]

    def details(self, rows: Sequence[Waiting]) -> Mapping[str, DueRow]:
        """What is known now."""
        self._call()
        known = {row.message_id: self.rows.get((row.message_id, row.record)) for row in rows}
        return {
            message_id: DueRow.of(row)
            for message_id, row in known.items()
            if row and message_id not in self.left_out
        }

    def claim(self, row: Waiting, *, until: str) -> bool:
        """Let a row wait until then."""
        return self._move(row, NextLookAt=until)

    def release(self, row: Waiting, *, claimed_until: str) -> bool:
        """Undo a claim."""
        claimed = Waiting(row.message_id, row.record, claimed_until)
        return self._move(claimed, NextLookAt=row.next_look_at)

    def apply(self, row: Waiting, decision: Reschedule | Drop) -> bool:
        """Let a row wait for a later look, or for none."""
        stored = self.rows.get((row.message_id, row.record), {})
        shed = stored.get("Shed", 0) + decision.shed
        if isinstance(decision, Drop):
            return self._move(row, NextLookAt=None, DueLane=None, Final=decision.reason, Shed=shed)
        moved = {"NextLookAt": decision.at, "DueLane": str(decision.lane), "Shed": shed}
        return self._move(row, **moved, **({"Note": decision.note} if decision.note else {}))

    def _move(self, row: Waiting, **changes: object) -> bool:
        self._call()
        stored = self.rows.get((row.message_id, row.record))
        if stored is None or stored.get("NextLookAt") != row.next_look_at:
            return False
        stored |= changes
        return True

    def _sorted(self, lane: Lane, until: str) -> list[Waiting]:
        found = [
            Waiting(row["MessageId"], row["Record"], row["NextLookAt"])
            for row in self.rows.values()
            if row.get("DueLane") == lane and row["NextLookAt"] <= until
        ]
        return sorted(found, key=lambda row: row.next_look_at)

    def _call(self) -> None:
        self.calls += 1
        if self.clock and self.seconds_a_call:
            self.clock.advance(self.seconds_a_call)


@dataclass(slots=True)
class FakeQueue:
    """The queue, for a producer: keeps what was sent."""

    sent: list[Claim] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)
    visible: int = 0
    delayed: int = 0
    in_flight: int = 0
    refuses: set[str] = field(default_factory=set)
    """Messages that it refuses."""
    failure: SystemFailure | None = None
    listed: list[tuple[str, Listing]] = field(default_factory=list)
    """Messages that joined it because of a listing."""
    moments: Moments = field(default_factory=Moments)

    def depth(self) -> QueueDepth:
        """How many it holds."""
        return QueueDepth(self.visible, self.delayed, self.in_flight)

    def send(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        """Take all, or some, or none."""
        self.batches.append(len(claims))
        if self.failure:
            raise self.failure
        refused = [claim for claim in claims if claim.row.message_id in self.refuses]
        self.sent += [claim for claim in claims if claim not in refused]
        return refused

    def send_due(self, message_id: str, listing: Listing) -> None:
        """Take a message because of a listing."""
        self.moments.reach("send")
        if self.failure:
            raise self.failure
        self.listed.append((message_id, listing))
        self.moments.reach("sent")

    @property
    def ids(self) -> list[str]:
        """Which messages were sent, in order."""
        return [claim.row.message_id for claim in self.sent]


@dataclass(slots=True)
class FakeCapacity:
    """The oldest essential look is so late."""

    is_late: timedelta = timedelta(0)
    long_queue: bool = False

    def late(self) -> timedelta:
        """That long."""
        return self.is_late

    def held_up(self, waited: timedelta) -> bool:
        """Whether the queue is long, for those that waited longer than an hour."""
        return self.long_queue and waited > LONGEST_WAIT


@dataclass(slots=True)
class FakeCounters:
    """How many looks joined the queue, and when."""

    sent: list[tuple[datetime, int]] = field(default_factory=list)

    def count_sent(self, number: int, now: datetime) -> None:
        """Count them."""
        self.sent.append((now, number))

    def sent_since(self, moment: datetime) -> int:
        """How many since then."""
        return sum(number for then, number in self.sent if then >= moment)
