"""Runs a command and shows that it is at work: `python tools/progress.py TITLE COMMAND …`.

A terminal shows one line with the time and the newest step that pip names; a pipe gets a
line every ten seconds. What the command prints is shown only if it fails. The exit code is its own.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, TextIO

EVERY: Final = 10.0
"""Seconds between two lines where there is no terminal."""

STEP: Final = re.compile(
    r"\s*((?:Collecting|Downloading) [\w.-]{1,50}|Installing collected packages)"
)
"""What pip says of a step. Its other lines speak of this machine."""

KEPT: Final = 200
"""Lines of output that are kept for a failure."""


def main() -> int:
    """Run what the arguments name; returns its exit code."""
    title, *command = sys.argv[1:]
    try:
        return run(title, command, sys.stdout)
    except KeyboardInterrupt:
        return 130


def run(
    title: str, command: list[str], out: TextIO, *, clock: Callable[[], float] = time.monotonic
) -> int:
    """Run a command and show its progress; returns its exit code."""
    output: deque[str] = deque(maxlen=KEPT)
    began = shown = clock()
    if not out.isatty():
        print(f"{title} …", file=out, flush=True)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        reader = threading.Thread(target=_read, args=(process, output), daemon=True)
        reader.start()
        while reader.is_alive():
            reader.join(0.2)
            now = clock()
            line = f"{title} … {now - began:.0f} s  {_step(output)}"
            if out.isatty():
                print(f"\r\x1b[K{_cut(line)}", end="", file=out, flush=True)
            elif now - shown >= EVERY:
                shown = now
                print(line.rstrip(), file=out, flush=True)
    if out.isatty():
        print("\r\x1b[K", end="", file=out)
    if process.returncode:
        print("\n".join(output), file=sys.stderr)
        print(f"{title}: failed with exit code {process.returncode}.", file=sys.stderr)
    else:
        print(f"{title}: done in {clock() - began:.0f} s.", file=out, flush=True)
    return process.returncode


def _read(process: subprocess.Popen[str], output: deque[str]) -> None:
    assert process.stdout is not None  # noqa: S101 - it is a pipe
    for line in process.stdout:
        if line.strip():
            output.append(line.rstrip())


def _step(output: Iterable[str]) -> str:
    """Name the newest step that says something to a person; nothing where there is none."""
    steps = (found for line in reversed([*output]) if (found := STEP.match(line)))
    return next((found[1] for found in steps), "")


def _cut(line: str) -> str:
    return line[: shutil.get_terminal_size().columns - 1]


if __name__ == "__main__":
    sys.exit(main())
