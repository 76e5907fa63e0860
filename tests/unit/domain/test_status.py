"""The one word about a destination or a message."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.insight import Bounce, Complaint, Destination, Event, Insights
from ses_insights.domain.status import Status, is_closed, most_telling, status_of
from tests.support.strategies import insights

CONTRACT = (
    "COMPLAINT",
    "PERMANENT_BOUNCE",
    "REJECTED",
    "RENDERING_FAILURE",
    "TRANSIENT_BOUNCE",
    "UNDETERMINED_BOUNCE",
    "CLICKED",
    "OPENED",
    "DELIVERED",
    "DELAYED",
    "SENT",
    "NOT_FOUND",
    "INVALID",
)
"""The statuses in the order of the contract, the most telling first."""

SHOWN_BY = {
    "COMPLAINT": Event("COMPLAINT"),
    "PERMANENT_BOUNCE": Event("BOUNCE", bounce=Bounce("PERMANENT")),
    "REJECTED": Event("REJECT"),
    "RENDERING_FAILURE": Event("RENDERING_FAILURE"),
    "TRANSIENT_BOUNCE": Event("BOUNCE", bounce=Bounce("TRANSIENT")),
    "UNDETERMINED_BOUNCE": Event("BOUNCE", bounce=Bounce("UNDETERMINED")),
    "CLICKED": Event("CLICK"),
    "OPENED": Event("OPEN"),
    "DELIVERED": Event("DELIVERY"),
    "DELAYED": Event("DELIVERY_DELAY"),
    "SENT": Event("SEND"),
}
"""For each status that an event can mean, the event."""


def to_ada(*events: Event, opens: int = 0, clicks: int = 0) -> Destination:
    """Make a destination of events."""
    return Destination("ada@example.com", None, events, opens, clicks)


def test_the_statuses_are_the_contracts() -> None:
    """The table's readers rely on these words and on no others."""
    assert tuple(status.value for status in Status) == CONTRACT


@pytest.mark.parametrize(("status", "event"), SHOWN_BY.items())
def test_each_event_tells_its_status(status: str, event: Event) -> None:
    """A destination with one event, after the SEND, has the status of that event."""
    assert status_of(to_ada(Event("SEND"), event)) == status


@pytest.mark.parametrize(
    ("event", "status"),
    [
        (Event("SUBSCRIPTION"), "SENT"),
        (Event("FORWARDED"), "SENT"),
        (Event("BOUNCE"), "UNDETERMINED_BOUNCE"),
        (Event("BOUNCE", bounce=Bounce()), "UNDETERMINED_BOUNCE"),
        (Event("BOUNCE", bounce=Bounce("PENDING")), "UNDETERMINED_BOUNCE"),
        (Event("BOUNCE", bounce=Bounce("Permanent")), "PERMANENT_BOUNCE"),
        (Event("BOUNCE", bounce=Bounce("Transient")), "TRANSIENT_BOUNCE"),
        (Event("DELIVERY", bounce=Bounce("PERMANENT")), "DELIVERED"),
    ],
)
def test_what_says_nothing_certain_is_not_made_more_of(event: Event, status: str) -> None:
    """Unknown types and kinds count for the least they can mean; spelling does not matter."""
    assert status_of(to_ada(event)) == status


@pytest.mark.parametrize(("more", "less"), list(itertools.combinations(SHOWN_BY, 2)))
def test_of_two_events_the_more_telling_one_decides(more: str, less: str) -> None:
    """Whichever came first, the status is the one the contract ranks higher."""
    assert status_of(to_ada(SHOWN_BY[more], SHOWN_BY[less])) == more
    assert status_of(to_ada(SHOWN_BY[less], SHOWN_BY[more])) == more


@pytest.mark.parametrize(("more", "less"), list(itertools.combinations(CONTRACT, 2)))
def test_of_two_statuses_the_more_telling_one_is_picked(more: str, less: str) -> None:
    """A message has the most telling status of its recipients, in whatever order they come."""
    assert most_telling([Status(less), Status(more)]) == more
    assert most_telling([Status(more), Status(less)]) == more


def test_a_recipient_without_events_counts_as_sent() -> None:
    """SES knows the recipient, so the mail was sent; a message without recipients is the same."""
    assert status_of(to_ada()) is Status.SENT
    assert most_telling([]) is Status.SENT


@pytest.mark.parametrize(
    ("opens", "clicks", "status"), [(1, 0, "OPENED"), (0, 1, "CLICKED"), (9, 9, "CLICKED")]
)
def test_a_count_tells_as_much_as_its_events(opens: int, clicks: int, status: str) -> None:
    """Engagement that is kept as a count still shows in the status."""
    assert status_of(to_ada(Event("DELIVERY"), opens=opens, clicks=clicks)) == status


@given(insights(), insights())
def test_the_status_of_two_looks_together_is_the_most_telling_of_both(
    one: Insights, other: Insights
) -> None:
    """Merging never makes a status less telling, nor more than one of the looks had."""
    together = {
        destination.address: status_of(destination)
        for destination in one.merged(other).destinations
    }
    for address, status in together.items():
        seen = [
            status_of(destination)
            for destination in (*one.destinations, *other.destinations)
            if destination.address == address
        ]
        assert status is most_telling(seen)


@pytest.mark.parametrize("status", SHOWN_BY)
def test_only_what_ends_a_story_closes_it(status: str) -> None:
    """After a complaint, a permanent bounce or a refusal nothing comes; after a delivery it may."""
    ends = {"COMPLAINT", "PERMANENT_BOUNCE", "REJECTED", "RENDERING_FAILURE"}
    assert is_closed(to_ada(Event("DELIVERY"), SHOWN_BY[status])) is (status in ends)


@pytest.mark.parametrize(
    ("complaint", "closes"),
    [
        (Complaint(None, "abuse"), True),
        (Complaint(None, "fraud"), True),
        (Complaint(None, "Virus"), True),
        (Complaint(None, "other"), True),
        (Complaint(None, None), True),
        (None, True),
        (Complaint(None, "a kind to come"), True),
        (Complaint(None, "auth-failure"), False),
        (Complaint(None, "AuthFailure"), False),
        (Complaint(None, "not-spam"), False),
        (Complaint(None, "opt-out"), False),
        (Complaint("OnAccountSuppressionList", None), False),
        (Complaint("ON_ACCOUNT_SUPPRESSION_LIST", "abuse"), False),
    ],
)
def test_only_the_complaint_of_a_person_closes(
    complaint: Complaint | None, *, closes: bool
) -> None:
    """After a machine's report, a correction, an opt-out or a listing, a person can complain."""
    assert is_closed(to_ada(Event("DELIVERY"), Event("COMPLAINT", None, None, complaint))) is closes


@given(st.lists(st.sampled_from(list(Status)), min_size=1))
def test_the_pick_is_one_of_those_given(statuses: list[Status]) -> None:
    """No status is made up, and none that is given is more telling than the pick."""
    pick = most_telling(statuses)
    assert pick in statuses
    assert min(CONTRACT.index(status) for status in statuses) == CONTRACT.index(pick)
