"""A deployed stack with `chatNotifications`: the chat gets each alert in its own words, too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.actors.pipeline import Pipeline
from local.actors.subscriber import Subscriber
from local.ses_stand_in.stories import STORIES
from local.stack.faults.control import FaultKind, Service
from local.stack.run import LocalRun, local_stack
from tests.support.patience import eventually


@pytest.fixture(scope="module")
def chatting() -> Iterator[LocalRun]:
    """A stack of its own, as the key adds a topic; behind the fault proxy."""
    with local_stack({"chatNotifications": "true"}, through_faults=True) as run:
        run.ses.change(speed=36_000.0)
        yield run


def test_a_crash_between_the_two_topics_repeats_the_chat_alone(chatting: LocalRun) -> None:
    """The function may publish to both; the repeated notification has the id of the first."""
    outputs = chatting.outputs
    programs = Subscriber.subscribe(chatting.session, outputs["AlertTopicArn"], name="programs")
    people = Subscriber.subscribe(chatting.session, outputs["ChatTopicArn"], name="people")
    chatting.faults.fail(Service.SNS, FaultKind.ANSWER_LOST, operation="Publish", times=1)
    pipeline = Pipeline(
        ses=chatting.ses_client(),
        sqs=chatting.session.client("sqs"),
        queue_url=outputs["QueueUrl"],
    )
    pipeline.enqueue(pipeline.send(STORIES["bounce-noemail"])["MessageId"])
    pipeline.enqueue(pipeline.send(STORIES["complaint-abuse"])["MessageId"])

    def told() -> bool:
        people.read()
        programs.read()
        return len(programs.received) >= 2

    eventually(told)
    first, second = [alert.body["alertId"] for alert in programs.received]
    assert [chat.body["id"] for chat in people.received] == [first, first, second]
    assert [chat.attributes for chat in people.received[1:]] == [
        alert.attributes for alert in programs.received
    ]
    assert people.received[1].body["content"]["title"] == "Permanent bounce, severity high"
