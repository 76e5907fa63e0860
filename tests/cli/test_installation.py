"""`make` puts the tool where the environment's programs are, and it runs from anywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.run import PROJECT


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tool, as the Makefile's rule installs it into an environment of its own."""
    project = tmp_path_factory.mktemp("project")
    for name in ("Makefile", "cli", "functions"):
        (project / name).symlink_to(PROJECT / name)
    # A link would lead out of the project; what is installed finds it by its own place.
    (project / "cli").unlink()
    shutil.copytree(PROJECT / "cli", project / "cli")
    programs = project / ".venv" / "bin"
    programs.mkdir(parents=True)
    python = programs / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (project / ".venv" / ".installed").touch()
    make = shutil.which("make")
    assert make
    subprocess.run(
        [make, "--assume-old=.venv/.installed", ".venv/bin/insights"], cwd=project, check=True
    )
    return programs / "insights"


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


def test_nothing_of_it_is_installed_as_a_package(tmp_path: Path) -> None:
    """The functions of the local run find what is packed for them, and nothing else."""
    find = "import importlib.util as u; print(u.find_spec('insights'), u.find_spec('cli'))"
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", find],
        cwd=tmp_path,
        env=clean,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "None None\n"


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
