"""Reading the account's suppression list: what bounced or drew a complaint, by name.

For each new address SES names the message; a row beside that message says so, and the message joins
the queue for a look. Only then is the address done. So whatever stops a run, the next one does
again what was in hand; twice is harmless: the row is the same, and the look is skipped where the
event is known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ses_insights.contracts.queue_message import BodyError, read_body
from ses_insights.domain.due import HELD_FOR
from ses_insights.domain.failures import FailureKind, SystemFailure, as_failure
from ses_insights.domain.listing import Listing
from ses_insights.domain.suppression import MOST_THROTTLED, Entry, Progress
from ses_insights.domain.times import iso
from ses_insights.service.ports import (
    FeedbackQueue,
    Listings,
    RecordChangedError,
    SuppressionList,
)
from ses_insights.service.telemetry import FollowUpTelemetry

MOST_PAGES: Final = 10
"""Pages of the list, one a second, that a run reads before it shortens the time it reads."""

_SHORTER: Final = 8
"""By what the time is divided then."""

ASKED_EVERY: Final = timedelta(hours=1)
"""How often the account is asked for which reasons it lists addresses."""

PERIOD: Final = timedelta(seconds=1)
"""Between two calls to SES, also those of two runs."""


@dataclass(slots=True)
class FeedbackReader:
    """Puts into the queue what SES lists."""

    suppression_list: SuppressionList
    listings: Listings
    queue: FeedbackQueue
    telemetry: FollowUpTelemetry
    now: Callable[[], datetime]
    _asked_at: datetime | None = None

    def check(self, check_time: Callable[[], None]) -> None:
        """Say, once an hour, for which reasons the account lists no address.

        Raises `SystemFailure`, and what `check_time` raises.
        """
        now = self.now()
        if self._asked_at is not None and now - self._asked_at < ASKED_EVERY:
            return
        check_time()
        try:
            off = self.suppression_list.reasons_off()
        except SystemFailure as failed:
            if failed.kind is not FailureKind.SES_THROTTLED:
                raise
            self.telemetry.throttled()
            return
        self._asked_at = now
        if off:
            self.telemetry.list_off(off)

    def read(self, check_time: Callable[[], None]) -> None:
        """Put into the queue what was listed since the last run, as far as there is time.

        Raises `SystemFailure`, and what `check_time` raises.
        """
        now = self.now()
        progress = self.listings.progress() or Progress.first(now)
        if progress.is_held(now):
            return
        held = replace(progress, held_until=now + HELD_FOR)
        try:
            held = replace(held, version=self.listings.save_progress(held))
        except RecordChangedError:
            return  # another run was faster
        run = _Run(self, held, now, check_time)
        try:
            run.work()
        finally:
            ended = replace(run.progress(), held_until=self.now() + PERIOD)
            with suppress(RecordChangedError):  # it took so long that another run has begun
                self.listings.save_progress(ended)
        if run.throttled and ended.throttled_runs >= MOST_THROTTLED:
            raise SystemFailure(
                FailureKind.SES_THROTTLED,
                f"the suppression list: throttled in {ended.throttled_runs} runs in a row",
            )


@dataclass(slots=True)
class _Run:
    """What one run does, and how far it came."""

    of: FeedbackReader
    began_with: Progress
    began_at: datetime
    check_time: Callable[[], None]
    until: datetime | None = None
    """Up to when the list was read; None while it is not read."""
    new: Sequence[Entry] = ()
    done: int = 0
    sent: int = 0
    throttled: bool = False

    def work(self) -> None:
        """Read the list, and go through what is new."""
        try:
            self._read()
            for entry in self.new:
                self.check_time()
                self._handle(entry)
                self.done += 1
        except SystemFailure as failed:
            if failed.kind is not FailureKind.SES_THROTTLED:
                raise
            self.throttled = True
            self.of.telemetry.throttled()

    def progress(self) -> Progress:
        """Return what this run leaves for the next."""
        after = self.began_with.counted(self.sent, self.began_at)
        throttled_runs = after.throttled_runs + 1 if self.throttled else 0
        after = replace(after, throttled_runs=throttled_runs)
        if self.until is None:
            return after
        return after.after(self.new, self.done, listed_at=self.began_at, until=self.until)

    def _read(self) -> None:
        """Read the list up to now, or, where that is too much for a run, up to a time before.

        Nothing is known of the order of the pages, so none is of use without the others.
        """
        since, until = self.began_with.read_to, None
        while True:
            entries, is_all = self._pages(since, until)
            if is_all:
                break
            until = since + ((until or self.began_at) - since) / _SHORTER
        self.new = self.began_with.new_in(entries)
        self.until = until or self.began_at

    def _pages(self, since: datetime, until: datetime | None) -> tuple[Sequence[Entry], bool]:
        """Return what was listed between, and whether it is all."""
        entries: list[Entry] = []
        token = None
        for _ in range(MOST_PAGES):
            self.check_time()
            page = self.of.suppression_list.page(since=since, until=until, token=token)
            entries += page.entries
            token = page.next_token
            if token is None:
                return entries, True
        return entries, False

    def _handle(self, entry: Entry) -> None:
        """Do what one entry asks for; an unexpected error about it does not stop the others."""
        try:
            self._enqueue(entry)
        except SystemFailure:
            raise
        except Exception as error:  # noqa: BLE001 - logged and counted; it would fail every time
            self.of.telemetry.failed(as_failure(error))

    def _enqueue(self, entry: Entry) -> None:
        found = self.of.suppression_list.look_up(entry.address)
        message_id = _message_id(found.message_id) if found else None
        if found is None or found.reason is None or message_id is None:
            self.of.telemetry.listed_without_id()
            return
        listing = Listing(entry.address, found.reason, iso(found.listed_at))
        if not self.of.listings.put(message_id, listing):
            return  # erased: it is never published
        self.of.queue.send_due(message_id, listing)
        self.sent += 1
        lag = (self.of.now() - found.listed_at).total_seconds()
        self.of.telemetry.listed(message_id, found.reason, lag=lag)


def _message_id(text: str | None) -> str | None:
    """Return the id that the list names; None where it names none that could be looked up."""
    try:
        return read_body(text or "").message_id
    except BodyError:
        return None
