"""`make mutants`: changes the code in small ways and counts the changes that no unit test notices.

mutmut makes the changes and chooses the tests of each. It reads `src` and the names of modules
below it, so .local/mutants shows it the project with `functions` under that name. A whole run
begins anew. One of a file or folder keeps the results there: a function that stays as it is is not
tried again unless a change of it survived.
Changes that make no difference are listed with the reason in tools/equivalent_mutants.toml.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate, islice
from pathlib import Path
from typing import Final

import libcst as cst
from mutmut.__main__ import cli, collect_source_file_mutation_data
from mutmut.mutation.data import SourceFileMutationData
from mutmut.mutation.diff_apply import get_diff_for_mutant
from mutmut.mutation.mutators import mutation_operators, operator_string
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.stats import load_stats, status_by_exit_code
from mutmut.utils.format_utils import orig_function_and_class_names_from_key
from mutmut.workers.isolation import ForkRunner

from tools.mutants_outside import called_at_import, changes, tried

PROJECT: Final = Path(__file__).resolve().parent.parent
HOME: Final = PROJECT / ".local" / "mutants"
PAGE: Final = PROJECT / "docs" / "mutants.md"
EQUIVALENT: Final = PROJECT / "tools" / "equivalent_mutants.toml"

UNTRIED: Final = "not checked"
"""What mutmut says where a run was stopped before it came to it."""

SOURCE: Final = Path("functions") / "ses_insights"
PACKAGES: Final = ("domain", "service", "adapters")
SHOWN: Final = ("docs", "infra", "local", "pyproject.toml", "tests", "tools")

SENTENCE: Final = re.compile(r"\b[a-z]+ [a-z]+ [a-z]+\b")
"""Three small words in a row: a text for people, and no name or expression that AWS reads."""

NEAR_SECONDS: Final = 10.0
"""How long tests of other modules may take, for one mutant."""

NEAR_TESTS: Final = 300
"""How many of them are run: collecting thousands takes longer than running them."""

SLOW_SECONDS: Final = 0.2
"""A test that takes longer is not run once more without a change before the mutants are."""

NOTICED: Final = frozenset({"killed", "timeout", "segfault"})
"""What mutmut says of a change that made a test fail, or the tests run for ever."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of the code, and what became of it."""

    name: str
    module: str
    """Its file, below functions/ses_insights."""
    status: str
    change: str = ""
    """Lines before and after, of one that nothing noticed."""

    @property
    def package(self) -> str:
        """The folder that it is counted with."""
        return self.module.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Equivalent:
    """A change that makes no difference that anybody could see, and why."""

    module: str
    change: str
    reason: str

    def covers(self, mutant: Mutant) -> bool:
        """Whether it speaks of this mutant."""
        return mutant.module == self.module and mutant.change == self.change


def source_of(text: str) -> Path:
    """Find a file or folder of the package, named from the project or from the package on.

    Raises ArgumentTypeError where there is none.
    """
    for folder in (PROJECT, PROJECT / SOURCE):
        path = (folder / text).resolve()
        if path.exists() and path.is_relative_to(PROJECT / SOURCE):
            return path.relative_to(PROJECT / SOURCE)
    message = f"there is no file or folder {text} below {SOURCE}"
    raise argparse.ArgumentTypeError(message)


def main(arguments: list[str] | None = None) -> int:
    """Run, print what is left, and write the page if all was tried; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("--only", type=source_of, help=f"a file or folder below {SOURCE}")
    parser.add_argument("--children", type=int, default=os.cpu_count())
    chosen = parser.parse_args(arguments)
    only: Path | None = chosen.only
    if only is None:
        shutil.rmtree(HOME, ignore_errors=True)  # the page is of one run
    lay_out()
    os.chdir(HOME)
    os.nice(5)
    one_change_of_a_text()
    # In a process of its own: it imports the tests from .local/mutants, `outside` those beside it.
    mutmut = multiprocessing.get_context("fork").Process(
        target=inside, args=(only, chosen.children)
    )
    mutmut.start()
    mutmut.join()
    if mutmut.exitcode or not load_stats():
        return 1
    mutants = [mutant for mutant in found() if only is None or within(mutant.module, only)]
    mutants += outside(only or Path(), chosen.children)
    listed = [each for each in equivalents() if only is None or within(each.module, only)]
    for mutant in unexplained(mutants, listed):
        print(f"{mutant.status}: {mutant.name}\n{mutant.change}\n")
    for each in needless(mutants, listed):
        print(f"No such survivor, take it off the list: {each.module}\n{each.change}\n")
    print(table(mutants, listed))
    if only is None:
        PAGE.write_text(page(mutants, listed, datetime.now(UTC)))
    return 0


def inside(only: Path | None, children: int) -> None:
    """Let mutmut try what it changes."""
    near_tests_only()
    try_again()
    patterns = [f"ses_insights.{'.'.join(only.with_suffix('').parts)}.*"] if only else []
    cli.main(["run", f"--max-children={children}", *patterns], standalone_mode=False)


def lay_out() -> None:
    """Show mutmut the project as it expects one; tests that are gone are gone there, too."""
    HOME.mkdir(parents=True, exist_ok=True)
    for copied in SHOWN:
        shutil.rmtree(HOME / "mutants" / copied, ignore_errors=True)
    for name in ("src", *SHOWN):
        if not (HOME / name).is_symlink():
            (HOME / name).symlink_to(PROJECT / ("functions" if name == "src" else name))


def one_change_of_a_text() -> None:
    """Change a text once, by a mark at both ends, and a sentence for people not at all."""
    mutation_operators[:] = [  # type: ignore[index]  # it is a list
        (kind, _first if operator is operator_string else operator)
        for kind, operator in mutation_operators
    ]


def _first(node: cst.BaseString) -> Iterator[cst.BaseString]:
    if isinstance(node, cst.SimpleString) and not SENTENCE.search(node.value):
        yield from islice(operator_string(node), 1)


def near_tests_only() -> None:
    """Run the tests of the module, and the quickest of others, its own package's first."""
    submit = ForkRunner.submit

    def submit_near(
        self: ForkRunner, mutant_name: str, tests: list[str], cpu_time_limit: int, _: float
    ) -> None:
        chosen = near(tests, mutant_name, state().duration_by_test)
        seconds = sum(state().duration_by_test[test] for test in chosen)
        submit(self, mutant_name, chosen, cpu_time_limit, seconds)

    run_clean = ForkRunner.run_clean_tests

    def run_quick_clean(self: ForkRunner, tests: Iterable[str]) -> int:
        seconds = state().duration_by_test  # taken when all of them were run without a change
        return run_clean(self, [test for test in tests or seconds if seconds[test] < SLOW_SECONDS])

    ForkRunner.run_clean_tests = run_quick_clean  # type: ignore[method-assign]
    arguments = PytestRunner._pytest_args_regular_run  # noqa: SLF001 - where tests become arguments

    def readable_arguments(self: PytestRunner, tests: Iterable[str]) -> list[str]:
        return arguments(self, readable(tests))

    PytestRunner._pytest_args_regular_run = readable_arguments  # type: ignore[method-assign]  # noqa: SLF001
    ForkRunner.submit = submit_near  # type: ignore[assignment]


def near(tests: Iterable[str], mutant_name: str, seconds: Mapping[str, float]) -> list[str]:
    """Choose from the tests that come by a mutant. Its module's own are the most telling."""
    _, package, module, *_ = mutant_name.split(".")
    folder = f"tests/unit/{package}/"
    ordered = sorted(tests, key=lambda test: (not test.startswith(folder), seconds[test]))
    own = [test for test in ordered if test.startswith(f"{folder}test_{module}")]
    others = [test for test in ordered if test not in {*own}][:NEAR_TESTS]
    taken = accumulate(seconds[test] for test in others)
    return own + [test for test, sum_ in zip(others, taken, strict=True) if sum_ <= NEAR_SECONDS]


def readable(tests: Iterable[str]) -> list[str]:
    """Name tests as pytest finds them: where a case has a backslash in its name, all cases."""
    return list(dict.fromkeys(test.partition("[")[0] if "\\" in test else test for test in tests))


def try_again() -> None:
    """Forget what mutmut knows of those that were not noticed: there may be tests for them now."""
    for data in _stored():
        data.exit_code_by_key = {
            name: code if status_by_exit_code[code] in NOTICED else None
            for name, code in data.exit_code_by_key.items()
        }
        if data.exit_code_by_key:
            data.save()


def _stored() -> Iterable[SourceFileMutationData]:
    return collect_source_file_mutation_data(mutant_names=())[1].values()


def found() -> Iterator[Mutant]:
    """What mutmut has found out, with the change where it was not noticed."""
    for data in _stored():
        early = called_at_import(Path(data.path).read_text())
        for name, code in data.exit_code_by_key.items():
            if orig_function_and_class_names_from_key(name)[0] in early:
                continue  # `outside` tries these
            status = status_by_exit_code[code]
            change = "" if status in NOTICED else lines(get_diff_for_mutant(name, path=data.path))
            module = Path(data.path).relative_to("src/ses_insights").as_posix()
            yield Mutant(name, module, status, change)


def outside(only: Path, workers: int) -> Iterator[Mutant]:
    """Try what mutmut leaves alone."""
    made = [
        change
        for package in PACKAGES
        for file in sorted((PROJECT / SOURCE / package).glob("*.py"))
        if within(module := f"{package}/{file.name}", only)
        for change in changes(module, file.read_text())
    ]
    seconds = state().duration_by_test
    tests = [
        readable(near(seconds, f"ses_insights.{change.module.replace('/', '.')}", seconds))
        for change in made
    ]
    for number, (change, status) in enumerate(tried(made, tests, workers), 1):
        print(f"\r{number}/{len(made)} outside functions", end="", flush=True)
        name = f"{change.module}:{number}"
        yield Mutant(name, change.module, status, "" if status in NOTICED else lines(change.diff))
    print()


def lines(diff: str) -> str:
    """The lines that a change takes out and puts in, without what is around them."""
    changed = [line for line in diff.splitlines()[2:] if line[:1] in {"-", "+"}]
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in changed)


def equivalents() -> list[Equivalent]:
    """The list that is checked in."""
    entries = tomllib.loads(EQUIVALENT.read_text())["mutant"]
    return [Equivalent(each["module"], each["change"].strip(), each["reason"]) for each in entries]


def within(module: str, only: Path) -> bool:
    """Whether a module is this one, or in this folder."""
    return Path(module).is_relative_to(only)


def unexplained(mutants: Iterable[Mutant], listed: Collection[Equivalent]) -> list[Mutant]:
    """Those that were tried, were not noticed and are not listed as equivalent."""
    return [
        mutant
        for mutant in mutants
        if mutant.status not in {*NOTICED, UNTRIED}
        and not any(each.covers(mutant) for each in listed)
    ]


def needless(mutants: Collection[Mutant], listed: Iterable[Equivalent]) -> list[Equivalent]:
    """What is listed as equivalent, and was noticed or is not made any more."""
    left = [mutant for mutant in mutants if mutant.status not in NOTICED]
    return [each for each in listed if not any(map(each.covers, left))]


def table(mutants: Collection[Mutant], listed: Collection[Equivalent]) -> str:
    """How many were noticed in each package."""
    rows = [
        "| Package | Mutants | Noticed | Equivalent | Left | Not tried | Noticed share |",
        "|---|---|---|---|---|---|---|",
    ]
    for package in (*PACKAGES, "all"):
        of_it = [mutant for mutant in mutants if package in {mutant.package, "all"}]
        noticed = sum(mutant.status in NOTICED for mutant in of_it)
        left = len(unexplained(of_it, listed))
        share = f"{noticed / (noticed + left):.1%}" if noticed + left else "-"
        untried = sum(mutant.status == UNTRIED for mutant in of_it)
        equivalent = len(of_it) - noticed - left - untried
        cells = (package, f"{len(of_it):,}", f"{noticed:,}", equivalent, left, untried, share)
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows)


INTRODUCTION: Final = """\
# Mutants

`make mutants` writes this page; this one is of {day}. A mutant is the code with one small change:
a comparison turned round, a number raised by one, an argument left out. Of the tests in
`tests/unit` that come by the changed function, those of its own module are run, and of all others
the 300 quickest, those of its own package first. Where none fails, the mutant survives, and a
promise may lack its test.
[mutmut](https://mutmut.readthedocs.io) makes the mutants and runs the tests
([decision record 26](decisions/0026-mutants.md)).
`make mutants ONLY=functions/ses_insights/domain/schedule.py` tries one file or folder, and prints
the survivors.

Noticed means that a test failed, or that the tests ran for ever ({endless} mutants). The share is
of those noticed and left.

{table}

Changed are functions and properties, and outside of them numbers, switches and operators. Not
changed are types, docstrings, decorators, and tables of texts. A text is changed once, by a mark
at both ends, and not to small and to capital letters, too; a sentence for people, which has three
small words in a row, only as a whole, by leaving it out: how an error or an explanation is worded
decides nothing. Tests of great volumes are not run: they take more time than all others together.
`pyproject.toml` names them.

## Equivalent

Of these mutants nobody outside could tell that they are there.

"""


def page(mutants: Collection[Mutant], listed: Sequence[Equivalent], now: datetime) -> str:
    """The page: the table, and each mutant that was judged to make no difference."""
    endless = sum(mutant.status == "timeout" for mutant in mutants)
    text = INTRODUCTION.format(day=now.date(), endless=endless, table=table(mutants, listed))
    for reason, entries in _by_reason(listed).items():
        text += f"{reason}\n\n```diff\n"
        text += "\n\n".join(f"# {each.module}\n{each.change}" for each in entries) + "\n```\n\n"
    left = unexplained(mutants, listed)
    if left:
        text += "## Survivors\n\n```diff\n"
        text += "\n\n".join(f"# {each.module}\n{each.change}" for each in left) + "\n```\n"
    return text.rstrip() + "\n"


def _by_reason(listed: Iterable[Equivalent]) -> dict[str, list[Equivalent]]:
    by_reason: dict[str, list[Equivalent]] = {}
    for each in listed:
        by_reason.setdefault(each.reason, []).append(each)
    return by_reason


if __name__ == "__main__":
    sys.exit(main())
