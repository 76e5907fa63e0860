"""The service's own rule, made of its domain, and one look for each mail beside it."""

from __future__ import annotations

from bisect import bisect_right
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
    lane_of,
    postponed_look,
)
from ses_insights.domain.record import Answer, Found, NotFound, Record, Rules, after_look, postpone
from ses_insights.domain.schedule import Ladder
from ses_insights.domain.times import instant, iso
from tools.simulate.mail import MINUTE, Assumptions, Mail
from tools.simulate.world import Due

START: Final = datetime(2026, 11, 23, tzinfo=UTC)

LISTED_STEP: Final = 15 * MINUTE
"""So long after a look that shows nothing of what is listed the next one is taken."""
LISTED_FOR: Final = 60 * MINUTE
"""From then on one look that shows nothing is enough to tell of what is listed."""

_WRITTEN: Final = 100
"""So many alerts are written as they are published; the others differ only in ids and times."""

_DELIVERED_AFTER: Final = 3.0
_TAGS: Final = {"campaign": ("spring",)}
_BOUNCE: Final = Bounce("PERMANENT", "General", "smtp; 550 5.1.1 user unknown")
_NOT_ATTEMPTED: Final = Bounce("PERMANENT", "OnAccountSuppressionList", None)
_COMPLAINT: Final = Complaint(None, "abuse")


def at(seconds: float) -> datetime:
    """Place a virtual time in the calendar."""
    return START + timedelta(seconds=seconds)


def seconds_at(moment: datetime) -> float:
    """Undo `at`."""
    return (moment - START).total_seconds()


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
        if not story.is_shown or shown < 0 or age > self.assumed.ses_keeps:
            return NotFound()
        events = [Event("SEND", iso(at(sent)))]
        if story.bounce > MINUTE and shown >= _DELIVERED_AFTER:
            events.append(Event("DELIVERY", iso(at(sent + _DELIVERED_AFTER))))
        if story.bounce <= shown:
            bounce = _BOUNCE if story.is_attempted else _NOT_ATTEMPTED
            events.append(Event("BOUNCE", iso(at(sent + story.bounce)), bounce=bounce))
        if story.complaint <= shown:
            events.append(Event("COMPLAINT", iso(at(sent + story.complaint)), complaint=_COMPLAINT))
        destination = Destination("reader@there.example", "Gmail", tuple(events))
        return Found(Insights(message_id, "news@shop.example", "Hello", _TAGS, (destination,)))


_TICK: Final = 0.0005
"""Half a millisecond, for floating point: the table has whole ones."""

_POSTPONED: Final = -1
"""Stands for the rungs behind a fresh id that is postponed."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the domain says of a mail of which nothing comes."""

    age: float | None
    """At its next look; None where none follows."""
    lane: Lane
    shed: int


@dataclass(slots=True)
class Core:
    """The service: what it decides, decided by its own domain.

    Of a mail of which something comes it keeps the record, as the table does. Any other mail shows
    the same at every look, so its next look follows from its age alone (a test compares the two);
    millions of records would not fit into memory.
    """

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
    """What is stored of each mail of which something comes and that has a next look."""
    _looks: dict[int, int] = field(default_factory=dict)
    _listed: dict[int, float] = field(default_factory=dict)
    """When the address was listed, of what is not found yet."""
    _empty: dict[int, float] = field(default_factory=dict)
    """The first look that could show what is listed, and did not."""
    _next: Due | None = None
    """Of the mail that was handled last, where nothing comes of it."""
    _late: timedelta = timedelta(0)
    """How late the oldest essential look is, read once a minute."""
    _waiting_seconds: float = 0.0
    """How long the queue is."""

    _enqueued: int = 0
    _rungs: list[float] = field(default_factory=list)
    _climbed: dict[int, _Answer] = field(default_factory=dict)
    _decided: dict[tuple[int, int, Lane], _Answer | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._ses = Ses(self.mail, self.assumed)
        self._enqueued = self.mail.enqueued
        self._rungs = [rung.total_seconds() for rung in self.rules.ladder.rungs]

    def minute(self, now: float, late: float, waiting: int) -> None:
        """Note how late essential looks are and how long the queue is, as the function does."""
        del now
        self._late = timedelta(seconds=late)
        self._waiting_seconds = waiting * self.assumed.period

    def first_looks(self) -> float:
        """The share that the domain gives at present."""
        return first_looks(self._late)

    def postpones(self, mail: int, waited: float) -> bool:
        """Postpone a fresh id where the core says so."""
        longest = LONGEST_WAIT.total_seconds()
        held_up = waited > longest and self._waiting_seconds > longest
        if not held_up and has_first_look(message_id(mail), self._late):
            return False
        if mail in self.mail.stories:
            self._store(mail, postpone(self._new(mail), self.rules), None)
        else:
            self._next = self._plain(mail, _POSTPONED)
        return True

    def look(self, mail: int, now: float) -> None:
        """Look, merge, and raise alerts."""
        if mail not in self.mail.stories:
            age = now - self.mail.sent[mail] + _TICK
            self._next = self._plain(mail, bisect_right(self._rungs, age))
            return
        stored = self._waiting.pop(mail, None)
        record, alerts = after_look(
            stored or self._new(mail),
            self._ses.ask(mail, message_id(mail), now),
            now=at(now),
            rules=self.rules,
        )
        for alert in alerts:
            if alert.alert_id in self.alert_ids:
                raise AssertionError(f"raised twice: {alert.alert_id}")
            self.alert_ids.add(alert.alert_id)
            if len(self.alert_ids) <= _WRITTEN:
                notification(alert, record.insights, TABLE, sent_at=record.sent_at)
            self._find(mail, now)
        if mail in self._listed:
            record = self._after_listed(mail, record, now)
        self._store(mail, record, stored)

    def listed(self, mail: int, at: float) -> None:
        """Note that the list names this mail."""
        if mail not in self.found:
            self._listed[mail] = at

    def looks(self, mail: int) -> int:
        """How many looks were taken at a mail of which something comes."""
        return self._looks.get(mail, 0)

    def is_worth_it(self, mail: int, lane: Lane, due_at: float, now: float) -> bool:
        """Decide on a due look as `followups` does."""
        record = self._waiting.get(mail)
        if record is None:
            return self._is_plain_worth_it(mail, lane, due_at, now)
        row = DueRow(message_id(mail), record.looks, record.next_look_at, instant(record.sent_at))
        match decide(row, lane, ladder=self.rules.ladder, now=at(now)):
            case Reschedule(at=moment, lane=lane, shed=shed):
                self.shed += shed
                record = replace(record, next_look_at=moment, lane=lane, shed=record.shed + shed)
                self._waiting[mail] = record
            case Drop(shed=shed):
                self.shed += shed
                del self._waiting[mail]
            case Proceed():
                return True
        return False

    def follows(self, mail: int) -> Due | None:
        """The next look in the stored record, or of the mail that was handled last."""
        if mail not in self.mail.stories:
            return self._next
        record = self._waiting.get(mail)
        if record is None or record.next_look_at is None:
            return None
        return Due(seconds_at(instant(record.next_look_at)), record.lane)

    # Mail of which nothing comes: it depends only on which rungs lie behind it what the domain
    # says, so the domain is asked once for each.

    def _plain(self, mail: int, behind: int) -> Due | None:
        """The next look at a mail with so many rungs behind it, or that is postponed."""
        if behind not in self._climbed:
            sent_at = START
            if behind == _POSTPONED:
                following = postponed_look(self.rules.ladder, sent_at)
            else:
                age = timedelta(seconds=self._rungs[behind - 1] if behind else 0.0)
                following = self.rules.ladder.climb(sent_at, age)
            self._climbed[behind] = self._answer(following.at, following.shed)
        return self._after(mail, self._climbed[behind])

    def _is_plain_worth_it(self, mail: int, lane: Lane, due_at: float, now: float) -> bool:
        """Decide about a due look at a mail, by the rungs that lay behind it then and now."""
        sent = self.mail.sent[mail]
        passed, behind = (
            bisect_right(self._rungs, moment - sent + _TICK) for moment in (due_at, now)
        )
        if (passed, behind, lane) not in self._decided:
            row = DueRow(message_id(mail), 1, iso(at(due_at)), at(sent))
            decision = decide(row, lane, ladder=self.rules.ladder, now=at(now))
            answer: _Answer | None = None
            if isinstance(decision, Reschedule):
                answer = self._answer(instant(decision.at) - (at(sent) - START), decision.shed)
            elif isinstance(decision, Drop):
                answer = _Answer(None, Lane.FOLLOW_UP, decision.shed)
            self._decided[passed, behind, lane] = answer
        found = self._decided[passed, behind, lane]
        if found:
            self._next = self._after(mail, found)
        return found is None

    def _answer(self, moment: datetime | None, shed: int) -> _Answer:
        """What the domain says of a mail sent at the start."""
        if moment is None:
            return _Answer(None, Lane.FOLLOW_UP, shed)
        age = moment - START
        return _Answer(age.total_seconds(), lane_of(self.rules.ladder, age), shed)

    def _after(self, mail: int, answer: _Answer) -> Due | None:
        self.shed += answer.shed
        if answer.age is None:
            return None
        lane = answer.lane if mail < self._enqueued else Lane.BULK
        return Due(self.mail.sent[mail] + answer.age, lane)

    def _find(self, mail: int, now: float) -> None:
        self.found[mail] = now
        self._listed.pop(mail, None)

    def _after_listed(self, mail: int, record: Record, now: float) -> Record:
        """Tell of what is listed at the second look that shows nothing, or after an hour.

        Until then the next look comes soon, and goes first.
        """
        listed_at, empty = self._listed[mail], self._empty.get(mail)
        if empty is not None or now >= listed_at + LISTED_FOR:
            self._find(mail, now)
            return record
        if now >= listed_at + LISTED_STEP:
            self._empty[mail] = now
        soon = iso(at(now + LISTED_STEP))
        return replace(record, next_look_at=soon, final=None, lane=Lane.ESSENTIAL)

    def _new(self, mail: int) -> Record:
        return Record.new(message_id(mail), at(self.mail.sent[mail]), self.rules)

    def _store(self, mail: int, record: Record, stored: Record | None) -> None:
        self.shed += record.shed - (stored.shed if stored else 0)
        self._looks[mail] = record.looks
        if record.next_look_at:
            self._waiting[mail] = record


class OneLook(Core):
    """One look for each mail, when its turn comes, whatever the load."""

    __slots__ = ()

    def __init__(self, mail: Mail, assumed: Assumptions) -> None:
        first = Ladder().rungs[:1]
        super().__init__(mail, assumed, Rules(Ladder(first), retention=timedelta(days=90)))

    def first_looks(self) -> float:
        """Every fresh id is looked at."""
        return 1.0

    def postpones(self, mail: int, waited: float) -> bool:
        """Every fresh id is looked at."""
        del mail, waited
        return False


def message_id(mail: int) -> str:
    """The id of a mail, in the form in which SES gives them."""
    return f"0106019fa36a2608-6c9654bb-dc58-4957-8828-{mail:012x}-000000"
