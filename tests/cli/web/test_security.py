"""Only the browser that was let in gets at the page, and only from pages of this run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

import pytest
from starlette.testclient import TestClient

from ses_insights.cli.web import message
from ses_insights.cli.web.app import Site, make_app
from ses_insights.cli.web.reading import SharedDeployment
from ses_insights.cli.web.security import LARGEST_FORM, Session
from tests.cli.conftest import Aws
from tests.cli.test_parked import park
from tests.cli.web.conftest import ADDRESS, NOW, PORT, Browser, Open, Store, mail
from tests.support.samples import MESSAGE_ID

PATHS = (
    *("/", "/overview.csv", "/search?status=SENT", "/search.csv?status=SENT"),
    *(f"/message/{MESSAGE_ID}", "/alerts", "/alerts.csv", "/parked", "/parked.csv"),
)


@pytest.fixture
def opened() -> Session:
    """The secrets of a run."""
    return Session(PORT)


@pytest.fixture
def stranger(deployed: SharedDeployment, opened: Session) -> TestClient:
    """A browser that was not let in."""
    guard = make_app(Site(deployed, opened, now=lambda: NOW))
    return TestClient(guard, base_url=ADDRESS, follow_redirects=False)


def test_a_browser_that_was_not_let_in_sees_nothing(stranger: TestClient) -> None:
    """It reads how to get in, and no page of the tool."""
    for path in (*PATHS, "/nothing", "/enter/", "/enter/guess"):
        answer = stranger.get(path)
        assert answer.status_code == 401, path
        assert "insights web" in answer.text
        assert "Overview" not in answer.text


def test_the_first_address_opens_once(stranger: TestClient, opened: Session) -> None:
    """It gives a cookie that scripts and other sites cannot use; then it opens nothing."""
    path = opened.first_address.removeprefix(ADDRESS)
    first = stranger.get(path)
    assert (first.status_code, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    stranger.cookies.clear()
    assert stranger.get(path).status_code == 401


def test_the_first_address_is_not_used_up_by_asking_for_its_headers(
    stranger: TestClient, opened: Session
) -> None:
    """A program that checks links must not close the door."""
    path = opened.first_address.removeprefix(ADDRESS)
    assert stranger.head(path).status_code == 401
    assert stranger.get(path).status_code == 303


def test_a_link_from_another_site_loads_again_from_here(
    stranger: TestClient, opened: Session
) -> None:
    """The cookie does not come with it; the page that reloads itself ends as for a stranger."""
    answer = stranger.get("/alerts", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200
    assert 'http-equiv="refresh"' in answer.text
    assert stranger.get("/alerts", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 401
    assert opened.form_token not in answer.text


def test_another_host_is_refused(browser: Browser) -> None:
    """A name that was made to point at loopback gets nothing, cookie or not."""
    others = ("evil.example", f"evil.example:{PORT}", "127.0.0.1:80", f"127.0.0.2:{PORT}", "")
    for host in others:
        for path in ("/search", "/static/style.css"):
            assert browser.client.get(path, headers={"Host": host}).status_code == 421, host


def test_loopback_is_served(browser: Browser) -> None:
    """By number and by name."""
    for host in (f"127.0.0.1:{PORT}", f"LocalHost:{PORT}"):
        assert browser.client.get("/search", headers={"Host": host}).status_code == 200


def test_every_answer_says_what_a_browser_may_do(browser: Browser) -> None:
    """No script or style but those of the package, no frame, no cache."""
    for path in (*PATHS, "/nothing", "/static/style.css"):
        headers = browser.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy, path
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"


def test_no_page_has_a_script_or_a_style_within(browser: Browser, store: Store) -> None:
    """The policy would keep it from working; and nothing comes from another host."""
    store(mail("anna@there.example", "SEND", "DELIVERY"), message_id=MESSAGE_ID)
    for path in ("/", "/search", "/alerts", "/parked", f"/message/{MESSAGE_ID}"):
        text = browser.client.get(path).text
        scripts = re.findall(r"<script[^>]*>", text)
        assert scripts == ['<script src="/static/page.js" defer>'], path
        assert "<style" not in text
        assert not re.search(r"\s(style|on\w+)=", text)
        assert not re.search(r"(src|href)=.(https?:)?//", text)


WRITES = (f"/message/{MESSAGE_ID}/look", "/parked/redrive", "/parked/drop")


FORMS: Final[Sequence[tuple[dict[str, str] | None, dict[str, str]]]] = (
    ({}, {}),
    ({"token": "guess"}, {}),
    (None, {"Origin": "http://evil.example"}),
    (None, {"Origin": "null"}),
    (None, {"Origin": f"http://127.0.0.1:{PORT + 1}"}),
    (None, {"Sec-Fetch-Site": "cross-site"}),
    (None, {"Sec-Fetch-Site": "same-site"}),
)


def test_a_form_of_another_page_writes_nothing(browser: Browser, calls: Counter[str]) -> None:
    """Neither without the token of the run, nor where the browser says where it comes from."""
    calls.clear()
    right = {"token": browser.session.form_token, "confirmed": "yes"}
    for form, headers in FORMS:
        for path in WRITES:
            sent = right if form is None else form
            assert browser.client.post(path, data=sent, headers=headers).status_code == 403
    assert not calls


def test_a_form_without_end_is_not_read(browser: Browser) -> None:
    """It is refused once it is larger than any form of the page."""
    form = {"token": browser.session.form_token, "reason": "x" * LARGEST_FORM}
    assert browser.client.post("/parked/redrive", data=form).status_code == 403


def test_read_only_has_no_route_that_writes(open_page: Open) -> None:
    """A form that is sent by hand finds no page, and dropping is not even asked about."""
    browser = open_page(read_only=True)
    for path in WRITES:
        assert browser.post(path, confirmed="yes").status_code == 404, path
    browser.get("/parked/drop", status=404)


def test_read_only_shows_no_form_that_writes(
    open_page: Open, store: Store, deployed: SharedDeployment
) -> None:
    """And says on each page that it is read only."""
    store(mail("anna@there.example", "SEND"), message_id=MESSAGE_ID)
    park(deployed, "anna")
    browser = open_page(read_only=True)
    for path in ("/", "/parked", f"/message/{MESSAGE_ID}", "/search"):
        text = browser.client.get(path).text
        assert 'method="post"' not in text, path
        assert "read only" in text
    assert 'method="post"' in open_page().client.get("/parked").text


def test_what_writes_is_never_loaded(browser: Browser) -> None:
    """A link cannot look again or redrive; dropping asks first."""
    codes = [browser.client.get(path).status_code for path in WRITES]
    assert codes == [405, 405, 200]


def test_a_failure_leaves_nothing_of_the_mail_in_the_log(
    browser: Browser, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The terminal gets the kind of the error and its place; the browser a sentence."""
    store(mail("anna@there.example", "SEND"), message_id=MESSAGE_ID)

    def fail(*_: object, **__: object) -> None:
        raise KeyError("anna@there.example")

    monkeypatch.setattr(message, "_course", fail)
    answer = browser.client.get(f"/message/{MESSAGE_ID}")
    assert answer.status_code == 500
    assert "anna" not in answer.text
    (line,) = browser.log
    assert re.fullmatch(r"A page failed: KeyError at message\.py:\d+", line)


def test_what_aws_refuses_is_a_sentence(browser: Browser, aws: Aws) -> None:
    """It says what is denied and where the policy is, as the commands do."""
    aws.fails["Query"] = "AccessDenied"
    page = browser.get("/alerts", status=502)
    assert "Query is denied. docs/cli.md has the policy." in page.text


def test_an_address_without_a_page_says_so(browser: Browser) -> None:
    """With the way back."""
    assert "There is no page at this address." in browser.get("/nothing", status=404).text
