"""The comparison names every path at which two templates differ, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tools.compare_templates import main

BEFORE: dict[str, Any] = {
    "Resources": {
        "Function": {"Properties": {"Handler": "lookup.handler", "Layers": ["a", "b"]}},
        "Queue": {"Type": "AWS::SQS::Queue"},
    }
}


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A template as a file."""
    return write(tmp_path / "before.json", BEFORE)


def write(path: Path, template: dict[str, Any]) -> Path:
    """Write a template into a file."""
    path.write_text(json.dumps(template))
    return path


def test_equal_templates_have_no_difference(
    before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The order of keys does not count; the exit code is 0."""
    resources = dict(reversed(BEFORE["Resources"].items()))
    after = write(tmp_path / "after.json", {"Resources": resources})
    assert main([str(before), str(after)]) == 0
    assert capsys.readouterr().out == ""


def test_each_difference_is_a_line_with_both_values(
    before: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Changed, added and removed values; the exit code is 1."""
    function = {"Properties": {"Handler": "handlers.lookup", "Layers": ["a", "c"], "Timeout": 3}}
    after = write(tmp_path / "after.json", {"Resources": {"Function": function}})
    assert main([str(before), str(after)]) == 1
    assert capsys.readouterr().out.splitlines() == [
        'Resources.Function.Properties.Handler: "lookup.handler" -> "handlers.lookup"',
        'Resources.Function.Properties.Layers[1]: "b" -> "c"',
        "Resources.Function.Properties.Timeout: (missing) -> 3",
        'Resources.Queue: {"Type": "AWS::SQS::Queue"} -> (missing)',
    ]


def test_a_folder_of_the_cdk_stands_for_its_template(before: Path, tmp_path: Path) -> None:
    """With more than one template in it, one has to be named."""
    folder = tmp_path / "cdk.out"
    folder.mkdir()
    write(folder / "SesInsights.template.json", BEFORE)
    assert main([str(before), str(folder)]) == 0
    write(folder / "Other.template.json", BEFORE)
    with pytest.raises(SystemExit, match="holds 2 templates"):
        main([str(before), str(folder)])
