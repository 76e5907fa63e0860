"""The bulk lane: many ids at once, looked at with the slots that are left over.

A list of 50,000 ids in the queue would stand in front of today's mail for half a day. Put straight
into the table, each id waits in the lane that `followups` serves last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from ses_insights.contracts.queue_message import read_body
from ses_insights.domain.lanes import Lane
from ses_insights.domain.record import Record, Rules, other_region
from ses_insights.domain.times import iso
from ses_insights.service.ports import RecordChangedError, Records

WAITS_IN_BULK: Final = (
    "Not looked at yet: it came in bulk and is looked at with the slots that today's mail leaves "
    "over."
)


@dataclass(frozen=True, slots=True)
class Bulk:
    """Puts ids into the table."""

    records: Records
    rules: Rules
    region: str
    """The Region in which SES is asked."""
    now: Callable[[], datetime]

    def put(self, bodies: Iterable[str]) -> Iterator[tuple[str, bool]]:
        """Store each id for its first look, and yield it with whether it is new.

        Takes an id in any form that the queue takes; one that is in the table stays as it is. The
        ids are stored as the result is read; run again, it goes on where it stopped. Raises
        `BodyError` at a body without an id, when the ids before it are stored, and `SystemFailure`.
        """
        for body in bodies:
            request = read_body(body)
            message_id = request.message_id
            fresh = waiting(message_id, self.rules, self.now())
            fresh = fresh.noting(other_region(request.region, self.region))
            try:
                self.records.save(fresh, (), read=None)
            except RecordChangedError:
                yield message_id, False
            else:
                yield message_id, True


def waiting(message_id: str, rules: Rules, now: datetime) -> Record:
    """Return the record of an id that is due now, at low priority, and was never looked at."""
    # The present stands for the time of sending until SES shows it; the rungs count from then on.
    new = Record.new(message_id, now, rules)
    return replace(new, next_look_at=iso(now), note=WAITS_IN_BULK, lane=Lane.BULK)
