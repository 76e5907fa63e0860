"""What the pages name is there."""

from __future__ import annotations

import re

import pytest

from local.stack.run import PROJECT

PAGE = (PROJECT / "docs" / "reliability.md").read_text()
NAMED = sorted(set(re.findall(r"`([a-z_/]+/test_[a-z_/]+\.py)(?:::(test_[a-z0-9_]+))?`", PAGE)))


@pytest.mark.parametrize(("path", "test"), NAMED)
def test_a_test_that_a_promise_names_exists(path: str, test: str) -> None:
    """The page of promises names no test that was renamed or removed."""
    source = (PROJECT / "tests" / path).read_text()
    assert not test or f"def {test}(" in source


def test_the_page_names_many() -> None:
    """The search above finds them."""
    assert len(NAMED) > 30


def test_the_readme_has_the_policies_that_were_tried() -> None:
    """Each is one of docs/alerts.md, which a test on the deployed stack tries."""
    readme = (PROJECT / "README.md").read_text()
    alerts = (PROJECT / "docs" / "alerts.md").read_text()
    tried = re.findall(r"^```json\n(.*?)\n```$", alerts, re.MULTILINE)
    assert len(tried) >= 4
    assert re.findall(r"^\| [^|]+ \| `(\{.*\})` \|$", readme, re.MULTILINE) == tried
