"""A record as rows, and back."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given, settings
from hypothesis import strategies as st

from ses_insights.contracts.rows import (
    Row,
    alert_key,
    alert_row,
    destination_rows,
    message_row,
    read_record,
)
from ses_insights.contracts.text import domain_of
from ses_insights.domain.insight import Bounce, Destination, Event, Insights
from ses_insights.domain.lanes import Lane
from ses_insights.domain.record import Found, NotFound, Record, Refused, after_look
from tests.support.strategies import (
    ADDRESSES,
    DAY,
    MESSAGE_ID,
    MINUTE,
    RULES,
    SECOND,
    SENT,
    bounce,
    complaint,
    event,
    found,
    read,
    records,
    response,
)

ITEM_LIMIT = 400 * 1024
SORT_KEY_LIMIT = 1_024
PARTITION_KEY_LIMIT = 2_048
INDEX_KEYS = ("Destination", "Status", "DueLane")


def rows_of(record: Record) -> list[Row]:
    """Write every row of a record."""
    alerts = [alert_row(alert, record) for alert in record.alerts]
    return [message_row(record), *destination_rows(record), *alerts]


def through_dynamodb(rows: Iterable[Row]) -> list[Row]:
    """Put rows on the wire and take them off again, as boto3 does; in another order."""
    write, read_back = TypeSerializer().serialize, TypeDeserializer().deserialize
    items = [{name: write(value) for name, value in row.items()} for row in rows]
    return [{name: read_back(value) for name, value in item.items()} for item in reversed(items)]


def item_size(value: Any) -> int:
    """Count bytes as DynamoDB does, rounded up.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    match value:
        case str():
            return len(value.encode())
        case int() | Decimal():
            return 21
        case list():
            return 3 + sum(1 + item_size(each) for each in value)
        case dict():
            return 3 + sum(1 + item_size(name) + item_size(each) for name, each in value.items())
    raise TypeError(type(value))


def looked(answer: Found | NotFound | Refused) -> Record:
    """Take one look."""
    record, _ = after_look(
        Record.new(MESSAGE_ID, SENT, RULES),
        answer,
        now=SENT + 15 * MINUTE,
        rules=RULES,
    )
    return record


def row(record: Record, prefix: str) -> Row:
    """Pick the one row whose sort key begins so."""
    (only,) = [each for each in rows_of(record) if each["Record"].startswith(prefix)]
    return only


STORY = Found(
    read(
        response(
            event("SEND"),
            event("OPEN", SECOND),
            event("CLICK", 2 * SECOND),
            event(
                "BOUNCE",
                MINUTE,
                Bounce={
                    "BounceType": "PERMANENT",
                    "BounceSubType": "NoEmail",
                    "DiagnosticCode": "smtp; 550 5.1.1 no such user",
                },
            ),
            FromEmailAddress="zoo@example.com",
            Subject="Feeding at three",
            EmailTags=[{"Name": "team", "Value": "red"}, {"Name": "team", "Value": "blue"}],
        )
    )
)
BOUNCE_EVENT = {
    "Timestamp": "2026-11-23T10:01:00.000Z",
    "Type": "BOUNCE",
    "Details": {
        "Bounce": {
            "BounceType": "PERMANENT",
            "BounceSubType": "NoEmail",
            "DiagnosticCode": "smtp; 550 5.1.1 no such user",
        }
    },
}
BOUNCED = (
    "The mail bounced for good on 2026-11-23 at 10:01 UTC. "
    "The recipient's server does not know this address."
)
EXPIRES_AT = int((SENT + 90 * DAY).timestamp())


def test_the_message_row_has_the_contracts_attributes() -> None:
    """A final message's own row: everything about it, no next look, not in the index of the due."""
    assert row(looked(STORY), "MESSAGE") == {
        "MessageId": MESSAGE_ID,
        "Record": "MESSAGE",
        "FromEmailAddress": "zoo@example.com",
        "Subject": "Feeding at three",
        "EmailTags": {"team": ["blue", "red"]},
        "Status": "PERMANENT_BOUNCE",
        "Summary": BOUNCED,
        "SentAt": "2026-11-23T10:00:00.000Z",
        "Looks": 1,
        "FirstLookAt": "2026-11-23T10:15:00.000Z",
        "LastLookAt": "2026-11-23T10:15:00.000Z",
        "Final": "The mail bounced permanently. Nothing more is expected.",
        "AlertIds": [alert.alert_id for alert in looked(STORY).alerts],
        "ExpiresAt": EXPIRES_AT,
    }


def test_an_open_message_is_in_the_index_of_the_due() -> None:
    """A message that waits for a look has its time and the lane; no reason to end."""
    written = row(looked(NotFound()), "MESSAGE")
    assert written["NextLookAt"] == "2026-11-23T12:00:00.000Z"
    assert written["DueLane"] == "follow-up"
    assert "Final" not in written


def test_a_note_is_stored_beside_the_state() -> None:
    """What is worth telling a person has its own attribute."""
    record = replace(looked(NotFound()), note="Odd.")
    assert message_row(record)["Note"] == "Odd."
    assert "Note" not in message_row(looked(NotFound()))


@pytest.mark.parametrize("lane", [Lane.FOLLOW_UP, Lane.ESSENTIAL, Lane.BULK])
def test_lane_and_looks_given_up_read_back(lane: Lane) -> None:
    """Where a message waits, and how many looks the load cost it, is in its row."""
    record = replace(looked(NotFound()), lane=lane, shed=2)
    written = message_row(record)
    assert (written["DueLane"], written["Shed"]) == (lane.value, 2)
    assert read_record(through_dynamodb([written])) == record
    assert "Shed" not in message_row(replace(record, shed=0))


def test_the_destination_row_has_the_contracts_attributes() -> None:
    """A recipient's row: status, newest event, counts, and the events nested as the API does."""
    assert row(looked(STORY), "DESTINATION#") == {
        "MessageId": MESSAGE_ID,
        "Record": "DESTINATION#ada@example.com",
        "Destination": "ada@example.com",
        "Isp": "Gmail",
        "Status": "PERMANENT_BOUNCE",
        "Summary": BOUNCED,
        "LastEventAt": "2026-11-23T10:01:00.000Z",
        "OpenCount": 1,
        "ClickCount": 1,
        "Events": [
            {"Timestamp": "2026-11-23T10:00:00.000Z", "Type": "SEND"},
            {"Timestamp": "2026-11-23T10:00:01.000Z", "Type": "OPEN"},
            {"Timestamp": "2026-11-23T10:00:02.000Z", "Type": "CLICK"},
            BOUNCE_EVENT,
        ],
        "Look": 1,
        "ExpiresAt": EXPIRES_AT,
    }


def test_a_complaint_is_nested_as_the_api_nests_it() -> None:
    """A complaint's details stand under Details.Complaint, without the fields SES left out."""
    (stored,) = row(looked(found(complaint("abuse", MINUTE))), "DESTINATION#")["Events"]
    assert stored == {
        "Timestamp": "2026-11-23T10:01:00.000Z",
        "Type": "COMPLAINT",
        "Details": {"Complaint": {"ComplaintFeedbackType": "abuse"}},
    }
    subtype = {"ComplaintSubType": "OnAccountSuppressionList"}
    said = found(event("COMPLAINT", Complaint=subtype))
    (stored,) = row(looked(said), "DESTINATION#")["Events"]
    assert stored["Details"] == {"Complaint": subtype}


def test_a_recipient_without_event_times_is_listed_by_the_look() -> None:
    """The indexes leave out a row without LastEventAt; the look's time stands in."""
    written = row(looked(found({"Type": "SEND"})), "DESTINATION#")
    assert written["LastEventAt"] == "2026-11-23T10:15:00.000Z"


def test_a_pending_alert_has_no_time_of_publishing() -> None:
    """The row of an alert that was not published says so by what it lacks."""
    record = looked(STORY)
    (alert,) = record.alerts
    assert alert_row(alert, record) == {
        "MessageId": MESSAGE_ID,
        "Record": f"ALERT#{alert.alert_id}",
        "AlertType": "BOUNCE",
        "Severity": "medium",
        "Reason": "address-unknown",
        "Action": "stop-sending",
        "Confidence": str(alert.explanation.confidence),
        "Cause": alert.explanation.cause,
        "NextStep": alert.explanation.next_step,
        "FromDomain": domain_of(record.insights.from_email_address),
        "EmailTags": message_row(record)["EmailTags"],
        "Grouping": "single",
        "Destination": "ada@example.com",
        "Isp": "Gmail",
        "Event": BOUNCE_EVENT,
        "DetectedAt": "2026-11-23T10:15:00.000Z",
        "DueLane": "alert",
        "NextLookAt": "2026-11-23T10:15:00.000Z",
        "Look": 1,
        "ExpiresAt": EXPIRES_AT,
    }
    assert alert_row(alert, record)["Record"] == alert_key(alert.alert_id)


def test_a_published_alert_says_when_and_as_what() -> None:
    """Once published, the row has the time and SNS's id."""
    record = looked(STORY)
    done = replace(record.alerts[0], published_at="2026-11-23T10:15:01.000Z", sns_message_id="7")
    written = alert_row(done, record)
    assert written["PublishedAt"] == "2026-11-23T10:15:01.000Z"
    assert written["SnsMessageId"] == "7"
    assert not {"DueLane", "NextLookAt"} & written.keys()


def test_without_its_own_row_a_message_is_unknown() -> None:
    """The message's row is written last; until then no look counts as taken."""
    assert read_record([]) is None
    assert read_record(list(destination_rows(looked(STORY)))) is None


@given(records())
def test_rows_read_back_to_the_record(record: Record) -> None:
    """What is stored is what was decided, whatever SES said and however DynamoDB types it."""
    assert read_record(rows_of(record)) == record
    assert read_record(through_dynamodb(rows_of(record))) == record


@given(records(), st.data())
def test_the_mark_of_publishing_reads_back(record: Record, data: st.DataObject) -> None:
    """Which alerts are pending is known after reading, so that none is lost or published again."""
    marked = tuple(
        replace(alert, published_at="2026-12-01T00:00:00.000Z", sns_message_id="7")
        if data.draw(st.booleans())
        else alert
        for alert in record.alerts
    )
    back = read_record(through_dynamodb(rows_of(replace(record, alerts=marked))))
    assert back is not None
    assert set(back.alerts) == set(marked)


@given(records())
def test_every_row_can_be_stored(record: Record) -> None:
    """Keys are there, unique and short enough, no index key is empty, no attribute is null."""
    written = rows_of(record)
    keys = [each["Record"] for each in written]
    assert len(set(keys)) == len(keys)
    for each in written:
        assert each["MessageId"] == MESSAGE_ID
        assert each["ExpiresAt"] == record.expires_at
        assert len(each["Record"].encode()) <= SORT_KEY_LIMIT
        assert all(0 < item_size(each.get(key, "-")) <= PARTITION_KEY_LIMIT for key in INDEX_KEYS)
        assert item_size(each) <= ITEM_LIMIT
        assert None not in each.values()
    in_the_index = "NextLookAt" in written[0], "DueLane" in written[0]
    assert in_the_index == ((record.final is None,) * 2)


def bounces(number: int, *, diagnostic: str = "x", to: str = "ada@example.com") -> Insights:
    """Make insights with many bounces of one recipient, each with a long diagnostic code."""
    events = tuple(
        Event(
            "BOUNCE",
            f"2026-11-23T10:{each // 60:02}:{each % 60:02}.000Z",
            bounce=Bounce("PERMANENT", "General", diagnostic * 2_000),
        )
        for each in range(number)
    )
    return Insights(MESSAGE_ID, destinations=(Destination(to, "Gmail", events),))


@pytest.mark.parametrize("diagnostic", ["x", "🦁", "\x01", '"'])
def test_five_thousand_bounces_fit_into_items(diagnostic: str) -> None:
    """However many bounces one recipient has, each row is an item, and none is lost."""
    small = [bounce(after=number * SECOND) for number in range(5_000 - 500)]
    said = bounces(500, diagnostic=diagnostic).merged(read(response(*small)))
    record = looked(Found(said))
    written = list(destination_rows(record))
    assert max(map(item_size, written)) <= ITEM_LIMIT
    assert read_record(through_dynamodb(rows_of(record))) == record
    assert sum(len(each["Events"]) for each in written) == 5_000


def test_rows_are_filled_before_another_is_begun() -> None:
    """Few large rows, not many small ones: each row costs an action of the transaction."""
    written = list(destination_rows(looked(Found(bounces(500)))))
    assert [each["Record"] for each in written] == [
        "DESTINATION#ada@example.com",
        *(f"EVENTS#ada@example.com#000{number}" for number in range(2, len(written) + 1)),
    ]
    assert len(written) <= 6
    assert len({len(each["Events"]) for each in written[:-1]}) == 1


def test_rows_of_more_events_are_in_no_index() -> None:
    """A recipient is listed once, by its first row."""
    _, more, *_ = destination_rows(looked(Found(bounces(500))))
    assert set(more) == {"MessageId", "Record", "Of", "Events", "Look", "ExpiresAt"}
    assert more["Of"] == "ada@example.com"


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from([*ADDRESSES, "", "ada@example.com#0002", "é" * 600]),
        st.integers(0, 300),
        min_size=1,
        max_size=3,
    )
)
def test_events_in_several_rows_come_back_in_order(numbers: dict[str, int]) -> None:
    """Recipients with many events, some with similar addresses, are put together as they were."""
    said = Insights(MESSAGE_ID)
    for address, number in numbers.items():
        said = said.merged(bounces(number, to=address))
    record = replace(looked(Found(said)), alerts=())
    assert read_record(through_dynamodb(rows_of(record))) == record


@pytest.mark.parametrize("sign", ["a", "é", "🦁"])
def test_long_addresses_stay_different(sign: str) -> None:
    """An address too long for a key is shortened; two that differ at the end have two rows."""
    said = read(response(bounce(), to=sign * 1_100 + "1")).merged(
        read(response(bounce(), to=sign * 1_100 + "2"))
    )
    record = looked(Found(said))
    keys = [each["Record"] for each in destination_rows(record)]
    assert len(set(keys)) == 2
    assert all(len(key.encode()) <= SORT_KEY_LIMIT for key in keys)
    back = read_record(through_dynamodb(rows_of(record)))
    assert back is not None
    assert back.insights == said


def test_an_address_that_fits_is_its_own_key() -> None:
    """Addresses of any documented length are found by their own name."""
    address = "é" * 310 + "@zoo.test"
    (written,) = destination_rows(looked(found(bounce(), to=address)))
    assert written["Record"] == f"DESTINATION#{address}"


def test_an_index_key_longer_than_dynamodb_takes_is_not_written() -> None:
    """A recipient of 3,000 characters is stored, and found by its message id."""
    record = looked(found(bounce(), to="🦁" * 3_000))
    for written in rows_of(record):
        assert item_size(written.get("Destination", "-")) <= PARTITION_KEY_LIMIT
    assert read_record(through_dynamodb(rows_of(record))) == record


@pytest.mark.parametrize("sign", ["x", "🦁"])
def test_any_number_of_tags_fits_into_the_message_row(sign: str) -> None:
    """A thousand tags of any length leave the message's row an item."""
    tags = [{"Name": f"{number}{sign * 2_000}", "Value": sign * 2_000} for number in range(1_000)]
    record = looked(Found(read(response(EmailTags=tags, Subject=sign * 5_000))))
    assert item_size(message_row(record)) <= ITEM_LIMIT


def test_documented_tags_are_all_kept() -> None:
    """Fifty tags of 256 characters, the most SES documents, and its own are stored as they came."""
    tags = [{"Name": f"{number:03}{'n' * 253}", "Value": "v" * 256} for number in range(60)]
    written = message_row(looked(Found(read(response(EmailTags=tags)))))
    assert written["EmailTags"] == {tag["Name"]: [tag["Value"]] for tag in tags}


@pytest.mark.parametrize("name", ["__type", "___type", "____type"])
def test_a_tag_named_as_the_protocol_names_types_is_stored_under_another_name(name: str) -> None:
    """DynamoDB refuses a map with ``__type``; the tag has an underscore more in the row."""
    record = looked(Found(read(response(EmailTags=[{"Name": name, "Value": "lion"}]))))
    assert message_row(record)["EmailTags"] == {f"_{name}": ["lion"]}
    assert read_record(through_dynamodb(rows_of(record))) == record


@pytest.mark.parametrize("name", ["_type", "type", "x__type", "__type\n", "__Type"])
def test_tags_of_similar_names_are_stored_under_their_own(name: str) -> None:
    """Only the name that DynamoDB refuses, and those that stand for it, are changed."""
    record = looked(Found(read(response(EmailTags=[{"Name": name, "Value": "lion"}]))))
    assert message_row(record)["EmailTags"] == {name: ["lion"]}


@given(records())
def test_rows_of_an_open_message_are_the_only_ones_that_are_due(record: Record) -> None:
    """Of an open record the message row is in the lanes of looks; pending alerts are in theirs."""
    waiting = [each for each in rows_of(record) if "DueLane" in each]
    due = [each for each in waiting if each["DueLane"] != "alert"]
    pending = {f"ALERT#{alert.alert_id}" for alert in record.alerts if not alert.published_at}
    assert {each["Record"] for each in waiting if each not in due} == pending
    assert [each["Record"] for each in due] == ([] if record.final else ["MESSAGE"])
    assert all(each["NextLookAt"] == record.next_look_at for each in due)


def test_rows_of_a_record_that_has_expired_are_not_those_of_the_next() -> None:
    """DynamoDB deletes expired rows in any order: an old recipient's row says nothing any more.

    Its message's row and its alert's were gone, the id was enqueued again when SES had forgotten
    it, and from the old events the alert was raised once more.
    """
    old = looked(STORY)
    later = SENT + 120 * DAY
    begun, _ = after_look(Record.new(MESSAGE_ID, later, RULES), NotFound(), now=later, rules=RULES)
    left = [*destination_rows(old), message_row(begun)]
    record = read_record(through_dynamodb(left))
    assert record is not None
    assert record.insights.destinations == ()
    assert not record.is_half_stored
