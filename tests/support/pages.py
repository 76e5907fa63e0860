"""Running the commands of a page as somebody who pastes them would."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

from local.stack.run import LocalRun

AWS: Final = Path(__file__).with_name("aws_cli.py")
SECONDS: Final = 60.0


def section_of(page: str, heading: str) -> str:
    """What stands below a heading of a page, up to the next heading of any level."""
    section, is_inside, is_code = "", False, False
    for line in page.splitlines(keepends=True):
        is_code ^= line.startswith("```")
        if line.startswith("#") and not is_code:
            is_inside = line.strip("# \n") == heading
        elif is_inside:
            section += line
    return section


def blocks_of(page: str, language: str) -> list[str]:
    """Every block of code of a page in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def commands_of(page: str) -> str:
    """Every shell block of a page, one after the other."""
    return "\n".join(blocks_of(page, "sh"))


def run_page(page: str, stack: LocalRun, **variables: str) -> str:
    """Run the shell blocks of a page against the local stack and return what they print.

    `variables` are further environment variables. Raises AssertionError with what is on stderr
    where a command fails.
    """
    aws = f'aws() {{ {shlex.quote(sys.executable)} {shlex.quote(str(AWS))} "$@"; }}'
    return _printed_by(["/bin/sh", "-euc", f"{aws}\n{commands_of(page)}"], stack, **variables)


def run_python(page: str, stack: LocalRun, **variables: str) -> str:
    """Run the Python blocks of a page likewise."""
    program = "\n".join(blocks_of(page, "python"))
    return _printed_by([sys.executable, "-c", program], stack, **variables)


def _printed_by(command: list[str], stack: LocalRun, **variables: str) -> str:
    done = subprocess.run(
        command,
        env=stack.sandbox.environment(os.environ) | variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
