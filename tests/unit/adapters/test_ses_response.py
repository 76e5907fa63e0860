"""Reading what SES says about a mail."""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.utils import parse_timestamp
from hypothesis import given

from ses_insights.adapters.ses_response import TEXT_KEPT
from ses_insights.domain.insight import (
    Bounce,
    Complaint,
    Destination,
    Event,
    Insights,
)
from tests.support.strategies import (
    EVENT_TYPES,
    MESSAGE_ID,
    MINUTE,
    SECOND,
    SENT,
    bounce,
    event,
    read,
    response,
    responses,
)


def ada(statement: Insights) -> Destination:
    """Pick the one recipient."""
    (destination,) = statement.destinations
    return destination


def test_every_field_of_the_response_is_read() -> None:
    """Nothing of what SES says about a mail is lost on the way in."""
    said: dict[str, Any] = {
        "MessageId": MESSAGE_ID,
        "FromEmailAddress": "Zoo <zoo@example.com>",
        "Subject": "Fütterung um drei 🦁",
        "EmailTags": [
            {"Name": "campaign", "Value": "spring"},
            {"Name": "ses:configuration-set", "Value": "zoo"},
        ],
        "Insights": [
            {
                "Destination": "ada@example.com",
                "Isp": "Gmail",
                "Events": [
                    {"Timestamp": SENT, "Type": "SEND"},
                    {
                        "Timestamp": SENT + timedelta(milliseconds=1_500),
                        "Type": "BOUNCE",
                        "Details": {
                            "Bounce": {
                                "BounceType": "PERMANENT",
                                "BounceSubType": "NoEmail",
                                "DiagnosticCode": "smtp; 550 5.1.1 unknown",
                            }
                        },
                    },
                    {
                        "Timestamp": SENT + MINUTE,
                        "Type": "COMPLAINT",
                        "Details": {
                            "Complaint": {
                                "ComplaintSubType": "OnAccountSuppressionList",
                                "ComplaintFeedbackType": "abuse",
                            }
                        },
                    },
                ],
            }
        ],
    }
    assert read(said) == Insights(
        message_id=MESSAGE_ID,
        from_email_address="Zoo <zoo@example.com>",
        subject="Fütterung um drei 🦁",
        email_tags={"campaign": ("spring",), "ses:configuration-set": ("zoo",)},
        destinations=(
            Destination(
                address="ada@example.com",
                isp="Gmail",
                events=(
                    Event("SEND", "2026-11-23T10:00:00.000Z"),
                    Event(
                        "BOUNCE",
                        "2026-11-23T10:00:01.500Z",
                        bounce=Bounce("PERMANENT", "NoEmail", "smtp; 550 5.1.1 unknown"),
                    ),
                    Event(
                        "COMPLAINT",
                        "2026-11-23T10:01:00.000Z",
                        complaint=Complaint("OnAccountSuppressionList", "abuse"),
                    ),
                ),
            ),
        ),
    )


def test_the_id_is_the_one_that_was_asked_for() -> None:
    """Rows are found by the id that was enqueued, whatever the response calls the mail."""
    assert read({"MessageId": "another"}).message_id == MESSAGE_ID


@pytest.mark.parametrize("said", [{}, {"MessageId": MESSAGE_ID, "EmailTags": [], "Insights": []}])
def test_a_response_may_lack_everything(said: dict[str, Any]) -> None:
    """A response without any field says nothing, and is no error."""
    assert read(said) == Insights(MESSAGE_ID)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, Event("UNKNOWN")),
        ({"Type": "", "Timestamp": None}, Event("UNKNOWN")),
        ({"Type": "BOUNCE"}, Event("BOUNCE")),
        ({"Type": "BOUNCE", "Details": None}, Event("BOUNCE")),
        ({"Type": "BOUNCE", "Details": {}}, Event("BOUNCE")),
        ({"Type": "BOUNCE", "Details": {"Bounce": {}}}, Event("BOUNCE", bounce=Bounce())),
        (
            {"Type": "BOUNCE", "Details": {"Bounce": {"BounceType": "PERMANENT"}}},
            Event("BOUNCE", bounce=Bounce("PERMANENT")),
        ),
        (
            {"Type": "COMPLAINT", "Details": {"Complaint": {"ComplaintSubType": ""}}},
            Event("COMPLAINT", complaint=Complaint()),
        ),
    ],
)
def test_an_event_may_lack_anything(written: dict[str, Any], expected: Event) -> None:
    """What SES left out, or left empty, is None; the rest of the event is kept."""
    assert ada(read(response(written))).events == (expected,)


def test_a_recipient_may_lack_anything() -> None:
    """An insight without a Destination, an Isp and Events is still a recipient."""
    assert read({"Insights": [{}]}).destinations == (Destination(""),)


@pytest.mark.parametrize("kind", [*EVENT_TYPES, "FORWARDED", "odd type"])
def test_a_type_is_kept_as_it_is(kind: str) -> None:
    """All ten types of SES and those it adds later are stored under their own name."""
    assert ada(read(response(event(kind)))).events == (Event(kind, "2026-11-23T10:00:00.000Z"),)


def test_times_are_kept_to_the_millisecond_in_utc() -> None:
    """A time of another zone, with microseconds, is the same instant, cut, in the table's form."""
    in_nepal = (SENT + timedelta(microseconds=7_999)).astimezone(
        timezone(timedelta(hours=5, minutes=45))
    )
    (stored,) = ada(read(response({"Type": "SEND", "Timestamp": in_nepal}))).events
    assert stored.timestamp == "2026-11-23T10:00:00.007Z"


@pytest.fixture
def _in_japan(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own zone is nine hours from UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Tokyo")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("_in_japan")
def test_a_time_without_a_zone_is_utc() -> None:
    """What the machine's own zone is changes nothing of what is stored."""
    said = response({"Type": "SEND", "Timestamp": datetime(2026, 11, 23, 10, 0)})  # noqa: DTZ001
    assert ada(read(said)).events == (Event("SEND", "2026-11-23T10:00:00.000Z"),)


@pytest.mark.parametrize(
    "written",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-23T10:00:00+140:00"],
)
def test_an_event_whose_time_is_none_in_utc_is_kept_without_it(written: str) -> None:
    """A time at an end of the calendar, or of a zone that nobody has, is no time; no error."""
    said = response({"Type": "BOUNCE", "Timestamp": parse_timestamp(written)})
    assert ada(read(said)).events == (Event("BOUNCE"),)


def test_a_null_in_a_list_says_nothing() -> None:
    """boto3 keeps nulls of the lists that SES writes; the entries beside them are read."""
    said = {
        "EmailTags": [None, {"Name": "team", "Value": "red"}],
        "Insights": [None, {"Destination": "ada@example.com", "Events": [None, event("SEND")]}],
    }
    assert read(said).email_tags == {"team": ("red",)}
    assert [happened.type for happened in ada(read(said)).events] == ["SEND"]


def calls_of(work: Callable[[], object]) -> int:
    """Count the calls of functions that some work takes, Python's own among them."""
    number = 0

    def count(*_: object) -> None:
        nonlocal number
        number += 1

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return number


def test_a_recipient_that_is_listed_often_takes_no_square_of_the_time() -> None:
    """Four times as many entries for one recipient take about four times the steps to read."""
    few, many = (
        {
            "Insights": [
                {"Destination": "ada@example.com", "Events": [event("SEND", number * SECOND)]}
                for number in range(entries)
            ]
        }
        for entries in (250, 1_000)
    )
    assert len(ada(read(many)).events) == 1_000
    assert calls_of(lambda: read(many)) < 6 * calls_of(lambda: read(few))


def test_recipients_that_are_not_kept_are_counted() -> None:
    """A hundred are kept; of the others the number is known."""
    said = {"Insights": [{"Destination": f"reader-{n:03}@example.com"} for n in range(103)]}
    assert (len(read(said).destinations), read(said).left_out) == (100, 3)


def test_a_long_text_is_cut_and_says_by_how_much() -> None:
    """A text beyond any documented length gives way to a note, so that everything can be stored."""
    subject = read({"Subject": "x" * (TEXT_KEPT + 500)}).subject
    assert subject == "x" * TEXT_KEPT + "… (500 more characters)"
    assert TEXT_KEPT == 2_048


def test_a_text_of_documented_length_is_kept_whole() -> None:
    """A subject of 998 characters, and any text up to the limit, is stored as it came."""
    assert read({"Subject": "🦁" * 998}).subject == "🦁" * 998
    assert read({"Subject": "x" * TEXT_KEPT}).subject == "x" * TEXT_KEPT


def test_half_a_surrogate_pair_does_not_get_in() -> None:
    """A text that UTF-8 cannot carry (a subject cut inside an emoji) could never be stored."""
    cut_emoji = "Lion \ud83e"
    said = response(
        bounce("PERMANENT", cut_emoji),
        to=f"{cut_emoji}@example.com",
        Subject=cut_emoji,
        FromEmailAddress=cut_emoji,
        EmailTags=[{"Name": cut_emoji, "Value": cut_emoji}],
    )
    assert repr(read(said)).count("Lion ") == 6
    assert "\\ud83e" not in repr(read(said))


@pytest.mark.parametrize("sign", ["a", "🦁"])
def test_an_address_of_any_documented_length_is_kept_whole(sign: str) -> None:
    """SES takes addresses of 320 characters; these and somewhat longer ones are not touched."""
    address = sign * 488 + "@example.com"
    assert ada(read(response(to=address))).address == address


@pytest.mark.parametrize("sign", ["a", "🦁"])
def test_longer_addresses_are_cut_and_stay_different(sign: str) -> None:
    """An address nobody can have still fits an index key, begins as it did and is no other one."""
    long = [sign * 5_000 + ending for ending in ("1@example.com", "2@example.com")]
    one, other = (ada(read(response(to=address))).address for address in long)
    assert one != other
    for address in (one, other):
        assert address.startswith(sign * 400)
        assert len(address) <= 501
        assert len(address.encode()) <= 2_048


@given(responses())
def test_reading_keeps_every_event_of_the_response(said: dict[str, Any]) -> None:
    """Each event SES wrote is there afterwards, by recipient and type, whatever else is missing."""
    written = {
        (destination.get("Destination", "")[:100], happened.get("Type") or "UNKNOWN")
        for destination in said.get("Insights", [])
        for happened in destination.get("Events", [])
    }
    stored = {
        (destination.address[:100], happened.type)
        for destination in read(said).destinations
        for happened in destination.events
    }
    assert stored == written
