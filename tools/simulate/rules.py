"""The service's own rule, made of its domain, and three others on the same mail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from ses_insights.contracts.alert_message import notification
from ses_insights.contracts.console import TableAddress
from ses_insights.domain.due import DueRow
from ses_insights.domain.insight import Bounce, Complaint, Destination, Event, Insights
from ses_insights.domain.lanes import Lane
from ses_insights.domain.overload import (
    LONGEST_WAIT,
    Drop,
    Proceed,
    Reschedule,
    decide,
    first_looks,
    has_first_look,
)
from ses_insights.domain.record import (
    Answer,
    Found,
    NotFound,
    Record,
    Rules,
    after_look,
    postpone,
)
from ses_insights.domain.schedule import NOT_FOUND_UNTIL, Ladder
from ses_insights.domain.times import instant, iso
from tools.simulate.mail import HOUR, MINUTE, Assumptions, Mail
from tools.simulate.world import Due

START: Final = datetime(2026, 11, 23, tzinfo=UTC)

_DELIVERED_AFTER: Final = 3.0
_TAGS: Final = {"campaign": ("spring",)}
_BOUNCE: Final = Bounce("PERMANENT", "General", "smtp; 550 5.1.1 user unknown")
_COMPLAINT: Final = Complaint(None, "abuse")


def at(seconds: float) -> datetime:
    """Place a virtual time in the calendar."""
    return START + timedelta(seconds=seconds)


TABLE: Final = TableAddress("123456789012", "eu-west-1", "SesInsights")


@dataclass(slots=True)
class Ses:
    """What SES says of a mail, as values of the core."""

    mail: Mail
    assumed: Assumptions

    def ask(self, mail: int, message_id: str, now: float) -> Answer:
        """What SES shows of a mail."""
        sent, story = self.mail.sent[mail], self.mail.story(mail)
        age = now - sent
        shown = age - self.assumed.visible_after
        if not story.known or shown < 0 or age > self.assumed.ses_keeps:
            return NotFound()
        events = [Event("SEND", iso(at(sent)))]
        if story.bounce > MINUTE and shown >= _DELIVERED_AFTER:
            events.append(Event("DELIVERY", iso(at(sent + _DELIVERED_AFTER))))
        if story.bounce <= shown:
            events.append(Event("BOUNCE", iso(at(sent + story.bounce)), bounce=_BOUNCE))
        if story.complaint <= shown:
            events.append(Event("COMPLAINT", iso(at(sent + story.complaint)), complaint=_COMPLAINT))
        destination = Destination("reader@there.example", "Gmail", tuple(events))
        return Found(Insights(message_id, "news@shop.example", "Hello", _TAGS, (destination,)))


@dataclass(slots=True)
class Core:
    """The service: what it decides, decided by its own core."""

    mail: Mail
    assumed: Assumptions
    rules: Rules = field(default_factory=lambda: Rules(Ladder(), retention=timedelta(days=90)))
    found: dict[int, float] = field(default_factory=dict)
    shed: int = 0
    """Looks given up."""
    alert_ids: set[str] = field(default_factory=set)
    """Of the alerts that were raised: none twice."""
    _ses: Ses = field(init=False)
    _waiting: dict[int, Record] = field(default_factory=dict)
    """What is stored of each mail that has a next look."""
    _late: timedelta = timedelta(0)
    """How late the oldest essential look is, read once a minute."""

    def __post_init__(self) -> None:
        self._ses = Ses(self.mail, self.assumed)

    def minute(self, late: float) -> None:
        """Note how late the oldest essential look is, as the lookup function does once a minute."""
        self._late = timedelta(seconds=late)

    def first_looks(self) -> float:
        """The share that the domain gives at present."""
        return first_looks(self._late)

    def postpones(self, mail: int, waited: float) -> bool:
        """Postpone a fresh id where the core says so."""
        held_up = waited > LONGEST_WAIT.total_seconds()
        if not held_up and has_first_look(_message_id(mail), self._late):
            return False
        self._store(mail, postpone(self._new(mail), self.rules), None)
        return True

    def look(self, mail: int, now: float) -> None:
        """Look, merge, and raise alerts."""
        stored = self._waiting.pop(mail, None)
        message_id = stored.insights.message_id if stored else _message_id(mail)
        record, alerts = after_look(
            stored or self._new(mail),
            self._ses.ask(mail, message_id, now),
            now=at(now),
            rules=self.rules,
        )
        self._store(mail, record, stored)
        for alert in alerts:
            if alert.alert_id in self.alert_ids:
                raise AssertionError(f"raised twice: {alert.alert_id}")
            self.alert_ids.add(alert.alert_id)
            notification(alert, record.insights, TABLE, sent_at=record.sent_at)
            self.found[mail] = now

    def is_worth_it(self, mail: int, lane: Lane, now: float) -> bool:
        """Decide on a due look as `followups` does."""
        record = self._waiting[mail]
        message_id, sent_at = record.insights.message_id, instant(record.sent_at)
        row = DueRow(message_id, record.looks, record.next_look_at, sent_at)
        match decide(row, lane, ladder=self.rules.ladder, now=at(now)):
            case Proceed():
                return True
            case Reschedule(at=moment, lane=to, shed=shed):
                self.shed += shed
                self._waiting[mail] = replace(
                    record, next_look_at=moment, lane=to, shed=record.shed + shed
                )
            case Drop(shed=shed):
                self.shed += shed
                del self._waiting[mail]
        return False

    def follows(self, mail: int) -> Due | None:
        """The next look in the stored record."""
        record = self._waiting.get(mail)
        if record is None or record.next_look_at is None:
            return None
        return Due((instant(record.next_look_at) - START).total_seconds(), record.lane)

    def _new(self, mail: int) -> Record:
        return Record.new(_message_id(mail), at(self.mail.sent[mail]), self.rules)

    def _store(self, mail: int, record: Record, stored: Record | None) -> None:
        self.shed += record.shed - (stored.shed if stored else 0)
        if record.next_look_at:
            self._waiting[mail] = record


@dataclass(slots=True)
class Plain:
    """Any rule that knows only ages: no shedding, one lane, the oldest due first.

    Finds what the core finds (a test compares them) and keeps next to nothing in memory: under
    overload millions of mails wait for their turn.
    """

    mail: Mail
    assumed: Assumptions
    next_age: Callable[[float], float | None]
    """From a mail's age at its look to its age at the next one; None where there is none."""
    found: dict[int, float] = field(default_factory=dict)
    shed: int = 0
    _next: Due | None = None

    def minute(self, late: float) -> None:
        """Nothing depends on how late looks are."""

    def first_looks(self) -> float:
        """Every fresh id is looked at."""
        return 1.0

    def postpones(self, mail: int, waited: float) -> bool:
        """Every fresh id is looked at."""
        del mail, waited
        return False

    def look(self, mail: int, now: float) -> None:
        """See whether it shows by now."""
        sent, story = self.mail.sent[mail], self.mail.story(mail)
        age = now - sent
        self._next = None
        if age > self.assumed.ses_keeps or (
            not story.known and age >= NOT_FOUND_UNTIL.total_seconds()
        ):
            return
        if story.event + self.assumed.visible_after <= age:
            self.found[mail] = now
            return
        following = self.next_age(age)
        if following is not None:
            self._next = Due(sent + following)

    def is_worth_it(self, mail: int, lane: Lane, now: float) -> bool:
        """Every due look is taken."""
        del mail, lane, now
        return True

    def follows(self, mail: int) -> Due | None:
        """The next look, as the last one decided."""
        del mail
        return self._next


def one_look(age: float) -> None:
    """Look once, and no more."""
    del age


def ladder(age: float) -> float | None:
    """Climb every rung of the ladder, whatever the load."""
    rungs = (rung.total_seconds() for rung in Ladder().rungs)
    return next((rung for rung in rungs if rung > age), None)


def every_20_hours(age: float) -> float | None:
    """Look again 20 hours after each look."""
    following = age + 20 * HOUR
    return following if following <= Ladder().ses_keeps.total_seconds() else None


def _message_id(mail: int) -> str:
    return f"0106019fa36a2608-6c9654bb-dc58-4957-8828-{mail:012x}-000000"
