"""Compares two CloudFormation templates: `python -m tools.compare_templates BEFORE AFTER`.

Prints one line for each path at which they differ, and exits with 1 if there is any. A change of
the code that leaves the stack as it is differs only in the code asset. Each argument is a template,
or a folder into which `cdk synth --output` has written a single one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

MISSING: Final = object()


def main(arguments: list[str] | None = None) -> int:
    """Print the differences; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.compare_templates",
        description="Print each path at which two CloudFormation templates differ.",
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    chosen = parser.parse_args(arguments)
    found = list(differences(read(chosen.before), read(chosen.after)))
    for path, before, after in found:
        print(f"{path}: {shown(before)} -> {shown(after)}")
    print(f"{len(found)} differences" if len(found) != 1 else "1 difference", file=sys.stderr)
    return 1 if found else 0


def read(path: Path) -> Any:
    """Read a template, or the only one of a folder. Raises SystemExit where there is not one."""
    if path.is_dir():
        templates = list(path.glob("*.template.json"))
        if len(templates) != 1:
            sys.exit(f"{path} holds {len(templates)} templates; name one of them.")
        (path,) = templates
    return json.loads(path.read_text())


def differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield each path at which the two differ, with both values; `MISSING` where there is none."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            inner = f"{path}.{name}" if path else name
            yield from differences(before.get(name, MISSING), after.get(name, MISSING), inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            yield from differences(old, new, f"{path}[{number}]")
    elif before != after:
        yield path, before, after


def shown(value: Any) -> str:
    """Return a value as JSON, or the word for none."""
    return "(missing)" if value is MISSING else json.dumps(value, ensure_ascii=False)


if __name__ == "__main__":
    sys.exit(main())
