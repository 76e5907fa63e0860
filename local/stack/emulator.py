"""ministack, the local AWS: on loopback, over TLS, with IAM enforced, empty at every start."""

import socket
import ssl
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import trustme

from local.stack.child import Child, Program, running
from local.stack.sandbox import REGION, Sandbox

HOST = "127.0.0.1"
START_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate for loopback, signed by an authority that is made for this run alone."""

    authority: Path
    chain: Path
    key: Path


def make_certificate(folder: Path) -> Certificate:
    """Write the authority, the server's certificate and its key into `folder`."""
    authority = trustme.CA()
    server = authority.issue_cert(HOST, "localhost")
    made = Certificate(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    authority.cert_pem.write_to_path(made.authority)
    server.cert_chain_pems[0].write_to_path(made.chain)
    server.private_key_pem.write_to_path(made.key)
    return made


def settings(port: int, functions_url: str) -> dict[str, str]:
    """What ministack reads from its environment; its functions inherit all of it.

    `functions_url` is where the functions find DynamoDB, SNS and SQS: the emulator, or a proxy.
    """
    return {
        "AWS_ENDPOINT_URL_DYNAMODB": functions_url,
        "AWS_ENDPOINT_URL_SNS": functions_url,
        "AWS_ENDPOINT_URL_SQS": functions_url,
        "GATEWAY_PORT": str(port),
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_REGION": REGION,
        "SERVICES": "",  # all of them
        # Everything in memory and in the run's temporary folder: no state of an earlier start.
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        # Functions run as processes of this Python; a Docker daemon is never spoken to.
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": "unix:///nonexistent",
        # No listener but the gateway's.
        "BIND_HOST": HOST,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


@contextmanager
def emulator(  # noqa: PLR0913 - keyword-only; the parts it joins
    *,
    sandbox: Sandbox,
    certificate: Certificate,
    listener: socket.socket,
    environ: Mapping[str, str],
    folder: Path,
    functions_url: str,
) -> Iterator[Child]:
    """Run ministack on an open listening socket until the block ends.

    It is started through hypercorn, as ministack's own detached mode does, and not by
    `python -m ministack`: that also takes port 443 when it is free. A socket that is handed over
    leaves no moment in which another program could take the port.
    """
    program = Program(
        name="The AWS emulator (ministack)",
        command=(
            *(sys.executable, "-m", "hypercorn", "ministack.app:app"),
            *("--bind", f"fd://{listener.fileno()}", "--workers", "0", "--keep-alive", "75"),
            *("--certfile", certificate.chain, "--keyfile", certificate.key),
        ),
        environment=sandbox.environment(environ)
        | settings(listener.getsockname()[1], functions_url),
        log=folder / "emulator.log",
        folder=folder,
        pass_fds=(listener.fileno(),),
    )
    with running(program) as child:
        listener.close()
        child.wait_until(lambda: _answers(sandbox), seconds=START_SECONDS)
        yield child


def _answers(sandbox: Sandbox) -> bool:
    context = ssl.create_default_context(cafile=sandbox.ca_bundle)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with opener.open(f"{sandbox.aws_url}/_ministack/ready", timeout=2) as response:
            return bool(response.status == HTTPStatus.OK)
    except OSError:
        return False
