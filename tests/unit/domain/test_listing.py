"""What a listing stands for, and when it is alerted by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ses_insights.domain.alert import Alert, AlertType, Source, alerts_in
from ses_insights.domain.insight import Bounce, Complaint, Destination, Event
from ses_insights.domain.lanes import Lane
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.record import Answer, Found, NotFound, Record, Refused, Rules, after_look
from ses_insights.domain.schedule import LISTED_STEP, Ladder
from ses_insights.domain.times import instant, iso
from tests.support.fakes import START
from tests.support.samples import (
    BOUNCES,
    COMPLAINS,
    MESSAGE_ID,
    RULES,
    bounced,
    complained,
    delivered,
    event,
    found,
    insights_of,
)

MINUTE, STEP = timedelta(minutes=1), LISTED_STEP
BOUNCE = Listing(BOUNCES, Feedback.BOUNCE, iso(START))
COMPLAINT = Listing(COMPLAINS, Feedback.COMPLAINT, iso(START))
LATE = iso(START + timedelta(hours=3))


def listed(*listings: Listing, seen: Record | None = None) -> Record:
    """A message that SES lists."""
    return replace(seen or Record.new(MESSAGE_ID, START, RULES), listings=listings)


def after(
    before: Record,
    answer: Answer,
    minutes: float,
    *,
    about: Feedback | None = None,
    rules: Rules = RULES,
) -> tuple[Record, tuple[Alert, ...]]:
    """What a look makes of it, so many minutes after the listing."""
    now = START + minutes * MINUTE
    return after_look(before, answer, now=now, rules=rules, about=about)


def of_complaint(kind: str | None, minutes: float = 1) -> Destination:
    """A recipient with a report of a kind."""
    report = event("COMPLAINT", minutes, complaint=Complaint(None, kind))
    return Destination(COMPLAINS, "Yahoo", (event("SEND"), event("DELIVERY", 0.5), report))


def next_look(record: Record) -> datetime:
    """When the next look is."""
    assert record.next_look_at is not None
    return instant(record.next_look_at)


# When it is alerted


def test_a_listing_is_not_alerted_by_the_first_look_that_shows_nothing() -> None:
    """SES's insights take minutes: the next look comes soon, in front of others."""
    record, alerts = after(listed(BOUNCE), NotFound(), 16)
    assert alerts == ()
    assert next_look(record) == START + 16 * MINUTE + STEP
    assert record.lane is Lane.LISTED


@pytest.mark.parametrize(
    ("listing", "kind"), [(BOUNCE, AlertType.BOUNCE), (COMPLAINT, AlertType.COMPLAINT)]
)
def test_a_listing_is_alerted_by_the_second_look_that_shows_nothing(
    listing: Listing, kind: AlertType
) -> None:
    """Of mail to several recipients SES shows nothing, and lists those who bounced."""
    first, _ = after(listed(listing), NotFound(), 16)
    second, alerts = after(first, NotFound(), 46)
    (alert,) = alerts
    assert (alert.alert_type, alert.source) == (kind, Source.SUPPRESSION_LIST)
    assert (alert.destination, alert.event.timestamp) == (listing.address, listing.listed_at)
    assert second.listings == (replace(listing, is_finding=True),)


def test_a_listing_is_alerted_once() -> None:
    """However often the message is looked at afterwards."""
    record = listed(BOUNCE)
    raised: list[Alert] = []
    for minutes in (16, 46, 120, 1500, 4500):
        record, alerts = after(record, NotFound(), minutes)
        raised += alerts
    assert len(raised) == len(record.alerts) == 1


def test_an_hour_after_the_listing_one_look_is_enough() -> None:
    """The reader was late, or the queue long: whatever SES had to show it would show by now."""
    _, alerts = after(listed(BOUNCE), NotFound(), 59)
    assert alerts == ()
    _, alerts = after(listed(BOUNCE), NotFound(), 60)
    assert len(alerts) == 1


def test_a_look_right_after_the_listing_does_not_count() -> None:
    """Where ids wait for no delay the first look comes within seconds, and shows nothing yet."""
    first, _ = after(listed(BOUNCE), NotFound(), 1)
    second, alerts = after(first, NotFound(), 16)
    assert alerts == ()
    _, alerts = after(second, NotFound(), 31)
    assert len(alerts) == 1


def test_what_ses_calls_no_message_id_is_alerted_at_once() -> None:
    """No later look can show anything, and the listing is certain."""
    record, alerts = after(listed(BOUNCE), Refused(), 1)
    assert len(alerts) == 1
    assert record.next_look_at is None


def test_a_message_of_which_ses_shows_other_recipients_is_alerted_too() -> None:
    """What is shown of one says nothing of the other."""
    answer = found(delivered())
    first, _ = after(listed(BOUNCE), answer, 16)
    _, alerts = after(first, answer, 46)
    assert [alert.destination for alert in alerts] == [BOUNCES]


def test_a_type_that_raises_no_alert_raises_none_from_the_list() -> None:
    """The listing is the finding all the same, and no further look comes soon."""
    rules = replace(RULES, alert_types=frozenset({AlertType.COMPLAINT}))
    first, _ = after(listed(BOUNCE), NotFound(), 16, rules=rules)
    second, alerts = after(first, NotFound(), 46, rules=rules)
    assert alerts == ()
    assert second.listings[0].is_finding
    assert next_look(second) == START + timedelta(hours=2)


def test_the_step_is_the_first_rung_where_that_is_shorter() -> None:
    """So a ladder in seconds, as of a local run, has steps in seconds."""
    assert Ladder((timedelta(seconds=2), timedelta(hours=1))).listed_step == timedelta(seconds=2)
    assert Ladder((timedelta(days=1),)).listed_step == STEP


# What the insights show


@pytest.mark.parametrize(
    ("listing", "destination"), [(BOUNCE, bounced()), (COMPLAINT, complained())]
)
def test_what_the_insights_show_is_alerted_from_them(
    listing: Listing, destination: Destination
) -> None:
    """With its diagnostic code or feedback type; the listing adds nothing."""
    record, alerts = after(listed(listing), found(destination), 16)
    assert [alert.source for alert in alerts] == [Source.INSIGHTS]
    assert record.listings == (listing,)
    assert record.final is not None


def test_an_address_in_another_spelling_is_the_same() -> None:
    """SES lists addresses in a spelling of its own."""
    other = replace(BOUNCE, address=BOUNCES.upper())
    record, alerts = after(listed(other), found(bounced()), 90)
    assert [alert.source for alert in alerts] == [Source.INSIGHTS]
    assert not record.listings[0].is_finding


def test_a_bounce_has_one_id_whichever_way_it_is_found() -> None:
    """A subscriber that keeps ids never handles it twice."""
    _, (listed_alert,) = after(listed(BOUNCE), NotFound(), 90)
    (shown,) = alerts_in(insights_of(bounced()), detected_at=LATE)
    assert listed_alert.alert_id == shown.alert_id


def test_a_bounce_takes_the_spelling_of_the_insights() -> None:
    """And with it the id."""
    answer = found(delivered(BOUNCES))
    other = replace(BOUNCE, address=BOUNCES.upper())
    _, (alert,) = after(listed(other), answer, 90)
    (shown,) = alerts_in(insights_of(bounced()), detected_at=LATE)
    assert (alert.destination, alert.alert_id) == (BOUNCES, shown.alert_id)


@pytest.mark.parametrize("address", [BOUNCES, BOUNCES.upper()])
def test_a_bounce_alerted_from_the_list_is_not_alerted_again(address: str) -> None:
    """The insights show it hours later; the row has it then, and the listing stands for nothing."""
    first, raised = after(listed(replace(BOUNCE, address=address)), NotFound(), 90)
    second, alerts = after(first, found(bounced()), 180)
    assert (len(raised), alerts) == (1, ())
    assert not second.listings[0].is_finding


@pytest.mark.parametrize("kind", [None, "abuse", "fraud"])
def test_a_complaint_alerted_from_the_list_is_not_alerted_with_its_type(kind: str | None) -> None:
    """The list does not know the feedback type, by which an alert is named."""
    first, raised = after(listed(COMPLAINT), NotFound(), 90)
    _, alerts = after(first, found(of_complaint(kind)), 180)
    assert (len(raised), alerts) == (1, ())


def test_another_complaint_is_alerted() -> None:
    """Only the one nearest to the listing was alerted."""
    first, _ = after(listed(COMPLAINT), NotFound(), 90)
    both = replace(
        of_complaint("abuse", 1),
        events=(*of_complaint("abuse", 1).events, *of_complaint("fraud", 150).events[2:]),
    )
    _, alerts = after(first, found(both), 180)
    assert [str(alert.explanation.severity) for alert in alerts] == ["critical"]


def test_a_report_of_a_machine_is_not_what_was_alerted() -> None:
    """Where a person complained, too: the machine's report is alerted by itself."""
    first, _ = after(listed(COMPLAINT), NotFound(), 90)
    both = replace(
        of_complaint("auth-failure", 0.1),
        events=(*of_complaint("auth-failure", 0).events, *of_complaint("abuse", 5).events[2:]),
    )
    _, alerts = after(first, found(both), 180)
    assert [str(alert.explanation.reason) for alert in alerts] == ["authentication-failure"]


# Looks


@pytest.mark.parametrize("about", list(Feedback))
def test_what_ses_says_has_happened_and_does_not_show_is_looked_at_soon(about: Feedback) -> None:
    """An event of SES, without a listing, brings one more look within the hour."""
    sent = replace(Record.new(MESSAGE_ID, START, RULES))
    age = 5 * 24 * 60
    record, _ = after(sent, found(delivered()), age, about=about)
    assert next_look(record) == START + age * MINUTE + STEP
    following, _ = after(record, found(delivered()), age + 30)
    assert next_look(following) == START + timedelta(days=7)


def test_a_rung_that_comes_sooner_stays() -> None:
    """The next look is never put off."""
    record, _ = after(listed(BOUNCE), NotFound(), 110)
    assert next_look(record) == START + timedelta(hours=2)
    early, _ = after(Record.new(MESSAGE_ID, START, RULES), NotFound(), 110, about=Feedback.BOUNCE)
    assert next_look(early) == START + timedelta(hours=2)


def test_bulk_stays_in_its_lane() -> None:
    """To the end."""
    bulk = replace(listed(BOUNCE), lane=Lane.BULK)
    assert after(bulk, NotFound(), 16)[0].lane is Lane.BULK


@pytest.mark.parametrize(
    ("answer", "about", "is_known"),
    [
        (found(bounced()), Feedback.BOUNCE, True),
        (found(bounced()), Feedback.COMPLAINT, False),
        (found(complained()), Feedback.COMPLAINT, True),
        (found(complained()), Feedback.BOUNCE, False),
        (found(of_complaint("auth-failure")), Feedback.COMPLAINT, False),
        (found(delivered()), Feedback.BOUNCE, False),
        (NotFound(), Feedback.BOUNCE, False),
        (Refused(), Feedback.BOUNCE, True),
    ],
)
def test_what_is_known_needs_no_look(answer: Answer, about: Feedback, *, is_known: bool) -> None:
    """A permanent bounce for a bounce, the complaint of a person for a complaint."""
    assert after(Record.new(MESSAGE_ID, START, RULES), answer, 16)[0].knows(about) is is_known


def test_what_was_alerted_from_the_list_is_known() -> None:
    """Until another address is listed for the same message."""
    record, _ = after(listed(BOUNCE), NotFound(), 90)
    assert record.knows(Feedback.BOUNCE)
    assert not record.knows(Feedback.COMPLAINT)
    other = replace(BOUNCE, address="other@there.example")
    assert not replace(record, listings=(*record.listings, other)).knows(Feedback.BOUNCE)


def test_what_was_erased_is_not_alerted() -> None:
    """The record stays as it is."""
    erased = replace(listed(BOUNCE), erased_at=iso(START))
    assert after(erased, NotFound(), 90) == (erased, ())


def test_an_alert_from_the_list_says_what_is_known_and_what_is_not() -> None:
    """Certain of the event, without its reason; an unknown cause orders no stop."""
    for listing, reason, action in (
        (BOUNCE, "unknown", "review"),
        (COMPLAINT, "spam-report", "stop-sending"),
    ):
        _, (alert,) = after(listed(listing), NotFound(), 90)
        explanation = alert.explanation
        assert (explanation.reason, explanation.action) == (reason, action)
        assert "of this message and shows no more" in explanation.cause.replace("about", "of")


def test_a_found_message_is_closed_when_the_listed_event_shows() -> None:
    """A look that shows the bounce ends the story as ever."""
    first, _ = after(listed(BOUNCE), Found(insights_of(delivered(BOUNCES))), 16)
    second, alerts = after(first, found(bounced()), 46)
    assert (len(alerts), second.next_look_at) == (1, None)


def test_a_look_one_step_after_the_listing_is_the_first_that_counts() -> None:
    """A quarter of an hour by default."""
    first, _ = after(listed(BOUNCE), NotFound(), 15)
    _, alerts = after(first, NotFound(), 30)
    assert len(alerts) == 1


def test_a_listing_stands_for_the_event_of_which_it_tells() -> None:
    """A bounce for good, or a complaint of which nothing more is known, at its time."""
    assert BOUNCE.event == Event("BOUNCE", iso(START), bounce=Bounce("PERMANENT"))
    assert COMPLAINT.event == Event("COMPLAINT", iso(START), complaint=Complaint())
