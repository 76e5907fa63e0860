"""The work of the demo and of the end-to-end tests: a mail for every story, and other bodies."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from local.pipeline import Pipeline, bodies_of
from local.run import LocalRun
from local.ses.stories import STORIES, UNTOLD, Expectation

SPEED: Final = 14_400.0
"""Four hours of a story pass in a second, and the 30 days that SES remembers in three minutes."""

FIRST_LOOK_DELAY: Final = 6
"""Seconds an id waits in the queue. The stories that take days are last in the line, so all have
come to their end when they are looked at."""

LEFT_OUT: Final = frozenset({"huge", "huge-engagement"})
"""Stories for the tests: thousands of events say nothing to a person who watches."""

NOT_YET: Final = "late"
"""Sent at the speed of life, so that SES does not show it yet when it is looked at."""

NO_IDS: Final = ("Dear colleague, please find attached", '{"order": 4711}', "../../etc/passwd")
"""Bodies that hold no id at all: parked without a call to SES."""


@dataclass(slots=True)
class Work:
    """What was enqueued, and what must become of it."""

    expected: dict[str, Expectation] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    """What a person calls each message id."""
    enqueued: int = 0

    @property
    def looks_due(self) -> int:
        """How many looks it takes: one for each id, none for what holds no id."""
        return len(self.expected)

    @property
    def parked_due(self) -> int:
        """How many messages must end in the dead-letter queue."""
        invalid = sum(expectation.status == "INVALID" for expectation in self.expected.values())
        return invalid + len(NO_IDS)


def enqueue_all(run: LocalRun) -> Work:
    """Send a mail for every story and enqueue all that a queue meets."""
    work = Work()
    sqs = run.session.client("sqs")
    pipeline = Pipeline(ses=run.ses_client(), sqs=sqs, queue_url=run.outputs["QueueUrl"])
    run.ses.change(speed=SPEED)
    responses = [
        pipeline.send(story)
        for story in sorted(STORIES.values(), key=lambda story: story.settled_after)
        if story.name not in {*LEFT_OUT, NOT_YET}
    ]
    run.ses.change(speed=1.0)
    responses.append(pipeline.send(STORIES[NOT_YET]))
    for sent in run.ses.sent():
        work.expected[sent.message_id] = sent.expected
        work.labels[sent.message_id] = sent.story
    not_yet = responses[-1]["MessageId"]
    work.expected[not_yet] = replace(work.expected[not_yet], status="NOT_FOUND", alerts=())
    work.labels[not_yet] = "not there yet"
    for message_id, expectation in UNTOLD.items():
        work.expected[message_id] = expectation
        work.labels[message_id] = "never sent"
    bodies = [*bodies_of(iter(responses)), *UNTOLD, *NO_IDS, responses[0]["MessageId"]]
    for body in bodies:
        pipeline.enqueue(body)
    work.enqueued = len(bodies)
    return work
