"""DynamoDB's expressions: conditions, updates, projections, on items as the client has them.

A condition becomes a function once and is kept. Only what the service uses, and what belongs to it,
is understood; anything else raises `ExpressionError`, and the tests hold this module to moto.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, Final

Item = dict[str, Any]
"""An item, each value with its type, as in ``{"Looks": {"N": "3"}}``."""
Names = Mapping[str, str]
Values = Mapping[str, Any]
Condition = Callable[[Item, Names, Values], bool]

_TOKENS: Final = re.compile(r"\s*(<>|<=|>=|[=<>(),+-]|[#:]?[A-Za-z_][A-Za-z0-9_]*)")


class ExpressionError(Exception):
    """An expression that this module does not understand, or that DynamoDB would refuse."""


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    text = text.strip()
    while at < len(text):
        match = _TOKENS.match(text, at)
        if match is None:
            raise ExpressionError(f"not understood: {text[at:]!r}")
        found.append(match[1])
        at = match.end()
    return found


class _Reader:
    """Takes tokens one by one; a keyword is compared in capitals."""

    def __init__(self, text: str) -> None:
        self.tokens = _tokens(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at].upper() if self.at < len(self.tokens) else ""

    def take(self) -> str:
        if self.at == len(self.tokens):
            raise ExpressionError("it ends too soon")
        self.at += 1
        return self.tokens[self.at - 1]

    def expect(self, token: str) -> None:
        if self.peek() != token:
            raise ExpressionError(f"{token} expected, not {self.peek()!r}")
        self.at += 1

    def skip(self, token: str) -> bool:
        found = self.peek() == token
        self.at += found
        return found


Operand = Callable[[Item, Names, Values], Any]


def _operand(token: str) -> Operand:
    if token.startswith(":"):
        return lambda _item, _names, values: values[token]
    if token.startswith("#"):
        return lambda item, names, _values: item.get(names[token])
    return lambda item, _names, _values: item.get(token)


def comparable(value: Mapping[str, Any]) -> Any:
    """Return a key's or an operand's value, so that Python compares it as DynamoDB does."""
    ((kind, content),) = value.items()
    if kind == "S":
        return content.encode()
    return Decimal(content) if kind == "N" else content


def _compared(operator: str, left: Any, right: Any) -> bool:
    if operator == "=":
        return left is not None and bool(left == right)
    if operator == "<>":
        return bool(left != right)
    if left is None or right is None or left.keys() != right.keys():
        return False
    low, high = comparable(left), comparable(right)
    return bool(
        low < high
        if operator == "<"
        else low <= high
        if operator == "<="
        else low > high
        if operator == ">"
        else low >= high
    )


def _or(reader: _Reader) -> Condition:
    parts = [_and(reader)]
    while reader.skip("OR"):
        parts.append(_and(reader))
    if len(parts) == 1:
        return parts[0]
    return lambda item, names, values: any(part(item, names, values) for part in parts)


def _and(reader: _Reader) -> Condition:
    parts = [_not(reader)]
    while reader.skip("AND"):
        parts.append(_not(reader))
    if len(parts) == 1:
        return parts[0]
    return lambda item, names, values: all(part(item, names, values) for part in parts)


def _not(reader: _Reader) -> Condition:
    if reader.skip("NOT"):
        inner = _not(reader)
        return lambda item, names, values: not inner(item, names, values)
    return _single(reader)


def _single(reader: _Reader) -> Condition:
    if reader.skip("("):
        inner = _or(reader)
        reader.expect(")")
        return inner
    token = reader.take()
    if reader.skip("("):
        return _function(token.lower(), reader)
    left, operator = _operand(token), reader.take().upper()
    if operator == "BETWEEN":
        low = _operand(reader.take())
        reader.expect("AND")
        high = _operand(reader.take())
        return lambda item, names, values: (
            _compared(">=", left(item, names, values), low(item, names, values))
            and _compared("<=", left(item, names, values), high(item, names, values))
        )
    if operator not in {"=", "<>", "<", "<=", ">", ">="}:
        raise ExpressionError(f"no operator: {operator}")
    right = _operand(reader.take())
    return lambda item, names, values: _compared(
        operator, left(item, names, values), right(item, names, values)
    )


def _function(name: str, reader: _Reader) -> Condition:
    path = _operand(reader.take())
    if name in {"attribute_exists", "attribute_not_exists"}:
        reader.expect(")")
        wanted = name == "attribute_exists"
        return lambda item, names, values: (path(item, names, values) is not None) is wanted
    if name not in {"begins_with", "contains"}:
        raise ExpressionError(f"no function: {name}")
    reader.expect(",")
    other = _operand(reader.take())
    reader.expect(")")
    test = _begins_with if name == "begins_with" else _contains
    return lambda item, names, values: test(path(item, names, values), other(item, names, values))


def _begins_with(value: Any, beginning: Any) -> bool:
    return value is not None and "S" in value and bool(value["S"].startswith(beginning["S"]))


def _contains(value: Any, part: Any) -> bool:
    if value is None:
        return False
    ((kind, content),) = value.items()
    ((_, sought),) = part.items()
    return part in content if kind == "L" else sought in content


@cache
def condition(text: str) -> Condition:
    """Return an expression of a condition, a filter or keys as a function."""
    reader = _Reader(text)
    parsed = _or(reader)
    if reader.peek():
        raise ExpressionError(f"more than one condition: {text}")
    return parsed


Step = Callable[[Item, Item, Names, Values], None]
"""Changes the second item, as the first one, the item before the update, says."""


@cache
def _update(text: str) -> Sequence[Step]:
    reader = _Reader(text)
    steps: list[Step] = []
    while clause := reader.peek():
        if clause not in {"SET", "REMOVE", "ADD", "DELETE"}:
            raise ExpressionError(f"no clause: {clause}")
        reader.take()
        steps.append(_step(clause, reader))
        while reader.skip(","):
            steps.append(_step(clause, reader))
    return steps


def _step(clause: str, reader: _Reader) -> Step:
    path = reader.take()
    if clause == "SET":
        reader.expect("=")
        return _set(path, reader)
    if clause == "REMOVE":
        return lambda _before, after, names, _values: _remove(after, names.get(path, path))
    value = reader.take()
    if clause == "ADD":
        return lambda before, after, names, values: _add(
            before, after, names.get(path, path), values[value]
        )
    return lambda _before, after, names, values: _take_out(
        after, names.get(path, path), values[value]
    )


def _set(path: str, reader: _Reader) -> Step:
    first = _value(reader)
    operator = reader.take() if reader.peek() in {"+", "-"} else ""
    second = _value(reader) if operator else None

    def step(before: Item, after: Item, names: Names, values: Values) -> None:
        value = first(before, names, values)
        if second is not None:
            other = second(before, names, values)
            value = _sum(value, other, -1 if operator == "-" else 1)
        if value is None:
            raise ExpressionError(f"SET {path}: the attribute it is taken from is not there")
        after[names.get(path, path)] = value

    return step


def _value(reader: _Reader) -> Operand:
    token = reader.take()
    if not reader.skip("("):
        return _operand(token)
    name, first = token.lower(), _value(reader)
    reader.expect(",")
    second = _value(reader)
    reader.expect(")")
    if name == "if_not_exists":
        return lambda item, names, values: (
            found
            if (found := first(item, names, values)) is not None
            else second(item, names, values)
        )
    if name == "list_append":
        return lambda item, names, values: {
            "L": first(item, names, values)["L"] + second(item, names, values)["L"]
        }
    raise ExpressionError(f"no function of an update: {name}")


def _sum(one: Any, other: Any, sign: int) -> Any:
    total = Decimal(one["N"]) + sign * Decimal(other["N"])
    return {"N": str(total)}


def _remove(item: Item, name: str) -> None:
    item.pop(name, None)


def _add(before: Item, after: Item, name: str, value: Any) -> None:
    old = before.get(name)
    ((kind, content),) = value.items()
    if kind == "N":
        after[name] = _sum(old, value, 1) if old else value
    else:
        after[name] = {kind: sorted({*(old[kind] if old else ()), *content})}


def _take_out(item: Item, name: str, value: Any) -> None:
    ((kind, content),) = value.items()
    if name in item:
        left = sorted(set(item[name][kind]) - set(content))
        if left:
            item[name] = {kind: left}
        else:
            del item[name]


def updated(before: Item, text: str, names: Names, values: Values) -> Item:
    """Return an item as an update leaves it."""
    after = dict(before)
    for step in _update(text):
        step(before, after, names, values)
    return after


def projected(item: Item, text: str, names: Names) -> Item:
    """Return the attributes that a projection names."""
    wanted = [names.get(name, name) for name in (part.strip() for part in text.split(","))]
    return {name: item[name] for name in wanted if name in item}
