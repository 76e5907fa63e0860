"""The processes in which the emulator runs a function: to weigh, to stop and to kill them."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from local.stack.run import LocalRun


@dataclass(frozen=True, slots=True)
class Process:
    """One execution environment, as the machine sees it."""

    pid: int
    memory: int
    """Bytes that it holds."""


def processes_of(run: LocalRun, function_name: str) -> list[Process]:
    """Find a function's execution environments.

    They are children of the emulator, which starts each from a folder named for its function.
    """
    return [
        process
        for process, parent, command in _processes()
        if parent == run.emulator_pid and f"ministack-lambda-{function_name}-" in command
    ]


def kill(run: LocalRun, function_name: str) -> int:
    """End a function's processes at once, as running out of memory or losing the host does.

    Returns how many there were, once they are gone. The emulator reports what they worked on as
    failed, as Lambda does, and starts new ones when the function is next invoked.
    """
    found = {process.pid for process in processes_of(run, function_name)}
    end(found)
    return len(found)


def end(pids: Collection[int]) -> None:
    """Kill processes; return when whoever started them can see that they have ended."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    while any(map(_is_ending, pids)) or not _running().isdisjoint(pids):
        time.sleep(0.01)


def _is_ending(pid: int) -> bool:
    """Whether threads of a process are left.

    Linux lists it as ended once its main thread has, and tells its parent when the last one has.
    """
    return len(list(Path(f"/proc/{pid}/task").glob("*"))) > 1


def _running() -> set[int]:
    return {process.pid for process, _, _ in _processes()}


def _processes() -> Iterator[tuple[Process, int, str]]:
    """List all processes that have not ended: the process, its parent, its command."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,rss=,args="],  # noqa: S607 - where it is found
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for line in listed.splitlines():
        pid, parent, state, kibibytes, *command = line.split(maxsplit=4)
        if not state.startswith("Z"):
            yield Process(int(pid), int(kibibytes) * 1024), int(parent), " ".join(command)
