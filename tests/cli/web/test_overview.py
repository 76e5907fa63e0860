"""The first page: the verdict, what waits, and the last days, for few calls."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ses_insights.adapters.items import to_item
from ses_insights.cli.web import overview
from ses_insights.cli.web.reading import SharedDeployment
from ses_insights.contracts.feedback_rows import progress_row
from ses_insights.contracts.rows import DESTINATION
from ses_insights.contracts.surge_rows import summary_row, surge_row
from ses_insights.domain.alert import AlertType
from ses_insights.domain.reasons import Reason
from ses_insights.domain.suppression import Progress
from ses_insights.domain.surge import Group, Surge
from ses_insights.domain.times import iso
from tests.cli.conftest import LOG_GROUP, Aws
from tests.cli.test_parked import park
from tests.cli.web.conftest import NOW, Browser, Store, mail, put, refused, reported
from tests.support.fakes import START
from tests.unit.contracts.test_summary_message import SUMMARY

MOST_CALLS = 20
"""What the page may cost, whatever the size of the table."""

DAY = timedelta(days=1)


def test_all_is_well(browser: Browser) -> None:
    """Nothing waits and nothing is parked; every part says what it would show."""
    text = browser.get("/").text
    assert "All is well: nothing waits." in text
    assert "In the queue 0 nothing waits" in text
    assert "VDM on SES shows what became of mail" in text
    assert "No mail has an event in these days." in text
    assert "No alerts in the last 14 days." in text


def test_parked_messages_and_pending_alerts_come_first(
    browser: Browser, store: Store, deployed: SharedDeployment
) -> None:
    """An alert is pending until it is published; after minutes that is the verdict."""
    store(mail("anna@there.example", "BOUNCE", bounce=refused("550 5.1.1")))
    assert "Alerts wait for their publication since" in browser.get("/").text
    park(deployed, "anna")
    assert "Parked 1 look at why" in browser.get("/").text


def test_vdm_off_is_the_verdict(browser: Browser, aws: Aws) -> None:
    """With what that means."""
    aws.vdm = "DISABLED"
    assert "VDM is off: SES refuses every look" in browser.get("/").text


def test_the_queue_says_how_long_it_takes(browser: Browser, deployed: SharedDeployment) -> None:
    """At the pace of the deployment: a look every two seconds."""
    deployed.sqs.send_message(QueueUrl=deployed.queue_url, MessageBody="id", MessageGroupId="looks")
    assert "In the queue 1 2 s at one look each 2 s" in browser.get("/").text


def test_mail_is_counted_by_status_and_day(browser: Browser, store: Store) -> None:
    """Each recipient once, on the day of its newest event."""
    store(mail("anna@there.example", "DELIVERY"), mail("ben@there.example", "DELIVERY"))
    store(mail("anna@there.example", "OPEN", at=START - DAY))
    store(mail("anna@there.example", "OPEN", at=START - 30 * DAY))
    page = browser.get("/")
    assert "delivered 2 opened 1" in page.text
    assert "2026-11-23 2 0 2026-11-22 0 1" in page.text
    assert "Each recipient once" in page.text
    csv = browser.client.get("/overview.csv?of=mails").text.splitlines()
    assert (csv[0], csv[-2:]) == ("Day,DELIVERED,OPENED", ["2026-11-22,0,1", "2026-11-23,2,0"])


def test_a_part_of_the_table_is_called_a_sample(
    browser: Browser, store: Store, deployed: SharedDeployment, calls: Counter[str]
) -> None:
    """A table larger than what is read costs no more calls, and the page says what the bars are."""
    store(mail("anna@there.example", "DELIVERY"))
    for number in range(9):
        put(
            deployed,
            {
                "MessageId": f"message-{number:010}",
                "Record": f"{DESTINATION}ben@there.example",
                "Destination": "ben@there.example",
                "Status": "OPENED",
                "LastEventAt": iso(START),
                "Pad": "x" * 350_000,
            },
        )
    calls.clear()
    text = browser.get("/").text
    assert "A sample: " in text
    assert calls["Scan"] == 1
    assert calls.total() <= MOST_CALLS


def test_alerts_are_counted_by_reason_provider_and_sender(browser: Browser, store: Store) -> None:
    """Each reason leads to its alerts; the newest are listed."""
    store(mail("anna@there.example", "BOUNCE", bounce=refused("550 5.1.1 no such user")))
    store(mail("ben@there.example", "COMPLAINT", complaint=reported()))
    store(mail("eva@there.example", "COMPLAINT", complaint=reported()))
    page = browser.get("/")
    assert "spam-report 2 address-unknown 1" in page.text
    assert "Alerts by provider Gmail 3 Alerts by sender domain shop.example 3" in page.text
    assert "/alerts?reason=spam-report&since=2026-11-10" in page.links
    assert "High ben@there.example spam-report" in page.text


def test_surges_and_summaries_are_shown(browser: Browser, deployed: SharedDeployment) -> None:
    """With how many, of what, and when the next summary comes."""
    group = Group(AlertType.BOUNCE, Reason.ADDRESS_UNKNOWN, "shop.example")
    lasts = Surge(group, iso(START), 42, iso(START), next_summary_at=iso(NOW + DAY / 24))
    over = Surge(replace(group, from_domain="over.example"), iso(START), 3, iso(START))
    for surge in (lasts, over):
        put(deployed, surge_row(surge))
    put(deployed, summary_row(replace(SUMMARY, detected_at=iso(START)), retention=90 * DAY))
    text = browser.get("/").text
    assert "42 bounces address-unknown from shop.example, next summary in 1 h" in text
    assert "over.example" not in text
    assert f"{SUMMARY.count:,} bounces from shop.example" in text


def test_how_far_the_suppression_list_is_read_is_shown(
    browser: Browser, deployed: SharedDeployment
) -> None:
    """Where it is read at all."""
    assert "Not read" in browser.get("/").text
    put(deployed, progress_row(Progress(START).counted(7, START)))
    assert "Read to 1 h ago 2026-11-23 10:00:00 , 7 listed in 24 h." in browser.get("/").text


def alert_of(number: int) -> dict[str, str]:
    """A row of a bounce that was found so many hours ago."""
    return {
        "MessageId": f"message-{number:010}",
        "Record": f"ALERT#{number}",
        "AlertType": "BOUNCE",
        "Severity": "medium",
        "Reason": "address-unknown",
        "DetectedAt": iso(START - number * timedelta(hours=1)),
    }


def test_what_is_not_counted_is_said(browser: Browser, deployed: SharedDeployment) -> None:
    """More alerts than the page may read: it counts the newest and says down to when."""
    for number in range(12):
        put(deployed, alert_of(number) | {"Pad": "x" * 300_000})
    assert "Of Bounce only the newest are counted, down to 2026-11-23" in browser.get("/").text


def test_when_the_last_look_was_is_read_from_the_log(
    browser: Browser, deployed: SharedDeployment
) -> None:
    """Of the newest stream, or of the one before where that shows none."""
    logs = deployed.client("logs")
    logs.create_log_group(logGroupName=LOG_GROUP)
    logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName="one")
    moment = round((NOW - timedelta(minutes=3)).timestamp() * 1000)
    event = {"timestamp": moment, "message": '{"message": "looked"}'}
    logs.put_log_events(logGroupName=LOG_GROUP, logStreamName="one", logEvents=[event])
    assert "Last look 3 min ago 2026-11-23 10:57:00" in browser.get("/").text


def test_the_page_costs_few_calls(
    browser: Browser, deployed: SharedDeployment, calls: Counter[str]
) -> None:
    """Also where everything that it reads is larger than what it reads of it."""
    logs = deployed.client("logs")
    logs.create_log_group(logGroupName=LOG_GROUP)
    for name in ("one", "two", "three"):
        logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName=name)
        logs.put_log_events(
            logGroupName=LOG_GROUP,
            logStreamName=name,
            logEvents=[{"timestamp": round(time.time() * 1000), "message": "no look"}],
        )
    for number in range(12):
        put(deployed, alert_of(number) | {"Pad": "x" * 300_000})
    calls.clear()
    text = browser.get("/").text
    assert calls.total() == MOST_CALLS, calls
    assert "Last look unknown" in text
    assert "Of Bounce only the newest are counted" in text


def test_a_lane_of_thousands_costs_one_call(
    browser: Browser, deployed: SharedDeployment, calls: Counter[str], monkeypatch: Any
) -> None:
    """Due looks are counted up to a number, and the page says so."""
    monkeypatch.setattr(overview, "MOST_DUE", 3)
    for number in range(7):
        row = {"MessageId": f"m{number}", "Record": "MESSAGE", "DueLane": "follow-up"}
        item = to_item(row | {"NextLookAt": iso(datetime(2026, 1, 1, tzinfo=UTC))})
        deployed.dynamodb.put_item(TableName=deployed.table_name, Item=item)
    calls.clear()
    text = browser.get("/").text
    assert "Looks due 3+ 6 s or more with the queue" in text
    assert calls.total() <= MOST_CALLS


def test_figures_download_as_csv(browser: Browser, store: Store) -> None:
    """Fourteen days, a column for each kind."""
    store(mail("anna@there.example", "BOUNCE", bounce=refused("550 5.1.1")))
    for of in ("alerts", "mails"):
        assert len(browser.client.get(f"/overview.csv?of={of}").text.splitlines()) == 15
    browser.get("/overview.csv?of=else", status=400)
