"""Alerts by what people ask for them by; summaries open into their events."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import pytest

from ses_insights.cli.web.reading import SharedDeployment
from ses_insights.contracts.surge_rows import summary_row
from ses_insights.domain.times import iso
from tests.cli.web.conftest import Browser, Page, Store, mail, put, refused, reported
from tests.support.fakes import START
from tests.unit.contracts.test_summary_message import SUMMARY

DAY = timedelta(days=1)


@pytest.fixture
def names(store: Store, deployed: SharedDeployment) -> dict[str, str]:
    """Alerts of three days, and a summary; message ids by recipient."""
    when = START - 2 * DAY
    unknown = mail("unknown@there.example", "BOUNCE", bounce=refused("550 5.1.1 user unknown"))
    blocked = mail("blocked@there.example", "BOUNCE", bounce=refused("550 5.7.1 spamhaus.org"))
    spam = mail("spam@there.example", "COMPLAINT", complaint=reported())
    put(deployed, summary_row(replace(SUMMARY, detected_at=iso(START)), retention=90 * DAY))
    return {
        "unknown": store(unknown, now=when),
        "blocked": store(
            blocked,
            now=when + DAY,
            from_email_address="a@bank.example",
            email_tags={"campaign": ("autumn",)},
        ),
        "spam": store(spam, now=when + 1.5 * DAY),
    }


def listed(page: Page, names: dict[str, str]) -> list[str]:
    """Whose alerts a page lists, in order."""
    by_id = {message_id: name for name, message_id in names.items()}
    ids = [link.rpartition("/")[2] for link in page.links if link.startswith("/message/")]
    return [by_id[each] for each in ids]


def test_the_last_days_are_listed_newest_first(browser: Browser, names: dict[str, str]) -> None:
    """With reason, cause, and what to do."""
    page = browser.get("/alerts")
    assert listed(page, names) == ["spam", "blocked", "unknown"]
    assert "address-unknown The recipient's server does not know this address." in page.text
    assert "What to do Stop sending to the address" in page.text


FILTERS: Final[Sequence[tuple[str, list[str]]]] = (
    ("day=2026-11-21", ["unknown"]),
    ("since=2026-11-22", ["spam", "blocked"]),
    ("until=2026-11-21", ["unknown"]),
    ("type=COMPLAINT", ["spam"]),
    ("reason=blocklisted", ["blocked"]),
    ("severity=medium", ["unknown"]),
    ("from_domain=BANK.example", ["blocked"]),
    ("tag=campaign%3Dautumn", ["blocked"]),
    ("type=BOUNCE&severity=high", ["blocked"]),
    ("severity=info", []),
)


def test_each_filter_narrows_the_list(browser: Browser, names: dict[str, str]) -> None:
    """Alone and together."""
    for query, wanted in FILTERS:
        assert listed(browser.get(f"/alerts?{query}"), names) == wanted, query


WRONG = (
    ("day=soon", "is not a day"),
    ("type=ELSE", "is no type of alert"),
    ("reason=else", "is no reason"),
    ("severity=else", "is no severity"),
    ("tag=spring", "write it as NAME=VALUE"),
    ("since=2026-11-23&until=2026-11-01", "does not come after"),
)


def test_a_wrong_filter_is_said(browser: Browser) -> None:
    """In one sentence with what would be right."""
    for query, says in WRONG:
        assert says in browser.get(f"/alerts?{query}", status=400).text


def test_a_summary_opens_into_its_events(
    browser: Browser, store: Store, names: dict[str, str]
) -> None:
    """By type, reason, sender and time: what the summary counts and nothing else."""
    group = SUMMARY.group
    page = browser.get("/alerts?type=SUMMARY")
    assert f"{SUMMARY.count:,} bounces" in page.text
    link = next(each for each in page.links if "until=" in each and "place" not in each)
    assert f"type={group.alert_type}&reason={group.reason}&from_domain={group.from_domain}" in link
    event = mail("in@there.example", "BOUNCE", bounce=refused("550 5.1.1 user unknown"))
    names["in"] = store(event, now=START + timedelta(minutes=1))
    assert listed(browser.get(link), names) == ["in"]


def test_pages_follow_each_other(
    browser: Browser, deployed: SharedDeployment, calls: Counter[str]
) -> None:
    """Each alert once and in order, over all types, also where many come at one instant."""
    stored = []
    for number in range(70):
        kind = "COMPLAINT" if number % 2 else "BOUNCE"
        row = {
            "MessageId": f"message-{69 - number:010}",
            "Record": "ALERT#1",
            "AlertType": kind,
            "Severity": "high",
            "Reason": "spam-report",
            "DetectedAt": iso(START - timedelta(minutes=number // 20)),
            "Event": {"Type": kind},
        }
        put(deployed, row)
        stored.append(str(row["MessageId"]))
    calls.clear()
    first = browser.get("/alerts?day=2026-11-23")
    assert calls == {"Query": 5}
    older = next(link for link in first.links if "place=" in link)
    second = browser.get(older)
    ids = [
        link.rpartition("/")[2]
        for page in (first, second)
        for link in page.links
        if link.startswith("/message/")
    ]
    assert sorted(ids) == sorted(stored)
    assert "Older" not in second.text


def test_a_rare_thing_is_looked_for_page_by_page(
    browser: Browser, deployed: SharedDeployment, store: Store, calls: Counter[str]
) -> None:
    """A page costs no more than its calls; where it found nothing yet it says how far it read."""
    rare = store(
        mail("rare@there.example", "COMPLAINT", complaint=reported("fraud")),
        now=START - DAY,
    )
    for number in range(60):
        put(
            deployed,
            {
                "MessageId": f"other-{number:010}",
                "Record": f"ALERT#{number}",
                "AlertType": "COMPLAINT",
                "Severity": "high",
                "Reason": "spam-report",
                "DetectedAt": iso(START - timedelta(minutes=number)),
                "Pad": "x" * 300_000,
            },
        )
    path, seen = "/alerts?reason=fraud-or-virus", list[str]()
    for _ in range(10):
        calls.clear()
        page = browser.get(path)
        assert calls.total() <= 12
        seen += [link for link in page.links if link.startswith("/message/")]
        following = [link for link in page.links if "place=" in link]
        if not following:
            break
        assert "so far" in page.text or seen
        path = following[0]
    assert seen == [f"/message/{rare}"]


def test_no_alerts_say_how_to_go_on(browser: Browser) -> None:
    """With and without a filter."""
    assert "For older ones choose a day" in browser.get("/alerts").text
    assert "leave it out" in browser.get("/alerts?severity=info").text


def test_alerts_download_as_csv(browser: Browser, names: dict[str, str]) -> None:
    """In the columns of the command, with the filter of the page."""
    answer = browser.client.get("/alerts.csv?type=BOUNCE")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [row["MessageId"] for row in rows] == [names["blocked"], names["unknown"]]
    assert rows[0]["Reason"] == "blocklisted"
