"""Rows of the index that somebody changed by hand."""

import pytest

from ses_insights.domain.due import DueRow, is_time


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
