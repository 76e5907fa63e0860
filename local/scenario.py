"""The work of the demo and of the end-to-end tests: a mail for every story, and other bodies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from local.actors.pipeline import Pipeline, bodies_of
from local.ses_stand_in.stories import STORIES, UNTOLD, Expectation, Story
from local.stack.run import LocalRun

SPEED: Final = 14_400.0
"""Four hours of a story pass in a second, and the 30 days that SES remembers in three minutes."""

FIRST_LOOK_DELAY: Final = 6
"""Seconds an id waits in the queue. The stories that take days are last in the line, so all have
come to their end when they are looked at."""

LOOK_AGAIN: Final = 28
"""Seconds since it was sent after which the demo looks at a mail again, once: its whole ladder."""

LATE_AFTER: Final = 20.0
"""Seconds since they were sent at which the late stories of the demo take their turn."""

LATE_TURNS: Final[Mapping[str, timedelta]] = {
    "delivered-then-bounced": timedelta(days=2, hours=4),
    "complaint-late": timedelta(days=4, hours=6),
    "late": timedelta(hours=1),
}
"""When, in the time of its story, a mail that is looked at again becomes what it ends as."""

NEVER: Final = "never"
"""The story of a mail that SES never shows, at however many looks."""

LOOK_ALIKES: Final = frozenset(
    {
        *("bounce-bare", "bounce-account-list-event", "complaint-none", "complaint-other"),
        *("undetermined", "opened-often"),
    }
)
"""Left out of the demo, so that it takes about a minute; the tests have them."""

CLOSED: Final = frozenset({"PERMANENT_BOUNCE", "COMPLAINT", "REJECTED", "RENDERING_FAILURE"})
"""Statuses that end a story at its first look."""

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
    again: list[str] = field(default_factory=list)
    """Ids that must be looked at again to be known as what they end as."""

    @property
    def looks_due(self) -> int:
        """How many looks it takes: one for each id, one more for those that end late."""
        return len(self.expected) + len(self.again)

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
    _enqueue(pipeline, responses, work)
    return work


def enqueue_with_late_ones(run: LocalRun) -> Work:
    """Send and enqueue as `enqueue_all`, in an order that leaves something to find at a later look.

    The late stories come first: they are looked at before their bounce or complaint is there, or
    before SES shows them at all. Next come those that end at their first look.
    """
    work = Work()
    sqs = run.session.client("sqs")
    pipeline = Pipeline(ses=run.ses_client(), sqs=sqs, queue_url=run.outputs["QueueUrl"])
    responses = []
    for name, turn in LATE_TURNS.items():
        run.ses.change(speed=turn.total_seconds() / LATE_AFTER)
        responses.append(pipeline.send(STORIES[name]))
    run.ses.change(speed=SPEED)
    responses.append(pipeline.send(STORIES[NEVER]))
    work.again = [str(response["MessageId"]) for response in responses]
    left_out = {*LEFT_OUT, *LOOK_ALIKES, *LATE_TURNS, NEVER}
    responses += [
        pipeline.send(story)
        for story in sorted(STORIES.values(), key=_open_ones_last)
        if story.name not in left_out
    ]
    for sent in run.ses.sent():
        work.expected[sent.message_id] = sent.expected
        work.labels[sent.message_id] = sent.story
    _enqueue(pipeline, responses, work)
    return work


def _open_ones_last(story: Story) -> tuple[bool, timedelta]:
    return story.expected.status not in CLOSED, story.settled_after


def _enqueue(pipeline: Pipeline, responses: list[dict[str, Any]], work: Work) -> None:
    """Put the ids into the queue, in every form, one twice, and bodies that hold no sent id."""
    for message_id, expectation in UNTOLD.items():
        work.expected[message_id] = expectation
        work.labels[message_id] = "never sent"
    bodies = [*bodies_of(iter(responses)), *UNTOLD, *NO_IDS, responses[0]["MessageId"]]
    for body in bodies:
        pipeline.enqueue(body)
    work.enqueued = len(bodies)
