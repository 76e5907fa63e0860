"""The mail of a simulation: when it is sent, and what becomes of it. Times are seconds."""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
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
    """Permanent bounces, of the mails to each recipient."""
    prompt_bounces: float = 0.9
    """Share of the bounces that come within a minute, evenly spread."""
    last_bounce: float = 3 * DAY
    """The other bounces come up to then, evenly spread."""
    complaint_share: float = 0.001
    complaint_median: float = 8 * HOUR
    """Complaints come after delays that are log-normally distributed."""
    complaint_p95: float = 3 * DAY
    unknown_share: float = 0.01
    """Mail that SES never shows, and of which nothing comes: from another Region."""
    several_share: float = 0.02
    """Mail to several recipients: SES never shows it, and lists their addresses."""
    several_recipients: int = 3
    repeat_share: float = 0.2
    """Share of the bounces that are of mail to an address already listed: not attempted, published
    as `low`, and not listed again."""
    overtaken_share: float = 0.02
    """Share of the bounces and complaints of mail that was under way when its address was listed
    for another mail: not listed again."""
    visible_after: float = 5 * MINUTE
    """An event shows in insights so long after it happened."""
    ses_keeps: float = 30 * DAY
    listed_after: float = 5.0
    """An address is listed so long after the event."""
    names_a_run: float = 45.0
    """Addresses whose message a run of `followups` asks for, one a second."""
    events_share: float = 0.999
    """Share of SES's events that arrive: they are best effort."""
    event_after: float = 1.0
    period: float = 1.0
    delay: float = 15 * MINUTE
    """The queue's."""
    queue_keeps: float = 14 * DAY
    ses_latency: float = 0.15
    """Between request and answer."""
    gap: float = 0.1
    """Between the end of an invocation and the start of the next, for every message."""
    work: float = 0.08
    """Of an invocation, besides waiting and the call: read and store."""
    outage: tuple[float, float] | None = None
    """From when to when every look fails."""
    doubled_from: float = math.inf
    """From then on twice the mail is sent."""
    bulk: int = 0
    """Ids of a back-fill, put into the table on the sixth day."""
    seed: int = 3

    def scaled(self, by: float) -> Assumptions:
        """Return a world in which everything that a second limits takes so many times as long.

        A volume of a ``by``-th part is to it what the whole volume is to this one.
        """
        return replace(
            self,
            period=self.period * by,
            ses_latency=self.ses_latency * by,
            gap=self.gap * by,
            work=self.work * by,
            names_a_run=self.names_a_run / by,
            bulk=int(self.bulk / by),
        )


@dataclass(frozen=True, slots=True)
class Story:
    """What becomes of a mail that is not just delivered. Times are seconds since it was sent."""

    bounce: float = math.inf
    complaint: float = math.inf
    is_shown: bool = True
    """Whether GetMessageInsights ever shows it."""
    is_listed: bool = True
    """Whether its address is listed because of it; if not, because of another mail."""
    is_attempted: bool = True
    """Whether SES tried to deliver it; not where the address was listed before."""

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
    is_enqueued: bool = True
    """If not, `sent` has only the mail of which something comes."""
    bulk: int = 0
    """So many at the end of `sent` are not enqueued: they come in bulk."""

    @property
    def enqueued(self) -> int:
        """How many are enqueued, those in front."""
        return len(self.sent) - self.bulk if self.is_enqueued else 0

    def story(self, number: int) -> Story:
        """What becomes of a mail."""
        return self.stories.get(number, PLAIN)

    def event_at(self, number: int) -> float:
        """When a mail bounces or draws a complaint."""
        return self.sent[number] + self.story(number).event


BULK_AT: Final = 5 * DAY


def mail_of(per_day: float, assumed: Assumptions, *, is_enqueued: bool = True) -> Mail:
    """Make the mail of all days; the same for the same arguments, enqueued or not."""
    chance = random.Random(assumed.seed)  # noqa: S311 - chance of stories, no secret
    sent = array("d")
    stories: dict[int, Story] = {}
    for moment in _moments(per_day, assumed, chance):
        story = _story(chance, assumed)
        if not is_enqueued and story.event == math.inf:
            continue
        if story is not PLAIN:
            stories[len(sent)] = story
        sent.append(moment)
    if is_enqueued:
        sent.extend([BULK_AT - DAY] * assumed.bulk)
    return Mail(sent, stories, is_enqueued, assumed.bulk if is_enqueued else 0)


def _moments(per_day: float, assumed: Assumptions, chance: random.Random) -> Iterator[float]:
    """When each mail is sent."""
    owed = 0.0
    for minute in range(int(assumed.days * DAY / MINUTE)):
        start = minute * MINUTE
        times = 2 if start >= assumed.doubled_from else 1
        owed += per_day * times * _share_of_a_day(start, assumed)
        count, owed = int(owed), owed - int(owed)
        # Whole milliseconds, as the table writes instants.
        yield from sorted(start + int(60_000 * chance.random()) / 1000 for _ in range(count))


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
    if fate < assumed.unknown_share:
        return Story(is_shown=False)
    fate -= assumed.unknown_share
    if fate < assumed.several_share:
        fates = (_fate(chance, chance.random(), assumed) for _ in range(assumed.several_recipients))
        first = min(fates, key=lambda story: story.event)
        return replace(first, is_shown=False)
    return _fate(chance, fate - assumed.several_share, assumed)


def _fate(chance: random.Random, fate: float, assumed: Assumptions) -> Story:
    """What becomes of a mail to one recipient; ``fate`` is evenly spread from 0 on."""
    if fate < assumed.bounce_share:
        if fate < assumed.bounce_share * assumed.repeat_share:
            return Story(bounce=1.0, is_listed=False, is_attempted=False)
        prompt = chance.random() < assumed.prompt_bounces
        least, most = (0.0, MINUTE) if prompt else (MINUTE, assumed.last_bounce)
        is_listed = chance.random() >= assumed.overtaken_share
        return Story(bounce=chance.uniform(least, most), is_listed=is_listed)
    fate -= assumed.bounce_share
    if fate < assumed.complaint_share:
        median = assumed.complaint_median
        spread = math.log(assumed.complaint_p95 / median) / _P95
        is_listed = chance.random() >= assumed.overtaken_share
        after = chance.lognormvariate(math.log(median), spread)
        return Story(complaint=after, is_listed=is_listed)
    return PLAIN
