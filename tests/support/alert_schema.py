"""Holding alerts against their schema, with a validator that is not ours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator

SCHEMA: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "docs" / "alert.schema.json").read_text(encoding="utf-8")
)
_VALIDATOR: Final = Draft202012Validator(SCHEMA)


def faults_of(alert: Any) -> list[str]:
    """List where an alert does not fit its schema, each place with the rule it breaks."""
    return [f"{fault.json_path}: {fault.validator}" for fault in _VALIDATOR.iter_errors(alert)]
