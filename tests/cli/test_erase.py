"""`insights erase` deletes what is stored of a person; no later look brings it back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from ses_insights.adapters.listings import ListingTable
from ses_insights.adapters.records import RecordTable
from ses_insights.cli.deployment import Deployment
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.record import Found, Record
from ses_insights.domain.times import iso
from ses_insights.service.ports import RecordChangedError
from tests.cli.conftest import Aws
from tests.support.fakes import START
from tests.support.said import Insights
from tests.support.samples import (
    BOUNCES,
    MESSAGE_ID,
    bounced,
    complained,
    delivered,
    found,
    insights_of,
    looked,
)


def everything(deployment: Deployment) -> str:
    """All that is in the table."""
    return json.dumps(list(deployment.scan()), default=str)


@pytest.fixture
def stored(records: RecordTable) -> Record:
    """A message to two recipients, one of whom bounced, with pending alerts."""
    record, alerts = looked(found(bounced(), complained()))
    records.save(record, alerts, read=None)
    return record


def test_all_rows_of_the_person_go_and_the_others_stay(
    deployment: Deployment, insights: Insights, records: RecordTable, stored: Record
) -> None:
    """The other recipient's rows and alert stay; the subject goes."""
    said = insights("erase", BOUNCES, "--yes")
    assert (said.code, said.out.splitlines()[0]) == (0, "Erased: 2 rows of 1 message.")
    assert "backups of the table, up to 35 days" in said.out
    assert said.err.splitlines() == [
        "1 message: sender, subject and tags, and 2 rows, 1 alert among them.",
        f"Spelled as {BOUNCES}.",
        "1 pending alert will not be published.",
    ]
    left = everything(deployment)
    for personal in (BOUNCES, '"Hi"', "news@shop.example", "spring"):
        assert personal not in left
    record = records.load(MESSAGE_ID)
    assert record is not None
    assert record.insights.destinations == (complained(),)
    assert len(record.alerts) == len(stored.alerts) - 1


def test_a_look_that_was_under_way_is_not_stored(
    insights: Insights, records: RecordTable, stored: Record
) -> None:
    """It read the message before, and would bring all of it back."""
    later, alerts = looked(found(bounced()), stored, now=START + timedelta(hours=2))
    insights("erase", BOUNCES, "--yes")
    with pytest.raises(RecordChangedError):
        records.save(later, alerts, read=stored)


def test_a_look_that_is_stored_in_between_is_erased_too(
    aws: Aws, deployment: Deployment, insights: Insights, records: RecordTable
) -> None:
    """What was read is not what is there: it is read again."""
    first, alerts = looked(found(delivered(BOUNCES)))
    records.save(first, alerts, read=None)
    later, alerts = looked(found(bounced()), first, now=START + timedelta(hours=2))
    event, meanwhile = "before-call.dynamodb.TransactWriteItems", [later]

    def store(**_: object) -> None:
        if meanwhile:
            records.save(meanwhile.pop(), alerts, read=first)

    aws.session.events.register_first(event, store)
    try:
        result = insights("erase", BOUNCES, "--yes", "--json").json
    finally:
        aws.session.events.unregister(event, store)
    assert result["deletedRows"] == 2
    assert BOUNCES not in everything(deployment)


def test_it_can_be_run_twice(deployment: Deployment, insights: Insights, stored: Record) -> None:
    """The second time there is nothing; the other recipient can be erased as well."""
    del stored
    insights("erase", BOUNCES, "--yes")
    again = insights("erase", BOUNCES, "--yes")
    assert (again.code, again.out) == (1, "")
    assert again.err.startswith(f"Nothing is stored of {BOUNCES}.")
    assert insights("erase", complained().address, "--yes").code == 0
    assert "@" not in everything(deployment)


def test_more_rows_than_a_transaction_takes_are_erased(
    deployment: Deployment, insights: Insights, stored: Record
) -> None:
    """A very long story lies in many rows."""
    del stored
    for number in range(120):
        deployment.dynamodb.put_item(
            TableName=deployment.table_name,
            Item={
                "MessageId": {"S": MESSAGE_ID},
                "Record": {"S": f"EVENTS#{BOUNCES}#{number:04}"},
                "Of": {"S": BOUNCES},
            },
        )
    assert insights("erase", BOUNCES, "--yes", "--json").json["deletedRows"] == 122
    assert BOUNCES not in everything(deployment)


@pytest.fixture
def mail(records: RecordTable) -> Callable[[str], str]:
    """Stores a delivered message to an address, as SES spells it."""
    ids = (f"message-{number:010}" for number in range(40))

    def store(address: str) -> str:
        message_id = next(ids)
        shown = insights_of(delivered(address), message_id=message_id)
        record, _ = looked(Found(shown), message_id=message_id)
        records.save(record, (), read=None)
        return message_id

    return store


SPELLINGS = (
    "carl@bücher.example",
    "Carl@Bücher.Example",
    "cArL@xn--bcher-kva.example",
    "Carl Gauß <CARL@bücher.example>",
)


@pytest.mark.parametrize(
    "given", [*SPELLINGS, "mailto:carl@XN--BCHER-KVA.example", "<carl@bücher.example> "]
)
def test_every_spelling_of_the_address_is_erased(
    deployment: Deployment, insights: Insights, mail: Callable[[str], str], given: str
) -> None:
    """Also one that nobody would guess: the whole table is read."""
    ids = [mail(address) for address in SPELLINGS]
    mail("carla@bücher.example")
    said = insights("erase", given, "--yes", "--json")
    assert (said.code, sorted(said.json["messages"])) == (0, ids)
    assert said.json["scanned"] is True
    assert "Carl Gauß <CARL@bücher.example>, Carl@Bücher.Example, cArL@xn--" in said.err
    assert everything(deployment).count("cher") == 2, "the other one's"
    assert insights("erase", given, "--yes").err.endswith(
        "The whole table was read, so no other spelling is stored.\n"
    )


def test_a_quick_erasure_says_that_it_proves_nothing(
    insights: Insights, mail: Callable[[str], str]
) -> None:
    """It looks up likely spellings only."""
    found, missed = mail("Carl@there.example"), mail("cArL@there.example")
    said = insights("erase", "carl@there.example", "--quick", "--yes")
    assert said.code == 0
    assert "Only likely spellings were looked up." in said.out
    again = insights("erase", "carl@there.example", "--quick", "--yes")
    assert again.code == 1
    assert "Only likely spellings were looked up." in again.err
    assert insights("erase", "carl@there.example", "--yes", "--json").json["messages"] == [missed]
    assert found != missed


def test_a_person_is_asked_first(
    deployment: Deployment, insights: Insights, stored: Record, terminal: None
) -> None:
    """No is exit code 1, and deletes nothing."""
    del stored, terminal
    before = everything(deployment)
    said = insights("erase", BOUNCES, stdin="n\n")
    assert said.code == 1
    assert "Erase this for good? [y/N]" in said.err
    assert everything(deployment) == before


def test_without_a_terminal_nothing_is_deleted(
    deployment: Deployment, insights: Insights, stored: Record
) -> None:
    """A script has to give --yes."""
    del stored
    before = everything(deployment)
    assert insights("erase", BOUNCES).code == 2
    assert everything(deployment) == before


def test_nothing_stored_gives_exit_code_1(insights: Insights) -> None:
    """A program still gets its counts."""
    said = insights("erase", BOUNCES, "--yes", "--json")
    assert said.code == 1
    assert said.json == {
        "scanned": True,
        "messages": [],
        "rows": 0,
        "alerts": 0,
        "alertsNotTold": 0,
    }


def test_text_that_is_not_an_address_is_wrong_usage(insights: Insights) -> None:
    """A message id, for example."""
    said = insights("erase", MESSAGE_ID, "--yes")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("An address has an @")


def test_an_erased_message_says_so(insights: Insights, stored: Record) -> None:
    """`insights show` says why there is nothing."""
    del stored
    insights("erase", BOUNCES, "--yes")
    assert "Next look\tnone: What was stored of a recipient was erased" in (
        insights("show", MESSAGE_ID).out
    )


LISTING = Listing(BOUNCES, Feedback.BOUNCE, iso(START))


def test_what_the_list_says_of_the_person_goes(
    deployment: Deployment, insights: Insights, records: RecordTable, stored: Record
) -> None:
    """With the other rows of the message, in whatever spelling SES has it."""
    del stored
    listings = ListingTable(deployment.dynamodb, deployment.table_name)
    listings.put(MESSAGE_ID, replace(LISTING, address=BOUNCES.capitalize()))
    assert insights("erase", BOUNCES, "--yes").code == 0
    assert BOUNCES.lower() not in everything(deployment).lower()
    assert not listings.put(MESSAGE_ID, LISTING)
    assert records.listings(MESSAGE_ID) == ()


def test_a_listed_message_without_a_look_is_erased(
    deployment: Deployment, insights: Insights, records: RecordTable
) -> None:
    """The index finds it; the look that its queue message asks for stores and tells nothing."""
    ListingTable(deployment.dynamodb, deployment.table_name).put(MESSAGE_ID, LISTING)
    assert insights("erase", BOUNCES, "--yes").code == 0
    assert BOUNCES not in everything(deployment)
    record = records.load(MESSAGE_ID)
    assert record is not None
    assert record.erased_at is not None
