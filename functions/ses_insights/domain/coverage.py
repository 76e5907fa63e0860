"""Whether SES shows the messages it is asked for: one value for each message.

A fresh message that SES does not show yet says nothing: insights come minutes after the mail. A
message that is still not shown an hour later says that something is wrong with it, and most
messages of an hour together say that something is wrong with the account, the Region or Virtual
Deliverability Manager.

Those that SES shows count at the same age as those it does not. Counted at their first look, the
few that SES never shows would stand alone after a burst, and look like all of them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from ses_insights.domain.lanes import Lane
from ses_insights.domain.record import Record
from ses_insights.domain.status import Status
from ses_insights.domain.times import instant

SHOWN_WITHIN: Final = timedelta(hours=1)
"""Since a message was sent. Not documented by AWS: minutes, under an hour where it was tried."""


def newly_covered(before: Record | None, after: Record) -> bool | None:
    """Return whether SES shows the message, at the look that settles it; None at every other look.

    ``before`` and ``after`` are the records around the look. A message that was settled before, or
    whose id SES refuses, has no value. Nor has one that SES does not show and whose recipients it
    lists: mail to several recipients is found that way, and nobody enqueued it.
    """
    if after.status is Status.INVALID or (before is not None and _is_settled(before)):
        return None
    if after.status is Status.NOT_FOUND and after.listings:
        return None
    return after.status is not Status.NOT_FOUND if _is_settled(after) else None


def _is_settled(record: Record) -> bool:
    """Whether SES was asked when it should have shown the message, or for the last time."""
    if record.last_look_at is None:
        return False
    if record.final is not None or record.lane is Lane.BULK:  # what comes in bulk is not fresh
        return True
    return instant(record.last_look_at) - instant(record.sent_at) >= SHOWN_WITHIN
