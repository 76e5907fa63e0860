"""The page of one message: what happened, why, what the service did and will do."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from ses_insights.adapters.records import RecordTable
from ses_insights.cli.web.reading import SharedDeployment
from ses_insights.contracts.rows import listed_row
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.record import NotFound
from ses_insights.domain.times import iso
from tests.cli.web.conftest import Browser, Open, Store, mail, put, refused, reported
from tests.support.fakes import START
from tests.support.samples import MESSAGE_ID, looked

PAGE = f"/message/{MESSAGE_ID}"
MOST_CALLS = 4
"""What a page may cost, whatever is stored of the message."""


def test_the_story_is_shown_in_order(browser: Browser, store: Store) -> None:
    """Each event with its time, how long after the mail was sent, and how long ago."""
    store(
        mail("anna@there.example", "SEND", "DELIVERY_DELAY", "DELIVERY", "OPEN"),
        message_id=MESSAGE_ID,
    )
    text = browser.get(PAGE).text
    places = [text.index(word) for word in ("Sent", "Delayed +1 min", "Delivered +2", "Opened +3")]
    assert places == sorted(places)
    assert "57 min ago 2026-11-23 10:03:00" in text


def test_a_bounce_says_why_and_what_to_do(browser: Browser, store: Store) -> None:
    """The diagnostic as it came, cause, next step, reason, severity and confidence."""
    code = "smtp; 550 5.1.1 no such user"
    store(mail("anna@there.example", "SEND", "BOUNCE", bounce=refused(code)), message_id=MESSAGE_ID)
    text = browser.get(PAGE).text
    assert "Permanent bounce +1 min" in text
    assert code in text
    assert "The recipient's server does not know this address." in text
    assert "What to do Stop sending to the address" in text
    for chip in ("reason address-unknown", "severity medium", "confidence high"):
        assert chip in text
    assert "BounceSubType General" in text


def test_every_recipient_has_a_story(browser: Browser, store: Store) -> None:
    """Of its own; alerts say when they were found and published."""
    store(
        mail("anna@there.example", "SEND", "DELIVERY"),
        mail("ben@there.example", "SEND", "COMPLAINT", complaint=reported()),
        message_id=MESSAGE_ID,
    )
    text = browser.get(PAGE).text
    assert text.index("anna@there.example") < text.index("Complaint +1 min")
    assert "pending" in text
    assert "2 recipients:" in text


def test_many_opens_fold(browser: Browser, store: Store) -> None:
    """The first few are shown, the others are one line to open."""
    store(mail("anna@there.example", "SEND", *["OPEN"] * 9), message_id=MESSAGE_ID)
    assert "6 further opens and clicks" in browser.get(PAGE).text


def test_looks_are_shown_taken_and_planned(browser: Browser, store: Store) -> None:
    """The next one, those after it on the ladder, and why."""
    store(mail("anna@there.example", "SEND", "DELIVERY"), message_id=MESSAGE_ID)
    text = browser.get(PAGE).text
    assert "Taken 1 First 1 h ago" in text
    assert "15 min due, waits for its turn 2026-11-23 10:15" in text
    assert "3 d planned 2026-11-26 10:00" in text


def test_a_look_that_comes_says_when(open_page: Open, store: Store) -> None:
    """Before its time it is the next one."""
    store(mail("anna@there.example", "SEND", "DELIVERY"), message_id=MESSAGE_ID)
    text = open_page(now=START + timedelta(minutes=5)).get(PAGE).text
    assert "15 min next, in 10 min" in text


def test_a_final_message_says_why(browser: Browser, store: Store) -> None:
    """In the words of its row, and without a ladder."""
    store(mail("anna@there.example", "BOUNCE", bounce=refused("550 5.1.1")), message_id=MESSAGE_ID)
    text = browser.get(PAGE).text
    assert "No more looks. The mail bounced permanently." in text
    assert "planned" not in text


def test_tags_and_rows_are_there_and_a_ticket_without_secrets(
    browser: Browser, store: Store
) -> None:
    """The text for a ticket leaves out who has sent and from which address."""
    tags = {"campaign": ("spring",), "ses:source-ip": ("192.0.2.7",)}
    store(
        mail("anna@there.example", "SEND"), message_id=MESSAGE_ID, email_tags=tags, subject="Größe"
    )
    html = browser.client.get(PAGE).text
    ticket = html.partition("<textarea")[2].partition("</textarea>")[0]
    assert "campaign=spring" in ticket
    assert "192.0.2.7" not in ticket
    assert "192.0.2.7" in html
    assert r"Gr\u00f6\u00dfe" in html, "the raw rows show each sign"


def test_a_listing_of_the_suppression_list_is_shown(
    browser: Browser, store: Store, deployed: SharedDeployment
) -> None:
    """Where the account's list names this message."""
    store(mail("anna@there.example", "SEND"), message_id=MESSAGE_ID)
    listing = Listing("anna@there.example", Feedback.COMPLAINT, iso(START))
    put(deployed, listed_row(listing, MESSAGE_ID, 2_000_000_000))
    assert "anna@there.example: listed for a complaint 1 h ago" in browser.get(PAGE).text


def test_a_message_that_is_only_listed_says_so(
    browser: Browser, deployed: SharedDeployment
) -> None:
    """Before its first look nothing else is known of it."""
    listing = Listing("anna@there.example", Feedback.BOUNCE, iso(START))
    put(deployed, listed_row(listing, MESSAGE_ID, 2_000_000_000))
    page = browser.get(PAGE, status=404)
    assert "suppression list: anna@there.example: for a bounce 1 h ago" in page.text


def test_an_erased_message_shows_that(browser: Browser, records: RecordTable) -> None:
    """And cannot be looked at again."""
    record, _ = looked(NotFound())
    erased = replace(record, erased_at=iso(START), final="It was erased.", next_look_at=None)
    records.save(erased, (), read=None)
    html = browser.client.get(PAGE).text
    assert "Erased on request." in html
    assert '<button class="main" disabled>' in html


@pytest.mark.parametrize(
    "form",
    [MESSAGE_ID, f"%3C{MESSAGE_ID}@eu-west-1.amazonses.com%3E"],
    ids=["bare", "header"],
)
def test_the_address_takes_an_id_in_its_forms(browser: Browser, store: Store, form: str) -> None:
    """So that one can be pasted there."""
    store(mail("anna@there.example", "SEND"), message_id=MESSAGE_ID)
    assert "anna@there.example" in browser.get(f"/message/{form}").text


def test_what_is_no_id_is_said(browser: Browser) -> None:
    """With what an id looks like."""
    assert "not an SES message id" in browser.get("/message/anna", status=400).text


def test_an_unknown_message_can_be_enqueued(browser: Browser) -> None:
    """It says why it may be missing, and offers a look."""
    page = browser.get(PAGE, status=404)
    assert "was never enqueued" in page.text
    assert f"{PAGE}/look" in page.links


def test_looking_again_enqueues_with_force(browser: Browser, deployed: SharedDeployment) -> None:
    """And leads to the page that waits for it, with the time by which it comes."""
    answer = browser.post(f"{PAGE}/look")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{PAGE}?asked=2026-11-23T11")
    (sent,) = deployed.sqs.receive_message(QueueUrl=deployed.queue_url)["Messages"]
    assert json.loads(sent["Body"]) == {"MessageId": MESSAGE_ID, "force": True}
    # Fifteen minutes in the queue, and one look of two seconds.
    waiting = browser.client.get(answer.headers["location"]).text
    assert "taken in 15 min at the latest" in waiting
    assert 'data-refresh="3"' in waiting


def test_the_page_stops_waiting_once_the_look_is_taken(browser: Browser, store: Store) -> None:
    """By the time of the last look."""
    store(mail("anna@there.example", "SEND"), message_id=MESSAGE_ID)
    before, after = (iso(START + timedelta(minutes=minutes)) for minutes in (-5, 5))
    assert 'data-refresh="3"' in browser.client.get(f"{PAGE}?asked={after}").text
    done = browser.client.get(f"{PAGE}?asked={before}").text
    assert "is taken." in done
    assert "data-refresh" not in done


def test_a_time_that_is_none_waits_for_nothing(browser: Browser, store: Store) -> None:
    """An address can be changed by hand."""
    store(mail("anna@there.example", "SEND"), message_id=MESSAGE_ID)
    assert "asked for" not in browser.get(f"{PAGE}?asked=yesterday&by=never").text


def test_a_page_costs_one_call(browser: Browser, store: Store, calls: Counter[str]) -> None:
    """For a message of the usual size."""
    store(mail("anna@there.example", "SEND", "DELIVERY"), message_id=MESSAGE_ID)
    calls.clear()
    browser.get(PAGE)
    assert calls == {"Query": 1}


def test_a_huge_message_costs_no_more_calls_than_allowed(
    browser: Browser, store: Store, deployed: SharedDeployment, calls: Counter[str]
) -> None:
    """Megabytes of events: the page says that it leaves a part out."""
    store(mail("anna@there.example", "SEND"), message_id=MESSAGE_ID)
    for number in range(14):
        more = {"Type": "SUBSCRIPTION", "Timestamp": iso(START), "Details": {"Pad": "x" * 300_000}}
        key = {"MessageId": MESSAGE_ID, "Record": f"EVENTS#anna@there.example#{number:04}"}
        put(deployed, key | {"Of": "anna@there.example", "Events": [more]})
    calls.clear()
    text = browser.get(PAGE).text
    assert calls == {"Query": MOST_CALLS}
    assert "more rows than a page reads" in text
    assert "SES sent the mail on 2026-11-23" in text
