"""One box: a message id in any form, an address in any spelling, or a status; and by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from botocore.exceptions import ClientError

from ses_insights.adapters.aws_errors import error_code, is_denied
from ses_insights.cli.errors import WrongUsageError
from ses_insights.cli.options import status_meant
from ses_insights.cli.search import WITHOUT_RECIPIENT, Days, day
from ses_insights.cli.web.paging import Listing, Page
from ses_insights.cli.web.reading import SharedDeployment
from ses_insights.contracts.addresses import bare, spellings
from ses_insights.contracts.names import Index
from ses_insights.contracts.queue_message import BodyError, read_body
from ses_insights.contracts.rows import Row
from ses_insights.domain.status import Status

LONGEST: Final = 2_000
"""Characters that the box takes: an SES event is longer, its id need not be pasted with it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody looks for."""

    text: str = ""
    """As it was typed."""
    message_id: str = ""
    address: str = ""
    status: Status | None = None
    on: str = ""
    """The day as it was typed; empty for every day."""
    days: Days | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing was asked."""
        return not (self.message_id or self.address or self.status)

    @property
    def has_no_index(self) -> bool:
        """Whether it asks for messages of which SES has named no recipient."""
        return self.status in WITHOUT_RECIPIENT


def read(text: str, status: str, on: str, today: date) -> Asked:
    """Read what was typed. Raises `WrongUsageError`."""
    typed, asked = text.strip(), Asked(text=text.strip(), on=on.strip())
    if len(typed) > LONGEST:
        raise WrongUsageError("This is too long: give a message id, an address or a status.")
    if asked.on:
        which = day(asked.on, today)
        asked = replace(asked, on=which.isoformat(), days=Days(which, which))
    if status:
        asked = replace(asked, status=_status(status))
    if not typed:
        return asked
    if found := _status(typed):
        # The box wins over the list beside it.
        return replace(asked, status=found)
    try:
        return replace(asked, message_id=read_body(typed).message_id)
    except BodyError:
        pass
    if "@" in bare(typed):
        return replace(asked, address=typed)
    raise WrongUsageError(
        "This is no message id, no address and no status. An id has 16 to 128 letters, digits, "
        f"dashes and underscores; the statuses are {', '.join(Status)}."
    )


def _status(text: str) -> Status | None:
    """Read a status, also as people call it; None where it is none."""
    return status_meant(text)


def listing(asked: Asked) -> Listing:
    """Say where the recipients are that somebody looks for."""
    period = (asked.days.since, asked.days.until) if asked.days else None
    if asked.address:
        return Listing(
            Index.BY_DESTINATION,
            spellings(asked.address),
            period,
            # A row without a status only says that the suppression list names the address.
            lambda row: "Status" in row and asked.status in {None, row["Status"]},
        )
    return Listing(Index.BY_STATUS, [str(asked.status)], period)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of recipients, with the subjects of their mail."""

    page: Page
    subjects: dict[str, str]
    """By message id."""
    subjects_denied: bool = False


def find(deployment: SharedDeployment, asked: Asked, place: str | None) -> Found:
    """Read a page of results: a query, and one call for the subjects."""
    page = listing(asked).page(deployment, place)
    try:
        return Found(page, _subjects(deployment, page.rows))
    except ClientError as error:
        if not is_denied(error_code(error)):
            raise
        return Found(page, {}, subjects_denied=True)


def _subjects(deployment: SharedDeployment, rows: Sequence[Row]) -> dict[str, str]:
    ids = list(dict.fromkeys(str(row["MessageId"]) for row in rows))
    found = deployment.message_rows(ids, "Subject")
    return {message_id: str(row.get("Subject", "")) for message_id, row in found.items()}
