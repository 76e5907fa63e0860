"""What is run: each way on each volume, and the ladder alone when things go wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from tools.simulate.mail import DAY, HOUR, Assumptions
from tools.simulate.run import (
    ALL,
    BOTH_ALONE,
    EVENTS,
    EVENTS_ALONE,
    LADDER,
    LIST,
    LIST_ALONE,
    ONE_LOOK,
    Way,
)

_ENQUEUED: Final = (LADDER, ONE_LOOK, EVENTS, LIST, ALL)
_NOT_ENQUEUED: Final = (EVENTS_ALONE, LIST_ALONE, BOTH_ALONE)

WAYS: Final[Mapping[int, tuple[Way, ...]]] = {
    1_000: _ENQUEUED,
    10_000: _ENQUEUED,
    50_000: (*_ENQUEUED, LIST_ALONE),
    200_000: (LADDER, ONE_LOOK, LIST, *_NOT_ENQUEUED),
    1_000_000: (LADDER, ONE_LOOK, *_NOT_ENQUEUED),
}
"""By mails a day. Beyond 50,000 it is no use to enqueue every mail; the ladder shows why."""


@dataclass(frozen=True, slots=True)
class Case:
    """One run."""

    way: Way
    per_day: int
    assumed: Assumptions
    trouble: str = ""
    """What goes wrong; nothing in the main tables."""


TROUBLES: Final[Mapping[str, tuple[int, Assumptions]]] = {
    "nothing, 20,000 a day": (20_000, Assumptions()),
    "SES fails for 8 hours of a day, 20,000 a day": (
        20_000,
        Assumptions(outage=(9 * DAY + 9 * HOUR, 9 * DAY + 17 * HOUR)),
    ),
    "SES fails for two days, 20,000 a day": (20_000, Assumptions(outage=(9 * DAY, 11 * DAY))),
    "twice the mail from the tenth day on, 20,000 a day": (
        20_000,
        Assumptions(doubled_from=10 * DAY),
    ),
    "twice the mail from the tenth day on, 50,000 a day": (
        50_000,
        Assumptions(doubled_from=10 * DAY),
    ),
    "a back-fill of 100,000 ids, 10,000 a day": (10_000, Assumptions(bulk=100_000)),
    "60 % of the mail in campaigns, 50,000 a day": (50_000, Assumptions(campaign_share=0.6)),
    "complaints late, 50,000 a day": (
        50_000,
        Assumptions(complaint_median=2 * DAY, complaint_p95=10 * DAY),
    ),
}
"""Mails a day, and what goes wrong, by its words."""


def cases(volumes: Iterable[int], assumed: Assumptions) -> list[Case]:
    """Return the runs of the main tables."""
    return [Case(way, volume, assumed) for volume in volumes for way in WAYS[volume]]


def troubles(days: int) -> list[Case]:
    """Return the runs of the ladder alone in which something goes wrong."""
    return [
        Case(LADDER, per_day, replace(assumed, days=days), words)
        for words, (per_day, assumed) in TROUBLES.items()
    ]
