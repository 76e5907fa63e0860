"""Every link of a page leads somewhere, and every page is found from the README."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from local.stack.run import PROJECT

README: Final = PROJECT / "README.md"

PAGES: Final = (
    *(README, PROJECT / "CONTRIBUTING.md", PROJECT / "CHANGELOG.md"),
    *sorted((PROJECT / "docs").rglob("*.md")),
)

MOST_LINES_OF_THE_README: Final = 160


def named(page: Path) -> str:
    """A page's path within the project, as the id of its test."""
    return str(page.relative_to(PROJECT))


def without_blocks(page: Path) -> str:
    """The text of a page without its blocks of code."""
    text = page.read_text(encoding="utf-8")
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def links(page: Path) -> Iterator[str]:
    """The targets of a page's links and pictures that lead to another file or heading."""
    prose = re.sub(r"`[^`\n]*`", "", without_blocks(page))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to the headings of a page."""
    seen = Counter[str]()
    found = set()
    for heading in re.findall(r"^#{1,6} +(.*?) *$", without_blocks(page), re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found


def problem(page: Path, target: str) -> str | None:
    """What is wrong with a link; None where it leads somewhere."""
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    if not file.is_relative_to(PROJECT) or not file.exists():
        return f"{target}: there is no such file"
    if anchor and anchor not in anchors(file):
        return f"{target}: {named(file)} has no such heading"
    return None


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file of the project, and to a heading that this file has."""
    assert [wrong for target in links(page) if (wrong := problem(page, target))] == []


def test_links_that_lead_nowhere_are_found(tmp_path: Path) -> None:
    """A missing file, a missing heading, and a file outside of the project."""
    inside = PROJECT / "docs" / "cli.md"
    assert problem(inside, "no-such-page.md") == "no-such-page.md: there is no such file"
    assert problem(inside, "#no-such-heading") == (
        "#no-such-heading: docs/cli.md has no such heading"
    )
    assert problem(inside, f"{tmp_path}") == f"{tmp_path}: there is no such file"
    assert problem(inside, "runbook.md#deadletters") is None


def test_every_page_is_found_from_the_readme() -> None:
    """By one link or several: none is a page that nobody comes upon."""
    found, ahead = set[Path](), [README]
    while ahead:
        page = ahead.pop()
        if page in found:
            continue
        found.add(page)
        for target in links(page):
            file = (page.parent / target.partition("#")[0]).resolve()
            listed = file.glob("*.md") if file.is_dir() else (file,)
            ahead.extend(each for each in listed if each.suffix == ".md" and each.exists())
    assert sorted(map(named, set(PAGES) - found)) == []


def test_the_readme_is_short() -> None:
    """What is long has a page of its own."""
    assert len(README.read_text(encoding="utf-8").splitlines()) <= MOST_LINES_OF_THE_README


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_page_asks_for_a_search_path(page: Path) -> None:
    """The package is installed; nobody sets PYTHONPATH, and no path is that of one machine."""
    text = page.read_text(encoding="utf-8")
    assert "PYTHONPATH" not in text
    assert re.findall(r"(?:/home|/Users|/root|/work|/tmp)/\S*", text) == []
