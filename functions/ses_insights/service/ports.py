"""What looks and follow-ups need of the outside, named by role; `adapters` implements it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Protocol

from ses_insights.contracts.alert_message import Notification
from ses_insights.contracts.queue_message import QueueMessage
from ses_insights.domain.alert import Alert
from ses_insights.domain.due import Claim, DueRow, QueueDepth, Waiting
from ses_insights.domain.lanes import Lane
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.overload import Drop, Reschedule
from ses_insights.domain.record import Answer, Record
from ses_insights.domain.suppression import Page, Progress, Suppressed
from ses_insights.domain.surge import Example, Finding, Group, Summary, Surge


class Source(Protocol):
    """What knows what became of a message: SES."""

    def ask(self, message_id: str) -> Answer:
        """Ask once, at the pace. Raises `SystemFailure`."""


class Records(Protocol):
    """Where records are kept: the table."""

    def load(self, message_id: str) -> Record | None:
        """Return everything stored of a message. Raises `SystemFailure`."""

    def listings(self, message_id: str) -> Sequence[Listing]:
        """Return where the suppression list names a message that is not stored.

        A record that is stored has them with it. Raises `SystemFailure`.
        """
        ...

    def save(
        self,
        record: Record,
        new_alerts: Sequence[Alert],
        *,
        read: Record | None,
        surges: Sequence[Surge] = (),
    ) -> None:
        """Store a record and its new alerts, together, over the one that was read.

        Raises `RecordChangedError` where another writer stored one since, and `SystemFailure`.
        """

    def claim(self, message_id: str, alert: Alert, *, at: str) -> bool:
        """Note that somebody sets out to publish a pending alert; False where others did since.

        Also where it is published or erased since. Raises `SystemFailure`.
        """

    def mark_published(self, message_id: str, alert: Alert) -> None:
        """Store when and as what an alert was published. Raises `SystemFailure`."""


class RecordChangedError(Exception):
    """Another writer was faster: read again and decide again."""


class Subscribers(Protocol):
    """Those who get the alerts: the alert topic."""

    def publish(self, notification: Notification) -> str:
        """Publish, and return SNS's message id. Raises `SystemFailure`."""


class SentCounts(Protocol):
    """How many due looks joined the queue lately: counts in the table.

    Everything raises `SystemFailure`.
    """

    def count_sent(self, number: int, now: datetime) -> None:
        """Count so many due looks."""

    def sent_since(self, moment: datetime) -> int:
        """Return how many joined since then, to the minute, rather too many than too few."""


class ProducerQueue(Protocol):
    """The end of the queue, where due looks join it."""

    def depth(self) -> QueueDepth:
        """Return how many messages it holds. Raises `SystemFailure`."""

    def send(self, claims: Sequence[Claim]) -> Sequence[Claim]:
        """Put up to ten due looks into the queue; returns those that it refused.

        Raises `SystemFailure` where it took none.
        """


class FeedbackQueue(Protocol):
    """The end of the queue, where that joins it of which SES says that something happened."""

    def send_due(self, message_id: str, listing: Listing) -> None:
        """Put a message into the queue because of a listing. Raises `SystemFailure`."""


class SuppressionList(Protocol):
    """The account's suppression list. Everything raises `SystemFailure`."""

    def page(self, *, since: datetime, until: datetime | None, token: str | None) -> Page:
        """Return a page of what was listed from ``since`` on, and perhaps some that was before.

        The pages are in no order. ``until`` is None for the present.
        """
        ...

    def look_up(self, address: str) -> Suppressed | None:
        """Return why an address is listed; None where it is listed no more."""

    def reasons_off(self) -> AbstractSet[Feedback]:
        """Return the reasons for which the account lists no address."""
        ...


class Listings(Protocol):
    """What the suppression list says, as the table keeps it. Everything raises `SystemFailure`."""

    def progress(self) -> Progress | None:
        """Read how far the list is read; None before the first run."""

    def save_progress(self, progress: Progress) -> int:
        """Store how far the list is read, over the version that was read; returns the new one.

        Raises `RecordChangedError` where another run stored it since.
        """
        ...

    def put(self, message_id: str, listing: Listing) -> bool:
        """Store a listing beside its message; False where the message was erased."""
        ...


class ConsumerQueue(Protocol):
    """The head of the queue: what can be done with a message besides a look."""

    def defer(self, message: QueueMessage) -> int:
        """Let the message come back to the head after a growing time; returns the seconds.

        Raises `SystemFailure`; then it comes back by its visibility timeout.
        """

    def regroup(self, message: QueueMessage) -> None:
        """Put a copy into the queue, in the one message group. Raises `SystemFailure`."""

    def park(self, message: QueueMessage, reason: str) -> None:
        """Put a copy into the dead-letter queue, the body as it came. Raises `SystemFailure`."""


class DueRows(Protocol):
    """The rows that wait, in lanes by time: the table's sparse index.

    What changes a row returns False, and changes nothing, where the row no longer waits for the
    time that was read. Everything raises `SystemFailure`.
    """

    def count(self, lane: Lane, *, until: str, most: int) -> int:
        """Count the rows that are due; stops at `most`."""

    def oldest(self, lane: Lane, *, until: str) -> Waiting | None:
        """Return the row that has been due for longest; None where none is due."""

    def due(self, lane: Lane, *, until: str) -> Iterator[Sequence[Waiting]]:
        """Return the rows that are due, the oldest first, page by page."""

    def beyond(self, lane: Lane, *, after: str) -> Sequence[Waiting]:
        """Return some rows whose time sorts after all valid times."""

    def details(self, rows: Sequence[Waiting]) -> Mapping[str, DueRow]:
        """Return what is known of a page of messages now, by message id; some may be left out."""

    def claim(self, row: Waiting, *, until: str) -> bool:
        """Let a row wait until then."""

    def release(self, row: Waiting, *, claimed_until: str) -> bool:
        """Undo a claim."""

    def apply(self, row: Waiting, decision: Reschedule | Drop) -> bool:
        """Let a row wait for a later look, or for none."""


class Capacity(Protocol):
    """How scarce looks are."""

    def late(self) -> timedelta:
        """Return how late the oldest essential look is. Raises `SystemFailure`."""

    def held_up(self, waited: timedelta) -> bool:
        """Whether the messages in front, and no outage, made a message wait too long.

        Raises `SystemFailure`.
        """


class Groups(Protocol):
    """How many alerts of a kind came lately, as the look that adds to them needs it."""

    def load(self, group: Group) -> Surge | None:
        """Read a group. Raises `SystemFailure`."""
        ...


class Surges(Protocol):
    """Surges and their summaries, as followups needs them. Everything raises `SystemFailure`.

    What is stored replaces only the version that was read; `RecordChangedError` where it is older.
    """

    def load_key(self, key: str) -> Surge | None:
        """Read the group of a row of the index."""
        ...

    def findings(self, group: Group, *, since: str, until: str) -> Iterable[Finding]:
        """Read the alerts of a group detected from ``since`` to before ``until``."""
        ...

    def save_summary(self, summary: Summary, surge: Surge) -> None:
        """Store a pending summary and its group, together."""
        ...

    def load_summary(self, key: str) -> Summary | None:
        """Read a stored summary."""
        ...

    def destinations(self, examples: Sequence[Example]) -> Sequence[tuple[str, str]]:
        """Look up message id and destination of examples; erased ones are left out."""
        ...

    def mark_published(self, summary: Summary) -> None:
        """Note when and as what a summary was published."""
        ...
