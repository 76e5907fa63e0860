"""Who waits for a look, or for the publication of an alert: the table's sparse index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from ses_insights.adapters.aws_errors import error_code, failing_as
from ses_insights.adapters.items import from_item, to_item
from ses_insights.contracts.names import Index
from ses_insights.domain.due import DueRow, Waiting
from ses_insights.domain.failures import FailureKind
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import Drop, Reschedule

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PAGE: Final = 100
"""Rows of one page; also the most that one BatchGetItem takes."""


@dataclass(frozen=True, slots=True)
class DueIndex:
    """Reads the lanes and moves rows in them.

    The index lags behind the table. So a row is changed only on the condition that it still waits
    for the very time that was read; of two runs that try, one succeeds.
    """

    client: DynamoDBClient
    table_name: str

    def count(self, lane: Lane, *, until: str, most: int) -> int:
        """Count the rows of a lane that are due; stops counting at `most`."""
        counted = 0
        start: dict[str, Any] = {}
        while counted < most:
            query = self._query(lane, "<= :time", until, Limit=most - counted, **start)
            page = self._read(query | {"Select": "COUNT"})
            counted += page["Count"]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
        return counted

    def oldest(self, lane: Lane, *, until: str) -> Waiting | None:
        """Read the row of a lane that has been due for longest; None where none is due."""
        page = self._read(self._query(lane, "<= :time", until, Limit=1))
        return next(map(_waiting, page["Items"]), None)

    def due(self, lane: Lane, *, until: str) -> Iterator[Sequence[Waiting]]:
        """Read the rows of a lane that are due, the oldest first, page by page."""
        start: dict[str, Any] = {}
        while True:
            page = self._read(self._query(lane, "<= :time", until, Limit=PAGE, **start))
            yield [_waiting(item) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    def beyond(self, lane: Lane, *, after: str) -> Sequence[Waiting]:
        """Read rows whose time lies after all times that can be right, the last ones first."""
        query = self._query(lane, "> :time", after, Limit=PAGE, ScanIndexForward=False)
        return [_waiting(item) for item in self._read(query)["Items"]]

    def details(self, rows: Sequence[Waiting]) -> dict[str, DueRow]:
        """Read what is known of up to a page of messages, as they are now, by message id.

        What DynamoDB leaves out under load is left out; it stays due.
        """
        if not rows:
            return {}
        # The index may list a row twice while it moves; BatchGetItem takes each key once.
        keys = [_key(row) for row in {row.message_id: row for row in rows}.values()]
        names = "MessageId, SentAt, Looks, NextLookAt"
        wanted = {"Keys": keys, "ProjectionExpression": names, "ConsistentRead": True}
        with failing_as(FailureKind.DYNAMODB, "BatchGetItem"):
            found = self.client.batch_get_item(RequestItems={self.table_name: wanted})  # type: ignore[dict-item] # the stubs want a literal
        known = map(DueRow.of, map(from_item, found["Responses"].get(self.table_name, [])))
        return {row.message_id: row for row in known}

    def claim(self, row: Waiting, *, until: str) -> bool:
        """Let a row wait until then; False where another run has moved it since."""
        return self._move(row, "SET NextLookAt = :to", {":to": until})

    def release(self, row: Waiting, *, claimed_until: str) -> bool:
        """Undo a claim: the row is due again."""
        claimed = replace(row, next_look_at=claimed_until)
        return self._move(claimed, "SET NextLookAt = :to", {":to": row.next_look_at})

    def apply(self, row: Waiting, decision: Reschedule | Drop) -> bool:
        """Let a row wait for a later look, or for none, and count the looks it lost by that."""
        names: dict[str, Any] = {}
        if isinstance(decision, Drop):
            # "Final" is a reserved word of DynamoDB.
            change = "SET #final = :why REMOVE NextLookAt, DueLane, Note"
            names = {"ExpressionAttributeNames": {"#final": "Final"}}
            values: dict[str, Any] = {":why": decision.reason}
        else:
            change = "SET NextLookAt = :to, DueLane = :lane"
            values = {":to": decision.at, ":lane": str(decision.lane)}
            if decision.note:
                change = f"{change}, Note = :note"
                values[":note"] = decision.note
        if decision.shed:
            change = f"{change} ADD Shed :shed"
            values[":shed"] = decision.shed
        return self._move(row, change, values, **names)

    def _move(self, row: Waiting, change: str, values: Mapping[str, Any], **names: Any) -> bool:
        with failing_as(FailureKind.DYNAMODB, "UpdateItem"):
            try:
                self.client.update_item(
                    TableName=self.table_name,
                    Key=_key(row),
                    UpdateExpression=change,
                    ConditionExpression="NextLookAt = :from",
                    ExpressionAttributeValues=to_item({":from": row.next_look_at, **values}),
                    **names,
                )
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    return False
                raise
        return True

    def _query(self, lane: Lane, compared: str, time: str, **more: object) -> dict[str, Any]:
        return {
            "TableName": self.table_name,
            "IndexName": Index.DUE_LOOKS,
            "KeyConditionExpression": f"DueLane = :lane AND NextLookAt {compared}",
            "ExpressionAttributeValues": to_item({":lane": str(lane), ":time": time}),
            **more,
        }

    def _read(self, query: dict[str, Any]) -> dict[str, Any]:
        with failing_as(FailureKind.DYNAMODB, "Query"):
            return dict(self.client.query(**query))


def _waiting(item: Mapping[str, Any]) -> Waiting:
    row = from_item(item)
    return Waiting(row["MessageId"], row["Record"], row["NextLookAt"])


def _key(row: Waiting) -> dict[str, Any]:
    return to_item({"MessageId": row.message_id, "Record": row.record})
