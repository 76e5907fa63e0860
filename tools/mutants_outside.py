"""Mutants of what mutmut leaves alone.

These are numbers and switches outside functions, properties, and functions called at import.

The changes are mutmut's own. Each is written into a copy of the package, and a process that has
everything but the package imported already runs the tests.
"""

from __future__ import annotations

import ast
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import unified_diff
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Final, NoReturn

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper
from mutmut.mutation.file_mutation import MutationVisitor
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

PROJECT: Final = Path(__file__).resolve().parent.parent
CACHES: Final = shutil.ignore_patterns("__pycache__")

IMPORTED: Final = ("aws_lambda_powertools", "boto3", "hypothesis", "moto")
"""What takes long to import, and is not of the project."""

DECIDING: Final = (cst.BaseNumber, cst.Name, cst.BinaryOperation, cst.UnaryOperation)
"""What is changed outside functions: the other nodes hold texts and tables of texts."""

LONGEST: Final = 300
"""Seconds after which the tests are taken to run for ever."""


@dataclass(frozen=True, slots=True)
class Change:
    """A module as it is with one small change."""

    module: str
    source: str | None
    """None for the module as it is."""
    diff: str


class _Visitor(MutationVisitor):
    """Also goes into functions with decorators, which mutmut cannot change."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        return not isinstance(node, cst.FunctionDef) and super()._skip_node_and_children(node)


def changes(module: str, source: str) -> Iterator[Change]:
    """Make every change of a module that is outside the functions that mutmut changes."""
    early = called_at_import(source)
    visitor = _Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
    tree = MetadataWrapper(cst.parse_module(source)).visit(visitor)
    for mutation in visitor.mutations:
        function = mutation.contained_by_top_level_function
        if isinstance(function, cst.FunctionDef):
            is_wanted = function.name.value in early or not _is_mutmuts(function)
        else:
            is_wanted = isinstance(mutation.original_node, DECIDING)
        if is_wanted:
            changed = tree.deep_replace(mutation.original_node, mutation.mutated_node)
            after = cst.ensure_type(changed, cst.Module).code
            diff = unified_diff(source.splitlines(), after.splitlines(), lineterm="")
            yield Change(module, after, "\n".join(diff))


def called_at_import(source: str) -> frozenset[str]:
    """Return the functions of a module whose result it keeps: mutmut's changes come too late."""
    body = ast.parse(source).body
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    called: set[str] = set()
    nodes: list[ast.AST] = [node for node in body if isinstance(node, ast.Assign | ast.AnnAssign)]
    while nodes:
        names = {name.id for name in ast.walk(nodes.pop()) if isinstance(name, ast.Name)}
        new = (names & functions.keys()) - called
        called |= new
        nodes += [functions[name] for name in new]
    return frozenset(called)


def _is_mutmuts(function: cst.FunctionDef) -> bool:
    """Whether mutmut changes it: it is bare, or a method of the class or of none."""
    names = [each.decorator for each in function.decorators]
    return all(
        isinstance(name, cst.Name) and name.value in {"classmethod", "staticmethod"}
        for name in names
    )


def tried(
    made: Sequence[Change], chosen: Sequence[Sequence[str]], workers: int
) -> Iterator[tuple[Change, str]]:
    """Run the tests that were chosen for each change; yields what became of it, in mutmut's words.

    Each of the processes that do it has a copy of the package.
    """
    if not made:
        return
    for name in IMPORTED:
        import_module(name)
    with tempfile.TemporaryDirectory() as copies:
        context = multiprocessing.get_context("fork")
        with context.Pool(workers) as pool:
            attempt = partial(_attempt, Path(copies))
            unchanged = pool.imap(attempt, [(replace(made[0], source=None), chosen[0])])
            if next(unchanged) != "survived":
                raise SystemExit("The tests fail without any change.")
            attempts = pool.imap(attempt, zip(made, chosen, strict=True))
            yield from zip(made, attempts, strict=True)


def _attempt(copies: Path, job: tuple[Change, Sequence[str]]) -> str:
    change, tests = job
    copy = copies / str(os.getpid())
    shutil.copytree(PROJECT / "functions", copy, dirs_exist_ok=True, ignore=CACHES)
    if change.source is not None:
        (copy / "ses_insights" / change.module).write_text(change.source)
    child = os.fork()
    if child == 0:
        _test(copy, tests)
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    return {0: "survived", -signal.SIGALRM: "timeout"}.get(code, "killed")


def _test(copy: Path, tests: Sequence[str]) -> NoReturn:
    """Run tests of the copy, until one fails."""
    signal.alarm(LONGEST)
    os.chdir(PROJECT)
    sys.path.insert(0, str(copy))
    sys.dont_write_bytecode = True
    with Path(os.devnull).open("w") as nowhere:
        sys.stdout = sys.stderr = nowhere
        options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=mutants"]
        options += ["-p", "no:tests.support.template"]  # the stack's: unit tests do without
        options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]  # see IMPORTED
        code = int(pytest.ExitCode.INTERNAL_ERROR)
        try:
            code = pytest.main([*options, *tests])
        finally:
            os._exit(code)
