"""Days as a person writes them, and the time that they cover."""

from __future__ import annotations

from datetime import date

import pytest

from ses_insights.cli.errors import WrongUsageError
from ses_insights.cli.search import Days, day


def test_days_can_be_named() -> None:
    """As people say them."""
    today = date(2026, 11, 1)
    assert [day(text, today) for text in ("today", "yesterday", "2026-10-05")] == [
        today,
        date(2026, 10, 31),
        date(2026, 10, 5),
    ]
    with pytest.raises(WrongUsageError, match=r"5\.10\. is not a day: write it as 2026-11-01"):
        day("5.10.", today)


def test_a_day_has_all_its_instants() -> None:
    """From the first millisecond to the last."""
    days = Days(date(2026, 11, 22), date(2026, 11, 23))
    assert (days.since, days.until) == ("2026-11-22T00:00:00.000Z", "2026-11-23T23:59:59.999Z")
