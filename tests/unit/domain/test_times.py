"""Instants as text and back."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.times import instant, iso, whole_milliseconds

NEPAL = timezone(timedelta(hours=5, minutes=45))


def aware() -> st.SearchStrategy[datetime]:
    """Instants in many zones."""
    zones = st.integers(-12 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
    return st.datetimes(
        min_value=datetime(1970, 1, 3),  # noqa: DTZ001 - hypothesis adds the zone
        max_value=datetime(9990, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
        timezones=zones,
    )


def test_an_instant_is_written_in_utc_with_milliseconds_and_z() -> None:
    """An instant of any zone is written in UTC with three digits of the second and Z."""
    noon_in_kathmandu = datetime(2026, 11, 23, 12, 0, 0, 7_999, tzinfo=NEPAL)
    assert iso(noon_in_kathmandu) == "2026-11-23T06:15:00.007Z"


def test_a_full_second_has_its_three_zeros() -> None:
    """Every text has the same length, so that sorting texts sorts instants."""
    assert iso(datetime(2026, 11, 23, 10, tzinfo=UTC)) == "2026-11-23T10:00:00.000Z"


@given(aware())
def test_what_was_written_reads_back_to_the_millisecond(moment: datetime) -> None:
    """Reading gives the instant that was written, cut to milliseconds, in UTC."""
    back = instant(iso(moment))
    assert back == whole_milliseconds(moment)
    assert back.utcoffset() == timedelta(0)


@given(aware())
def test_cutting_to_milliseconds_never_goes_forward(moment: datetime) -> None:
    """An instant is cut down by less than a millisecond, and a second cut changes nothing."""
    cut = whole_milliseconds(moment)
    assert timedelta(0) <= moment - cut < timedelta(milliseconds=1)
    assert whole_milliseconds(cut) == cut
    assert cut.utcoffset() == timedelta(0)


@given(aware(), aware())
def test_texts_sort_as_instants_do(one: datetime, other: datetime) -> None:
    """The order of two texts is the order of their instants: the indexes sort by text."""
    earlier, later = sorted((one, other))
    assert iso(earlier) <= iso(later)


@pytest.mark.parametrize("text", ["2026-11-23T10:00:00.000", "2026-11-23", "yesterday", ""])
def test_a_text_that_is_no_instant_with_a_zone_is_refused(text: str) -> None:
    """A text without a zone could mean another hour; it is an error, not a guess."""
    with pytest.raises(ValueError, match=r"zone|format"):
        instant(text)


def test_an_instant_that_was_cut_is_in_utc() -> None:
    """Whatever the zone of the machine."""
    here = datetime(2026, 11, 23, 10, 0, 0, 123_456, tzinfo=UTC).astimezone()
    assert whole_milliseconds(here).tzinfo is UTC


def test_utc_is_utc_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line runs on laptops."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        written = "2026-11-23T10:00:00.000Z"
        assert instant(written).tzinfo is UTC
        assert iso(instant(written)) == written
        assert whole_milliseconds(datetime(2026, 11, 23, tzinfo=NEPAL)).tzinfo is UTC
    time.tzset()
