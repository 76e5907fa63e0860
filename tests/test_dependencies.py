"""Imports run one way: domain < contracts < {service, adapters} < {handlers, cli}."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

PROJECT: Final = Path(__file__).parent.parent
PACKAGE: Final = "ses_insights"

ALLOWED: Final = {
    "domain": {"domain"},
    "contracts": {"contracts", "domain"},
    "service": {"service", "contracts", "domain"},
    "adapters": {"adapters", "service.ports", "contracts", "domain"},
    "settings": {"contracts", "domain"},
    "handlers": {"handlers", "settings", "service", "adapters", "contracts", "domain"},
    "cli": {"cli", "settings", "service", "adapters", "contracts", "domain"},
}
"""What each part of the package may import of the package."""

OUTSIDE: Final = {
    "infra": {"infra", "ses_insights.contracts.names"},
    "local": {"local", "infra", "ses_insights"},
    "tools": {"tools", "local", "infra", "ses_insights"},
}
"""What each folder beside the package may import of the project."""


def modules(folder: str) -> Iterator[Path]:
    """Every module of a folder, or the one module of that name."""
    path = PROJECT / folder
    return iter(path.rglob("*.py")) if path.is_dir() else iter([path.with_suffix(".py")])


def imports(module: Path) -> Iterator[str]:
    """Every name that a module imports, in full."""
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def starts(name: str, prefixes: set[str]) -> bool:
    """Whether a dotted name lies within one of these."""
    return any(f"{name}.".startswith(f"{prefix}.") for prefix in prefixes)


def test_every_part_of_the_package_has_its_rule() -> None:
    """A new folder or module of the package needs a line in the table."""
    package = PROJECT / "functions" / PACKAGE
    parts = {path.stem for path in package.iterdir() if path.is_dir() or path.suffix == ".py"}
    assert parts - {"__init__", "__pycache__"} == set(ALLOWED)


@pytest.mark.parametrize("part", ALLOWED)
def test_the_package_imports_one_way(part: str) -> None:
    """No part imports what lies above it, nor the project's other folders."""
    allowed = {f"{PACKAGE}.{name}" for name in ALLOWED[part]}
    for module in modules(f"functions/{PACKAGE}/{part}"):
        own = {name for name in imports(module) if starts(name, {PACKAGE})}
        assert {name for name in own if not starts(name, allowed)} == set(), module
        assert not any(starts(name, {*OUTSIDE, "tests"}) for name in imports(module)), module


@pytest.mark.parametrize("part", ["domain", "contracts"])
def test_what_decides_knows_nothing_of_aws(part: str) -> None:
    """The domain and the contracts import the standard library and each other."""
    known = {*sys.stdlib_module_names, PACKAGE}
    for module in modules(f"functions/{PACKAGE}/{part}"):
        assert {name for name in imports(module) if not starts(name, known)} == set(), module


@pytest.mark.parametrize("folder", OUTSIDE)
def test_the_folders_beside_the_package_import_one_way(folder: str) -> None:
    """The stack reads the shared names only, `local` knows no tool, and nothing knows the tests."""
    project = {*OUTSIDE, PACKAGE, "tests"}
    for module in modules(folder):
        own = {name for name in imports(module) if starts(name, project)}
        assert {name for name in own if not starts(name, OUTSIDE[folder])} == set(), module
