"""The commands of ``docs/operate.md`` do what the page says, on the deployed stack."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import pytest

from local.actors.subscriber import Subscriber
from local.stack.observe import Row
from local.stack.run import PROJECT, LocalRun
from local.stack.sandbox import ACCESS_KEY
from tests.support.deployed_stack import DeployedStack
from tests.support.pages import blocks_of, run_page, run_python, section_of
from tests.support.patience import eventually

PAGE: Final = (PROJECT / "docs" / "operate.md").read_text(encoding="utf-8")

NAMES: Final = section_of(PAGE, "Pause and resume")
PAUSE: Final = NAMES + section_of(PAGE, "Pause")
RESUME: Final = NAMES + section_of(PAGE, "Resume")

RESTORE: Final = section_of(PAGE, "Restore the table")
PUT_BACK: Final = section_of(PAGE, "Rows are gone: put them back")
SETTINGS: Final = blocks_of(
    section_of(PAGE, "The table is gone or wrong: attach the restored one"), "sh"
)[0]

ONE_QUEUE: Final = section_of(PAGE, "Alerts of all accounts in one queue")

READS: Final = ("Find", "Status", "Vdm", "Read")
"""The statements of the policy in ``docs/cli.md`` that the page names."""

RESTORED: Final = "SesInsights-Restored"
EXAMPLE_TABLE: Final = "SesInsights-Table"
EXAMPLE_TOPIC: Final = "arn:aws:sns:eu-west-1:111122223333:SesInsights-Alerts"
CENTRAL_ACCOUNT: Final = "444455556666"
"""What the page's examples name."""


@dataclass(frozen=True, slots=True)
class Switches:
    """The trigger of `lookup` and the schedule of `followups`."""

    run: LocalRun

    def states(self) -> tuple[str, str]:
        """Whether each is on."""
        (mapping,) = self.run.session.client("lambda").list_event_source_mappings(
            FunctionName=self.run.lookup_function
        )["EventSourceMappings"]
        return mapping["State"], self.schedule()["State"]

    def schedule(self) -> Mapping[str, Any]:
        """The schedule as it is now."""
        scheduler = self.run.session.client("scheduler")
        (name,) = [each["Name"] for each in scheduler.list_schedules()["Schedules"]]
        schedule: Mapping[str, Any] = scheduler.get_schedule(Name=name)
        return schedule

    def plan(self) -> list[Any]:
        """What the schedule starts, and when."""
        schedule = self.schedule()
        return [schedule[each] for each in ("ScheduleExpression", "FlexibleTimeWindow", "Target")]


@pytest.fixture
def switches(run: LocalRun) -> Iterator[Switches]:
    """The switches; after the test they are on."""
    yield Switches(run)
    run_page(RESUME, run)


def test_what_is_paused_waits_until_it_is_resumed(stack: DeployedStack, switches: Switches) -> None:
    """Paused, an id stays in the queue; resumed, it is looked at, and runs start as before."""
    plan = switches.plan()

    run_page(PAUSE, stack.run)
    assert switches.states() == ("Disabled", "DISABLED")
    waits = stack.send_and_enqueue("delivered")
    assert stack.waiting() > 0
    assert stack.looks(waits) == 0

    run_page(RESUME, stack.run)
    assert switches.states() == ("Enabled", "ENABLED")
    assert switches.plan() == plan
    eventually(lambda: stack.is_looked_at(waits))


@pytest.fixture
def restored(stack: DeployedStack) -> Iterator[list[Row]]:
    """The rows of a mail that bounced, also in a restored table."""
    stack.send_and_enqueue("bounce-noemail", label="restore")
    eventually(stack.is_done)
    run_page(RESTORE, stack.run)
    yield stack.rows()
    dynamodb = stack.run.session.client("dynamodb")
    dynamodb.update_table(TableName=RESTORED, DeletionProtectionEnabled=False)
    dynamodb.delete_table(TableName=RESTORED)


def test_rows_that_are_gone_are_put_back(stack: DeployedStack, restored: list[Row]) -> None:
    """A row that is gone comes back as it was; one that has changed since stays changed."""
    table = stack.run.session.resource("dynamodb").Table(stack.run.table_name)
    gone, changed = restored[0], restored[1]
    table.delete_item(Key={name: gone[name] for name in ("MessageId", "Record")})
    table.put_item(Item={**changed, "Summary": "Changed since."})

    run_python(PUT_BACK.replace(EXAMPLE_TABLE, stack.run.table_name), stack.run)

    rows = {row["Record"]: row for row in stack.rows()}
    assert rows.keys() >= {row["Record"] for row in restored}
    assert rows[gone["Record"]] == gone
    assert rows[changed["Record"]]["Summary"] == "Changed since."


@pytest.mark.usefixtures("restored")
def test_a_restored_table_gets_the_settings_that_it_lacks(run: LocalRun) -> None:
    """Rows expire, every second can be restored, and the table cannot be deleted."""
    run_page(f"```sh\n{SETTINGS}```\n", run)

    dynamodb = run.session.client("dynamodb")
    expiry = dynamodb.describe_time_to_live(TableName=RESTORED)["TimeToLiveDescription"]
    backups = dynamodb.describe_continuous_backups(TableName=RESTORED)
    recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    table = dynamodb.describe_table(TableName=RESTORED)["Table"]
    assert (expiry["AttributeName"], expiry["TimeToLiveStatus"]) == ("ExpiresAt", "ENABLED")
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"
    assert table["DeletionProtectionEnabled"]


def client_in_the_central_account(run: LocalRun, service: Literal["sqs", "sts"]) -> Any:
    """A client of that account; the emulator takes its number for an access key."""
    return run.session.client(
        service, aws_access_key_id=CENTRAL_ACCOUNT, aws_secret_access_key=ACCESS_KEY
    )


def test_alerts_reach_a_queue_of_another_account(stack: DeployedStack) -> None:
    """The queue gets them, each with the account and the Region that it comes from."""
    page = ONE_QUEUE.replace(EXAMPLE_TOPIC, stack.run.alert_topic_arn)
    run_python(page, stack.run, AWS_ACCESS_KEY_ID=CENTRAL_ACCOUNT)
    subscription = json.loads(run_page(page, stack.run))["SubscriptionArn"]
    sqs = client_in_the_central_account(stack.run, "sqs")
    central = Subscriber(sqs, sqs.get_queue_url(QueueName="mail-alerts")["QueueUrl"])

    bounced = stack.send_and_enqueue("bounce-noemail")
    eventually(lambda: central.read() or central.received)
    stack.run.session.client("sns").unsubscribe(SubscriptionArn=subscription)

    (alert,) = [each.body for each in central.received]
    sender = stack.run.session.client("sts").get_caller_identity()["Account"]
    assert alert["messageId"] == bounced
    assert (alert["account"], alert["region"]) == (sender, stack.run.session.region_name)


def test_another_account_reads_with_a_role(stack: DeployedStack) -> None:
    """With the four statements of the policy that read, and credentials of the assumed role."""
    bounced = stack.send_and_enqueue("bounce-noemail")
    eventually(lambda: stack.is_looked_at(bounced))
    credentials = assumed_by_the_central_account(stack.run, "MailReader")

    shown = run_page(
        f"```sh\ninsights status\ninsights show {bounced}\n```", stack.run, **credentials
    )

    assert "PERMANENT_BOUNCE" in shown
    with pytest.raises(AssertionError, match="denied"):
        run_page(f"```sh\ninsights enqueue {bounced}\n```", stack.run, **credentials)


def assumed_by_the_central_account(run: LocalRun, role: str) -> dict[str, str]:
    """The variables with which a command works as a role that may read and nothing else."""
    policy = json.loads(blocks_of((PROJECT / "docs" / "cli.md").read_text(), "json")[0])
    reads = [each for each in policy["Statement"] if each["Sid"] in READS]
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{CENTRAL_ACCOUNT}:root"},
        "Action": "sts:AssumeRole",
    }
    iam = run.session.client("iam")
    made = iam.create_role(RoleName=role, AssumeRolePolicyDocument=_policy_of(trust))
    iam.put_role_policy(RoleName=role, PolicyName="Read", PolicyDocument=_policy_of(reads))
    credentials = client_in_the_central_account(run, "sts").assume_role(
        RoleArn=made["Role"]["Arn"], RoleSessionName="central"
    )["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": credentials["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": credentials["SecretAccessKey"],
        "AWS_SESSION_TOKEN": credentials["SessionToken"],
    }


def _policy_of(statements: object) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
