"""DynamoDB in memory, as far as the service uses it.

Limits: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from ses_insights.contracts.names import INDEX_KEYS, TABLE_KEYS, Index
from tools.chaos.calls import Caller, refusal
from tools.chaos.expressions import Item, comparable, condition, projected, updated
from tools.chaos.world import World

Key = tuple[str, str]
"""Partition and sort key."""

LARGEST_ITEM: Final = 400 * 1024
LARGEST_TRANSACTION: Final = 4 * 1024 * 1024
MOST_ACTIONS: Final = 100
PAGE_BYTES: Final = 1024 * 1024
_SMALL: Final = 10_000
"""Characters of an item as text, of which 100 fit into any page."""
TOKEN_KEPT: Final = 600.0
"""Seconds for which a transaction's token makes a repetition of it none."""

_PARTITION, _SORT = map(str, TABLE_KEYS)
_EQUALS: Final = re.compile(r"(#?\w+)\s*=\s*(:\w+)")

Watcher = Callable[[Key, Item | None, Item | None], None]
"""Gets a row's key, and the row before and after a write."""


@dataclass(slots=True)
class _Index:
    """What an index shows: it follows the table later, each row in the order of its writes."""

    partition: str
    sort: str
    shown: dict[str, dict[Key, Item]] = field(default_factory=dict)
    coming: list[tuple[float, Key, Item | None]] = field(default_factory=list)
    _where: dict[Key, str] = field(default_factory=dict)

    def follow(self, now: float) -> None:
        """Show what has come by now."""
        if not self.coming:
            return
        later = []
        for entry in self.coming:
            if entry[0] <= now:
                self._show(entry[1], entry[2])
            else:
                later.append(entry)
        self.coming = later

    def _show(self, key: Key, item: Item | None) -> None:
        if key in self._where:
            del self.shown[self._where.pop(key)][key]
        if item is not None and self.partition in item and self.sort in item:
            where = item[self.partition]["S"]
            self._where[key] = where
            self.shown.setdefault(where, {})[key] = item


@dataclass(slots=True)
class Table:
    """The table and its indexes."""

    world: World
    page_bytes: int = PAGE_BYTES
    has_large: bool = False
    """Whether any row was ever so large that pages may end before all rows are read."""
    longest_lag: float = 1.0
    """Seconds by which an index follows at most."""
    rows: dict[str, dict[str, Item]] = field(default_factory=dict)
    indexes: dict[str, _Index] = field(init=False)
    watchers: list[Watcher] = field(default_factory=list)
    tokens: dict[object, float] = field(default_factory=dict)
    """When the transaction of a token was carried out."""
    _follows_at: dict[Key, float] = field(default_factory=dict)
    _sizes: dict[int, tuple[Item, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.indexes = {
            str(name): _Index(str(partition), str(sort))
            for name, (partition, sort) in INDEX_KEYS.items()
        }

    def get(self, key: Key) -> Item | None:
        """Return a row as it is now."""
        return self.rows.get(key[0], {}).get(key[1])

    def put(self, key: Key, item: Item | None) -> None:
        """Write a row, or delete it where there is none."""
        before = self.get(key)
        if item is None:
            if before is None:
                return
            partition = self.rows[key[0]]
            del partition[key[1]]
            if not partition:
                del self.rows[key[0]]
        else:
            if len(str(item)) > _SMALL:
                self.has_large = True
                if size_of(item) > LARGEST_ITEM:
                    raise refusal("ValidationException", "PutItem")
            self.rows.setdefault(key[0], {})[key[1]] = item
        world = self.world
        lag = self.longest_lag * world.random.random() ** 4
        at = max(world.now + lag, self._follows_at.get(key, 0.0))
        self._follows_at[key] = at
        for index in self.indexes.values():
            if (before and index.partition in before) or (item and index.partition in item):
                index.coming.append((at, key, item))
        for watch in self.watchers:
            watch(key, before, item)

    def partition(self, index_name: str | None, value: str) -> list[tuple[Key, Item]]:
        """Return a partition of the table, or of an index, in the order of its sort key."""
        if index_name is None:
            rows = self.rows.get(value, {})
            return [((value, sort), rows[sort]) for sort in sorted(rows, key=str.encode)]
        index = self.indexes[index_name]
        index.follow(self.world.now)
        found = index.shown.get(value)
        if not found:
            return []
        sort = index.sort
        return sorted(found.items(), key=lambda each: (each[1][sort]["S"].encode(), each[0]))

    def size(self, item: Item) -> int:
        """Return the bytes of an item that is or was stored; none is ever changed in place."""
        known = self._sizes.get(id(item))
        if known is None:
            # With the item, so that no other one gets its identity.
            known = self._sizes[id(item)] = item, size_of(item)
        return known[1]

    def everything(self) -> Iterator[tuple[Key, Item]]:
        """Return every row as it is now."""
        for partition, rows in list(self.rows.items()):
            for sort, item in list(rows.items()):
                yield (partition, sort), item


def size_of(value: Any) -> int:
    """Return the bytes of an item, about as DynamoDB counts them."""
    if isinstance(value, dict):
        return sum(len(name.encode()) + 1 + size_of(part) for name, part in value.items())
    if isinstance(value, list):
        return 3 + sum(1 + size_of(part) for part in value)
    if isinstance(value, str):
        return len(value.encode())
    return 1


@cache
def _partition_value(expression: str, names: tuple[tuple[str, str], ...], partition: str) -> str:
    for name, value in _EQUALS.findall(expression):
        if dict(names).get(name, name) == partition:
            return str(value)
    raise refusal("ValidationException", "Query")


def _key(item: Mapping[str, Any]) -> Key:
    return item[_PARTITION]["S"], item[_SORT]["S"]


@dataclass(slots=True)
class _Paginator:
    """All pages of a query or a scan, each read when it is asked for."""

    page: Callable[..., dict[str, Any]]

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        """Read page by page."""
        start: dict[str, Any] = {}
        while True:
            page = self.page(**request, **start)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


@dataclass(slots=True)
class DynamoDb:
    """The client."""

    caller: Caller
    table: Table

    def get_paginator(self, operation: str) -> _Paginator:
        """Return a paginator."""
        return _Paginator({"query": self.query, "scan": self.scan}[operation])

    def query(self, **request: Any) -> dict[str, Any]:
        """Read a page of a partition."""
        return self.caller.call("Query", lambda: self._query(request))

    def _query(self, request: Mapping[str, Any]) -> dict[str, Any]:
        index = request.get("IndexName")
        names = request.get("ExpressionAttributeNames", {})
        values = request.get("ExpressionAttributeValues", {})
        expression = request["KeyConditionExpression"]
        name = INDEX_KEYS[index][0] if index else TABLE_KEYS[0]
        variable = _partition_value(expression, tuple(names.items()), str(name))
        rows = self.table.partition(index and str(index), values[variable]["S"])
        if not rows:
            return {"Count": 0, "Items": []}
        matches = condition(expression)
        found = [(key, item) for key, item in rows if matches(item, names, values)]
        if not request.get("ScanIndexForward", True):
            found.reverse()
        return self._page(found, request)

    def scan(self, **request: Any) -> dict[str, Any]:
        """Read a page of the table."""
        return self.caller.call(
            "Scan", lambda: self._page(sorted(self.table.everything()), request)
        )

    def _page(self, found: list[tuple[Key, Item]], request: Mapping[str, Any]) -> dict[str, Any]:
        index, start = request.get("IndexName"), request.get("ExclusiveStartKey")
        if start:
            # The page begins after this key, whether or not its row is still there.
            backwards = not request.get("ScanIndexForward", True)
            mark = _order(start, index)
            found = [
                (key, item)
                for key, item in found
                if (_order(item, index) < mark if backwards else _order(item, index) > mark)
            ]
        page, last = self._cut([item for _, item in found], request.get("Limit"))
        names = request.get("ExpressionAttributeNames", {})
        if wanted := request.get("FilterExpression"):
            matches, values = condition(wanted), request.get("ExpressionAttributeValues", {})
            page = [item for item in page if matches(item, names, values)]
        if projection := request.get("ProjectionExpression"):
            page = [projected(item, projection, names) for item in page]
        answer: dict[str, Any] = {"Count": len(page)}
        if request.get("Select") != "COUNT":
            answer["Items"] = page
        if last is not None:
            keys = {*TABLE_KEYS, *(INDEX_KEYS[index] if index else ())}
            answer["LastEvaluatedKey"] = {str(key): last[key] for key in keys}
        return answer

    def _cut(self, rows: list[Item], limit: int | None) -> tuple[list[Item], Item | None]:
        """Return the rows of a page, and its last one where more may follow."""
        last = None
        if limit is not None and len(rows) >= limit:
            rows = rows[:limit]
            last = rows[-1]
        table = self.table
        if table.has_large or table.page_bytes < PAGE_BYTES or len(rows) > MOST_ACTIONS:
            size = 0
            for at, item in enumerate(rows):
                size += table.size(item)
                if at and size > table.page_bytes:
                    return rows[:at], rows[at - 1]
        return rows, last

    def batch_get_item(self, *, RequestItems: Mapping[str, Any]) -> dict[str, Any]:  # noqa: N803
        """Read up to 100 rows; under load some are left out."""
        ((name, request),) = RequestItems.items()
        keys = [_key(key) for key in request["Keys"]]
        if len(set(keys)) != len(keys) or not 0 < len(keys) <= MOST_ACTIONS:
            raise refusal("ValidationException", "BatchGetItem")
        names = request.get("ExpressionAttributeNames", {})

        def effect() -> dict[str, Any]:
            world, faults = self.caller.world, self.caller.faults
            loaded = world.now < faults.until and world.chance(faults.rate)
            read = keys[: world.random.randrange(len(keys))] if loaded else keys
            found = [item for key in read if (item := self.table.get(key))]
            if projection := request.get("ProjectionExpression"):
                found = [projected(item, projection, names) for item in found]
            left = [key for key in request["Keys"] if _key(key) not in read]
            return {
                "Responses": {name: found},
                "UnprocessedKeys": {name: {**request, "Keys": left}} if left else {},
            }

        return self.caller.call("BatchGetItem", effect)

    def update_item(self, **request: Any) -> dict[str, Any]:
        """Change a row, or make it."""

        def effect() -> dict[str, Any]:
            if not self._holds(request):
                raise refusal("ConditionalCheckFailedException", "UpdateItem")
            self._update(request)
            return {}

        return self.caller.call("UpdateItem", effect)

    def put_item(self, **request: Any) -> dict[str, Any]:
        """Write a row."""

        def effect() -> dict[str, Any]:
            if not self._holds(request):
                there = self.table.get(_key(request["Item"]))
                wanted = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
                more: dict[str, Any] = {"Item": there} if wanted and there else {}
                raise refusal("ConditionalCheckFailedException", "PutItem", **more)
            self.table.put(_key(request["Item"]), request["Item"])
            return {}

        return self.caller.call("PutItem", effect)

    def get_item(self, **request: Any) -> dict[str, Any]:
        """Read a row."""

        def effect() -> dict[str, Any]:
            item = self.table.get(_key(request["Key"]))
            return {"Item": item} if item else {}

        return self.caller.call("GetItem", effect)

    def delete_item(self, **request: Any) -> dict[str, Any]:
        """Delete a row."""

        def effect() -> dict[str, Any]:
            if not self._holds(request):
                raise refusal("ConditionalCheckFailedException", "DeleteItem")
            self.table.put(_key(request["Key"]), None)
            return {}

        return self.caller.call("DeleteItem", effect)

    def transact_write_items(self, *, TransactItems: Sequence[Any]) -> dict[str, Any]:  # noqa: N803
        """Carry out all actions, or none."""
        actions = [next(iter(action.items())) for action in TransactItems]
        keys = [_key(request.get("Item") or request["Key"]) for _, request in actions]
        if not 0 < len(actions) <= MOST_ACTIONS or len(set(keys)) != len(keys):
            raise refusal("ValidationException", "TransactWriteItems")
        if sum(len(str(action)) for action in actions) > LARGEST_TRANSACTION // 4 and (
            sum(size_of(request.get("Item", {})) for _, request in actions) > LARGEST_TRANSACTION
        ):
            raise refusal("ValidationException", "TransactWriteItems")
        token = object()  # boto3 gives each call one; its own second try has the same

        def effect() -> dict[str, Any]:
            tokens, now = self.table.tokens, self.caller.world.now
            if now - tokens.get(token, -TOKEN_KEPT) < TOKEN_KEPT:
                return {}
            codes = [
                "None" if self._holds(request) else "ConditionalCheckFailed"
                for _, request in actions
            ]
            if set(codes) != {"None"}:
                raise refusal(
                    "TransactionCanceledException",
                    "TransactWriteItems",
                    CancellationReasons=[{"Code": code} for code in codes],
                )
            for kind, request in actions:
                if kind == "Put":
                    self.table.put(_key(request["Item"]), request["Item"])
                elif kind == "Update":
                    self._update(request)
                elif kind == "Delete":
                    self.table.put(_key(request["Key"]), None)
            tokens[token] = now
            return {}

        return self.caller.call("TransactWriteItems", effect)

    def _holds(self, request: Mapping[str, Any]) -> bool:
        wanted = request.get("ConditionExpression")
        if wanted is None:
            return True
        item = self.table.get(_key(request.get("Item") or request["Key"])) or {}
        return condition(wanted)(
            item,
            request.get("ExpressionAttributeNames", {}),
            request.get("ExpressionAttributeValues", {}),
        )

    def _update(self, request: Mapping[str, Any]) -> None:
        key = _key(request["Key"])
        before = self.table.get(key) or dict(request["Key"])
        after = updated(
            before,
            request["UpdateExpression"],
            request.get("ExpressionAttributeNames", {}),
            request.get("ExpressionAttributeValues", {}),
        )
        self.table.put(key, after)


def _order(item: Mapping[str, Any], index: Index | None) -> tuple[Any, ...]:
    key = _key(item)
    if index:
        return comparable(item[INDEX_KEYS[index][1]]), key
    return key[0], key[1].encode()
