"""What the pages name is there."""

from __future__ import annotations

import re

import pytest

from infra.config import Config
from local.stack.run import PROJECT
from ses_insights.contracts.names import Metric

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


def first_column(page: str) -> list[str]:
    """The words in code that the rows of a page's tables begin with."""
    return re.findall(r"^\| `(\w+)` \|", (PROJECT / "docs" / page).read_text(), re.MULTILINE)


def test_the_page_on_configuration_has_every_context_key() -> None:
    """Those that are read, and no other."""
    keys: list[str] = []
    Config.from_context(keys.append)
    assert sorted(first_column("configuration.md")) == sorted(keys)


def test_the_page_on_monitoring_has_every_metric() -> None:
    """Those that the functions write, and no other."""
    assert sorted(first_column("monitoring.md")) == sorted(Metric)
