"""The lanes in which messages and alerts wait for their time.

Each lane is a partition of the table's sparse index, in order of time. `followups` serves them in
the order in which they stand here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Lane(StrEnum):
    """What a row waits for; the names stand in the table (``DueLane``)."""

    ALERT = "alert"
    """An alert that is stored and not known to be published."""
    LISTED = "listed"
    """A look that has something to find: SES said so, and no look has shown it yet. Or a look that
    was begun and that SES keeps failing: an answer may have been lost."""
    ESSENTIAL = "keep"
    """The look at about three days, the last one that is given up."""
    FOLLOW_UP = "follow-up"
    """Every other look."""
    SUMMARY = "summary"
    """A surge of alerts whose next summary is to come."""
    BULK = "bulk"
    """Messages that were put straight into the table; they get what the others leave."""


LOOK_LANES: Final = (Lane.LISTED, Lane.ESSENTIAL, Lane.FOLLOW_UP, Lane.BULK)
"""The lanes of messages, the one that is served first in front."""
