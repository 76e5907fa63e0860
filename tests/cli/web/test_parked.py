"""Parked messages by reason: redriven, or dropped after a question."""

from __future__ import annotations

import csv
import io

from ses_insights.cli.web import parked
from ses_insights.cli.web.reading import SharedDeployment
from ses_insights.contracts.names import Output
from tests.cli.conftest import Aws
from tests.cli.test_parked import bodies, park
from tests.cli.web.conftest import Browser

LETTERS, QUEUE = Output.DEAD_LETTER_QUEUE_URL, Output.QUEUE_URL


def fill(deployed: SharedDeployment) -> None:
    """Park three messages for two reasons."""
    park(deployed, "anna", "ben")
    park(deployed, "cleo", reason="Unexpected: KeyError")


def test_an_empty_queue_says_what_that_means(browser: Browser) -> None:
    """And offers nothing to press."""
    page = browser.get("/parked")
    assert "Nothing is parked" in page.text
    assert not page.hidden


def test_messages_are_listed_by_reason(browser: Browser, deployed: SharedDeployment) -> None:
    """All, or those of one reason; and they stay as they are."""
    fill(deployed)
    page = browser.get("/parked")
    assert "All NotAnId 2 Unexpected 1" in page.text
    assert "anna" in page.text
    assert "3 messages in the dead-letter queue" in page.text
    one = browser.get("/parked?reason=Unexpected").text
    assert "cleo" in one
    assert "anna" not in one
    assert bodies(deployed, LETTERS) == ["anna", "ben", "cleo"]


def test_redrive_sends_back_those_of_a_reason(browser: Browser, deployed: SharedDeployment) -> None:
    """The others stay; the page says how many went."""
    fill(deployed)
    answer = browser.post("/parked/redrive", reason="Unexpected")
    assert answer.headers["location"] == "/parked?redriven=1"
    assert "Sent back to the queue: 1 message." in browser.get("/parked?redriven=1").text
    assert bodies(deployed, QUEUE) == ["cleo"]
    assert bodies(deployed, LETTERS) == ["anna", "ben"]


def test_dropping_asks_first(browser: Browser, deployed: SharedDeployment) -> None:
    """The question names how many and some of them, and the form carries the answer."""
    fill(deployed)
    page = browser.get("/parked/drop")
    assert "All 3 parked messages are deleted for good." in page.text
    assert "anna" in page.text
    assert page.hidden["confirmed"] == "yes"
    assert bodies(deployed, LETTERS) == ["anna", "ben", "cleo"]


def test_dropping_without_the_answer_is_refused(
    browser: Browser, deployed: SharedDeployment
) -> None:
    """A form that was made up by hand deletes nothing."""
    fill(deployed)
    assert browser.post("/parked/drop").status_code == 400
    assert len(bodies(deployed, LETTERS)) == 3


def test_what_was_confirmed_is_dropped(browser: Browser, deployed: SharedDeployment) -> None:
    """Those of the reason, and no others."""
    fill(deployed)
    answer = browser.post("/parked/drop", reason="NotAnId", confirmed="yes")
    assert answer.headers["location"] == "/parked?dropped=2"
    assert bodies(deployed, LETTERS) == ["cleo"]


def test_one_press_moves_no_more_than_it_has_time_for(
    browser: Browser, deployed: SharedDeployment, monkeypatch: object
) -> None:
    """What stays is moved by the next one."""
    fill(deployed)
    monkeypatch.setattr(parked, "AT_ONCE", 2)  # type: ignore[attr-defined] # pytest's
    assert browser.post("/parked/redrive").headers["location"] == "/parked?redriven=2"
    assert bodies(deployed, QUEUE) == ["anna", "ben"]


def test_without_permission_to_see_them_they_are_counted(
    browser: Browser, deployed: SharedDeployment, aws: Aws
) -> None:
    """A reader's policy has only that."""
    fill(deployed)
    aws.fails["ReceiveMessage"] = "AccessDenied"
    page = browser.get("/parked")
    assert "3 messages parked" in page.text
    assert "sqs:ReceiveMessage" in page.text


def test_parked_messages_download_as_csv(browser: Browser, deployed: SharedDeployment) -> None:
    """Body and reason as they came, no formula."""
    park(deployed, "=1+1")
    rows = list(csv.DictReader(io.StringIO(browser.client.get("/parked.csv").text)))
    assert [(row["Body"], row["Reason"]) for row in rows] == [("'=1+1", "NotAnId: no id")]
