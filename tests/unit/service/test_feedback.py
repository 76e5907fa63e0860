"""The suppression list is read, and nothing of it is lost, whatever stops a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from ses_insights.domain.due import HELD_FOR
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.record import NotFound
from ses_insights.domain.suppression import SETTLED_AFTER
from ses_insights.domain.times import iso
from ses_insights.service.feedback import MOST_PAGES
from ses_insights.service.followups import OutOfTimeError
from tests.support.fakes import START, Killed
from tests.support.fakes_due import due
from tests.support.fakes_feedback import throttled
from tests.support.harness import Harness, Output
from tests.support.samples import BOUNCES, COMPLAINS, MESSAGE_ID, OTHER_ID, found, looked

MINUTE = timedelta(minutes=1)
A, B, C = (f"{name}@there.example" for name in "abc")
Read = Callable[[], Output]

pytestmark = pytest.mark.usefixtures("_as_followups")
SERVICE = (("service", "followups"),)


def message_id(number: int) -> str:
    """One id of many."""
    return f"0106019fa36a2608-{number:08}-dc58-4957-8828-68360c1c2d10-000000"


def read(harness: Harness, seconds: float = 50.0) -> None:
    """Do the one step of a run, with so much time."""
    reader = harness.followups().feedback
    assert reader is not None
    ends = harness.clock.read() + seconds

    def check_time() -> None:
        if harness.clock.read() >= ends:
            raise OutOfTimeError

    try:
        reader.read(check_time)
    finally:
        reader.telemetry.flush()


def next_run(harness: Harness) -> None:
    """Let a minute pass, and do the step again."""
    harness.clock.advance(60)
    read(harness)


def queued(harness: Harness) -> list[str]:
    """The messages that joined the queue, in order."""
    return [message_id for message_id, _ in harness.queue.listed]


# What is done with an entry


def test_a_listed_message_gets_a_row_and_joins_the_queue(harness: Harness) -> None:
    """With what SES lists it for; nobody need have enqueued it."""
    harness.suppression_list.add(COMPLAINS, MESSAGE_ID, reason=Feedback.COMPLAINT, ago=5 * MINUTE)
    read(harness)
    listing = Listing(COMPLAINS, Feedback.COMPLAINT, iso(START - 5 * MINUTE))
    assert harness.records.listings(MESSAGE_ID) == (listing,)
    assert harness.queue.listed == [(MESSAGE_ID, listing)]


def test_entries_are_done_in_order_of_time(harness: Harness) -> None:
    """The list has no order; the oldest has waited for longest."""
    for address, number, ago in ((A, 1, 10), (B, 2, 30), (C, 3, 20)):
        harness.suppression_list.add(address, message_id(number), ago=ago * MINUTE)
    read(harness)
    assert queued(harness) == [message_id(2), message_id(3), message_id(1)]


def test_what_is_done_is_not_done_again(harness: Harness) -> None:
    """No second call for an address, no second message."""
    harness.suppression_list.add(A, MESSAGE_ID, ago=timedelta(seconds=10))
    read(harness)
    for _ in range(5):
        next_run(harness)
    assert harness.suppression_list.looked_up == [A]
    assert queued(harness) == [MESSAGE_ID]


@pytest.mark.parametrize("listed_id", [None, "", "no id", "x" * 200])
def test_an_entry_without_an_id_is_passed_over(
    harness: Harness, output: Read, listed_id: str | None
) -> None:
    """Somebody listed it by hand; it is counted, and those after it are done."""
    harness.suppression_list.add(A, listed_id, ago=10 * MINUTE)
    harness.suppression_list.add(B, OTHER_ID, ago=5 * MINUTE)
    read(harness)
    next_run(harness)
    assert queued(harness) == [OTHER_ID]
    assert output().metrics["ListedWithoutId", SERVICE] == [1]


def test_an_entry_that_is_gone_is_passed_over(harness: Harness, output: Read) -> None:
    """Somebody took it off the list since the page was read."""
    harness.suppression_list.add(A, MESSAGE_ID)
    harness.suppression_list.gone = {A}
    read(harness)
    assert queued(harness) == []
    assert output().metrics["ListedWithoutId", SERVICE] == [1]


def test_an_unknown_reason_is_passed_over(harness: Harness) -> None:
    """There is no kind of look to ask for."""
    harness.suppression_list.add(A, MESSAGE_ID, reason=None)
    read(harness)
    assert queued(harness) == []


def test_an_erased_message_is_passed_over(harness: Harness) -> None:
    """What was erased is not stored again, nor alerted."""
    record, _ = looked(found())
    harness.stored = replace(record, erased_at=iso(START))
    harness.suppression_list.add(BOUNCES, MESSAGE_ID)
    read(harness)
    assert queued(harness) == []
    assert harness.records.listings(MESSAGE_ID) == ()


def test_an_error_at_one_entry_does_not_stop_the_others(harness: Harness, output: Read) -> None:
    """It would come back every minute; it is logged without the address."""
    harness.suppression_list.add(A, message_id(1), ago=10 * MINUTE)
    harness.suppression_list.add(B, message_id(2), ago=5 * MINUTE)
    harness.moments.fails_at = harness.moments.passed.count("") + 5
    harness.moments.error = ValueError(A)
    read(harness)
    assert harness.moments.passed[5] == "look up: answered"
    assert queued(harness) == [message_id(2)]
    lines = output()
    assert lines.metrics["SystemFailures", SERVICE] == [1]
    assert A not in lines.text


# How far a run comes


def test_a_run_does_as_much_as_it_has_time_for(harness: Harness) -> None:
    """One call a second; the rest is done by the next runs, all of it once."""
    for number in range(100):
        ago = timedelta(minutes=50, seconds=-number)
        harness.suppression_list.add(f"{number:03}@x.example", message_id(number), ago=ago)
    with pytest.raises(OutOfTimeError):
        read(harness)
    assert 45 <= len(harness.queue.listed) < 50
    for _ in range(2):
        with suppress(OutOfTimeError):
            next_run(harness)
    assert queued(harness) == [message_id(number) for number in range(100)]


def test_entries_of_one_moment_are_all_done(harness: Harness) -> None:
    """Also where the time is over between two of them."""
    for number in range(60):
        harness.suppression_list.add(f"{number:03}@x.example", message_id(number))
    for _ in range(2):
        with suppress(OutOfTimeError):
            next_run(harness)
    assert sorted(queued(harness)) == [message_id(number) for number in range(60)]


def test_every_page_is_read(harness: Harness) -> None:
    """Before anything is done: the oldest may stand on the last one."""
    harness.suppression_list.page_size = 2
    for number in range(5):
        ago = timedelta(minutes=number + 1)
        harness.suppression_list.add(f"{number}@x.example", message_id(number), ago=ago)
    read(harness)
    assert queued(harness) == [message_id(number) for number in reversed(range(5))]
    assert len(harness.suppression_list.pages) == 3


def test_what_is_listed_while_pages_are_read_is_done_by_the_next_run(harness: Harness) -> None:
    """On a page that was read already."""
    listed = harness.suppression_list
    listed.page_size = 1
    listed.add(B, message_id(2), ago=10 * MINUTE)
    listed.add(C, message_id(3), ago=5 * MINUTE)

    def meanwhile(number: int) -> None:
        if number == 1:
            listed.add(A, message_id(1), at=harness.clock.now())

    listed.before_page = meanwhile
    read(harness)
    assert queued(harness) == [message_id(2), message_id(3)]
    next_run(harness)
    assert queued(harness) == [message_id(2), message_id(3), message_id(1)]


def test_what_shows_late_is_done(harness: Harness) -> None:
    """SES's list is eventually consistent."""
    listed = harness.suppression_list
    listed.add(A, message_id(1), ago=timedelta(0), lag=SETTLED_AFTER - timedelta(seconds=5))
    for number in (2, 3):
        listed.add(f"{number}@x.example", message_id(number), at=START + (number - 2) * MINUTE)
    for _ in range(4):
        next_run(harness)
    assert sorted(queued(harness)) == [message_id(number) for number in (1, 2, 3)]


def test_too_many_pages_for_a_run_are_read_part_by_part(harness: Harness) -> None:
    """After an outage, or a list of millions: the time that is read at once gets shorter."""
    harness.suppression_list.page_size = 1
    number = MOST_PAGES * 2
    for each in range(number):
        ago = timedelta(minutes=59) - each * timedelta(minutes=1)
        harness.suppression_list.add(f"{each:03}@x.example", message_id(each), ago=ago)
    for _ in range(20):
        with suppress(OutOfTimeError):
            next_run(harness)
    assert queued(harness) == [message_id(each) for each in range(number)]


def test_a_list_of_eleven_pages_is_read_in_an_eighth_of_the_time(harness: Harness) -> None:
    """Ten pages are the most that a run reads at once; the first is asked for without a token."""
    harness.suppression_list.page_size = 1
    for each in range(11):
        harness.suppression_list.add(f"{each:03}@x.example", message_id(each), ago=5 * MINUTE)
    with suppress(OutOfTimeError):
        read(harness)
    pages = harness.suppression_list.pages
    assert [until for _, until, _ in pages[:10]] == 10 * [None]
    since, until, token = pages[10]
    assert until == since + timedelta(hours=1) / 8
    assert (pages[0][2], token) == (None, None)


def test_the_next_run_may_read_a_second_after_this_one(harness: Harness) -> None:
    """So that two calls are never nearer than that."""
    read(harness)
    progress = harness.listings.stored
    assert progress is not None
    assert progress.held_until == harness.clock.now() + timedelta(seconds=1)


# What stops it


MOMENTS = 20
"""Before and after each call of a run that does `two_entries`."""


def two_entries(harness: Harness) -> None:
    """A bounce and a complaint, and one that nobody can look up."""
    harness.suppression_list.add(A, message_id(1), ago=10 * MINUTE)
    harness.suppression_list.add(B, message_id(2), reason=Feedback.COMPLAINT, ago=5 * MINUTE)
    harness.suppression_list.add(C, None, ago=2 * MINUTE)


def test_every_moment_of_a_run_is_tried(harness: Harness) -> None:
    """Or the next test would leave some out."""
    two_entries(harness)
    read(harness)
    assert len(harness.moments.passed) == MOMENTS, harness.moments.passed


@pytest.mark.parametrize("error", [Killed(), SystemFailure(FailureKind.DYNAMODB, "down")])
@pytest.mark.parametrize("moment", range(MOMENTS))
def test_a_crash_at_any_moment_loses_nothing(moment: int, error: BaseException) -> None:
    """Before and after every call: an answer may be lost, too. The next runs do the rest."""
    harness = Harness()
    two_entries(harness)
    harness.moments.fails_at, harness.moments.error = moment, error
    with suppress(Killed, SystemFailure):
        read(harness)
    for _ in range(3):
        next_run(harness)
    assert set(queued(harness)) == {message_id(1), message_id(2)}
    assert len(harness.queue.listed) <= 4
    for number, address in ((1, A), (2, B)):
        (listing,) = harness.records.listings(message_id(number))
        assert listing.address == address


def test_two_runs_at_once_are_one(harness: Harness) -> None:
    """While one reads the other calls nothing: SES is never asked faster."""
    harness.suppression_list.add(A, MESSAGE_ID)
    calls: list[int] = []

    def meanwhile(_: int) -> None:
        harness.suppression_list.before_page = lambda _: None
        read(harness)
        calls.append(len(harness.suppression_list.pages))

    harness.suppression_list.before_page = meanwhile
    read(harness)
    assert calls == [0]
    assert queued(harness) == [MESSAGE_ID]


def test_a_run_that_began_just_before_another_one_leaves_the_list_to_it(harness: Harness) -> None:
    """It read its clock first and the hold second: the hold ends later than it could set one.

    Seed 25393: two calls about the list came within a second.
    """
    harness.suppression_list.add(A, MESSAGE_ID)
    calls: list[int] = []

    def meanwhile(_: int) -> None:
        harness.suppression_list.before_page = lambda _: None
        harness.clock.advance(-0.3)
        read(harness)
        harness.clock.advance(0.3)
        calls.append(len(harness.suppression_list.pages))

    harness.suppression_list.before_page = meanwhile
    read(harness)
    assert calls == [0]
    assert queued(harness) == [MESSAGE_ID]


def test_of_two_runs_that_begin_together_one_reads(harness: Harness) -> None:
    """The second has read the same state, and may not write over the first one's."""
    harness.suppression_list.add(A, MESSAGE_ID)

    def meanwhile() -> None:
        harness.moments.before.clear()
        read(harness)
        harness.clock.advance(-harness.clock.monotonic + 1000)

    harness.moments.before["save progress"] = meanwhile
    read(harness)
    assert queued(harness) == [MESSAGE_ID]
    assert len(harness.suppression_list.pages) == 1


def test_a_run_that_was_killed_holds_the_list_for_a_minute(harness: Harness) -> None:
    """As long as it could have lasted."""
    harness.suppression_list.add(A, MESSAGE_ID)
    harness.moments.fails_at, harness.moments.error = 3, Killed()
    with suppress(Killed):
        read(harness)
    read(harness)
    assert queued(harness) == []
    harness.clock.advance(HELD_FOR.total_seconds())
    read(harness)
    assert queued(harness) == [MESSAGE_ID]


def test_an_outage_of_hours_loses_nothing(harness: Harness) -> None:
    """The list is read from where the last run was done."""
    read(harness)
    for hour in range(8):
        at = START + timedelta(hours=hour, minutes=7)
        harness.suppression_list.add(f"{hour}@x.example", message_id(hour), at=at)
    harness.clock.advance(8 * 3600)
    read(harness)
    assert queued(harness) == [message_id(hour) for hour in range(8)]


# What SES refuses


def test_a_throttled_run_ends_and_the_next_one_goes_on(harness: Harness, output: Read) -> None:
    """It is counted, and no failure of the system: somebody else asked in passing."""
    harness.suppression_list.add(A, MESSAGE_ID)
    harness.suppression_list.failure = throttled()
    read(harness)
    harness.suppression_list.failure = None
    next_run(harness)
    assert queued(harness) == [MESSAGE_ID]
    metrics = output().metrics
    assert metrics["Throttles", SERVICE] == [1]
    assert ("SystemFailures", SERVICE) not in metrics


def test_three_throttled_runs_are_a_failure_of_the_system(harness: Harness) -> None:
    """In a row; one that is not throttled begins anew."""
    listed = harness.suppression_list
    listed.failure = throttled()
    for _ in range(2):
        next_run(harness)
    listed.failure = None
    next_run(harness)
    listed.failure = throttled()
    for _ in range(2):
        next_run(harness)
    with pytest.raises(SystemFailure, match="3 runs in a row") as failed:
        next_run(harness)
    assert failed.value.kind is FailureKind.SES_THROTTLED


def test_a_throttled_look_up_keeps_what_was_done(harness: Harness) -> None:
    """The entries before it are not done again."""
    two_entries(harness)

    def refuse() -> None:
        harness.suppression_list.failure = throttled()

    harness.moments.before["send"] = refuse
    read(harness)
    harness.suppression_list.failure = None
    next_run(harness)
    assert harness.suppression_list.looked_up.count(A) == 1
    assert queued(harness) == [message_id(1), message_id(2)]


def test_a_missing_permission_stops_this_step_alone(harness: Harness, output: Read) -> None:
    """Due looks are queued; the failure names the action."""
    denied = "ListSuppressedDestinations: AccessDeniedException"
    failure = SystemFailure(FailureKind.ACCESS_DENIED, denied)
    harness.suppression_list.failure = failure
    harness.rows.put(due("a"))
    with pytest.raises(SystemFailure, match=denied):
        harness.run()
    assert harness.queue.ids == ["a"]
    failed = [line for line in output().logs if line["message"] == "system failure"]
    assert {(line["kind"], line["what"]) for line in failed} == {("AccessDenied", denied)}


def test_the_step_comes_last(harness: Harness) -> None:
    """It takes the time that is left: a long list delays no due look."""
    harness.rows.put(due("a"))
    for number in range(100):
        harness.suppression_list.add(f"{number:03}@x.example", message_id(number))
    harness.run()
    assert harness.queue.ids == ["a"]
    assert len(harness.queue.listed) > 40


# What the account lists


def test_an_account_that_lists_nothing_for_a_reason_is_counted_once_an_hour(
    harness: Harness, output: Read
) -> None:
    """It is asked rarely; the reader goes on with the other reason."""
    harness.suppression_list.off = frozenset({Feedback.COMPLAINT})
    followups = harness.followups()
    for _ in range(90):
        followups.run(50)
        followups.telemetry.flush()
        harness.clock.advance(60)
    assert harness.suppression_list.asked == 2
    assert output().metrics["ListOff", SERVICE] == [1, 1]


def test_an_account_that_lists_everything_is_not_counted(harness: Harness, output: Read) -> None:
    """The metric costs nothing then."""
    harness.run()
    assert harness.suppression_list.asked == 1
    assert ("ListOff", SERVICE) not in output().metrics


def test_the_account_is_asked_again_after_exactly_an_hour(harness: Harness) -> None:
    """And not a second before."""
    reader = harness.followups().feedback
    assert reader is not None
    for seconds, asked in ((0, 1), (3_599, 1), (1, 2)):
        harness.clock.advance(seconds)
        reader.check(lambda: None)
        assert harness.suppression_list.asked == asked


def test_an_account_that_throttles_is_asked_by_the_next_run(harness: Harness, output: Read) -> None:
    """That fails no run; it is counted."""
    followups = harness.followups()
    assert followups.feedback is not None
    harness.suppression_list.failure = throttled()
    for _ in range(2):
        followups.feedback.check(lambda: None)
    followups.telemetry.flush()
    assert harness.suppression_list.asked == 2
    assert output().metrics["Throttles", SERVICE] == [1, 1]


def test_an_account_that_cannot_be_asked_fails_the_run(harness: Harness) -> None:
    """Its alarm says so."""
    reader = harness.followups().feedback
    assert reader is not None
    denied = SystemFailure(FailureKind.ACCESS_DENIED, "GetAccount: AccessDenied")
    harness.suppression_list.failure = denied
    with pytest.raises(SystemFailure, match="GetAccount"):
        reader.check(lambda: None)


def test_an_account_is_not_asked_without_time(harness: Harness) -> None:
    """The next run does it."""
    reader = harness.followups().feedback
    assert reader is not None

    def check_time() -> None:
        raise OutOfTimeError

    with pytest.raises(OutOfTimeError):
        reader.check(check_time)
    assert harness.suppression_list.asked == 0


# What is alerted of it


def test_what_joins_the_queue_is_counted_with_its_lag(harness: Harness, output: Read) -> None:
    """By reason, and from the listing to the queue."""
    harness.suppression_list.add(A, message_id(1), ago=10 * MINUTE)
    harness.suppression_list.add(B, message_id(2), reason=Feedback.COMPLAINT, ago=5 * MINUTE)
    read(harness)
    lines = output()
    listed = [line for line in lines.logs if line["message"] == "listed"]
    assert [(line["reason"], line["lag"]) for line in listed] == [
        ("BOUNCE", 602),
        ("COMPLAINT", 303),
    ]
    assert lines.metrics["FeedbackLag", SERVICE] == [602, 303]


def test_no_log_line_names_an_address(harness: Harness, output: Read) -> None:
    """Only the message."""
    harness.suppression_list.add(BOUNCES, MESSAGE_ID)
    read(harness)
    text = output().text
    assert MESSAGE_ID in text
    assert BOUNCES not in text


def test_what_a_day_brought_is_kept_with_the_progress(harness: Harness) -> None:
    """For `insights status`; an entry that is done twice is counted once."""
    two_entries(harness)
    read(harness)
    next_run(harness)
    progress = harness.listings.stored
    assert progress is not None
    assert progress.in_a_day(harness.clock.now()) == 2
    assert json.dumps(sorted(progress.seen)).count("example") == 0


# Told from the list


def test_a_message_that_ses_never_shows_is_alerted_from_the_list(harness: Harness) -> None:
    """From the list to the queue, two looks, one alert; nobody enqueued it."""
    harness.answers[:] = [NotFound()]
    harness.suppression_list.add(BOUNCES, MESSAGE_ID, ago=MINUTE)
    read(harness)
    harness.clock.advance(15 * 60)
    harness.look(about=Feedback.BOUNCE)
    assert harness.notified == {}
    harness.clock.advance(30 * 60)
    harness.look(number=2)
    for number in (3, 4, 5):
        harness.clock.advance(24 * 3600)
        harness.look(number=number)
    assert list(harness.notified.values()) == [1]
    (message,) = (json.loads(sent.message) for sent in harness.subscribers.published)
    body = json.loads(message["default"])
    assert (body["source"], body["destination"]) == ("suppressionList", BOUNCES)
    assert "shows no more" in body["cause"]
    assert "shows no more" in message["email"]
