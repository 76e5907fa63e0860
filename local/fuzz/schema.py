"""The part of JSON Schema that ``docs/alert.schema.json`` uses.

https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from local.fuzz.promises import hold

Schema = Mapping[str, Any]

_TYPES: Final[Mapping[str, type]] = {"object": dict, "array": list, "string": str}
_KNOWN: Final = {
    *("$schema", "$defs", "$ref", "title", "description", "type", "const", "enum", "pattern"),
    *("required", "properties", "additionalProperties", "items"),
}


def faults(schema: Schema, value: object, *, root: Schema, at: str = "$") -> Iterator[str]:
    """List the places where a value does not fit a schema, each with the rule it breaks."""
    hold(set(schema) <= _KNOWN, f"the schema uses only what is understood here: {set(schema)}")
    if "$ref" in schema:
        name = str(schema["$ref"]).removeprefix("#/$defs/")
        yield from faults(root["$defs"][name], value, root=root, at=at)
    if "type" in schema and not isinstance(value, _TYPES[schema["type"]]):
        yield f"{at}: type"
        return
    if "const" in schema and value != schema["const"]:
        yield f"{at}: const"
    if "enum" in schema and value not in schema["enum"]:
        yield f"{at}: enum"
    if isinstance(value, str) and not re.search(schema.get("pattern", ""), value):
        yield f"{at}: pattern"
    if isinstance(value, list):
        for number, each in enumerate(value):
            yield from faults(schema.get("items", {}), each, root=root, at=f"{at}[{number}]")
    if isinstance(value, dict):
        yield from _faults_of_object(schema, value, root=root, at=at)


def _faults_of_object(
    schema: Schema, value: dict[str, object], *, root: Schema, at: str
) -> Iterator[str]:
    missing = set(schema.get("required", ())) - set(value)
    yield from (f"{at}.{name}: required" for name in sorted(missing))
    for name, each in value.items():
        inner = schema.get("properties", {}).get(name, schema.get("additionalProperties", {}))
        if inner is False:
            yield f"{at}: a property that is not named"
        else:
            yield from faults(inner, each, root=root, at=f"{at}.{name}")
