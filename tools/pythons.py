"""`make pythons`: the fast tests on each supported Python here, the package on the newest.

Looks on the path and among pyenv's versions. Each Python gets an environment of its own under
.local/pythons, which is kept; the tests run one Python after the other.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent
HOME: Final = PROJECT / ".local" / "pythons"

Version = tuple[int, int]

TESTED: Final[tuple[Version, ...]] = ((3, 11), (3, 12), (3, 13))
"""The Pythons that the whole project is for. Lambda runs the package on a newer one."""

TESTS: Final = ("tests/unit", "tests/cli")

# What the fast tests do not need, and takes long to install or is not there for every Python.
LEFT_OUT: Final = re.compile(r"(atheris|mutmut|ruff|mypy(?!-boto3))\b")

IMPORTS: Final = """
import importlib, pkgutil, sys
import ses_insights
for module in pkgutil.walk_packages(ses_insights.__path__, "ses_insights."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
print(f"Python {sys.version.split()[0]} imports every module of the package.")
"""


def main() -> int:
    """Test and import; returns 0 if everything that could be tried went well."""
    found = pythons(candidates(os.environ["PATH"], Path.home()))
    if not found:
        print("No Python from 3.11 on was found on the path or among pyenv's versions.")
        return 1
    bad = [version for version in TESTED if version in found and not test(found[version])]
    newest = max(found)
    if not build_and_import(found[newest]):
        bad.append(newest)
    missing = [version for version in TESTED if version not in found]
    print(f"Tested: {_written(set(TESTED) & set(found))}. Package: {_written([newest])}.")
    if missing:
        print(f"Not on this machine: {_written(missing)}.")
    if bad:
        print(f"Failed: {_written(bad)}.")
    return 1 if bad else 0


def candidates(path: str, home: Path) -> Iterator[Path]:
    """Return what may be a Python: those of the path by their version, and those of pyenv."""
    for folder in path.split(os.pathsep):
        if folder:
            yield from sorted(Path(folder).glob("python3.[0-9][0-9]"))
    yield from sorted((home / ".pyenv" / "versions").glob("*/bin/python3"))


def pythons(paths: Iterable[Path]) -> Mapping[Version, Path]:
    """Return the first Python of each version from 3.11 on that can make an environment."""
    found: dict[Version, Path] = {}
    for path in paths:
        version = version_of(path)
        if version and version >= TESTED[0] and version not in found:
            found[version] = path
    return found


def version_of(path: Path) -> Version | None:
    """Ask a Python for its version; None where it is none, or cannot make an environment."""
    code = "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1])"
    try:
        done = subprocess.run(
            [path, "-c", code], capture_output=True, text=True, check=True, timeout=60
        )
        major, minor = map(int, done.stdout.split())
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return major, minor


def test(python: Path) -> bool:
    """Run the fast tests in an environment with the pinned packages."""
    version = version_of(python)
    environment = HOME / _written([version] if version else [])
    wanted = requirements((PROJECT / "requirements.txt").read_text())
    listed = environment / "requirements.txt"
    if not listed.exists() or listed.read_text() != wanted:
        shutil.rmtree(environment, ignore_errors=True)
        title = f"Installing the packages for Python {environment.name}"
        if not _run(python, "-m", "venv", environment):
            return False
        with tempfile.NamedTemporaryFile("w", suffix=".txt", dir=environment) as file:
            file.write(wanted)
            file.flush()
            pip = (
                environment / "bin" / "python",
                "-m",
                "pip",
                "install",
                "--no-input",
                "--no-compile",
            )
            pinned = ("--constraint", PROJECT / "constraints.txt", "--requirement", file.name)
            progress = (sys.executable, PROJECT / "tools" / "progress.py", title)
            if not _run(*progress, *pip, "--disable-pip-version-check", *pinned):
                return False
        listed.write_text(wanted)
    print(f"Python {environment.name}: {' '.join(TESTS)}", flush=True)
    return _run(environment / "bin" / "pytest", "--quiet", "--numprocesses", "2", *TESTS)


def requirements(text: str) -> str:
    """Return the requirements of the fast tests."""
    kept = [line for line in text.splitlines() if not LEFT_OUT.match(line)]
    return "".join(f"{line}\n" for line in kept)


def build_and_import(python: Path) -> bool:
    """Build the package as it is installed, and import all of it, with what Lambda adds."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder) / "environment"
        inside = environment / "bin" / "python"
        added = PROJECT / "functions" / "requirements.txt"
        quiet = ("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check")
        return (
            _run(python, "-m", "venv", environment)
            and _run(inside, *quiet, "--requirement", added, f"{PROJECT}[web]")
            and _run(inside, "-c", IMPORTS, cwd=Path(folder))
        )


def _run(*command: str | Path, cwd: Path = PROJECT) -> bool:
    return subprocess.run(command, cwd=cwd, check=False).returncode == 0


def _written(versions: Iterable[Version]) -> str:
    return ", ".join(f"{major}.{minor}" for major, minor in sorted(versions)) or "none"


if __name__ == "__main__":
    sys.exit(main())
