"""One box finds messages by id, address and status; pages of results are never a scan."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from datetime import timedelta
from urllib.parse import quote

from ses_insights.cli.web.reading import SharedDeployment
from ses_insights.contracts.addresses import spellings
from tests.cli.conftest import Aws
from tests.cli.web.conftest import Browser, Page, Store, mail, put, put_recipients, refused
from tests.support.fakes import START
from tests.support.samples import MESSAGE_ID

DAY = timedelta(days=1)
PERMANENT = refused("550 5.1.1")


def listed(page: Page) -> list[str]:
    """The messages of a page, in order."""
    return [link.rpartition("/")[2] for link in page.links if link.startswith("/message/")]


IDS = (
    MESSAGE_ID,
    f"  {MESSAGE_ID}\n",
    f"<{MESSAGE_ID}@eu-west-1.amazonses.com>",
    json.dumps({"MessageId": MESSAGE_ID}),
    json.dumps({"eventType": "Send", "mail": {"messageId": MESSAGE_ID}}),
)


def test_an_id_in_any_form_leads_to_its_message(browser: Browser) -> None:
    """Without a call to AWS in between."""
    for typed in IDS:
        answer = browser.client.get("/search", params={"q": typed}, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/message/{MESSAGE_ID}")


def test_an_address_in_other_spellings_is_found(browser: Browser, store: Store) -> None:
    """Newest first over all spellings, with status, subject, provider and time."""
    old = store(mail("Anna@There.example", "DELIVERY", at=START - DAY), subject="Old one")
    new = store(mail("anna@there.example", "OPEN"), subject="New one")
    store(mail("ben@there.example", "OPEN"))
    page = browser.get("/search?q=%20Anna@There.example")
    assert listed(page) == [new, old]
    assert "Opened anna@there.example New one Gmail 1 h ago 2026-11-23 10:00:00" in page.text


def test_an_address_of_many_spellings_is_found(
    browser: Browser, store: Store, calls: Counter[str]
) -> None:
    """A query for each, and no more; a list without an end is none."""
    asked = "Anna.SMITH <Anna.SMITH@B\u00fccher.Example>"
    wanted = store(mail("anna.smith@xn--bcher-kva.example", "DELIVERY"))
    assert len(spellings(asked)) > 12
    calls.clear()
    page = browser.get(f"/search?q={quote(asked)}")
    assert listed(page) == [wanted]
    assert calls == {"Query": len(spellings(asked)), "BatchGetItem": 1}
    assert "Older" not in page.text


def test_an_address_that_is_only_listed_is_no_mail(
    browser: Browser, deployed: SharedDeployment
) -> None:
    """The row that the suppression list names an address has no status of a mail."""
    row = {
        "MessageId": MESSAGE_ID,
        "Record": "LISTED#anna@there.example",
        "Destination": "anna@there.example",
        "LastEventAt": "2026-11-23T10:00:00.000Z",
    }
    put(deployed, row)
    assert "No mail to this address is stored" in browser.get("/search?q=anna@there.example").text


def test_a_status_is_found_in_any_spelling(browser: Browser, store: Store) -> None:
    """As the API writes it, and as a person types it."""
    bounced = store(mail("anna@there.example", "BOUNCE", bounce=None))
    assert bounced
    wanted = store(mail("ben@there.example", "BOUNCE", bounce=PERMANENT))
    for typed in ("PERMANENT_BOUNCE", "permanent bounce", "Permanent-Bounce", "bounced"):
        assert listed(browser.get(f"/search?q={typed}")) == [wanted]


def test_a_day_narrows_what_is_found(browser: Browser, store: Store) -> None:
    """With an address and with a status; in UTC."""
    store(mail("anna@there.example", "DELIVERY", at=START - DAY))
    today = store(mail("anna@there.example", "DELIVERY"))
    for what in ("q=anna@there.example", "status=DELIVERED"):
        assert listed(browser.get(f"/search?{what}&day=2026-11-23")) == [today]


def test_an_address_and_a_status_are_both_kept_to(browser: Browser, store: Store) -> None:
    """The list beside the box narrows what the box finds."""
    store(mail("anna@there.example", "DELIVERY"))
    opened = store(mail("anna@there.example", "OPEN"))
    assert listed(browser.get("/search?q=anna@there.example&status=OPENED")) == [opened]


def test_pages_follow_each_other(
    browser: Browser, deployed: SharedDeployment, calls: Counter[str]
) -> None:
    """Each row once and in order; every page costs two calls, and none of them is a scan."""
    stored = put_recipients(deployed, 60)
    seen: list[str] = []
    path = "/search?status=DELIVERED"
    sizes = []
    while path:
        calls.clear()
        page = browser.get(path)
        assert calls == {"Query": 1, "BatchGetItem": 1}
        seen += listed(page)
        sizes.append(len(listed(page)))
        path = next((link for link in page.links if "place=" in link), "")
        path = path if "Older" in page.text else ""
    assert seen == stored
    assert sizes == [50, 10]


def test_a_full_page_that_is_the_last_says_so(browser: Browser, deployed: SharedDeployment) -> None:
    """It leads to no empty one."""
    put_recipients(deployed, 50)
    page = browser.get("/search?status=DELIVERED")
    assert len(listed(page)) == 50
    assert "Older" not in page.text


def test_a_place_that_is_none_is_said(browser: Browser) -> None:
    """An address that was cut off or changed by hand."""
    for place in (
        "x",
        "e30x",
        "W10",
        "eyJBIjpbMSwyLDNdfQ",
        "eyJTRU5UIjpbIiIsIiIsIiJdfQ",
        "y" * 9_000,
    ):
        page = browser.get(f"/search?status=SENT&place={place}", status=400)
        assert "go back to the first page" in page.text


def test_what_is_nothing_is_said(browser: Browser) -> None:
    """With what the box takes; and a day that is none."""
    assert "This is no message id, no address" in browser.get("/search?q=anna", status=400).text
    assert "is not a day" in browser.get("/search?q=SENT&day=soon", status=400).text
    assert "too long" in browser.get(f"/search?q={'x' * 3_000}", status=400).text


def test_the_empty_page_says_what_to_type(browser: Browser, calls: Counter[str]) -> None:
    """And costs no call."""
    calls.clear()
    assert "One box for everything" in browser.get("/search").text
    assert not calls


def test_nothing_found_says_what_to_do(browser: Browser) -> None:
    """For an address, for a status on a day, and for what no index lists."""
    assert "shows after its message's first look" in browser.get("/search?q=a@b.example").text
    assert "see every day" in browser.get("/search?status=SENT&day=2026-11-23").text
    assert "insights find --status NOT_FOUND" in browser.get("/search?status=NOT_FOUND").text


def test_without_permission_the_subjects_are_left_out(
    browser: Browser, store: Store, aws: Aws
) -> None:
    """The results stay, and the page says what is missing."""
    store(mail("anna@there.example", "SEND"), subject="Secret")
    aws.fails["BatchGetItem"] = "AccessDeniedException"
    page = browser.get("/search?status=SENT")
    assert "anna@there.example" in page.text
    assert "dynamodb:BatchGetItem" in page.text


def test_results_download_as_csv(browser: Browser, deployed: SharedDeployment) -> None:
    """All pages of them, and no formula for a spreadsheet."""
    stored = put_recipients(deployed, 60, Isp="=1+1")
    answer = browser.client.get("/search.csv?status=DELIVERED")
    assert answer.headers["content-disposition"] == 'attachment; filename="mails.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["MessageId"], row["Isp"]) for row in rows] == [(each, "'=1+1") for each in stored]
    assert browser.client.get("/search.csv").status_code == 400
