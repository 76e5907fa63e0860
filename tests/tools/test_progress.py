"""A slow command shows that it is at work, and fails with its own words and exit code."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator

import pytest

from tools.progress import EVERY, run

SLOW = "import time; print('Collecting moto', flush=True); time.sleep(0.5)"
FAILS = "import sys; print('ERROR: No matching distribution'); sys.exit(7)"


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


def ticks() -> Iterator[float]:
    """Seconds of a clock that runs fast: half of the time between two lines at every reading."""
    now = 0.0
    while True:
        yield now
        now += EVERY / 2


def test_a_pipe_gets_a_line_every_ten_seconds() -> None:
    """With the newest line of the output."""
    out, clock = io.StringIO(), ticks()
    assert run("Installing", [sys.executable, "-c", SLOW], out, clock=lambda: next(clock)) == 0
    first, *middle, last = out.getvalue().splitlines()
    assert first == "Installing …"
    assert any(line.endswith(" s  Collecting moto") for line in middle)
    assert last.startswith("Installing: done in ")


def test_a_terminal_shows_one_line() -> None:
    """It is overwritten, and gone at the end but for a summary."""
    out = Terminal()
    assert run("Installing", [sys.executable, "-c", SLOW], out) == 0
    assert "\r\x1b[KInstalling … 0 s  Collecting moto" in out.getvalue()
    assert out.getvalue().count("\n") == 1


def test_a_failure_shows_the_output_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    """On standard error; the exit code is the command's own."""
    assert run("Installing", [sys.executable, "-c", FAILS], io.StringIO()) == 7
    assert capsys.readouterr().err == (
        "ERROR: No matching distribution\nInstalling: failed with exit code 7.\n"
    )
