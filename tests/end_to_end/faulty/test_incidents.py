"""Every incident that `make local` can rehearse: it begins, it shows, and it ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from local.actors.operator import FollowUps
from local.incident import INCIDENTS, begin, end
from local.stack.child import LocalRunError
from local.stack.observe import message_row, messages_in
from local.stack.redelivery import redelivered_after
from local.stack.run import LocalRun
from tests.end_to_end.faulty.conftest import BACK_AFTER
from tests.support.deployed_stack import DeployedStack
from tests.support.patience import eventually

LOOKUP_LOGS: Final = {
    "vdm-off": "VdmOff",
    "ses-throttled": "SesThrottled",
    "ses-down": "SesUnavailable",
    "ses-hangs": "SesUnavailable",
    "ses-denied": "AccessDenied",
    "credentials-expired": "Credentials",
    "dynamodb-down": "DynamoDb",
    "dynamodb-throttled": "DynamoDb",
    "dynamodb-denied": "AccessDenied",
    "sns-down": "Sns",
}
"""The kind of failure that the function logs."""

ALIKE: Final = ("ses-hangs", "ses-denied", "credentials-expired", "ses-down", "dynamodb-throttled")
LONG: Final = ("burst", "foreign-ids")
"""They are minutes of looks, and break nothing."""


@pytest.fixture(autouse=True)
def as_before(stack: DeployedStack) -> Iterator[None]:
    """Every incident ends with its test, and the schedule is off for the next one."""
    yield
    end(stack.run)
    FollowUps(stack.run).switch_schedule(on=False)


def failures(run: LocalRun, function: str) -> list[str]:
    """The kinds of failure that a function has logged."""
    records = run.log_records(function)
    return [str(each["kind"]) for each in records if each.get("message") == "system failure"]


def sent(run: LocalRun) -> str:
    """The id of the mail that an incident has sent last."""
    return run.ses.sent()[-1].message_id


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.prove) if name in ALIKE else name
        for name in LOOKUP_LOGS
    ],
)
def test_what_every_look_needs_fails_until_the_end(stack: DeployedStack, name: str) -> None:
    """The log has the kind of failure that the page names; after the end the mail is looked at."""
    run = stack.run
    before = failures(run, run.lookup_function).count(LOOKUP_LOGS[name])
    begin(run, INCIDENTS[name])
    eventually(lambda: failures(run, run.lookup_function).count(LOOKUP_LOGS[name]) > before)
    end(run)
    eventually(lambda: bool((message_row(run, sent(run)) or {}).get("Final")))


def test_followups_cannot_enqueue_until_the_end(stack: DeployedStack, followups: FollowUps) -> None:
    """While SQS refuses, what is due waits, and the log of followups says so."""
    run = stack.run
    begin(run, INCIDENTS["sqs-down"])
    eventually(lambda: message_row(run, sent(run)) is not None)
    row = message_row(run, sent(run))
    assert row
    stack.make_due(row)
    eventually(lambda: not succeeds(followups) and "Sqs" in failures(run, run.followups_function))
    end(run)
    FollowUps(run).switch_schedule(on=False)
    eventually(lambda: succeeds(followups))
    eventually(lambda: (message_row(run, sent(run)) or {}).get("Looks") == 2)


@pytest.mark.parametrize(
    ("name", "kind"), [("list-throttled", "SesThrottled"), ("list-denied", "AccessDenied")]
)
def test_the_suppression_list_cannot_be_read_until_the_end(
    stack: DeployedStack, followups: FollowUps, name: str, kind: str
) -> None:
    """Runs of followups fail, with the kind that the page names; after the end they do not."""
    run = stack.run
    before = failures(run, run.followups_function).count(kind)
    begin(run, INCIDENTS[name])

    def has_failed() -> bool:
        succeeds(followups)
        return failures(run, run.followups_function).count(kind) > before

    eventually(has_failed)
    end(run)
    eventually(lambda: succeeds(followups))


def succeeds(followups: FollowUps) -> bool:
    """Whether a run of followups that is started now succeeds."""
    try:
        followups.start()
    except LocalRunError:
        return False
    return True


def test_the_suppression_list_is_off_until_the_end(stack: DeployedStack) -> None:
    """The account says so, and what bounces is not listed."""
    run = stack.run
    begin(run, INCIDENTS["list-off"])
    assert run.ses.settings().suppressed_reasons == ()
    end(run)
    assert run.ses.settings().suppressed_reasons == ("BOUNCE", "COMPLAINT")


def crashes(run: LocalRun) -> int:
    """How often a function could not start."""
    return (run.folder / "emulator.log").read_text(errors="replace").count("Worker init failed")


def test_lookup_crashes_until_the_end(stack: DeployedStack) -> None:
    """Each start fails; the version that works is deployed again, and the mail is looked at."""
    run = stack.run
    before = crashes(run)
    begin(run, INCIDENTS["lookup-crashes"])
    eventually(lambda: crashes(run) > before)
    end(run)
    with redelivered_after(run, BACK_AFTER):
        eventually(lambda: message_row(run, sent(run)) is not None)


def test_followups_crashes_until_the_end(stack: DeployedStack, followups: FollowUps) -> None:
    """Each start fails; the version that works is deployed again."""
    begin(stack.run, INCIDENTS["followups-crashes"])
    assert not succeeds(followups)
    end(stack.run)
    eventually(lambda: succeeds(followups))


def test_the_schedule_is_stopped_until_the_end(stack: DeployedStack) -> None:
    """It is disabled, and enabled again."""
    followups = FollowUps(stack.run)
    followups.switch_schedule(on=True)
    begin(stack.run, INCIDENTS["followups-stopped"])
    assert followups.schedule()[1] == "DISABLED"
    end(stack.run)
    assert followups.schedule()[1] == "ENABLED"


def test_the_queue_stands_still_until_the_end(stack: DeployedStack) -> None:
    """While the trigger is off the mail waits."""
    run = stack.run
    begin(run, INCIDENTS["trigger-off"])
    assert messages_in(run, run.queue_url) == 1
    assert trigger(run)["State"] == "Disabled"
    end(run)
    eventually(lambda: message_row(run, sent(run)) is not None)


def trigger(run: LocalRun) -> Any:
    """The trigger of lookup."""
    found = run.session.client("lambda").list_event_source_mappings(
        FunctionName=run.lookup_function
    )
    return found["EventSourceMappings"][0]


def test_bodies_without_an_id_are_parked(stack: DeployedStack) -> None:
    """All of them."""
    begin(stack.run, INCIDENTS["dead-letters"])
    eventually(lambda: stack.parked() >= 3)


def test_looks_that_are_a_day_late_are_given_up(stack: DeployedStack, followups: FollowUps) -> None:
    """The run says by how much, gives them up, and the rows say so."""
    run = stack.run
    begin(run, INCIDENTS["looks-late"])
    ids = [mail.message_id for mail in run.ses.sent()]
    followups.start()
    lines = run.log_records(run.followups_function)
    assert max(each["lag"] for each in lines if each.get("message") == "due") > 30 * 3600
    assert {each["message_id"] for each in lines if each.get("message") == "shed"} >= {*ids}
    rows = [message_row(run, each) or {} for each in ids]
    assert all(row["Shed"] >= 1 for row in rows)


def test_ids_in_another_group_are_looked_at_all_the_same(stack: DeployedStack) -> None:
    """They are sent on into the right group, and none is lost."""
    run = stack.run
    begin(run, INCIDENTS["foreign-group"])
    ids = [mail.message_id for mail in run.ses.sent()]
    assert len(ids) == 3
    eventually(lambda: all(message_row(run, each) for each in ids))


def test_every_incident_is_tried_here_or_breaks_nothing() -> None:
    """None is added without a test."""
    tried: set[str] = {*LOOKUP_LOGS, *LONG}
    tried |= {"sqs-down", "lookup-crashes", "followups-crashes", "followups-stopped"}
    tried |= {
        "trigger-off",
        "dead-letters",
        "foreign-group",
        "looks-late",
        "list-throttled",
        "list-denied",
        "list-off",
    }
    assert tried == set(INCIDENTS)
