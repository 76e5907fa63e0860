"""Keeps the queue full: mails of all stories, their ids in every form, and other bodies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from local.actors.pipeline import Pipeline, bodies_of
from local.scenario import HUGE
from local.ses_stand_in.stories import STORIES, Expectation, Story
from local.stack.observe import messages_in
from local.stack.run import LocalRun

TWICE: Final = 10
"""Of the ids every tenth comes twice, and something that is no id of SES's follows it."""

WITH_HUGE: Final = 5
"""Of the rounds every fifth has the huge stories: to store one takes as long as several looks."""

SOON: Final = 1.0
"""Seconds after which a story is over, unless it is late: long before its turn in the queue."""


def speed_of(story: Story, seconds: float) -> float:
    """The speed at which a story is over after so many seconds."""
    return (story.settled_after.total_seconds() or 1.0) / seconds


@dataclass(slots=True)
class Feed:
    """Sends mail and enqueues ids so that a backlog stays."""

    run: LocalRun
    late: float | None
    """Seconds after which every third story ends; None: all end soon."""
    backlog: int
    """Messages that wait in the queue, about."""
    expected: dict[str, Expectation] = field(default_factory=dict)
    """What must become of each id that was enqueued, once its story is over."""
    parked_expected: int = 0
    _ready: list[str] = field(default_factory=list)
    """Bodies to be enqueued at the next step: their stories are over by then, but for late ones."""
    _newest: str = ""
    _pipeline: Pipeline = field(init=False)
    _bodies: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is sent before the first step."""
        self._pipeline = Pipeline.of(self.run)
        self._bodies = self._all_bodies()

    def step(self) -> None:
        """Enqueue what is ready, and send as much as is missing from the backlog."""
        for body in self._ready:
            self._pipeline.enqueue(body)
        missing = self.backlog - messages_in(self.run, self.run.queue_url)
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
        """Write a body that holds no id, then an id that SES refuses or does not know."""
        self.parked_expected += 1
        yield f"Dear colleague, please find attached letter number {number}"
        if number % (2 * TWICE):
            unknown = f"0102019fa36a2608-00000000-0000-4000-8000-{number:012x}-000000"
            self.expected[unknown] = Expectation("NOT_FOUND")
            yield unknown
        else:
            refused = f"not-an-id-of-ses-{number}"
            self.expected[refused] = Expectation("INVALID")
            self.parked_expected += 1
            yield refused

    def _responses(self) -> Iterator[dict[str, Any]]:
        """Send mail after mail, every third one with a story that ends late."""
        for number, story in enumerate(_stories()):
            seconds = SOON if number % 3 or self.late is None else self.late
            self.run.ses.change(speed=speed_of(story, seconds))
            response = self._pipeline.send(story, label=str(number))
            self._newest = response["MessageId"]
            self.expected[self._newest] = story.expected
            yield response


def _stories() -> Iterator[Story]:
    """Give every story, round by round."""
    in_order = sorted(STORIES.values(), key=lambda story: story.settled_after)
    for number in count():
        huge = number % WITH_HUGE == 0
        yield from (story for story in in_order if huge or story.name not in HUGE)
