"""Killing the processes in which the emulator runs a function."""

from __future__ import annotations

import subprocess
import sys
from typing import Final

from local.stack.processes import end

ENVIRONMENT: Final = """
import threading
memory = bytearray(300_000_000)
for _ in range(8):
    threading.Thread(target=threading.Event().wait, daemon=True).start()
print("ready", flush=True)
threading.Event().wait()
"""
"""A process that takes a while to end: it has threads, and memory to give back."""


def test_who_started_a_killed_process_sees_at_once_that_it_has_ended() -> None:
    """Otherwise the emulator hands its next invocation to a process that has been killed."""
    with subprocess.Popen([sys.executable, "-c", ENVIRONMENT], stdout=subprocess.PIPE) as started:
        assert started.stdout
        assert started.stdout.readline() == b"ready\n"

        end([started.pid])

        assert started.poll() is not None


def test_a_process_that_has_ended_before_keeps_nobody() -> None:
    """It may end by itself between the look for it and the kill; the others are killed."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    with subprocess.Popen([sys.executable, "-c", ENVIRONMENT], stdout=subprocess.PIPE) as running:
        end([ended.pid, running.pid])

        assert running.poll() is not None
