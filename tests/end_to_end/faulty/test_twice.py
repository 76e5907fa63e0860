"""However often a message comes, and in whatever order, it is told once what became of its mail.

That two runs of `followups` at once send nothing twice is in test_late_truth.py.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import repeat
from typing import Any, Final
from uuid import uuid4

import pytest

from local.actors.pipeline import bodies_of
from local.stack.observe import messages_in, read_parked
from local.stack.processes import kill
from local.stack.run import LocalRun
from ses_insights.contracts.names import MESSAGE_GROUP
from tests.support.deliveries import Deliveries, Record, by_hand, redrive
from tests.support.patience import eventually
from tests.support.witness import FAST, Row, Witness, shape

FORMS: Final = 6
"""The forms of `bodies_of`."""

BOTH: Final = "many-destinations"
"""A story with a bounce and a complaint."""

SLOW: Final = (4_500.0, 4_500.0)
"""Milliseconds that an answer of SES takes; the function gives up after five seconds."""

PROMPT: Final = (20.0, 50.0)

BOUNCE_AFTER: Final = timedelta(days=2, hours=4)
"""When, in its own time, the mail of `delivered-then-bounced` bounces."""


def test_an_id_that_comes_in_every_form_is_looked_at_once(witness: Witness) -> None:
    """It is asked for once, and once more for each time it is forced; alerts are told once."""
    response = witness.send(BOTH)
    message_id = response["MessageId"]
    forms = list(bodies_of(repeat(response, FORMS)))
    again = [json.dumps({"messageId": message_id, "order": number}) for number in range(5)]
    for body in (*forms, *again, *forms):
        witness.pipeline.enqueue(body)
    eventually(witness.is_over)
    once = shape(witness.rows())
    assert witness.asked(message_id) == 1

    for order in range(2):
        forced = {"MessageId": message_id, "force": True, "order": order}
        witness.pipeline.enqueue(json.dumps(forced))
    eventually(lambda: witness.asked(message_id) == 3 and witness.is_over())

    assert witness.duplicates() == 0
    assert witness.row(message_id)["Looks"] == 3
    assert without_looks(shape(witness.rows())) == without_looks(once)


def test_a_message_that_is_delivered_again_is_not_looked_at_again(witness: Witness) -> None:
    """Where a look is done and SQS has not heard of it, the second delivery costs no look."""
    message_id = str(witness.send(BOTH)["MessageId"])
    with by_hand(witness.run) as deliveries:
        witness.pipeline.enqueue(message_id)
        first, second = received_twice(deliveries)
        assert deliveries.deliver(first)
        assert deliveries.deliver(second)
    eventually(witness.is_over)

    assert witness.asked(message_id) == 1
    assert witness.row(message_id)["Looks"] == 1
    assert witness.duplicates() == 0


@pytest.mark.parametrize(
    ("story", "turn"),
    [
        pytest.param("delivered-then-bounced", timedelta(seconds=2), id="with-old-news"),
        pytest.param(BOTH, timedelta(0), id="with-the-same-news", marks=pytest.mark.prove),
    ],
)
def test_an_answer_that_comes_after_a_newer_one_takes_nothing_away(
    witness: Witness, story: str, turn: timedelta
) -> None:
    """A message is delivered again while its first look still waits for SES.

    The second look is faster. What it has stored stays, and nothing is told again, when the first
    one's answer arrives, which SES gave before the mail bounced.
    """
    run = witness.run
    with by_hand(run) as deliveries, ThreadPoolExecutor(1) as pool:
        have_two_environments(deliveries)
        run.ses.change(latency_ms=SLOW, speed=BOUNCE_AFTER / turn if turn else FAST)
        message_id = str(witness.send(story)["MessageId"])
        witness.pipeline.enqueue(message_id)
        early, late = received_twice(deliveries)
        slow = pool.submit(deliveries.deliver, early)
        eventually(lambda: witness.asked(message_id) == 1)
        eventually(lambda: datetime.now(UTC) > settled_at(run, message_id))
        run.ses.change(latency_ms=PROMPT)
        assert deliveries.deliver(late)
        assert not slow.done(), "the first answer was to come last"
        assert witness.row(message_id)["Looks"] == 1
        once = shape(witness.rows())
        assert slow.result()
    eventually(witness.is_over)

    assert witness.asked(message_id) == 2
    assert witness.row(message_id)["Looks"] == 2
    assert without_looks(shape(witness.rows())) == without_looks(once)
    assert witness.duplicates() == 0


@pytest.mark.prove
def test_four_looks_at_once_store_what_one_stores(witness: Witness) -> None:
    """Where nothing keeps looks at the same message apart, every answer is merged and counted.

    That an alert comes once takes one look at a time, which the queue and Lambda see to; here it
    may come more often, under one id.
    """
    with by_hand(witness.run) as deliveries, ThreadPoolExecutor(4) as pool:
        reference = str(witness.send(BOTH)["MessageId"])
        witness.pipeline.enqueue(reference)
        assert deliveries.deliver(received_twice(deliveries)[1])
        once = shape(witness.rows(reference))

        message_id = str(witness.send(BOTH)["MessageId"])
        witness.pipeline.enqueue(message_id)
        (record, _) = received_twice(deliveries)
        list(pool.map(deliveries.deliver, repeat(record, 4)))
    eventually(witness.is_over)

    assert without_looks(shape(witness.rows(message_id))) == without_looks(once)
    assert witness.row(message_id)["Looks"] == witness.asked(message_id), "an answer was lost"


def test_what_is_redriven_is_parked_again_or_looked_at(witness: Witness) -> None:
    """A redrive loses nothing, however often.

    What is no id is parked again, what SES has refused is not asked for again, and a good id is
    looked at.
    """
    run, sqs = witness.run, witness.run.session.client("sqs")
    parked = run.outputs["DeadLetterQueueUrl"]
    sqs.purge_queue(QueueUrl=parked)
    no_id = f"Dear colleague, please find attached {uuid4()}"
    refused = f"0102019fa36a2608-{str(uuid4())[:18]}"
    good = str(witness.send(BOTH)["MessageId"])
    for body in (no_id, refused):
        witness.pipeline.enqueue(body)
    # As SQS parks what a function has crashed on a thousand times.
    sqs.send_message(
        QueueUrl=parked,
        MessageBody=good,
        MessageGroupId=MESSAGE_GROUP,
        MessageDeduplicationId="crashed",
    )
    eventually(lambda: messages_in(run, parked) == 3)

    for _ in range(2):
        redrive(run)
        eventually(lambda: witness.is_over() and messages_in(run, parked) == 2)

    assert sorted(message["Body"] for message in read_parked(run)) == sorted([no_id, refused])
    assert (witness.asked(good), witness.asked(refused)) == (1, 1)
    assert witness.row(good)["Looks"] == 1
    assert witness.duplicates() == 0


def received_twice(deliveries: Deliveries) -> tuple[Record, Record]:
    """Receive the message at the head of the line, and again after its visibility timeout."""
    records: list[Record] = []

    def twice() -> bool:
        records.extend(filter(None, [deliveries.receive(hidden_for=1)]))
        return len(records) == 2

    eventually(twice)
    first, second = records
    assert first["messageId"] == second["messageId"]
    return first, second


def have_two_environments(deliveries: Deliveries) -> None:
    """Let two execution environments of the function wait for work, new ones both.

    Both start when there is none, so neither can take the work of the other.
    """
    run = deliveries.run
    kill(run, run.outputs["LookupFunctionName"])
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(deliveries.deliver) for _ in range(2)]:
            assert done.result()


def settled_at(run: LocalRun, message_id: str) -> datetime:
    """From when on SES knows all it will ever know of a mail."""
    (sent,) = (sent for sent in run.ses.sent() if sent.message_id == message_id)
    return sent.settled_at


def without_looks(rows: list[Row]) -> list[dict[str, Any]]:
    """Rows without the number of looks."""
    return [{name: value for name, value in row.items() if name != "Looks"} for row in rows]
