"""Rows as DynamoDB's client takes and returns them, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

from ses_insights.contracts.rows import Row

_serialize: Final = TypeSerializer().serialize
_deserialize: Final = TypeDeserializer().deserialize


def to_item(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row, or values of an expression, with each value's type."""
    return {
        # Most values are text, and boto3 tries every other type before.
        name: {"S": value} if type(value) is str else _serialize(value)
        for name, value in row.items()
    }


def from_item(item: Mapping[str, Any]) -> Row:
    """Return an item's plain values; numbers as Decimal."""
    return {name: _deserialize(value) for name, value in item.items()}
