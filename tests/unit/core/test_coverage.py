"""Whether SES shows a message: told once, and not before it can be told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.core.coverage import newly_covered
from insights.core.ladder import Ladder
from insights.core.record import Answer, Found, NotFound, Record, Refused, Rules, after_look
from tests.unit.core.strategies import (
    DAY,
    HOUR,
    MESSAGE_ID,
    MINUTE,
    RULES,
    SENT,
    answers,
    event,
    found,
)

DELIVERED = found(event("SEND"), event("DELIVERY", MINUTE))
UNKNOWN = NotFound()
SHORT = replace(RULES, ladder=Ladder((15 * MINUTE,)))


def told(*looks: tuple[timedelta, Answer], rules: Rules = RULES) -> list[bool | None]:
    """What is told at each look, so long after the mail was sent."""
    before: Record | None = None
    heard = []
    for age, answer in looks:
        after, _ = after_look(
            before,
            answer,
            message_id=MESSAGE_ID,
            enqueued_at=SENT,
            now=SENT + age,
            rules=rules,
        )
        heard.append(newly_covered(before, after))
        before = after
    return heard


def test_a_message_that_ses_shows_is_covered() -> None:
    """From the first look that shows it, and told no second time."""
    assert told((16 * MINUTE, DELIVERED), (2 * HOUR, DELIVERED)) == [True, None]


def test_a_fresh_message_that_ses_does_not_show_says_nothing() -> None:
    """Its insights may not be there yet; the next look tells."""
    assert told((16 * MINUTE, UNKNOWN), (2 * HOUR, DELIVERED)) == [None, True]


def test_an_hour_after_it_was_sent_a_message_should_be_shown() -> None:
    """Then it is told as missing, once, whatever later looks say."""
    looks = [(16 * MINUTE, UNKNOWN), (HOUR, UNKNOWN), (DAY, UNKNOWN), (3 * DAY, DELIVERED)]
    assert told(*looks) == [None, False, None, None]
    assert told((HOUR - MINUTE, UNKNOWN)) == [None]


def test_a_message_with_no_look_to_come_is_missing() -> None:
    """Where the ladder ends within the hour, its last look tells."""
    assert told((16 * MINUTE, UNKNOWN), (17 * MINUTE, UNKNOWN), rules=SHORT) == [False, None]


@pytest.mark.parametrize("age", [MINUTE, 2 * HOUR])
def test_an_id_that_ses_refuses_is_no_message(age: timedelta) -> None:
    """It is parked and counted there, and says nothing about coverage."""
    assert told((age, Refused()), (3 * HOUR, DELIVERED)) == [None, None]


@given(st.lists(st.tuples(st.integers(1, 30 * 24 * 60), answers()), max_size=6))
def test_a_message_counts_at_most_once(looks: list[tuple[int, Answer]]) -> None:
    """Whatever SES says at whatever age; it is counted as shown only where SES showed it."""
    in_order = [(minutes * MINUTE, answer) for minutes, answer in sorted(looks, key=lambda x: x[0])]
    heard = [covered for covered in told(*in_order) if covered is not None]
    assert len(heard) <= 1
    assert True not in heard or any(isinstance(answer, Found) for _, answer in looks)
