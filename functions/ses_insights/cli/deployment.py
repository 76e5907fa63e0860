"""The deployed service for the commands: the stack's outputs, its table and clients of AWS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ses_insights.adapters.aws_errors import error_code
from ses_insights.adapters.items import from_item, to_item
from ses_insights.cli.errors import CliError
from ses_insights.contracts.names import Output
from ses_insights.contracts.rows import MESSAGE, Row
from ses_insights.settings import LookupSettings, Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

NEEDED: Final = frozenset(
    {
        Output.QUEUE_URL,
        Output.DEAD_LETTER_QUEUE_URL,
        Output.TABLE_NAME,
        Output.LOOKUP_FUNCTION_NAME,
    }
)
"""The outputs that every stack of this service has."""

_PAGE: Final = 100
"""The most that one BatchGetItem takes."""

CONFIG: Final = Config(
    retries={"total_max_attempts": 4, "mode": "standard"}, connect_timeout=5, read_timeout=20
)
"""A person waits: what fails is tried again, but not for minutes."""


@dataclass(frozen=True)
class Deployment:
    """One deployed stack. Each part is read when a command first needs it."""

    session: boto3.Session
    stack: str
    outputs: Mapping[str, str]

    @classmethod
    def find(cls, stack: str, session: boto3.Session) -> Deployment:
        """Find the stack by its name. Raises `CliError`, and what boto3 raises."""
        cloudformation = _client(session, "cloudformation")
        try:
            found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        except ClientError as error:
            if error_code(error) != "ValidationError":
                raise
            region = cloudformation.meta.region_name
            raise CliError(
                f"There is no stack {stack} in {region} of this account: name it with --stack or "
                "SES_INSIGHTS_STACK, or its Region with --region."
            ) from error
        outputs = {
            str(each.get("OutputKey")): str(each.get("OutputValue"))
            for each in found.get("Outputs", [])
        }
        if missing := sorted(NEEDED - outputs.keys()):
            raise CliError(
                f"The stack {stack} has no output {missing[0]}: it is not a stack of SES Insights, "
                "or it is still being deployed."
            )
        return cls(session, stack, outputs)

    def client(self, name: str) -> Any:
        """Return a client of an AWS service."""
        return _client(self.session, name)

    @cached_property
    def sqs(self) -> SQSClient:
        """SQS."""
        client: SQSClient = self.client("sqs")
        return client

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        """DynamoDB."""
        client: DynamoDBClient = self.client("dynamodb")
        return client

    @property
    def region(self) -> str:
        """The Region of the stack, in which SES is asked."""
        return self.dynamodb.meta.region_name

    @property
    def table_name(self) -> str:
        """The table."""
        return self.outputs[Output.TABLE_NAME]

    @property
    def queue_url(self) -> str:
        """The queue of message ids."""
        return self.outputs[Output.QUEUE_URL]

    @property
    def dead_letter_queue_url(self) -> str:
        """The dead-letter queue."""
        return self.outputs[Output.DEAD_LETTER_QUEUE_URL]

    @cached_property
    def lookup_function(self) -> Mapping[str, Any]:
        """The configuration of the lookup function."""
        found: Mapping[str, Any] = self.client("lambda").get_function_configuration(
            FunctionName=self.outputs[Output.LOOKUP_FUNCTION_NAME]
        )
        return found

    @cached_property
    def settings(self) -> Settings:
        """The settings of every function: period, delay, ladder. Raises `SettingError`."""
        return Settings.read(self.lookup_function["Environment"]["Variables"])

    @cached_property
    def lookup_settings(self) -> LookupSettings:
        """The settings of the lookup function: how rows are written. Raises `SettingError`."""
        return LookupSettings.read(self.lookup_function["Environment"]["Variables"])

    def query(self, **query: Any) -> Iterator[Row]:
        """Return rows of the table, or of one of its indexes; reads page by page."""
        yield from self._rows("query", query)

    def scan(self, **scan: Any) -> Iterator[Row]:
        """Return all rows of the table; reads page by page."""
        yield from self._rows("scan", scan)

    def _rows(
        self, operation: Literal["query", "scan"], request: Mapping[str, Any]
    ) -> Iterator[Row]:
        pages = self.dynamodb.get_paginator(operation).paginate(
            TableName=self.table_name, **request
        )
        for page in pages:
            yield from map(from_item, page["Items"])

    def message_rows(self, ids: Sequence[str], attributes: str) -> dict[str, Row]:
        """Return some attributes of the rows of those messages that are known, by message id.

        DynamoDB's reserved words among the attributes are written with a ``#`` before them.
        """
        names = {f"#{name}": name for name in re.findall(r"#(\w+)", attributes)}
        found: dict[str, Row] = {}
        for start in range(0, len(ids), _PAGE):
            keys = [
                to_item({"MessageId": each, "Record": MESSAGE})
                for each in ids[start : start + _PAGE]
            ]
            while keys:
                wanted: dict[str, Any] = {
                    "Keys": keys,
                    "ProjectionExpression": f"MessageId, {attributes}",
                }
                if names:
                    wanted["ExpressionAttributeNames"] = names
                answer = self.dynamodb.batch_get_item(RequestItems={self.table_name: wanted})  # type: ignore[dict-item] # the stubs want a literal
                rows = map(from_item, answer["Responses"].get(self.table_name, []))
                found |= {row["MessageId"]: row for row in rows}
                # What DynamoDB leaves out under load is asked for again.
                left: Any = answer.get("UnprocessedKeys", {})
                keys = left.get(self.table_name, {}).get("Keys", [])
        return found

    def rows_of(self, message_id: str) -> list[Row]:
        """Return every row of a message, as they are now."""
        return list(
            self.query(
                KeyConditionExpression="MessageId = :id",
                ExpressionAttributeValues=to_item({":id": message_id}),
                ConsistentRead=True,
            )
        )


def _client(session: boto3.Session, name: str) -> Any:
    """Return a client. Raises `CliError`, and what boto3 raises."""
    try:
        return session.client(name, config=CONFIG)  # type: ignore[call-overload] # any of them
    except BotoCoreError:
        raise
    except ValueError as error:  # botocore has no class for an endpoint that is no URL
        raise CliError(f"{error}: check AWS_ENDPOINT_URL.") from error


def now() -> datetime:
    """Return the present instant."""
    return datetime.now(UTC)
