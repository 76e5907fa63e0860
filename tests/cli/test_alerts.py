"""`insights alerts` lists what was alerted, the newest first."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import timedelta

import pytest

from ses_insights.adapters.items import to_item
from ses_insights.adapters.records import RecordTable
from ses_insights.cli.deployment import Deployment
from ses_insights.contracts.surge_rows import summary_row
from ses_insights.domain.insight import Bounce, Destination, Event
from ses_insights.domain.record import Found
from ses_insights.domain.times import iso
from tests.support.fakes import START
from tests.support.said import Insights
from tests.support.samples import insights_of, looked
from tests.unit.contracts.test_summary_message import SUMMARY

UNKNOWN, BLOCKED = "550 5.1.1 user unknown", "550 5.7.1 blocked by zen.spamhaus.org"
DAY = timedelta(days=1)
PERIOD = ("--since", "2026-11-01", "--until", "2026-12-31")


@pytest.fixture
def ids(records: RecordTable, deployment: Deployment) -> dict[str, str]:
    """Alerts of three days: an unknown address, a block, a complaint; and a summary."""
    found = {}
    for number, (name, event) in enumerate(
        {
            "unknown": Event("BOUNCE", iso(START), Bounce("PERMANENT", "General", UNKNOWN)),
            "blocked": Event("BOUNCE", iso(START), Bounce("PERMANENT", "General", BLOCKED)),
            "complaint": Event("COMPLAINT", iso(START)),
        }.items()
    ):
        message_id = f"message-{number:010}"
        destination = Destination(f"{name}@there.example", None, (event,))
        insights = replace(insights_of(message_id=message_id), destinations=(destination,))
        if name == "blocked":
            tags = {"campaign": ("autumn",)}
            insights = replace(insights, from_email_address="a@bank.example", email_tags=tags)
        record, alerts = looked(Found(insights), message_id=message_id, now=START + number * DAY)
        records.save(record, alerts, read=None)
        found[name] = message_id
    row = summary_row(replace(SUMMARY, detected_at=iso(START + 3 * DAY)), retention=90 * DAY)
    deployment.dynamodb.put_item(TableName=deployment.table_name, Item=to_item(row))
    return found


def names(insights: Insights, *arguments: str) -> list[str]:
    """What is listed, by the recipient's local part; a summary by its type."""
    rows = insights("alerts", "--json", *PERIOD, *arguments).json
    return [str(row.get("Destination", row["AlertType"])).partition("@")[0] for row in rows]


def test_all_are_listed_the_newest_first(insights: Insights, ids: dict[str, str]) -> None:
    """Summaries, too."""
    assert ids
    assert names(insights) == ["SUMMARY", "complaint", "blocked", "unknown"]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--type", "bounce"], ["blocked", "unknown"]),
        (["--reason", "blocklisted"], ["blocked"]),
        (["--severity", "high", "--type", "COMPLAINT"], ["complaint"]),
        (["--from-domain", "Bank.example"], ["blocked"]),
        (["--tag", "campaign=autumn"], ["blocked"]),
        (["--type", "SUMMARY"], ["SUMMARY"]),
        (["--limit", "2"], ["SUMMARY", "complaint"]),
    ],
)
def test_they_are_chosen(
    insights: Insights, ids: dict[str, str], arguments: list[str], expected: list[str]
) -> None:
    """By type, reason, severity, sender domain and tag."""
    assert ids
    assert names(insights, *arguments) == expected


def test_a_day_is_whole(insights: Insights, ids: dict[str, str]) -> None:
    """In UTC, and nothing of the next."""
    assert ids
    day = (START + DAY).date().isoformat()
    (row,) = insights("alerts", "--json", "--day", day).json
    assert row["Reason"] == "blocklisted"


def test_a_row_of_an_older_release_has_its_reason_too(
    insights: Insights, ids: dict[str, str], deployment: Deployment
) -> None:
    """It is read from the event, as it was stored before rows had a reason."""
    (row,) = insights(
        "alerts", "--json", *PERIOD, "--reason", "address-unknown", "--type", "BOUNCE"
    ).json
    deployment.dynamodb.update_item(
        TableName=deployment.table_name,
        Key=to_item({"MessageId": ids["unknown"], "Record": row["Record"]}),
        UpdateExpression="REMOVE Reason, #action, Confidence",
        ExpressionAttributeNames={"#action": "Action"},
    )
    assert names(insights, "--reason", "address-unknown", "--type", "BOUNCE") == ["unknown"]


def test_a_spreadsheet_gets_columns(insights: Insights, ids: dict[str, str]) -> None:
    """One line an alert, with what to do."""
    rows = list(csv.DictReader(io.StringIO(insights("alerts", "--csv", *PERIOD).out)))
    assert [row["MessageId"] for row in rows[1:]] == [
        ids[name] for name in ("complaint", "blocked", "unknown")
    ]
    assert rows[0]["Count"] == "2994"
    assert rows[3]["Action"] == "stop-sending"


def test_nothing_found_says_so(insights: Insights) -> None:
    """With exit code 1."""
    said = insights("alerts", "--day", "2020-01-01")
    assert (said.code, said.out, said.err) == (1, "", "Nothing was found.\n")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--type", "soft"], "BOUNCE"),
        (["--tag", "campaign"], "NAME=VALUE"),
        (["--day", "today", "--since", "today"], "--day alone"),
        (["--since", "2026-11-02", "--until", "2026-10-01"], "after"),
        (["--since", "2026-11-02Tnoon"], "instant"),
        (["--csv", "--json"], "not both"),
    ],
)
def test_wrong_usage_is_refused(insights: Insights, arguments: list[str], word: str) -> None:
    """With exit code 2 and what to write instead."""
    said = insights("alerts", *arguments)
    assert said.code == 2
    assert word in said.err
