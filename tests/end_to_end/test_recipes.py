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

from local.ses_stand_in.stories import STORIES, address_of
from local.stack.run import PROJECT, LocalRun
from ses_insights.contracts.names import Index
from ses_insights.contracts.rows import LISTED
from tests.support.deployed_stack import deployed_stack
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

NOTHING: Final = {DAY: "1999-12-31", "follow-up": "f", "keep": "k", "listed": "l", "bulk": "b"}
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
def stored(run: LocalRun) -> Stored:
    """Have the two mails looked at."""
    with deployed_stack(run) as stack:
        bounced = stack.send_and_enqueue("bounce-noemail", label="recipes")
        waits = stack.send_and_enqueue("delivered", label="recipes")
        eventually(lambda: stack.is_looked_at(bounced, waits))
        (alert,) = stack.alert_rows(bounced)
        examples = {
            ID: bounced,
            TO: address_of(STORIES["bounce-noemail"], "recipes"),
            DAY: alert["DetectedAt"][:10],
        }
        return Stored(bounced, waits, examples)


def by_console(run: LocalRun, page: str) -> list[list[Row]]:
    """Fill the cells of the page's table into queries, as a person does in the console."""
    return [_query(run, line) for line in re.findall(r"^\| .*\? \|.*$", page, re.MULTILINE)]


def _query(run: LocalRun, line: str) -> list[Row]:
    index, *keys = [cell.strip() for cell in line.strip("|").split("|")][1:]
    given = [re.findall(r"`([^`]+)`", key) for key in keys if key != "any"]
    conditions = ["#0 = :0", "begins_with(#1, :1)"][: len(given)]
    query: dict[str, Any] = {
        "TableName": run.table_name,
        "KeyConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": {f"#{n}": name for n, (name, _) in enumerate(given)},
        "ExpressionAttributeValues": {f":{n}": {"S": value} for n, (_, value) in enumerate(given)},
    }
    if index != "table":
        query["IndexName"] = index.strip("`")
    return _plain(run.session.client("dynamodb").query(**query)["Items"])


def by_partiql(run: LocalRun, page: str) -> list[list[Row]]:
    """Execute the statements of the page."""
    statements = re.findall(r"^```sql\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    dynamodb = run.session.client("dynamodb")
    return [_plain(dynamodb.execute_statement(Statement=each)["Items"]) for each in statements]


def by_commands(run: LocalRun, page: str) -> list[list[Row]]:
    """Run the commands of the page."""
    return [_plain(answer["Items"]) for answer in _decoded(run_page(page, run))]


def _decoded(text: str) -> Iterator[Any]:
    while text := text.lstrip():
        answer, end = json.JSONDecoder().raw_decode(text)
        yield answer
        text = text[end:]


def _plain(items: list[dict[str, Any]]) -> list[Row]:
    deserialize = TypeDeserializer().deserialize
    return [{name: deserialize(value) for name, value in item.items()} for item in items]


def with_examples(run: LocalRun, examples: Mapping[str, str]) -> str:
    """Write the page about what is stored here."""
    page = PAGE.replace(TABLE, run.table_name)
    for example, real in examples.items():
        page = page.replace(example, real)
    return page


def _without_listings(rows: list[Row]) -> list[Row]:
    """Leave out what the suppression list says: a scheduled run adds it sooner or later."""
    return [row for row in rows if not row["Record"].startswith(LISTED)]


@pytest.mark.parametrize("way", [by_console, by_partiql, by_commands])
def test_every_question_is_answered(run: LocalRun, stored: Stored, way: Ways) -> None:
    """Each recipe finds what is stored, and a recipe of one thing finds nothing else."""
    found = zip(QUESTIONS, way(run, with_examples(run, stored.examples)), strict=True)
    answers = {question: _without_listings(rows) for question, rows in found}

    kinds = [row["Record"].partition("#")[0] for row in answers["message"]]
    assert sorted(kinds) == ["ALERT", "DESTINATION", "MESSAGE"]
    assert {row["MessageId"] for row in answers["message"]} == {stored.bounced}
    assert [row["Status"] for row in answers["recipient"]] == ["PERMANENT_BOUNCE"]
    assert "does not know this address" in answers["recipient"][0]["Summary"]
    assert stored.bounced in {row["MessageId"] for row in answers["bounced"]}
    assert {row["Status"] for row in answers["bounced"]} == {"PERMANENT_BOUNCE"}
    assert stored.open in {row["MessageId"] for row in answers["open"]}
    assert stored.bounced not in {row["MessageId"] for row in answers["open"]}
    assert [row["AlertType"] for row in answers["alerted"]] == ["BOUNCE"]
    assert {"PublishedAt", "NextStep", "Cause"} <= answers["alerted"][0].keys()
    assert stored.bounced in {row["MessageId"] for row in answers["alerted that day"]}
    assert {row["AlertType"] for row in answers["alerted that day"]} == {"BOUNCE"}


@pytest.mark.parametrize("way", [by_console, by_partiql, by_commands])
def test_where_nothing_is_stored_nothing_is_found(run: LocalRun, way: Ways) -> None:
    """An unknown id, a recipient without mail and a quiet day are answered with no row."""
    assert way(run, with_examples(run, NOTHING)) == [[]] * len(QUESTIONS)


@pytest.mark.parametrize("way", [by_console, by_partiql])
@pytest.mark.parametrize("slip", list(Index))
def test_an_index_that_is_none_is_refused(run: LocalRun, way: Ways, slip: str) -> None:
    """A misspelt index is an error, and no answer that looks like an empty one."""
    page = with_examples(run, {slip: f"{slip}s"})
    with pytest.raises(ClientError) as refused:
        way(run, page)
    assert refused.value.response["Error"]["Code"] in {
        *("ValidationException", "ResourceNotFoundException")
    }


def test_a_command_for_a_stack_that_is_none_says_so(run: LocalRun) -> None:
    """A misspelt stack ends the commands with an error before anything is asked."""
    wrong = PAGE.replace("--stack-name SesInsights", "--stack-name SesInsight")
    with pytest.raises(AssertionError, match="An error occurred"):
        run_page(wrong, run)
