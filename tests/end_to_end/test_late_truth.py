"""What comes late is found by a later look, on the deployed stack with IAM enforced.

Time passes by hand, in the stories and in the rows: no look comes too early or too late.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Final

from local.actors.operator import FollowUps
from local.stack.observe import Row
from ses_insights.adapters.records import RecordTable
from ses_insights.domain.record import Rules
from ses_insights.domain.schedule import DEFAULT_RUNGS, Ladder
from ses_insights.service.backfill import Bulk
from ses_insights.service.pending_alerts import STALE_AFTER
from tests.support.deployed_stack import LIFE, DeployedStack
from tests.support.patience import eventually

LATE_STORIES: Final = ("delivered-then-bounced", "complaint-late", "late", "never")

RUNGS: Final = len(DEFAULT_RUNGS)
"""How many later looks there are at most. None is overdue for long: one that is a day late is given
up."""


def test_what_comes_late_is_found_and_published_once(
    stack: DeployedStack, followups: FollowUps
) -> None:
    """The first look cannot know it, a later one finds it, and no further one publishes it again.

    An id that SES does not know at any look ends with its explanation.
    """
    stack.run.ses.change(speed=LIFE)
    ids = {story: str(stack.send(story)["MessageId"]) for story in LATE_STORIES}
    stack.run.ses.advance(timedelta(minutes=5))
    stack.enqueue(*ids.values())
    eventually(lambda: stack.is_looked_at(*ids.values()))
    first = {story: stack.row(each) for story, each in ids.items()}
    assert {story: (row["Status"], int(row["Looks"])) for story, row in first.items()} == {
        "delivered-then-bounced": ("DELIVERED", 1),
        "complaint-late": ("DELIVERED", 1),
        "late": ("NOT_FOUND", 1),
        "never": ("NOT_FOUND", 1),
    }

    stack.run.ses.advance(timedelta(days=5))
    for _ in range(RUNGS):
        look_again(stack, followups, *ids.values())

    assert stack.differences() == []
    assert stack.duplicates() == 0
    last = {story: stack.row(each) for story, each in ids.items()}
    assert all("Final" in row for row in last.values())
    assert sum(int(row["Looks"]) for row in last.values()) == stack.looks()
    assert all(row["Looks"] > 1 for row in last.values())
    assert not any({"NextLookAt", "DueLane"} & row.keys() for row in last.values())
    assert last["never"]["Final"].startswith("SES does not know this message: 5 looks since ")
    assert "Likely causes: " in last["never"]["Final"]


def look_again(stack: DeployedStack, followups: FollowUps, *message_ids: str) -> None:
    """Let the next look of each id be overdue, and start a run that takes it."""
    rows = [row for row in map(stack.row, message_ids) if "NextLookAt" in row]
    for row in rows:
        stack.make_due(row)
    followups.start()

    def is_done(row: Row) -> bool:
        now = stack.row(row["MessageId"])
        return now["Looks"] > row["Looks"] or "Final" in now

    eventually(lambda: all(map(is_done, rows)))


def test_two_runs_at_once_send_nothing_twice(stack: DeployedStack, followups: FollowUps) -> None:
    """Four runs that start together look at each message once."""
    ids = [stack.send_and_enqueue("never", label=str(number)) for number in range(4)]
    eventually(lambda: stack.is_looked_at(*ids))
    for message_id in ids:
        stack.make_due(stack.row(message_id))
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(followups.start) for _ in range(4)]:
            done.result()
    eventually(lambda: all(stack.row(each)["Looks"] >= 2 for each in ids) and not stack.waiting())

    assert [stack.row(each)["Looks"] for each in ids] == [2] * 4
    assert [stack.looks(each) for each in ids] == [2] * 4


def test_an_alert_left_pending_is_published(stack: DeployedStack, followups: FollowUps) -> None:
    """Where a look died between storing and publishing, followups publishes the alert, once."""
    message_id = stack.send_and_enqueue("bounce-noemail")
    eventually(stack.is_done)
    (published,) = stack.alert_rows(message_id)
    assert "DueLane" not in published
    stack.make_pending(message_id, ago=STALE_AFTER + timedelta(minutes=1))

    followups.start()
    followups.start()

    eventually(lambda: len(stack.alerts()) >= 2 and stack.is_done())
    assert len({alert.body["alertId"] for alert in stack.alerts()}) == 1
    assert len(stack.alerts()) == 2, "the look's, and one of followups"


def test_ids_put_in_bulk_are_looked_at(stack: DeployedStack, followups: FollowUps) -> None:
    """Ids that were put straight into the table are looked at and alerted on."""
    ids = [stack.send("bounce-noemail", label=str(number))["MessageId"] for number in range(3)]
    records = RecordTable(stack.run.session.client("dynamodb"), stack.run.table_name)
    bulk = Bulk(
        records,
        Rules(Ladder(), timedelta(days=90)),
        stack.run.session.region_name,
        lambda: datetime.now(UTC),
    )
    assert list(bulk.put(ids)) == [(each, True) for each in ids]
    assert list(bulk.put(ids)) == [(each, False) for each in ids]

    def is_served() -> bool:
        followups.start()
        return stack.is_done()

    eventually(is_served)
    assert all("Final" in stack.row(each) for each in ids)
    assert stack.duplicates() == 0


def test_the_schedule_starts_runs(followups: FollowUps) -> None:
    """EventBridge Scheduler starts the function by itself, through its own role."""
    assert followups.schedule() == ("rate(1 minute)", "ENABLED")
    eventually(lambda: followups.by_schedule() > 0)
