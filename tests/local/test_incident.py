"""The incidents of `make local`: each is in the runbook and on the page, and can be ended."""

from __future__ import annotations

import re

import pytest

from local.incident import INCIDENTS, listing, main, started
from local.stack.run import PROJECT

RUNBOOK = set(re.findall(r"^## (\w+)$", (PROJECT / "docs/runbook.md").read_text(), re.MULTILINE))
PAGE = (PROJECT / "docs/rehearse.md").read_text()


def rows(page: str, columns: int) -> list[tuple[str, ...]]:
    """The rows of a page's tables that begin with a name in code."""
    return [
        tuple(cell.strip() for cell in row.strip("|").split(" | "))
        for row in re.findall(r"^\| `.*\|$", page, re.MULTILINE)
        if row.count(" | ") == columns - 1
    ]


def test_every_section_of_the_runbook_can_be_rehearsed_or_the_page_says_why_not() -> None:
    """And no section is named that the runbook does not have."""
    sections = {each.section for each in INCIDENTS.values() if each.page == "runbook.md"}
    excused = {name.strip("`") for name, _ in rows(PAGE, 2)}
    assert sections | excused == RUNBOOK
    assert sections & excused == set()


def test_the_page_lists_every_incident() -> None:
    """With its section, what is done, and where to see it, in the words of the command."""
    assert rows(PAGE, 4) == [
        (f"`{each.name}`", each.link(), each.what, each.see) for each in INCIDENTS.values()
    ]


def test_the_list_fits_a_terminal() -> None:
    """Every incident and how to end it, a line each."""
    lines = listing().splitlines()
    assert [line.split()[0] for line in lines] == [*INCIDENTS, "end"]
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("name", INCIDENTS)
def test_what_has_begun_is_told_with_its_section_and_its_end(name: str) -> None:
    """A person who reads it knows what to do next."""
    text = started(INCIDENTS[name])
    assert f"docs/{INCIDENTS[name].page}, {INCIDENTS[name].section}." in " ".join(text.split())
    assert "python -m local.incident end" in text
    assert max(map(len, text.splitlines())) <= 100


def test_without_a_local_stack_it_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence and exit code 1."""
    monkeypatch.delenv("LOCAL_RUN", raising=False)
    assert main(["vdm-off"]) == 1
    assert "make local" in capsys.readouterr().err


def test_an_incident_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With the names of those that there are."""
    with pytest.raises(SystemExit):
        main(["earthquake"])
    assert "vdm-off" in capsys.readouterr().err
