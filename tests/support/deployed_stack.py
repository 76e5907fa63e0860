"""The harness of the end-to-end tests: the mail of one test on a deployed stack."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from local.actors.pipeline import Pipeline
from local.actors.subscriber import Received, Subscriber
from local.expectations import differences
from local.ses_stand_in.pace import Call
from local.ses_stand_in.stories import STORIES, Expectation
from local.stack.observe import Row, message_row, messages_in, read_parked, scan
from local.stack.run import LocalRun
from ses_insights.contracts.names import Lane
from ses_insights.contracts.rows import ALERT
from ses_insights.domain.times import instant, iso
from tests.support.patience import eventually

INSTANT: Final = 1e9
"""The speed of stories in these tests: all of a story has happened when SES takes the mail.

So no look can come too early for it, however busy the machine is. What must happen later happens
when a test lets time pass in the stories (`run.ses.advance`) and in the rows (`make_due`).
"""

LIFE: Final = 1.0
"""The speed of stories that a test moves by hand: hours, for which no test lasts."""

_OWN = re.compile(
    r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d\.\d{3}Z| at \d\d:\d\d UTC)"
    r"|\+\w+(?=[.\d]*@stories\.example)"
)
"""What a mail has of its own: times, and the label of its address."""


@dataclass(slots=True)
class DeployedStack:
    """Sends and enqueues the mail of one test, and shows what becomes of that mail alone."""

    run: LocalRun
    pipeline: Pipeline
    subscriber: Subscriber
    expected: dict[str, Expectation] = field(default_factory=dict)
    addressed: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How many mails of each story and label were sent."""

    def heal(self) -> None:
        """Switch all faults off."""
        if self.run.proxy_url is not None:
            self.run.faults.heal()
        self.run.ses.change(vdm=True, faults=())

    def send(self, story: str, **options: str) -> dict[str, Any]:
        """Send a mail, with the options of `Pipeline.send`; returns SES's response.

        Each goes to an address of its own: SES does not attempt one that has bounced before.
        """
        label = options.pop("label", "")
        before = self.addressed[story, label]
        self.addressed[story, label] += 1
        own = f"{label}{before}" if before else label
        response = self.pipeline.send(STORIES[story], label=own, **options)
        self.expected[response["MessageId"]] = STORIES[story].expected
        return response

    def enqueue(self, *bodies: str) -> None:
        """Put bodies into the queue."""
        for body in bodies:
            self.pipeline.enqueue(body)

    def send_and_enqueue(self, story: str, *, label: str = "") -> str:
        """Send a mail, enqueue its id, and return it."""
        message_id = str(self.send(story, label=label)["MessageId"])
        self.enqueue(message_id)
        return message_id

    def rows(self, message_id: str | None = None) -> list[Row]:
        """All rows of a mail, or of all mails of the test."""
        wanted = self.expected if message_id is None else {message_id}
        return [row for row in scan(self.run) if row["MessageId"] in wanted]

    def row(self, message_id: str) -> Row:
        """The mail's own row; empty where there is none yet."""
        return message_row(self.run, message_id) or {}

    def alert_rows(self, message_id: str) -> list[Row]:
        """The rows of a mail's alerts."""
        return [row for row in self.rows(message_id) if row["Record"].startswith(ALERT)]

    def make_due(self, row: Row, *, ago: timedelta = timedelta(minutes=1)) -> None:
        """Move the times of a row back so that what it waits for has been due for so long.

        A row that waits no longer stays as it is: what SES lists can bring a look in between.
        """
        by = instant(row["NextLookAt"]) - (datetime.now(UTC) - ago)
        times = ("SentAt", "FirstLookAt", "LastLookAt", "NextLookAt")
        moved = {name: iso(instant(row[name]) - by) for name in times if name in row}
        table = self.run.session.resource("dynamodb").Table(self.run.table_name)
        with suppress(table.meta.client.exceptions.ConditionalCheckFailedException):
            table.update_item(
                Key={"MessageId": row["MessageId"], "Record": row["Record"]},
                UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in moved),
                ConditionExpression="attribute_exists(NextLookAt)",
                ExpressionAttributeValues={f":{name}": value for name, value in moved.items()},
            )

    def make_pending(self, message_id: str, *, ago: timedelta) -> None:
        """Leave the alerts of a mail as a look does that stored and did not publish them."""
        table = self.run.session.resource("dynamodb").Table(self.run.table_name)
        for row in self.alert_rows(message_id):
            published = {"PublishedAt", "SnsMessageId"}
            pending = {name: value for name, value in row.items() if name not in published}
            then = iso(datetime.now(UTC) - ago)
            table.put_item(Item={**pending, "DueLane": Lane.ALERT, "NextLookAt": then})

    def alerts(self) -> list[Received]:
        """The alerts that a subscriber has received about the mails of the test, with repeats."""
        self.subscriber.read()
        received = self.subscriber.received
        return [alert for alert in received if alert.body.get("messageId") in self.expected]

    def duplicates(self) -> int:
        """How many alerts came more than once, counted by their ids."""
        ids = Counter(alert.body["alertId"] for alert in self.alerts())
        return ids.total() - len(ids)

    def differences(self) -> list[str]:
        """Where table or subscriber differ from the stories; an alert may come more than once."""
        once = {alert.body["alertId"]: alert for alert in self.alerts()}
        return differences(self.expected, self.rows(), list(once.values()))

    def is_done(self) -> bool:
        """Whether all is stored and published, and nothing is left in the queue."""
        return self.waiting() == 0 and self.differences() == []

    def waiting(self) -> int:
        """How many messages the queue holds."""
        return messages_in(self.run, self.run.queue_url)

    def is_looked_at(self, *message_ids: str) -> bool:
        """Whether all of these have a row, and nothing is left in the queue."""
        return self.waiting() == 0 and all(map(self.row, message_ids))

    def parked(self) -> int:
        """How many messages the dead-letter queue holds."""
        return messages_in(self.run, self.run.dead_letter_queue_url)

    def parked_bodies(self) -> list[str]:
        """The bodies in the dead-letter queue, sorted."""
        return sorted(str(message["Body"]) for message in read_parked(self.run))

    def calls(self, message_id: str | None = None) -> list[Call]:
        """The calls to SES about a mail, or about all, in order."""
        calls = self.run.ses.calls()
        return [call for call in calls if message_id in {None, call.message_id}]

    def looks(self, message_id: str | None = None) -> int:
        """How many calls SES has counted."""
        return sum(call.accepted for call in self.calls(message_id))

    def came_too_early(self, message_id: str) -> bool:
        """Whether SES refused a call about this mail because of the pace."""
        return any(not call.accepted and call.fault is None for call in self.calls(message_id))

    def kinds_of_failure(self) -> set[str]:
        """The kinds of failure that lookup has logged about the mails of the test."""
        return {
            str(record["kind"])
            for record in self.run.log_records(self.run.lookup_function)
            if record.get("message") == "system failure"
            and record.get("message_id") in self.expected
        }


@contextmanager
def deployed_stack(run: LocalRun) -> Iterator[DeployedStack]:
    """The stack for one test: SES without mail, faults or calls, both queues empty.

    After the test nothing fails any more, and nothing is on its way.
    """
    topic = run.alert_topic_arn
    subscriber = Subscriber.subscribe(run.session, topic, name="deployed-stack")
    stack = DeployedStack(run, Pipeline.of(run), subscriber)
    run.ses.reset()
    run.ses.change(speed=INSTANT)
    run.session.client("sqs").purge_queue(QueueUrl=run.dead_letter_queue_url)
    yield stack
    stack.heal()
    eventually(lambda: stack.waiting() == 0)


def shape(rows: list[Row], *, without: str = "") -> list[Row]:
    """Rows without what differs from mail to mail: ids, times, labels, how many came before.

    Those of alerts go by content.
    """
    shapes = [_shape(row) for row in rows]
    kept = [{name: row[name] for name in row if name != without} for row in shapes]
    return sorted(kept, key=repr)


def _shape(row: Row) -> dict[str, Any]:
    ids = {"MessageId", "SnsMessageId", "AlertIds", "ExpiresAt"}
    kept = {
        name: "…" if name in ids else _common(value)
        for name, value in row.items()
        if name != "Grouping"
    }
    return kept | {"Record": row["Record"].partition("#")[0]}


def _common(value: Any) -> Any:
    if isinstance(value, str):
        return _OWN.sub("…", value)
    if isinstance(value, Mapping):
        return {name: _common(inner) for name, inner in sorted(value.items())}
    if isinstance(value, list):
        return [_common(inner) for inner in value]
    return value
