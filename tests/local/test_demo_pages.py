"""What the demo shows: whole at any width, and true to what it was given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from local.actors.subscriber import Received
from local.demo_pages import (
    STATUSES,
    Mail,
    Page,
    show_alert,
    show_bounce,
    show_checks,
    show_email,
    show_introduction,
    show_late_complaint,
    show_later_looks,
    show_listed_alone,
    show_parked,
    show_statuses,
)
from ses_insights.contracts.names import Status

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ID = "0102019fa36a2608-6c9654bb-dc58-4957-8828-68360c1c2d10-000000"
LINK = f"https://eu-west-1.console.aws.amazon.com/dynamodbv2/home?pk={ID}&table={'x' * 60}"


def second(number: float) -> datetime:
    """So many seconds after the start."""
    return START + timedelta(seconds=number)


MAIL = Mail(
    name="complaint-late",
    message_id=ID,
    recipients=("anna@stories.example", "ben@stories.example"),
    sent_at=START,
    enqueued_at=second(1),
    statuses=("DELIVERED", "DELIVERED", "COMPLAINT"),
    looked_at=(second(8), second(29), second(52)),
    rows=(
        {
            "Record": "DESTINATION#anna@stories.example",
            "Events": [
                {
                    "Timestamp": "2026-11-23T10:00:01.000Z",
                    "Type": "BOUNCE",
                    "Details": {"Bounce": {"BounceType": "PERMANENT", "DiagnosticCode": "550"}},
                },
                {"Timestamp": "2026-11-23T10:00:00.000Z", "Type": "SEND"},
            ],
        },
    ),
    row={"Status": "PERMANENT_BOUNCE", "Final": "The mail bounced permanently."},
    listed_at=second(50),
    published_at=second(53),
    planned_for=second(600),
)
ALERT = Received(
    body={
        "severity": "critical",
        "alertType": "RENDERING_FAILURE",
        "destination": f"{'a' * 30}@stories.example",
        "detectedAt": "2026-11-23T10:00:08.000Z",
        "cause": "SES could not fill in the template and did not send the mail.",
    },
    attributes={},
    subject="",
)


def parked(body: str, reason: str) -> dict[str, Any]:
    """A message of the dead-letter queue."""
    return {"Body": body, "MessageAttributes": {"Reason": {"StringValue": reason}}}


PAGES: dict[str, Callable[[Page], None]] = {
    "introduction": show_introduction,
    "alert": lambda page: show_alert(page, ALERT),
    "bounce": lambda page: show_bounce(page, MAIL),
    "late complaint": lambda page: show_late_complaint(page, MAIL),
    "listed alone": lambda page: show_listed_alone(page, MAIL),
    "later looks": lambda page: show_later_looks(page, [MAIL]),
    "statuses": lambda page: show_statuses(page, [*STATUSES, "INVALID"]),
    "parked": lambda page: show_parked(page, [parked("x" * 30, "NoId: it holds no id at all")]),
    "checks": lambda page: show_checks(page, [("All is well.", []), ("All came.", ["one not"])]),
}


def shown(show: Callable[[Page], None], width: int, *, folds: bool = False) -> str:
    """What a page writes into a terminal or a pipe of that width."""
    file = StringIO()
    show(Page(Console(file=file, width=width, highlight=False), folds=folds))
    return file.getvalue()


@pytest.mark.parametrize("width", [80, 100])
@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_cut_and_nothing_is_too_wide(name: str, width: int) -> None:
    """A page has the same words at any width, and no line is longer than the terminal."""
    text = shown(PAGES[name], width)
    assert max(map(len, text.splitlines())) <= width
    assert text.split() == shown(PAGES[name], 1000).split()
    assert "…" not in text


@pytest.mark.parametrize("width", [80, 100])
def test_an_id_is_whole(width: int) -> None:
    """It can be copied."""
    assert ID in shown(PAGES["bounce"], width)


def test_a_link_in_the_e_mail_is_not_broken_but_in_the_picture() -> None:
    """A terminal and a pipe get it in one line; the picture, which would cut it, in several."""
    text = f"Mail to anna@stories.example bounced.\n\n{LINK}"
    whole = shown(lambda page: show_email(page, "permanent bounce", text), 80)
    assert f"  {LINK}\n" in whole
    folded = shown(lambda page: show_email(page, "permanent bounce", text), 80, folds=True)
    assert max(map(len, folded.splitlines())) <= 80
    assert LINK in folded.replace("\n  ", "")


def test_of_the_e_mail_only_what_is_copied_is_wider_than_the_terminal() -> None:
    """Sentences are folded between words; and it says that the link leads nowhere here."""
    sentence = "What to do: " + "stop sending to the address " * 5
    command = f"aws dynamodb query {'--table-name x ' * 9}".rstrip()
    text = shown(lambda page: show_email(page, "a bounce", f"{sentence}\n\n{command}"), 80)
    assert [line for line in text.splitlines() if len(line) > 80] == [f"  {command}"]
    assert sentence.strip() in " ".join(text.split())
    assert "Here they lead nowhere" in " ".join(text.split())


def test_an_id_that_is_counted_and_parked_is_explained() -> None:
    """Where it is counted, and where it is listed."""
    assert "INVALID              SES calls the id malformed; they are parked, too" in shown(
        PAGES["statuses"], 80
    )
    assert "counted as INVALID above" in " ".join(shown(PAGES["parked"], 80).split())


def test_a_bounce_is_told_in_the_order_in_which_it_happened() -> None:
    """Send, queue, look with the events of SES by time, status, alert."""
    text = " ".join(shown(PAGES["bounce"], 100).split())
    told = [
        "10:00:00 A shop sends a mail to anna@stories.example",
        ID,
        "10:00:01 The shop puts the id into the queue",
        "10:00:08 Its turn has come",
        "SEND BOUNCE · PERMANENT · 550",
        "with the status PERMANENT_BOUNCE",
        "No look follows: The mail bounced permanently.",
        "10:00:53 An alert is published",
    ]
    places = [text.index(each) for each in told]
    assert places == sorted(places)


def test_a_late_complaint_is_told_with_the_time_that_was_gained() -> None:
    """From the looks that found nothing to the alert, and how long before the next look it was."""
    text = " ".join(shown(PAGES["late complaint"], 100).split())
    told = [
        "10:00:08 A look: DELIVERED",
        "10:00:29 A look: DELIVERED",
        "planned for 10:10:00",
        "10:00:50 The recipient complains",
        "10:00:52 A look, at once: COMPLAINT",
        "10:00:53 The alert is published, 9 min 7 s before that look",
    ]
    places = [text.index(each) for each in told]
    assert places == sorted(places)


def test_every_status_has_words() -> None:
    """None that the service knows is missing."""
    assert STATUSES.keys() == {str(status) for status in Status}


def test_what_is_not_as_expected_is_named() -> None:
    """A promise that was kept has its tick, a broken one its cross and what is wrong."""
    text = shown(PAGES["checks"], 80)
    assert "✓ All is well." in text
    assert "✗ All came.\n    one not" in text
