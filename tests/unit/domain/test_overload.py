"""How many looks there are for each message."""

import math
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.overload import RESERVE, hour_of, looks_per_message

NOW = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)
HOURS = st.integers(-48, 48).map(lambda hours: hour_of(NOW + timedelta(hours=hours)))


def looks(*counts: int, period: float = 1.0) -> float:
    """Count arrivals in the present hour, the one before, and so on."""
    arrivals = {hour_of(NOW - timedelta(hours=back)): count for back, count in enumerate(counts)}
    return looks_per_message(arrivals, now=NOW, period=period)


def test_an_hour_is_named_in_universal_time() -> None:
    """The name sorts by time and does not depend on anybody's time zone."""
    assert hour_of(NOW) == "2026-11-23T10"
    assert hour_of(NOW.astimezone(timezone(timedelta(hours=9)))) == "2026-11-23T10"


def test_without_mail_there_are_looks_without_end() -> None:
    """A table without counters gives up nothing."""
    assert looks() == math.inf
    assert looks(0, 0) == math.inf


def test_a_day_of_slots_is_shared_by_a_day_of_mail() -> None:
    """86,400 slots but for the reserve, over the arrivals of 24 hours."""
    assert looks(*[360] * 24) == pytest.approx((1 - RESERVE) * 10)
    assert looks(*[3_600] * 24) == pytest.approx(1 - RESERVE)


def test_a_longer_period_leaves_fewer_looks() -> None:
    """At one look in two seconds there are half as many."""
    assert looks(1_000, period=2) == pytest.approx(looks(1_000) / 2)


def test_only_the_last_day_counts() -> None:
    """The hour of a day ago and what lies in the future are passed over."""
    assert looks(*[100] * 24, 5_000, 5_000) == looks(*[100] * 24)
    assert looks_per_message({hour_of(NOW + timedelta(hours=1)): 9}, now=NOW, period=1) == math.inf


@given(st.dictionaries(HOURS, st.integers(0, 10_000)), HOURS, st.integers(1, 10_000))
def test_more_mail_never_means_more_looks(arrivals: dict[str, int], hour: str, more: int) -> None:
    """One more message in any hour leaves each of them the same or less."""
    fuller = {**arrivals, hour: arrivals.get(hour, 0) + more}
    before = looks_per_message(arrivals, now=NOW, period=1)
    assert 0 < looks_per_message(fuller, now=NOW, period=1) <= before
