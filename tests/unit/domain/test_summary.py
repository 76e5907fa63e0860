"""What became of a mail, in one sentence."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given

from ses_insights.contracts.rows import destination_rows, message_row
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.record import Record
from ses_insights.domain.status import Status
from ses_insights.domain.summary import summary_of_destination, summary_of_message
from tests.support.strategies import (
    DAY,
    HOUR,
    MILLISECOND,
    MINUTE,
    bounce,
    complaint,
    event,
    read,
    records,
    response,
)


def summary(*events: dict[str, Any]) -> str:
    """Sum up a mail to one recipient."""
    (destination,) = read(response(*events)).destinations
    return summary_of_destination(destination)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ([event("SEND")], "SES sent the mail on 2026-11-23 at 10:00 UTC; nothing tells if it"),
        ([event("SEND"), event("ARCHIVED", HOUR)], "SES sent the mail on 2026-11-23 at 10:00 UTC"),
        (
            [event("DELIVERY", MINUTE)],
            "The recipient's server took the mail on 2026-11-23 at 10:01",
        ),
        (
            [event("DELIVERY_DELAY", HOUR)],
            "The recipient's server put SES off on 2026-11-23 at 11:",
        ),
        ([event("OPEN")], "The mail was opened once."),
        ([event("OPEN"), event("OPEN", HOUR)], "The mail was opened 2 times."),
        ([event("OPEN"), event("CLICK", HOUR)], "A link in the mail was followed once."),
        ([event("REJECT")], "SES rejected the mail on 2026-11-23 at 10:00 UTC and did not attempt"),
        ([event("RENDERING_FAILURE")], "The template could not be rendered on 2026-11-23"),
        (
            [bounce("TRANSIENT")],
            "The mail bounced on 2026-11-23 at 10:01 UTC. SES calls the bounce transient, but the",
        ),
        ([bounce("UNDETERMINED")], "SES cannot tell whether for good."),
        (
            [bounce()],
            "The mail bounced for good on 2026-11-23 at 10:01 UTC. The recipient's server does not",
        ),
        ([complaint("not-spam")], "The recipient took the mail out of the spam folder"),
        ([event("DELIVERY"), bounce(after=2 * DAY)], "bounced for good on 2026-11-25 at 10:00 UTC"),
    ],
)
def test_a_sentence_says_what_became_of_the_mail(events: list[dict[str, Any]], said: str) -> None:
    """Every status is put in words, with the time of the event that it stands for."""
    assert said in summary(*events)


def test_clicks_that_come_with_the_delivery_look_like_a_scanner() -> None:
    """A security program follows every link at once; a person takes longer."""
    moments = [MILLISECOND * number for number in range(12)]
    scanned = summary(event("DELIVERY"), *(event("CLICK", each) for each in moments))
    assert (
        "12 times. All of it within seconds of the delivery: that looks like a program" in scanned
    )
    read_later = summary(event("DELIVERY"), *(event("CLICK", HOUR + each) for each in moments))
    assert read_later == "A link in the mail was followed 12 times."


def test_the_gravest_of_several_complaints_is_named() -> None:
    """A correction after a report of fraud does not hide it."""
    assert "phishing" in summary(complaint("fraud"), complaint("not-spam", 2 * DAY))


def test_an_event_without_a_time_is_named_without_one() -> None:
    """SES may leave the time out; the sentence stays one."""
    undated = {"Type": "DELIVERY"}
    assert summary(undated) == "The recipient's server took the mail."


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status.NOT_FOUND, "SES has told nothing of this message."),
        (Status.INVALID, "SES says that this is no message id."),
    ],
)
def test_a_message_without_recipients_is_put_in_words(status: Status, said: str) -> None:
    """What SES does not know has a sentence, too."""
    assert summary_of_message(status, ()) == said


def test_several_recipients_are_counted_the_worst_first() -> None:
    """A message's row says how many fared how."""
    (good,) = read(response(event("DELIVERY"))).destinations
    (bad,) = read(response(bounce())).destinations
    destinations = [
        good,
        replace(bad, address="bob@example.org"),
        replace(good, address="c@example.net"),
    ]
    assert summary_of_message(Status.PERMANENT_BOUNCE, destinations) == (
        "3 recipients: 1 bounced for good, 2 delivered."
    )


@given(records())
def test_every_row_is_summed_up_in_one_line(record: Record) -> None:
    """Whatever SES said, nothing of the mail is in the sentence, and nothing is left to fill in."""
    rows = [message_row(record), *destination_rows(record)]
    for row in rows:
        if row["Record"].startswith(("MESSAGE", "DESTINATION#")):
            said = row["Summary"]
            assert said.endswith(".")
            assert said.isascii()
            assert said.isprintable()
            assert not set("{}") & set(said)
            assert " 0 times" not in said


@pytest.mark.parametrize(
    ("seconds", "is_scanned"),
    [([0, 0, 10], True), ([0, 0, 11], False), ([0, 0], False)],
)
def test_three_clicks_within_ten_seconds_of_the_delivery_look_like_a_scanner(
    seconds: list[int], *, is_scanned: bool
) -> None:
    """Two could be a person's, and so could one that comes later."""
    clicks = [event("CLICK", MILLISECOND * (1000 * at + n)) for n, at in enumerate(seconds[:-1])]
    last = event("CLICK", MILLISECOND * 1000 * seconds[-1])
    assert ("looks like a program" in summary(event("DELIVERY"), *clicks, last)) is is_scanned


@pytest.mark.parametrize("without", ["delivery", "time"])
def test_clicks_of_which_too_little_is_known_look_like_nothing(without: str) -> None:
    """SES may leave the delivery out, or the time of a click."""
    clicks = [event("CLICK", MILLISECOND * number) for number in range(4)]
    if without == "delivery":
        assert "program" not in summary(*clicks)
    else:
        assert "program" not in summary(event("DELIVERY"), *clicks, {"Type": "CLICK"})


def test_recipients_that_are_only_listed_are_counted() -> None:
    """SES shows nothing of mail to several; what it shows of others goes first."""
    listed = [
        Listing(f"{name}@example.com", Feedback.BOUNCE, "2026-11-23T10:00:00.000Z", is_finding=True)
        for name in ("ada", "bob")
    ]
    assert summary_of_message(Status.NOT_FOUND, (), listed) == (
        "SES lists 2 recipients because of this message and shows no more."
    )
    (good,) = read(response(event("DELIVERY"))).destinations
    assert "took the mail" in summary_of_message(Status.DELIVERED, [good], listed)


def test_a_message_of_which_ses_shows_no_recipient_was_sent() -> None:
    """When is not known."""
    said = "SES sent the mail; nothing tells if it arrived."
    assert summary_of_message(Status.SENT, ()) == said
