"""The rate limit, and the report on a log of calls."""

import pytest

from local.ses_stand_in.pace import Call, RateLimit, report_on
from local.ses_stand_in.settings import FaultKind


def call(
    arrival: float,
    *,
    accepted: bool = True,
    fault: FaultKind | None = None,
    status: int | None = 200,
    message_id: str = "a",
) -> Call:
    """Make an entry of the log; accepted and answered unless said otherwise."""
    return Call(
        arrival=arrival, message_id=message_id, accepted=accepted, fault=fault, status=status
    )


def test_a_call_one_period_after_the_last_accepted_one_is_accepted() -> None:
    """Exactly one second is enough; a millisecond less is not."""
    limit = RateLimit()
    assert limit.admits(10.0, 1.0)
    assert not limit.admits(10.999, 1.0)
    assert limit.admits(11.0, 1.0)


def test_a_refused_call_does_not_count() -> None:
    """The period runs from the last accepted call, whatever came in between."""
    limit = RateLimit()
    arrivals = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0]
    assert [limit.admits(arrival, 1.0) for arrival in arrivals] == [
        True, False, False, False, True, False, True,
    ]  # fmt: skip


def test_there_is_no_burst_after_a_pause() -> None:
    """Slots that were not used are lost."""
    limit = RateLimit()
    assert [limit.admits(arrival, 1.0) for arrival in (0.0, 60.0, 60.5)] == [True, True, False]


def test_a_period_of_nothing_accepts_everything() -> None:
    """Without a limit even two calls at the same moment pass."""
    limit = RateLimit()
    assert limit.admits(0.0, 0)
    assert limit.admits(0.0, 0)


def test_the_report_counts_every_kind_of_call() -> None:
    """Accepted, refused for the pace and met by a fault are counted apart."""
    report = report_on(
        [
            call(0.0),
            call(0.5, accepted=False, status=429),
            call(1.25, fault=FaultKind.INTERNAL, status=500, message_id="b"),
            call(1.5, accepted=False, fault=FaultKind.THROTTLED, status=429),
            call(4.0, fault=FaultKind.HANG, status=None),
        ],
        period=1.0,
    )
    assert (report.calls, report.accepted, report.throttled, report.faults) == (5, 3, 1, 3)
    assert report.statuses == {"200": 1, "429": 2, "500": 1, "none": 1}
    assert report.looks == {"a": 2, "b": 1}


def test_the_report_finds_the_closest_two_that_arrived() -> None:
    """Also one that was refused because it came too soon; the log's order does not matter."""
    log = [call(5.0), call(0.0), call(5.5, accepted=False), call(1.125)]
    report = report_on(log, period=1.0)
    assert report.closest == 0.5
    assert report.span == 5.0


@pytest.mark.parametrize(
    ("arrivals", "slots", "used"),
    [
        ([0.0, 1.0, 2.0, 3.0], 4, 1.0),
        ([0.0, 1.5, 3.0], 4, 0.75),
        ([0.0, 1.9], 2, 1.0),
        ([7.0], 1, 1.0),
    ],
)
def test_the_report_says_how_many_slots_were_used(
    arrivals: list[float], slots: int, used: float
) -> None:
    """As many as fit between the first and the last accepted call, both counted."""
    report = report_on([call(arrival) for arrival in arrivals], period=1.0)
    assert (report.slots, report.used) == (slots, used)


def test_a_span_of_whole_periods_is_not_cut_short_by_rounding() -> None:
    """In binary 2.3 - 2.0 is less than three tenths; it is room for four calls all the same."""
    report = report_on([call(arrival) for arrival in (2.0, 2.1, 2.2, 2.3)], period=0.1)
    assert report.slots == 4


def test_an_empty_log_has_a_report() -> None:
    """No calls: nothing used, nothing closest, and no division by zero."""
    report = report_on([], period=1.0)
    assert (report.closest, report.span, report.slots, report.used) == (None, 0.0, 0, None)


def test_without_a_limit_there_are_no_slots() -> None:
    """A share of endless slots is not a figure."""
    report = report_on([call(0.0), call(0.0)], period=0)
    assert (report.slots, report.used) == (None, None)
