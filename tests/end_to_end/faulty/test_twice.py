"""A message that comes several times, in whatever order, has the effect of one.

That two runs of `followups` at once send nothing twice is in test_late_truth.py.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import repeat
from typing import Final
from uuid import uuid4

import pytest

from local.actors.pipeline import bodies_of
from local.stack.processes import kill
from ses_insights.contracts.names import MESSAGE_GROUP
from tests.support.deliveries import ManualDeliveries, manual_deliveries, redrive
from tests.support.deployed_stack import INSTANT, LIFE, DeployedStack, shape
from tests.support.patience import eventually

FORMS: Final = 6
"""The forms of `bodies_of`."""

BOTH: Final = "many-destinations"
"""A story with a bounce and a complaint."""

SLOW: Final = (4_000.0, 4_000.0)
"""Milliseconds that an answer of SES takes; the function gives up after five seconds."""

PROMPT: Final = (20.0, 50.0)


def test_an_id_that_comes_in_every_form_is_looked_at_once(stack: DeployedStack) -> None:
    """It is asked for once, and once more for each time it is forced; alerts are published once."""
    response = stack.send(BOTH)
    message_id = response["MessageId"]
    forms = list(bodies_of(repeat(response, FORMS)))
    again = [json.dumps({"messageId": message_id, "order": number}) for number in range(5)]
    stack.enqueue(*forms, *again, *forms)
    eventually(stack.is_done)
    once = shape(stack.rows(), without="Looks")
    assert stack.looks(message_id) == 1

    for order in range(2):
        stack.enqueue(json.dumps({"MessageId": message_id, "force": True, "order": order}))
    eventually(lambda: stack.looks(message_id) >= 3 and stack.is_done())

    assert stack.looks(message_id) == 3
    assert stack.duplicates() == 0
    assert stack.row(message_id)["Looks"] == 3
    assert shape(stack.rows(), without="Looks") == once


def test_a_message_that_is_delivered_again_is_not_looked_at_again(stack: DeployedStack) -> None:
    """Where a look is done and its message was not deleted, the second delivery costs no look."""
    with manual_deliveries(stack.run) as deliveries:
        message_id = stack.send_and_enqueue(BOTH)
        first, second = deliveries.receive_twice()
        assert deliveries.deliver(first)
        assert deliveries.deliver(second)
    eventually(stack.is_done)

    assert stack.looks(message_id) == 1
    assert stack.row(message_id)["Looks"] == 1
    assert stack.duplicates() == 0


@pytest.mark.parametrize(
    ("story", "turn"),
    [
        pytest.param("delivered-then-bounced", timedelta(days=3), id="with-old-news"),
        pytest.param(BOTH, timedelta(0), id="with-the-same-news", marks=pytest.mark.prove),
    ],
)
def test_an_answer_that_comes_after_a_newer_one_takes_nothing_away(
    stack: DeployedStack, story: str, turn: timedelta
) -> None:
    """A message is delivered again while its first look still waits for SES.

    The second look is faster. What it has stored stays, and nothing is published again, when the
    first answer arrives, which SES gave before the mail bounced.
    """

    def is_overtaken() -> bool:
        """Whether the second look was faster; a busy machine can keep it from that."""
        stack.run.ses.change(latency_ms=SLOW, speed=LIFE if turn else INSTANT)
        message_id = str(stack.send(story)["MessageId"])
        stack.run.ses.advance(timedelta(minutes=5))  # SES shows it, delivered
        with manual_deliveries(stack.run) as deliveries, ThreadPoolExecutor(1) as pool:
            have_two_environments(deliveries)
            stack.enqueue(message_id)
            early, late = deliveries.receive_twice()
            slow = pool.submit(deliveries.deliver, early)
            eventually(lambda: stack.looks(message_id) >= 1)
            stack.run.ses.advance(turn)
            stack.run.ses.change(latency_ms=PROMPT)
            is_faster = deliveries.deliver(late) and not slow.done()
            looks = stack.row(message_id).get("Looks")
            once = shape(stack.rows(message_id), without="Looks")
            is_answered = slow.result()
        eventually(stack.is_done)
        assert shape(stack.rows(message_id), without="Looks") == once
        assert stack.duplicates() == 0
        if not (is_faster and is_answered):
            return False
        assert looks == 1
        assert stack.looks(message_id) == 2
        assert stack.row(message_id)["Looks"] == 2
        return True

    eventually(is_overtaken)


@pytest.mark.prove
def test_four_looks_at_once_store_what_one_stores(stack: DeployedStack) -> None:
    """Where nothing keeps looks at the same message apart, every answer is merged and counted.

    That an alert comes once takes one look at a time, which the queue and Lambda see to; here it
    may come more often, under one id.
    """
    with manual_deliveries(stack.run) as deliveries, ThreadPoolExecutor(4) as pool:
        reference = stack.send_and_enqueue(BOTH, label="a")
        assert deliveries.deliver(deliveries.receive_twice()[1])
        once = shape(stack.rows(reference), without="Looks")

        message_id = stack.send_and_enqueue(BOTH, label="b")
        (record, _) = deliveries.receive_twice()
        list(pool.map(deliveries.deliver, repeat(record, 4)))
    eventually(stack.is_done)

    assert shape(stack.rows(message_id), without="Looks") == once
    assert stack.row(message_id)["Looks"] == stack.looks(message_id), "an answer was lost"


def test_what_is_redriven_is_parked_again_or_looked_at(stack: DeployedStack) -> None:
    """A redrive loses nothing, however often.

    What is no id is parked again, what SES has refused is not asked for again, and a good id is
    looked at.
    """
    no_id = f"Dear colleague, please find attached {uuid4()}"
    refused = f"0102019fa36a2608-{str(uuid4())[:18]}"
    good = str(stack.send(BOTH)["MessageId"])
    stack.enqueue(no_id, refused)
    # As SQS parks what a function has crashed on a thousand times.
    stack.run.session.client("sqs").send_message(
        QueueUrl=stack.run.dead_letter_queue_url,
        MessageBody=good,
        MessageGroupId=MESSAGE_GROUP,
        MessageDeduplicationId="crashed",
    )
    eventually(lambda: stack.parked() == 3)

    for _ in range(2):
        redrive(stack.run)
        eventually(lambda: stack.is_done() and stack.parked() == 2)

    assert stack.parked_bodies() == sorted([no_id, refused])
    assert (stack.looks(good), stack.looks(refused)) == (1, 1)
    assert stack.row(good)["Looks"] == 1
    assert stack.duplicates() == 0


def have_two_environments(deliveries: ManualDeliveries) -> None:
    """Start two new execution environments of the function, which wait for work.

    Both start when there is none, so neither can take the work of the other.
    """
    kill(deliveries.run, deliveries.run.lookup_function)
    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(deliveries.deliver) for _ in range(2)]:
            assert done.result()
