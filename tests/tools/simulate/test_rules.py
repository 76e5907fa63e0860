"""What the rules find, and what the virtual time around them does."""

from __future__ import annotations

from array import array

import pytest

from ses_insights.domain.lanes import LOOK_LANES
from tools.simulate import rules
from tools.simulate.mail import DAY, HOUR, MINUTE, Assumptions, Mail, Story, mail_of
from tools.simulate.run import OURS, RULES, run
from tools.simulate.world import World

FEW_DAYS = Assumptions(days=3)


def ran(rule: str, mail: Mail, assumed: Assumptions = FEW_DAYS) -> tuple[rules.Core, World]:
    """Run a rule on some mail."""
    ruled = RULES[rule](mail, assumed)
    world = World(mail, ruled, assumed)
    world.run()
    return ruled, world  # type: ignore[return-value] # what is asked of it, each rule has


def mail(*sent: float, **stories: Story) -> Mail:
    """Mail sent at these times; stories by `m` and the index."""
    return Mail(array("d", sent), {int(name[1:]): story for name, story in stories.items()})


def test_the_same_seed_makes_the_same_mail() -> None:
    """Every rule gets the same mail, in the order of time, as many a day as was asked for."""
    one, other = mail_of(500, FEW_DAYS), mail_of(500, FEW_DAYS)
    assert one == other
    assert list(one.sent) == sorted(one.sent)
    assert len(mail_of(500, Assumptions(days=28)).sent) == pytest.approx(28 * 500, abs=1)


def test_stories_come_in_the_assumed_shares_and_delays() -> None:
    """2 % bounce, nine in ten of them within a minute; complaints come within the assumed time."""
    assumed = Assumptions(days=1, complaint_share=0.1)
    sent = mail_of(100_000, assumed)
    stories = sent.stories.values()
    bounces = [story.bounce for story in stories if story.bounce < DAY * 30]
    complaints = sorted(story.complaint for story in stories if story.complaint < 1e12)
    assert len(bounces) == pytest.approx(0.02 * len(sent.sent), rel=0.1)
    assert sum(bounce <= MINUTE for bounce in bounces) == pytest.approx(0.9 * len(bounces), rel=0.1)
    assert max(bounces) <= 3 * DAY
    assert complaints[len(complaints) // 2] == pytest.approx(8 * HOUR, rel=0.1)
    assert complaints[len(complaints) * 95 // 100] == pytest.approx(3 * DAY, rel=0.1)


def test_a_prompt_bounce_is_found_at_the_first_look() -> None:
    """Fifteen minutes after the mail, with one look, and the story is over."""
    ruled, world = ran(OURS, mail(HOUR, m0=Story(bounce=30)))
    assert ruled.found[0] == pytest.approx(HOUR + 15 * MINUTE, abs=5)
    assert world.measured.looks == 1


def test_a_late_complaint_is_found_on_the_next_rung() -> None:
    """A complaint after five days is found at seven, and raises one alert."""
    ruled, world = ran(OURS, mail(HOUR, m0=Story(complaint=5 * DAY)), Assumptions(days=10))
    assert ruled.found[0] == pytest.approx(HOUR + 7 * DAY, abs=20 * MINUTE)
    assert world.measured.looks == 5


@pytest.mark.parametrize(("rule", "looks"), [(OURS, 7), ("one look", 1), ("every 20 hours", 36)])
def test_a_delivered_mail_is_looked_at_as_often_as_the_rule_says(rule: str, looks: int) -> None:
    """Seven rungs; once; or every 20 hours for thirty days."""
    _, world = ran(rule, mail(HOUR), Assumptions(days=32))
    assert world.measured.looks == looks


def test_what_happens_after_the_last_look_is_not_found() -> None:
    """One look misses what comes later; a rule cannot find what is not there yet."""
    late = mail(HOUR, m0=Story(bounce=HOUR))
    assert ran("one look", late)[0].found == {}
    assert set(ran(OURS, late)[0].found) == {0}


def test_the_core_finds_what_the_plain_rule_finds() -> None:
    """With room for every rung, the core and the shortcut for other rules find the same, as soon.

    So the others are not judged by another measure.
    """
    sent = mail_of(1_500, Assumptions(days=2, complaint_share=0.05))
    core, ours = ran(OURS, sent, Assumptions(days=2))
    plain, theirs = ran("oldest due first", sent, Assumptions(days=2))
    assert core.found.keys() == plain.found.keys()
    assert len(core.found) > 100
    assert ours.measured.looks == theirs.measured.looks
    # Two lanes and one take turns differently within a few minutes.
    assert all(abs(core.found[n] - plain.found[n]) < HOUR for n in core.found)


def test_no_two_looks_are_closer_than_the_period() -> None:
    """However long the queue is, a day has no more looks than seconds."""
    burst = mail(*(number / 100 for number in range(3_000)))
    _, world = ran("one look", burst, Assumptions(days=1))
    assert world.measured.looks == 3_000
    assert world.measured.longest_wait == pytest.approx(3_000 * 1.025, abs=60)


def test_fresh_ids_wait_no_longer_than_an_hour_behind_a_burst() -> None:
    """Those behind are postponed: their first look moves to three days."""
    burst = mail(*(number / 100 for number in range(9_000)))
    ruled, world = ran(OURS, burst, Assumptions(days=1))
    assert HOUR < world.measured.longest_wait < 1.2 * HOUR
    assert world.measured.postponed > 1_000
    assert ruled.shed > 0


def test_overload_does_not_let_the_lag_grow() -> None:
    """Nearly everything is found, in time; oldest due first falls days behind."""
    assumed = Assumptions(days=6, period=20.0, complaint_share=0.01)
    ours = run(OURS, 2_500, assumed)  # as 50,000 a day at one look a second
    oldest = run("oldest due first", 2_500, assumed)
    assert ours.bounces.share > 0.99
    assert ours.complaints.share > 0.9
    assert ours.longest_lag < DAY + 2 * MINUTE < oldest.longest_lag
    assert ours.shed > 0


def test_follow_ups_hold_up_a_fresh_id_for_no_longer_than_the_bound() -> None:
    """The queue's delay and a minute, whatever comes together."""
    result = run(OURS, 5_000, Assumptions(days=2))
    assert 0 < result.longest_behind <= 16 * MINUTE
    assert result.bounces.share == 1


def test_the_essential_look_is_served_first() -> None:
    """The lanes of the service are the lanes of the simulation, in its order."""
    world = World(mail(), rules.Core(mail(), FEW_DAYS), FEW_DAYS)
    assert list(world.measured.longest_lag) == [*LOOK_LANES]
