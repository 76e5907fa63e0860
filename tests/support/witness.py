"""Sends mail into a running stack and holds what comes of it against what must."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from local.actors.pipeline import Pipeline
from local.actors.subscriber import Received, Subscriber
from local.expectations import differences
from local.ses_stand_in.stories import STORIES, Expectation
from local.stack.observe import messages_in, scan
from local.stack.run import LocalRun

FAST = 36_000.0
"""Ten hours of a story pass in a second; SES forgets a mail after 72 seconds."""

Row = Mapping[str, Any]

_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d\.\d{3}Z| at \d\d:\d\d UTC)")


@dataclass(slots=True)
class Witness:
    """Knows the mails of one test; others may use the same stack."""

    run: LocalRun
    subscriber: Subscriber
    pipeline: Pipeline
    expected: dict[str, Expectation] = field(default_factory=dict)

    @classmethod
    def of(cls, run: LocalRun, subscriber: Subscriber) -> Self:
        """Begin anew: SES with a clean slate and fast stories, and no fault."""
        sqs = run.session.client("sqs")
        pipeline = Pipeline(ses=run.ses_client(), sqs=sqs, queue_url=run.outputs["QueueUrl"])
        witness = cls(run, subscriber, pipeline)
        witness.mend()
        run.ses.reset()
        run.ses.change(speed=FAST)
        return witness

    def mend(self) -> None:
        """Let nothing fail any more."""
        self.run.faults.heal()
        self.run.ses.change(vdm=True, faults=())

    def send(self, story: str, *, label: str = "") -> dict[str, Any]:
        """Send a mail of which SES tells this story; returns SES's response."""
        response = self.pipeline.send(STORIES[story], label=label)
        self.expected[response["MessageId"]] = STORIES[story].expected
        return response

    def send_and_enqueue(self, story: str, *, label: str = "") -> str:
        """Send a mail, enqueue its id, and return it."""
        message_id = str(self.send(story, label=label)["MessageId"])
        self.pipeline.enqueue(message_id)
        return message_id

    def rows(self, message_id: str | None = None) -> list[Row]:
        """All rows of a mail, or of all mails of the test."""
        wanted = self.expected if message_id is None else {message_id}
        return [row for row in scan(self.run) if row["MessageId"] in wanted]

    def row(self, message_id: str) -> Row:
        """The mail's own row; empty where there is none yet."""
        return next((row for row in self.rows(message_id) if row["Record"] == "MESSAGE"), {})

    def alerts(self) -> list[Received]:
        """What the subscriber has received of the mails of the test, duplicates included."""
        self.subscriber.read()
        received = self.subscriber.received
        return [alert for alert in received if alert.body["messageId"] in self.expected]

    def duplicates(self) -> int:
        """How many alerts came more than once, counted by their ids."""
        ids = Counter(alert.body["alertId"] for alert in self.alerts())
        return ids.total() - len(ids)

    def wrong(self) -> list[str]:
        """Where table or subscriber differ from the stories; an alert may come more than once."""
        once = {alert.body["alertId"]: alert for alert in self.alerts()}
        return differences(self.expected, self.rows(), list(once.values()))

    def is_over(self) -> bool:
        """Whether all is stored and told, and nothing is left in the queue."""
        return self.waiting() == 0 and self.wrong() == []

    def waiting(self) -> int:
        """How many messages the queue holds."""
        return messages_in(self.run, self.run.outputs["QueueUrl"])

    def asked(self, message_id: str) -> int:
        """How many calls about a mail SES has counted."""
        return self.run.ses.report().looks.get(message_id, 0)

    def came_too_early(self, message_id: str) -> bool:
        """Whether SES refused a call about this mail because of the pace."""
        return any(
            call.message_id == message_id and not call.accepted and call.fault is None
            for call in self.run.ses.calls()
        )


def shape(rows: list[Row]) -> list[Row]:
    """Rows without what differs from mail to mail: ids and times. Those of alerts go by content."""
    shapes: list[dict[str, Any]] = [_shape(row) for row in rows]
    return sorted(shapes, key=repr)


def _shape(row: Row) -> dict[str, Any]:
    ids = {"MessageId", "SnsMessageId", "ExpiresAt"}
    kept = {name: "…" if name in ids else _untimed(value) for name, value in row.items()}
    return kept | {"Record": row["Record"].partition("#")[0]}


def _untimed(value: Any) -> Any:
    if isinstance(value, str):
        return _TIME.sub("…", value)
    if isinstance(value, Mapping):
        return {name: _untimed(inner) for name, inner in sorted(value.items())}
    if isinstance(value, list):
        return [_untimed(inner) for inner in value]
    return value
