"""What the ways find, and what the virtual time around them does."""

from __future__ import annotations

import math
from array import array
from dataclasses import replace

import pytest

from ses_insights.domain.lanes import LOOK_LANES
from ses_insights.domain.overload import GIVEN_UP_AFTER, TOO_LATE
from ses_insights.domain.schedule import Ladder
from tools.simulate.mail import BULK_AT, DAY, HOUR, MINUTE, Assumptions, Mail, Story, mail_of
from tools.simulate.rules import START, Core, at
from tools.simulate.run import EVENTS, LADDER, LIST, LIST_ALONE, ONE_LOOK, Way, run
from tools.simulate.world import World

FEW_DAYS = Assumptions(days=3)


def ran(way: Way, mail: Mail, assumed: Assumptions = FEW_DAYS) -> tuple[Core, World]:
    """Run a way on some mail."""
    rule = way.rule(mail, assumed)
    world = World(mail, rule, assumed, way.reads_list, way.gets_events)
    world.run()
    return rule, world


def mail(*sent: float, **stories: Story) -> Mail:
    """Mail sent at these times; stories by `m` and the index."""
    return Mail(array("d", sent), {int(name[1:]): story for name, story in stories.items()})


# The mail


def test_the_same_seed_makes_the_same_mail() -> None:
    """Every way gets the same mail, in the order of time, as many a day as was asked for."""
    one, other = mail_of(500, FEW_DAYS), mail_of(500, FEW_DAYS)
    assert one == other
    assert list(one.sent) == sorted(one.sent)
    assert len(mail_of(500, Assumptions(days=28)).sent) == pytest.approx(28 * 500, abs=1)


def test_stories_come_in_the_assumed_shares_and_delays() -> None:
    """2 % bounce, nine in ten of them within a minute; complaints come within the assumed time."""
    assumed = Assumptions(days=1, complaint_share=0.1, several_share=0)
    sent = mail_of(100_000, assumed)
    stories = sent.stories.values()
    bounces = [story.bounce for story in stories if story.bounce < DAY * 30]
    complaints = sorted(story.complaint for story in stories if story.complaint < 1e12)
    repeats = sum(not story.is_attempted for story in stories)
    assert len(bounces) == pytest.approx(0.02 * len(sent.sent), rel=0.1)
    assert repeats == pytest.approx(0.2 * len(bounces), rel=0.15)
    prompt = sum(bounce <= MINUTE for bounce in bounces) - repeats
    assert prompt == pytest.approx(0.9 * (len(bounces) - repeats), rel=0.1)
    assert max(bounces) <= 3 * DAY
    assert complaints[len(complaints) // 2] == pytest.approx(8 * HOUR, rel=0.1)
    assert complaints[len(complaints) * 95 // 100] == pytest.approx(3 * DAY, rel=0.1)


def test_what_is_not_enqueued_has_the_same_stories() -> None:
    """Only mail of which something comes is kept, at the same moments."""
    enqueued, not_enqueued = (
        mail_of(2_000, FEW_DAYS, is_enqueued=is_enqueued) for is_enqueued in (True, False)
    )
    events = [n for n, story in enqueued.stories.items() if story.event < math.inf]
    assert [enqueued.sent[n] for n in events] == list(not_enqueued.sent)
    assert [enqueued.stories[n] for n in events] == list(not_enqueued.stories.values())


# What the ladder finds


def test_a_prompt_bounce_is_found_at_the_first_look() -> None:
    """Fifteen minutes after the mail, with one look, and the story is over."""
    rule, world = ran(LADDER, mail(HOUR, m0=Story(bounce=30)))
    assert rule.found[0] == pytest.approx(HOUR + 15 * MINUTE, abs=5)
    assert world.measured.looks == 1


def test_a_late_complaint_is_found_on_the_next_rung() -> None:
    """A complaint after five days is found at seven, and raises one alert."""
    rule, world = ran(LADDER, mail(HOUR, m0=Story(complaint=5 * DAY)), Assumptions(days=10))
    assert rule.found[0] == pytest.approx(HOUR + 7 * DAY, abs=20 * MINUTE)
    assert world.measured.looks == 5


@pytest.mark.parametrize(("way", "looks"), [(LADDER, 7), (ONE_LOOK, 1)])
def test_a_delivered_mail_is_looked_at_as_often_as_the_way_says(way: Way, looks: int) -> None:
    """Seven rungs, or once."""
    _, world = ran(way, mail(HOUR), Assumptions(days=32))
    assert world.measured.looks == looks


def test_what_happens_after_the_last_look_is_not_found() -> None:
    """One look misses what comes later; nobody can find what is not there yet."""
    late = mail(HOUR, m0=Story(bounce=HOUR))
    assert ran(ONE_LOOK, late)[0].found == {}
    assert set(ran(LADDER, late)[0].found) == {0}


# What the list and the events find


def test_a_complaint_is_alerted_from_the_list() -> None:
    """Within the minute's run, the queue's delay and a look, long before its rung."""
    rule, _ = ran(LIST, mail(HOUR, m0=Story(complaint=5 * DAY)), Assumptions(days=10))
    assert rule.found[0] == pytest.approx(HOUR + 5 * DAY + 16 * MINUTE, abs=MINUTE)


@pytest.mark.parametrize("way", [LIST_ALONE, LIST])
def test_mail_to_several_recipients_is_alerted_from_the_list(way: Way) -> None:
    """After the second look that shows nothing: SES never shows it."""
    several = replace(
        mail(HOUR, m0=Story(bounce=HOUR, is_shown=False)), is_enqueued=way.is_enqueued
    )
    rule, _ = ran(way, several)
    assert rule.found[0] == pytest.approx(2 * HOUR + 47 * MINUTE, abs=2 * MINUTE)
    assert ran(LADDER, several)[0].found == {}
    assert ran(EVENTS, several)[0].found == {}


def test_what_is_not_attempted_is_found_only_by_its_id_or_an_event() -> None:
    """The list has the address already, for another mail."""
    repeat = Story(bounce=1.0, is_listed=False, is_attempted=False)
    alone = replace(mail(HOUR, m0=repeat), is_enqueued=False)
    assert ran(LIST_ALONE, alone)[0].found == {}
    assert set(ran(EVENTS, alone)[0].found) == {0}
    assert set(ran(LADDER, mail(HOUR, m0=repeat))[0].found) == {0}


def test_an_event_that_gets_lost_tells_nothing() -> None:
    """Events are best effort; the ladder finds what they do not tell."""
    alone = replace(mail(HOUR, m0=Story(bounce=1.0)), is_enqueued=False)
    assert ran(EVENTS, alone, replace(FEW_DAYS, events_share=0.0))[0].found == {}


def test_a_run_asks_for_a_bounded_number_of_names() -> None:
    """A hundred listed in one minute are asked for in three runs."""
    stories = {f"m{n}": Story(bounce=1.0) for n in range(100)}
    rule, _ = ran(LIST_ALONE, replace(mail(*[HOUR] * 100, **stories), is_enqueued=False))
    minutes = [int((found - HOUR) // MINUTE) for found in rule.found.values()]
    assert len(minutes) == 100
    assert max(minutes) - min(minutes) >= 2


# The virtual time


def test_mail_of_which_nothing_comes_is_decided_about_as_any_other() -> None:
    """The shortcut for it says what the domain says of its record, at every age."""
    one, assumed = mail(HOUR + 0.123), FEW_DAYS
    sent_at = at(one.sent[0])
    told = mail(one.sent[0], m0=Story())
    for age in (
        *range(900, 31 * 86_400, 7_000),
        *(rung.total_seconds() for rung in Ladder().rungs),
    ):
        short, full = Core(one, assumed), Core(told, assumed)
        short.look(0, one.sent[0] + age)
        full.look(0, one.sent[0] + age)
        assert short.follows(0) == full.follows(0), age
        del short, full
    for late in range(0, 40 * 86_400, 20_000):
        for rung in Ladder().rungs:
            short, full = Core(one, assumed), Core(told, assumed)
            due_at = one.sent[0] + rung.total_seconds()
            full.look(0, due_at - 1)
            waiting = full.follows(0)
            assert waiting is not None
            now = due_at + GIVEN_UP_AFTER.total_seconds() + late
            taken = [each.is_worth_it(0, waiting.lane, due_at, now) for each in (short, full)]
            assert taken == [False, False]
            assert short.follows(0) == full.follows(0)
            assert short.shed == full.shed
    short, full = Core(one, assumed), Core(told, assumed)
    for each in (short, full):
        each.minute(0.0, TOO_LATE.total_seconds(), 0)
        assert each.postpones(0, 0.0)
    assert short.follows(0) == full.follows(0)
    assert short.shed == full.shed == 3
    assert sent_at > START


def test_no_two_looks_are_closer_than_the_period() -> None:
    """However long the queue is, a day has no more looks than seconds."""
    burst = mail(*(number / 100 for number in range(3_000)))
    _, world = ran(ONE_LOOK, burst, Assumptions(days=1))
    assert world.measured.looks == 3_000
    assert world.measured.longest_wait == pytest.approx(3_000 * 1.025, abs=60)


def test_a_message_that_needs_no_look_takes_an_invocation_and_a_gap() -> None:
    """So a burst of ids that are postponed takes time, too."""
    burst = mail(*(number / 100 for number in range(9_000)))
    quick, slow = (
        ran(LADDER, burst, Assumptions(days=1, gap=gap, work=0.08))[1] for gap in (0.0, 0.5)
    )
    assert quick.measured.postponed > 1_000
    assert slow.measured.longest_wait > quick.measured.longest_wait + 10 * MINUTE


def test_fresh_ids_wait_for_two_hours_at_most_behind_a_burst() -> None:
    """Those behind are postponed until an hour of looks is left, which are then taken."""
    burst = mail(*(number / 100 for number in range(9_000)))
    rule, world = ran(LADDER, burst, Assumptions(days=1))
    assert HOUR < world.measured.longest_wait < 2.2 * HOUR
    assert world.measured.postponed > 1_000
    assert rule.shed > 0


def test_an_outage_postpones_nothing_where_the_queue_is_short() -> None:
    """A night with SES down is worked off as it is."""
    assumed = Assumptions(days=3, outage=(DAY, DAY + 8 * HOUR))
    rule, world = ran(LADDER, mail(*(DAY + 60 * n for n in range(400))), assumed)
    assert world.measured.longest_wait > 7 * HOUR
    assert world.measured.postponed == rule.shed == 0


def test_what_comes_in_bulk_waits_for_free_slots() -> None:
    """It is looked at when nothing else is due, and stays in its lane."""
    assumed = Assumptions(days=8, bulk=200)
    rule, world = ran(LADDER, mail_of(50, assumed), assumed)
    assert world.measured.last_bulk > BULK_AT
    assert rule.shed == 0


def test_overload_does_not_let_the_lag_grow() -> None:
    """Nearly everything is found; what is a day late is given up."""
    assumed = Assumptions(days=6, complaint_share=0.01, several_share=0).scaled(20)
    _, world = ran(LADDER, mail_of(2_500, assumed), assumed)  # as 50,000 a day
    assert max(world.measured.longest_lag.values()) < DAY + 2 * MINUTE
    assert world.rule.found
    assert world.measured.postponed > 0


def test_follow_ups_hold_up_a_fresh_id_for_no_longer_than_the_bound() -> None:
    """The queue's delay and a minute, whatever comes together."""
    result = run(LADDER, 5_000, Assumptions(days=2, several_share=0))
    assert 0 < result.longest_behind <= 16 * MINUTE
    assert result.bounces.share == 1


def test_the_essential_look_is_served_first() -> None:
    """The lanes of the service are the lanes of the simulation, in its order."""
    world = World(mail(), Core(mail(), FEW_DAYS), FEW_DAYS)
    assert list(world.measured.longest_lag) == [*LOOK_LANES]


def test_a_scaled_world_finds_the_same() -> None:
    """A tenth of the mail, with ten times as long for everything that a second limits."""
    assumed = Assumptions(days=1)
    whole, part = run(LIST, 10_000, assumed), run(LIST, 1_000, assumed.scaled(10))
    assert part.slots == pytest.approx(whole.slots, rel=0.1)
    assert part.line == pytest.approx(whole.line, rel=0.1)
    assert part.alertable == pytest.approx(whole.alertable, abs=0.01)
