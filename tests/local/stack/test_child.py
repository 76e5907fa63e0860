"""Child processes of a local run: a log file, an error with its end, and none outlives the run."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from local.stack.child import LocalRunError, Program, complete, running
from tests.support.patience import SECONDS, eventually

ProgramOf = Callable[[str], Program]


@pytest.fixture
def program(tmp_path: Path) -> ProgramOf:
    """Makes a program that runs some Python."""

    def make(source: str) -> Program:
        return Program(
            name="The example",
            command=(sys.executable, "-c", textwrap.dedent(source)),
            environment=os.environ,
            log=tmp_path / "example.log",
            folder=tmp_path,
        )

    return make


def is_alive(pid: int) -> bool:
    """A process that runs: one that has ended and was not collected does not count."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_a_program_runs_for_as_long_as_the_block(program: ProgramOf) -> None:
    """A running program is gone when its block ends."""
    with running(program("import time; time.sleep(60)")) as child:
        assert is_alive(child.pid)
    assert not is_alive(child.pid)


def test_an_error_in_the_block_stops_the_program(program: ProgramOf) -> None:
    """When a later part of a start fails, what was already started is stopped."""
    with pytest.raises(ZeroDivisionError), running(program("import time; time.sleep(60)")) as child:
        _ = 1 / 0
    assert not is_alive(child.pid)


def test_children_of_a_child_are_stopped_too(program: ProgramOf) -> None:
    """What a program starts itself ends with it."""
    starts_another = program("""
        import subprocess, sys, time
        other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        print(other.pid, flush=True)
        time.sleep(60)
    """)
    log = starts_another.log
    with running(starts_another) as child:
        child.wait_until(lambda: "\n" in log.read_text(), seconds=SECONDS)
        other = int(log.read_text())
        assert is_alive(other)
    eventually(lambda: not is_alive(other))


def test_a_program_that_ignores_signals_is_ended(program: ProgramOf) -> None:
    """A program cannot delay its end."""
    stubborn = program("""
        import signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("ready", flush=True)
        time.sleep(60)
    """)
    with running(stubborn) as child:
        child.wait_until(lambda: "ready" in stubborn.log.read_text(), seconds=SECONDS)
    assert child.popen.returncode == -signal.SIGKILL


def test_a_child_dies_with_its_parent(program: ProgramOf, tmp_path: Path) -> None:
    """Even when the run itself is killed without a chance to clean up, nothing stays behind."""
    pid_file = tmp_path / "pid"
    parent = f"""
        import os, sys, time
        from pathlib import Path
        from local.stack.child import Program, running
        sleeper = Program(
            name="sleeper",
            command=(sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)"),
            environment=os.environ,
            log=Path("sleeper.log"),
            folder=Path(),
        )
        with running(sleeper) as child:
            Path({str(pid_file)!r}).write_text(f"{{child.pid}}\\n")
            time.sleep(60)
    """
    source = program(parent).command
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    log = tmp_path / "sleeper.log"
    with subprocess.Popen(source, cwd=tmp_path, env=environment) as killed:
        eventually(lambda: pid_file.exists() and pid_file.read_text().endswith("\n"))
        # Only a child that has come so far has asked to die with its parent.
        eventually(lambda: "up" in log.read_text())
        child = int(pid_file.read_text())
        killed.kill()
    eventually(lambda: not is_alive(child))


def test_a_program_that_ends_early_is_reported_with_its_last_output(program: ProgramOf) -> None:
    """A start that fails says what ended, how, its last output and where the log is."""
    failing = program("import sys; sys.exit('the port is taken')")
    with (
        pytest.raises(LocalRunError, match="ended with exit code 1") as error,
        running(failing) as child,
    ):
        child.wait_until(lambda: False, seconds=SECONDS)
    assert str(error.value).startswith("The example ended")
    assert "  | the port is taken" in str(error.value)
    assert str(failing.log) in str(error.value)


def test_a_program_that_never_gets_ready_is_given_up(program: ProgramOf) -> None:
    """The wait for a start is bounded."""
    with (
        pytest.raises(LocalRunError, match="was not ready after 0 s"),
        running(program("import time; time.sleep(60)")) as child,
    ):
        child.wait_until(lambda: False, seconds=0.1)


def test_a_completed_program_says_nothing(program: ProgramOf) -> None:
    """Output of a step that works is kept in the log, and only there."""
    done = program("print('done')")
    complete(done, seconds=SECONDS)
    assert done.log.read_text() == "done\n"


def test_a_failed_step_shows_the_end_of_its_log(program: ProgramOf) -> None:
    """A step that fails shows its last 25 lines."""
    with pytest.raises(LocalRunError, match="failed with exit code 3") as error:
        complete(program("print(*range(99), sep='\\n'); raise SystemExit(3)"), seconds=SECONDS)
    quoted = [line for line in str(error.value).splitlines() if line.startswith("  | ")]
    assert quoted == [f"  | {number}" for number in range(74, 99)]


def test_a_step_that_hangs_is_given_up(program: ProgramOf) -> None:
    """A step that does not end is stopped and reported."""
    with pytest.raises(LocalRunError, match="did not finish within 0 s"):
        complete(program("import time; time.sleep(60)"), seconds=0.1)
