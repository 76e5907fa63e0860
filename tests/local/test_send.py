"""The command that sends mail in `make local`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from local.send import main, send
from local.ses_stand_in.control import Control
from local.ses_stand_in.settings import Settings
from local.stack.run import LocalRun
from local.stack.sandbox import Sandbox
from tests.support.stand_in import ManualClock, stand_in_thread

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Sending:
    """A run of which only the stand-in is there."""

    run: LocalRun

    def recipients(self) -> list[tuple[str, ...]]:
        """Those of every mail, in order."""
        return [mail.recipients for mail in self.run.ses.sent()]


@pytest.fixture
def sending(tmp_path: Path) -> Iterator[Sending]:
    """The stand-in alone."""
    with stand_in_thread(Settings(), ManualClock(START)) as url:
        sandbox = Sandbox(
            aws_url="https://127.0.0.1:4566",
            ses_url=url,
            ca_bundle=tmp_path / "authority.pem",
            empty_file=tmp_path / "empty",
            temporary=tmp_path,
        )
        run = LocalRun(
            sandbox=sandbox,
            session=sandbox.session(),
            ses=Control(url),
            outputs={},
            folder=tmp_path,
            emulator_pid=0,
        )
        yield Sending(run)


def test_a_story_gets_an_address_that_no_mail_went_to(sending: Sending) -> None:
    """However often it is sent: SES does not attempt an address that has bounced."""
    ids = [
        *send(sending.run, ["bounce-noemail"], number=2),
        *send(sending.run, ["bounce-noemail", "opened"]),
    ]
    assert [mail.message_id for mail in sending.run.ses.sent()] == ids
    assert sending.recipients() == [
        ("bounce-noemail+1@stories.example",),
        ("bounce-noemail+2@stories.example",),
        ("bounce-noemail+3@stories.example",),
        ("opened+4@stories.example",),
    ]


def test_an_address_is_taken_as_it_is(sending: Sending) -> None:
    """Sent to again, it is the same."""
    for _ in range(2):
        send(sending.run, ["anna@example.com"])
    assert sending.recipients() == [("anna@example.com",)] * 2


def test_several_can_be_sent_one_mail(sending: Sending) -> None:
    """All of them are its recipients."""
    (message_id,) = send(sending.run, ["delivered", "anna@example.com"], together=True)
    (sent,) = sending.run.ses.sent()
    assert (sent.message_id, sent.story) == (message_id, "several-recipients")
    assert sent.recipients == ("delivered+1@stories.example", "anna@example.com")


def test_a_story_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The message says where they are listed."""
    with pytest.raises(SystemExit):
        main(["bounced"])
    assert "bounced is neither a story nor an address; --help" in capsys.readouterr().err


def test_without_a_local_stack_it_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence and exit code 1."""
    monkeypatch.delenv("LOCAL_RUN", raising=False)
    assert main(["delivered"]) == 1
    assert "make local" in capsys.readouterr().err
