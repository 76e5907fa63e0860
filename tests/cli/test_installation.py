"""Installing the package puts the tool beside the environment's Python, and it runs anywhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def installed() -> Path:
    """The tool, where installing the package has put it."""
    return Path(sys.executable).with_name("insights")


def run(
    installed: Path, *arguments: str, cwd: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Call it."""
    return subprocess.run(
        [installed, *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_runs_from_anywhere(installed: Path, tmp_path: Path) -> None:
    """A folder named cli where it is called from is not taken for it."""
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "__init__.py").write_text("raise SystemExit('not meant')")
    done = run(installed, "--help", cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: insights ")


def test_without_credentials_it_says_so(installed: Path, tmp_path: Path) -> None:
    """One sentence on standard error, no stack trace, exit code 3."""
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_REGION": "eu-west-1"}
    done = run(installed, "status", cwd=tmp_path, **nothing)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("There are no AWS credentials: ")
    assert len(done.stderr.splitlines()) == 1


def test_the_shell_completes_commands_and_options(installed: Path, tmp_path: Path) -> None:
    """What --install-completion puts into the shell asks the tool in this way."""
    words = {"_INSIGHTS_COMPLETE": "complete_bash", "COMP_CWORD": "1"}
    commands = run(installed, cwd=tmp_path, COMP_WORDS="insights sta", **words)
    assert commands.stdout.split() == ["status"]
    words["COMP_CWORD"] = "2"
    options = run(installed, cwd=tmp_path, COMP_WORDS="insights status --j", **words)
    assert options.stdout.split() == ["--json"]
