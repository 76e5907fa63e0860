"""`insights show` prints everything that is known of one message, in order of time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from ses_insights.adapters.items import to_item
from ses_insights.adapters.listings import ListingTable
from ses_insights.adapters.records import RecordTable
from ses_insights.cli.commands.show import lines
from ses_insights.cli.deployment import Deployment
from ses_insights.domain.insight import Destination, Event, Insights
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.record import Found, NotFound, Record
from ses_insights.domain.times import iso
from tests.support.fakes import START
from tests.support.said import Insights as Tool
from tests.support.samples import (
    MESSAGE_ID,
    OTHER_ID,
    bounced,
    complained,
    delivered,
    event,
    found,
    insights_of,
    looked,
    published,
)


def text(record: Record) -> str:
    """What a person reads."""
    return "\n".join(line.plain for line in lines(record))


def test_a_person_reads_facts_destinations_and_alerts() -> None:
    """Oldest first within each; a published alert says when."""
    first, _ = looked(found(bounced(), complained(), delivered()))
    one = published(first.alerts[0])
    record = replace(first, alerts=(one, *first.alerts[1:]))

    said = text(record).splitlines()

    assert said[:2] == [f"Message\t{MESSAGE_ID}", "Status\tCOMPLAINT"]
    assert "Looks\t1, at 2026-11-23T10:00:00.000Z" in said
    assert "Next look\t2026-11-23T10:15:00.000Z (follow-up)" in said
    start = said.index("bounces@there.example\tPERMANENT_BOUNCE\tGmail")
    assert [line.split() for line in said[start + 1 : start + 3]] == [
        ["2026-11-23T10:00:00.000Z", "SEND"],
        [
            *("2026-11-23T10:01:00.000Z", "BOUNCE"),
            *("PERMANENT", "NoEmail", "smtp;", "550", "5.1.1", "unknown"),
        ],
    ]
    alerts = said[said.index("Alerts") + 1 :]
    assert [("published 2026" in line, "pending" in line) for line in alerts] in (
        [[(True, False), (False, True)], [(False, True), (True, False)]]
    )


def test_a_narrow_terminal_shows_every_time_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """To the second, also when an alert was published; no line is too wide for it."""
    record, _ = looked(found(bounced(), delivered()))
    record = replace(record, alerts=tuple(map(published, record.alerts)))
    times = re.findall(r"20\S+T\S+Z", text(record))
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "80")
    said = text(record)
    assert re.findall(r"20\S+T\S+Z", said) == [time.replace(".000Z", "Z") for time in times]
    assert max(map(len, said.splitlines())) <= 80


def test_a_message_without_a_next_look_says_why() -> None:
    """In the words of the row."""
    record, _ = looked(found(bounced()))
    assert "Next look\tnone: The mail bounced permanently" in text(record)


def test_several_looks_and_those_given_up_are_counted() -> None:
    """From the first to the last."""
    first, _ = looked(NotFound())
    second, _ = looked(NotFound(), first, now=START + timedelta(hours=2))
    said = text(replace(second, shed=1))
    assert (
        "Looks\t2, from 2026-11-23T10:00:00.000Z to 2026-11-23T12:00:00.000Z; "
        "1 look given up for want of slots"
    ) in said


def test_a_message_that_was_never_looked_at_says_so() -> None:
    """One that came in bulk, for example."""
    record, _ = looked(NotFound())
    waiting = replace(record, looks=0, first_look_at=None, last_look_at=None, note="It waits.")
    assert "Looks\tnone yet" in text(waiting)
    assert "Note\tIt waits." in text(waiting)


def test_text_of_the_mail_stays_in_its_line() -> None:
    """A subject cannot pretend to be another line, nor steer the terminal."""
    record, _ = looked(Found(insights_of(delivered(), subject="Hi\nStatus  DELIVERED\x1b[2J")))
    assert "Subject\tHi Status DELIVERED [2J" in text(record)


def test_engagement_is_counted() -> None:
    """Beside the address; one without an address is named so."""
    place = Destination("", None, (event("SEND"), Event("OPEN")), open_count=1, click_count=2)
    assert "(no address)\tCLICKED\t1 open\t2 clicks" in text(looked(found(place))[0])


def test_a_message_is_found_in_any_form_of_its_id(insights: Tool, records: RecordTable) -> None:
    """As a mail's header has it, for example."""
    record, alerts = looked(found(bounced()))
    records.save(record, alerts, read=None)
    said = insights("show", f"<{MESSAGE_ID}@eu-west-1.amazonses.com>")
    assert (said.code, said.err) == (0, "")
    assert said.out == f"{text(record)}\n"


def test_a_program_gets_the_rows(insights: Tool, records: RecordTable) -> None:
    """As they are in the table."""
    record, alerts = looked(found(bounced()))
    records.save(record, alerts, read=None)
    rows = insights("show", MESSAGE_ID, "--json").json
    assert [row["Record"].partition("#")[0] for row in rows] == ["ALERT", "DESTINATION", "MESSAGE"]
    assert rows[2]["Looks"] == 1


def test_a_missing_message_gives_exit_code_1(insights: Tool) -> None:
    """With the three possible reasons."""
    said = insights("show", MESSAGE_ID)
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("This message is not in the table: it still waits")


def test_the_newest_mail_to_an_address_is_shown(insights: Tool, records: RecordTable) -> None:
    """However it is spelled; where there is none, it says how to find every spelling."""
    record, alerts = looked(found(bounced()))
    records.save(record, alerts, read=None)
    said = insights("show", "Somebody <Bounces@There.EXAMPLE>")
    assert (said.code, said.out, said.err) == (0, f"{text(record)}\n", "")
    nothing = insights("show", "anna@there.example")
    assert (nothing.code, nothing.out) == (1, "")
    assert "--scan finds every one" in nothing.err


def test_two_rows_of_one_message_are_no_several(
    insights: Tool, records: RecordTable, deployment: Deployment
) -> None:
    """The suppression list may name the message, too."""
    record, alerts = looked(found(bounced()))
    records.save(record, alerts, read=None)
    listing = {
        "MessageId": MESSAGE_ID,
        "Record": "LISTED#bounces@there.example",
        "Destination": "bounces@there.example",
        "LastEventAt": "2026-11-23T10:02:00.000Z",
        "Reason": "BOUNCE",
        "ListedAt": "2026-11-23T10:02:00.000Z",
    }
    deployment.dynamodb.put_item(TableName=deployment.table_name, Item=to_item(listing))
    said = insights("show", "bounces@there.example", "--json")
    assert (said.code, said.err) == (0, "")


def test_the_mail_shown_is_the_newest_of_several(insights: Tool, records: RecordTable) -> None:
    """And the others are pointed to."""
    for message_id, hours in ((MESSAGE_ID, 2), (OTHER_ID, 0)):
        place = replace(delivered(), events=(event("DELIVERY", hours * 3_600),))
        shown = replace(insights_of(place), message_id=message_id)
        record, _ = looked(Found(shown), message_id=message_id)
        records.save(record, (), read=None)
    said = insights("show", delivered().address, "--json")
    assert {row["MessageId"] for row in said.json} == {MESSAGE_ID}
    assert said.err.startswith("The newest of several; insights find --to ")


def test_it_can_wait_for_the_first_look(
    insights: Tool, records: RecordTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reads again until the message was looked at, and is shown then."""
    record, alerts = looked(found(bounced()))
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            records.save(record, alerts, read=None)

    monkeypatch.setattr("ses_insights.cli.commands.show.time.sleep", sleep)
    said = insights("show", MESSAGE_ID, "--wait")
    assert (said.code, said.out) == (0, f"{text(record)}\n")
    assert slept == [2.0, 2.0, 2.0]


def test_it_waits_no_longer_than_asked(insights: Tool) -> None:
    """Then it is as without waiting."""
    said = insights("show", MESSAGE_ID, "--wait", "--timeout", "0")
    assert (said.code, said.out) == (1, "")
    assert insights("show", "anna@there.example", "--wait").code == 2


def test_text_without_an_id_is_wrong_usage(insights: Tool) -> None:
    """Nothing is asked of AWS."""
    said = insights("show", "anna", "--stack", "Nowhere")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("This cannot be looked up: NotAnId")


def test_a_person_reads_in_words_what_became_of_it() -> None:
    """As the row says it; and where SES never showed it, since when it is known."""
    bounce, _ = looked(found(bounced()))
    assert "In words\tThe mail bounced for good" in text(bounce)
    unknown, _ = looked(NotFound())
    assert "In words\tSES has told nothing of this message." in text(unknown)
    assert "Enqueued\t" in text(unknown)
    assert "Sent\t" not in text(unknown)


def test_what_was_erased_says_so() -> None:
    """Its status stays, and nothing else of the mail."""
    erased = replace(looked(found(bounced()))[0], insights=Insights(MESSAGE_ID), erased_at="…")
    assert "In words\tErased on request." in text(erased)


LISTING = Listing("several@there.example", Feedback.BOUNCE, iso(START))


def test_what_the_suppression_list_says_is_shown() -> None:
    """Who is listed, since when and for what; and where that is all that SES shows."""
    record, _ = looked(NotFound())
    said = text(replace(record, listings=(replace(LISTING, is_finding=True),)))
    assert "In words\tSES lists the address for a bounce of this message and shows no more." in said
    lines_ = said.splitlines()
    assert lines_[lines_.index("On the account's suppression list") + 1].split("\t")[1:] == [
        iso(START),
        "several@there.example",
        "BOUNCE",
        "SES shows no more",
    ]


def test_a_listed_message_without_a_look_is_shown(deployment: Deployment, insights: Tool) -> None:
    """Nobody enqueued it; its look is to come."""
    ListingTable(deployment.dynamodb, deployment.table_name).put(MESSAGE_ID, LISTING)
    said = insights("show", MESSAGE_ID)
    assert said.code == 0
    assert "none yet; it waits in the queue" in said.out
    assert "several@there.example" in said.out
