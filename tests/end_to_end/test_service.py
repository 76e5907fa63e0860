"""The deployed stack, with real clients and IAM enforced, against the stories SES tells."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest

from local.actors.pipeline import Pipeline
from local.actors.subscriber import Subscriber
from local.expectations import differences
from local.scenario import enqueue_all
from local.ses_stand_in.settings import FaultKind
from local.ses_stand_in.stories import STORIES, UNTOLD
from local.stack.observe import message_row, messages_in, read_parked, scan
from local.stack.run import LocalRun
from tests.support.alert_schema import faults_of
from tests.support.patience import eventually

FAST = 36_000.0
"""SES shows a mail 8 ms after it was sent, and forgets it after 72 s."""


@pytest.fixture
def pipeline(stack: LocalRun) -> Iterator[Pipeline]:
    """A send pipeline, SES with a clean slate, and an empty dead-letter queue."""
    stack.ses.reset()
    stack.session.client("sqs").purge_queue(QueueUrl=stack.outputs["DeadLetterQueueUrl"])
    yield Pipeline(
        ses=stack.ses_client(),
        sqs=stack.session.client("sqs"),
        queue_url=stack.outputs["QueueUrl"],
    )
    stack.ses.change(vdm=True, faults=())
    eventually(lambda: _waiting(stack) == 0)


def test_every_story_ends_as_told(stack: LocalRun, pipeline: Pipeline) -> None:
    """Each id is stored with its status, alerted on as due and once, or parked, at the pace."""
    del pipeline
    before = {row["MessageId"] for row in scan(stack)}
    subscriber = Subscriber.subscribe(stack.session, stack.outputs["AlertTopicArn"], name="stories")
    work = enqueue_all(stack)

    eventually(lambda: _accepted(stack) >= work.looks_due and _waiting(stack) == 0)
    subscriber.read()

    rows = [row for row in scan(stack) if row["MessageId"] not in before]
    assert differences(work.expected, rows, subscriber.received) == []
    assert [fault for told in subscriber.received for fault in faults_of(told.body)] == []
    assert len(read_parked(stack)) == work.parked_due
    report = stack.ses.report()
    assert report.accepted == work.looks_due
    # On a machine that is busy elsewhere a request may be late on its way, which costs a 429. A
    # pace that counts from call to call has one in seven; `make bench` shows ours.
    assert report.throttled <= report.accepted / 10


def test_bad_bodies_are_parked_as_they_came(stack: LocalRun, pipeline: Pipeline) -> None:
    """A body without an id costs no look, keeps its bytes, and holds up nobody."""
    bodies = ["not an id", "\u202eid\n", " \t", "x" * 256 * 1024, '{"MessageId": "../../other"}']
    for body in bodies:
        pipeline.enqueue(body)
    stack.ses.change(speed=FAST)
    after = pipeline.send(STORIES["delivered"])["MessageId"]
    pipeline.enqueue(after)

    eventually(lambda: message_row(stack, after) is not None and _waiting(stack) == 0)

    parked = read_parked(stack)
    assert sorted(message["Body"] for message in parked) == sorted(bodies)
    for message in parked:
        assert {"Reason", "ParkedAt"} == message["MessageAttributes"].keys()
    assert _accepted(stack) == 1


def test_a_malformed_id_is_parked_after_one_look(stack: LocalRun, pipeline: Pipeline) -> None:
    """What SES refuses with 400 is recorded as INVALID, parked, and never asked again."""
    malformed = "0102019fa36a2608-6c9654bb-dc58-4957-8829"
    assert malformed not in UNTOLD
    pipeline.enqueue(malformed)
    pipeline.enqueue(f"<{malformed}@email.amazonses.com>")

    eventually(lambda: messages_in(stack, stack.outputs["DeadLetterQueueUrl"]) == 2)

    row = message_row(stack, malformed)
    assert row is not None
    assert row["Status"] == "INVALID"
    assert "Final" in row
    assert _accepted(stack) == 1


def test_vdm_off_holds_the_line_and_loses_nothing(stack: LocalRun, pipeline: Pipeline) -> None:
    """While VDM is off the first message stays first; once it is on, all are looked at in order."""
    stack.ses.change(vdm=False, speed=FAST)
    ids = [pipeline.send(STORIES["delivered"], label=str(n))["MessageId"] for n in range(2)]
    for message_id in ids:
        pipeline.enqueue(message_id)
    eventually(lambda: _accepted(stack) >= 2)
    assert {call.message_id for call in stack.ses.calls()} == {ids[0]}
    assert [message_row(stack, message_id) for message_id in ids] == [None, None]

    stack.ses.change(vdm=True)
    eventually(lambda: message_row(stack, ids[1]) is not None)

    rows = [message_row(stack, message_id) for message_id in ids]
    assert [row and (row["Status"], int(row["Looks"])) for row in rows] == [("DELIVERED", 1)] * 2
    assert _kinds_of_failure(stack) >= {"VdmOff"}


def test_two_429s_in_a_row_are_asked_again_in_one_go(stack: LocalRun, pipeline: Pipeline) -> None:
    """A second and a third attempt follow at the pace, and the message is not sent back."""
    stack.ses.change(speed=FAST)
    stack.ses.fail(FaultKind.THROTTLED, times=2)
    message_id = pipeline.send(STORIES["delivered"])["MessageId"]
    pipeline.enqueue(message_id)
    eventually(lambda: message_row(stack, message_id) is not None and _waiting(stack) == 0)

    report = stack.ses.report()
    assert (report.faults, report.throttled, report.accepted) == (2, 0, 1)
    assert not _deferred(stack, message_id)


def test_the_same_id_again_costs_no_look(stack: LocalRun, pipeline: Pipeline) -> None:
    """An id that was just looked at is acknowledged; with `force` it is asked for."""
    stack.ses.change(speed=FAST)
    message_id = pipeline.send(STORIES["delivered"])["MessageId"]
    pipeline.enqueue(message_id)
    pipeline.enqueue(f"{message_id}@email.amazonses.com")
    eventually(lambda: message_row(stack, message_id) is not None and _waiting(stack) == 0)
    assert _accepted(stack) == 1

    pipeline.enqueue(json.dumps({"MessageId": message_id, "force": True}))
    eventually(lambda: _accepted(stack) == 2 and _waiting(stack) == 0)

    row = message_row(stack, message_id)
    assert row is not None
    assert int(row["Looks"]) == 2


@pytest.mark.parametrize("story", ["huge", "huge-engagement"])
def test_a_response_of_any_size_is_stored(stack: LocalRun, pipeline: Pipeline, story: str) -> None:
    """Five thousand events are stored: bounces and complaints all, engagement by its counts."""
    stack.ses.change(speed=1e5)
    subscriber = Subscriber.subscribe(stack.session, stack.outputs["AlertTopicArn"], name=story)
    message_id = pipeline.send(STORIES[story])["MessageId"]
    eventually(lambda: all(time.time() > sent.settled_at.timestamp() for sent in stack.ses.sent()))
    pipeline.enqueue(message_id)
    eventually(lambda: message_row(stack, message_id) is not None and _waiting(stack) == 0)
    subscriber.read()

    rows = [row for row in scan(stack) if row["MessageId"] == message_id]
    assert differences({message_id: STORIES[story].expected}, rows, subscriber.received) == []
    places = [row for row in rows if row["Record"].startswith("DESTINATION#")]
    assert len(places) == 1 + len(STORIES[story].others)
    counted = sum(int(row["OpenCount"]) + int(row["ClickCount"]) for row in places)
    told = [
        event
        for timeline in (STORIES[story].events, *STORIES[story].others)
        for event in timeline
        if event.type in {"OPEN", "CLICK"}
    ]
    assert counted == len(told)


def _waiting(stack: LocalRun) -> int:
    return messages_in(stack, stack.outputs["QueueUrl"])


def _accepted(stack: LocalRun) -> int:
    return stack.ses.report().accepted


def _deferred(stack: LocalRun, message_id: str) -> bool:
    records = stack.log_records(stack.outputs["LookupFunctionName"])
    return any(
        record.get("message") == "deferred" and record.get("message_id") == message_id
        for record in records
    )


def _kinds_of_failure(stack: LocalRun) -> set[str]:
    records = stack.log_records(stack.outputs["LookupFunctionName"])
    return {record["kind"] for record in records if record.get("message") == "system failure"}
