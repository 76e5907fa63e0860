"""A local run as a whole, short of the deployment: it stops what it started and cleans up."""

import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError

import pytest

from local.stack import run as local_run
from local.stack.child import LocalRunError
from local.stack.run import PROJECT, local_stack
from local.stack.sandbox import Sandbox
from ses_insights.contracts.names import Output
from tests.support.patience import SECONDS


class Deployment:
    """Replaces the deployment, and keeps what it got."""

    sandbox: Sandbox
    folder: Path
    context: Mapping[str, str]
    error: BaseException | None = None

    def __call__(
        self, sandbox: Sandbox, folder: Path, context: Mapping[str, str], _progress: object
    ) -> dict[str, str]:
        """Note what came, and fail if the test asks for it."""
        self.sandbox, self.folder, self.context = sandbox, folder, context
        assert answers(sandbox)
        if self.error is not None:
            raise self.error
        return {Output.TABLE_NAME: "t"}


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Deployment:
    """No deployment: the rest of the run is what these tests are about."""
    stub = Deployment()
    monkeypatch.setattr(local_run, "_deploy", stub)
    monkeypatch.setattr(local_run, "HOME", tmp_path / ".local")
    return stub


def answers(sandbox: Sandbox) -> bool:
    """Whether anything listens at either endpoint."""
    context = ssl._create_unverified_context()  # noqa: S323, SLF001 - asks only whether it answers
    answered = 0
    for url in (f"{sandbox.aws_url}/_ministack/health", f"{sandbox.ses_url}/_stand_in/settings"):
        try:
            with urllib.request.urlopen(url, timeout=SECONDS, context=context):  # noqa: S310 - loopback
                answered += 1
        except URLError:
            pass
    assert answered in {0, 2}
    return answered == 2


@contextmanager
def handled(number: signal.Signals, handler: signal.Handlers) -> Iterator[None]:
    """Let a signal be ignored or do what it does by default, however the tests were started."""
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


def test_everything_is_up_inside_and_gone_after(deployment: Deployment) -> None:
    """Inside the block both servers answer; after it neither does, and its folder is gone."""
    with local_stack() as run:
        assert answers(run.sandbox)
        assert run.table_name == "t"
        assert run.ses.report().calls == 0
        arn = run.session.client("sts").get_caller_identity()["Arn"]
        assert arn == "arn:aws:iam::000000000000:root"
    assert not answers(deployment.sandbox)
    assert not deployment.folder.exists()


def test_a_start_that_fails_half_way_leaves_nothing_but_its_logs(deployment: Deployment) -> None:
    """A failed deployment stops both servers and keeps the folder its message names."""
    deployment.error = LocalRunError("no")
    with pytest.raises(LocalRunError), local_stack():
        pass
    assert not answers(deployment.sandbox)
    assert (deployment.folder / "emulator.log").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the kernel's full disk")
def test_a_full_disk_ends_it_with_a_sentence() -> None:
    """And no stack trace."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "local.demo"],
            cwd=PROJECT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "Stopped: No space left on device. Nothing is left running.\n"


def test_an_output_that_cannot_be_written_leaves_no_folder(deployment: Deployment) -> None:
    """No log says more of it."""
    deployment.error = BrokenPipeError()
    with pytest.raises(BrokenPipeError), local_stack():
        pass
    assert not deployment.folder.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run(deployment: Deployment, number: signal.Signals) -> None:
    """Ctrl-C, `kill` and a closed terminal stop everything, also what runs in the background."""
    # What a shell starts in the background ignores Ctrl-C.
    with (
        handled(signal.SIGINT, signal.SIG_IGN),
        handled(signal.SIGHUP, signal.SIG_DFL),
        pytest.raises(KeyboardInterrupt),
        local_stack(),
    ):
        signal.raise_signal(number)
    assert not answers(deployment.sandbox)
    assert not deployment.folder.exists()


def test_an_impatient_second_ctrl_c_leaves_nothing_behind(deployment: Deployment) -> None:
    """It does not end the cleaning up that the first one has begun."""
    went_on = False

    def interrupted_twice() -> None:
        nonlocal went_on
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)
            went_on = True

    with pytest.raises(KeyboardInterrupt), local_stack():
        interrupted_twice()
    assert went_on
    assert not deployment.folder.exists()


def test_a_run_under_nohup_outlives_its_terminal(deployment: Deployment) -> None:
    """What is to be ignored when it starts stays ignored."""
    with handled(signal.SIGHUP, signal.SIG_IGN), local_stack():
        signal.raise_signal(signal.SIGHUP)
        assert answers(deployment.sandbox)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signal_handlers_are_put_back(deployment: Deployment, number: signal.Signals) -> None:
    """After a run, a signal does what it did before."""
    with handled(number, signal.SIG_DFL):
        with local_stack():
            assert signal.getsignal(number) is not signal.SIG_DFL
        assert signal.getsignal(number) is signal.SIG_DFL
    assert not deployment.folder.exists()


def test_each_start_is_empty(deployment: Deployment) -> None:
    """Nothing of an earlier run is found in a later one."""
    queues = []
    for _ in range(2):
        with local_stack() as run:
            sqs = run.session.client("sqs")
            queues.append(sqs.list_queues().get("QueueUrls", []))
            sqs.create_queue(QueueName="q")
    assert queues == [[], []]
    assert deployment.context["firstLookDelaySeconds"] == "0"


def test_context_keys_can_be_set(deployment: Deployment) -> None:
    """The caller's context keys win over those of a local run; the others stay."""
    with local_stack({"firstLookDelaySeconds": "6"}):
        assert deployment.context == {"firstLookDelaySeconds": "6", "removalPolicy": "destroy"}


def test_two_runs_stand_side_by_side(deployment: Deployment) -> None:
    """Ports are chosen free: a second run on the same machine works."""
    with local_stack() as one, local_stack() as two:
        assert one.sandbox.aws_url != two.sandbox.aws_url
        assert answers(one.sandbox)
        assert answers(two.sandbox)
    assert not answers(deployment.sandbox)


def test_each_step_is_announced(deployment: Deployment) -> None:
    """A person sees what is being done."""
    steps: list[str] = []
    with local_stack(progress=steps.append):
        assert steps == ["Starting the SES stand-in", "Starting the AWS emulator"]
    assert not deployment.folder.exists()
