"""The whole local run: emulator, SES stand-in and the deployed stack, up for as long as a block."""

import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import boto3

from local.ses_stand_in.control import Control
from local.stack.child import LocalRunError, Program, running
from local.stack.deployment import Cdk
from local.stack.emulator import HOST, Certificate, emulator, make_certificate
from local.stack.emulator_quirks import allow_batches
from local.stack.faults.control import Faults
from local.stack.sandbox import Sandbox, without_aws_settings
from ses_insights.contracts.names import Output

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

PROJECT = Path(__file__).resolve().parents[2]
HOME = PROJECT / ".local"
"""What runs keep between them, and a folder for each run that is up or has failed."""

HELPER_SECONDS = 30.0
"""Until a server of this project answers."""

DEFAULT_CONTEXT: Mapping[str, str] = {"firstLookDelaySeconds": "0", "removalPolicy": "destroy"}

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalRun:
    """A stack that is up, and how to reach every part of it."""

    sandbox: Sandbox
    session: boto3.Session
    """Its clients talk to the emulator; for those of SES see `ses_client`."""
    ses: Control
    """The SES stand-in: its switches, its report on the pace, the mail it took."""
    outputs: Mapping[str, str]
    """The stack's outputs, by `contracts.names.Output`."""
    folder: Path
    """Logs and temporary files; removed after a run without an error."""
    emulator_pid: int
    """The emulator's process; the functions run in children of it."""
    proxy_url: str | None = None
    """The proxy between the functions and the emulator, if there is one."""

    @property
    def queue_url(self) -> str:
        """The queue of message ids."""
        return self.outputs[Output.QUEUE_URL]

    @property
    def dead_letter_queue_url(self) -> str:
        """The queue of parked messages."""
        return self.outputs[Output.DEAD_LETTER_QUEUE_URL]

    @property
    def table_name(self) -> str:
        """The table of insights."""
        return self.outputs[Output.TABLE_NAME]

    @property
    def alert_topic_arn(self) -> str:
        """The topic of alerts."""
        return self.outputs[Output.ALERT_TOPIC_ARN]

    @property
    def lookup_function(self) -> str:
        """The name of the function `lookup`."""
        return self.outputs[Output.LOOKUP_FUNCTION_NAME]

    @property
    def followups_function(self) -> str:
        """The name of the function `followups`."""
        return self.outputs[Output.FOLLOW_UP_FUNCTION_NAME]

    @property
    def faults(self) -> Faults:
        """The switches of DynamoDB's, SNS's and SQS's faults. Raises LocalRunError."""
        if self.proxy_url is None:
            raise LocalRunError("this run has no fault proxy: use local_stack(through_faults=True)")
        return Faults(self.proxy_url)

    def ses_client(self) -> "SESV2Client":
        """A client of the SES stand-in, to send mail the way a pipeline does."""
        return self.session.client("sesv2", endpoint_url=self.sandbox.ses_url)

    def log_lines(self, function_name: str) -> list[str]:
        """All lines in the function's log group, oldest first.

        The emulator answers with the first 10,000 at most; all of them, of every function, are in
        `folder / "emulator.log"` too.
        """
        logs = self.session.client("logs")
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=self._log_group(function_name)
        )
        return [event["message"] for page in pages for event in page["events"]]

    def log_records(self, function_name: str) -> list[dict[str, Any]]:
        """The structured ones among the function's log lines, metrics (EMF) included."""
        lines = self.log_lines(function_name)
        return [json.loads(line) for line in lines if line.startswith("{")]

    def _log_group(self, function_name: str) -> str:
        functions = self.session.client("lambda")
        found = functions.get_function_configuration(FunctionName=function_name)
        return found["LoggingConfig"]["LogGroup"]


@contextmanager
def local_stack(
    context: Mapping[str, str] | None = None,
    *,
    progress: Progress = lambda _: None,
    through_faults: bool = False,
) -> Iterator[LocalRun]:
    """Bring everything up, and stop all of it when the block ends, however it ends.

    `context` overrides the CDK context keys of DEFAULT_CONTEXT and of cdk.json; `progress` gets the
    name of each step. With `through_faults` the functions reach the emulator through a proxy
    that can fail, see `LocalRun.faults`; clients of `session` never do. Ctrl-C, SIGTERM and SIGHUP
    end the block by KeyboardInterrupt, also where a shell lets what it starts in the background
    ignore Ctrl-C. Raises LocalRunError.
    """
    with ExitStack() as resources:
        resources.enter_context(_signals_as_interrupts())
        folder = resources.enter_context(_run_folder())
        certificate = make_certificate(folder)

        progress("Starting the SES stand-in")
        ses_url = resources.enter_context(_stand_in(folder))

        progress("Starting the AWS emulator")
        listener = resources.enter_context(socket.create_server((HOST, 0)))
        sandbox = _sandbox(folder, listener, ses_url, certificate)
        proxy_url = (
            resources.enter_context(_fault_proxy(sandbox, folder)) if through_faults else None
        )
        aws = resources.enter_context(
            emulator(
                sandbox=sandbox,
                certificate=certificate,
                listener=listener,
                environ=os.environ,
                folder=folder,
                functions_url=proxy_url or sandbox.aws_url,
            )
        )

        outputs = _deploy(sandbox, folder, {**DEFAULT_CONTEXT, **(context or {})}, progress)
        if Output.FOLLOW_UP_FUNCTION_NAME in outputs:
            allow_batches(sandbox.session(), outputs)
        yield LocalRun(
            sandbox=sandbox,
            session=sandbox.session(),
            ses=Control(ses_url),
            outputs=outputs,
            folder=folder,
            emulator_pid=aws.pid,
            proxy_url=proxy_url,
        )


def _deploy(
    sandbox: Sandbox, folder: Path, context: Mapping[str, str], progress: Progress
) -> dict[str, str]:
    cdk = cdk_in(sandbox, folder)
    progress("Synthesising the stack")
    assembly = cdk.synth(context)
    progress("Bootstrapping the local account")
    cdk.bootstrap(assembly)
    progress("Deploying the stack")
    return cdk.deploy(assembly)


def cdk_in(sandbox: Sandbox, folder: Path) -> Cdk:
    """The CDK CLI, working in the sandbox of a run."""
    return Cdk(
        project=PROJECT,
        folder=folder,
        environment=sandbox.environment(os.environ),
        assemblies=HOME / "assemblies",
    )


def _sandbox(
    folder: Path, listener: socket.socket, ses_url: str, certificate: Certificate
) -> Sandbox:
    empty = folder / "empty"
    empty.touch()
    temporary = folder / "tmp"
    temporary.mkdir()
    return Sandbox(
        aws_url=f"https://{HOST}:{listener.getsockname()[1]}",
        ses_url=ses_url,
        ca_bundle=certificate.authority,
        empty_file=empty,
        temporary=temporary,
    )


def _stand_in(folder: Path) -> AbstractContextManager[str]:
    return _server("The SES stand-in", folder, ("local.ses_stand_in",), {})


def _fault_proxy(sandbox: Sandbox, folder: Path) -> AbstractContextManager[str]:
    trust = {"SSL_CERT_FILE": str(sandbox.ca_bundle)}
    return _server("The fault proxy", folder, ("local.stack.faults", sandbox.aws_url), trust)


@contextmanager
def _server(
    name: str, folder: Path, module: tuple[str, ...], settings: Mapping[str, str]
) -> Iterator[str]:
    """Run a server of this project and give its URL, the first line that it prints."""
    program = Program(
        name=name,
        command=(sys.executable, "-m", *module),
        environment={**without_aws_settings(os.environ), **settings},
        log=folder / f"{module[0].removeprefix('local.')}.log",
        folder=PROJECT,
    )
    with running(program) as child:
        child.wait_until(lambda: "\n" in program.log.read_text(), seconds=HELPER_SECONDS)
        yield program.log.read_text().splitlines()[0]


@contextmanager
def _run_folder() -> Iterator[Path]:
    """A folder for one run. It stays after an error, whose message names a log in there."""
    HOME.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=HOME))
    failed = False
    try:
        yield folder
    except Exception as error:
        failed = not isinstance(error, OSError)  # such as an output that cannot be written
        raise
    finally:
        if not failed:
            shutil.rmtree(folder, ignore_errors=True)


def say_stopped(error: OSError) -> int:
    """Say that the run ended because its output could not be written; returns the exit status."""
    print(f"Stopped: {error.strerror or error}. Nothing is left running.", file=sys.stderr)
    # Python's own last flush would fail, too.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1


@contextmanager
def _signals_as_interrupts() -> Iterator[None]:
    """Let the first signal unwind the run, where Python allows it; more of them change nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # nohup ignores it on purpose
        numbers.append(signal.SIGHUP)

    def interrupt(*_: object) -> NoReturn:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
