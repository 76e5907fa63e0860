"""The processes in which the emulator runs a function, as the machine sees them."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from local.run import LocalRun

_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def workers(run: LocalRun, function_name: str) -> list[int]:
    """Process ids of the function's execution environments."""
    name = f"AWS_LAMBDA_FUNCTION_NAME={function_name}".encode()
    found = []
    for pid in _children(run.emulator.pid):
        with suppress(OSError):  # it has ended meanwhile
            if name in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"):
                found.append(pid)
    return found


def kill(run: LocalRun, function_name: str) -> int:
    """Kill the function's processes as a crash would; returns how many there were."""
    found = workers(run, function_name)
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return len(found)


def memory(pid: int) -> int | None:
    """Bytes that a process holds in memory; None where it has ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, IndexError):
        return None


def _children(parent: int) -> Iterator[int]:
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            with suppress(OSError):
                # pid (name) state parent …; a name may hold blanks and parentheses.
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == parent:
                    yield int(folder.name)
