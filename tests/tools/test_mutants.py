"""The page on mutants counts what mutmut found, and the list of equivalents explains no more."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tools.mutants import (
    EQUIVALENT,
    PROJECT,
    SOURCE,
    Equivalent,
    Mutant,
    equivalents,
    lines,
    main,
    near,
    needless,
    page,
    source_of,
    table,
    unexplained,
)
from tools.mutants_outside import tried

CHANGE = "- return count + 1\n+ return count - 1"
KILLED = Mutant("a__mutmut_1", "domain/pace.py", "killed")
SURVIVOR = Mutant("a__mutmut_2", "domain/pace.py", "survived", CHANGE)
UNTESTED = Mutant("b__mutmut_1", "service/look.py", "no tests", CHANGE)
UNTRIED = Mutant("c__mutmut_1", "adapters/ses.py", "not checked", CHANGE)
LISTED = Equivalent("domain/pace.py", CHANGE, "Nobody counts.")


def test_a_change_is_its_lines_without_what_is_around_them() -> None:
    """So an entry of the list stays true when lines around it move."""
    diff = "--- a\n+++ a\n@@ -1,3 +1,3 @@\n def next():\n-    return 1\n+    return 2\n "
    assert lines(diff) == "- return 1\n+ return 2"


def test_only_the_same_change_of_the_same_module_is_explained() -> None:
    """An entry explains no survivor but its own."""
    assert unexplained([KILLED, SURVIVOR, UNTESTED], [LISTED]) == [UNTESTED]


def test_an_entry_without_a_survivor_is_needless() -> None:
    """What is noticed now must leave the list."""
    assert needless([SURVIVOR], [LISTED]) == []
    assert needless([KILLED, UNTESTED], [LISTED]) == [LISTED]


def test_the_share_leaves_equivalent_ones_out() -> None:
    """A mutant that no test reaches counts as one that survived, and one not tried as none."""
    domain, service, adapters, everything = table(
        [KILLED, SURVIVOR, UNTESTED, UNTRIED], [LISTED]
    ).splitlines()[2:]
    assert domain == "| domain | 2 | 1 | 1 | 0 | 0 | 100.0% |"
    assert service == "| service | 1 | 0 | 0 | 1 | 0 | 0.0% |"
    assert adapters == "| adapters | 1 | 0 | 0 | 0 | 1 | - |"
    assert everything == "| all | 4 | 1 | 1 | 1 | 1 | 50.0% |"


def test_the_page_gives_the_reason_of_each_equivalent() -> None:
    """And shows what is left."""
    text = page([KILLED, SURVIVOR, UNTESTED], [LISTED], datetime(2026, 11, 26, tzinfo=UTC))
    assert "this one is of 2026-11-26" in text
    assert f"Nobody counts.\n\n```diff\n# domain/pace.py\n{CHANGE}\n```" in text
    assert f"## Survivors\n\n```diff\n# service/look.py\n{CHANGE}\n```" in text


def test_the_tests_of_the_module_are_all_run_and_of_others_the_quickest() -> None:
    """Up to ten seconds, and up to 300 of them."""
    own, slow = "tests/unit/domain/test_pace.py::test_a", "tests/unit/service/test_look.py::test_b"
    quick = [f"tests/unit/service/test_look.py::test_{number}" for number in range(400)]
    seconds = {own: 30.0, slow: 7.0} | dict.fromkeys(quick, 0.02)
    mutant = "ses_insights.domain.pace.x_a__mutmut_1"
    assert near([slow, own, *quick], mutant, seconds) == [own, *quick[:300]]
    assert near([slow, own, *quick[:100]], mutant, seconds) == [own, *quick[:100], slow]
    beside = "tests/unit/domain/test_record.py::test_c"
    assert near([*quick, beside], mutant, seconds | {beside: 1.0})[0] == beside
    assert near([slow, own], mutant, seconds | {slow: 11.0}) == [own]


@pytest.mark.parametrize("each", equivalents(), ids=lambda each: each.module)
def test_each_entry_of_the_list_names_code_that_is_there(each: Equivalent) -> None:
    """It has a reason, and takes out lines that its module has."""
    source = (PROJECT / SOURCE / each.module).read_text()
    taken = [line[2:] for line in each.change.splitlines() if line.startswith("- ")]
    assert [line for line in taken if line not in source] == []
    assert each.reason, EQUIVALENT


@pytest.mark.parametrize("path", ["functions/ses_insights/domain/due.py", "domain/due.py"])
def test_a_file_is_named_from_the_project_or_from_the_package_on(path: str) -> None:
    """As it is completed in a shell, or as the page names it."""
    assert source_of(path) == Path("domain/due.py")


@pytest.mark.parametrize("path", ["domain/none.py", "tools/mutants.py", "/etc"])
def test_what_is_no_file_of_the_package_is_wrong_usage(
    path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a sentence, before anything is tried."""
    with pytest.raises(SystemExit, match="2"):
        main(["--only", path])
    assert f"there is no file or folder {path} below functions/ses_insights" in (
        capsys.readouterr().err
    )


def test_a_file_without_changes_outside_functions_needs_no_run() -> None:
    """No process is started, and nothing is tried."""
    assert list(tried([], [], 1)) == []
