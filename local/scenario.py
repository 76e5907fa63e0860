"""The scenario of the demo: a mail for every story, bodies without an id, and when each shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from local.actors.pipeline import Pipeline, bodies_of
from local.ses_stand_in.stories import MISSING, STORIES, Expectation, Story
from local.stack.run import LocalRun

SPEED: Final = 14_400.0
"""Four hours of a story pass in a second."""

FIRST_LOOK_DELAY: Final = 6
"""Seconds an id waits in the queue. Stories that take days are last in the queue, so all but the
late ones are over when they are looked at."""

LOOK_AGAIN: Final = 28
"""Seconds since it was sent after which the demo looks at a mail again, once: its whole ladder."""

LATE_AFTER: Final = 20.0
"""Seconds since they were sent at which the late stories turn."""

LATE_TURNS: Final[Mapping[str, timedelta]] = {
    "delivered-then-bounced": timedelta(days=2, hours=4),
    "complaint-late": timedelta(days=4, hours=6),
    "late": timedelta(hours=1),
}
"""When, in the time of its story, a mail that is looked at again becomes what it ends as."""

NEVER: Final = "never"
"""The story of a mail that SES does not show at any look."""

LOOK_ALIKES: Final = frozenset(
    {
        *("bounce-bare", "bounce-account-list-event", "complaint-none", "complaint-other"),
        *("undetermined", "opened-often"),
    }
)
"""Left out of the demo, so that it takes about a minute; the tests have them."""

OPEN_REPORTS: Final = frozenset(
    {"complaint-auth-failure", "complaint-not-spam", "complaint-account-list"}
)
"""Stories whose status is COMPLAINT although no person has complained: one still can."""

CLOSED: Final = frozenset({"PERMANENT_BOUNCE", "COMPLAINT", "REJECTED", "RENDERING_FAILURE"})
"""Statuses that end a story at its first look."""

HUGE: Final = frozenset({"huge", "huge-engagement"})
"""Stories of thousands of events: they say nothing to a person who watches."""

NO_IDS: Final = ("Dear colleague, please find attached", '{"order": 4711}', "../../etc/passwd")
"""Bodies that hold no id at all: parked without a call to SES."""


@dataclass(slots=True)
class Scenario:
    """What was enqueued, and what must become of it."""

    expected: dict[str, Expectation] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    """What a person calls each message id."""
    enqueued: int = 0
    again: list[str] = field(default_factory=list)
    """Ids that show what they end as only at a later look."""

    @property
    def looks_expected(self) -> int:
        """One look for each id, one more for those that end late."""
        return len(self.expected) + len(self.again)

    @property
    def parked_expected(self) -> int:
        """How many messages must end in the dead-letter queue."""
        invalid = sum(expectation.status == "INVALID" for expectation in self.expected.values())
        return invalid + len(NO_IDS)

    def enqueue(self, run: LocalRun, responses: Iterable[Mapping[str, Any]]) -> None:
        """Enqueue the ids of all mail in every form, one twice, and bodies without such an id."""
        for sent in run.ses.sent():
            self.expected[sent.message_id] = sent.expected
            self.labels[sent.message_id] = sent.story
        for message_id, expectation in MISSING.items():
            self.expected[message_id] = expectation
            self.labels[message_id] = "not sent"
        first, *others = responses
        bodies = [*bodies_of(iter([first, *others])), *MISSING, *NO_IDS, first["MessageId"]]
        pipeline = Pipeline.of(run)
        for body in bodies:
            pipeline.enqueue(body)
        self.enqueued = len(bodies)


def play(run: LocalRun) -> Scenario:
    """Send and enqueue everything, in an order that leaves something to find at a later look.

    The late stories come first: they are looked at before their bounce or complaint is there, or
    before SES shows them at all. Next come those that end at their first look.
    """
    pipeline, responses = Pipeline.of(run), []
    for name, turn in LATE_TURNS.items():
        run.ses.change(speed=turn.total_seconds() / LATE_AFTER)
        responses.append(pipeline.send(STORIES[name]))
    run.ses.change(speed=SPEED)
    responses.append(pipeline.send(STORIES[NEVER]))
    scenario = Scenario(again=[str(response["MessageId"]) for response in responses])
    left_out = {*HUGE, *LOOK_ALIKES, *LATE_TURNS, NEVER}
    responses += [
        pipeline.send(story)
        for story in sorted(STORIES.values(), key=_open_ones_last)
        if story.name not in left_out
    ]
    scenario.enqueue(run, responses)
    return scenario


def _open_ones_last(story: Story) -> tuple[bool, timedelta]:
    is_closed = story.expected.status in CLOSED and story.name not in OPEN_REPORTS
    return not is_closed, story.settled_after
