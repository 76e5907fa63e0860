"""How other commands find the local stack that is up."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.ses_stand_in.control import Control
from local.stack.attached import (
    VARIABLE,
    alone,
    announced,
    attach,
    environment_lines,
    export_lines,
)
from local.stack.child import LocalRunError
from local.stack.run import LocalRun
from local.stack.sandbox import Sandbox
from ses_insights.contracts.names import Output

OUTPUTS: Mapping[str, str] = {
    Output.QUEUE_URL: "https://localhost:4566/000000000000/ids.fifo",
    Output.TABLE_NAME: "table",
    Output.ALERT_TOPIC_ARN: "arn:aws:sns:eu-west-1:000000000000:alerts",
}


def run_of(pid: int, folder: Path) -> LocalRun:
    """A run whose emulator is this process."""
    sandbox = Sandbox(
        aws_url="https://127.0.0.1:4566",
        ses_url="http://127.0.0.1:4567",
        ca_bundle=folder / "authority.pem",
        empty_file=folder / "empty",
        temporary=folder / "tmp",
    )
    return LocalRun(
        sandbox=sandbox,
        session=sandbox.session(),
        ses=Control(sandbox.ses_url),
        outputs=OUTPUTS,
        folder=folder,
        emulator_pid=pid,
        proxy_url="http://127.0.0.1:4568",
    )


def environ_of(run: LocalRun) -> dict[str, str]:
    """What the file for a shell sets, as far as `attach` reads it."""
    return {VARIABLE: str(run.folder / "up.json")}


def test_a_run_that_is_up_is_found(tmp_path: Path) -> None:
    """With everything that another command needs of it."""
    run = run_of(os.getpid(), tmp_path)
    with announced(run, tmp_path):
        found = attach(environ_of(run))
    assert found.sandbox == run.sandbox
    assert (found.outputs, found.folder) == (run.outputs, run.folder)
    assert (found.emulator_pid, found.proxy_url) == (run.emulator_pid, run.proxy_url)


def test_a_run_that_has_ended_leaves_nothing(tmp_path: Path) -> None:
    """No file names it any more, and the message says how to start one."""
    run = run_of(os.getpid(), tmp_path)
    with announced(run, tmp_path):
        assert sorted(path.name for path in tmp_path.iterdir()) == ["env", "up.json"]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(LocalRunError, match=r"has ended\. Start one with `make local`"):
        attach(environ_of(run))


def test_a_run_that_was_killed_is_not_found(tmp_path: Path) -> None:
    """Its files are still there, its process is not."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pid = process.pid
    run = run_of(pid, tmp_path)
    with announced(run, tmp_path), pytest.raises(LocalRunError, match="has ended"):
        attach(environ_of(run))


def test_a_terminal_of_no_run_is_told_how_to_become_one() -> None:
    """It names the file to source."""
    with pytest.raises(LocalRunError, match=r"`make local`, .* `\. \.local/env`"):
        attach({})


def test_a_second_run_in_a_folder_is_refused(tmp_path: Path) -> None:
    """With a sentence that says how to use the first one, whose file stays until it ends."""
    run = run_of(os.getpid(), tmp_path)
    with alone(tmp_path), announced(run, tmp_path) as environment:
        with pytest.raises(LocalRunError, match=r"up in this folder already: .*`\. \.local/env`"):
            alone(tmp_path).__enter__()
        assert str(run.folder / "up.json") in environment.read_text()
    assert not environment.exists()
    with alone(tmp_path):
        pass


def test_a_run_takes_away_only_its_own_file(tmp_path: Path) -> None:
    """Where `make clean` took the older one's, and a newer one has begun, that stays."""
    older, newer = (run_of(os.getpid(), tmp_path / name) for name in ("older", "newer"))
    for run in (older, newer):
        run.folder.mkdir()
    first = announced(older, tmp_path)
    file = first.__enter__()
    with announced(newer, tmp_path):
        assert attach(environ_of(older)).folder == older.folder
        first.__exit__(None, None, None)
        assert str(newer.folder / "up.json") in file.read_text()
    assert not file.exists()


def test_exports_can_be_pasted() -> None:
    """The lines survive a shell, and drop what would name another account."""
    lines = export_lines({"AWS_REGION": "eu-west-1", "AWS_CA_BUNDLE": "/a folder/it's.pem"})
    assert lines[0].startswith("unset AWS_PROFILE ")
    assert lines[1:] == [
        "export AWS_REGION=eu-west-1",
        "export AWS_CA_BUNDLE='/a folder/it'\"'\"'s.pem'",
    ]


def test_the_file_for_a_shell_names_what_commands_need(tmp_path: Path) -> None:
    """The stack, its queue, table, topic and log; what was on the path before stays there."""
    script = "\n".join(
        [
            *environment_lines(run_of(os.getpid(), tmp_path), tmp_path / "up.json"),
            'echo "$SES_INSIGHTS_STACK $QUEUE_URL $TABLE_NAME $ALERT_TOPIC_ARN"',
            'echo "$LOCAL_LOG $LOCAL_RUN"; echo "$PATH"',
        ]
    )
    said = subprocess.run(
        ["/bin/sh", "-euc", script],
        env={"PATH": "/was/there"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert said[0] == f"SesInsights {' '.join(OUTPUTS.values())}"
    assert said[1] == f"{tmp_path / 'emulator.log'} {tmp_path / 'up.json'}"
    assert said[2].endswith(":/was/there")
