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


def commands_of(page: str) -> str:
    """Every shell block of a page, one after the other."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))


def run_page(page: str, stack: LocalRun) -> str:
    """Run the shell blocks of a page against the local stack and return what they print.

    Raises AssertionError with what is on stderr where a command fails.
    """
    aws = f'aws() {{ {shlex.quote(sys.executable)} {shlex.quote(str(AWS))} "$@"; }}'
    done = subprocess.run(
        ["/bin/sh", "-euc", f"{aws}\n{commands_of(page)}"],
        env=stack.sandbox.environment(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
