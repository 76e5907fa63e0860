"""Every Python of the machine is found once, and what is none is passed over."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tools.pythons import candidates, pythons, requirements, version_of

HERE = (sys.version_info[0], sys.version_info[1])


def program(path: Path, text: str) -> Path:
    """Write a program."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def test_pythons_of_the_path_and_of_pyenv_are_candidates(tmp_path: Path) -> None:
    """Those of the path first."""
    one = program(tmp_path / "bin" / "python3.12", "")
    program(tmp_path / "bin" / "python3-config", "")
    two = program(tmp_path / ".pyenv" / "versions" / "3.13.0" / "bin" / "python3", "")
    path = os.pathsep.join([str(tmp_path / "bin"), "", str(tmp_path / "none")])
    assert list(candidates(path, tmp_path)) == [one, two]


def test_a_python_of_each_version_is_taken(tmp_path: Path) -> None:
    """The first one; what is too old, broken or no Python is passed over."""
    says = "#!/bin/sh\necho {}\n"
    paths = [
        program(tmp_path / "old", says.format("3 10")),
        program(tmp_path / "a", says.format("3 12")),
        program(tmp_path / "b", says.format("3 12")),
        program(tmp_path / "new", says.format("3 15")),
        program(tmp_path / "broken", "#!/bin/sh\nexit 1\n"),
        program(tmp_path / "odd", says.format("hello")),
        tmp_path / "missing",
    ]
    assert pythons(paths) == {(3, 12): tmp_path / "a", (3, 15): tmp_path / "new"}


def test_a_python_tells_its_version() -> None:
    """This one, for example."""
    assert version_of(Path(sys.executable)) == HERE


def test_the_fast_tests_need_less() -> None:
    """What is there for some Pythons only, and what they do not use, is left out."""
    text = "boto3==1\natheris==3; python_version < '3.12'\nmypy==2\nmypy-boto3-sqs==1\nruff==1\n"
    assert requirements(text) == "boto3==1\nmypy-boto3-sqs==1\n"
