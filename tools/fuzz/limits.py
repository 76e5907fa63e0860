"""DynamoDB and SNS in memory, as strict as documented: what they refuse is a broken promise.

Both stand where a boto3 client would, behind the service's own adapters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, cast

from tools.fuzz.promises import hold

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sns import SNSClient

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
ITEM_BYTES: Final = 400 * 1024
PARTITION_KEY_BYTES: Final = 2048
SORT_KEY_BYTES: Final = 1024
TRANSACTION_ACTIONS: Final = 100
TRANSACTION_BYTES: Final = 4 * 1024 * 1024
NESTING: Final = 32

# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
MESSAGE_BYTES: Final = 256 * 1024
SUBJECT_LENGTH: Final = 100

_KEYS: Final = {
    "MessageId": PARTITION_KEY_BYTES,
    "Record": SORT_KEY_BYTES,
    "Destination": PARTITION_KEY_BYTES,
    "Status": PARTITION_KEY_BYTES,
    "DueLane": PARTITION_KEY_BYTES,
    "LastEventAt": SORT_KEY_BYTES,
    "NextLookAt": SORT_KEY_BYTES,
}
"""The attributes that are keys of the table or of an index, and the bytes each may have."""

# What SQS takes, and so whatever subscribes through it.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
_NOT_CARRIED: Final = re.compile(r"[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ATTRIBUTE_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_SUBJECT: Final = re.compile(r"[!-~][ -~]*")

Item = Mapping[str, Any]


@dataclass(slots=True)
class Table:
    """Takes transactions and gives back the items of its one message."""

    items: dict[str, Item] = field(default_factory=dict)
    transactions: int = 0

    @property
    def client(self) -> DynamoDBClient:
        """Itself, where a client is asked for."""
        return cast("DynamoDBClient", self)

    def transact_write_items(self, **request: Any) -> None:
        """Store the items of a transaction that DynamoDB would take."""
        actions = [action for each in request["TransactItems"] for action in each.items()]
        hold(len(actions) <= TRANSACTION_ACTIONS, "a transaction has at most 100 actions")
        items = [action["Item"] for name, action in actions if name == "Put"]
        keys = [_key(action.get("Item") or action["Key"]) for _, action in actions]
        hold(len(set(keys)) == len(keys), "no two actions of a transaction are about one item")
        hold(sum(map(size, items)) <= TRANSACTION_BYTES, "a transaction has at most 4 MB")
        for item in items:
            _check_item(item)
        self.items |= {item["Record"]["S"]: item for item in items}
        self.transactions += 1

    def put_item(self, **put: Any) -> None:
        """Store an item that DynamoDB would take."""
        self.transact_write_items(TransactItems=[{"Put": {"Item": put["Item"]}}])

    def get_paginator(self, _: str) -> Table:
        """Offer itself as the paginator of its only query."""
        return self

    def paginate(self, **_: object) -> Iterator[dict[str, list[Item]]]:
        """Give everything, in the order of the sort key, an item a page."""
        for key in sorted(self.items, key=str.encode):
            yield {"Items": [self.items[key]]}


@dataclass(slots=True)
class Topic:
    """Takes what SNS takes, and keeps it."""

    published: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def client(self) -> SNSClient:
        """Itself, where a client is asked for."""
        return cast("SNSClient", self)

    def publish(self, **request: Any) -> dict[str, str]:
        """Keep a message that SNS, and SQS behind it, would take."""
        subject, message = request["Subject"], request["Message"]
        hold(
            _SUBJECT.fullmatch(subject) is not None and len(subject) <= SUBJECT_LENGTH,
            "an SNS subject is one line of at most 100 ASCII characters",
        )
        hold(_NOT_CARRIED.search(message) is None, "SQS carries every character of a message")
        total = len(message.encode())
        for name, attribute in request["MessageAttributes"].items():
            value = attribute["StringValue"]
            hold(_ATTRIBUTE_NAME.fullmatch(name) is not None, "an attribute's name is plain")
            hold(attribute["DataType"] == "String", "an attribute is a text")
            hold(bool(value.strip()), "an attribute is not empty")
            hold(_NOT_CARRIED.search(value) is None, "SQS carries every character of an attribute")
            total += len(f"{name}String{value}".encode())
        hold(total <= MESSAGE_BYTES, "a message and its attributes have at most 256 KiB")
        self.published.append(request)
        return {"MessageId": f"sns-{len(self.published)}"}


def _check_item(item: Item) -> None:
    hold(size(item) <= ITEM_BYTES, "an item has at most 400 KB")
    for name, longest in _KEYS.items():
        if name in item:
            hold(set(item[name]) == {"S"}, f"{name} is a key, and a text")
            hold(0 < len(item[name]["S"].encode()) <= longest, f"{name} is a key: not empty, short")
    hold(set(item) >= {"MessageId", "Record"}, "an item has its key")
    hold(max(map(_depth, item.values())) <= NESTING, "values are nested at most 32 deep")
    hold(not any(map(_names_a_type, item.values())), "no map has the name that the protocol keeps")


def size(item: Item) -> int:
    """Count an item's bytes as DynamoDB does; of numbers, the most they can have.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Item) -> int:
    ((kind, content),) = value.items()
    match kind:
        case "S":
            return len(content.encode())
        case "N":
            return 21
        case "L":
            return 3 + sum(1 + _size(each) for each in content)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _size(each) for name, each in content.items())
    raise TypeError(f"no row has a value of the type {kind}")


def _depth(value: Item) -> int:
    ((kind, content),) = value.items()
    inner = content if kind == "L" else content.values() if kind == "M" else ()
    return 1 + max(map(_depth, inner), default=0)


def _names_a_type(value: Item) -> bool:
    """Whether a map says ``__type``, which DynamoDB's protocol takes for its own.

    https://github.com/aws/aws-sdk-js/issues/1547
    """
    ((kind, content),) = value.items()
    inner = content if kind == "L" else content.values() if kind == "M" else ()
    return (kind == "M" and "__type" in content) or any(map(_names_a_type, inner))


def _key(item: Item) -> tuple[str, str]:
    return item["MessageId"]["S"], item["Record"]["S"]
