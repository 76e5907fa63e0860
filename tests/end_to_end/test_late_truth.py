"""What comes late is found by a later look, on the deployed stack with IAM enforced."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from local.actors.operator import FollowUps
from local.actors.pipeline import SENDER, Pipeline
from local.actors.subscriber import Subscriber
from local.expectations import differences
from local.ses_stand_in.stories import STORIES
from local.stack.observe import LOAD, message_row, messages_in, scan
from local.stack.run import LocalRun, local_stack
from ses_insights.adapters.records import RecordTable
from ses_insights.domain.record import Rules
from ses_insights.domain.schedule import Ladder
from ses_insights.service.backfill import Bulk
from tests.support.leaks import leaks, texts_of_the_mail
from tests.support.patience import eventually

RUNGS: Final = (16, 26)
"""Seconds since a mail was sent at which it is looked at again."""

TURN: Final = 14.0
"""Seconds after which the late story of a test takes its turn: between the first look and RUNGS."""

TURNS: Final = {
    "delivered-then-bounced": timedelta(days=2, hours=4),
    "complaint-late": timedelta(days=4, hours=6),
    "late": timedelta(hours=1),
    "never": timedelta(days=1),
}
"""When that is, in the time of each story."""

FAST = 36_000.0
"""Ten hours of a story pass in a second."""


@pytest.fixture(scope="module")
def stack() -> Iterator[LocalRun]:
    """A stack of its own: elsewhere nothing must become due while other things are tested."""
    context = {"firstLookDelaySeconds": "0", "followUpLadder": json.dumps(RUNGS)}
    with local_stack(context) as run:
        yield run


@pytest.fixture
def pipeline(stack: LocalRun) -> Iterator[Pipeline]:
    """A send pipeline, SES with a clean slate."""
    stack.ses.reset()
    yield Pipeline(
        ses=stack.ses_client(),
        sqs=stack.session.client("sqs"),
        queue_url=stack.outputs["QueueUrl"],
    )
    eventually(lambda: _waiting(stack) == 0)


@pytest.fixture(scope="module")
def followups(stack: LocalRun) -> FollowUps:
    """The function, started by hand: its schedule starts it once a minute, which is slow here."""
    return FollowUps(stack)


def test_what_comes_late_is_found_and_told_once(
    stack: LocalRun, pipeline: Pipeline, followups: FollowUps
) -> None:
    """The first look cannot know it, a later one finds it, and no further one tells it again.

    An id that is never found is looked at on every rung and ends with its explanation.
    """
    subscriber = Subscriber.subscribe(stack.session, stack.outputs["AlertTopicArn"], name="late")
    ids = {}
    for story, turn in TURNS.items():
        stack.ses.change(speed=turn.total_seconds() / TURN)
        ids[story] = pipeline.send(STORIES[story])["MessageId"]
    eventually(lambda: _age(stack, ids["never"]) > timedelta(seconds=1))  # SES shows the others
    for message_id in ids.values():
        pipeline.enqueue(message_id)
    eventually(lambda: all(message_row(stack, each) for each in ids.values()))
    first = {story: message_row(stack, each) or {} for story, each in ids.items()}
    assert {story: (row["Status"], int(row["Looks"])) for story, row in first.items()} == {
        "delivered-then-bounced": ("DELIVERED", 1),
        "complaint-late": ("DELIVERED", 1),
        "late": ("NOT_FOUND", 1),
        "never": ("NOT_FOUND", 1),
    }

    _run_until(
        followups, lambda: all("Final" in (message_row(stack, each) or {}) for each in ids.values())
    )

    subscriber.read()
    rows = [row for row in scan(stack) if row["MessageId"] in ids.values()]
    expected = {each: STORIES[story].expected for story, each in ids.items()}
    assert differences(expected, rows, subscriber.received) == []
    last = {story: message_row(stack, each) or {} for story, each in ids.items()}
    assert sum(int(row["Looks"]) for row in last.values()) == stack.ses.report().accepted
    assert all(row["Looks"] > 1 for row in last.values())
    assert not any({"NextLookAt", "DueLane"} & row.keys() for row in last.values())
    assert last["never"]["Final"].startswith("SES does not know this message: 3 looks since ")
    assert "Likely causes: " in last["never"]["Final"]


def test_two_runs_at_once_send_nothing_twice(
    stack: LocalRun, pipeline: Pipeline, followups: FollowUps
) -> None:
    """Four runs that start together look at each message once."""
    ids = [pipeline.send(STORIES["never"], label=str(n))["MessageId"] for n in range(4)]
    for message_id in ids:
        pipeline.enqueue(message_id)
    eventually(lambda: all(message_row(stack, each) for each in ids))
    eventually(lambda: all(_is_due(stack, each) for each in ids))
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(followups.start) for _ in range(4)]:
            done.result()
    eventually(lambda: _waiting(stack) == 0)

    rows = [message_row(stack, each) for each in ids]
    assert [row and int(row["Looks"]) for row in rows] == [2] * 4
    assert stack.ses.report().accepted == 8


def test_an_alert_left_pending_is_published(
    stack: LocalRun, pipeline: Pipeline, followups: FollowUps
) -> None:
    """Where a look died between storing and publishing, followups tells it, once."""
    name = "left-behind"
    subscriber = Subscriber.subscribe(stack.session, stack.outputs["AlertTopicArn"], name=name)
    stack.ses.change(speed=FAST)
    message_id = pipeline.send(STORIES["bounce-noemail"])["MessageId"]
    pipeline.enqueue(message_id)
    eventually(lambda: bool(subscriber.read()))
    alert = next(row for row in _rows(stack, message_id) if row["Record"].startswith("ALERT#"))
    eventually(lambda: "PublishedAt" in _item(stack, message_id, alert["Record"]))
    published = _item(stack, message_id, alert["Record"])
    assert "DueLane" not in published
    table = stack.session.resource("dynamodb").Table(stack.outputs["TableName"])
    # As such a look would have left it, six minutes ago.
    pending = {name: value for name, value in published.items() if name != "PublishedAt"}
    ago = (datetime.now(UTC) - timedelta(minutes=6)).isoformat(timespec="milliseconds")
    table.put_item(Item={**pending, "DueLane": "alert", "NextLookAt": ago.replace("+00:00", "Z")})

    followups.start()
    followups.start()

    eventually(lambda: bool(subscriber.read()))
    assert len({alert.body["alertId"] for alert in subscriber.received}) == 1
    assert len(subscriber.received) == 2, "the look's, and one of followups"
    assert "PublishedAt" in _item(stack, message_id, alert["Record"])


def test_ids_put_in_bulk_are_looked_at(
    stack: LocalRun, pipeline: Pipeline, followups: FollowUps
) -> None:
    """Ids that were put straight into the table are looked at, alerted on, and are no load."""
    subscriber = Subscriber.subscribe(stack.session, stack.outputs["AlertTopicArn"], name="bulk")
    stack.ses.change(speed=FAST)
    ids = [pipeline.send(STORIES["bounce-noemail"], label=str(n))["MessageId"] for n in range(3)]
    records = RecordTable(stack.session.client("dynamodb"), stack.outputs["TableName"])
    bulk = Bulk(records, Rules(Ladder(), timedelta(days=90)), lambda: datetime.now(UTC))
    before = _arrivals(stack)
    assert list(bulk.put(ids)) == [(each, True) for each in ids]
    assert list(bulk.put(ids)) == [(each, False) for each in ids]

    _run_until(followups, lambda: all("Final" in (message_row(stack, each) or {}) for each in ids))

    subscriber.read()
    rows = [row for row in scan(stack) if row["MessageId"] in ids]
    expected = dict.fromkeys(ids, STORIES["bounce-noemail"].expected)
    assert differences(expected, rows, subscriber.received) == []
    assert _arrivals(stack) == before


def test_what_comes_in_is_counted_once(stack: LocalRun, pipeline: Pipeline) -> None:
    """A message is counted with its first row, and not when its id comes again."""
    before = _arrivals(stack)
    stack.ses.change(speed=FAST)
    message_id = pipeline.send(STORIES["bounce-noemail"])["MessageId"]
    pipeline.enqueue(message_id)
    pipeline.enqueue(json.dumps({"MessageId": message_id, "force": True}))
    eventually(lambda: int((message_row(stack, message_id) or {"Looks": 0})["Looks"]) == 2)
    assert _arrivals(stack) == before + 1


def test_no_log_holds_anything_of_a_mail(
    stack: LocalRun, pipeline: Pipeline, followups: FollowUps
) -> None:
    """Neither a later look nor a run logs an address, subject, tag or diagnostic code."""
    stack.ses.change(speed=FAST)
    message_id = pipeline.send(STORIES["bounce-noemail"])["MessageId"]
    pipeline.enqueue(message_id)
    followups.start()
    printed = stack.folder / "emulator.log"
    eventually(lambda: message_id in printed.read_text(errors="replace"))
    log = printed.read_text(errors="replace")
    assert '"message":"due"' in log
    stored = {text for row in scan(stack) for text in texts_of_the_mail(row)}
    assert SENDER in stored
    assert leaks(stored, log) == set()


def test_the_schedule_starts_runs(followups: FollowUps) -> None:
    """EventBridge Scheduler starts the function by itself, through its own role."""
    assert followups.schedule() == ("rate(1 minute)", "ENABLED")
    eventually(lambda: followups.by_schedule() > 0)


def _run_until(followups: FollowUps, holds: Callable[[], bool]) -> None:
    """Start run after run, as the schedule would, until it comes to that."""

    def after_a_run() -> bool:
        followups.start()
        return holds()

    eventually(after_a_run)


def _waiting(stack: LocalRun) -> int:
    return messages_in(stack, stack.outputs["QueueUrl"])


def _rows(stack: LocalRun, message_id: str) -> list[Mapping[str, Any]]:
    return [row for row in scan(stack) if row["MessageId"] == message_id]


def _item(stack: LocalRun, message_id: str, record: str) -> Mapping[str, Any]:
    table = stack.session.resource("dynamodb").Table(stack.outputs["TableName"])
    return table.get_item(Key={"MessageId": message_id, "Record": record}).get("Item", {})


def _is_due(stack: LocalRun, message_id: str) -> bool:
    row = message_row(stack, message_id) or {}
    return "NextLookAt" in row and datetime.fromisoformat(row["NextLookAt"]) <= datetime.now(UTC)


def _age(stack: LocalRun, message_id: str) -> timedelta:
    (sent,) = (sent for sent in stack.ses.sent() if sent.message_id == message_id)
    return datetime.now(UTC) - sent.sent_at


def _arrivals(stack: LocalRun) -> int:
    table = stack.session.resource("dynamodb").Table(stack.outputs["TableName"])
    counts = (row["Arrivals"] for row in table.scan()["Items"] if row["MessageId"] == LOAD)
    return sum(int(str(count)) for count in counts)
