"""Bugs put in on purpose are found: each is a change of the code that the simulation runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from unittest import mock

import pytest

from ses_insights.adapters import records
from ses_insights.adapters.due_index import DueIndex
from ses_insights.adapters.items import to_item
from ses_insights.adapters.queue import SqsConsumerQueue
from ses_insights.adapters.records import RecordTable
from ses_insights.contracts import rows
from ses_insights.contracts.alert_message import notification
from ses_insights.contracts.queue_message import QueueMessage
from ses_insights.domain import alert as alerts
from ses_insights.domain import insight
from ses_insights.domain import record as record_module
from ses_insights.domain import surge as surges
from ses_insights.domain.alert import Alert
from ses_insights.domain.due import Waiting
from ses_insights.domain.insight import Destination
from ses_insights.domain.pace import CallResult, Pace
from ses_insights.domain.record import Answer, Record, Rules
from ses_insights.domain.surge import Surge
from ses_insights.domain.times import iso
from ses_insights.service import due_looks
from ses_insights.service import look as looks
from ses_insights.service.consumer import Consumer
from ses_insights.service.look import Look
from ses_insights.service.outbox import Outbox
from tools.chaos.run import run
from tools.chaos.service import virtual_time

SEEDS: Final = 2_000
"""Within so many every known bug is found."""

Change = tuple[Any, str, Any]


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


def looks_at_what_is_erased(self: Look, stored: Record, request: Any) -> bool:
    """An erased message is looked at like any other."""
    return _is_redundant(self, replace(stored, erased_at=None), request)


_is_redundant = Look._is_redundant  # noqa: SLF001 - what is changed


def expires_when_the_owner_says(self: Rules, sent_at: datetime) -> int:
    """Rows go though SES still answers."""
    return int((sent_at + self.retention).timestamp())


def summarizes_from_the_start(surge: Surge, now: datetime) -> tuple[str, str]:
    """Each summary of a surge counts all its alerts again."""
    return surge.since, iso(now - surges.SETTLED_AFTER)


def knows_alerts_by_their_rows(read: Any) -> Any:
    """Whether an alert was raised is known for as long as its own row."""

    def of_rows(them: Any) -> Record | None:
        record: Record | None = read(them)
        if record is None:
            return None
        return replace(record, alert_ids=frozenset(each.alert_id for each in record.alerts))

    return of_rows


def never(*_: Any, **__: Any) -> bool:
    """Nothing steps aside."""
    return False


BUGS: Final[Mapping[str, Sequence[Change]]] = {
    "mark before publish": [(Outbox, "publish", marks_before_it_publishes)],
    "no condition on the write": [(records, "_condition", writes_without_condition)],
    "pending is not told first": [(Look, "_publish_pending", leaves_pending_for_later)],
    "an alert is told again without a claim": [(RecordTable, "claim", claims_every_alert)],
    "claim without condition": [(DueIndex, "_move", moves_without_condition)],
    "events summed twice": [(insight, "_joined", sums_events)],
    "pace from the start": [(Pace, "call_ended", counts_from_the_start)],
    "a claim does not end": [(due_looks, "CLAIMED_FOR", timedelta(days=3650))],
    "parked at best": [(SqsConsumerQueue, "park", parks_at_best)],
    "what fails is lost": [(Consumer, "handle", loses_what_fails)],
    "a look is not counted": [(looks, "after_look", counts_no_look)],
    "an alert is named by its look": [
        (alerts, "alerts_in", names_alerts_by_the_look),
        (record_module, "alerts_in", names_alerts_by_the_look),
    ],
    "the erased is looked at": [
        (Look, "_is_redundant", looks_at_what_is_erased),
        (records, "_UNCHANGED", "Looks = :looks"),
        (records, "read_record", lambda them: _not_erased(rows.read_record(them))),
    ],
    "rows expire too soon": [(Rules, "expires_at", expires_when_the_owner_says)],
    "summaries overlap": [(surges, "period_to_summarize", summarizes_from_the_start)],
    "what was told is forgotten with its row": [
        (records, "read_record", knows_alerts_by_their_rows(rows.read_record))
    ],
    "one id stops the line": [(Consumer, "_steps_aside", never)],
    "half a look decides": [(records, "read_record", lambda them: _whole(rows.read_record(them)))],
}


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


def seeds_until_found(changes: Sequence[Change], wanted: Callable[[str], bool]) -> int:
    """How many seeds it takes until a promise is broken."""
    with with_bug(changes), virtual_time():
        for seed in range(SEEDS):
            if any(map(wanted, run(seed).violations)):
                return seed
    return SEEDS


RARE: Final = frozenset(
    {
        "pending is not told first",
        "a claim does not end",
        "summaries overlap",
        "what was told is forgotten with its row",
        "half a look decides",
    }
)
"""Those that take hundreds of seeds or more: `make prove` looks for them."""


@pytest.mark.parametrize(
    "bug",
    [pytest.param(bug, marks=[pytest.mark.prove] if bug in RARE else []) for bug in BUGS],
)
def test_a_bug_that_is_put_in_is_found(bug: str) -> None:
    """A seed among the first two thousand breaks a promise."""
    assert seeds_until_found(BUGS[bug], lambda _: True) < SEEDS
