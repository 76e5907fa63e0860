"""Pages of a list, joined, are the list: each row once, in order, at whatever length of a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from ses_insights.adapters.items import from_item, to_item
from ses_insights.cli.deployment import Deployment
from ses_insights.cli.web.paging import Listing, Page
from ses_insights.contracts.names import Index
from ses_insights.contracts.rows import Row

PARTITIONS = ("BOUNCE", "COMPLAINT", "REJECT")


@dataclass(slots=True)
class Aws:
    """An index as DynamoDB serves it: where a page is full it names a place to go on from.

    It does so also where nothing follows, which moto does not.
    """

    rows: Mapping[str, Sequence[Row]]
    table_name: str = "Insights"
    calls: int = 0

    @property
    def dynamodb(self) -> Aws:
        """The client."""
        return self

    def query(self, **request: Any) -> dict[str, Any]:
        """Answer a query."""
        self.calls += 1
        (partition,) = request["ExpressionAttributeValues"][":key"].values()
        rows = self.rows[partition]
        place = request.get("ExclusiveStartKey")
        start = 0 if place is None else _places(rows).index(from_item(place)["MessageId"]) + 1
        found = rows[start : start + request["Limit"]]
        answer: dict[str, Any] = {"Items": [to_item(row) for row in found]}
        if len(found) == request["Limit"]:
            answer["LastEvaluatedKey"] = to_item(found[-1])
        return answer


def _places(rows: Sequence[Row]) -> list[str]:
    return [row["MessageId"] for row in rows]


@st.composite
def stored(draw: st.DrawFn) -> dict[str, list[Row]]:
    """Rows of each partition, newest first; many come at one time."""
    rows: dict[str, list[Row]] = {}
    for partition in PARTITIONS:
        times = sorted(draw(st.lists(st.integers(0, 9), max_size=12)), reverse=True)
        rows[partition] = [
            {
                "AlertType": partition,
                "DetectedAt": f"2026-11-23T10:00:0{time}.000Z",
                "MessageId": f"{partition}-{number}",
                "Record": f"ALERT#{number}",
            }
            for number, time in enumerate(times)
        ]
    return rows


def pages_of(listing: Listing, aws: Aws, rows: int, calls: int) -> list[Page]:
    """All pages, each read from the place that the one before names."""
    deployment = cast("Deployment", aws)
    pages = [listing.page(deployment, None, rows=rows, calls=calls)]
    while place := pages[-1].following:
        before = aws.calls
        pages.append(listing.page(deployment, place, rows=rows, calls=calls))
        assert aws.calls - before <= calls
        assert len(pages) < 200
    return pages


@given(stored(), st.integers(1, 15))
def test_pages_joined_are_the_list(rows: dict[str, list[Row]], size: int) -> None:
    """Full pages but the last one, no empty one, and one query for each partition in a page."""
    listing, aws = Listing(Index.BY_ALERT, PARTITIONS), Aws(rows)
    pages = pages_of(listing, aws, size, calls=len(PARTITIONS))
    joined = [row for page in pages for row in page.rows]
    assert sorted(map(str, joined)) == sorted(str(row) for each in rows.values() for row in each)
    assert [row["DetectedAt"] for row in joined] == sorted(
        (row["DetectedAt"] for row in joined), reverse=True
    )
    assert all(len(page.rows) == size for page in pages[:-1])
    assert len(pages) == 1 or pages[-1].rows


@given(stored(), st.integers(1, 4), st.integers(3, 5))
def test_what_is_rare_is_found_in_the_end(
    rows: dict[str, list[Row]], size: int, calls: int
) -> None:
    """A page stops after its calls, and the next one goes on where it stopped."""
    listing = Listing(
        Index.BY_ALERT, PARTITIONS, holds=lambda row: str(row["MessageId"]).endswith("7")
    )
    aws = Aws(rows)
    found = [row for page in pages_of(listing, aws, size, calls) for row in page.rows]
    assert sorted(map(str, found)) == sorted(
        str(row) for each in rows.values() for row in each if row["MessageId"].endswith("7")
    )
