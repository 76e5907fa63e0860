"""What the pages name is there."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

import pytest

from infra.config import Config
from local.stack.run import PROJECT
from ses_insights.contracts import rows
from ses_insights.contracts.names import Metric
from tests.support.pages import section_of

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
    shown = re.findall(r"^\| [^|]+ \| `(\{.*\})` \|$", readme, re.MULTILINE)
    assert len(shown) >= 4
    assert [each for each in shown if each not in tried] == []


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


@pytest.mark.parametrize(
    "written", [rows.message_row, rows.destination_rows, rows.listed_row, rows.alert_row]
)
def test_the_page_on_lookups_has_every_attribute(written: Callable[..., object]) -> None:
    """Those of each row; change docs/lookups.md where one is missing."""
    page = (PROJECT / "docs" / "lookups.md").read_text()
    source = inspect.getsource(written)
    named = re.findall(r'"([A-Z]\w+)": ', source) + re.findall(r'row\["(\w+)"\]', source)
    assert len(named) > 5
    assert [name for name in named if f"`{name}`" not in page] == []


def table_below(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading of a page, without its head."""
    text = section_of((PROJECT / "docs" / page).read_text(), heading)
    lines = re.findall(
        r"^\| (.*) \|$", text.partition("|---|")[2].partition("\n\n")[0], re.MULTILINE
    )
    return [row.split(" | ") for row in lines]


def test_the_page_on_why_has_the_figures_of_the_simulation() -> None:
    """Each is in the page that `make simulate` writes; change docs/why.md where it is not."""
    simulated = (PROJECT / "docs" / "simulation.md").read_text()
    figures = table_below("why.md", "How soon, and how much")
    assert len(figures) >= 4
    assert [each for row in figures for each in row if each not in simulated] == []


def test_the_page_on_why_rounds_the_figures_up() -> None:
    """What it says of the service in one number holds at every volume of its table."""
    page = (PROJECT / "docs" / "why.md").read_text()
    (within,) = re.findall(r"half of the first bounces .* within (\d+) minutes", page)
    medians = [
        float(cell.removesuffix(" min"))
        for row in table_below("why.md", "How soon, and how much")
        for cell in row[-2:]
    ]
    assert max(medians) <= int(within)


def test_the_page_on_why_has_the_costs() -> None:
    """Those for a thousand mails are in the page that `make costs` writes, likewise."""
    costs = (PROJECT / "docs" / "costs.md").read_text()
    of_a_thousand = re.findall(
        r"^\| for a thousand mails \| ([\d.]+) \| ([\d.]+) ", costs, re.MULTILINE
    )
    *_, ours = table_below("why.md", "What it costs")
    assert re.findall(r"\d\.\d{3}", ours[-1]) == list(*of_a_thousand)
