"""What is erased goes whole; what stays says nothing of the mail, and no look fills it again."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from ses_insights.contracts.rows import (
    Row,
    alert_row,
    destination_rows,
    listed_row,
    message_row,
    read_record,
)
from ses_insights.domain.insight import Destination, Event, Insights
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.record import Found, after_look
from ses_insights.domain.times import iso
from ses_insights.service.erase import (
    FINAL,
    address_of,
    alerts_that_stay,
    is_about,
    rows_about,
    tombstone,
)
from tests.support.fakes import START
from tests.support.samples import (
    BOUNCES,
    COMPLAINS,
    MESSAGE_ID,
    RULES,
    bounced,
    complained,
    delivered,
    insights_of,
    looked,
)

LATER = START + timedelta(hours=1)


def rows(*destinations: Destination, subject: str = "Dear Anna") -> list[Row]:
    """A message as it is stored."""
    record, alerts = looked(Found(insights_of(*destinations, subject=subject)))
    return [
        message_row(record),
        *destination_rows(record),
        *(alert_row(alert, record) for alert in alerts),
    ]


def keys(found: Iterable[Row]) -> set[str]:
    """The kinds of rows, with their address or without."""
    return {str(row["Record"]).partition("#")[0] for row in found}


def test_a_made_up_row_stays_until_ses_has_forgotten_the_mail() -> None:
    """However soon the row goes that it is made of: a look would fill the record again.

    The simulation found it (seed 16095 of 2026-11-26), with nothing stored but a listing.
    """
    listing = Listing(BOUNCES, Feedback.BOUNCE, iso(START))
    left = tombstone([listed_row(listing, MESSAGE_ID, int(START.timestamp()))], START)
    assert left["ExpiresAt"] == (START + timedelta(days=31)).timestamp()


def test_the_rows_of_one_recipient_are_found() -> None:
    """Their alert among them; those of another recipient are not theirs."""
    found = rows_about(rows(bounced(), complained(), delivered()), BOUNCES)
    assert keys(found) == {"DESTINATION", "ALERT"}
    assert COMPLAINS not in json.dumps(found)


def test_rows_with_more_events_belong_to_their_recipient() -> None:
    """A long story does not fit into one row."""
    destination = delivered("anna@there.example")
    many = tuple(
        Event("BOUNCE", iso(START + timedelta(seconds=n)), None, None) for n in range(6_000)
    )
    found = rows_about(rows(replace(destination, events=many)), "anna@there.example")
    assert keys(found) == {"DESTINATION", "EVENTS"}


def test_the_row_by_which_a_person_is_found_goes_last() -> None:
    """Stopped before, it can be run again."""
    found = rows_about(rows(bounced(), complained()), BOUNCES)
    assert found[-1]["Record"] == f"DESTINATION#{BOUNCES}"


def test_what_stays_holds_nothing_of_the_mail() -> None:
    """No address, subject, tag or sender; nor what a later version may add."""
    stored = rows(bounced())
    stored[0]["Nickname"] = "Anna"
    left = json.dumps(tombstone(stored, LATER))
    for personal in (BOUNCES, "Anna", "shop", "spring", "Gmail", "5.1.1"):
        assert personal not in left


def test_what_stays_counts_looks_and_expires_as_before() -> None:
    """It is kept until SES has forgotten the message, as its version."""
    stored = rows(bounced())
    left = tombstone(stored, LATER)
    for name in ("MessageId", "Record", "Status", "Looks", "LastLookAt", "ExpiresAt"):
        assert left[name] == stored[0][name]
    assert (left["Final"], left["ErasedAt"]) == (FINAL, iso(LATER))
    assert left.keys().isdisjoint({"NextLookAt", "DueLane", "Note"})


def test_erased_again_it_is_the_same() -> None:
    """The time of the first erasure stays."""
    once = tombstone(rows(bounced()), START)
    assert tombstone([once], LATER) == once


def test_a_look_stored_in_part_gets_a_row_to_stay() -> None:
    """The look that comes back would otherwise store it all again."""
    _, *others = rows(bounced())
    record = read_record([tombstone(others, LATER)])
    assert record is not None
    assert (record.erased_at, record.looks) == (iso(LATER), 0)


def test_a_look_adds_nothing_to_what_was_erased() -> None:
    """Whatever SES answers: the record is the stored one, and there are no alerts."""
    stored = read_record([tombstone(rows(bounced()), LATER)])
    assert stored is not None
    assert stored.insights == Insights(MESSAGE_ID)
    answer = Found(insights_of(bounced(), complained()))
    record, alerts = after_look(stored, answer, now=LATER, rules=RULES)
    assert record is stored
    assert alerts == ()


def test_rows_are_of_an_address_however_it_is_spelled() -> None:
    """Rows keep SES's own spelling; a person may write another one."""
    found = rows_about(rows(bounced(), complained()), f"Somebody <{BOUNCES.upper()}>")
    assert keys(found) == {"DESTINATION", "ALERT"}
    assert COMPLAINS not in json.dumps(found)


def test_a_row_without_an_address_is_about_nobody() -> None:
    """Whatever is asked for."""
    assert address_of({"Record": "MESSAGE"}) is None
    assert not is_about({"Record": "MESSAGE"}, "None")


def test_alerts_of_others_lose_what_they_hold_of_the_mail() -> None:
    """Once: an alert that holds no tags any more is left alone."""
    stored = rows(bounced(), complained())
    (other,) = alerts_that_stay(stored, BOUNCES)
    assert (other["AlertType"], other["Destination"]) == ("COMPLAINT", COMPLAINS)
    without = [{name: row[name] for name in row if name != "EmailTags"} for row in stored]
    assert alerts_that_stay(without, BOUNCES) == ()


def test_of_alerts_alone_a_row_is_made_that_stays() -> None:
    """A look that was stored in part has its alerts first. What stays is found as it was sent."""
    (alert,) = (row for row in rows(bounced()) if row["Record"].startswith("ALERT#"))
    left = tombstone([alert], LATER)
    assert (left["MessageId"], left["Record"]) == (MESSAGE_ID, "MESSAGE")
    assert (left["Status"], left["Looks"]) == ("SENT", 0)
    assert (left["SentAt"], left["ExpiresAt"]) == (iso(LATER), alert["ExpiresAt"])


def test_what_stays_says_that_it_was_erased() -> None:
    """To whoever opens the table."""
    left = tombstone(rows(bounced()), LATER)
    assert (left["Summary"], left["EmailTags"]) == ("Erased on request.", {})
