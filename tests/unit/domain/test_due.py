"""Rows of the index that somebody changed by hand."""

from datetime import UTC, datetime, timedelta

import pytest

from ses_insights.domain.due import HELD_FOR, MOST_COUNTED, DueRow, is_held, is_time

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)


def test_a_run_lasts_a_minute_and_a_lane_is_counted_up_to_ten_thousand() -> None:
    """What the pages promise: the time-out of `followups`, and the sign + behind a count."""
    assert timedelta(minutes=1) == HELD_FOR
    assert MOST_COUNTED == 10_000


@pytest.mark.parametrize(
    ("seconds", "held"), [(-1, False), (0, False), (1, True), (120, True), (121, False)]
)
def test_what_a_run_has_in_hand_is_held_for_two_minutes_at_most(
    seconds: int,
    held: bool,  # noqa: FBT001
) -> None:
    """Beyond that a clock was wrong, and must not keep everybody out."""
    assert is_held(NOW + timedelta(seconds=seconds), NOW) is held


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("2026-11-23T10:00:00.000Z", True),
        ("2026-11-23T10:00:00Z", False),
        ("2026-11-23T10:00:00.000+00:00", False),
        ("2026-11-23T10:00:00.000", False),
        ("2026-11-23", False),
        ("soon", False),
        ("", False),
    ],
)
def test_a_time_is_one_that_sorts_right(text: str, right: bool) -> None:  # noqa: FBT001
    """Anything but the one form would sort wrongly in the index."""
    assert is_time(text) is right


@pytest.mark.parametrize("looks", [None, "x", -1, 1.5, "7x"])
def test_looks_that_are_no_number_count_as_none(looks: object) -> None:
    """A row changed by hand does not stop a run."""
    assert DueRow.of({"MessageId": "m", "Looks": looks, "SentAt": 5, "NextLookAt": "x"}).looks == 0


def test_a_time_that_is_no_text_counts_as_none() -> None:
    """A row changed by hand does not stop a run."""
    row = DueRow.of({"MessageId": "m", "Looks": 1, "SentAt": 5, "NextLookAt": 5})
    assert (row.next_look_at, row.sent_at) == (None, None)
