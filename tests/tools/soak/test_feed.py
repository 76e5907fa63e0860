"""How fast stories pass in a soak."""

from __future__ import annotations

import pytest

from local.ses_stand_in.stories import RETENTION, STORIES, Story
from tools.soak.__main__ import RUNG, TIMING
from tools.soak.feed import SOON, Timing

SECONDS = RETENTION.total_seconds()


def ends_after(timing: Timing, story: Story, *, is_late: bool) -> float:
    """Tell after how many seconds a story has ended."""
    return story.settled_after.total_seconds() / timing.speed(story, is_late=is_late)


@pytest.mark.parametrize("is_late", [False, True])
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_every_story_ends_before_its_last_look_and_is_kept(story: Story, *, is_late: bool) -> None:
    """What the last look finds is the whole story, also when it comes twenty minutes late."""
    assert ends_after(TIMING, story, is_late=is_late) < RUNG
    assert SECONDS / TIMING.speed(story, is_late=is_late) >= RUNG + 20 * 60


def test_late_stories_end_late() -> None:
    """Every story ends either at once or after its first look; the longest ones always after it."""
    for story in STORIES.values():
        if story.visible_after is not None:
            assert ends_after(TIMING, story, is_late=True) >= 200
    assert ends_after(TIMING, STORIES["bounce-noemail"], is_late=False) == SOON
    assert ends_after(TIMING, STORIES["complaint-late"], is_late=False) > 200


def test_without_late_stories_all_end_soon() -> None:
    """Where no followups run, a late turn is none."""
    timing = Timing(kept=150.0)
    assert ends_after(timing, STORIES["opened"], is_late=True) == SOON
