"""How many looks there are for each message, from how much mail came lately (decision record 9)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(hours=24)
"""A whole day, so that day and night make no difference."""

RESERVE: Final = 0.03
"""Share of the slots left for bulk, for what arrives twice, and to catch up with a lag."""


def hour_of(now: datetime) -> str:
    """Name the hour in which a message arrives, for example ``2026-11-23T10``."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H")


def looks_per_message(
    arrivals_by_hour: Mapping[str, int], *, now: datetime, period: float
) -> float:
    """Tell how many looks each message can have at the load of the last day; without end for none.

    ``arrivals_by_hour`` counts new messages by `hour_of` their arrival; hours outside of the last
    day are passed over. ``period`` is the seconds a look takes.
    """
    before, last = hour_of(now - WINDOW), hour_of(now)
    arrivals = sum(count for hour, count in arrivals_by_hour.items() if before < hour <= last)
    if arrivals <= 0:
        return math.inf
    return (1 - RESERVE) * WINDOW.total_seconds() / period / arrivals
