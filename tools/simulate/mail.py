"""The mail of a simulation: when it is sent, and what becomes of it. Times are seconds."""

from __future__ import annotations

import math
import random
from array import array
from dataclasses import dataclass
from typing import Final

MINUTE: Final = 60.0
HOUR: Final = 3_600.0
DAY: Final = 86_400.0

# Mails by the hour of the day, in parts of any size: little at night, most in the forenoon.
BY_HOUR: Final = (2, 1, 1, 1, 1, 2, 4, 7, 10, 11, 10, 9, 8, 8, 9, 8, 7, 6, 5, 5, 4, 4, 3, 2)

_P95: Final = 1.6448536269514722
"""The normal distribution's 95th percentile, in standard deviations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumptions:
    """What is assumed about mail, SES and AWS; printed with every result."""

    days: int = 30
    """For so many days mail is sent and counted."""
    campaign_share: float = 0.2
    """Share of the mail that is sent in campaigns."""
    campaign_days: tuple[int, ...] = (1, 3, 5)
    """Days of each week on which a campaign starts."""
    campaign_hour: int = 10
    campaign_seconds: float = 30 * MINUTE
    bounce_share: float = 0.02
    """Permanent bounces."""
    prompt_bounces: float = 0.9
    """Share of the bounces that come within a minute, evenly spread."""
    last_bounce: float = 3 * DAY
    """The other bounces come up to then, evenly spread."""
    complaint_share: float = 0.001
    complaint_median: float = 8 * HOUR
    """Complaints come after delays that are log-normally distributed."""
    complaint_p95: float = 3 * DAY
    unknown_share: float = 0.01
    """Mail that SES never shows: several recipients, another Region."""
    visible_after: float = 5 * MINUTE
    """An event shows in insights so long after it happened."""
    ses_keeps: float = 30 * DAY
    period: float = 1.0
    delay: float = 15 * MINUTE
    """The queue's."""
    queue_keeps: float = 14 * DAY
    ses_latency: float = 0.15
    """Between request and answer."""
    work: float = 0.05
    """Of the function for each message besides that: start, read, store."""
    seed: int = 3


@dataclass(frozen=True, slots=True)
class Story:
    """What becomes of a mail that is not just delivered. Times are seconds since it was sent."""

    bounce: float = math.inf
    complaint: float = math.inf
    known: bool = True
    """Whether SES ever shows it."""

    @property
    def event(self) -> float:
        """When it bounces or draws a complaint; never for infinity."""
        return min(self.bounce, self.complaint)


PLAIN: Final = Story()


@dataclass(frozen=True, slots=True)
class Mail:
    """All mail of a simulation, in the order in which it is sent."""

    sent: array[float]
    stories: dict[int, Story]
    """By index into `sent`; all others are `PLAIN`."""

    def story(self, number: int) -> Story:
        """What becomes of a mail."""
        return self.stories.get(number, PLAIN)

    def event_at(self, number: int) -> float:
        """When a mail bounces or draws a complaint."""
        return self.sent[number] + self.story(number).event


def mail_of(per_day: int, assumed: Assumptions) -> Mail:
    """Make the mail of all days; the same for the same arguments."""
    chance = random.Random(assumed.seed)  # noqa: S311 - chance of stories, no secret
    sent = array("d")
    owed = 0.0
    for minute in range(int(assumed.days * DAY / MINUTE)):
        start = minute * MINUTE
        owed += per_day * _share_of_a_day(start, assumed)
        count, owed = int(owed), owed - int(owed)
        sent.extend(sorted(start + MINUTE * chance.random() for _ in range(count)))
    fates = ((number, _story(chance, assumed)) for number in range(len(sent)))
    return Mail(sent, {number: story for number, story in fates if story is not PLAIN})


def _share_of_a_day(start: float, assumed: Assumptions) -> float:
    """The share of an average day's mail that is sent in the minute."""
    day, second = divmod(start, DAY)
    hour = int(second // HOUR)
    share = (1 - assumed.campaign_share) * BY_HOUR[hour] / sum(BY_HOUR) / (HOUR / MINUTE)
    into = second - assumed.campaign_hour * HOUR
    if day % 7 in assumed.campaign_days and 0 <= into < assumed.campaign_seconds:
        of_campaign = 7 / len(assumed.campaign_days) * MINUTE / assumed.campaign_seconds
        share += assumed.campaign_share * of_campaign
    return share


def _story(chance: random.Random, assumed: Assumptions) -> Story:
    fate = chance.random()
    if fate < assumed.bounce_share:
        prompt = chance.random() < assumed.prompt_bounces
        least, most = (0.0, MINUTE) if prompt else (MINUTE, assumed.last_bounce)
        return Story(bounce=chance.uniform(least, most))
    fate -= assumed.bounce_share
    if fate < assumed.complaint_share:
        median = assumed.complaint_median
        spread = math.log(assumed.complaint_p95 / median) / _P95
        return Story(complaint=chance.lognormvariate(math.log(median), spread))
    fate -= assumed.complaint_share
    return Story(known=False) if fate < assumed.unknown_share else PLAIN
