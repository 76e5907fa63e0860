"""The stand-in as a server: signatures, unknown paths, loopback only, and a clean end."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.ses_stand_in.control import Control
from local.ses_stand_in.settings import FaultKind, Settings, SettingsError
from local.ses_stand_in.stories import MISSING, STORIES
from local.ses_stand_in.wire import signed_for_ses
from tests.support.patience import SECONDS, eventually

ROOT = Path(__file__).parents[3]
INSIGHTS = f"/v2/email/insights/{next(iter(MISSING))}/"
SIGNATURE = (
    "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/eu-west-1/ses/aws4_request, "
    f"SignedHeaders=host;x-amz-date, Signature={'0' * 64}"
)


def ask(
    url: str, *, method: str = "GET", body: bytes | None = None, authorization: str = SIGNATURE
) -> tuple[int, str | None, Any]:
    """Status, error type and JSON of an answer."""
    parts = urlsplit(url)
    headers = {"Authorization": authorization} if authorization else {}
    with closing(HTTPConnection(parts.netloc, timeout=SECONDS)) as connection:
        connection.request(method, parts.path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers["x-amzn-ErrorType"], json.load(answer)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Bearer token",
        SIGNATURE.replace("/ses/", "/email/"),
        SIGNATURE.replace("Signature=", ""),
    ],
    ids=["none", "another scheme", "another service", "no signature"],
)
@pytest.mark.parametrize(
    ("method", "path"), [("GET", INSIGHTS), ("POST", "/v2/email/outbound-emails")]
)
def test_a_request_that_is_not_signed_for_ses_is_refused(
    method: str, path: str, authorization: str, control: Control, url: str
) -> None:
    """403, and it neither takes a slot nor shows in the report."""
    status, error, answer = ask(url + path, method=method, body=b"{}", authorization=authorization)
    assert (status, error) == (403, "MissingAuthenticationTokenException")
    assert answer["message"] == "Missing Authentication Token"
    assert control.calls() == []


def test_a_signature_for_ses_is_recognised() -> None:
    """In the form boto3 writes, with or without blanks after the commas."""
    assert signed_for_ses(SIGNATURE)
    assert signed_for_ses(SIGNATURE.replace(", ", ","))


@pytest.mark.parametrize("path", ["/", "/v2/email/identities", INSIGHTS.rstrip("/")])
def test_another_operation_is_unknown(path: str, control: Control, url: str) -> None:
    """What the stand-in does not serve is a clear 404, not an empty success."""
    assert ask(url + path)[:2] == (404, "UnknownOperationException")
    assert control.calls() == []


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"Content": 7}'])
def test_a_mail_that_is_no_json_object_of_the_model_is_a_bad_request(
    body: bytes, control: Control, url: str
) -> None:
    """The server does not stumble over what boto3 would never send."""
    assert ask(f"{url}/v2/email/outbound-emails", method="POST", body=body)[:2] == (
        400,
        "BadRequestException",
    )
    assert control.sent() == []


def test_a_switch_that_makes_no_sense_is_refused_over_http(control: Control, url: str) -> None:
    """The client raises the server's own message, and nothing changes."""
    before = control.settings()
    with pytest.raises(SettingsError, match="speed is -1"):
        control.change(speed=-1)
    assert ask(f"{url}/_stand_in/settings", method="PUT", body=b"[]")[0] == 400
    assert control.settings() == before


def test_a_reset_goes_back_to_the_start(control: Control, url: str) -> None:
    """Calls, mails, switches and the rate limit are as when the stand-in was started."""
    start = control.settings()
    control.change(period_seconds=60, vdm=False)
    assert [ask(url + INSIGHTS)[0] for _ in range(2)] == [404, 429]
    control.reset()
    assert control.settings() == start
    assert (control.calls(), control.sent()) == ([], [])
    control.change(period_seconds=60)
    assert ask(url + INSIGHTS)[0] == 404


@pytest.mark.parametrize("other", ["http://email.eu-west-1.amazonaws.com", "http://0.0.0.0:1", "x"])
def test_no_other_host_is_controlled(other: str) -> None:
    """The control client does not even try an address that is not this machine's."""
    with pytest.raises(ValueError, match=r"is on 127\.0\.0\.1; use the URL it printed"):
        Control(other)


@contextmanager
def run(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`python -m local.ses_stand_in`, which does not outlive the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "local.ses_stand_in", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_ends_cleanly_even_while_a_look_hangs(number: signal.Signals) -> None:
    """It prints its URL, takes its latency from the command line, and exits with 0."""
    with run("--latency", "1-2", "--seed", "3") as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        control = Control(url)
        assert control.settings() == Settings(latency_ms=(1, 2))
        control.fail(FaultKind.HANG)
        with closing(HTTPConnection(urlsplit(url).netloc, timeout=SECONDS)) as connection:
            connection.request("GET", INSIGHTS, headers={"Authorization": SIGNATURE})
            eventually(control.calls)
            process.send_signal(number)
            assert process.wait(timeout=SECONDS) == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--host", "0.0.0.0"], "unrecognized arguments: --host"),  # noqa: S104 - it is refused
        (["--latency", "2-1"], "latency_ms is (2.0, 1.0); use [least, most]"),
        (["--latency", "fast"], "--latency"),
    ],
)
def test_the_command_line_is_checked(arguments: list[str], says: str) -> None:
    """A wrong option ends the process with 2 and a message that names it."""
    with run(*arguments) as process:
        _, complaint = process.communicate(timeout=SECONDS)
    assert process.returncode == 2
    assert says in complaint


def test_the_help_lists_every_story() -> None:
    """Every recipient to choose from and what it leads to, readable on any terminal."""
    with run("--help") as process:
        text, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert text.isascii()
    for name, story in STORIES.items():
        assert f" {name} " in text
        assert story.sentence in text
