"""What SES puts on the suppression list is alerted, on the deployed stack with IAM enforced.

Nothing is enqueued here: ids come from the list alone.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from local.actors.operator import FollowUps
from local.actors.pipeline import send_to
from local.actors.subscriber import Received
from local.ses_stand_in.settings import FaultKind, Operation
from local.ses_stand_in.stories import STORIES, address_of
from local.stack.observe import Row
from ses_insights.domain.times import iso
from tests.support.deployed_stack import DeployedStack
from tests.support.patience import eventually

LIST, LOOK_UP = Operation.LIST_SUPPRESSED_DESTINATIONS, Operation.GET_SUPPRESSED_DESTINATION
READ = "bounce-noemail", "complaint-abuse"


def listed_row(stack: DeployedStack, message_id: str) -> Row | None:
    """Where the list names a message."""
    rows = [row for row in stack.rows(message_id) if row["Record"].startswith("LISTED#")]
    return rows[0] if rows else None


def alerts_of(stack: DeployedStack, message_id: str) -> list[Received]:
    """What a subscriber has received of a message."""
    stack.subscriber.read()
    received = stack.subscriber.received
    return [alert for alert in received if alert.body.get("messageId") == message_id]


def test_what_nobody_enqueued_is_looked_at_and_alerted(
    stack: DeployedStack, followups: FollowUps
) -> None:
    """A bounce and a complaint: rows and alerts as of any other mail, once, after two runs."""
    ids = [str(stack.send(story)["MessageId"]) for story in READ]
    followups.start()
    eventually(stack.is_done)
    followups.start()
    eventually(stack.is_done)

    assert stack.differences() == []
    assert stack.duplicates() == 0
    assert [stack.looks(each) for each in ids] == [1, 1]
    for message_id, story in zip(ids, READ, strict=True):
        row = listed_row(stack, message_id)
        assert row is not None
        assert row["Destination"] == address_of(STORIES[story])
        assert "Status" not in row
        (alert,) = alerts_of(stack, message_id)
        assert alert.body["source"] == "insights"


@pytest.mark.prove
def test_a_recipient_of_several_is_alerted_from_the_list_once(
    stack: DeployedStack, followups: FollowUps
) -> None:
    """SES shows nothing of the mail at two looks, and lists one of its recipients."""
    bounces = address_of(STORIES["bounce-noemail"], "of-several")
    reads = address_of(STORIES["delivered"], "of-several")
    response = send_to(stack.pipeline.ses, [bounces, reads], subject="Your order: to two")
    message_id = str(response["MessageId"])

    followups.start()
    eventually(lambda: stack.row(message_id).get("Looks") == 1)
    first = stack.row(message_id)
    assert (first["Status"], first["DueLane"]) == ("NOT_FOUND", "listed")
    assert alerts_of(stack, message_id) == []

    pass_an_hour(stack, message_id)
    followups.start()
    eventually(lambda: stack.row(message_id)["Looks"] == 2)
    pass_an_hour(stack, message_id)
    followups.start()
    eventually(lambda: stack.row(message_id)["Looks"] == 3 and not stack.waiting())

    (alert,) = alerts_of(stack, message_id)
    assert alert.body["source"] == "suppressionList"
    assert (alert.body["alertType"], alert.body["destination"]) == ("BOUNCE", bounces)
    assert "diagnosticCode" not in alert.body["event"]["bounce"]
    assert alert.body["cause"] == (
        "SES lists the address for a bounce of this message and shows no more."
    )
    row = listed_row(stack, message_id)
    assert row is not None
    assert row["Status"] == "PERMANENT_BOUNCE"


def pass_an_hour(stack: DeployedStack, message_id: str) -> None:
    """Let the next look be due, and the listing an hour old."""
    stack.make_due(stack.row(message_id))
    row = listed_row(stack, message_id)
    assert row is not None
    ago = iso(datetime.now(UTC) - timedelta(hours=1, minutes=1))
    stack.run.session.resource("dynamodb").Table(stack.run.table_name).update_item(
        Key={"MessageId": message_id, "Record": row["Record"]},
        UpdateExpression="SET ListedAt = :ago",
        ExpressionAttributeValues={":ago": ago},
    )


def test_neither_operation_is_called_more_than_once_a_second(
    stack: DeployedStack, followups: FollowUps
) -> None:
    """SES refuses no call, however many addresses are listed."""
    for number in range(5):
        stack.send("bounce-noemail", label=f"pace{number}")
    followups.start()
    eventually(stack.is_done)
    for operation in (LIST, LOOK_UP):
        calls = stack.run.ses.calls(operation)
        assert calls
        assert [call for call in calls if not call.accepted] == []


def test_what_ses_throttles_is_lost_to_nobody(stack: DeployedStack, followups: FollowUps) -> None:
    """A run that is throttled ends quietly; the next one goes on where the last was done."""
    message_id = str(stack.send("bounce-noemail", label="throttled")["MessageId"])
    for operation in (LIST, LOOK_UP):
        run_into_a_429(stack, followups, operation)
    assert stack.row(message_id) == {}

    def is_found() -> bool:
        followups.start()
        return bool(stack.row(message_id))

    eventually(is_found)
    eventually(stack.is_done)
    assert stack.differences() == []


def run_into_a_429(stack: DeployedStack, followups: FollowUps, operation: Operation) -> None:
    """Start runs until one calls the operation: within a second of another it calls none."""
    stack.run.ses.fail(FaultKind.THROTTLED, times=1, operation=operation)

    def is_refused() -> bool:
        followups.start()
        calls = stack.run.ses.calls(operation)
        return any(call.fault is FaultKind.THROTTLED for call in calls)

    eventually(is_refused)
