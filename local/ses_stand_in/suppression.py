"""The account's suppression list: what puts an address on it, and what it says. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from heapq import heappop, heappush
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from local.ses_stand_in.stories import Event

LISTED_AFTER: Final = timedelta(milliseconds=35)
"""From a bounce or complaint until its address is listed, as in the one real entry known."""

LONGEST_PAGE: Final = 1000

_PLACE: Final = re.compile(r"[0-9a-f]{64}")


class Reason(StrEnum):
    """Why an address is listed."""

    BOUNCE = "BOUNCE"
    COMPLAINT = "COMPLAINT"


class UnknownTokenError(Exception):
    """A NextToken is none that this list gave out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An address on the list."""

    address: str
    reason: Reason
    at: datetime
    message_id: str
    """Of the mail that put it there."""

    @property
    def feedback_id(self) -> str:
        """The id SES gives to what came back, in the form of its message ids."""
        unique = uuid5(NAMESPACE_URL, f"{self.message_id}/{self.address}")
        return f"{self.message_id[:16]}-{unique}-000000"

    @property
    def place(self) -> str:
        """Where it stands among the others: in no order that a reader could rely on."""
        return _place(self.address)


@dataclass(frozen=True, slots=True, order=True)
class Coming:
    """A bounce or complaint that will put an address on the list, unless it is there already."""

    at: datetime
    """In the time of the stories."""
    address: str
    reason: Reason
    message_id: str


@dataclass(slots=True)
class SuppressionList:
    """Who is listed, and what will list others. Times of the list are those of the clock."""

    _listed: dict[str, Listed] = field(default_factory=dict)
    _coming: list[Coming] = field(default_factory=list)
    _settled_at: datetime | None = None

    def expect(self, coming: Iterable[Coming]) -> None:
        """Take what will become of a mail that was sent."""
        for each in coming:
            heappush(self._coming, each)

    def settle(self, now: datetime, *, ahead: timedelta, reasons: Iterable[str]) -> None:
        """List what has happened by now; stories are `ahead` of the clock.

        An address is listed once, and only for one of the reasons that are on. What a jump in time
        has made happen is listed at the jump: the list never tells of a time before the last look
        at it.
        """
        while self._coming and self._coming[0].at + LISTED_AFTER <= now + ahead:
            each = heappop(self._coming)
            if each.reason not in reasons or _key(each.address) in self._listed:
                continue
            at = each.at + LISTED_AFTER - ahead
            self._listed[_key(each.address)] = Listed(
                address=each.address,
                reason=each.reason,
                at=max(at, self._settled_at or at),
                message_id=each.message_id,
            )
        self._settled_at = now

    def find(self, address: str) -> Listed | None:
        """The entry of an address, whatever its capitals."""
        return self._listed.get(_key(address))

    def remove(self, address: str) -> bool:
        """Take an address off the list; returns whether it was there."""
        return self._listed.pop(_key(address), None) is not None

    def page(
        self,
        *,
        reasons: Iterable[str],
        since: datetime | None,
        until: datetime | None,
        size: int,
        token: str | None,
    ) -> tuple[list[Listed], str | None]:
        """One page, and the token of the next one if there is more.

        Pages go by hashes of the addresses. So a page is in no order of time, and what is listed
        between two pages can be on either side of the token: as with SES, which promises nothing.

        Raises UnknownTokenError.
        """
        if token is not None and not _PLACE.fullmatch(token):
            raise UnknownTokenError
        found = sorted(
            (
                each
                for each in self._listed.values()
                if each.reason in reasons and _is_within(each.at, since, until)
            ),
            key=lambda each: each.place,
        )
        left = [each for each in found if token is None or each.place > token]
        shown = left[:size]
        return shown, shown[-1].place if len(left) > size else None


def listing(events: Iterable[Event]) -> Iterator[tuple[timedelta, Reason]]:
    """When, after the send, and why these events put their destination on the list.

    Permanent bounces do, and complaints, but for those that come only because it is there.
    """
    for event in events:
        detail = next(iter((event.details or {}).values()), {})
        sub_type = detail.get("BounceSubType") or detail.get("ComplaintSubType") or ""
        if sub_type.replace("_", "").lower() == "onaccountsuppressionlist":
            continue
        if event.type == "COMPLAINT":
            yield event.after, Reason.COMPLAINT
        elif event.type == "BOUNCE" and detail.get("BounceType") == "PERMANENT":
            yield event.after, Reason.BOUNCE


def _place(address: str) -> str:
    return sha256(_key(address).encode()).hexdigest()


def _key(address: str) -> str:
    return address.lower()


def _is_within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (since is None or since <= at) and (until is None or at <= until)
