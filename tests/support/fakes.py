"""The world around a look, in memory: a clock, the ports, and their failures.

`test_table.py` runs the contract of `Records` against `FakeRecords` and the real table alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from ses_insights.contracts.alert_message import Notification
from ses_insights.domain.alert import Alert
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.listing import Listing
from ses_insights.domain.record import Answer, Record
from ses_insights.domain.surge import Surge
from ses_insights.service.ports import RecordChangedError
from tests.support.surges import FakeSurges

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_sqs import SQSClient

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


class Killed(BaseException):
    """The process is gone: no handler of ordinary errors runs."""


@dataclass(slots=True)
class Clock:
    """A monotonic and a wall clock that move only when a test, or a sleep, moves them."""

    monotonic: float = 1000.0
    wall: float = START.timestamp()
    slept: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        """Pass time; a wait that would never end, or is none, fails."""
        assert math.isfinite(seconds), "a wait without end"
        assert seconds > 0, "a wait of nothing"
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let both clocks move."""
        self.monotonic += seconds
        self.wall += seconds

    def read(self) -> float:
        """The monotonic clock."""
        return self.monotonic

    def read_wall(self) -> float:
        """The wall clock."""
        return self.wall

    def now(self) -> datetime:
        """The wall clock, as an instant."""
        return datetime.fromtimestamp(self.wall, UTC)


@dataclass(slots=True)
class Moments:
    """The moments of a look, before and after every effect, and what happens at one of them."""

    passed: list[str] = field(default_factory=list)
    fails_at: int | None = None
    """Index of the moment at which `error` strikes, once."""
    error: BaseException = field(default_factory=Killed)
    before: dict[str, Callable[[], None]] = field(default_factory=dict)
    """What somebody else does right before a moment, once."""

    def reach(self, moment: str) -> None:
        """Pass a moment, or fail there."""
        if meanwhile := self.before.pop(moment, None):
            meanwhile()
        self.passed.append(moment)
        if len(self.passed) - 1 == self.fails_at:
            raise self.error


@dataclass(slots=True)
class FakeSource:
    """SES: answers from a list, the last one for ever."""

    moments: Moments
    answers: list[Answer | Exception]
    asked: list[str] = field(default_factory=list)

    def ask(self, message_id: str) -> Answer:
        """Answer, or raise what stands in the list."""
        self.moments.reach("ask")
        self.asked.append(message_id)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        self.moments.reach("asked")
        return answer


def _as_read(alert: Alert) -> Alert:
    """The alert as its row tells of it: it waits since it was found, or claimed."""
    if alert.published_at is not None:
        return replace(alert, claimed_at=None)
    return replace(alert, claimed_at=alert.claimed_at or alert.detected_at)


@dataclass(slots=True)
class FakeRecords:
    """The table: records by message id, alerts each with a state of its own."""

    moments: Moments = field(default_factory=Moments)
    records: dict[str, Record] = field(default_factory=dict)
    surges: FakeSurges = field(default_factory=FakeSurges)
    listed: dict[str, dict[str, Listing]] = field(default_factory=dict)
    """Listings by message and address."""

    def listings(self, message_id: str) -> tuple[Listing, ...]:
        """Where the suppression list names a message."""
        listed = self.listed.get(message_id, {})
        return tuple(listed[address] for address in sorted(listed))

    def load(self, message_id: str) -> Record | None:
        """Give back what was saved, alerts by id."""
        self.moments.reach("load")
        record = self.records.get(message_id)
        self.moments.reach("loaded")
        if record is None:
            return None
        alerts = tuple(map(_as_read, record.alerts))
        return replace(record, alerts=alerts, listings=self.listings(message_id))

    def save(
        self,
        record: Record,
        new_alerts: Sequence[Alert],
        *,
        read: Record | None,
        surges: Sequence[Surge] = (),
    ) -> None:
        """Save over the version that was read; alerts that are there stay as they are."""
        self.moments.reach("save")
        message_id = record.insights.message_id
        stored = self.records.get(message_id)
        if (stored and stored.looks) != (read and read.looks) or (stored and stored.erased_at):
            raise RecordChangedError
        alerts = {alert.alert_id: alert for alert in stored.alerts} if stored else {}
        alerts |= {alert.alert_id: alert for alert in new_alerts}
        for surge in surges:
            self.surges.store(surge)
        self.listed.setdefault(message_id, {}).update(
            {listing.address: listing for listing in record.listings}
        )
        self.records[message_id] = replace(
            record, alerts=tuple(alerts[alert_id] for alert_id in sorted(alerts))
        )
        self.moments.reach("saved")

    def claim(self, message_id: str, alert: Alert, *, at: str) -> bool:
        """Note the time, where it is the one that was read."""
        self.moments.reach("claim")
        record = self.records.get(message_id)
        known = {each.alert_id: each for each in record.alerts} if record else {}
        stored = known.get(alert.alert_id)
        if record is None or stored is None or stored.published_at is not None:
            return False
        if _as_read(stored).claimed_at != _as_read(alert).claimed_at:
            return False
        self.records[message_id] = record.with_alerts([replace(alert, claimed_at=at)])
        self.moments.reach("claimed")
        return True

    def mark_published(self, message_id: str, alert: Alert) -> None:
        """Note the publication of an alert that is stored."""
        self.moments.reach("mark")
        record = self.records.get(message_id)
        if record is None or alert.alert_id not in {known.alert_id for known in record.alerts}:
            raise SystemFailure(FailureKind.DYNAMODB, "UpdateItem: ConditionalCheckFailedException")
        marked = tuple(
            replace(known, published_at=alert.published_at, sns_message_id=alert.sns_message_id)
            if known.alert_id == alert.alert_id
            else known
            for known in record.alerts
        )
        self.records[message_id] = replace(record, alerts=marked)
        self.moments.reach("marked")


@dataclass(slots=True)
class FakeSubscribers:
    """The alert topic: keeps what was published."""

    moments: Moments = field(default_factory=Moments)
    published: list[Notification] = field(default_factory=list)

    def publish(self, notification: Notification) -> str:
        """Keep it, and number it."""
        self.moments.reach("publish")
        self.published.append(notification)
        self.moments.reach("published")
        return f"sns-{len(self.published)}"


@dataclass(slots=True)
class FakeSqs:
    """The one client method that defers a message, and the one that parks it."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    fails: dict[str, list[BaseException]] = field(default_factory=dict)
    """Errors by method, each raised once."""

    @property
    def client(self) -> SQSClient:
        """Itself, where a client is asked for."""
        return cast("SQSClient", self)

    def change_message_visibility(self, **request: Any) -> dict[str, Any]:
        """Note the request, or fail."""
        return self._note("change_message_visibility", request)

    def send_message(self, **request: Any) -> dict[str, Any]:
        """Note the request, or fail."""
        return self._note("send_message", request)

    def of(self, method: str) -> list[dict[str, Any]]:
        """The requests of one method."""
        return [request for name, request in self.calls if name == method]

    def _note(self, method: str, request: dict[str, Any]) -> dict[str, Any]:
        self.calls.append((method, request))
        if self.fails.get(method):
            raise self.fails[method].pop(0)
        return {}


@dataclass(frozen=True, slots=True)
class Table:
    """A table as the stack makes it."""

    client: DynamoDBClient
    name: str

    def rows(self) -> list[dict[str, Any]]:
        """Everything in it."""
        return self.client.scan(TableName=self.name)["Items"]

    def noted_requests(self) -> list[tuple[str, dict[str, Any]]]:
        """A list of each request from now on: its operation and parameters."""
        noted: list[tuple[str, dict[str, Any]]] = []

        def note(params: dict[str, Any], model: Any, **_: object) -> None:
            noted.append((model.name, dict(params)))

        self.client.meta.events.register("before-parameter-build.dynamodb", note)
        return noted
