"""The scenario of the demo: a mail for every story, bodies without an id, and when each shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from local.actors.pipeline import Pipeline, bodies_of, send_to
from local.ses_stand_in.stories import (
    LISTED_ALONE,
    MISSING,
    STORIES,
    Expectation,
    Story,
    address_of,
)
from local.stack.run import LocalRun

SPEED: Final = 14_400.0
"""Four hours of a story pass in a second."""

FIRST_LOOK_DELAY: Final = 6
"""Seconds an id waits in the queue. Stories that take days are last in the queue, so all but those
in `TURN` are over when they are looked at."""

LOOK_AGAIN: Final = 28
"""Seconds since it was sent after which a mail is looked at again."""

LAST_LOOK: Final = 600
"""The rung after that one, ten minutes after the send. The demo does not wait for it: what turns
between the two, and is published, was found on the suppression list."""

LADDER: Final = (LOOK_AGAIN, LAST_LOOK)

SLOW: Final = 100.0
"""The speed of the late stories: they begin as the others do, and turn when the demo says so."""

LATE: Final = "late"
"""A mail that SES does not show at the first look, and shows at the next one."""

LATE_COMPLAINT: Final = "complaint-late"
LATE_BOUNCE: Final = "delivered-then-bounced"

TURN: Final = (LATE, LATE_COMPLAINT, LATE_BOUNCE)
"""The mails that become what they end as after they were looked at."""

NEVER: Final = "never"
"""The story of a mail that SES does not show at any look."""

BOUNCED: Final = "bounce-noemail"
"""The story that the demo tells from its beginning to its end."""

SEVERAL: Final = "several recipients"
"""What the demo calls a mail to three people, of whom one does not exist."""

LOOK_ALIKES: Final = frozenset(
    {
        *("bounce-bare", "bounce-account-list-event", "complaint-none", "complaint-other"),
        *("undetermined", "opened-often", "simulator", "several-recipients"),
    }
)
"""Left out of the demo, so that it takes less than two minutes; the tests have them."""

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
    ids: dict[str, str] = field(default_factory=dict)
    """The message id of each mail, by its story."""
    enqueued_at: dict[str, datetime] = field(default_factory=dict)
    """By message id."""

    @property
    def parked_expected(self) -> int:
        """How many messages must end in the dead-letter queue."""
        invalid = sum(expectation.status == "INVALID" for expectation in self.expected.values())
        return invalid + len(NO_IDS)

    @property
    def alerts_expected(self) -> int:
        """How many alerts must be published."""
        return sum(len(expectation.alerts) for expectation in self.expected.values())

    def enqueue(self, run: LocalRun, responses: Iterable[Mapping[str, Any]]) -> None:
        """Enqueue the ids of all mail in every form, one twice, and bodies without such an id."""
        for sent in run.ses.sent():
            several = len(sent.recipients) > 1
            self.expected[sent.message_id] = LISTED_ALONE if several else sent.expected
            self.ids[SEVERAL if several else sent.story] = sent.message_id
        self.expected |= MISSING
        first, *others = responses
        pipeline = Pipeline.of(run)
        mails = [first, *others]
        for response, body in zip(mails, bodies_of(iter(mails)), strict=True):
            pipeline.enqueue(body)
            self.enqueued_at[response["MessageId"]] = datetime.now(UTC)
        for body in [*MISSING, *NO_IDS, first["MessageId"]]:
            pipeline.enqueue(body)


def play(run: LocalRun) -> Scenario:
    """Send and enqueue everything, in an order that leaves something to find at a later look.

    The late stories come first: they are looked at before their bounce or complaint is there, or
    before SES shows them at all. Next come those that end at their first look.
    """
    pipeline, responses = Pipeline.of(run), []
    run.ses.change(speed=SLOW)
    responses += [pipeline.send(STORIES[name]) for name in TURN]
    run.ses.change(speed=SPEED)
    responses.append(pipeline.send(STORIES[NEVER]))
    several = ("delivered", BOUNCED, "opened")
    addresses = [address_of(STORIES[name], "team") for name in several]
    responses.append(send_to(pipeline.ses, addresses, subject="Minutes of the meeting"))
    left_out = {*HUGE, *LOOK_ALIKES, *TURN, NEVER}
    responses += [
        pipeline.send(story)
        for story in sorted(STORIES.values(), key=_open_ones_last)
        if story.name not in left_out
    ]
    scenario = Scenario()
    scenario.enqueue(run, responses)
    return scenario


def _open_ones_last(story: Story) -> tuple[bool, timedelta]:
    is_closed = story.expected.status in CLOSED and story.name not in OPEN_REPORTS
    return not is_closed, story.settled_after
