"""The deployed stack, with real clients and IAM enforced, against the stories of the mails."""

from __future__ import annotations

import json
from typing import Final

import pytest

from local.actors.pipeline import bodies_of
from local.scenario import HUGE, NO_IDS
from local.ses_stand_in.pace import HELD_UP
from local.ses_stand_in.settings import FaultKind
from local.ses_stand_in.stories import MISSING, STORIES, Expectation
from local.stack.observe import read_parked
from tests.support.alert_schema import faults_of
from tests.support.deployed_stack import LIFE, DeployedStack
from tests.support.patience import eventually

NOT_YET: Final = "late"
"""The story of a mail that SES does not show yet."""


def test_every_story_ends_as_written(stack: DeployedStack) -> None:
    """Each id is stored with its status, alerted on once as expected, or parked, at the pace."""
    # What SES lists may bring one more look: a machine's report is no complaint of a person.
    stack.run.ses.change(suppressed_reasons=())
    responses = [stack.send(story) for story in STORIES if story not in {*HUGE, NOT_YET}]
    stack.run.ses.change(speed=LIFE)
    responses.append(stack.send(NOT_YET))
    stack.expected[responses[-1]["MessageId"]] = Expectation("NOT_FOUND")
    stack.expected |= MISSING
    invalid = [each for each, expected in MISSING.items() if expected.status == "INVALID"]
    stack.enqueue(*bodies_of(iter(responses)), *MISSING, *NO_IDS, responses[0]["MessageId"])

    eventually(lambda: stack.is_done() and stack.parked() >= len(NO_IDS) + len(invalid))

    assert stack.duplicates() == 0
    assert [fault for alert in stack.alerts() for fault in faults_of(alert.body)] == []
    assert stack.parked() == len(NO_IDS) + len(invalid)
    report = stack.run.ses.report()
    assert report.looks == dict.fromkeys(stack.expected, 1)
    # How many requests came too early depends on how busy the machine is: see the tests of the pace
    # in virtual time (tests/local/ses_stand_in), and `make bench`.
    assert (report.closest or 0) >= 1 - HELD_UP


def test_bad_bodies_are_parked_as_they_came(stack: DeployedStack) -> None:
    """A body without an id costs no look, keeps its bytes, and holds up no other message."""
    bodies = ["not an id", "\u202eid\n", " \t", "x" * 256 * 1024, '{"MessageId": "../../other"}']
    stack.enqueue(*bodies)
    after = stack.send_and_enqueue("delivered")

    eventually(lambda: stack.is_looked_at(after))

    parked = read_parked(stack.run)
    assert sorted(message["Body"] for message in parked) == sorted(bodies)
    for message in parked:
        assert {"Reason", "ParkedAt"} == message["MessageAttributes"].keys()
    assert stack.looks() == 1


def test_a_malformed_id_is_parked_after_one_look(stack: DeployedStack) -> None:
    """What SES refuses with 400 is recorded as INVALID, parked, and not asked for again."""
    malformed = "0102019fa36a2608-6c9654bb-dc58-4957-8829"
    assert malformed not in MISSING
    stack.enqueue(malformed, f"<{malformed}@email.amazonses.com>")

    eventually(lambda: stack.parked() >= 2)

    assert stack.row(malformed)["Status"] == "INVALID"
    assert "Final" in stack.row(malformed)
    assert stack.looks() == 1


def test_vdm_off_keeps_ids_waiting_and_loses_nothing(stack: DeployedStack) -> None:
    """While VDM is off the first message stays first; once it is on, all are looked at in order."""
    stack.run.ses.change(vdm=False)
    ids = [stack.send_and_enqueue("delivered", label=str(number)) for number in range(2)]
    eventually(lambda: stack.looks() >= 2)
    assert {call.message_id for call in stack.calls()} == {ids[0]}
    assert [stack.row(message_id) for message_id in ids] == [{}, {}]

    stack.run.ses.change(vdm=True)
    eventually(lambda: stack.is_looked_at(*ids))

    rows = [stack.row(message_id) for message_id in ids]
    assert [(row["Status"], int(row["Looks"])) for row in rows] == [("DELIVERED", 1)] * 2
    assert stack.kinds_of_failure() == {"VdmOff"}


def test_two_429s_in_a_row_are_asked_again_in_one_go(stack: DeployedStack) -> None:
    """A second and a third attempt follow at the pace, and the message is not sent back."""
    stack.run.ses.fail(FaultKind.THROTTLED, times=2)
    message_id = stack.send_and_enqueue("delivered")
    eventually(lambda: stack.is_looked_at(message_id))

    report = stack.run.ses.report()
    assert (report.faults, report.accepted) == (2, 1)
    logged = stack.run.log_records(stack.run.lookup_function)
    deferred = [each for each in logged if each.get("message") == "deferred"]
    assert message_id not in {each.get("message_id") for each in deferred}


def test_the_same_id_again_costs_no_look(stack: DeployedStack) -> None:
    """An id that was just looked at is skipped; with `force` it is asked for."""
    message_id = stack.send_and_enqueue("delivered")
    stack.enqueue(f"{message_id}@email.amazonses.com")
    eventually(lambda: stack.is_looked_at(message_id))
    assert stack.looks() == 1

    stack.enqueue(json.dumps({"MessageId": message_id, "force": True}))
    eventually(lambda: stack.looks() >= 2 and stack.waiting() == 0)

    assert stack.row(message_id)["Looks"] == 2


@pytest.mark.parametrize("story", sorted(HUGE))
def test_a_response_of_any_size_is_stored(stack: DeployedStack, story: str) -> None:
    """Five thousand events are stored: bounces and complaints all, engagement by its counts."""
    stack.run.ses.change(speed=LIFE)
    message_id = str(stack.send(story)["MessageId"])
    stack.run.ses.advance(STORIES[story].settled_after)
    stack.enqueue(message_id)
    eventually(stack.is_done)

    rows = stack.rows(message_id)
    destinations = [row for row in rows if row["Record"].startswith("DESTINATION#")]
    assert len(destinations) == 1 + len(STORIES[story].others)
    counted = sum(int(row["OpenCount"]) + int(row["ClickCount"]) for row in destinations)
    shown = [
        event
        for timeline in (STORIES[story].events, *STORIES[story].others)
        for event in timeline
        if event.type in {"OPEN", "CLICK"}
    ]
    assert counted == len(shown)
