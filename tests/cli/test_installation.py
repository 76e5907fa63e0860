"""Installing the package gives the tool, which runs anywhere and needs the dependencies named."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tomllib
from importlib.metadata import Distribution, distribution, entry_points
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement

from tests.support.template import REPOSITORY

NAME: Final = "ses-insights"
MOST_MEGABYTES: Final = 150


@pytest.fixture(scope="module")
def installed() -> Path:
    """The tool, where installing the package has put it."""
    return Path(sys.executable).with_name("insights")


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """The metadata in pyproject.toml."""
    table: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return table


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def needed(name: str, seen: dict[str, Distribution]) -> dict[str, Distribution]:
    """A distribution and all that it needs in this environment, by name."""
    if name not in seen:
        seen[name] = distribution(name)
        for text in seen[name].requires or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed(requirement.name, seen)
    return seen


def modules_of(found: Distribution) -> set[str]:
    """The top-level modules of a distribution."""
    tops = {path.parts[0] for path in found.files or []}
    return {top.partition(".")[0] for top in tops if not top.endswith((".dist-info", ".pth"))}


def test_it_runs_from_anywhere(installed: Path, tmp_path: Path) -> None:
    """A folder named cli in the current one is not taken for it."""
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "__init__.py").write_text("raise SystemExit('not meant')")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = run(installed, "--help", cwd=tmp_path, PYTHONPATH=path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("Usage: insights ")


def test_without_credentials_it_says_so(installed: Path, tmp_path: Path) -> None:
    """One sentence on standard error, no stack trace, exit code 3."""
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_REGION": "eu-west-1"}
    done = run(installed, "status", cwd=tmp_path, **nothing)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("There are no AWS credentials: ")
    assert len(done.stderr.splitlines()) == 1


def test_who_reads_the_beginning_ends_it_as_a_signal_does(installed: Path, tmp_path: Path) -> None:
    """`insights … | head` gives what `yes | head` gives: 141 under pipefail, and no word."""
    command = f"set -o pipefail; '{installed}' explain --json '{'x' * 100_000}' | true"
    done = run("bash", "-c", command, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (141, "", "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the kernel's full disk")
@pytest.mark.parametrize("arguments", [("explain", "550 5.1.1"), ("--help",)])
def test_a_full_disk_is_one_sentence(
    installed: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """Exit code 2, and no stack trace."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [installed, *arguments], cwd=tmp_path, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert done.returncode == 2
    assert done.stderr == b"The output cannot be written or read: No space left on device.\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the kernel's full disk")
def test_a_full_disk_below_standard_error_has_its_exit_code(
    installed: Path, tmp_path: Path
) -> None:
    """It cannot be said there; 2, and neither Python's own 120 nor a stack trace."""
    command = (
        f"'{installed}' explain 2>/dev/full; echo $?; '{installed}' show >/dev/full 2>&1; echo $?"
    )
    done = run("bash", "-c", command, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("2\n2\n", "")


def test_a_closed_stream_is_no_failure(installed: Path, tmp_path: Path) -> None:
    """`insights … >&-` has nowhere to write, and `2>&-` nowhere to complain; both end as usual."""
    command = (
        f"'{installed}' explain '550 5.1.1' >&-; echo $?; '{installed}' show x <&- 2>&-; echo $?"
    )
    done = run("bash", "-c", command, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("0\n2\n", "")


def test_ctrl_c_ends_it_without_a_word(installed: Path, tmp_path: Path) -> None:
    """Exit code 130, also while it is still loading."""
    code = (
        "import builtins, sys\n"
        "real = builtins.__import__\n"
        "def load(name, *rest, **more):\n"
        "    if name == 'boto3':\n"
        "        raise KeyboardInterrupt\n"
        "    return real(name, *rest, **more)\n"
        "builtins.__import__ = load\n"
        "from ses_insights.cli.__main__ import main\n"
        "sys.argv[1:] = ['status']\n"
        "main()\n"
    )
    del installed
    done = run(sys.executable, "-c", code, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_ctrl_c_at_its_end_is_without_a_word(tmp_path: Path) -> None:
    """What is left to do then takes no time, and Python would show a trace of it."""
    code = (
        "import atexit, signal, sys\n"
        "atexit.register(signal.raise_signal, signal.SIGINT)\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from ses_insights.cli.__main__ import main\n"
        "sys.argv[1:] = ['explain', '550 5.1.1']\n"
        "main()\n"
    )
    done = run(sys.executable, "-c", code, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_that_python_drops_ends_it_all_the_same(tmp_path: Path) -> None:
    """Of an exception in the cleaning up of an object it would only show the trace."""
    code = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "class Pool:\n"
        "    def __del__(self): signal.raise_signal(signal.SIGINT)\n"
        "from ses_insights.cli.commands import explain\n"
        "explain.explain_bounce = lambda *_: Pool() and None\n"
        "from ses_insights.cli.__main__ import main\n"
        "sys.argv[1:] = ['explain', '550 5.1.1']\n"
        "main()\n"
    )
    done = run(sys.executable, "-c", code, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "")


BROKEN = """
import sys
from ses_insights.cli.commands import explain
def fail(*_): raise LookupError("a row of anna@there.example\\nis odd")
explain.explain_bounce = fail
from ses_insights.cli.__main__ import main
sys.argv[1:] = ["explain", "x"]
main()
"""


def test_an_error_of_the_tool_itself_is_one_sentence(tmp_path: Path) -> None:
    """What, where, and how to see more; with the variable the whole trace."""
    done = run(sys.executable, "-c", BROKEN, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("insights itself failed: LookupError at ")
    assert len(done.stderr.splitlines()) == 1
    traced = run(sys.executable, "-c", BROKEN, cwd=tmp_path, SES_INSIGHTS_TRACE="1")
    assert "Traceback" in traced.stderr


def test_the_shell_completes_commands_and_options(installed: Path, tmp_path: Path) -> None:
    """What --install-completion puts into the shell asks the tool in this way."""
    words = {"_INSIGHTS_COMPLETE": "complete_bash", "COMP_CWORD": "1"}
    commands = run(installed, cwd=tmp_path, COMP_WORDS="insights sta", **words)
    assert commands.stdout.split() == ["status"]
    words["COMP_CWORD"] = "2"
    options = run(installed, cwd=tmp_path, COMP_WORDS="insights status --j", **words)
    assert options.stdout.split() == ["--json"]


def test_the_metadata_is_that_of_the_project(project: dict[str, Any]) -> None:
    """Version, dependencies and the command."""
    found = distribution(NAME)
    assert found.version == project["version"]
    extras = [
        f"{needed}; extra == '{name}'"
        for name, all_of_it in project["optional-dependencies"].items()
        for needed in all_of_it
    ]
    assert sorted(found.requires or []) == sorted([*project["dependencies"], *extras])
    (command,) = entry_points(group="console_scripts", name="insights")
    assert {command.name: command.value} == project["scripts"]


# Refuses every module that is neither of Python nor of the distributions named, as an environment
# without it would.
ONLY = """
import importlib, pkgutil, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in allowed and not top.startswith("_sysconfigdata"):
            raise ModuleNotFoundError(f"No module named {name!r}: not among the dependencies")

with_web = "starlette" in sys.argv[1:]
allowed = sys.stdlib_module_names | set(sys.argv[1:])
sys.meta_path.insert(0, Missing())
import ses_insights.cli
for module in pkgutil.walk_packages(ses_insights.cli.__path__, "ses_insights.cli."):
    if module.name.startswith("ses_insights.cli.web.") and not with_web:
        continue
    importlib.import_module(module.name)
    print(module.name)
from ses_insights.cli.__main__ import main
sys.argv[1:] = ["status"]
main()
"""


@pytest.mark.parametrize("extras", [(), ("web",)], ids=["alone", "web"])
def test_every_command_runs_with_the_named_dependencies_alone(
    project: dict[str, Any], tmp_path: Path, extras: tuple[str, ...]
) -> None:
    """No module of the CDK, the emulator, Powertools or the tests is imported on any way.

    The page is imported where its extra is installed, and nowhere else.
    """
    found: dict[str, Distribution] = {}
    more = [each for name in extras for each in project["optional-dependencies"][name]]
    for text in [*project["dependencies"], *more]:
        needed(Requirement(text).name, found)
    modules = {"ses_insights", *(top for each in found.values() for top in modules_of(each))}
    nothing = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_REGION": "eu-west-1"}
    done = run(sys.executable, "-c", ONLY, *modules, cwd=tmp_path, **nothing)
    assert "No module named" not in done.stderr
    assert done.stderr.startswith("There are no AWS credentials: ")
    imported = done.stdout.split()
    assert "ses_insights.cli.commands.enqueue" in imported
    assert ("ses_insights.cli.web.app" in imported) is bool(extras)


@pytest.mark.prove
def test_an_empty_environment_takes_it(tmp_path: Path) -> None:
    """`pip install .` gives the command, in a small environment, and leaves nothing in the tree."""
    left = run("git", "status", "--porcelain", "--ignored", cwd=REPOSITORY).stdout
    environment = tmp_path / "environment"
    run(sys.executable, "-m", "venv", environment, cwd=tmp_path)
    python, clean = environment / "bin" / "python", {"PYTHONPATH": ""}
    done = run(python, "-m", "pip", "install", "-q", REPOSITORY, cwd=tmp_path, **clean)
    assert done.returncode == 0, done.stderr
    shown = run(environment / "bin" / "insights", "--version", cwd=tmp_path, **clean)
    assert (shown.returncode, shown.stderr) == (0, "")
    listed = run(python, "-m", "pip", "list", cwd=tmp_path, **clean).stdout
    for unwanted in ("aws-cdk", "powertools", "ministack", "moto", "pytest"):
        assert unwanted not in listed
    size = sum(path.lstat().st_size for path in environment.rglob("*"))
    assert size < MOST_MEGABYTES * 1_000_000
    assert run("git", "status", "--porcelain", "--ignored", cwd=REPOSITORY).stdout == left
    shutil.rmtree(environment)
