"""The local run of another process: `make local` notes where it is, and other commands find it."""

from __future__ import annotations

import fcntl
import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from local.ses_stand_in.control import Control
from local.stack.child import LocalRunError
from local.stack.run import HOME, LocalRun
from local.stack.sandbox import Sandbox
from ses_insights.contracts.names import DEFAULT_STACK_NAME

ENVIRONMENT: Final = "env"
"""The file for a shell, beside the runs' folders. It is of the one `make local` that is up."""

_LOCK: Final = "lock"
"""The file that this one has locked; the system unlocks it however the process ends."""

VARIABLE: Final = "LOCAL_RUN"
"""Set by that file: where this run has noted what it is."""


@contextmanager
def alone(home: Path = HOME) -> Iterator[None]:
    """Keep any other `make local` out for as long as the block lasts. Raises LocalRunError."""
    home.mkdir(exist_ok=True)
    with (home / _LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalRunError(
                "`make local` is up in this folder already: use it from a new terminal with "
                "`. .local/env`, or end it first with Ctrl-C where it runs."
            ) from None
        yield


@contextmanager
def announced(run: LocalRun, home: Path = HOME) -> Iterator[Path]:
    """Note where the run is for as long as the block lasts; gives the file for a shell."""
    note, environment = run.folder / "up.json", home / ENVIRONMENT
    note.write_text(json.dumps(_as_json(run)))
    text = "\n".join([*environment_lines(run, note), ""])
    fresh = run.folder / ENVIRONMENT
    fresh.write_text(text)
    fresh.replace(environment)  # whole at once: it may be read at any moment
    try:
        yield environment
    finally:
        note.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            if environment.read_text() == text:
                environment.unlink()


def attach(environ: Mapping[str, str]) -> LocalRun:
    """The run that this environment is of. Raises LocalRunError where it is of none that is up."""
    if VARIABLE not in environ:
        raise LocalRunError(
            f"This terminal belongs to no local stack: {VARIABLE} is not set. Start one with "
            "`make local`, and in this terminal type `. .local/env`."
        )
    try:
        noted = json.loads(Path(environ[VARIABLE]).read_text())
        os.kill(noted["emulator_pid"], 0)
    except (FileNotFoundError, ProcessLookupError):
        raise LocalRunError(
            "The local stack of this terminal has ended. Start one with `make local`, and in a "
            "new terminal type `. .local/env`."
        ) from None
    where = noted["sandbox"]
    sandbox = Sandbox(
        aws_url=where["aws_url"],
        ses_url=where["ses_url"],
        ca_bundle=Path(where["ca_bundle"]),
        empty_file=Path(where["empty_file"]),
        temporary=Path(where["temporary"]),
    )
    return LocalRun(
        sandbox=sandbox,
        session=sandbox.session(),
        ses=Control(sandbox.ses_url),
        outputs=noted["outputs"],
        folder=Path(noted["folder"]),
        emulator_pid=noted["emulator_pid"],
        proxy_url=noted["proxy_url"],
    )


def environment_lines(run: LocalRun, note: Path) -> list[str]:
    """Shell lines after which a shell has this Python first, and talks to the run alone."""
    own = {
        VARIABLE: str(note),
        "LOCAL_LOG": str(run.folder / "emulator.log"),
        "SES_INSIGHTS_STACK": DEFAULT_STACK_NAME,
        "QUEUE_URL": run.queue_url,
        "TABLE_NAME": run.table_name,
        "ALERT_TOPIC_ARN": run.alert_topic_arn,
    }
    tools = shlex.quote(str(Path(sys.executable).parent))
    return [*export_lines(run.sandbox.variables() | own), f'export PATH={tools}:"$PATH"']


def export_lines(variables: Mapping[str, str]) -> list[str]:
    """Shell lines after which AWS clients in that shell talk to the run and to nothing else."""
    return [
        "unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN",
        *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
    ]


def _as_json(run: LocalRun) -> dict[str, Any]:
    return {
        "sandbox": {name: str(value) for name, value in asdict(run.sandbox).items()},
        "outputs": dict(run.outputs),
        "folder": str(run.folder),
        "emulator_pid": run.emulator_pid,
        "proxy_url": run.proxy_url,
    }
