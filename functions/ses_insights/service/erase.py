"""Which rows are deleted when a person's data is erased, and which stays so that no look adds any.

Pure. SES answers for a message for weeks. So the message's own row stays, without anything of the
mail, until SES itself has forgotten it, and every look leaves it as it is (decision record 11).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from ses_insights.contracts.addresses import canonical
from ses_insights.contracts.rows import ALERT, DESTINATION, LISTED, MESSAGE, Row
from ses_insights.domain.schedule import SES_KEEPS
from ses_insights.domain.times import iso

SUMMARY: Final = "Erased on request."

FINAL: Final = (
    "What was stored of a recipient was erased on request. It is not looked at again, whatever "
    "asks for it."
)

_STAYS: Final = (
    *("MessageId", "Record", "Status", "SentAt", "Looks", "FirstLookAt", "LastLookAt"),
    *("Shed", "ErasedAt", "ExpiresAt"),
)
"""Counts and times: they are about the service's work, and hold nothing of the mail."""


def address_of(row: Row) -> str | None:
    """Return the recipient that a row is about, as it is stored; None for a message's own row."""
    found = row.get("Destination", row.get("Of"))
    return None if found is None else str(found)


def is_about(row: Row, address: str) -> bool:
    """Whether a row is about an address, in whatever spelling."""
    stored = address_of(row)
    return stored is not None and canonical(stored) == canonical(address)


def rows_about(rows: Sequence[Row], address: str) -> tuple[Row, ...]:
    """Return the rows of a message that are to be deleted; those by which it is found come last."""
    about = [row for row in rows if is_about(row, address)]
    return tuple(sorted(about, key=lambda row: _is(row, DESTINATION) or _is(row, LISTED)))


def alerts_that_stay(rows: Sequence[Row], address: str) -> tuple[Row, ...]:
    """Return the alerts of other recipients that hold something of the mail itself."""
    return tuple(
        row for row in rows if _is(row, ALERT) and not is_about(row, address) and "EmailTags" in row
    )


def tombstone(rows: Sequence[Row], now: datetime) -> Row:
    """Return the row that stays of a message, from its rows; at least one must be there.

    Where a look has been stored in part, and its message's own row is missing, one is made up: then
    the look that comes back finds it.
    """
    message = next((row for row in rows if row["Record"] == MESSAGE), None)
    if message is None:
        some = next((row for row in rows if _is(row, DESTINATION)), rows[0])
        message = {"Status": "SENT", "SentAt": iso(now), "Looks": 0} | some
        # Until SES has forgotten the mail, however soon that row would have gone.
        known = int((now + SES_KEEPS + timedelta(days=1)).timestamp())
        message |= {"ExpiresAt": max(known, int(some["ExpiresAt"]))}
    kept = {name: message[name] for name in _STAYS if name in message}
    return {
        "ErasedAt": iso(now),
        **kept,
        "Record": MESSAGE,
        "EmailTags": {},
        "Summary": SUMMARY,
        "Final": FINAL,
    }


def _is(row: Row, prefix: str) -> bool:
    return str(row["Record"]).startswith(prefix)
