"""Rows as DynamoDB's items, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer

_serialize: Final = TypeSerializer().serialize
_deserialize: Final = TypeDeserializer().deserialize


def to_item(row: Mapping[str, Any]) -> dict[str, Any]:
    """Write a row as an item."""
    return {name: _serialize(value) for name, value in row.items()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Read an item as a row."""
    return {name: _deserialize(value) for name, value in item.items()}
