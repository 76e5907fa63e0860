"""How a look changes what is stored of a message."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.adapters.ses_response import read_insights
from ses_insights.domain.alert import Alert, AlertType
from ses_insights.domain.insight import Event
from ses_insights.domain.lanes import Lane
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.overload import SHED_ALL, SHED_REST
from ses_insights.domain.record import (
    Answer,
    Found,
    NotFound,
    Record,
    Refused,
    Rules,
    after_look,
    other_region,
    postpone,
)
from ses_insights.domain.schedule import Ladder
from ses_insights.domain.status import Status
from ses_insights.domain.times import instant, iso
from tests.support import samples
from tests.support.strategies import (
    DAY,
    HOUR,
    MESSAGE_ID,
    MINUTE,
    RULES,
    SECOND,
    SENT,
    answers,
    bounce,
    complaint,
    event,
    found,
    read,
    response,
    responses,
)

ENQUEUED = SENT + SECOND
DELIVERED = found(event("SEND"), event("DELIVERY", SECOND))
BOUNCED = found(event("SEND"), bounce())


def look(
    answer: Answer,
    stored: Record | None = None,
    after: timedelta = 16 * MINUTE,
    rules: Rules = RULES,
) -> tuple[Record, tuple[Alert, ...]]:
    """Take a look some time after the mail was sent."""
    return after_look(
        stored or Record.new(MESSAGE_ID, ENQUEUED, rules),
        answer,
        now=SENT + after,
        rules=rules,
    )


def looked(*answers: Answer, rules: Rules = RULES) -> Record:
    """Take several looks, an hour between each, and return the record."""
    record: Record | None = None
    for number, answer in enumerate(answers, start=1):
        record, _ = look(answer, record, number * HOUR, rules)
    assert record is not None
    return record


def test_a_first_look_that_finds_makes_the_whole_record() -> None:
    """Everything SES said, the look's own times and number, and when to look again are stored."""
    record, new = look(DELIVERED)
    assert new == ()
    assert record == Record(
        insights=DELIVERED.insights,
        status=record.status,
        sent_at="2026-11-23T10:00:00.000Z",
        looks=1,
        first_look_at="2026-11-23T10:16:00.000Z",
        last_look_at="2026-11-23T10:16:00.000Z",
        next_look_at="2026-11-23T12:00:00.000Z",
        final=None,
        note=None,
        expires_at=int((SENT + 90 * DAY).timestamp()),
        alerts=(),
    )
    assert record.status == "DELIVERED"


def test_a_second_look_keeps_the_first_ones_time_and_counts() -> None:
    """The first look's time stays, the last one's moves, the number grows by one."""
    first, _ = look(DELIVERED)
    second, _ = look(DELIVERED, first, 2 * HOUR)
    assert second.looks == 2
    assert second.first_look_at == first.first_look_at
    assert second.last_look_at == "2026-11-23T12:00:00.000Z"
    assert second.next_look_at == "2026-11-24T10:00:00.000Z"


def test_not_found_is_recorded_and_kept_open() -> None:
    """An id SES does not know yet has a record without insights, and a next look."""
    record, new = look(NotFound())
    assert (record.status, record.final, new) == ("NOT_FOUND", None, ())
    assert record.sent_at == "2026-11-23T10:00:01.000Z"
    assert record.next_look_at == "2026-11-23T12:00:01.000Z"
    assert record.insights.message_id == MESSAGE_ID
    assert record.insights.destinations == ()


def test_not_found_ends_with_the_number_of_looks() -> None:
    """The explanation at the end counts the looks that were taken."""
    record = looked(NotFound(), NotFound())
    ended, _ = look(NotFound(), record, 4 * DAY)
    assert (ended.status, ended.next_look_at) == ("NOT_FOUND", None)
    assert "3 looks" in (ended.final or "")


def test_what_was_not_found_may_be_found_later() -> None:
    """A later look that finds replaces NOT_FOUND, and the send time is SES's."""
    record = looked(NotFound(), DELIVERED)
    assert (record.status, record.looks, record.final) == ("DELIVERED", 2, None)
    assert record.sent_at == "2026-11-23T10:00:00.000Z"


@pytest.mark.parametrize("later", [NotFound(), Refused()])
def test_what_was_found_once_is_never_forgotten(later: Answer) -> None:
    """A message SES knows no more keeps its insights, status and alerts; only the look counts."""
    before = looked(BOUNCED)
    after, new = look(later, before, 2 * HOUR)
    assert new == ()
    assert after == replace(before, looks=2, last_look_at="2026-11-23T12:00:00.000Z")


def test_a_found_message_without_recipients_counts_as_found() -> None:
    """A later NotFound does not turn SENT, from an empty answer, into NOT_FOUND."""
    assert looked(Found(read({})), NotFound()).status == "SENT"


def test_a_refused_id_is_invalid_and_final() -> None:
    """SES says 400: the id is recorded as INVALID, with the reason, and never looked at again."""
    record, new = look(Refused())
    assert (record.status, record.next_look_at, new) == ("INVALID", None, ())
    assert "no message id" in (record.final or "")


@pytest.mark.parametrize(
    ("answers", "status"),
    [
        ((NotFound(), Refused()), "INVALID"),
        ((Refused(), NotFound()), "NOT_FOUND"),
        ((Refused(), DELIVERED), "DELIVERED"),
    ],
)
def test_before_it_is_found_the_last_answer_decides(
    answers: tuple[Answer, ...], status: str
) -> None:
    """As long as nothing was seen, the status is what SES said last."""
    record = looked(*answers)
    assert record.status == status
    assert (record.final is None) == (status != "INVALID")


def test_a_message_has_the_most_telling_status_of_its_recipients() -> None:
    """One permanent bounce among deliveries shows in the message's own row."""
    said = read(response(event("SEND"), event("CLICK"))).merged(
        read(response(bounce(), to="bob@example.org"))
    )
    assert look(Found(said))[0].status == "PERMANENT_BOUNCE"


def test_the_send_time_is_the_send_events() -> None:
    """An id that was enqueued a week late is looked at on the rungs of the mail's age."""
    late = Record.new(MESSAGE_ID, SENT + 7 * DAY, RULES)
    record, _ = look(DELIVERED, late, 7 * DAY + 15 * MINUTE)
    assert record.sent_at == "2026-11-23T10:00:00.000Z"
    assert record.next_look_at == "2026-12-07T10:00:00.000Z"


def test_a_send_event_later_than_the_enqueuing_brings_no_rung_twice() -> None:
    """The queue delays a first look by the first rung; a clock that is a second off adds none."""
    late = found(event("SEND", 2 * SECOND))
    record, _ = look(late, after=15 * MINUTE + SECOND)
    assert record.next_look_at == "2026-11-23T12:00:01.000Z"


def test_the_last_rungs_note_is_stored() -> None:
    """A message that shows nothing but SEND after a day carries the words that say why."""
    record, _ = look(found(event("SEND")), after=DAY)
    assert "probably not tracked" in (record.note or "")
    tracked, _ = look(DELIVERED, record, 2 * DAY)
    assert tracked.note is None


@pytest.mark.parametrize(
    ("days", "kept"), [(90, 90), (365, 365), (31, 31), (30, 31), (7, 31), (1, 31)]
)
def test_rows_outlive_what_ses_remembers(days: int, kept: int) -> None:
    """Rows expire after the retention, but not while SES could still show an old event as new."""
    rules = Rules(Ladder(), timedelta(days=days))
    assert look(DELIVERED, rules=rules)[0].expires_at == int((SENT + kept * DAY).timestamp())


def test_a_subject_is_kept_unless_it_is_redacted() -> None:
    """With redaction on, a record has no subject, and everything else it would have."""
    said = Found(read(response(bounce(), Subject="Your test results")))
    redacting = replace(RULES, redact_subjects=True)
    open_record, hidden_record = look(said)[0], look(said, rules=redacting)[0]
    assert open_record.insights.subject == "Your test results"
    assert hidden_record == replace(
        open_record, insights=replace(open_record.insights, subject=None)
    )


@pytest.mark.parametrize("answer", [BOUNCED, NotFound(), Refused()])
def test_redaction_takes_out_a_subject_stored_before_it_was_on(answer: Answer) -> None:
    """From the first look with redaction on, neither the row nor a later alert has the subject."""
    said = Found(read(response(event("SEND"), Subject="Your test results")))
    stored, _ = look(said)
    assert (
        look(answer, stored, HOUR, replace(RULES, redact_subjects=True))[0].insights.subject is None
    )


def test_a_bounce_raises_its_alert_with_the_look_that_sees_it() -> None:
    """The new alert is in the record, pending, and returned as new."""
    stored, _ = look(DELIVERED)
    record, new = look(BOUNCED, stored, 2 * HOUR)
    assert len(new) == 1
    assert record.alerts == new
    assert new[0].detected_at == "2026-11-23T12:00:00.000Z"
    assert new[0].published_at is None


def test_an_event_raises_no_second_alert() -> None:
    """Looked at again, with its time restated, the same bounce is no news; its alert stays."""
    stored, (alert,) = look(BOUNCED)
    published = replace(alert, published_at="2026-11-23T10:15:01.000Z", sns_message_id="7")
    restated = found(event("SEND"), bounce(after=2 * MINUTE))
    record, new = look(restated, replace(stored, alerts=(published,)), DAY)
    assert new == ()
    assert record.alerts == (published,)


def test_a_complaint_after_a_bounce_is_news() -> None:
    """The second thing that happens raises the second alert, and only it."""
    stored, first = look(BOUNCED)
    record, second = look(found(complaint()), stored, DAY)
    assert [alert.alert_type.value for alert in second] == ["COMPLAINT"]
    assert set(record.alerts) == {*first, *second}


def test_every_recipient_raises_its_own_alert() -> None:
    """Two recipients that bounced are two alerts of one look."""
    both = BOUNCED.insights.merged(read(response(bounce(), to="bob@example.org")))
    _, new = look(Found(both))
    assert {alert.destination for alert in new} == {"ada@example.com", "bob@example.org"}


def things_that_happened(said: list[dict[str, Any]]) -> set[tuple[str, str, str]]:
    """Collect from raw responses what must be published, each once."""
    expected = set()
    for insight in (insight for each in said for insight in each.get("Insights", [])):
        address = str(insight.get("Destination", ""))
        for happened in insight.get("Events", []):
            details = happened.get("Details", {})
            kind = str(details.get("Bounce", {}).get("BounceType", "")).upper()
            if happened.get("Type") == "BOUNCE" and kind == "PERMANENT":
                expected.add((address, "BOUNCE", ""))
            if happened.get("Type") == "COMPLAINT":
                feedback = details.get("Complaint", {}).get("ComplaintFeedbackType", "")
                expected.add((address, "COMPLAINT", feedback.lower().replace("-", "")))
            if happened.get("Type") in {"REJECT", "RENDERING_FAILURE"}:
                expected.add((address, str(happened["Type"]), ""))
    return expected


@given(st.lists(st.one_of(responses(), st.just(NotFound())), min_size=1, max_size=5), st.data())
def test_each_thing_that_happens_raises_one_alert(
    said: list[dict[str, Any] | NotFound], data: st.DataObject
) -> None:
    """Over any looks, with alerts published or pending, one alert is raised for each event."""
    record: Record | None = None
    raised: list[Alert] = []
    for number, each in enumerate(said, start=1):
        answer = each if isinstance(each, NotFound) else Found(read_insights(each, MESSAGE_ID))
        record, new = look(answer, record, number * HOUR)
        raised += new
        marked = tuple(
            replace(alert, published_at="2026-11-24T00:00:00.000Z")
            if data.draw(st.booleans())
            else alert
            for alert in record.alerts
        )
        record = replace(record, alerts=marked)
        assert record.looks == number
    ids = [alert.alert_id for alert in raised]
    assert len(set(ids)) == len(ids)
    assert record is not None
    assert {alert.alert_id for alert in record.alerts} == set(ids)
    expected = things_that_happened([each for each in said if isinstance(each, dict)])
    assert len(ids) == len(expected)
    assert {(alert.destination[:200], alert.alert_type.value) for alert in raised} == {
        (address[:200], kind) for address, kind, _ in expected
    }


@given(st.lists(answers(), min_size=1, max_size=5))
def test_a_record_is_always_whole(said: list[Answer]) -> None:
    """After any looks there is a next one in the future or a reason, and nothing seen is gone."""
    record = Record.new(MESSAGE_ID, ENQUEUED, RULES)
    seen: set[Event] = set()
    now = SENT
    for answer in said:
        now += 7 * HOUR
        record, _ = after_look(record, answer, now=now, rules=RULES)
        if isinstance(answer, Found):
            seen |= {each for each in answer.insights.events if each.type not in {"OPEN", "CLICK"}}
        assert (record.next_look_at is None) == bool(record.final)
        assert record.next_look_at is None or instant(record.next_look_at) > now
        assert seen <= set(record.insights.events)
        was_found = any(isinstance(each, Found) for each in said[: record.looks])
        assert (record.status in {"NOT_FOUND", "INVALID"}) != was_found
        assert record.insights.message_id == MESSAGE_ID


@given(answers(), answers())
def test_the_order_of_two_answers_does_not_change_what_is_known(one: Answer, other: Answer) -> None:
    """An old look's answer that is stored after a newer one leaves the same story and alerts."""
    forth, back = looked(one, other), looked(other, one)
    assert [destination.events for destination in forth.insights.destinations] == [
        destination.events for destination in back.insights.destinations
    ]
    assert {alert.alert_id for alert in forth.alerts} == {alert.alert_id for alert in back.alerts}
    if "NOT_FOUND" not in {forth.status, back.status}:
        assert forth.status == back.status


RECENT = 15 * MINUTE


def settled(record: Record, now: datetime) -> bool:
    """Ask whether a look would teach nothing."""
    return record.is_settled(now, recent=RECENT)


def test_a_final_story_is_settled_for_good() -> None:
    """No time makes a final record worth a slot."""
    record = looked(BOUNCED)
    assert settled(record, SENT + HOUR)
    assert settled(record, SENT + 29 * DAY)


def test_what_has_no_next_look_is_settled() -> None:
    """A row changed by hand may have a reason and a time, or neither."""
    record, _ = look(DELIVERED)
    assert settled(replace(record, final="It was closed by hand."), SENT + 30 * DAY)
    assert settled(replace(record, next_look_at=None), SENT + 30 * DAY)


def test_what_was_postponed_is_settled_until_its_time() -> None:
    """What came in bulk never is: whoever asks for it gets it sooner."""
    postponed = postpone(Record.new(MESSAGE_ID, SENT, RULES), RULES)
    assert settled(postponed, SENT + 3 * DAY - SECOND)
    assert not settled(postponed, SENT + 3 * DAY)
    for age in (3 * DAY - SECOND, 3 * DAY):
        assert not settled(replace(postponed, lane=Lane.BULK), SENT + age)


def test_a_record_just_looked_at_is_settled_until_it_is_not_recent() -> None:
    """Between two rungs, an id that comes again costs no slot for a quarter of an hour."""
    record, _ = look(DELIVERED)
    assert settled(record, SENT + 16 * MINUTE)
    assert settled(record, SENT + 31 * MINUTE - SECOND)
    assert not settled(record, SENT + 31 * MINUTE)


def test_a_look_that_is_due_is_taken_however_recent_the_last_one() -> None:
    """On the rung, a look teaches something, even moments after another."""
    record, _ = look(DELIVERED, after=2 * HOUR - SECOND)
    assert settled(record, SENT + 2 * HOUR - SECOND / 1000)
    assert not settled(record, SENT + 2 * HOUR)


@given(answers(), st.timedeltas(timedelta(0), 40 * DAY))
def test_whatever_is_due_or_old_is_never_skipped(answer: Answer, later: timedelta) -> None:
    """An open record is settled only within the quarter of an hour, and never when it is due."""
    record, _ = look(answer)
    now = SENT + 16 * MINUTE + later
    if record.next_look_at is None:
        assert settled(record, now)
    else:
        open_again = later >= RECENT or now >= instant(record.next_look_at)
        assert settled(record, now) is not open_again


ELSEWHERE = "The enqueued text names the Region eu-central-1; SES is asked in eu-west-1."


def fresh_of_other_region() -> Record:
    """A message that was enqueued as one of another Region."""
    return Record.new(MESSAGE_ID, ENQUEUED, RULES).noting(other_region("eu-central-1", "eu-west-1"))


def test_that_an_id_is_of_another_region_stays_noted_until_ses_knows_it() -> None:
    """It is the likely reason why SES does not; found all the same, it was none."""
    first, _ = look(NotFound(), fresh_of_other_region())
    second, _ = look(NotFound(), first, 3 * HOUR)
    third, _ = look(DELIVERED, second, 2 * DAY)
    assert (first.note, second.note, third.note) == (ELSEWHERE, ELSEWHERE, None)


def test_a_note_on_the_region_stands_before_others_and_once() -> None:
    """Enqueued again it says the same."""
    note = other_region("eu-central-1", "eu-west-1")
    waiting = replace(Record.new(MESSAGE_ID, ENQUEUED, RULES), note="It waits.")
    assert waiting.noting(note).noting(note).note == f"{ELSEWHERE} It waits."


@pytest.mark.parametrize("named", [None, "eu-west-1"])
def test_no_other_region_is_no_note(named: str | None) -> None:
    """Where the text names none, or the one in which SES is asked."""
    assert other_region(named, "eu-west-1") is None


def test_what_was_erased_gets_no_note() -> None:
    """Nothing is added to it: it is the very record that is stored."""
    erased = replace(fresh_of_other_region(), erased_at="2026-11-24T10:00:00.000Z", note=None)
    assert erased.noting(ELSEWHERE) is erased


# What SES says has happened, and no look shows yet


def expecting(answer: Answer, about: Feedback) -> Record:
    """Take a look because SES says that something has happened."""
    before = Record.new(MESSAGE_ID, ENQUEUED, RULES)
    return after_look(before, answer, now=SENT + 16 * MINUTE, rules=RULES, about=about)[0]


def test_what_ses_says_and_no_look_shows_is_looked_for_soon() -> None:
    """In front of others, a quarter of an hour later; what is known waits for its rung."""
    open_ = expecting(DELIVERED, Feedback.BOUNCE)
    assert (open_.lane, open_.next_look_at) == (Lane.LISTED, iso(SENT + 31 * MINUTE))
    known = expecting(found(event("SEND"), complaint("abuse")), Feedback.COMPLAINT)
    assert known.lane is not Lane.LISTED


def test_a_look_that_comes_soon_keeps_what_is_to_be_noted() -> None:
    """A mail of which SES shows only that it was sent is probably not tracked."""
    before = Record.new(MESSAGE_ID, ENQUEUED, RULES)
    only_sent = found(event("SEND"))
    after, _ = after_look(before, only_sent, now=SENT + 2 * DAY, rules=RULES, about=Feedback.BOUNCE)
    assert after.lane is Lane.LISTED
    assert "probably not tracked" in (after.note or "")


def test_a_finding_is_alerted_with_the_time_of_the_look() -> None:
    """Where SES refuses the id, at once."""
    listing = Listing("ada@example.com", Feedback.BOUNCE, iso(SENT))
    before = replace(Record.new(MESSAGE_ID, ENQUEUED, RULES), listings=(listing,))
    _, (alert,) = look(Refused(), before)
    assert alert.detected_at == iso(SENT + 16 * MINUTE)


def test_a_type_that_is_not_chosen_raises_no_alert() -> None:
    """It is stored all the same."""
    rules = replace(RULES, alert_types=frozenset({AlertType.COMPLAINT}))
    record, alerts = look(BOUNCED, rules=rules)
    assert (record.status, alerts) == ("PERMANENT_BOUNCE", ())


def test_a_look_that_comes_to_its_end_is_whole() -> None:
    """Whatever was stored of it in part before."""
    half = replace(Record.new(MESSAGE_ID, ENQUEUED, RULES), is_half_stored=True)
    assert look(DELIVERED, half)[0].is_half_stored is False


def test_a_new_record_expires_with_its_message() -> None:
    """Ninety days after it was sent, by these rules."""
    fresh = Record.new(MESSAGE_ID, SENT, RULES)
    assert fresh.expires_at == RULES.expires_at(SENT)


def test_a_row_says_how_many_recipients_are_not_stored() -> None:
    """An answer may name more than a row can hold."""
    answer = found(event("SEND"), event("DELIVERY", SECOND))
    assert isinstance(answer, Found)
    many = Found(replace(answer.insights, left_out=1_200))
    assert look(many)[0].note == "SES shows 1,200 more recipients; they are not stored."
    assert look(answer)[0].note is None


@pytest.mark.parametrize(
    ("final", "is_given_up"),
    [(None, False), (SHED_REST, True), (SHED_ALL, True), ("Its story has ended.", False)],
)
def test_a_message_says_whether_it_was_given_up(final: str | None, *, is_given_up: bool) -> None:
    """For want of slots, and for no other reason; of a new one no look is given up."""
    new = Record.new(MESSAGE_ID, SENT, RULES)
    assert new.shed == 0
    assert replace(new, final=final).is_given_up is is_given_up


def test_a_message_is_over_once_no_recipient_can_bring_more() -> None:
    """A complaint ends a recipient's story, a delivery does not; an id that is none has none."""
    new = Record.new(MESSAGE_ID, SENT, RULES)
    assert new.is_over is False
    assert replace(new, status=Status.INVALID).is_over is True
    ended, open_ = samples.complained(), samples.delivered()
    of_one, of_two = samples.insights_of(ended), samples.insights_of(ended, open_)
    assert replace(new, insights=of_one).is_over is True
    assert replace(new, insights=of_two).is_over is False
