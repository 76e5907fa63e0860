"""How fast stories pass in a soak."""

from __future__ import annotations

import pytest

from local.ses_stand_in.stories import STORIES, Story
from tools.soak.__main__ import LATE, RUNG
from tools.soak.feed import SOON, speed_of


@pytest.mark.parametrize("seconds", [SOON, LATE])
@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_every_story_ends_when_it_must_and_before_its_last_look(
    story: Story, seconds: float
) -> None:
    """What the last look finds is the whole story; a late story ends after its first look."""
    ends_after = story.settled_after.total_seconds() / speed_of(story, seconds)
    assert ends_after == pytest.approx(seconds if story.settled_after else 0.0)
    assert ends_after < RUNG
