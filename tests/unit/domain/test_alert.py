"""Which events raise an alert, and its identity."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.alert import (
    Alert,
    AlertType,
    alerts_in,
    alerts_of_listings,
    new_alerts,
    pending,
)
from ses_insights.domain.insight import Complaint, Destination, Event, Insights
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.times import iso
from tests.support.fakes import START
from tests.support.strategies import (
    BOUNCED_MAIL,
    DAY,
    DETECTED_AT,
    EVENT_TYPES,
    MESSAGE_ID,
    MINUTE,
    alerts_of,
    bounce,
    complaint,
    event,
    insights,
    read,
    response,
)


def test_a_permanent_bounce_and_a_complaint_raise_an_alert_each() -> None:
    """Both at one recipient are two things that happened."""
    found = alerts_of(response(event("SEND"), bounce(), complaint()))
    assert sorted(alert.alert_type.value for alert in found) == ["BOUNCE", "COMPLAINT"]


@pytest.mark.parametrize("kind", ["REJECT", "RENDERING_FAILURE"])
def test_mail_that_was_never_sent_raises_an_alert(kind: str) -> None:
    """SES found malware in it, or could not render its template: nobody else says so."""
    (alert,) = alerts_of(response(event("SEND"), event(kind)))
    assert alert.alert_type == kind
    assert alert.explanation.severity == "high"


def test_only_the_chosen_types_raise_an_alert() -> None:
    """The others are stored, and nothing else."""
    seen = read(response(bounce(), complaint(), event("REJECT")))
    chosen = {AlertType.COMPLAINT}
    (alert,) = alerts_in(seen, detected_at=DETECTED_AT, alert_types=chosen)
    assert alert.alert_type is AlertType.COMPLAINT


SILENT = [kind for kind in EVENT_TYPES if kind not in {"COMPLAINT", "REJECT", "RENDERING_FAILURE"}]


@pytest.mark.parametrize("kind", SILENT)
def test_no_other_event_raises_an_alert(kind: str) -> None:
    """Neither any other type nor a bounce that does not say that it is permanent."""
    assert alerts_of(response(event(kind))) == ()


@pytest.mark.parametrize("kind", ["TRANSIENT", "UNDETERMINED", "PENDING"])
def test_a_soft_bounce_raises_no_alert(kind: str) -> None:
    """Only PERMANENT is for good."""
    assert alerts_of(response(bounce(kind))) == ()


def test_a_complaint_without_details_raises_an_alert() -> None:
    """SES may leave out every detail; the complaint still happened."""
    (alert,) = alerts_of(response(event("COMPLAINT")))
    assert alert.explanation.severity == "high"


def test_the_identity_of_an_alert_never_changes() -> None:
    """Subscribers know an alert by its id, and rows of older releases carry it: it is frozen."""
    found = alerts_of(response(bounce(), complaint("auth-failure"), complaint(None, DAY)))
    assert {alert.alert_id: alert.explanation.severity for alert in found} == {
        "d0db8e55fdba746b4f72e5c7dc4f1b09": "medium",
        "a36834f2b1679a13678b477d69640a38": "medium",
        "f8a2d1130776d080ddac59e20a8a4f4e": "high",
    }


def test_a_restated_time_is_the_same_event() -> None:
    """SES may correct the time, the subtype and the diagnostic code; the alert is the same one."""
    (first,) = alerts_of(response(bounce()))
    (again,) = alerts_of(response(bounce(subtype="General", after=2 * MINUTE)))
    assert again.alert_id == first.alert_id


def test_there_is_one_bounce_alert_for_each_recipient() -> None:
    """Several permanent bounces of one recipient are one alert, that of the first of them."""
    (alert,) = alerts_of(response(bounce(after=2 * MINUTE), bounce(subtype="Late", after=DAY)))
    assert alert.event.timestamp == "2026-11-23T10:02:00.000Z"


def test_recipients_and_messages_have_alerts_of_their_own() -> None:
    """The same event of another recipient or of another message is another alert."""
    ada, bob = read(response(bounce())), read(response(bounce(), to="bob@example.org"))
    other_mail = replace(ada, message_id=MESSAGE_ID.replace("0106", "0107"))
    found = [alerts_in(seen, detected_at=DETECTED_AT)[0] for seen in (ada, bob, other_mail)]
    assert len({alert.alert_id for alert in found}) == 3


def test_each_feedback_type_is_an_alert_of_its_own() -> None:
    """Abuse, then not-spam, is two pieces of news; another spelling of abuse is none."""
    spellings = [complaint("abuse"), complaint("ABUSE", DAY), complaint("not-spam", 2 * DAY)]
    found = alerts_of(response(*spellings))
    assert sorted(alert.explanation.severity for alert in found) == ["high", "info"]


def test_an_alert_says_what_was_seen_and_when() -> None:
    """A new alert is pending and carries its event, recipient, provider and time of detection."""
    (alert,) = alerts_of(BOUNCED_MAIL)
    assert (alert.destination, alert.isp) == ("ada@Example.com", "Gmail")
    assert (alert.detected_at, alert.published_at, alert.sns_message_id) == (
        DETECTED_AT,
        None,
        None,
    )
    assert alert.event == read(BOUNCED_MAIL).events[1]


def test_pending_are_those_not_published() -> None:
    """An alert with a time of publishing is done."""
    published, missing = alerts_of(response(bounce(), complaint()))
    assert pending([replace(published, published_at=DETECTED_AT), missing]) == (missing,)


@given(insights(), st.integers(0, 10**9))
def test_a_shift_of_all_times_changes_no_alert(seen: Insights, milliseconds: int) -> None:
    """Whatever SES makes of the times, the same events have the same ids."""
    moved = f"2027-01-01T00:00:00.{milliseconds % 1000:03}Z"
    shifted = replace(
        seen,
        destinations=tuple(
            replace(
                destination,
                events=tuple(replace(happened, timestamp=moved) for happened in destination.events),
            )
            for destination in seen.destinations
        ),
    )
    before = {alert.alert_id for alert in alerts_in(seen, detected_at=DETECTED_AT)}
    after = {alert.alert_id for alert in alerts_in(shifted, detected_at=DETECTED_AT)}
    assert before == after


@given(insights())
def test_alerts_are_one_for_each_thing_that_happened(seen: Insights) -> None:
    """There are as many alerts as recipients bounced for good, plus their kinds of complaint."""
    happened = set()
    for destination in seen.destinations:
        for each in destination.events:
            if each.type == "BOUNCE" and each.bounce:
                if (each.bounce.bounce_type or "").lower() == "permanent":
                    happened.add((destination.address, "BOUNCE", ""))
            elif each.type == "COMPLAINT":
                feedback = each.complaint.complaint_feedback_type if each.complaint else None
                kind = "".join(filter(str.isalnum, (feedback or "").lower()))
                happened.add((destination.address, "COMPLAINT", kind))
            elif each.type in {"REJECT", "RENDERING_FAILURE"}:
                happened.add((destination.address, each.type, ""))
    ids = [alert.alert_id for alert in alerts_in(seen, detected_at=DETECTED_AT)]
    assert len(ids) == len(set(ids)) == len(happened)


def test_ids_are_short_and_plain() -> None:
    """An id is 32 hexadecimal digits: it stands in keys, subjects of tickets and file names."""
    ids = [alert.alert_id for alert in alerts_of(response(bounce(), complaint("abuse\n../")))]
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in ids)


def test_the_time_of_detection_is_no_part_of_the_identity() -> None:
    """A later look at the same event finds the same alert."""
    seen = read(response(bounce()))
    (early,) = alerts_in(seen, detected_at=DETECTED_AT)
    (late,) = alerts_in(seen, detected_at="2026-12-23T10:15:00.000Z")
    assert early.alert_id == late.alert_id
    assert late.detected_at == "2026-12-23T10:15:00.000Z"


# What was alerted from the suppression list


def listed_complaint(minutes: float | None) -> Alert:
    """A complaint that was alerted from the list, listed so many minutes after the start."""
    listed_at = iso(START + timedelta(minutes=minutes or 0))
    listing = Listing("ada@Example.com", Feedback.COMPLAINT, listed_at, is_finding=True)
    seen = Insights(MESSAGE_ID)
    (alert,) = alerts_of_listings([listing], seen, detected_at=DETECTED_AT)
    return alert if minutes is not None else replace(alert, event=Event("COMPLAINT"))


def shown(kind: str, minutes: float | None) -> Alert:
    """A complaint that the insights show, so many minutes after the start."""
    at = iso(START + timedelta(minutes=minutes)) if minutes is not None else None
    report = Event("COMPLAINT", at, complaint=Complaint(None, kind))
    seen = Insights(MESSAGE_ID, destinations=(Destination("ada@example.com", None, (report,)),))
    (alert,) = alerts_in(seen, detected_at=DETECTED_AT)
    return alert


@pytest.mark.parametrize("minutes", [30, 90])
def test_the_complaint_nearest_to_the_listing_was_alerted(minutes: float) -> None:
    """Before it or after it; the other one is news."""
    near, far = shown("abuse", minutes), shown("fraud", 300)
    assert new_alerts([far, near], [listed_complaint(60)]) == (far,)
    assert new_alerts([near, far], [listed_complaint(60)]) == (far,)


def test_the_complaint_of_a_person_was_alerted_however_far_it_is() -> None:
    """A machine's report lists nobody."""
    person, machine = shown("abuse", 300), shown("auth-failure", 60)
    assert new_alerts([machine, person], [listed_complaint(60)]) == (machine,)


@pytest.mark.parametrize(("first", "listed"), [(None, 60), (60, None), (None, None)])
def test_a_complaint_without_a_time_counts_as_the_nearest(
    first: float | None, listed: float | None
) -> None:
    """SES may leave it out: there is nothing to hold against the listing."""
    found = [shown("abuse", first), shown("fraud", 300)]
    known = new_alerts(found, [listed_complaint(listed)])
    assert known == (found[1],)


def test_a_complaint_of_another_address_was_not_alerted() -> None:
    """The listing names one recipient."""
    other = replace(shown("abuse", 60), destination="bob@example.com")
    assert new_alerts([other], [listed_complaint(60)]) == (other,)


def test_an_alert_is_the_same_whoever_set_out_to_publish_it() -> None:
    """When it was claimed is of its row, and not of what happened."""
    (alert,) = alerts_of(response(bounce()))
    assert replace(alert, claimed_at=DETECTED_AT) == alert


def test_an_alert_from_the_list_is_explained_as_such() -> None:
    """Its event alone would read like one that the insights show."""
    assert "lists the address" in listed_complaint(60).explanation.cause


def test_only_findings_of_the_list_raise_an_alert() -> None:
    """Each by itself, with what the insights show of its recipient, and the id they would give."""
    seen = Insights(MESSAGE_ID, destinations=(Destination("ada@example.com", "Gmail"),))
    at = iso(START)
    listings = [
        Listing("open@example.com", Feedback.BOUNCE, at),
        Listing("ADA@example.com", Feedback.COMPLAINT, at, is_finding=True),
    ]
    (alert,) = alerts_of_listings(listings, seen, detected_at=DETECTED_AT)
    assert (alert.destination, alert.isp, alert.detected_at) == (
        "ada@example.com",
        "Gmail",
        DETECTED_AT,
    )
    (as_shown,) = alerts_of(response(complaint(None), to="ada@example.com"))
    assert alert.alert_id == as_shown.alert_id


def test_what_was_alerted_from_the_insights_hides_nothing_that_was_alerted_from_the_list() -> None:
    """Both are looked through."""
    known = shown("fraud", 300)
    assert new_alerts([shown("abuse", 60)], [known, listed_complaint(60)]) == ()
