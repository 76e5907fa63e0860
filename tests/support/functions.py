"""What tests change about the deployed functions: settings, schedule, processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from local.stack.processes import processes_of
from local.stack.run import LocalRun


def variables_of(run: LocalRun) -> dict[str, str]:
    """The environment variables of the lookup function."""
    functions = run.session.client("lambda")
    found = functions.get_function_configuration(FunctionName=run.lookup_function)
    return found["Environment"]["Variables"]


def configure(run: LocalRun, **variables: str) -> None:
    """Change variables of the lookup function; that replaces its processes, as Lambda does."""
    run.session.client("lambda").update_function_configuration(
        FunctionName=run.lookup_function,
        Environment={"Variables": {**variables_of(run), **variables}},
    )


@contextmanager
def configured(run: LocalRun, **variables: str) -> Iterator[None]:
    """Change variables of the lookup function for the block."""
    before = variables_of(run)
    configure(run, **variables)
    try:
        yield
    finally:
        configure(run, **before)


def pids_of(run: LocalRun) -> set[int]:
    """The processes of the lookup function."""
    return {process.pid for process in processes_of(run, run.lookup_function)}


def freeze(run: LocalRun) -> set[int]:
    """Stop the processes of the lookup function, so that it times out; returns their ids."""
    found = pids_of(run)
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    return found
