"""What keeps the line full: mails of all stories, their ids in every form, and what else comes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from local.actors.pipeline import Pipeline, bodies_of
from local.scenario import LEFT_OUT
from local.ses_stand_in.stories import RETENTION, STORIES, Expectation, Story
from local.stack.observe import messages_in
from local.stack.run import LocalRun

TWICE: Final = 10
"""Of the ids every tenth comes twice, and something that is no id of SES's follows it."""

HUGE: Final = 5
"""Of the rounds every fifth has the stories that are huge: to store one takes as long as several
looks."""

SOON: Final = 1.0
"""Seconds after which a story has ended, where it may: long before its turn in the line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How fast stories pass."""

    kept: float
    """Seconds for which SES knows a mail at least: longer than any wait for a look."""
    late: float | None = None
    """Seconds after which the stories end that are to end late; None: none is."""

    def speed(self, story: Story, *, is_late: bool) -> float:
        """Tell how much faster than in life a story passes."""
        ends_after = story.settled_after.total_seconds() or 1.0
        seconds = self.late if is_late and self.late else SOON
        return min(ends_after / seconds, RETENTION.total_seconds() / self.kept)


@dataclass(slots=True)
class Feed:
    """Sends mail and enqueues ids so that a backlog stays."""

    run: LocalRun
    timing: Timing
    backlog: int
    """Messages that wait in the queue, about."""
    expected: dict[str, Expectation] = field(default_factory=dict)
    """What must become of each id that was enqueued; of the mails', once their stories ended."""
    parked_due: int = 0
    _ready: list[str] = field(default_factory=list)
    """Bodies to be enqueued at the next step: their stories have ended by then, where they may."""
    _newest: str = ""
    _pipeline: Pipeline = field(init=False)
    _bodies: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is sent before the first step."""
        self._pipeline = Pipeline(
            ses=self.run.ses_client(),
            sqs=self.run.session.client("sqs"),
            queue_url=self.run.outputs["QueueUrl"],
        )
        self._bodies = self._all_bodies()

    def step(self) -> None:
        """Enqueue what is ready, and send as much as is missing from the backlog."""
        for body in self._ready:
            self._pipeline.enqueue(body)
        missing = self.backlog - messages_in(self.run, self.run.outputs["QueueUrl"])
        self._ready = [next(self._bodies) for _ in range(missing)]

    def last_step(self) -> None:
        """Enqueue what is ready; no more is sent."""
        for body in self._ready:
            self._pipeline.enqueue(body)

    def _all_bodies(self) -> Iterator[str]:
        """Write bodies without end; each is sent when it is asked for."""
        for number, body in enumerate(bodies_of(self._responses()), start=1):
            yield body
            if number % TWICE == 0:
                yield f"<{self._newest}@email.amazonses.com>"
                yield from self._others(number)

    def _others(self, number: int) -> Iterator[str]:
        """Write a body that holds no id, and, by turns, an id that SES refuses or does not know."""
        self.parked_due += 1
        yield f"Dear colleague, please find attached letter number {number}"
        if number % (2 * TWICE):
            unknown = f"0102019fa36a2608-00000000-0000-4000-8000-{number:012x}-000000"
            self.expected[unknown] = Expectation("NOT_FOUND")
            yield unknown
        else:
            refused = f"not-an-id-of-ses-{number}"
            self.expected[refused] = Expectation("INVALID")
            self.parked_due += 1
            yield refused

    def _responses(self) -> Iterator[dict[str, Any]]:
        """Send mail after mail, every third one with a story that ends late."""
        for number, story in enumerate(_stories()):
            self.run.ses.change(speed=self.timing.speed(story, is_late=number % 3 == 0))
            response = self._pipeline.send(story, label=str(number))
            self._newest = response["MessageId"]
            self.expected[self._newest] = story.expected
            yield response


def _stories() -> Iterator[Story]:
    """Give every story, round by round."""
    in_order = sorted(STORIES.values(), key=lambda story: story.settled_after)
    for number in count():
        huge = number % HUGE == 0
        yield from (story for story in in_order if huge or story.name not in LEFT_OUT)
