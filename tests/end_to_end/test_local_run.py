"""The local run itself: where it listens, and what it prints for a person."""

import os
import subprocess
import sys
from pathlib import Path

from local.__main__ import SPEED, guide
from local.stack.attached import announced, export_lines
from local.stack.run import PROJECT, LocalRun
from tests.support.pages import commands_of
from tests.support.patience import SECONDS, eventually

PAGE = (PROJECT / "docs" / "rehearse.md").read_text()
LISTENING = "0A"
LOOPBACK = "0100007F"
"""127.0.0.1, as /proc/net/tcp writes it."""


def test_the_emulator_listens_on_one_loopback_port(run: LocalRun) -> None:
    """No other port, and no other interface."""
    sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    addresses = {fields[9]: fields[1] for fields in sockets if fields[3] == LISTENING}
    links = (str(fd.readlink()) for fd in Path(f"/proc/{run.emulator_pid}/fd").iterdir())
    inodes = (link.removeprefix("socket:[").removesuffix("]") for link in links)
    port = int(run.sandbox.aws_url.rpartition(":")[2])
    own = [addresses[inode] for inode in inodes if inode in addresses]
    assert own == [f"{LOOPBACK}:{port:04X}"]


def test_the_printed_exports_are_all_that_a_client_needs(run: LocalRun) -> None:
    """Pasted into a shell with settings of a real account, they lead boto3 to the local run."""
    ask = "import boto3; print(boto3.client('dynamodb').list_tables()['TableNames'])"
    pasted = "\n".join([*export_lines(run.sandbox.variables()), f'exec "$PYTHON" -c "{ask}"'])
    printed = subprocess.run(
        ["/bin/sh", "-ec", pasted],
        env={
            **os.environ,
            "PYTHON": sys.executable,
            "AWS_PROFILE": "production",
            "AWS_SESSION_TOKEN": "real",
        },
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.strip() == str([run.table_name])


def test_the_first_block_of_the_guide_works(run: LocalRun) -> None:
    """Pasted as it stands, it sends a mail, enqueues its id and shows that it bounced."""
    run.ses.change(speed=SPEED)
    with announced(run, run.folder) as environment:
        _, block, *_ = guide(run, environment).split("\n\n")
        done = subprocess.run(
            ["/bin/sh", "-euc", block],
            env={"PATH": os.environ["PATH"], "HOME": "/", "AWS_PROFILE": "production"},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
    assert done.returncode == 0, done.stderr
    assert "PERMANENT_BOUNCE" in done.stdout
    run.ses.reset()


def test_the_commands_of_the_page_work(run: LocalRun) -> None:
    """Those of docs/rehearse.md: three mails are sent and their ids enqueued, and both are seen."""
    run.ses.change(speed=SPEED)
    with announced(run, run.folder) as environment:
        pasted = "\n".join([f". {environment}", commands_of(PAGE)])

        def bounced_and_counted() -> bool:
            done = subprocess.run(
                ["/bin/sh", "-euc", pasted],
                cwd=PROJECT,
                env={"PATH": os.environ["PATH"], "HOME": "/"},
                capture_output=True,
                text=True,
                check=False,
                timeout=SECONDS,
            )
            # On a busy machine the first mail is not looked at yet when it is searched for.
            return done.returncode == 0 and "bounce-noemail+" in done.stdout

        eventually(bounced_and_counted)
    assert {mail.story for mail in run.ses.sent()} == {
        "bounce-noemail",
        "complaint-late",
        "delivered",
    }
    run.ses.reset()
