"""The recipes of ``docs/lookups.md`` answer their questions, on the deployed stack."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest
from boto3.dynamodb.types import TypeDeserializer
from botocore.exceptions import ClientError

from local.actors.pipeline import Pipeline
from local.ses_stand_in.stories import STORIES, address_of
from local.stack.observe import message_row
from local.stack.run import PROJECT, LocalRun
from tests.support.pages import run_page
from tests.support.patience import eventually

PAGE: Final = (PROJECT / "docs" / "lookups.md").read_text(encoding="utf-8")

ID, TO, DAY, TABLE = (
    "0106019fa36a2608-6c9654bb-dc58-4957-8828-68360c1c2d10-000000",
    "anna@shop.example",
    "2026-11-23",
    "SesInsights-Table",
)
"""What the page's examples name."""

NOTHING: Final = {DAY: "1999-12-31", "follow-up": "f", "keep": "k", "bulk": "b"}
"""A day and lanes that nothing is stored under, as there is nothing under the page's own id."""

QUESTIONS: Final = ("message", "recipient", "bounced", "open", "alerted", "alerted that day")
"""What the page answers, in the order in which it does, in each of three ways."""

Row = Mapping[str, Any]
Ways = Callable[[LocalRun, str], list[list[Row]]]


@dataclass(frozen=True, slots=True)
class Stored:
    """A mail that bounced, and one that is still open."""

    bounced: str
    open: str
    examples: Mapping[str, str]
    """What stands for the page's examples."""


@pytest.fixture(scope="module")
def stored(stack: LocalRun) -> Stored:
    """Have the two mails looked at."""
    stack.ses.reset()
    stack.ses.change(speed=36_000.0)
    pipeline = Pipeline(
        ses=stack.ses_client(),
        sqs=stack.session.client("sqs"),
        queue_url=stack.outputs["QueueUrl"],
    )
    bounce = STORIES["bounce-noemail"]
    bounced = pipeline.send(bounce, label="recipes")["MessageId"]
    waits = pipeline.send(STORIES["delivered"], label="recipes")["MessageId"]
    pipeline.enqueue(bounced)
    pipeline.enqueue(waits)
    eventually(lambda: message_row(stack, waits) is not None)
    row = message_row(stack, bounced)
    assert row is not None
    examples = {ID: bounced, TO: address_of(bounce, "recipes"), DAY: row["LastLookAt"][:10]}
    return Stored(bounced, waits, examples)


def by_console(stack: LocalRun, page: str) -> list[list[Row]]:
    """Fill the cells of the page's table into queries, as a person does in the console."""
    return [_query(stack, line) for line in re.findall(r"^\| .*\? \|.*$", page, re.MULTILINE)]


def _query(stack: LocalRun, line: str) -> list[Row]:
    index, *keys = [cell.strip() for cell in line.strip("|").split("|")][1:]
    given = [re.findall(r"`([^`]+)`", key) for key in keys if key != "any"]
    conditions = ["#0 = :0", "begins_with(#1, :1)"][: len(given)]
    query: dict[str, Any] = {
        "TableName": stack.outputs["TableName"],
        "KeyConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": {f"#{n}": name for n, (name, _) in enumerate(given)},
        "ExpressionAttributeValues": {f":{n}": {"S": value} for n, (_, value) in enumerate(given)},
    }
    if index != "table":
        query["IndexName"] = index.strip("`")
    return _plain(stack.session.client("dynamodb").query(**query)["Items"])


def by_partiql(stack: LocalRun, page: str) -> list[list[Row]]:
    """Execute the statements of the page."""
    statements = re.findall(r"^```sql\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    dynamodb = stack.session.client("dynamodb")
    return [_plain(dynamodb.execute_statement(Statement=each)["Items"]) for each in statements]


def by_commands(stack: LocalRun, page: str) -> list[list[Row]]:
    """Run the commands of the page."""
    return [_plain(answer["Items"]) for answer in _decoded(run_page(page, stack))]


def _decoded(text: str) -> Iterator[Any]:
    while text := text.lstrip():
        answer, end = json.JSONDecoder().raw_decode(text)
        yield answer
        text = text[end:]


def _plain(items: list[dict[str, Any]]) -> list[Row]:
    deserialize = TypeDeserializer().deserialize
    return [{name: deserialize(value) for name, value in item.items()} for item in items]


def with_examples(stack: LocalRun, examples: Mapping[str, str]) -> str:
    """Write the page about what is stored here."""
    page = PAGE.replace(TABLE, stack.outputs["TableName"])
    for example, real in examples.items():
        page = page.replace(example, real)
    return page


@pytest.mark.parametrize("way", [by_console, by_partiql, by_commands])
def test_every_question_is_answered(stack: LocalRun, stored: Stored, way: Ways) -> None:
    """Each recipe finds what is stored, and a recipe of one thing finds nothing else."""
    answers = dict(zip(QUESTIONS, way(stack, with_examples(stack, stored.examples)), strict=True))

    kinds = [row["Record"].partition("#")[0] for row in answers["message"]]
    assert sorted(kinds) == ["ALERT", "DESTINATION", "MESSAGE"]
    assert {row["MessageId"] for row in answers["message"]} == {stored.bounced}
    assert [row["Status"] for row in answers["recipient"]] == ["PERMANENT_BOUNCE"]
    assert "does not exist" in answers["recipient"][0]["Summary"]
    assert stored.bounced in {row["MessageId"] for row in answers["bounced"]}
    assert {row["Status"] for row in answers["bounced"]} == {"PERMANENT_BOUNCE"}
    assert stored.open in {row["MessageId"] for row in answers["open"]}
    assert stored.bounced not in {row["MessageId"] for row in answers["open"]}
    assert [row["AlertType"] for row in answers["alerted"]] == ["BOUNCE"]
    assert {"PublishedAt", "NextStep", "Cause"} <= answers["alerted"][0].keys()
    assert stored.bounced in {row["MessageId"] for row in answers["alerted that day"]}
    assert {row["AlertType"] for row in answers["alerted that day"]} == {"BOUNCE"}


@pytest.mark.parametrize("way", [by_console, by_partiql, by_commands])
def test_where_nothing_is_stored_nothing_is_found(stack: LocalRun, way: Ways) -> None:
    """An unknown id, a recipient without mail and a quiet day are answered with no row."""
    assert way(stack, with_examples(stack, NOTHING)) == [[]] * len(QUESTIONS)


@pytest.mark.parametrize("way", [by_console, by_partiql])
@pytest.mark.parametrize("slip", ["ByDestination", "ByStatus", "DueLooks", "ByAlert"])
def test_an_index_that_is_none_is_refused(stack: LocalRun, way: Ways, slip: str) -> None:
    """A misspelt index is an error, and no answer that looks like an empty one."""
    page = with_examples(stack, {slip: f"{slip}s"})
    with pytest.raises(ClientError) as refused:
        way(stack, page)
    assert refused.value.response["Error"]["Code"] in {
        *("ValidationException", "ResourceNotFoundException")
    }


def test_a_command_for_a_stack_that_is_none_says_so(stack: LocalRun) -> None:
    """A misspelt stack ends the commands with an error before anything is asked."""
    wrong = PAGE.replace("--stack-name SesInsights", "--stack-name SesInsight")
    with pytest.raises(AssertionError, match="An error occurred"):
        run_page(wrong, stack)
