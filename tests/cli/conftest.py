"""A deployed stack in memory, and the tool as a person calls it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws
from typer.testing import CliRunner

from ses_insights.adapters.records import RecordTable
from ses_insights.cli.app import app
from ses_insights.cli.deployment import Deployment
from ses_insights.cli.options import Target
from ses_insights.contracts.names import DEFAULT_STACK_NAME
from tests.support.said import Insights, Said
from tests.support.tables import make_table

if TYPE_CHECKING:
    from mypy_boto3_sqs.literals import QueueAttributeNameType

SETTINGS: Final = {
    "POWERTOOLS_METRICS_NAMESPACE": "SesInsights",
    "ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:alerts",
    "LOOKUP_PERIOD_SECONDS": "2.0",
    "FIRST_LOOK_DELAY_SECONDS": "900",
    "FOLLOW_UP_LADDER": "[900, 259200]",
    "SES_KEEPS_DAYS": "30",
    "RETENTION_DAYS": "90",
    "REDACT_SUBJECTS": "false",
    "ALERT_TYPES": '["BOUNCE", "COMPLAINT", "REJECT", "RENDERING_FAILURE"]',
    "SURGE_AFTER": "5",
}
"""A look every two seconds; 15 minutes in the queue first."""

LOG_GROUP: Final = "Lookup-logs"

FIFO: Final[Mapping[QueueAttributeNameType, str]] = {
    "FifoQueue": "true",
    "ContentBasedDeduplication": "true",
}


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """No test of this folder reaches a network."""


@dataclass(slots=True)
class Aws:
    """What AWS says of the stack, where moto cannot."""

    session: boto3.Session
    stacks: dict[str, dict[str, str]]
    """Outputs by the name of their stack."""
    variables: dict[str, str]
    """The lookup function's settings."""
    vdm: str = "ENABLED"
    made: datetime = datetime(2026, 1, 1, tzinfo=UTC)
    """When every stack was made."""
    fails: dict[str, str] = field(default_factory=dict)
    """Code of the error with which an operation fails, by its name."""

    answers: dict[str, Any] = field(default_factory=dict)
    """What an operation answers, by its name, in the place of moto."""
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    """Stack, Region and profile that were asked for."""

    def find(self, stack: str, region: str | None, profile: str | None) -> Deployment:
        """Find a stack, and note what was asked for."""
        self.asked.append((stack, region, profile))
        return Deployment.find(stack, self.session)

    def answer(self, model: Any, params: Any, **_: object) -> Any:
        """Answer in the place of AWS, or leave it to moto."""
        name = model.name
        if name in self.fails:
            return _refuse(self.fails[name], f"{name} is refused")
        if name == "DescribeStacks":
            return self._described(params["body"].get("StackName"))
        answers = self._usual() | self.answers
        return (_OK, answers[name]) if name in answers else None

    def _described(self, stack: str | None) -> Any:
        if stack is not None and stack not in self.stacks:
            return _refuse("ValidationError", f"Stack with id {stack} does not exist")
        wanted = self.stacks if stack is None else {stack: self.stacks[stack]}
        stacks = [_stack(name, outputs, self.made) for name, outputs in wanted.items()]
        return _OK, {"Stacks": stacks}

    def _usual(self) -> dict[str, Any]:
        return {
            "GetFunctionConfiguration": {
                "Environment": {"Variables": self.variables},
                "LoggingConfig": {"LogGroup": LOG_GROUP},
            },
            "GetAccount": {"VdmAttributes": {"VdmEnabled": self.vdm}},
        }


def _stack(name: str, outputs: Mapping[str, str], made: datetime) -> dict[str, Any]:
    written = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {
        "StackName": name,
        "StackStatus": "CREATE_COMPLETE",
        "CreationTime": made,
        "Outputs": written,
    }


_OK: Final = AWSResponse("", 200, HTTPHeaders(), None)


def _refuse(code: str, text: str) -> tuple[AWSResponse, dict[str, Any]]:
    return AWSResponse("", 400, HTTPHeaders(), None), {"Error": {"Code": code, "Message": text}}


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """One session for all: loading the service models is what takes time."""
    return boto3.Session()


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch, session: boto3.Session) -> Iterator[Aws]:
    """AWS in memory, and the stack in it."""
    monkeypatch.delenv("SES_INSIGHTS_STACK", raising=False)
    with mock_aws():
        sqs = session.client("sqs")
        queue, dead_letters = (
            sqs.create_queue(QueueName=name, Attributes=FIFO)["QueueUrl"]
            for name in ("MessageIds.fifo", "DeadLetters.fifo")
        )
        make_table(session.client("dynamodb"), "Insights")
        outputs = {
            "QueueUrl": queue,
            "DeadLetterQueueUrl": dead_letters,
            "TableName": "Insights",
            "LookupFunctionName": "Lookup",
        }
        variables = SETTINGS | {
            "TABLE_NAME": "Insights",
            "QUEUE_URL": queue,
            "DEAD_LETTER_QUEUE_URL": dead_letters,
        }
        aws = Aws(session, {DEFAULT_STACK_NAME: outputs}, variables)
        session.events.register("before-call", aws.answer)
        yield aws
        session.events.unregister("before-call", aws.answer)


@pytest.fixture
def deployment(aws: Aws) -> Deployment:
    """The stack, found."""
    return Deployment.find(DEFAULT_STACK_NAME, aws.session)


@pytest.fixture
def records(deployment: Deployment) -> RecordTable:
    """The stack's table, as the service writes it."""
    return RecordTable(deployment.dynamodb, deployment.table_name)


@pytest.fixture
def insights(aws: Aws) -> Insights:
    """Call the tool; an unexpected error is raised."""

    def call(*arguments: str, stdin: str = "") -> Said:
        done = CliRunner().invoke(
            app,
            arguments,
            input=stdin,
            obj=Target(aws.find),
            catch_exceptions=False,
        )
        return Said(done.exit_code, done.stdout, done.stderr)

    return call


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal, at which standard input is typed."""
    monkeypatch.setattr("typer.testing._NamedTextIOWrapper.isatty", lambda _: True)
