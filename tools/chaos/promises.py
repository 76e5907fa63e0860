"""What must hold after every write, at every publication and call, and at the end of a run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from ses_insights.adapters.items import from_item
from ses_insights.contracts.names import PERIODS_OF_A_LOOK, WORK_OF_A_LOOK, Partition
from ses_insights.contracts.rows import ALERT, DESTINATION, MESSAGE
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.times import instant
from tools.chaos.calls import Faults
from tools.chaos.dynamodb import Key, Table
from tools.chaos.expressions import Item
from tools.chaos.ses import Arrival, Mail, Mailbox
from tools.chaos.sns import Published
from tools.chaos.sqs import Message
from tools.chaos.world import DAY, HOUR, MINUTE, Process, World

ENGAGEMENT: Final = ("OPEN", "CLICK")
IN_FLIGHT: Final = 90.0
"""Seconds for which a publication may have been under way when the erasure came."""
STANDS: Final = 20 * MINUTE
"""How long the line may stand behind an id that fails alone, and ten calls at the pace more."""

STOPS: Final = 6
"""How often in a row a look at the head of the queue is stopped: with few faults, hardly more."""

VISIBILITY_TIMEOUTS: Final = 6
"""The queue's visibility timeout in time-outs of the function (`infra/queues.py`)."""


def _events(row: Item) -> Counter[str]:
    """Return the events of a row that are kept for good, each as text."""
    return Counter(
        str(sorted(event["M"].items(), key=lambda pair: pair[0]))
        for event in row.get("Events", {"L": []})["L"]
        if event["M"]["Type"]["S"] not in ENGAGEMENT
    )


@dataclass(slots=True)
class Promises:
    """Watches a run."""

    world: World
    faults: Faults
    table: Table
    mailbox: Mailbox
    period: float
    has_wrong_clocks: bool
    last_rows: dict[Key, Item] = field(default_factory=dict)
    """Every row as it was last, also of rows that have expired."""
    swept: set[Key] = field(default_factory=set)
    is_sweeping: bool = False
    erasing: dict[Process, str] = field(default_factory=dict)
    """Whose erasure is under way."""
    erased: dict[tuple[str, str], float] = field(default_factory=dict)
    """When the data of an address in a message was erased for good."""
    erased_messages: set[str] = field(default_factory=set)
    claims: Counter[Key] = field(default_factory=Counter)
    """Writes to an alert's row since its last publication."""
    claimed_at: dict[Key, float] = field(default_factory=dict)
    told: Counter[Key] = field(default_factory=Counter)
    """Publications by the alert's row."""
    marked: set[Key] = field(default_factory=set)
    """Alerts that were ever known to be published."""
    struck_before: dict[Key, int] = field(default_factory=dict)
    """How many calls had gone wrong when an alert was stored."""
    summarized: dict[tuple[str, str], str] = field(default_factory=dict)
    """Up to when a surge's alerts are summarized, by group and begin."""
    answers: Counter[tuple[Process, str]] = field(default_factory=Counter)
    """Answers of SES that a process has and did not store yet."""
    shown: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    looks: Counter[str] = field(default_factory=Counter)
    _list_calls: dict[str, tuple[float, bool]] = field(default_factory=dict)
    _last_arrival: Arrival | None = None
    _progress_at: float = 0.0

    # At every write

    def written(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Check one write."""
        if after is not None:
            self.last_rows[key] = after
            self.swept.discard(key)
        message_id, record = key
        if self.world.is_traced:
            self.world.note("wrote", key=key, row=_told(after))
        if message_id == Partition.SURGES and record.startswith(ALERT) and after:
            self._summary(before, from_item(after))
        if message_id.startswith("#"):
            return
        if after is None:
            self._deleted(key)
        else:
            self._row(key, before, after)

    def _deleted(self, key: Key) -> None:
        if self.is_sweeping:
            self.swept.add(key)
        elif self.world.current not in self.erasing:
            self.world.violated("a row is deleted by nobody", key=key)

    def _row(self, key: Key, before: Item | None, after: Item) -> None:
        message_id, record = key
        if record == MESSAGE:
            self._message(key, before, after)
        elif record.startswith(ALERT):
            self._alert(key, before, after)
        elif record.startswith(DESTINATION):
            self._destination(key, before, after)
        address = after.get("Destination", {}).get("S", "")
        if (message_id, address) in self.erased and address:
            self.world.violated("what was erased is stored again", key=key)

    def _message(self, key: Key, before: Item | None, after: Item) -> None:
        violated = self.world.violated
        if ("NextLookAt" in after) == ("Final" in after):
            violated("a message has a next look or a reason for none", row=_told(after))
        if ("NextLookAt" in after) != ("DueLane" in after):
            violated("what waits is in a lane", row=_told(after))
        if "DueLane" in after and after["DueLane"]["S"] not in {str(lane) for lane in Lane}:
            violated("a lane is one of the lanes", row=_told(after))
        if key[0] in self.erased_messages and (
            "Subject" in after or "FromEmailAddress" in after or after["EmailTags"]["M"]
        ):
            violated("an erased message stays empty", row=_told(after))
        looks = int(after["Looks"]["N"])
        counted = int(before["Looks"]["N"]) if before else 0
        process = self.world.current
        if process is None or process in self.erasing:
            return
        answered = self.answers.pop((process, key[0]), 0) > 0
        if looks != counted + answered:
            violated("each answer of SES is a look", row=_told(after), was=counted)
        self.looks[key[0]] = looks

    def _alert(self, key: Key, before: Item | None, after: Item) -> None:
        self.claims[key] += 1
        self.claimed_at[key] = self.world.now
        if ("PublishedAt" in after) == ("DueLane" in after):
            self.world.violated("an alert is published or waits", row=_told(after))
        if "PublishedAt" in after:
            self.marked.add(key)
        elif before and "PublishedAt" in before:
            self.world.violated("what was published stays published", row=_told(after))
        if before is None:
            self.struck_before[key] = self.faults.struck
            for sort, other in self.table.rows[key[0]].items():
                if sort.startswith(ALERT) and sort != key[1] and _what(other) == _what(after):
                    self.world.violated("an event has one alert", one=sort, other=key[1])

    def _destination(self, key: Key, before: Item | None, after: Item) -> None:
        kept = before or {}
        lost = _events(kept) - _events(after)
        if lost:
            self.world.violated("an event is forgotten", key=key, lost=sorted(lost))
        address = after.get("Destination", {}).get("S", "")
        mail = self.mailbox.mails.get(key[0])
        for kind, name in zip(ENGAGEMENT, ("OpenCount", "ClickCount"), strict=True):
            count, was = int(after[name]["N"]), int(kept.get(name, {"N": "0"})["N"])
            there = _shown_count(mail, address, kind, self.world.now)
            if count < was or count > there:
                self.world.violated(
                    "opens and clicks are counted once", key=key, count=count, was=was, there=there
                )

    def _summary(self, before: Item | None, row: Mapping[str, Any]) -> None:
        surge = (f"{row['Of']}#{row['Reason']}#{row.get('FromDomain')}", row["BeganAt"])
        if before is None and self.summarized.get(surge, row["From"]) != row["From"]:
            self.world.violated("summaries count each alert once", row=dict(row))
        self.summarized[surge] = row["To"]
        if before is not None or self.has_wrong_clocks or self.erased_messages or self.swept:
            return
        counted = sum(
            1
            for (message_id, _), item in self.table.everything()
            if not message_id.startswith("#")
            and item.get("AlertType", {}).get("S") == row["Of"]
            and item["Reason"]["S"] == row["Reason"]
            and item.get("FromDomain", {}).get("S", "") == row.get("FromDomain", "")
            and row["From"] <= item["DetectedAt"]["S"] < row["To"]
        )
        if counted != row["Count"]:
            self.world.violated("a summary counts its alerts", row=dict(row), counted=counted)

    # Publications and calls

    def published(self, published: Published) -> None:
        """Check one publication."""
        alert = published.alert
        self._progress_at = self.world.now
        self.world.note("published", alert=alert["alertId"])
        if alert["alertType"] == "SUMMARY":
            return
        message_id, address = alert["messageId"], alert.get("destination", "")
        key = (message_id, f"{ALERT}{alert['alertId']}")
        row = self.table.get(key)
        self.told[key] += 1
        claims, self.claims[key] = self.claims[key], 0
        struck = self.faults.struck - self.struck_before.get(key, 0)
        violated, now = self.world.violated, self.world.now
        erased_at = self.erased.get((message_id, address))
        if erased_at is not None:
            if self.claimed_at.get(key, 0.0) < erased_at - IN_FLIGHT or now > erased_at + IN_FLIGHT:
                violated("nothing erased is published", key=key)
            return
        if key in self.marked:
            violated("what is known to be told is not told again", key=key)
        elif not claims:
            violated("an alert is told once for each claim of it", key=key)
        elif self.told[key] > 1 + struck:
            violated("an alert is told twice only where something failed", key=key)
        elif row is None:
            violated("an alert is stored before it is told", key=key)

    def arrived(self, arrival: Arrival) -> None:
        """Check the pace."""
        last, self._last_arrival = self._last_arrival, arrival
        self.world.note("asked SES", mail=arrival.mail, taken=arrival.was_taken)
        rows = self.table.rows.get(arrival.mail, {})
        # Without the message's own row its first look was stopped: it counts as not taken.
        for sort, row in rows.items() if MESSAGE in rows else ():
            key = (arrival.mail, sort)
            waits = sort.startswith(ALERT) and "DueLane" in row
            if waits and self.claimed_at[key] < self.world.now - IN_FLIGHT - self.period:
                self.world.violated("what is pending is told before SES is asked", key=key)
        if last is None or last.was_slow or arrival.was_slow:
            return
        if arrival.at - last.at < 1.0 - 1e-6:
            self.world.violated("two calls are a period apart", seconds=arrival.at - last.at)

    def answered(self, mail_id: str, answer: Any, process: Process) -> None:
        """Note what SES said to whom."""
        self.answers[process, mail_id] += 1
        self._progress_at = self.world.now
        if answer is None or self.world.now > self._mail(mail_id).sent_at + 29 * DAY:
            return
        for insight in answer["Insights"]:
            for event in insight["Events"]:
                if event["Type"] not in ENGAGEMENT:
                    what = f"{insight['Destination']} {event['Type']} {event['Timestamp']}"
                    self.shown[mail_id][what] = 1

    def read_list(self, operation: str, at: float, was_slow: bool) -> None:  # noqa: FBT001 - told
        """Check the pace of the calls about the suppression list."""
        last, slow = self._list_calls.get(operation, (0.0, False))
        self._list_calls[operation] = (at, was_slow)
        self.world.note("read the list", operation=operation)
        if self.has_wrong_clocks or operation == "GetAccount":
            return  # two runs keep apart by the clock on the wall, and only for the list itself
        if at - last < 1.0 - 1e-6 and not slow and not was_slow:
            self.world.violated("two calls about the list are a period apart", seconds=at - last)

    # The line

    def received(self, message: Message, waiting: list[Message]) -> None:
        """Check that the line does not stand behind an id that fails alone."""
        now = self.world.now
        self.answers.clear()  # those that an invocation had and did not store are gone
        mail = next((m for m in self.mailbox.mails.values() if m.id in message.body), None)
        behind = [m.visible_at for m in waiting if m is not message and m.visible_at <= now]
        if mail is None or now >= mail.fails_until or not behind:
            self._progress_at = now
            return
        since = max(self._progress_at, min(behind))
        troubled = self.faults.rate > 0.05 and now < self.faults.until + STANDS  # noqa: PLR2004
        stands = STANDS + 10 * self.period
        if self.faults.rate:  # a look that is stopped comes back by its visibility timeout
            timeout = WORK_OF_A_LOOK + PERIODS_OF_A_LOOK * self.period
            stands += STOPS * VISIBILITY_TIMEOUTS * timeout
        if now - since > stands and not troubled and not self.faults.is_out(now, 2 * STANDS):
            self.world.violated("the line stands behind one id", seconds=now - since)
            self._progress_at = now

    def lost(self, message: Message) -> None:
        """Check that SQS drops nothing because of its age."""
        self.world.violated("SQS drops a message that nobody handled", body=message.body)

    # At the end

    def at_the_end(self, enqueued: set[str], parked: list[str], waiting: list[Message]) -> None:
        """Check what has come of everything.

        ``enqueued`` are ids and, where there is none in it, whole bodies.
        """
        violated, now = self.world.violated, self.world.now
        for mail_id in sorted(enqueued):
            is_parked = any(mail_id in body for body in parked)
            if (mail_id, MESSAGE) not in self.last_rows and not is_parked:
                violated("each id is a row or parked", mail=mail_id)
        for message in waiting:
            mail = next((m for m in self.mailbox.mails.values() if m.id in message.body), None)
            if mail is None or now >= mail.fails_until:
                violated("the queue is empty in the end", body=message.body)
        for (message_id, record), item in self.table.everything():
            if "DueLane" not in item or message_id.startswith("#"):
                continue
            due = instant(item["NextLookAt"]["S"]).timestamp()
            mail = self.mailbox.mails.get(message_id)
            if mail is not None and now < mail.fails_until:
                continue
            if due < now - 6 * HOUR:
                lane = item["DueLane"]["S"]
                what = "alert" if lane not in {str(each) for each in LOOK_LANES} else "look"
                violated(f"no {what} is left behind", message=message_id, record=record, due=due)
        self._all_is_stored()
        self._all_is_told()

    def _all_is_stored(self) -> None:
        stored: dict[str, set[str]] = defaultdict(set)
        for (message_id, record), item in self.last_rows.items():
            if record.startswith(DESTINATION) and not message_id.startswith("#"):
                row = from_item(item)
                for event in row["Events"]:
                    moment = instant(event["Timestamp"])
                    stored[message_id].add(f"{row['Destination']} {event['Type']} {moment}")
        for mail_id, events in self.shown.items():
            mail = self._mail(mail_id)
            if mail_id in self.erased_messages or self.faults.until > mail.sent_at + 28 * DAY:
                continue
            missing = set(events) - stored[mail_id]
            if missing and self.world.now < mail.fails_until:
                continue
            if missing:
                self.world.violated("what SES showed is stored", mail=mail_id, missing=missing)

    def _all_is_told(self) -> None:
        for (message_id, record), item in self.last_rows.items():
            if message_id.startswith("#") or not record.startswith(ALERT):
                continue
            address = item.get("Destination", {}).get("S", "")
            if (message_id, address) in self.erased:
                continue
            if not self.told[message_id, record]:
                self.world.violated("an alert is told", message=message_id, record=record)
        for (message_id, record), item in self.last_rows.items():
            if not record.startswith(DESTINATION) or message_id in self.erased_messages:
                continue
            row = from_item(item)
            alertable = sum(
                event["Type"] in {"REJECT", "RENDERING_FAILURE"}
                or (event.get("Details", {}).get("Bounce", {}).get("BounceType") == "PERMANENT")
                for event in row["Events"]
            )
            alerts = sum(
                1
                for (other, key), alert in self.last_rows.items()
                if other == message_id
                and key.startswith(ALERT)
                and alert.get("Destination", {}).get("S") == row["Destination"]
            )
            complains = any(event["Type"] == "COMPLAINT" for event in row["Events"])
            if (alertable or complains) and not alerts:
                self.world.violated("what is alertable raises an alert", row=row)

    def _mail(self, mail_id: str) -> Mail:
        return self.mailbox.mails[mail_id]


def _shown_count(mail: Mail | None, address: str, kind: str, now: float) -> int:
    """Return how many events of a kind SES shows of a recipient by now."""
    if mail is None or address not in mail.recipients:
        return 0
    events = mail.recipients[address][1]
    return sum(event.type == kind and event.at + event.shown_after <= now for event in events)


def _what(alert: Item) -> tuple[str, ...]:
    """Return what an alert is about."""
    row = from_item(alert)
    complaint = row["Event"].get("Details", {}).get("Complaint", {})
    feedback = complaint.get("ComplaintFeedbackType", "")
    return row["AlertType"], row.get("Destination", ""), feedback


def _told(item: Item | None) -> Any:
    """Return a row for people: short."""
    if item is None:
        return None
    row = from_item(item)
    shown = ("Status", "Looks", "NextLookAt", "DueLane", "Final", "PublishedAt", "ErasedAt", "Shed")
    return {
        name: int(value) if isinstance(value, Decimal) else value
        for name, value in row.items()
        if name in shown
    }
