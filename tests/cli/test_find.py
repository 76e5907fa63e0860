"""`insights find` lists recipients and what became of their mail, newest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from ses_insights.adapters.listings import ListingTable
from ses_insights.adapters.records import RecordTable
from ses_insights.cli.deployment import Deployment
from ses_insights.domain.insight import Destination, Event
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.record import Found, NotFound, Refused
from ses_insights.domain.times import iso
from tests.support.fakes import START
from tests.support.said import Insights
from tests.support.samples import MESSAGE_ID, insights_of, looked

ANNA, BEN = "anna@there.example", "ben@there.example"
IDS = [f"message-{number:010}" for number in range(40)]

Mail = Callable[..., str]


@pytest.fixture
def mail(records: RecordTable) -> Mail:
    """Stores a message to an address whose newest event, of some type, was some days ago."""
    ids: Iterator[str] = iter(IDS)

    def store(address: str, kind: str, days_ago: int) -> str:
        message_id = next(ids)
        newest = Event(kind, iso(START - timedelta(days=days_ago)))
        insights = replace(
            insights_of(message_id=message_id),
            destinations=(Destination(address, None, (newest,)),),
        )
        record, alerts = looked(Found(insights), message_id=message_id)
        records.save(record, alerts, read=None)
        return message_id

    return store


def ids(insights: Insights, *arguments: str) -> list[str]:
    """The messages that are found, in order."""
    return [row["MessageId"] for row in insights("find", "--json", *arguments).json]


def test_mail_to_one_recipient_is_found(mail: Mail, insights: Insights) -> None:
    """Newest first, and only that mail."""
    old, _, new = mail(ANNA, "DELIVERY", 3), mail(BEN, "DELIVERY", 2), mail(ANNA, "OPEN", 1)
    assert ids(insights, "--to", f" {ANNA} ") == [new, old]


@pytest.mark.parametrize(
    ("word", "same"),
    [
        (ANNA, ("--to", ANNA)),
        (f"Anna <{ANNA}>", ("--to", ANNA)),
        ("opened", ("--status", "OPENED")),
        ("PERMANENT_BOUNCE", ("--status", "PERMANENT_BOUNCE")),
    ],
)
def test_a_word_alone_is_enough(
    mail: Mail, insights: Insights, word: str, same: tuple[str, ...]
) -> None:
    """What has an @ is an address, and what is no message id is a status."""
    for address, kind in ((ANNA, "DELIVERY"), (BEN, "OPEN"), (ANNA, "OPEN")):
        mail(address, kind, 1)
    assert ids(insights, word) == ids(insights, *same)
    assert ids(insights, ANNA, "--status", "opened") == [IDS[2]]


@pytest.mark.parametrize("form", ["{}", "<{}@eu-west-1.amazonses.com>", '{{"MessageId": "{}"}}'])
def test_a_message_id_alone_lists_its_recipients(
    records: RecordTable, insights: Insights, form: str
) -> None:
    """In any form that the queue takes; status and day narrow it."""
    opened = Destination(ANNA, None, (Event("OPEN", iso(START)),))
    answer = replace(insights_of(message_id=MESSAGE_ID), destinations=(opened,))
    record, alerts = looked(Found(answer), message_id=MESSAGE_ID)
    records.save(record, alerts, read=None)
    word = form.format(MESSAGE_ID)
    (row,) = insights("find", word, "--json").json
    assert row["Record"].startswith("DESTINATION#")
    assert ids(insights, word, "--status", "OPENED") == [MESSAGE_ID]
    assert ids(insights, word, "--status", "COMPLAINT") == []
    assert ids(insights, word, "--day", "2020-01-01") == []


def test_a_message_without_a_recipient_is_found_by_its_id(
    records: RecordTable, insights: Insights
) -> None:
    """Itself: SES has named nobody."""
    record, _ = looked(NotFound(), message_id=IDS[0])
    records.save(record, (), read=None)
    (row,) = insights("find", IDS[0], "--json").json
    assert (row["Record"], row["Status"]) == ("MESSAGE", "NOT_FOUND")


def test_a_recipient_is_found_in_lower_case_too(mail: Mail, insights: Insights) -> None:
    """Keys tell capitals apart, people do not; all spellings are joined in the order of time."""
    old, new = mail("Anna@There.example", "DELIVERY", 2), mail(ANNA, "DELIVERY", 1)
    assert ids(insights, "--to", "Anna@There.example") == [new, old]


@pytest.mark.parametrize(
    "given",
    [
        "Anna Smith <Anna.Smith@Bücher.EXAMPLE>",
        "mailto:anna.smith@xn--bcher-kva.example",
        "anna.smith@bücher.example",
        "Anna.Smith@bücher.example",
    ],
)
def test_likely_spellings_of_an_address_find_its_mail(
    mail: Mail, insights: Insights, given: str
) -> None:
    """With or without a name, in capitals or not, the domain in either form."""
    stored = [mail("anna.smith@xn--bcher-kva.example", "DELIVERY", 1)]
    stored.append(mail("anna.smith@bücher.example", "DELIVERY", 2))
    assert ids(insights, "--to", given) == stored


def test_a_scan_finds_every_spelling(mail: Mail, insights: Insights) -> None:
    """Where nothing is found otherwise, it is pointed to; it keeps to status and day."""
    found, other = mail("aNNa@there.example", "DELIVERY", 1), mail(BEN, "DELIVERY", 1)
    said = insights("find", "--to", ANNA)
    assert (said.code, said.err) == (
        1,
        "Nothing was found. Likely spellings were looked up; --scan finds every one.\n",
    )
    assert ids(insights, "--to", ANNA, "--scan") == [found]
    assert ids(insights, "--to", ANNA, "--scan", "--status", "OPENED") == []
    assert found != other
    assert insights("find", "--scan").code == 2


def test_mail_with_a_status_is_found(mail: Mail, insights: Insights) -> None:
    """Several statuses are joined in the order of time; their case does not matter."""
    mail(ANNA, "DELIVERY", 1)
    opened, complained = mail(BEN, "OPEN", 3), mail(ANNA, "COMPLAINT", 2)
    assert ids(insights, "--status", "opened", "--status", "COMPLAINT") == [complained, opened]


def test_mail_of_a_day_is_found(mail: Mail, insights: Insights) -> None:
    """Of all statuses; a day ends at midnight in UTC."""
    mail(ANNA, "DELIVERY", 0)
    yesterday = [mail(ANNA, "DELIVERY", 1), mail(BEN, "OPEN", 1)]
    assert sorted(ids(insights, "--day", "2026-11-22")) == yesterday


def test_recipient_status_and_day_narrow_each_other(mail: Mail, insights: Insights) -> None:
    """Only what fits all three."""
    mail(ANNA, "OPEN", 2)
    mail(ANNA, "DELIVERY", 1)
    mail(BEN, "OPEN", 1)
    wanted = mail(ANNA, "OPEN", 1)
    found = ids(insights, "--to", ANNA, "--status", "OPENED", "--day", "2026-11-22")
    assert found == [wanted]


def test_the_limit_keeps_the_newest(mail: Mail, insights: Insights) -> None:
    """And says that there may be more."""
    newest = [mail(ANNA, "DELIVERY", days) for days in range(3)]
    assert ids(insights, "--limit", "2") == newest[:2]
    assert insights("find", "--limit", "2").err == "The newest 2; --limit shows more.\n"


def test_a_person_reads_a_table(mail: Mail, insights: Insights) -> None:
    """At a terminal below headings; in a pipe one line a recipient, with tabs between."""
    message_id = mail(ANNA, "COMPLAINT", 0)
    assert insights("find").out.splitlines() == [
        f"2026-11-23T10:00:00.000Z\tCOMPLAINT\t{ANNA}\t\t{message_id}"
    ]


def test_messages_without_a_recipient_are_found_by_their_status(
    insights: Insights, records: RecordTable
) -> None:
    """No index has them; they stand for the time of their last look."""
    for answer, message_id in ((NotFound(), IDS[0]), (Refused(), IDS[1])):
        record, _ = looked(answer, message_id=message_id)
        records.save(record, (), read=None)
    assert ids(insights, "--status", "NOT_FOUND") == [IDS[0]]
    assert ids(insights, "--status", "INVALID", "--day", "2026-11-23") == [IDS[1]]
    assert insights("find", "--status", "INVALID", "--day", "2026-11-22").code == 1


def test_nothing_found_gives_exit_code_1(insights: Insights) -> None:
    """A program still gets a list."""
    said = insights("find", "--to", ANNA, "--json")
    assert (said.code, said.json) == (1, [])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--day", "23.11.2026"), "23.11.2026 is not a day"),
        (("--status", "bounced"), "Did you mean PERMANENT_BOUNCE? There are: COMPLAINT, PERM"),
        (("--status", "soft bounce"), "Did you mean TRANSIENT_BOUNCE?"),
        (("--status", "DELIVRED"), "Did you mean DELIVERED?"),
        (("--status", "42"), "42 is no status. There are: COMPLAINT, PERMANENT_BOUNCE, REJECTED"),
        (("--to", ""), "--to is empty"),
        (("--to", " "), "--to is empty"),
        (("--limit", "0"), "greater than or equal to 1"),
        (("--to", ANNA, "--status", "NOT_FOUND"), "has no recipient"),
        ((ANNA, "--to", BEN), "Give one address"),
        ((IDS[0], "--to", BEN), "--to and --scan are for an address"),
        ((IDS[0], "--scan"), "--to and --scan are for an address"),
        ((" ",), "Give an address, a status or a message id"),
        (("bounced",), "Did you mean PERMANENT_BOUNCE?"),
        (("4711",), "4711 is no address, no status and no message id."),
        (("--limit", "9" * 30), "less than or equal to 1000000"),
        (("--day", "9999-12-31"), "9999-12-31 is not a day"),
    ],
)
def test_wrong_usage_is_refused(insights: Insights, arguments: tuple[str, ...], says: str) -> None:
    """Exit code 2, before AWS is asked; it says what can be given."""
    said = insights("find", "--stack", "Nowhere", *arguments)
    assert (said.code, said.out) == (2, "")
    assert says in said.err


LISTING = Listing(ANNA, Feedback.COMPLAINT, iso(START))


def test_a_recipient_that_ses_lists_is_found(
    deployment: Deployment, mail: Mail, insights: Insights
) -> None:
    """Before any look at the message, too; the line says what the list says."""
    mail(ANNA, "DELIVERY", 1)
    listings = ListingTable(deployment.dynamodb, deployment.table_name)
    listings.put(IDS[1], LISTING)
    assert ids(insights, "--to", ANNA) == [IDS[1], IDS[0]]
    first = insights("find", "--to", ANNA).out.splitlines()[0]
    assert f"listed: COMPLAINT\t{ANNA}" in first


def test_what_the_list_alone_shows_is_found_by_its_status(
    deployment: Deployment, records: RecordTable, insights: Insights
) -> None:
    """As any other bounce or complaint, by address and by day."""
    ListingTable(deployment.dynamodb, deployment.table_name).put(IDS[0], LISTING)
    record, _ = looked(NotFound(), message_id=IDS[0])
    told = replace(record, listings=(replace(LISTING, is_finding=True),))
    records.save(told, (), read=None)
    day = iso(START)[:10]
    assert ids(insights, "--status", "COMPLAINT", "--day", day) == [IDS[0]]
    assert ids(insights, "--to", ANNA, "--status", "COMPLAINT") == [IDS[0]]
    assert ids(insights, "--status", "PERMANENT_BOUNCE") == []
