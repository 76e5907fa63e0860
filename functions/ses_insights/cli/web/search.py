"""One box: a message id in any form, an address in any spelling, or a status; and by day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Final

from botocore.exceptions import ClientError

from ses_insights.adapters.items import from_item, to_item
from ses_insights.cli.errors import WrongUsageError
from ses_insights.cli.search import WITHOUT_RECIPIENT, Days, day
from ses_insights.cli.web.paging import Listing, Page
from ses_insights.cli.web.reading import SharedDeployment
from ses_insights.contracts.names import Index
from ses_insights.contracts.queue_message import BodyError, read_body
from ses_insights.contracts.rows import MESSAGE, Row
from ses_insights.domain.status import Status
from ses_insights.service.erase import addresses

LONGEST: Final = 2_000
"""Characters that the box takes: an SES event is longer, its id need not be pasted with it."""


_SPOKEN: Final = {
    "BOUNCE": Status.PERMANENT_BOUNCE,
    "BOUNCED": Status.PERMANENT_BOUNCE,
    "HARD_BOUNCE": Status.PERMANENT_BOUNCE,
    "SOFT_BOUNCE": Status.TRANSIENT_BOUNCE,
    "COMPLAINED": Status.COMPLAINT,
    "SPAM": Status.COMPLAINT,
    "OPEN": Status.OPENED,
    "CLICK": Status.CLICKED,
}
"""What people call a status."""


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
    if "@" in typed:
        return replace(asked, address=typed.removeprefix("<").removesuffix(">"))
    raise WrongUsageError(
        "This is no message id, no address and no status. An id has 16 to 128 letters, digits, "
        f"dashes and underscores; the statuses are {', '.join(Status)}."
    )


def _status(text: str) -> Status | None:
    word = text.strip().upper().replace(" ", "_").replace("-", "_")
    return Status(word) if word in set(Status) else _SPOKEN.get(word)


def listing(asked: Asked) -> Listing:
    """Say where the recipients are that somebody looks for."""
    period = (asked.days.since, asked.days.until) if asked.days else None
    if asked.address:
        status = asked.status
        return Listing(
            Index.BY_DESTINATION,
            addresses(asked.address),
            period,
            (lambda row: row["Status"] == status) if status else None,
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
        if "AccessDenied" not in str(error.response.get("Error", {}).get("Code")):
            raise
        return Found(page, {}, subjects_denied=True)


def _subjects(deployment: SharedDeployment, rows: Sequence[Row]) -> dict[str, str]:
    """Read the subjects of up to a hundred messages; what DynamoDB leaves out stays empty."""
    ids = dict.fromkeys(str(row["MessageId"]) for row in rows)
    if not ids:
        return {}
    wanted: Any = {
        "Keys": [to_item({"MessageId": each, "Record": MESSAGE}) for each in ids],
        "ProjectionExpression": "MessageId, Subject",
    }
    answer = deployment.dynamodb.batch_get_item(RequestItems={deployment.table_name: wanted})
    found = map(from_item, answer["Responses"].get(deployment.table_name, []))
    return {str(row["MessageId"]): str(row.get("Subject", "")) for row in found}
