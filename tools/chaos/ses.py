"""SES in memory: its truth about each mail, its suppression list, one call a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil
from typing import Any, Final

from botocore.exceptions import ClientError

from tools.chaos.calls import Caller, Meta, refusal
from tools.chaos.world import DAY, Process, World

KEEPS: Final = 30 * DAY
_ANSWERS: Final = frozenset({"NotFoundException", "BadRequestException"})
"""Errors that say something about a mail."""
LIST_PAGE: Final = 2
"""Entries on a page of the list at most: few, so that there are pages."""
LIST_PAGES: Final = 8
"""Pages of the list at most: a run reads ten, and the mail of a run is listed at one moment."""
TRAVELS: Final = 0.025
"""Seconds within which a request has to arrive so that the pace can keep the period."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens to a mail."""

    at: float
    """When it happens, and stands as its time."""
    type: str
    details: Mapping[str, Any] | None = None
    shown_after: float = 0.0
    """How many seconds later SES shows it."""


@dataclass(slots=True)
class Mail:
    """A mail as SES knows it."""

    id: str
    sent_at: float
    indexed_at: float
    """From when on SES shows it; infinite where it never does."""
    sender: str
    subject: str
    tags: Mapping[str, str]
    recipients: Mapping[str, tuple[str, list[Event]]]
    """Provider and events by address."""
    is_malformed: bool = False
    """Whether SES says that this is no message id."""
    fails_until: float = 0.0
    """Until when SES answers 500 for it alone."""


@dataclass(slots=True)
class Arrival:
    """A request that reached SES."""

    at: float
    mail: str
    by: Process
    was_slow: bool
    was_taken: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """An address on the suppression list."""

    address: str
    reason: str
    mail: str
    at: float
    shown_from: float


def listed_because_of(mails: Iterable[Mail]) -> list[Listed]:
    """Return what the list gets because of these mails: each address once, for what came first."""
    found: dict[str, Listed] = {}
    for mail in mails:
        for address, (_, events) in mail.recipients.items():
            for event in events:
                details: Any = event.details or {}
                bounces = details.get("Bounce", {}).get("BounceType") == "PERMANENT"
                if not bounces and event.type != "COMPLAINT":
                    continue
                reason = "BOUNCE" if bounces else "COMPLAINT"
                entry = Listed(address, reason, mail.id, event.at, event.at + 5.0)
                if address not in found or entry.at < found[address].at:
                    found[address] = entry
    return sorted(found.values(), key=lambda entry: entry.at)


@dataclass(slots=True)
class Mailbox:
    """What SES knows."""

    world: World
    period: float = 1.0
    mails: dict[str, Mail] = field(default_factory=dict)
    arrivals: list[Arrival] = field(default_factory=list)
    on_arrival: list[Callable[[Arrival], None]] = field(default_factory=list)
    on_answer: list[Callable[[str, Any, Process], None]] = field(default_factory=list)
    """Told of each answer that reached a process: what SES shows, or None."""
    listed: list[Listed] = field(default_factory=list)
    on_list: list[Callable[[str, float, bool], None]] = field(default_factory=list)
    """Told of each call about the list: the operation, when it arrived, whether it was slow."""
    _taken_at: dict[str, float] = field(default_factory=dict)
    """When each operation's last call was taken."""

    def arrive(self, mail_id: str, process: Process, left_at: float) -> dict[str, Any]:
        """Answer, or refuse."""
        now = self.world.now
        taken = self.takes("GetMessageInsights")
        arrival = Arrival(now, mail_id, process, now - left_at > TRAVELS, taken)
        self.arrivals.append(arrival)
        for watch in self.on_arrival:
            watch(arrival)
        if not taken:
            raise refusal("TooManyRequestsException", "GetMessageInsights", 429)
        mail = self.mails.get(mail_id)
        if mail is not None and now < mail.fails_until:
            raise refusal("InternalServiceErrorException", "GetMessageInsights", 500)
        answer = self._answer(mail)
        if isinstance(answer, str):
            status = 400 if answer == "BadRequestException" else 404
            raise refusal(answer, "GetMessageInsights", status)
        return answer

    def takes(self, operation: str) -> bool:
        """Whether a call that arrives is taken: each operation has a limit of its own."""
        now = self.world.now
        if now - self._taken_at.get(operation, 0.0) < self.period - 1e-6:
            return False
        self._taken_at[operation] = now
        return True

    def shown(self) -> list[Listed]:
        """Return the list as it is shown now."""
        return [entry for entry in self.listed if entry.shown_from <= self.world.now]

    def _answer(self, mail: Mail | None) -> dict[str, Any] | str:
        now = self.world.now
        if mail is not None and mail.is_malformed:
            return "BadRequestException"
        if mail is None or now < mail.indexed_at or now > mail.sent_at + KEEPS:
            return "NotFoundException"
        return {
            "MessageId": mail.id,
            "FromEmailAddress": mail.sender,
            "Subject": mail.subject,
            "EmailTags": [{"Name": name, "Value": value} for name, value in mail.tags.items()],
            "Insights": [
                {"Destination": address, "Isp": isp, "Events": _shown(events, now)}
                for address, (isp, events) in mail.recipients.items()
            ],
        }


def _shown(events: list[Event], now: float) -> list[dict[str, Any]]:
    return [
        {
            "Timestamp": datetime.fromtimestamp(event.at, UTC),
            "Type": event.type,
            **({"Details": event.details} if event.details else {}),
        }
        for event in events
        if event.at + event.shown_after <= now
    ]


@dataclass(slots=True)
class Ses:
    """The client."""

    caller: Caller
    mailbox: Mailbox

    @property
    def meta(self) -> Meta:
        """What boto3 knows of the client: its hooks."""
        return self.caller.meta

    def get_message_insights(self, *, MessageId: str) -> dict[str, Any]:  # noqa: N803
        """Ask about a mail."""
        caller, mailbox = self.caller, self.mailbox
        try:
            answer = caller.call(
                "GetMessageInsights",
                lambda: mailbox.arrive(MessageId, caller.process, caller.left_at),
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in _ANSWERS:
                self._tell(MessageId, None)
            raise
        self._tell(MessageId, answer)
        return answer

    def list_suppressed_destinations(self, **request: Any) -> dict[str, Any]:
        """Read a page of the list."""

        def effect() -> dict[str, Any]:
            since, until = request["StartDate"], request.get("EndDate")
            found = [
                entry
                for entry in self.mailbox.shown()
                if entry.at >= since.timestamp() and (not until or entry.at <= until.timestamp())
            ]
            first = int(request.get("NextToken", "0"))
            longest = max(LIST_PAGE, ceil(len(self.mailbox.listed) / LIST_PAGES))
            end = first + min(request.get("PageSize", longest), longest)
            page = {
                "SuppressedDestinationSummaries": [
                    {
                        "EmailAddress": entry.address,
                        "Reason": entry.reason,
                        "LastUpdateTime": datetime.fromtimestamp(entry.at, UTC),
                    }
                    for entry in found[first:end]
                ]
            }
            return {**page, "NextToken": str(end)} if end < len(found) else page

        return self._about_list("ListSuppressedDestinations", effect)

    def get_suppressed_destination(self, *, EmailAddress: str) -> dict[str, Any]:  # noqa: N803
        """Ask why an address is listed."""

        def effect() -> dict[str, Any]:
            for entry in self.mailbox.shown():
                if entry.address == EmailAddress:
                    return {
                        "SuppressedDestination": {
                            "EmailAddress": entry.address,
                            "Reason": entry.reason,
                            "LastUpdateTime": datetime.fromtimestamp(entry.at, UTC),
                            "Attributes": {"MessageId": entry.mail, "FeedbackId": "f"},
                        }
                    }
            raise refusal("NotFoundException", "GetSuppressedDestination", 404)

        return self._about_list("GetSuppressedDestination", effect)

    def get_account(self) -> dict[str, Any]:
        """Ask for which reasons addresses are listed."""
        reasons = ["BOUNCE", "COMPLAINT"]
        answer: dict[str, Any] = {"SuppressionAttributes": {"SuppressedReasons": reasons}}
        return self._about_list("GetAccount", lambda: answer)

    def _about_list(self, operation: str, effect: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        def arrive() -> dict[str, Any]:
            now = self.mailbox.world.now
            for told in self.mailbox.on_list:
                told(operation, now, now - self.caller.left_at > TRAVELS)
            if not self.mailbox.takes(operation):
                raise refusal("TooManyRequestsException", operation, 429)
            return effect()

        return self.caller.call(operation, arrive)

    def _tell(self, mail_id: str, answer: dict[str, Any] | None) -> None:
        for told in self.mailbox.on_answer:
            told(mail_id, answer, self.caller.process)
