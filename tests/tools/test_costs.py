"""The page on costs: computed, up to date, and true to what the stack is and the service does."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from aws_cdk.assertions import Template
from boto3.dynamodb.types import TypeDeserializer

from ses_insights.adapters.records import RecordTable
from ses_insights.contracts.names import DEFAULT_LADDER_SECONDS
from ses_insights.domain.insight import Insights
from ses_insights.domain.status import Status
from tests.support.shown import all_metrics, dashboard, queries_of
from tools import costs
from tools.costs import Day, Rows, dynamodb_bytes, item_bytes, month, typical

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

REPOSITORY = Path(__file__).resolve().parents[2]


@dataclass(slots=True)
class Transactions:
    """Takes what is written, in place of DynamoDB."""

    actions: list[dict[str, Any]] = field(default_factory=list)
    price: int = 2
    """Write units of a KB."""

    def transact_write_items(self, **request: Any) -> None:
        """Note it."""
        self.actions, self.price = request["TransactItems"], 2

    def put_item(self, **request: Any) -> None:
        """Note a put without a transaction, which costs half."""
        self.actions, self.price = [{"Put": request}], 1

    def units(self) -> int:
        """Write units of the noted transaction; a count of what came in is small."""
        plain = TypeDeserializer().deserialize
        return sum(
            self.price * math.ceil(item_bytes({name: plain(v) for name, v in item.items()}) / 1024)
            for item in (
                action.get("Put", {}).get("Item", {"": {"S": "x"}}) for action in self.actions
            )
        )


def test_the_page_is_up_to_date() -> None:
    """What `make costs` prints stands in docs/costs.md."""
    _, _, written = costs.PAGE.read_text().partition(costs.MARK)
    assert written.strip() == costs.worked(costs.SIZES), "run `make costs`"


def test_the_readme_quotes_the_totals() -> None:
    """To within a tenth, in its one sentence on money."""
    readme = " ".join((REPOSITORY / "README.md").read_text().split())
    quoted = dict(re.findall(r"([\d,]+) \$ at ([\d,]+)", readme))
    totals = {float(volume.replace(",", "")): float(total) for total, volume in quoted.items()}
    assert totals == {
        mails: pytest.approx(month(Day.of(mails), Rows.of(typical())).total, rel=0.1)
        for mails in costs.SIZES
    }


def test_bytes_are_counted_as_dynamodb_counts_them() -> None:
    """Names and values in UTF-8; three bytes for a list or map and one for each thing in it."""
    assert item_bytes({"MessageId": "abc", "Ä": "ö"}) == 9 + 3 + 2 + 2
    assert dynamodb_bytes(["ab", "c"]) == 3 + (1 + 2) + (1 + 1)
    assert dynamodb_bytes({"a": ["b"]}) == 3 + 1 + 1 + (3 + 1 + 1)
    assert [dynamodb_bytes(value) for value in (7, 1234, None, True)] == [2, 3, 1, 1]


def test_a_look_writes_what_the_page_counts() -> None:
    """What the service writes of the sample: at first, later, and where something is new."""
    record, rows = typical(), Rows.of(typical())
    client = Transactions()
    table = RecordTable(cast("DynamoDBClient", client), "Insights")
    table.save(record, (), read=None)
    into_three_indexes = 3
    assert rows.writes_of_a_first_look == client.units() + into_three_indexes
    later = replace(record, looks=2)
    table.save(later, (), read=record)
    a_move = 2
    assert rows.writes_of_a_look == client.units() + a_move
    (destination,) = record.insights.destinations
    clicked = replace(destination, click_count=1)
    news = replace(later, insights=replace(record.insights, destinations=(clicked,)))
    table.save(news, (), read=record)
    assert rows.writes_of_a_look_with_news == client.units() + 3 * a_move
    table.save(
        replace(record, insights=Insights("id"), status=Status.NOT_FOUND, looks=0), (), read=None
    )
    assert rows.writes_without_a_look == client.units() + 1


@pytest.mark.parametrize("mails", [1, 1_000, 11_972, 11_973, 43_000, 80_000, 200_000])
def test_looks_are_shared_out_as_the_slots_allow(mails: int) -> None:
    """Never more than the ladder has, nor than a day has seconds, less the reserve."""
    day = Day.of(mails)
    assert day.looks == pytest.approx(min(7 * mails, 0.97 * 86_400))
    assert day.first_looks <= mails
    assert day.is_postponed >= 0
    assert day.follow_ups >= 0


def test_more_mail_costs_more_and_less_for_each() -> None:
    """In total and for a thousand mails."""
    rows = Rows.of(typical())
    volumes = (100, 1_000, 10_000, 80_000, 200_000)
    totals = [month(Day.of(mails), rows).total for mails in volumes]
    each = [total / mails for total, mails in zip(totals, volumes, strict=True)]
    assert totals == sorted(totals)
    assert each == sorted(each, reverse=True)


@pytest.mark.parametrize(("mails", "most"), [(1_000, 11), (10_000, 30)])
def test_a_month_costs_no_more_than_is_promised(mails: int, most: float) -> None:
    """The command says so, and fails where it does."""
    assert costs.FLOORS[mails] == most
    assert month(Day.of(mails), Rows.of(typical())).total <= most
    assert costs.broken([mails, 80_000]) == []


def test_a_promise_that_is_broken_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the volume and both totals."""
    monkeypatch.setattr(costs, "FLOORS", {1_000: 1.0})
    (sentence,) = costs.broken([1_000, 10_000])
    assert re.fullmatch(
        r"1,000 mails a day cost \d+\.\d\d \$ a month; promised are 1\.00 \$\.", sentence
    )


def test_the_stack_is_what_is_paid_for(template: Template) -> None:
    """Memory, ladder, alarms and metrics are the deployment's."""
    functions = template.find_resources("AWS::Lambda::Function").values()
    assert {each["Properties"]["MemorySize"] / 1024 for each in functions} == {costs.MEMORY_GB}
    assert len(DEFAULT_LADDER_SECONDS) == Day.of(1).looks
    assert len(template.find_resources("AWS::CloudWatch::Alarm")) <= costs.ALARMS
    assert len(template.find_resources("AWS::KMS::Key")) == 1
    assert len(template.find_resources("AWS::CloudWatch::Dashboard")) == 1
    own = {each for each in all_metrics(template) if each.namespace == "SesInsights"}
    assert len(own) <= costs.EVERY_HOUR + costs.IN_TROUBLE
    queries = [each["query"] for each in queries_of(dashboard(template))]
    assert sum("SOURCE '${Lookup" in query for query in queries) == costs.GRAPHS_OF_LOG
