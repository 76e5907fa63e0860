"""Whether SES shows a message: counted once, and not before it can be known."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.coverage import newly_covered
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.record import Answer, Found, NotFound, Record, Refused, Rules, after_look
from ses_insights.domain.schedule import Ladder
from ses_insights.domain.times import iso
from ses_insights.service.backfill import waiting
from tests.support.strategies import (
    DAY,
    HOUR,
    MESSAGE_ID,
    MINUTE,
    RULES,
    SENT,
    answers,
    bounce,
    event,
    found,
)

DELIVERED = found(event("SEND"), event("DELIVERY", MINUTE))
BOUNCED = found(event("SEND"), bounce())
UNKNOWN = NotFound()
SHORT = replace(RULES, ladder=Ladder((15 * MINUTE,)))


def covered(
    *looks: tuple[timedelta, Answer], rules: Rules = RULES, stored: Record | None = None
) -> list[bool | None]:
    """What is counted at each look, so long after the mail was sent."""
    before, fresh = stored, Record.new(MESSAGE_ID, SENT, rules)
    counted = []
    for age, answer in looks:
        after, _ = after_look(before or fresh, answer, now=SENT + age, rules=rules)
        counted.append(newly_covered(before, after))
        before = after
    return counted


def test_a_message_counts_an_hour_after_it_was_sent() -> None:
    """Once, at the same age whether SES shows it or not."""
    assert covered((16 * MINUTE, DELIVERED), (2 * HOUR, DELIVERED), (DAY, DELIVERED)) == [
        *(None, True, None)
    ]
    assert covered((16 * MINUTE, UNKNOWN), (2 * HOUR, UNKNOWN), (DAY, UNKNOWN)) == [
        None,
        False,
        None,
    ]
    assert covered((HOUR, DELIVERED)) == [True]
    assert covered((HOUR - MINUTE, DELIVERED)) == [None]


def test_a_fresh_message_that_ses_does_not_show_says_nothing() -> None:
    """Its insights may not be there yet; the next look decides."""
    assert covered((16 * MINUTE, UNKNOWN), (2 * HOUR, DELIVERED)) == [None, True]


def test_a_message_that_is_shown_too_late_stays_missing() -> None:
    """It was counted; again would be twice."""
    assert covered((2 * HOUR, UNKNOWN), (DAY, DELIVERED)) == [False, None]


def test_a_message_with_no_look_to_come_is_judged() -> None:
    """A bounce ends it at its first look, and so does a ladder of one rung."""
    assert covered((16 * MINUTE, BOUNCED)) == [True]
    assert covered((16 * MINUTE, UNKNOWN), (17 * MINUTE, UNKNOWN), rules=SHORT) == [False, None]


def test_what_came_in_bulk_is_judged_at_once() -> None:
    """It is not fresh: when it was sent is known only of what SES shows."""
    bulk = waiting(MESSAGE_ID, RULES, SENT)
    assert covered((2 * MINUTE, UNKNOWN), (DAY, DELIVERED), stored=bulk) == [False, None]
    assert covered((2 * MINUTE, DELIVERED), (DAY, DELIVERED), stored=bulk) == [True, None]


@pytest.mark.parametrize("age", [MINUTE, 2 * HOUR])
def test_an_id_that_ses_refuses_is_no_message(age: timedelta) -> None:
    """It is parked and counted there, and says nothing about coverage."""
    assert covered((age, Refused()), (3 * HOUR, DELIVERED)) == [None, None]


@given(st.lists(st.tuples(st.integers(1, 30 * 24 * 60), answers()), max_size=6))
def test_a_message_counts_at_most_once(looks: list[tuple[int, Answer]]) -> None:
    """Whatever SES says at whatever age; it is counted as shown only where SES showed it."""
    in_order = [(minutes * MINUTE, answer) for minutes, answer in sorted(looks, key=lambda x: x[0])]
    counted = [each for each in covered(*in_order) if each is not None]
    assert len(counted) <= 1
    assert True not in counted or any(isinstance(answer, Found) for _, answer in looks)


def test_what_ses_lists_has_no_value_unless_it_is_shown() -> None:
    """Mail to several recipients is found by the list, and SES never shows it."""
    listed = replace(
        Record.new(MESSAGE_ID, SENT, RULES),
        listings=(Listing("ada@example.com", Feedback.BOUNCE, iso(SENT)),),
    )
    assert covered((2 * HOUR, UNKNOWN), stored=listed) == [None]
    assert covered((2 * HOUR, DELIVERED), stored=listed) == [True]
