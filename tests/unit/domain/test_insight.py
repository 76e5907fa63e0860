"""Merging what SES says about a mail at several looks."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ses_insights.domain.insight import (
    ENGAGEMENT_KEPT,
    Bounce,
    Destination,
    Event,
    Insights,
    joined_tags,
)
from tests.support.strategies import (
    MESSAGE_ID,
    MINUTE,
    SECOND,
    bounce,
    event,
    insights,
    read,
    response,
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


def test_of_more_recipients_than_a_hundred_the_first_are_kept_and_the_rest_counted() -> None:
    """Twice what SES sends one message to is kept; what is stored stays, whatever comes later."""
    stored = Insights(MESSAGE_ID, destinations=(Destination("zoe@example.com", "Gmail"),))
    crowd = [f"reader-{number:04}@example.com" for number in range(1_500)]
    seen = read({"Insights": [{"Destination": address} for address in crowd]})
    assert [each.address for each in seen.destinations] == crowd[:100]
    assert seen.left_out == 1_400
    merged = stored.merged(seen)
    assert len(merged.destinations) == 100
    assert merged.destinations[-1] == stored.destinations[0]
    assert merged.left_out == 1_401


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


def test_a_provider_once_known_stays() -> None:
    """UNKNOWN_ISP says that SES does not know, so it does not replace a provider shown before."""
    unknown = {"Insights": [{"Destination": "ada@example.com", "Isp": "UNKNOWN_ISP"}]}
    gmail = read(response(event("SEND")))
    assert ada(gmail.merged(read(unknown))).isp == "Gmail"
    assert ada(read(unknown).merged(gmail)).isp == "Gmail"
    assert ada(read(unknown).merged(read(unknown))).isp == "UNKNOWN_ISP"


@given(insights())
def test_the_same_statement_again_changes_nothing(statement: Insights) -> None:
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


@pytest.mark.parametrize(("size", "kept"), [(60_000, 2), (60_001, 1)])
def test_sixty_thousand_bytes_of_tags_are_kept(size: int, kept: int) -> None:
    """By name; what is beyond is left out."""
    tags = joined_tags([("a", "x"), ("b", (size - 3) * "y")])
    assert len(tags) == kept


def test_a_recipient_of_whom_nothing_is_known_opened_nothing() -> None:
    """Nor did they click."""
    nobody = Destination("ada@example.com")
    assert (nobody.open_count, nobody.click_count, nobody.last_event_at) == (0, 0, None)
