"""Bugs put in on purpose are found: each is a change of the code that the simulation runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from unittest import mock

import pytest

from ses_insights.adapters import queue as queues
from ses_insights.adapters import records, suppression_list
from ses_insights.adapters.due_index import DueIndex
from ses_insights.adapters.items import to_item
from ses_insights.adapters.queue import SqsConsumerQueue
from ses_insights.adapters.records import RecordTable
from ses_insights.adapters.surges import SurgeTable
from ses_insights.cli import erasing
from ses_insights.contracts import rows
from ses_insights.contracts.alert_message import notification
from ses_insights.contracts.queue_message import QueueMessage
from ses_insights.contracts.rows import Row
from ses_insights.domain import alert as alerts
from ses_insights.domain import insight
from ses_insights.domain import record as record_module
from ses_insights.domain import surge as surges
from ses_insights.domain.alert import Alert
from ses_insights.domain.due import Waiting
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.insight import Destination
from ses_insights.domain.lanes import Lane
from ses_insights.domain.listing import Listing
from ses_insights.domain.pace import CallResult, Pace
from ses_insights.domain.record import Answer, Record, Rules
from ses_insights.domain.schedule import Ladder, Next
from ses_insights.domain.surge import Finding, Group, Surge
from ses_insights.domain.times import instant, iso
from ses_insights.service import due_looks
from ses_insights.service import look as looks
from ses_insights.service.consumer import Consumer
from ses_insights.service.erase import rows_about, tombstone
from ses_insights.service.look import Look
from ses_insights.service.outbox import Outbox
from ses_insights.service.summaries import Summaries
from tools.chaos.promise import Promise
from tools.chaos.run import run
from tools.chaos.service import virtual_time

SEEDS: Final = 2_000
"""Within so many every known bug is found."""

Change = tuple[Any, str, Any]


@dataclass(frozen=True, slots=True)
class Bug:
    """A change of the code, and what it must break."""

    breaks: Promise
    changes: Sequence[Change]
    is_rare: bool = False
    """Whether it takes forty seeds or more: `make prove` looks for it."""


def marks_before_it_publishes(self: Outbox, alert: Alert, record: Record) -> Alert:
    """A crash in between loses the alert."""
    done = replace(alert, published_at=iso(self.now()), sns_message_id="not yet")
    self.records.mark_published(record.insights.message_id, done)
    self.subscribers.publish(
        notification(alert, record.insights, self.table, sent_at=record.sent_at)
    )
    return done


def writes_without_condition(_: Record | None) -> dict[str, Any]:
    """Whoever stored something since is overwritten."""
    return {"ConditionExpression": "attribute_not_exists(Nothing)"}


def leaves_pending_for_later(self: Look, record: Record) -> tuple[Record, tuple[Alert, ...]]:
    """What an earlier look found waits behind the call to SES."""
    found_now = tuple(alert for alert in record.alerts if alert.claimed_at is None)
    return _publish_pending(self, replace(record, alerts=found_now))


_publish_pending = Look._publish_pending  # noqa: SLF001 - what is changed


def claims_every_alert(self: RecordTable, message_id: str, alert: Alert, *, at: str) -> bool:
    """A claim that writes nothing: an outage of writes repeats the alert."""
    del self, message_id, alert, at
    return True


def moves_without_condition(
    self: DueIndex, row: Waiting, change: str, values: Mapping[str, Any], **names: Any
) -> bool:
    """A row that was looked at since is moved back."""
    self.client.update_item(
        TableName=self.table_name,
        Key=to_item({"MessageId": row.message_id, "Record": row.record}),
        UpdateExpression=change,
        ExpressionAttributeValues=to_item(values),
        **names,
    )
    return True


def sums_events(destinations: Sequence[Destination]) -> Destination:
    """Opens and clicks of two looks are added up."""
    joined = _joined(destinations)
    if len(destinations) == 1:
        return joined
    return replace(
        joined,
        open_count=sum(each.open_count for each in destinations),
        click_count=sum(each.click_count for each in destinations),
    )


def loses_an_event(destinations: Sequence[Destination]) -> Destination:
    """Of what two looks show the first event is forgotten."""
    joined = _joined(destinations)
    return joined if len(destinations) == 1 else replace(joined, events=joined.events[1:])


_joined = insight._joined  # noqa: SLF001 - what is changed


def counts_from_the_start(self: Pace, now: float, result: CallResult) -> None:
    """The next call is one period after this one left, whenever it arrived."""
    del now, result
    self._was_last = self._warm = True
    self._not_before = self._started + self.period


def parks_at_best(self: SqsConsumerQueue, message: QueueMessage, reason: str) -> None:
    """A message that cannot be parked is taken for parked."""
    with suppress(Exception):
        _park(self, message, reason)


_park = SqsConsumerQueue.park


def loses_what_fails(self: Consumer, message: QueueMessage) -> bool:
    """A message that is to come back is deleted."""
    _handle(self, message)
    return True


_handle = Consumer.handle


def counts_no_look(
    before: Record, answer: Answer, *, now: datetime, rules: Rules, **more: Any
) -> tuple[Record, tuple[Alert, ...]]:
    """The record keeps the version that was read."""
    record, new = _after_look(before, answer, now=now, rules=rules, **more)
    return replace(record, looks=before.looks), new


_after_look = record_module.after_look


def names_alerts_by_the_look(
    seen: insight.Insights, *, detected_at: str, **more: Any
) -> tuple[Alert, ...]:
    """An event raises an alert at each look."""
    return tuple(
        replace(alert, alert_id=f"{alert.alert_id}{detected_at}")
        for alert in _alerts_in(seen, detected_at=detected_at, **more)
    )


_alerts_in = alerts.alerts_in


def looks_at_what_is_erased(self: Look, stored: Record, request: Any, *, is_repeat: bool) -> bool:
    """An erased message is looked at like any other."""
    return _is_redundant(self, replace(stored, erased_at=None), request, is_repeat=is_repeat)


_is_redundant = Look._is_redundant  # noqa: SLF001 - what is changed


def expires_when_the_owner_says(self: Rules, sent_at: datetime) -> int:
    """Rows go though SES still answers."""
    return int((sent_at + self.retention).timestamp())


def summarizes_some_again(surge: Surge, now: datetime) -> tuple[str, str]:
    """Each summary of a surge begins ten minutes before the last one ended."""
    since, until = _period_to_summarize(surge, now)
    return since if since == surge.since else iso(instant(since) - timedelta(minutes=10)), until


_period_to_summarize = surges.period_to_summarize


def knows_alerts_by_their_rows(read: Any) -> Any:
    """Whether an alert was raised is known for as long as its own row."""

    def of_rows(them: Any) -> Record | None:
        record: Record | None = read(them)
        if record is None:
            return None
        return replace(record, alert_ids=frozenset(each.alert_id for each in record.alerts))

    return of_rows


def always(*_: Any, **__: Any) -> bool:
    """Whatever it is."""
    return True


def never(*_: Any, **__: Any) -> bool:
    """Whatever it is."""
    return False


def does_nothing(*_: Any, **__: Any) -> None:
    """Nothing happens."""


def looks_without_a_lane(record: Record) -> Row:
    """What waits is found by nobody."""
    return {name: value for name, value in rows.message_row(record).items() if name != "DueLane"}


def gives_no_reason(self: Record, following: Next, ladder: Ladder, **more: Any) -> Record:
    """A message gets no more looks, and nothing says why."""
    return replace(_followed_by(self, following, ladder, **more), final=None)


_followed_by = Record.followed_by


def lets_escape(self: Consumer, message: QueueMessage) -> bool:
    """An error reaches Lambda, which prints its text."""
    self._handle(message)
    return True


def is_stuck_at_what_is_erased(
    self: Look, stored: Record, request: Any, *, is_repeat: bool
) -> bool:
    """An id that comes again after its erasure stays in the queue for ever."""
    if stored.erased_at is not None:
        raise SystemFailure(FailureKind.DYNAMODB, "it is erased")
    return _is_redundant(self, stored, request, is_repeat=is_repeat)


def waits_for_half_a_day(*_: Any) -> int:
    """The longest that SQS hides a message."""
    return 43_200


def writes_recipients_once(record: Record, read: Record | None) -> list[Row]:
    """What later looks show is not stored."""
    return [] if read and read.looks else _changed(record, read)


_changed = records._changed  # noqa: SLF001 - what is changed


def begins_as_if_taken(record: Record) -> Record:
    """A large first look that is stopped is not repeated before its next rung."""
    return replace(record, looks=0, alerts=(), alert_ids=frozenset())


def lists_no_finding(self: Listing, *_: Any, **__: Any) -> Listing:
    """What SES shows nowhere but on the list is never published."""
    return self


def marks_in_its_lane(self: RecordTable, message_id: str, alert: Alert) -> None:
    """A published alert still waits."""
    self.client.update_item(
        TableName=self.table_name,
        Key=to_item({"MessageId": message_id, "Record": rows.alert_key(alert.alert_id)}),
        UpdateExpression="SET PublishedAt = :at",
        ExpressionAttributeValues=to_item({":at": alert.published_at}),
    )


def raises_all_again(found: Iterable[Alert], known: Iterable[Alert]) -> tuple[Alert, ...]:
    """Each look writes all alerts anew, as pending."""
    del known
    return tuple(found)


def knows_no_alert_ids(read: Any) -> Any:
    """Whatever was raised is forgotten."""

    def of_rows(them: Any) -> Record | None:
        record: Record | None = read(them)
        return record and replace(record, alert_ids=frozenset())

    return of_rows


def stores_no_alerts(
    self: RecordTable, record: Record, new_alerts: Sequence[Alert], **more: Any
) -> None:
    """What a look finds is published and not stored."""
    del new_alerts
    _save(self, record, (), **more)


_save = RecordTable.save


def leaves_one_out(self: SurgeTable, group: Group, **period: str) -> Iterator[Finding]:
    """A summary counts one alert less than there are."""
    return iter(list(_findings(self, group, **period))[1:])


_findings = SurgeTable.findings


def takes_all_rows(them: Sequence[Row], address: str) -> tuple[Row, ...]:
    """With one recipient's rows those of the others go."""
    if not rows_about(them, address):
        return ()
    return tuple(row for row in them if row["Record"] != rows.MESSAGE)


def keeps_the_subject(them: Sequence[Row], now: datetime) -> Row:
    """Something of the mail stays."""
    subject = next((row["Subject"] for row in them if "Subject" in row), "none")
    return tombstone(them, now) | {"Subject": subject}


LOOKS_AT_THE_ERASED: Final[Sequence[Change]] = [
    (Look, "_is_redundant", looks_at_what_is_erased),
    (records, "_UNCHANGED", "Looks = :looks"),
    (records, "read_record", lambda them: _not_erased(rows.read_record(them))),
]

BUGS: Final[Mapping[str, Bug]] = {
    "mark before publish": Bug(Promise.PUBLISHED, [(Outbox, "publish", marks_before_it_publishes)]),
    "no condition on the write": Bug(
        Promise.COUNTED, [(records, "_condition", writes_without_condition)]
    ),
    "pending is not published first": Bug(
        Promise.PENDING_FIRST, [(Look, "_publish_pending", leaves_pending_for_later)], is_rare=True
    ),
    "an alert is published again without a claim": Bug(
        Promise.ONCE_A_CLAIM, [(RecordTable, "claim", claims_every_alert)], is_rare=True
    ),
    "claim without condition": Bug(
        Promise.NEXT_OR_FINAL, [(DueIndex, "_move", moves_without_condition)], is_rare=True
    ),
    "events summed twice": Bug(Promise.COUNTED_ONCE, [(insight, "_joined", sums_events)]),
    "pace from the start": Bug(Promise.PACE, [(Pace, "call_ended", counts_from_the_start)]),
    "a claim does not end": Bug(
        Promise.NOT_LEFT_BEHIND, [(due_looks, "CLAIMED_FOR", timedelta(days=20))]
    ),
    "followups leave a lane out": Bug(
        Promise.NOT_LEFT_BEHIND, [(due_looks, "LOOK_LANES", (Lane.LISTED, Lane.ESSENTIAL))]
    ),
    "parked at best": Bug(
        Promise.HANDLED, [(SqsConsumerQueue, "park", parks_at_best)], is_rare=True
    ),
    "what fails is lost": Bug(Promise.HANDLED, [(Consumer, "handle", loses_what_fails)]),
    "a look is not counted": Bug(Promise.COUNTED, [(looks, "after_look", counts_no_look)]),
    "an alert is named by its look": Bug(
        Promise.ONE_EACH,
        [
            (alerts, "alerts_in", names_alerts_by_the_look),
            (record_module, "alerts_in", names_alerts_by_the_look),
        ],
    ),
    "the erased is looked at": Bug(Promise.STAYS_ERASED, LOOKS_AT_THE_ERASED, is_rare=True),
    "the erased is looked at and published": Bug(
        Promise.ERASED_UNPUBLISHED, LOOKS_AT_THE_ERASED, is_rare=True
    ),
    "rows expire too soon": Bug(
        Promise.OUTLIVES_SES, [(Rules, "expires_at", expires_when_the_owner_says)]
    ),
    "summaries overlap": Bug(
        Promise.SUMMED_ONCE, [(surges, "period_to_summarize", summarizes_some_again)]
    ),
    "what was published is forgotten with its row": Bug(
        Promise.NEVER_AGAIN,
        [(records, "read_record", knows_alerts_by_their_rows(rows.read_record))],
        is_rare=True,
    ),
    "one id stops the queue": Bug(Promise.QUEUE_MOVES, [(Consumer, "_steps_aside", never)]),
    "half a look decides": Bug(
        Promise.STORED,
        [
            (records, "read_record", lambda them: _whole(rows.read_record(them))),
            (records, "_begun", begins_as_if_taken),
        ],
        is_rare=True,
    ),
    "an id that is erased stays in the queue": Bug(
        Promise.DRAINED, [(Look, "_is_redundant", is_stuck_at_what_is_erased)]
    ),
    "the head waits for half a day each time": Bug(
        Promise.KEPT_BY_SQS,
        [(Consumer, "_steps_aside", never), (queues, "retry_delay", waits_for_half_a_day)],
    ),
    "an error escapes": Bug(Promise.CAUGHT, [(Consumer, "handle", lets_escape)]),
    "the end has no reason": Bug(Promise.NEXT_OR_FINAL, [(Record, "followed_by", gives_no_reason)]),
    "what waits is in no lane": Bug(
        Promise.IN_A_LANE, [(records, "message_row", looks_without_a_lane)]
    ),
    "every fresh id is postponed": Bug(Promise.SCARCE, [(looks, "has_first_look", never)]),
    "later looks are not stored": Bug(
        Promise.STORED, [(records, "_changed", writes_recipients_once)]
    ),
    "a merge loses an event": Bug(Promise.REMEMBERED, [(insight, "_joined", loses_an_event)]),
    "an erasure takes all recipients": Bug(
        Promise.NOT_DELETED, [(erasing, "rows_about", takes_all_rows)]
    ),
    "a reject raises no alert": Bug(Promise.RAISED, [(alerts, "_BY_EVENT_TYPE", {})]),
    "what the list alone shows is not published": Bug(
        Promise.LISTED, [(Listing, "after_look", lists_no_finding)]
    ),
    "a mark leaves the alert in its lane": Bug(
        Promise.PENDING_OR_PUBLISHED, [(RecordTable, "mark_published", marks_in_its_lane)]
    ),
    "each look raises all alerts": Bug(
        Promise.STAYS_PUBLISHED,
        [
            (record_module, "new_alerts", raises_all_again),
            (records, "read_record", knows_no_alert_ids(rows.read_record)),
        ],
    ),
    "alerts are not stored": Bug(Promise.STORED_FIRST, [(RecordTable, "save", stores_no_alerts)]),
    "alerts are not marked": Bug(
        Promise.TWICE_FOR_A_FAULT, [(RecordTable, "mark_published", does_nothing)]
    ),
    "a summary leaves one out": Bug(
        Promise.SUMMED_RIGHT, [(SurgeTable, "findings", leaves_one_out)]
    ),
    "no summary is written": Bug(Promise.SUMMED_ALL, [(Summaries, "write", does_nothing)]),
    "the subject stays": Bug(Promise.STAYS_EMPTY, [(erasing, "tombstone", keeps_the_subject)]),
    "the list is read without a pause": Bug(
        Promise.PACE_OF_THE_LIST, [(suppression_list, "PERIOD", 0.0)]
    ),
}
"""By name; each promise is broken by one at least."""


def _not_erased(record: Record | None) -> Record | None:
    return record and replace(record, erased_at=None)


def _whole(record: Record | None) -> Record | None:
    return record and replace(record, is_half_stored=False)


@contextmanager
def with_bug(changes: Sequence[Change]) -> Iterator[None]:
    """Put a bug in."""
    patches = [mock.patch.object(holder, name, value) for holder, name, value in changes]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in reversed(patches):
            patch.stop()


def seed_that_finds(bug: Bug) -> int | None:
    """The first seed in which the bug breaks what it must break."""
    what = bug.breaks
    with with_bug(bug.changes):
        return next((seed for seed in range(SEEDS) if run(seed, stops_at=what).broken[what]), None)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.prove] * bug.is_rare) for name, bug in BUGS.items()],
)
def test_a_bug_that_is_put_in_is_found(name: str) -> None:
    """Among the first two thousand seeds one breaks its promise, and without the bug none."""
    with virtual_time():
        seed = seed_that_finds(BUGS[name])
        assert seed is not None
        assert run(seed).violations == []


def test_each_promise_can_be_broken() -> None:
    """A check that no bug fails shows nothing."""
    assert {bug.breaks for bug in BUGS.values()} == set(Promise)
