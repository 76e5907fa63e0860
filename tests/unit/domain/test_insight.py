"""Reading what SES says about a mail, and merging what it said at several looks."""

import sys
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from botocore.utils import parse_timestamp
from hypothesis import example, given
from hypothesis import strategies as st

from ses_insights.adapters.ses_response import TEXT_KEPT
from ses_insights.domain.insight import (
    ENGAGEMENT_KEPT,
    Bounce,
    Complaint,
    Destination,
    Event,
    Insights,
)
from tests.support.strategies import (
    EVENT_TYPES,
    MESSAGE_ID,
    MINUTE,
    SECOND,
    SENT,
    bounce,
    event,
    insights,
    read,
    response,
    responses,
)


def ada(statement: Insights) -> Destination:
    """Pick the one recipient."""
    (destination,) = statement.destinations
    return destination


def what_happened(statement: Insights) -> set[tuple[str, Event]]:
    """Collect everything that must never be forgotten: each event but engagement."""
    return {
        (destination.address, happened)
        for destination in statement.destinations
        for happened in destination.events
        if happened.type not in {"OPEN", "CLICK"}
    }


def counts(statement: Insights) -> dict[str, tuple[int, int]]:
    """Collect the engagement counts."""
    return {
        destination.address: (destination.open_count, destination.click_count)
        for destination in statement.destinations
    }


def test_every_field_of_the_response_is_read() -> None:
    """Nothing of what SES says about a mail is lost on the way in."""
    said: dict[str, Any] = {
        "MessageId": MESSAGE_ID,
        "FromEmailAddress": "Zoo <zoo@example.com>",
        "Subject": "Fütterung um drei 🦁",
        "EmailTags": [
            {"Name": "campaign", "Value": "spring"},
            {"Name": "ses:configuration-set", "Value": "zoo"},
        ],
        "Insights": [
            {
                "Destination": "ada@example.com",
                "Isp": "Gmail",
                "Events": [
                    {"Timestamp": SENT, "Type": "SEND"},
                    {
                        "Timestamp": SENT + timedelta(milliseconds=1_500),
                        "Type": "BOUNCE",
                        "Details": {
                            "Bounce": {
                                "BounceType": "PERMANENT",
                                "BounceSubType": "NoEmail",
                                "DiagnosticCode": "smtp; 550 5.1.1 unknown",
                            }
                        },
                    },
                    {
                        "Timestamp": SENT + MINUTE,
                        "Type": "COMPLAINT",
                        "Details": {
                            "Complaint": {
                                "ComplaintSubType": "OnAccountSuppressionList",
                                "ComplaintFeedbackType": "abuse",
                            }
                        },
                    },
                ],
            }
        ],
    }
    assert read(said) == Insights(
        message_id=MESSAGE_ID,
        from_email_address="Zoo <zoo@example.com>",
        subject="Fütterung um drei 🦁",
        email_tags={"campaign": ("spring",), "ses:configuration-set": ("zoo",)},
        destinations=(
            Destination(
                address="ada@example.com",
                isp="Gmail",
                events=(
                    Event("SEND", "2026-11-23T10:00:00.000Z"),
                    Event(
                        "BOUNCE",
                        "2026-11-23T10:00:01.500Z",
                        bounce=Bounce("PERMANENT", "NoEmail", "smtp; 550 5.1.1 unknown"),
                    ),
                    Event(
                        "COMPLAINT",
                        "2026-11-23T10:01:00.000Z",
                        complaint=Complaint("OnAccountSuppressionList", "abuse"),
                    ),
                ),
            ),
        ),
    )


def test_the_id_is_the_one_that_was_asked_for() -> None:
    """Rows are found by the id that was enqueued, whatever the response calls the mail."""
    assert read({"MessageId": "another"}).message_id == MESSAGE_ID


@pytest.mark.parametrize("said", [{}, {"MessageId": MESSAGE_ID, "EmailTags": [], "Insights": []}])
def test_a_response_may_lack_everything(said: dict[str, Any]) -> None:
    """A response without any field says nothing, and is no error."""
    assert read(said) == Insights(MESSAGE_ID)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({}, Event("UNKNOWN")),
        ({"Type": "", "Timestamp": None}, Event("UNKNOWN")),
        ({"Type": "BOUNCE"}, Event("BOUNCE")),
        ({"Type": "BOUNCE", "Details": None}, Event("BOUNCE")),
        ({"Type": "BOUNCE", "Details": {}}, Event("BOUNCE")),
        ({"Type": "BOUNCE", "Details": {"Bounce": {}}}, Event("BOUNCE", bounce=Bounce())),
        (
            {"Type": "BOUNCE", "Details": {"Bounce": {"BounceType": "PERMANENT"}}},
            Event("BOUNCE", bounce=Bounce("PERMANENT")),
        ),
        (
            {"Type": "COMPLAINT", "Details": {"Complaint": {"ComplaintSubType": ""}}},
            Event("COMPLAINT", complaint=Complaint()),
        ),
    ],
)
def test_an_event_may_lack_anything(written: dict[str, Any], expected: Event) -> None:
    """What SES left out, or left empty, is None; the rest of the event is kept."""
    assert ada(read(response(written))).events == (expected,)


def test_a_recipient_may_lack_anything() -> None:
    """An insight without a Destination, an Isp and Events is still a recipient."""
    assert read({"Insights": [{}]}).destinations == (Destination(""),)


@pytest.mark.parametrize("kind", [*EVENT_TYPES, "FORWARDED", "odd type"])
def test_a_type_is_kept_as_it_is(kind: str) -> None:
    """All ten types of SES and those it adds later are stored under their own name."""
    assert ada(read(response(event(kind)))).events == (Event(kind, "2026-11-23T10:00:00.000Z"),)


def test_times_are_kept_to_the_millisecond_in_utc() -> None:
    """A time of another zone, with microseconds, is the same instant, cut, in the table's form."""
    in_nepal = (SENT + timedelta(microseconds=7_999)).astimezone(
        timezone(timedelta(hours=5, minutes=45))
    )
    (stored,) = ada(read(response({"Type": "SEND", "Timestamp": in_nepal}))).events
    assert stored.timestamp == "2026-11-23T10:00:00.007Z"


def test_a_time_without_a_zone_is_utc() -> None:
    """What the machine's own zone is changes nothing of what is stored."""
    said = response({"Type": "SEND", "Timestamp": datetime(2026, 11, 23, 10, 0)})  # noqa: DTZ001
    assert ada(read(said)).events == (Event("SEND", "2026-11-23T10:00:00.000Z"),)


@pytest.mark.parametrize(
    "written",
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-11-23T10:00:00+140:00"],
)
def test_an_event_whose_time_is_none_in_utc_is_kept_without_it(written: str) -> None:
    """A time at an end of the calendar, or of a zone that nobody has, is no time; no error."""
    said = response({"Type": "BOUNCE", "Timestamp": parse_timestamp(written)})
    assert ada(read(said)).events == (Event("BOUNCE"),)


def test_a_null_in_a_list_says_nothing() -> None:
    """boto3 keeps nulls of the lists that SES writes; the entries beside them are read."""
    said = {
        "EmailTags": [None, {"Name": "team", "Value": "red"}],
        "Insights": [None, {"Destination": "ada@example.com", "Events": [None, event("SEND")]}],
    }
    assert read(said).email_tags == {"team": ("red",)}
    assert [happened.type for happened in ada(read(said)).events] == ["SEND"]


def calls_of(work: Callable[[], object]) -> int:
    """Count the calls of functions that some work takes, Python's own among them."""
    number = 0

    def count(*_: object) -> None:
        nonlocal number
        number += 1

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return number


def test_a_recipient_that_is_listed_often_takes_no_square_of_the_time() -> None:
    """Four times as many entries for one recipient take about four times the steps to read."""
    few, many = (
        {
            "Insights": [
                {"Destination": "ada@example.com", "Events": [event("SEND", number * SECOND)]}
                for number in range(entries)
            ]
        }
        for entries in (250, 1_000)
    )
    assert len(ada(read(many)).events) == 1_000
    assert calls_of(lambda: read(many)) < 6 * calls_of(lambda: read(few))


def test_events_are_kept_oldest_first_each_once() -> None:
    """SES promises no order; a restated event is the same event."""
    said = response(event("CLICK", 3 * SECOND), event("DELIVERY", SECOND), event("SEND"))
    again = response(event("DELIVERY", SECOND), event("OPEN", 2 * SECOND), {"Type": "TIMELESS"})
    kept = ada(read(said).merged(read(again))).events
    assert [happened.type for happened in kept] == ["TIMELESS", "SEND", "DELIVERY", "OPEN", "CLICK"]


def test_nothing_happens_before_it_is_sent() -> None:
    """Of events in the same millisecond, SEND comes first."""
    kept = ada(read(response(event("DELIVERY"), event("BOUNCE"), event("SEND")))).events
    assert [happened.type for happened in kept] == ["SEND", "BOUNCE", "DELIVERY"]


@given(insights())
@example(read(response(event("SEND"), event("OPEN"), event("CLICK"))))
@example(read(response({"Type": "BOUNCE"}, {"Type": "BOUNCE", "Details": {"Bounce": {}}})))
@example(read(response({"Type": "COMPLAINT"}, {"Type": "COMPLAINT", "Details": {"Complaint": {}}})))
def test_two_different_events_never_sort_alike(statement: Insights) -> None:
    """The order is by content alone, so the same events are always stored in the same order."""
    kept = set(statement.events)
    assert len({happened.order for happened in kept}) == len(kept)


def test_recipients_are_sorted_and_each_is_one() -> None:
    """A recipient that SES lists twice is one, with the events of both."""
    said = {
        "Insights": [
            {"Destination": "bob@example.org", "Events": [event("SEND")]},
            {"Destination": "ada@example.com", "Events": [event("SEND")]},
            {"Destination": "bob@example.org", "Isp": "Yahoo", "Events": [event("DELIVERY")]},
        ]
    }
    one, other = read(said).destinations
    assert (one.address, other.address) == ("ada@example.com", "bob@example.org")
    assert [happened.type for happened in other.events] == ["SEND", "DELIVERY"]
    assert other.isp == "Yahoo"


def test_a_tag_name_may_repeat() -> None:
    """Every value of a repeated tag name is kept, sorted, each once; a tag without name is none."""
    said = {
        "EmailTags": [
            {"Name": "team", "Value": "red"},
            {"Name": "team", "Value": "blue"},
            {"Name": "team", "Value": "red"},
            {"Name": "empty"},
            {"Value": "nameless"},
        ]
    }
    assert read(said).email_tags == {"team": ("blue", "red"), "empty": ("",)}


def test_tags_of_two_looks_are_joined() -> None:
    """A tag that a later look does not show is kept beside those it shows."""
    one = read({"EmailTags": [{"Name": "team", "Value": "red"}]})
    other = read(
        {"EmailTags": [{"Name": "team", "Value": "blue"}, {"Name": "year", "Value": "2026"}]}
    )
    assert one.merged(other).email_tags == {"team": ("blue", "red"), "year": ("2026",)}


def test_the_first_send_is_when_it_was_sent() -> None:
    """The send time is that of the first SEND of any recipient."""
    said = {
        "Insights": [
            {"Destination": "ada@example.com", "Events": [event("SEND", 2 * SECOND)]},
            {"Destination": "bob@example.org", "Events": [event("SEND", SECOND), event("OPEN")]},
            {"Destination": "carol@example.net", "Events": [{"Type": "SEND"}]},
        ]
    }
    assert read(said).sent_at == "2026-11-23T10:00:01.000Z"
    assert read(response(event("DELIVERY"))).sent_at is None


def test_the_last_event_is_the_newest_with_a_time() -> None:
    """The indexes sort recipients by their newest event; events without a time do not count."""
    timed = ada(read(response(event("OPEN", MINUTE), {"Type": "CLICK"}, event("SEND"))))
    assert timed.last_event_at == "2026-11-23T10:01:00.000Z"
    assert ada(read(response({"Type": "SEND"}))).last_event_at is None


def test_a_long_text_is_cut_and_says_by_how_much() -> None:
    """A text beyond any documented length gives way to a note, so that everything can be stored."""
    subject = read({"Subject": "x" * (TEXT_KEPT + 500)}).subject
    assert subject == "x" * TEXT_KEPT + "… (500 more characters)"
    assert TEXT_KEPT == 2_048


def test_a_text_of_documented_length_is_kept_whole() -> None:
    """A subject of 998 characters, and any text up to the limit, is stored as it came."""
    assert read({"Subject": "🦁" * 998}).subject == "🦁" * 998
    assert read({"Subject": "x" * TEXT_KEPT}).subject == "x" * TEXT_KEPT


def test_half_a_surrogate_pair_does_not_get_in() -> None:
    """A text that UTF-8 cannot carry (a subject cut inside an emoji) could never be stored."""
    cut_emoji = "Lion \ud83e"
    said = response(
        bounce("PERMANENT", cut_emoji),
        to=f"{cut_emoji}@example.com",
        Subject=cut_emoji,
        FromEmailAddress=cut_emoji,
        EmailTags=[{"Name": cut_emoji, "Value": cut_emoji}],
    )
    assert repr(read(said)).count("Lion ") == 6
    assert "\\ud83e" not in repr(read(said))


@pytest.mark.parametrize("sign", ["a", "🦁"])
def test_an_address_of_any_documented_length_is_kept_whole(sign: str) -> None:
    """SES takes addresses of 320 characters; these and somewhat longer ones are not touched."""
    address = sign * 488 + "@example.com"
    assert ada(read(response(to=address))).address == address


@pytest.mark.parametrize("sign", ["a", "🦁"])
def test_longer_addresses_are_cut_and_stay_different(sign: str) -> None:
    """An address nobody can have still fits an index key, begins as it did and is no other one."""
    long = [sign * 5_000 + ending for ending in ("1@example.com", "2@example.com")]
    one, other = (ada(read(response(to=address))).address for address in long)
    assert one != other
    for address in (one, other):
        assert address.startswith(sign * 400)
        assert len(address) <= 501
        assert len(address.encode()) <= 2_048


def test_tags_beyond_any_documented_number_are_left_out_by_name() -> None:
    """Of a thousand tags, the first by name are kept, as many as fit into 60,000 bytes."""
    tags = [{"Name": f"{number:04}é", "Value": "v" * 94} for number in reversed(range(1_000))]
    assert list(read({"EmailTags": tags}).email_tags) == [f"{number:04}é" for number in range(600)]


def opens(first: int, last: int, kind: str = "OPEN") -> list[dict[str, Any]]:
    """Write engagement events, one a second."""
    return [event(kind, number * SECOND) for number in range(first, last + 1)]


@pytest.mark.parametrize("kind", ["OPEN", "CLICK"])
def test_engagement_up_to_the_cap_is_all_kept(kind: str) -> None:
    """As many engagement events as the first and the last ones together are kept one by one."""
    destination = ada(read(response(*opens(1, 2 * ENGAGEMENT_KEPT, kind))))
    assert len(destination.events) == 2 * ENGAGEMENT_KEPT


@pytest.mark.parametrize(("kind", "expected"), [("OPEN", (5_000, 0)), ("CLICK", (0, 5_000))])
def test_engagement_beyond_the_cap_keeps_first_last_and_count(
    kind: str, expected: tuple[int, int]
) -> None:
    """Of 5,000 opens or clicks, the first 25 and the last 25 are kept, and the number of all."""
    destination = ada(read(response(event("SEND"), *reversed(opens(1, 5_000, kind)), bounce())))
    kept = [happened.timestamp for happened in destination.events if happened.type == kind]
    all_of_them = [happened["Timestamp"] for happened in opens(1, 5_000, kind)]
    wanted = [*all_of_them[:25], *all_of_them[-25:]]
    assert kept == [f"{when:%Y-%m-%dT%H:%M:%S}.000Z" for when in wanted]
    assert (destination.open_count, destination.click_count) == expected
    assert {"SEND", "BOUNCE"} <= {happened.type for happened in destination.events}


def test_the_cap_is_each_types_own() -> None:
    """Many opens push out no click, and no event of another type."""
    many = [event("DELIVERY_DELAY", number * SECOND) for number in range(200)]
    said = response(*opens(1, 40), *opens(1, 40, "CLICK"), *many)
    kinds = Counter(happened.type for happened in ada(read(said)).events)
    assert kinds == {"OPEN": 40, "CLICK": 40, "DELIVERY_DELAY": 200}


def test_merging_keeps_the_first_and_last_of_all_looks() -> None:
    """A later look with more opens moves the last ones on and leaves the first ones alone."""
    early, late = read(response(*opens(1, 100))), read(response(*opens(1, 300)))
    merged = ada(early.merged(late))
    assert merged == ada(late)
    assert merged.open_count == 300


def test_engagement_that_ses_shows_no_more_still_counts() -> None:
    """Opens of two looks that show different ones are all counted."""
    one, other = read(response(*opens(1, 20))), read(response(*opens(11, 30)))
    assert ada(one.merged(other)).open_count == 30
    clicked = read(response(*opens(1, 20, "CLICK"))).merged(read(response(*opens(11, 30, "CLICK"))))
    assert (ada(clicked).click_count, ada(clicked).open_count) == (30, 0)


def test_counts_never_go_down() -> None:
    """A look that shows fewer opens than an earlier one does not lower the count."""
    many, few = read(response(*opens(1, 300))), read(response(*opens(1, 2)))
    assert ada(many.merged(few)).open_count == 300
    assert ada(few.merged(many)).open_count == 300


def test_a_later_look_fills_in_what_was_missing() -> None:
    """From, subject and provider of a later look are taken, and kept when a third lacks them."""
    said = response(event("SEND"), Subject="Lions", FromEmailAddress="zoo@example.com")
    empty = {"Insights": [{"Destination": "ada@example.com"}]}
    merged = read(empty).merged(read(said)).merged(read(empty))
    assert (merged.subject, merged.from_email_address) == ("Lions", "zoo@example.com")
    assert ada(merged).isp == "Gmail"


def test_a_provider_once_known_is_not_unlearnt() -> None:
    """UNKNOWN_ISP says that SES cannot tell, so it does not replace a provider it told before."""
    unknown = {"Insights": [{"Destination": "ada@example.com", "Isp": "UNKNOWN_ISP"}]}
    gmail = read(response(event("SEND")))
    assert ada(gmail.merged(read(unknown))).isp == "Gmail"
    assert ada(read(unknown).merged(gmail)).isp == "Gmail"
    assert ada(read(unknown).merged(read(unknown))).isp == "UNKNOWN_ISP"


@given(insights())
def test_hearing_the_same_again_changes_nothing(statement: Insights) -> None:
    """Merging a statement with itself gives the statement."""
    assert statement.merged(statement) == statement


@given(insights())
def test_a_statement_merges_into_nothing_as_it_is(statement: Insights) -> None:
    """Merging with an empty statement, before or after, gives the statement."""
    empty = Insights(MESSAGE_ID)
    assert empty.merged(statement) == statement
    assert statement.merged(empty) == statement


@given(insights(), insights())
def test_events_and_counts_do_not_depend_on_the_order_of_looks(
    one: Insights, other: Insights
) -> None:
    """An answer that arrives late gives the same events, counts and tags as one in time."""
    forth, back = one.merged(other), other.merged(one)
    assert [destination.events for destination in forth.destinations] == [
        destination.events for destination in back.destinations
    ]
    assert counts(forth) == counts(back)
    assert forth.email_tags == back.email_tags


@given(st.lists(insights(), min_size=1, max_size=4))
def test_nothing_but_engagement_is_ever_dropped(looks: list[Insights]) -> None:
    """However many looks are merged, every delivery, bounce, complaint and unknown event stays."""
    merged = looks[0]
    for look in looks[1:]:
        merged = merged.merged(look)
    assert what_happened(merged) == set().union(*map(what_happened, looks))


@given(insights(), insights())
def test_merged_counts_are_at_least_those_of_each_look(one: Insights, other: Insights) -> None:
    """A count covers every engagement event that is kept, and never falls below either look's."""
    merged = one.merged(other)
    for statement in (one, other):
        for address, (opened, clicked) in counts(statement).items():
            assert counts(merged)[address][0] >= opened
            assert counts(merged)[address][1] >= clicked
    for destination in merged.destinations:
        kinds = Counter(happened.type for happened in destination.events)
        assert destination.open_count >= kinds["OPEN"]
        assert destination.click_count >= kinds["CLICK"]


@given(insights(), insights())
def test_recipients_stay_sorted_and_unique(one: Insights, other: Insights) -> None:
    """However statements are joined, each address is there once, in order."""
    listed = [destination.address for destination in one.merged(other).destinations]
    assert listed == sorted(
        {destination.address for destination in (*one.destinations, *other.destinations)}
    )


@given(responses())
def test_reading_keeps_every_event_of_the_response(said: dict[str, Any]) -> None:
    """Each event SES wrote is there afterwards, by recipient and type, whatever else is missing."""
    written = {
        (destination.get("Destination", "")[:100], happened.get("Type") or "UNKNOWN")
        for destination in said.get("Insights", [])
        for happened in destination.get("Events", [])
    }
    stored = {
        (destination.address[:100], happened.type)
        for destination in read(said).destinations
        for happened in destination.events
    }
    assert stored == written


@pytest.mark.parametrize(
    ("happened", "permanent"),
    [
        (Event("BOUNCE", bounce=Bounce("PERMANENT")), True),
        (Event("BOUNCE", bounce=Bounce("permanent")), True),
        (Event("BOUNCE", bounce=Bounce("TRANSIENT")), False),
        (Event("BOUNCE", bounce=Bounce("UNDETERMINED")), False),
        (Event("BOUNCE", bounce=Bounce(None)), False),
        (Event("BOUNCE"), False),
        (Event("COMPLAINT", bounce=Bounce("PERMANENT")), False),
    ],
)
def test_only_a_bounce_that_says_so_is_permanent(happened: Event, *, permanent: bool) -> None:
    """A bounce is permanent by its type alone, in any case; a lack of details proves nothing."""
    assert happened.is_permanent_bounce is permanent
