"""What strangers wrote stays text: it changes no tag, no attribute and no address of a page."""

from __future__ import annotations

from typing import Final

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ses_insights.cli.web.reading import SharedDeployment
from ses_insights.contracts.rows import alert_row, destination_rows, message_row
from ses_insights.domain.insight import Bounce, Destination, Event, Insights
from ses_insights.domain.record import Found
from ses_insights.domain.times import iso
from tests.cli.web.conftest import Browser, Page, put
from tests.support.fakes import START
from tests.support.samples import MESSAGE_ID, looked

MARKUP: Final = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</textarea></title></pre><script>alert(1)</script>",
    "<!--",
    "]]>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;b&gt;&#60;b>",
    "\u202egpj.exe\u202c",
    "\x00\x1b[2J\r\nSet-Cookie: a=b",
    "//evil.example/../../?x=1&y=2#z",
)
PAGES: Final = ("/", "/alerts", "/search?status=PERMANENT_BOUNCE", f"/message/{MESSAGE_ID}")

# The letter in front keeps a text from being nothing but signs that are not shown.
HOSTILE: Final = st.lists(
    st.sampled_from(MARKUP) | st.text(st.characters(codec="utf-8"), max_size=20), max_size=4
).map(lambda parts: "a".join(["", *parts]) + "a")


def fill(deployed: SharedDeployment, text: str) -> None:
    """Store a message of which everything that comes from outside is that text."""
    refusal = Bounce("PERMANENT", text, f"smtp; 550 5.1.1 {text}")
    insights = Insights(
        MESSAGE_ID,
        from_email_address=f"{text}@shop.example",
        subject=text,
        email_tags={text: (text,)},
        destinations=(
            Destination(
                text,
                text,
                (
                    Event("SEND", iso(START)),
                    Event("BOUNCE", iso(START), refusal),
                    Event(f"x{text}", iso(START)),
                ),
            ),
        ),
    )
    record, (alert,) = looked(Found(insights))
    # One key for all, so that the rows of the text before are gone.
    (recipient,) = destination_rows(record)
    put(deployed, message_row(record))
    put(deployed, recipient | {"Record": "DESTINATION#1"})
    mine = {"Record": "ALERT#1", "FromDomain": text, "Cause": text, "NextStep": text}
    put(deployed, alert_row(alert, record) | mine)


def pages(browser: Browser) -> list[Page]:
    """Every page that shows the message."""
    return [Page(browser.client.get(path).text) for path in PAGES]


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HOSTILE)
@example("a".join(MARKUP))
def test_hostile_text_stays_text(browser: Browser, deployed: SharedDeployment, text: str) -> None:
    """Every page has the tags and attributes that it has for harmless text, and only own links."""
    fill(deployed, "harmless")
    harmless = pages(browser)
    fill(deployed, text)
    for before, after in zip(harmless, pages(browser), strict=True):
        assert len(before.tags) > 30
        assert after.tags == before.tags
        for link in after.links:
            is_own = link in {"", "#main"} or (link[0] == "/" and not link.startswith("//"))
            assert is_own or link.startswith("https://eu-west-1.console.aws.amazon.com/")


def test_hostile_text_is_read_as_it_is(browser: Browser, deployed: SharedDeployment) -> None:
    """Markup is shown; signs that move the cursor or turn the direction are not."""
    fill(deployed, "a".join(MARKUP))
    text = browser.get(f"/message/{MESSAGE_ID}").text
    for shown in ("<script>alert(1)</script>", "{{ 7 * 7 }}", "&lt;b&gt;", "gpj.exe"):
        assert shown in text
    for hidden in ("\u202e", "\x1b", "\x00"):
        assert hidden not in text


def test_a_hostile_question_stays_text(browser: Browser) -> None:
    """What is typed into the address comes back as text, too."""
    tags = browser.get("/search?q=harmless", status=400).tags
    for markup in MARKUP:
        answer = browser.client.get("/search", params={"q": markup, "day": ""})
        assert answer.status_code == 400, markup
        assert Page(answer.text).tags == tags
    for name in ("from_domain", "tag", "day", "type", "reason", "since", "place"):
        for markup in MARKUP[:5]:
            page = Page(browser.client.get("/alerts", params={name: markup}).text)
            assert not any("onerror" in names for _, names in page.tags)
            assert [tag for tag, _ in page.tags].count("script") == 1
