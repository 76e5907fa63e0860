"""How far the list is read: nothing is lost, and what is done is not done again."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.due import HELD_FOR
from ses_insights.domain.suppression import SETTLED_AFTER, Entry, Progress
from tests.support.fakes import START

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def entry(name: str, minutes: float) -> Entry:
    """An entry listed so many minutes after the start."""
    return Entry(f"{name}@there.example", START + minutes * MINUTE)


A, B, C = entry("a", 30), entry("b", 10), entry("c", 20)
FROM_START = Progress(START)
NOW = START + HOUR


def test_the_first_run_begins_an_hour_back() -> None:
    """What bounced before the service was there is old news."""
    assert Progress.first(NOW).read_to == START


def test_new_entries_come_in_order_of_time() -> None:
    """The list itself has none; those before and those done are left out."""
    done = Progress(START, seen=frozenset({C.key}))
    assert done.new_in([A, B, C, entry("old", -1), B]) == [B, A]


def test_a_key_names_no_address() -> None:
    """It stands in a row that no erasure reaches."""
    assert "there" not in A.key
    assert A.key != replace(A, address="x@there.example").key
    assert A.key != replace(A, listed_at=START).key


def test_when_all_is_done_two_minutes_are_read_again() -> None:
    """SES may show later what it listed just before the reading."""
    late = entry("late", 59)
    after = FROM_START.after([B, late], 2, listed_at=NOW, until=NOW)
    assert after.read_to == NOW - SETTLED_AFTER
    assert after.seen == {late.key}
    assert after.new_in([B, late]) == []


def test_the_list_is_read_to_the_first_entry_that_is_not_done() -> None:
    """It and all after it come again, also those of the same moment."""
    twin = entry("twin", 10)
    new = FROM_START.new_in([A, B, C, twin])
    after = FROM_START.after(new, 1, listed_at=NOW, until=NOW)
    assert after.new_in([A, B, C, twin]) == new[1:]


def test_what_is_read_never_goes_back() -> None:
    """Two runs within two minutes, or a clock that was set back."""
    after = FROM_START.after([], 0, listed_at=START + MINUTE, until=START + MINUTE)
    assert after.read_to == START


def test_a_shorter_reading_moves_as_far_as_it_went() -> None:
    """Of what was listed later nothing is known."""
    until = START + 15 * MINUTE
    assert FROM_START.after([B], 1, listed_at=NOW, until=until).read_to == until


def test_keys_are_forgotten_with_their_time() -> None:
    """The row stays small, however long the service runs."""
    progress = FROM_START
    for minute in range(60):
        now = START + minute * MINUTE
        progress = progress.after([entry("x", minute)], 1, listed_at=now, until=now)
    assert len(progress.seen) == SETTLED_AFTER / MINUTE + 1


@given(
    st.lists(
        st.tuples(
            st.integers(0, 600),
            st.floats(0, SETTLED_AFTER.total_seconds(), allow_nan=False, exclude_max=True),
        ),
        max_size=30,
    ),
    st.lists(st.tuples(st.integers(1, 200), st.integers(0, 5)), min_size=1, max_size=30),
)
def test_every_entry_is_done_once_however_late_it_shows(
    listed: list[tuple[int, float]], runs: list[tuple[int, int]]
) -> None:
    """Shown up to two minutes late, with any number of entries done in each run."""
    entries = [
        (Entry(f"{number}@x", START + timedelta(seconds=at)), START + timedelta(seconds=at + lag))
        for number, (at, lag) in enumerate(listed)
    ]
    progress, done, now = FROM_START, [], START
    last_runs = [(300, 100), (300, 100), (300, 100)]
    for seconds, most in [*runs, *last_runs]:
        now += timedelta(seconds=seconds)
        new = progress.new_in(each for each, shown in entries if shown <= now)
        number = min(most, len(new))
        progress = progress.after(new, number, listed_at=now, until=now)
        done += new[:number]
    assert sorted(done, key=lambda each: each.key) == sorted(
        (each for each, _ in entries), key=lambda each: each.key
    )


@pytest.mark.parametrize(
    ("until", "is_held"),
    [
        (None, False),
        (START - MINUTE, False),
        (START, False),
        (START + MINUTE / 2, True),
        (START + HELD_FOR, True),
    ],
)
def test_one_run_holds_the_list(until: datetime | None, *, is_held: bool) -> None:
    """Until its time is over; a time that no run can have written holds nobody."""
    assert replace(FROM_START, held_until=until).is_held(START) is is_held


def test_what_a_day_brought_is_counted_by_the_hour() -> None:
    """And forgotten after it."""
    progress = FROM_START.counted(3, START).counted(4, START + 23 * HOUR).counted(0, START)
    assert progress.in_a_day(START + 23 * HOUR) == 7
    assert progress.in_a_day(START + 24 * HOUR) == 4
    assert progress.counted(1, START + 24 * HOUR).by_hour.keys() == {
        "2026-11-24T09",
        "2026-11-24T10",
    }


def test_messages_of_one_hour_are_added_up() -> None:
    """Each run adds its own."""
    progress = FROM_START.counted(3, START).counted(4, START + 59 * MINUTE)
    assert progress.by_hour == {"2026-11-23T10": 7}


def test_an_hour_is_utcs_wherever_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row says the same to everybody who reads it."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "Asia/Kolkata")
        time.tzset()
        assert FROM_START.counted(1, START).by_hour == {"2026-11-23T10": 1}
    time.tzset()


@pytest.mark.parametrize(("seconds", "is_held"), [(120, True), (120.001, False)])
def test_a_hold_of_two_minutes_counts_at_most(seconds: float, *, is_held: bool) -> None:
    """A minute from when the hold was set; a later time was written by a clock that was wrong."""
    until = START + timedelta(seconds=seconds)
    assert replace(FROM_START, held_until=until).is_held(START) is is_held


def test_the_last_two_minutes_are_read_again() -> None:
    """So long SES may take to show what it has listed."""
    after = FROM_START.after([], 0, listed_at=NOW, until=NOW)
    assert NOW - after.read_to == timedelta(seconds=120)


def test_nothing_is_known_of_a_list_that_was_never_read() -> None:
    """No run has it, no run was throttled."""
    assert (FROM_START.version, FROM_START.throttled_runs) == (0, 0)


def test_the_key_of_an_entry_never_changes() -> None:
    """The row of an older release holds it, and nothing is done twice after an update."""
    assert A.key == "2026-11-23T10:30:00.000Z b401efacce65190d"
