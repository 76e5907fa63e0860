"""When to look again, or why not."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.domain.insight import Bounce, Destination, Event
from ses_insights.domain.schedule import Ladder, Next
from tests.support.strategies import DAY, HOUR, MINUTE, SECOND, SENT

SEND = Event("SEND", "2026-11-23T10:00:00.000Z")
DELIVERED = (Destination("ada@example.com", None, (SEND, Event("DELIVERY"))),)
ONLY_SENT = (Destination("ada@example.com", None, (SEND,)),)
BOUNCED = Destination("ada@example.com", None, (Event("BOUNCE", bounce=Bounce("PERMANENT")),))
COMPLAINED = Destination("bob@example.org", None, (Event("DELIVERY"), Event("COMPLAINT")))
REJECTED = Destination("carol@example.net", None, (Event("REJECT"),))
MILLISECOND = timedelta(milliseconds=1)

DEFAULT = (15 * MINUTE, 2 * HOUR, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 29 * DAY)


def after_found(
    age: timedelta, destinations: tuple[Destination, ...] = DELIVERED, ladder: Ladder | None = None
) -> Next:
    """Look at a message of an age and find it."""
    return (ladder or Ladder()).after_found(destinations, sent_at=SENT, now=SENT + age)


def after_not_found(age: timedelta, *, looks: int = 1, ladder: Ladder | None = None) -> Next:
    """Look at a message of an age and do not find it."""
    return (ladder or Ladder()).after_not_found(sent_at=SENT, now=SENT + age, looks=looks)


def rung_after(following: Next) -> timedelta | None:
    """Tell the age at which the next look is due."""
    return following.at - SENT if following.at else None


def ladders() -> st.SearchStrategy[Ladder]:
    """Ladders of one to eight rungs between a second and 29 days."""
    seconds = st.integers(1, 29 * 86_400)
    rungs = st.lists(seconds, min_size=1, max_size=8, unique=True).map(sorted)
    return rungs.map(Ladder.of_seconds)


def ages(most: timedelta) -> st.SearchStrategy[timedelta]:
    """Ages of messages, a clock that is behind included."""
    return st.timedeltas(min_value=-HOUR, max_value=most)


def test_the_default_rungs_are_the_designs() -> None:
    """Looks are due 15 minutes, 2 hours, 1, 3, 7, 14 and 29 days after the mail was sent."""
    assert Ladder().rungs == DEFAULT


@pytest.mark.parametrize(("rung", "following"), list(pairwise(DEFAULT)))
def test_each_look_leads_to_the_next_rung(rung: timedelta, following: timedelta) -> None:
    """A look on a rung, or a little after it, is followed by one on the next rung."""
    assert after_found(rung) == Next(at=SENT + following)
    assert after_found(rung + SECOND) == Next(at=SENT + following)
    assert after_found(following - MILLISECOND) == Next(at=SENT + following)


def test_a_look_before_the_first_rung_leads_to_it() -> None:
    """A mail that was looked at right away, or in a clock's future, is looked at on each rung."""
    assert rung_after(after_found(timedelta(0))) == 15 * MINUTE
    assert rung_after(after_found(-HOUR)) == 15 * MINUTE


def test_missed_rungs_are_one_look() -> None:
    """After four days without a look, the four rungs below count as taken."""
    assert rung_after(after_found(4 * DAY)) == 7 * DAY


def test_the_last_rung_ends_the_ladder() -> None:
    """After the look on the last rung there is none, and the reason says so."""
    following = after_found(29 * DAY)
    assert following.at is None
    assert "last rung" in (following.final or "")


@pytest.mark.parametrize(
    ("destinations", "final"),
    [
        ((BOUNCED,), "The mail bounced permanently. Nothing more is expected."),
        ((COMPLAINED,), "The mail drew a complaint. Nothing more is expected."),
        ((REJECTED,), "The mail was rejected by SES and not sent. Nothing more is expected."),
        (
            (BOUNCED, COMPLAINED, REJECTED),
            (
                "The mail to each of 3 recipients has come to an end: to 1 bounced permanently, "
                "to 1 drew a complaint, to 1 was rejected by SES and not sent. Nothing more is "
                "expected."
            ),
        ),
    ],
)
def test_a_story_that_is_over_is_not_looked_at_again(
    destinations: tuple[Destination, ...], final: str
) -> None:
    """Where nothing more can come for any recipient, the row says how it ended."""
    following = after_found(MINUTE, destinations)
    assert (following.at, following.final) == (None, final)


def test_one_open_story_keeps_the_message_open() -> None:
    """As long as one recipient may still bounce or complain, the message is looked at."""
    assert rung_after(after_found(MINUTE, (BOUNCED, *DELIVERED))) == 15 * MINUTE


def test_a_message_without_recipients_is_not_over() -> None:
    """SES knows the message and shows nobody yet: that is no end."""
    assert rung_after(after_found(MINUTE, ())) == 15 * MINUTE


def test_what_ses_has_forgotten_is_not_asked_for() -> None:
    """Beyond 30 days SES answers no more, even where the ladder goes on."""
    long = Ladder.of_seconds([40 * 86_400])
    assert rung_after(after_found(30 * DAY, ladder=long)) == 40 * DAY
    following = after_found(30 * DAY + MILLISECOND, ladder=long)
    assert following.at is None
    assert "30 days" in (following.final or "")


@pytest.mark.parametrize("destinations", [ONLY_SENT, (Destination("ada@example.com"),), ()])
def test_only_send_after_a_day_is_marked_and_looked_at_once_more(
    destinations: tuple[Destination, ...],
) -> None:
    """What shows nothing but SEND for a day is probably not tracked: a note, and the last rung."""
    following = after_found(DAY, destinations)
    assert "probably not tracked" in (following.note or "")
    assert "once more, on the last rung" in (following.note or "")
    assert rung_after(following) == 29 * DAY


def test_only_send_before_a_day_is_nothing_to_note() -> None:
    """SES may try delivery for 14 hours, so a young message climbs on as any other."""
    assert after_found(DAY - MILLISECOND, ONLY_SENT) == Next(at=SENT + DAY)


@pytest.mark.parametrize("kind", ["DELIVERY", "DELIVERY_DELAY", "OPEN", "SUBSCRIPTION", "ODD"])
def test_any_other_event_shows_that_it_is_tracked(kind: str) -> None:
    """One event beyond SEND, at any recipient, and every rung is climbed without a note."""
    destinations = (*ONLY_SENT, Destination("bob@example.org", None, (SEND, Event(kind))))
    assert after_found(DAY, destinations) == Next(at=SENT + 3 * DAY)


@pytest.mark.parametrize("age", [29 * DAY, 29 * DAY + HOUR, 31 * DAY])
def test_the_mark_outlives_the_last_look(age: timedelta) -> None:
    """A message that never showed more than SEND ends with the words that say why."""
    following = after_found(age, ONLY_SENT)
    assert following.final
    words = f"{following.final} {following.note}"
    assert "not tracked" in words
    assert "once more" not in words


@pytest.mark.parametrize(
    ("age", "due"),
    [
        (timedelta(0), 15 * MINUTE),
        (15 * MINUTE, 2 * HOUR),
        (2 * HOUR, DAY),
        (DAY, 3 * DAY),
        (3 * DAY - MILLISECOND, 3 * DAY),
    ],
)
def test_what_is_not_found_climbs_up_to_three_days(age: timedelta, due: timedelta) -> None:
    """An id that SES does not know yet is asked for on every rung up to the one at three days."""
    assert after_not_found(age) == Next(at=SENT + due)


@pytest.mark.parametrize("age", [3 * DAY, 3 * DAY + SECOND, 40 * DAY])
def test_what_is_not_found_at_three_days_ends_with_an_explanation(age: timedelta) -> None:
    """The end says what was tried, since and until when, and names the likely causes."""
    following = after_not_found(age, looks=5)
    final = following.final or ""
    assert following.at is None
    assert "5 looks since 2026-11-23T10:00:00.000Z" in final
    last = (SENT + age).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert last in final
    for cause in ("account or Region", "Virtual Deliverability", "several", "simulator", "30 days"):
        assert cause in final


def test_one_look_is_not_called_looks() -> None:
    """The explanation counts in plain English."""
    assert "1 look since" in (after_not_found(4 * DAY, looks=1).final or "")


def test_a_short_ladder_is_climbed_whole_before_not_found() -> None:
    """Where the ladder ends below three days, its last rung is where the search ends."""
    short = Ladder.of_seconds([60, 3_600])
    assert rung_after(after_not_found(MINUTE, ladder=short)) == HOUR
    assert "does not know" in (after_not_found(HOUR, ladder=short).final or "")


def test_a_rung_just_beyond_three_days_is_not_climbed_for_not_found() -> None:
    """Three days are three days, whatever rungs the setting has."""
    ladder = Ladder.of_seconds([3 * 86_400, 3 * 86_400 + 1])
    assert rung_after(after_not_found(HOUR, ladder=ladder)) == 3 * DAY
    assert after_not_found(3 * DAY, ladder=ladder).at is None


def test_a_ladder_that_starts_late_has_one_look_for_not_found() -> None:
    """Where every rung lies beyond three days, the first one is tried."""
    late = Ladder.of_seconds([5 * 86_400, 10 * 86_400])
    assert rung_after(after_not_found(HOUR, ladder=late)) == 5 * DAY
    assert after_not_found(5 * DAY, ladder=late).at is None


@given(ladders(), ages(35 * DAY), st.sampled_from([DELIVERED, ONLY_SENT, (BOUNCED,), ()]))
def test_after_a_look_there_is_a_later_one_or_a_reason(
    ladder: Ladder, age: timedelta, destinations: tuple[Destination, ...]
) -> None:
    """Exactly one of the two; never in the past, always on a rung, none skipped needlessly."""
    now = SENT + age
    for following in (
        ladder.after_found(destinations, sent_at=SENT, now=now),
        ladder.after_not_found(sent_at=SENT, now=now, looks=1),
    ):
        assert (following.at is None) == bool(following.final)
        if following.at:
            assert following.at > now
            assert following.at - SENT in ladder.rungs
    delivered = ladder.after_found(DELIVERED, sent_at=SENT, now=now)
    due = [rung for rung in ladder.rungs if rung > age]
    assert rung_after(delivered) == (due[0] if due and age <= 30 * DAY else None)


@given(
    ladders(), ages(35 * DAY), st.sampled_from([DELIVERED, ONLY_SENT, ()]), st.booleans(), st.data()
)
def test_looking_when_it_is_due_comes_to_an_end(
    ladder: Ladder,
    age: timedelta,
    destinations: tuple[Destination, ...],
    known: bool,  # noqa: FBT001 - drawn by hypothesis
    data: st.DataObject,
) -> None:
    """With each look at its time, or somewhat late, there is one look more than rungs."""
    now: datetime | None = SENT + age
    looks = 0
    while now is not None:
        looks += 1
        if known:
            now = ladder.after_found(destinations, sent_at=SENT, now=now).at
        else:
            now = ladder.after_not_found(sent_at=SENT, now=now, looks=looks).at
        if now is not None:
            now += data.draw(st.timedeltas(timedelta(0), 2 * DAY))
    assert looks <= len(ladder.rungs) + 1


def test_a_ladder_is_made_of_seconds() -> None:
    """The setting gives ages in seconds, whole or not."""
    assert Ladder.of_seconds([0.5, 900, 7_200.0]).rungs == (SECOND / 2, 15 * MINUTE, 2 * HOUR)


@pytest.mark.parametrize(
    "seconds",
    [[], [0], [-900, 900], [900, 900], [7_200, 900], [900, 7_200, 60], [float("nan")]],
)
def test_a_ladder_that_does_not_rise_is_refused(seconds: list[float]) -> None:
    """Rungs begin above zero, each above the one before."""
    with pytest.raises(ValueError, match=r"ladder|NaN"):
        Ladder.of_seconds(seconds)


@pytest.mark.parametrize("seconds", [[float("inf")], [900, 1e300]])
def test_a_ladder_to_infinity_is_refused_as_any_other(seconds: list[float]) -> None:
    """A rung that is no age at all is the same kind of error, so the settings can name it."""
    with pytest.raises(ValueError, match="ladder"):
        Ladder.of_seconds(seconds)


@pytest.mark.parametrize(("first", "step"), [(5, 5), (15, 15), (60, 15)])
def test_what_is_listed_is_looked_at_again_after_a_quarter_of_an_hour(
    first: int, step: int
) -> None:
    """Or after the first rung, where that is sooner."""
    ladder = Ladder.of_seconds([60 * first, 7_200])
    assert ladder.listed_step == timedelta(minutes=step)


def test_the_next_rung_gives_no_look_up() -> None:
    """Only overload does."""
    following = Ladder().climb(SENT, HOUR)
    assert (following.at, following.shed) == (SENT + 2 * HOUR, 0)
