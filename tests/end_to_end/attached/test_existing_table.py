"""`existingTable`: a stack takes over a restored table, or one that a removed stack left."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest

from local.stack.emulator_quirks import allow_batches
from local.stack.run import DEFAULT_CONTEXT, PROJECT, LocalRun, cdk_in
from ses_insights.contracts.names import Output
from tests.support.deployed_stack import deployed_stack
from tests.support.pages import commands_of, run_page, section_of
from tests.support.patience import eventually

PAGE: Final = (PROJECT / "docs" / "operate.md").read_text(encoding="utf-8")
RESTORE: Final = section_of(PAGE, "Restore the table")
ATTACH: Final = section_of(PAGE, "The table is gone or wrong: attach the restored one")

RESTORED: Final = "SesInsights-Restored"
"""The name on the page."""


def deployed_over(run: LocalRun, table: str) -> LocalRun:
    """Deploy the stack over a table, as `npx cdk deploy` does with `existingTable`."""
    cdk = cdk_in(run.sandbox, run.folder)
    outputs = cdk.deploy(cdk.synth({**DEFAULT_CONTEXT, "existingTable": table}))
    allow_batches(run.session, outputs)
    return replace(run, outputs=outputs)


def goes_on(run: LocalRun, bounced: str) -> None:
    """What the table has is known, and what comes is stored in it and alerted once."""
    with deployed_stack(run) as stack:
        before = stack.row(bounced)
        assert before["Status"] == "PERMANENT_BOUNCE"
        stack.enqueue(f'{{"MessageId": "{bounced}", "force": true}}')
        stack.send_and_enqueue("complaint-abuse")
        eventually(lambda: stack.row(bounced)["Looks"] > before["Looks"])
        eventually(stack.is_done)
        assert [alert.body["alertType"] for alert in stack.alerts()] == ["COMPLAINT"]


@pytest.fixture(scope="module")
def bounced(run: LocalRun) -> str:
    """A mail that bounced and was alerted, before."""
    with deployed_stack(run) as stack:
        message_id = stack.send_and_enqueue("bounce-noemail")
        eventually(stack.is_done)
    return message_id


@pytest.fixture(scope="module")
def over(run: LocalRun, bounced: str) -> LocalRun:
    """The stack, deployed by the commands of the page over a restored copy of its table."""
    del bounced  # it is in the table that is restored
    run_page(f"```sh\n{commands_of(RESTORE)}\n{commands_of(ATTACH)}```\n", run)
    return deployed_over(run, RESTORED)


def test_a_stack_takes_over_a_restored_table(run: LocalRun, over: LocalRun, bounced: str) -> None:
    """Queue and topics stay, and the old table, too."""
    changed = {name for name in run.outputs if run.outputs[name] != over.outputs[name]}
    assert changed == {Output.TABLE_NAME}
    assert over.table_name == RESTORED
    goes_on(over, bounced)
    old = run.session.client("dynamodb").describe_table(TableName=run.table_name)["Table"]
    assert old["TableStatus"] == "ACTIVE"


def test_a_new_stack_takes_over_the_table_of_one_that_was_removed(
    over: LocalRun, bounced: str
) -> None:
    """It finds all that is stored; queue and topics are new."""
    cloudformation = over.session.client("cloudformation")
    cloudformation.delete_stack(StackName="SesInsights")
    cloudformation.get_waiter("stack_delete_complete").wait(
        StackName="SesInsights", WaiterConfig={"Delay": 1}
    )

    queue = over.queue_url.rpartition("/")[2]
    found = over.session.client("sqs").list_queues(QueueNamePrefix=queue)
    assert found.get("QueueUrls", []) == []
    goes_on(deployed_over(over, RESTORED), bounced)
