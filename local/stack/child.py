"""Child processes that write to a log file and never outlive the run."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

TAIL_LINES = 25


class LocalRunError(Exception):
    """A part of the local run did not start or did not do its work; the text is for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What to run: `name` is what messages call it, `log` takes all of its output."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    log: Path
    folder: Path
    pass_fds: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Child:
    """A running program."""

    program: Program
    popen: subprocess.Popen[bytes]

    @property
    def pid(self) -> int:
        """Process id, and the id of the process group the program leads."""
        return self.popen.pid

    def wait_until(self, ready: Callable[[], bool], *, seconds: float) -> None:
        """Poll `ready`; LocalRunError when the program ends first or `seconds` pass."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.popen.poll() is not None:
                raise self.failure(f"ended with exit code {self.popen.returncode}")
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready after {seconds:.0f} s")
            time.sleep(0.05)

    def failure(self, what: str) -> LocalRunError:
        """What happened, the end of the log, and where the rest is."""
        lines = self.program.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        quoted = "\n".join(f"  | {line}" for line in lines) or "  | (no output)"
        return LocalRunError(
            f"{self.program.name} {what}. Its last output:\n{quoted}\n"
            f"The whole log: {self.program.log}"
        )

    def stop(self) -> None:
        """End the whole process group at once: no part of a run has anything to keep."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.popen.wait()


@contextmanager
def running(program: Program) -> Iterator[Child]:
    """Run a program in a process group of its own for as long as the block lasts."""
    with program.log.open("ab") as log:
        popen = subprocess.Popen(
            [*_dying_with_parent(), *program.command],
            cwd=program.folder,
            env=dict(program.environment),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=program.pass_fds,
        )
    child = Child(program, popen)
    try:
        yield child
    finally:
        child.stop()


def complete(program: Program, *, seconds: float) -> None:
    """Run a program to its end; LocalRunError when it fails or takes longer than `seconds`."""
    with running(program) as child:
        try:
            code = child.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise child.failure(f"did not finish within {seconds:.0f} s") from None
        if code != 0:
            raise child.failure(f"failed with exit code {code}")


def _dying_with_parent() -> tuple[str, ...]:
    """A command prefix with which Linux ends the child even when this process is killed -9."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()
