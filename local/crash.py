"""Ending a function's process as want of memory, the loss of its host or a time-out does."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress

from local.process import LocalRunError
from local.run import LocalRun


def crash(run: LocalRun, function_name: str) -> None:
    """Kill -9 every process of a function, whatever it is doing; returns once they are gone.

    The emulator reports what they worked on as failed, as Lambda does, and starts new ones when
    the function is next invoked. Raises LocalRunError where there is none.
    """
    found = _signal(run, function_name, signal.SIGKILL)
    while {*found} & {pid for pid, state, _ in _children(run) if not state.startswith("Z")}:
        time.sleep(0.01)


def freeze(run: LocalRun, function_name: str) -> list[int]:
    """Keep every process of a function from going on, so that it runs into its time-out.

    Returns their ids. Raises LocalRunError where there is none.
    """
    return _signal(run, function_name, signal.SIGSTOP)


def _signal(run: LocalRun, function_name: str, number: signal.Signals) -> list[int]:
    found = processes(run, function_name)
    if not found:
        raise LocalRunError(f"{function_name} has no process")
    for process in found:
        with suppress(ProcessLookupError):
            os.kill(process, number)
    return found


def processes(run: LocalRun, function_name: str) -> list[int]:
    """Find the processes of a function's execution environments.

    They are children of the emulator, which starts each from a folder named for its function.
    """
    return [
        pid for pid, _, command in _children(run) if f"ministack-lambda-{function_name}-" in command
    ]


def _children(run: LocalRun) -> Iterator[tuple[int, str, str]]:
    """List the emulator's children: process id, state, command."""
    listed = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,ppid=,stat=,args="],  # noqa: S607 - found where it is
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    for line in listed.splitlines():
        pid, parent, state, *command = line.split(maxsplit=3)
        if int(parent) == run.emulator.pid:
            yield int(pid), state, " ".join(command)
