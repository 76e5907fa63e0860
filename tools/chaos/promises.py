"""What must hold after every write, at every publication and call, and at the end of a run."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from ses_insights.adapters.items import from_item
from ses_insights.contracts.names import (
    PERIODS_OF_A_LOOK,
    WORK_OF_A_LOOK,
    AlertType,
    Partition,
)
from ses_insights.contracts.rows import ALERT, DESTINATION, LISTED, MESSAGE
from ses_insights.domain.alert import Grouping
from ses_insights.domain.due import HELD_FOR
from ses_insights.domain.lanes import Lane
from ses_insights.domain.times import instant, iso
from ses_insights.service.pending_alerts import STALE_AFTER
from tools.chaos.calls import Faults
from tools.chaos.dynamodb import Key, Table
from tools.chaos.expressions import Item
from tools.chaos.promise import Promise
from tools.chaos.ses import KEEPS, Arrival, Mail, Mailbox
from tools.chaos.sns import Published
from tools.chaos.sqs import Message
from tools.chaos.world import DAY, HOUR, MINUTE, Process, World

ENGAGEMENT: Final = ("OPEN", "CLICK")
IN_FLIGHT: Final = 90.0
"""Seconds for which a publication may have been under way when the erasure came."""
STANDS: Final = 20 * MINUTE
"""How long after faults the queue may still stand because of them."""

STOPS: Final = 6
"""How often in a row a look at the head of the queue is stopped: with few faults, hardly more."""

LATE: Final = 4 * HOUR
"""How late the oldest essential look is when the first looks at fresh ids begin to be given up."""

LONGEST_WAIT: Final = HOUR
"""How long a fresh id waits in the queue, beyond its delay, before its first look is."""

GIVEN_UP_AFTER: Final = DAY
"""How late a look is when it is given up itself."""

SETTLED_AFTER: Final = 2 * MINUTE
"""How long after its listing an address is shown, for all that the service relies on."""

LATEST: Final = 8 * HOUR
"""How late a row is, or how much later than its rung it waits, while nothing is wrong: it may be
claimed, or have stepped aside."""

REMEMBERED_FOR: Final = 3 * MINUTE
"""How long a function may go by what it read, and an index follows, at the most."""

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
    skew: float
    """Seconds by which clocks are wrong at most."""
    periods: Mapping[Process, float]
    """With which period each environment was deployed."""
    longest_ladder: float
    delay: float
    """The queue's delay; the shortest one, where a deployment changes it."""
    watches_list: bool
    paused_until: float = 0.0
    last_rows: dict[Key, Item] = field(default_factory=dict)
    """Every row as it was last, also of rows that have expired."""
    swept: set[Key] = field(default_factory=set)
    expired_looks: dict[Key, int] = field(default_factory=dict)
    """How many looks a row counted when it expired; no look is stored there since."""
    is_sweeping: bool = False
    erasing: dict[Process, tuple[str, str]] = field(default_factory=dict)
    """Whose erasure is under way, in which message."""
    erased: dict[tuple[str, str], float] = field(default_factory=dict)
    """When the data of an address in a message was erased for good."""
    taken_out: set[Key] = field(default_factory=set)
    """Rows that an erasure has deleted, whether or not it came to its end."""
    erased_messages: set[str] = field(default_factory=set)
    raised: dict[Key, Item] = field(default_factory=dict)
    """Each alert's row as it was stored first, with everything that an erasure takes out."""
    claims: dict[tuple[Key, Process], float] = field(default_factory=dict)
    """Who has written an alert's row, and has not published it since: when."""
    claimed_at: dict[Key, float] = field(default_factory=dict)
    publications: Counter[Key] = field(default_factory=Counter)
    """How many, by the alert's row."""
    marked: set[Key] = field(default_factory=set)
    """Alerts that were ever known to be published."""
    struck_before: dict[Key, int] = field(default_factory=dict)
    """How many calls had gone wrong when an alert was stored."""
    summarized: dict[tuple[str, str], str] = field(default_factory=dict)
    """Up to when a surge's alerts are summarized, by group and begin."""
    answers: Counter[tuple[Process, str]] = field(default_factory=Counter)
    """Answers of SES that a process has and did not store yet."""
    shown: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    given_up: int = 0
    """Looks given up for want of slots."""
    postponed: int = 0
    """Messages whose first look was."""
    _scarce_at: float = 0.0
    """When an essential look was last known to be late."""
    _list_calls: dict[str, tuple[float, bool]] = field(default_factory=dict)
    _last_arrival: Arrival | None = None
    _head: str = ""
    """Which message was received last."""
    _head_since: float = 0.0
    _aside: int = 0
    """How many others were since SES last answered."""

    @property
    def has_wrong_clocks(self) -> bool:
        """Whether the time that a row has may be wrong."""
        return self.skew > 0

    # At every write

    def written(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Check one write."""
        if after is not None:
            self.last_rows[key] = after
            self.swept.discard(key)
            self.taken_out.discard(key)
        message_id, record = key
        if self.world.is_traced:
            self.world.note("wrote", key=key, row=_in_short(after))
        if message_id == Partition.SURGES and record.startswith(ALERT) and after:
            self._alert(key, before, after)
            if before is None:
                self._summary(from_item(after))
        if message_id.startswith("#"):
            return
        if after is None:
            self._deleted(key, before or {})
        else:
            self._row(key, before, after)

    def _deleted(self, key: Key, before: Item) -> None:
        if self.is_sweeping:
            self.swept.add(key)
            self.expired_looks[key] = _number(before, "Looks")
            return
        process = self.world.current
        doomed = self.erasing.get(process) if process else None
        about = before.get("Destination") or before.get("Of") or {"S": ""}
        if (key[0], about["S"]) != doomed:
            self.world.violated(Promise.NOT_DELETED, key=key)
        self.taken_out.add(key)

    def _row(self, key: Key, before: Item | None, after: Item) -> None:
        message_id, record = key
        if record == MESSAGE:
            self._message(key, before, after)
        elif record.startswith(ALERT):
            self._alert(key, before, after)
        elif record.startswith(DESTINATION):
            self._destination(key, before, after)
        address = after.get("Destination", {}).get("S", "")
        mail = self.mailbox.mails.get(message_id)
        expires = _number(after, "ExpiresAt")
        # A listing is of no use any more once the look that it brings has been taken.
        if mail and not record.startswith(LISTED) and expires < mail.sent_at + KEEPS - 1:
            self.world.violated(Promise.OUTLIVES_SES, key=key)
        if (message_id, address) in self.erased and address:
            self.world.violated(Promise.STAYS_ERASED, key=key)

    def _message(self, key: Key, before: Item | None, after: Item) -> None:
        violated = self.world.violated
        if ("NextLookAt" in after) == ("Final" in after):
            violated(Promise.NEXT_OR_FINAL, row=_in_short(after))
        if ("NextLookAt" in after) != ("DueLane" in after):
            violated(Promise.IN_A_LANE, row=_in_short(after))
        if "DueLane" in after and after["DueLane"]["S"] not in {str(lane) for lane in Lane}:
            violated(Promise.IN_A_LANE, row=_in_short(after))
        if "ErasedAt" in after:
            self.erased_messages.add(key[0])
        if key[0] in self.erased_messages and (
            "Subject" in after or "FromEmailAddress" in after or after["EmailTags"]["M"]
        ):
            violated(Promise.STAYS_EMPTY, row=_in_short(after))
        process = self.world.current
        if process is None or process in self.erasing:
            return
        looks, counted = _number(after, "Looks"), _number(before, "Looks")
        # Of a large record the message's own row is there before its first look is stored.
        if before is not None or looks:
            counted += self.answers.pop((process, key[0]), 0)
            # What expired while SES was asked is stored as it was read.
            if looks not in {counted, counted + self.expired_looks.pop(key, 0)}:
                violated(Promise.COUNTED, row=_in_short(after), was=_in_short(before))
        self._shed(before, after)

    def _shed(self, before: Item | None, after: Item) -> None:
        """Check whether looks were scarce, where some are given up."""
        now = self.world.now
        if before and self._is_late(before):
            self._scarce_at = now
        given_up = _number(after, "Shed") - _number(before, "Shed")
        if given_up <= 0:  # one that was given up while it was under way was taken after all
            return
        self.given_up += given_up
        self.postponed += before is None
        if self.has_wrong_clocks:
            return
        if before is None:  # a fresh id
            waited = now - instant(after["SentAt"]["S"]).timestamp() - self.delay
            is_scarce = waited > LONGEST_WAIT or self._is_scarce()
        else:
            late = now - instant(before["NextLookAt"]["S"]).timestamp()
            is_scarce = late >= GIVEN_UP_AFTER
        if not is_scarce:
            self.world.violated(Promise.SCARCE, row=_in_short(after), was=_in_short(before))

    def _is_scarce(self) -> bool:
        """Whether an essential look is late, or was when a function last looked."""
        return self.world.now - self._scarce_at < REMEMBERED_FOR or any(
            self._is_late(row) for _, row in self.table.everything()
        )

    def _is_late(self, row: Item) -> bool:
        """Whether a row waits for an essential look that is late."""
        late = iso(datetime.fromtimestamp(self.world.now - LATE, UTC))
        is_essential = row.get("DueLane", {}).get("S") == Lane.ESSENTIAL
        return is_essential and str(row["NextLookAt"]["S"]) <= late

    def _alert(self, key: Key, before: Item | None, after: Item) -> None:
        if self.world.current:
            self.claims[key, self.world.current] = self.world.now
        self.claimed_at[key] = self.world.now
        if ("PublishedAt" in after) == ("DueLane" in after):
            self.world.violated(Promise.PENDING_OR_PUBLISHED, row=_in_short(after))
        if "PublishedAt" in after:
            self.marked.add(key)
        elif before and "PublishedAt" in before:
            self.world.violated(Promise.STAYS_PUBLISHED, row=_in_short(after))
        if before is None:
            self.struck_before[key] = self.faults.struck
        if before is None and key[0] != Partition.SURGES:
            self.raised[key] = after
            for sort, other in self.table.rows[key[0]].items():
                if sort.startswith(ALERT) and sort != key[1] and _same(other, after):
                    self.world.violated(Promise.ONE_EACH, one=sort, other=key[1])

    def _destination(self, key: Key, before: Item | None, after: Item) -> None:
        kept = before or {}
        lost = _events(kept) - _events(after)
        if lost:
            self.world.violated(Promise.REMEMBERED, key=key, lost=sorted(lost))
        address = after.get("Destination", {}).get("S", "")
        mail = self.mailbox.mails.get(key[0])
        for kind, name in zip(ENGAGEMENT, ("OpenCount", "ClickCount"), strict=True):
            count, was = int(after[name]["N"]), int(kept.get(name, {"N": "0"})["N"])
            there = _shown_count(mail, address, kind, self.world.now)
            if count < was or count > there:
                self.world.violated(
                    Promise.COUNTED_ONCE, key=key, count=count, was=was, there=there
                )

    def _summary(self, row: Mapping[str, Any]) -> None:
        surge = (f"{row['Of']}#{row['Reason']}#{row.get('FromDomain')}", row["BeganAt"])
        if self.summarized.get(surge, row["From"]) != row["From"]:
            self.world.violated(Promise.SUMMED_ONCE, row=dict(row))
        self.summarized[surge] = row["To"]
        # Those that are erased or expire meanwhile may be counted or not.
        there = sum(_is_of(item, row) for _, item in self.table.everything())
        ever = sum(_is_of(item, row) for item in self.raised.values())
        least = 0 if self.has_wrong_clocks else there
        if not least <= row["Count"] <= ever:
            self.world.violated(Promise.SUMMED_RIGHT, row=dict(row), there=there, ever=ever)

    # Publications and calls

    def published(self, published: Published) -> None:
        """Check one publication."""
        alert = published.alert
        self.world.note("published", alert=alert["alertId"])
        message_id, address = alert.get("messageId", Partition.SURGES), alert.get("destination", "")
        key = (message_id, f"{ALERT}{alert['alertId']}")
        self.publications[key] += 1
        struck = self.faults.struck - self.struck_before.get(key, 0)
        is_taken_up = self._was_taken_up(key, published.by)
        violated, now = self.world.violated, self.world.now
        erased_at = self.erased.get((message_id, address))
        if erased_at is not None:
            if self.claimed_at.get(key, 0.0) < erased_at - IN_FLIGHT or now > erased_at + IN_FLIGHT:
                violated(Promise.ERASED_UNPUBLISHED, key=key)
            return
        if key not in self.last_rows:
            violated(Promise.STORED_FIRST, key=key)
        elif key in self.marked and not is_taken_up:
            violated(Promise.NEVER_AGAIN, key=key)
        elif (key, published.by) not in self.claims:
            violated(Promise.ONCE_A_CLAIM, key=key)
        elif self.publications[key] > 1 + struck + is_taken_up:
            violated(Promise.TWICE_FOR_A_FAULT, key=key)
        self.claims.pop((key, published.by), None)

    def _was_taken_up(self, key: Key, by: Process) -> bool:
        """Whether a run with a wrong clock may have taken up what another process has in hand."""
        claimed_at = self.claims.get((key, by), 0.0)
        is_stale = 2 * self.skew > STALE_AFTER.total_seconds()
        return is_stale and self.world.now - claimed_at < IN_FLIGHT

    def arrived(self, arrival: Arrival) -> None:
        """Check the pace."""
        last, self._last_arrival = self._last_arrival, arrival
        self.world.note("asked SES", mail=arrival.mail, taken=arrival.was_taken)
        rows = self.table.rows.get(arrival.mail, {})
        # Without the message's own row its first look was stopped: it counts as not taken.
        period = self.periods[arrival.by]
        # What is pending is read before the first wait; a look that SES throttles waits again.
        waited = IN_FLIGHT + PERIODS_OF_A_LOOK * period
        for sort, row in rows.items() if MESSAGE in rows else ():
            key = (arrival.mail, sort)
            waits = (
                sort.startswith(ALERT) and "DueLane" in row and not self._looks_held(row, waited)
            )
            if waits and self.claimed_at[key] < self.world.now - waited:
                self.world.violated(Promise.PENDING_FIRST, key=key)
        if last is None or last.was_slow or arrival.was_slow:
            return
        if arrival.at - last.at < period - 1e-6:
            self.world.violated(Promise.PACE, seconds=arrival.at - last.at)

    def _looks_held(self, row: Item, waited: float) -> bool:
        """Whether a process with a wrong clock may have taken an old claim for that of a run."""
        ahead = instant(row["NextLookAt"]["S"]) - self.world.wall()
        return self.has_wrong_clocks and -timedelta(seconds=waited) < ahead <= 2 * HELD_FOR

    def answered(self, mail_id: str, answer: Any, process: Process) -> None:
        """Note what SES said to whom."""
        self.answers[process, mail_id] += 1
        self._aside = 0
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
            self.world.violated(Promise.PACE_OF_THE_LIST, seconds=at - last)

    # The queue

    def received(self, message: Message, waiting: list[Message]) -> None:
        """Check that the queue does not stand behind an id that fails alone."""
        now = self.world.now
        self.answers.clear()  # those that an invocation had and did not store are gone
        if message.id != self._head:
            self._head, self._head_since = message.id, now
            self._aside += 1
        mail = next((m for m in self.mailbox.mails.values() if m.id in message.body), None)
        behind = [m.visible_at for m in waiting if m is not message and m.visible_at <= now]
        if mail is None or now >= mail.fails_until or not behind:
            self._head_since = now
            return
        since = max(self._head_since, self.paused_until, min(behind))
        period = max(self.periods.values())
        stands = _longest_at_the_head(self._aside, period)
        # A look that is stopped comes back by its visibility timeout, and so does one that SQS,
        # while it is out, could not be told to bring back sooner.
        hidden = VISIBILITY_TIMEOUTS * (WORK_OF_A_LOOK + PERIODS_OF_A_LOOK * period)
        if self.faults.rate or self.faults.outages:
            stands += STOPS * hidden
        end = self.faults.until + max(STANDS, hidden)
        troubled = self.faults.rate > 0.05 and now < end  # noqa: PLR2004
        if now - since > stands and not troubled and not self.faults.is_out(now, 2 * STANDS):
            self.world.violated(Promise.QUEUE_MOVES, seconds=now - since)
            self._head_since = now

    def lost(self, message: Message) -> None:
        """Check that SQS drops nothing because of its age."""
        self.world.violated(Promise.KEPT_BY_SQS, body=message.body)

    # At the end

    def at_the_end(self, enqueued: set[str], parked: list[str], waiting: list[Message]) -> None:
        """Check what has come of everything.

        ``enqueued`` are ids and, where there is none in it, whole bodies.
        """
        violated, now = self.world.violated, self.world.now
        for mail_id in sorted(enqueued):
            is_parked = any(mail_id in body for body in parked)
            if (mail_id, MESSAGE) not in self.last_rows and not is_parked:
                violated(Promise.HANDLED, mail=mail_id)
        for message in waiting:
            mail = next((m for m in self.mailbox.mails.values() if m.id in message.body), None)
            # What joined the queue in the last minutes is still delayed.
            is_fresh = message.receives == 0 and now < message.visible_at
            if not is_fresh and (mail is None or now >= mail.fails_until):
                violated(Promise.DRAINED, body=message.body)
        for (message_id, record), item in self.table.everything():
            if "DueLane" not in item:
                continue
            due = instant(item["NextLookAt"]["S"]).timestamp()
            sent = instant(item["SentAt"]["S"]).timestamp() if "SentAt" in item else now
            latest = max(now, sent + self.longest_ladder) + LATEST
            if not now - LATEST <= due <= latest:
                lane = item["DueLane"]["S"]
                violated(Promise.NOT_LEFT_BEHIND, row=(message_id, record), lane=lane, due=due)
        self._all_is_stored()
        self._all_is_published()
        self._all_is_raised(parked)
        self._all_is_summed()

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
            if missing := set(events) - stored[mail_id]:
                self.world.violated(Promise.STORED, mail=mail_id, missing=missing)

    def _all_is_published(self) -> None:
        for (message_id, record), item in self.last_rows.items():
            address = item.get("Destination", {}).get("S", "")
            if (message_id, address) in self.erased or not record.startswith(ALERT):
                continue
            if (message_id, record) in self.taken_out:
                continue
            if not self.publications[message_id, record]:
                self.world.violated(Promise.PUBLISHED, message=message_id, record=record)

    def _all_is_raised(self, parked: list[str]) -> None:
        alerts: dict[tuple[str, str], list[Item]] = defaultdict(list)
        for (message_id, record), item in self.last_rows.items():
            if record.startswith(ALERT) and "Destination" in item:
                alerts[message_id, item["Destination"]["S"]].append(item)
        for (message_id, record), item in self.last_rows.items():
            if not record.startswith(DESTINATION) or message_id in self.erased_messages:
                continue
            found = alerts[message_id, item["Destination"]["S"]]
            missing = _alertable(item) - {_about(alert) for alert in found}
            # What was published from the list is not published again, whatever a look says of it.
            for kind in {alert["AlertType"]["S"] for alert in found if "Source" in alert}:
                missing -= set(sorted(what for what in missing if what[0] == kind)[:1])
            if missing:
                self.world.violated(Promise.RAISED, row=from_item(item), missing=missing)
        # Where a clock is ahead by more, the list is read up to a time that has not come.
        is_read = self.watches_list and self.skew < SETTLED_AFTER
        for entry in self.mailbox.listed if is_read else ():
            fails = self._mail(entry.mail).fails_until > self.world.now
            is_parked = any(entry.mail in body for body in parked)
            is_recent = entry.shown_from > self.world.now - DAY
            if fails or is_parked or is_recent or entry.mail in self.erased_messages:
                continue
            if not alerts[entry.mail, entry.address]:
                self.world.violated(Promise.LISTED, mail=entry.mail, address=entry.address)

    def _all_is_summed(self) -> None:
        if self.has_wrong_clocks:
            return  # a summary's time may be over when an alert of it is stored
        summaries = [
            from_item(item)
            for (partition, record), item in self.last_rows.items()
            if partition == Partition.SURGES and record.startswith(ALERT)
        ]
        for item in self.raised.values():
            is_grouped = item["Grouping"]["S"] == Grouping.GROUPED
            if is_grouped and not any(_is_of(item, summary) for summary in summaries):
                self.world.violated(Promise.SUMMED_ALL, row=from_item(item))

    def _mail(self, mail_id: str) -> Mail:
        return self.mailbox.mails[mail_id]


def _shown_count(mail: Mail | None, address: str, kind: str, now: float) -> int:
    """Return how many events of a kind SES shows of a recipient by now."""
    if mail is None or address not in mail.recipients:
        return 0
    events = mail.recipients[address][1]
    return sum(event.type == kind and event.at + event.shown_after <= now for event in events)


def _same(one: Item, other: Item) -> bool:
    """Whether two alerts are about the same event of the same recipient."""
    return one.get("Destination") == other.get("Destination") and _about(one) == _about(other)


def _about(alert: Item) -> tuple[str, str]:
    """Return what an alert is about: its type and, of a complaint, the feedback."""
    return alert["AlertType"]["S"], _feedback(from_item(alert)["Event"])


def _feedback(event: Mapping[str, Any]) -> str:
    return str(event.get("Details", {}).get("Complaint", {}).get("ComplaintFeedbackType", ""))


def _alertable(destination: Item) -> set[tuple[str, str]]:
    """Return what alerts a recipient's events call for."""
    found = set()
    for event in from_item(destination)["Events"]:
        bounce = event.get("Details", {}).get("Bounce", {})
        if event["Type"] != "BOUNCE" or bounce.get("BounceType") == "PERMANENT":
            found.add((event["Type"], _feedback(event)))
    return {what for what in found if what[0] in set(AlertType)}


def _is_of(item: Item, summary: Mapping[str, Any]) -> bool:
    """Whether a row is that of an alert that a summary has to count."""
    return bool(
        "EmailTags" in item  # an erasure of another recipient takes them out, and the sender
        and item.get("AlertType", {}).get("S") == summary["Of"]
        and item["Reason"]["S"] == summary["Reason"]
        and item.get("FromDomain", {}).get("S", "") == summary.get("FromDomain", "")
        and summary["From"] <= item["DetectedAt"]["S"] < summary["To"]
    )


def _longest_at_the_head(aside: int, period: float) -> float:
    """Return how long an id may stay at the head when so many others have stepped aside in vain.

    Five tries, two more for each of those, and never more than twelve; the waits between them
    double from two seconds to a quarter of an hour.
    """
    tries = min(5 + 2 * aside, 12)
    waits = sum(min(2 << number, 900) for number in range(tries))
    return waits + tries * (period + 10) + 5 * MINUTE


def _number(item: Item | None, name: str) -> int:
    """Return a number of a row; 0 where it has none."""
    return int(item[name]["N"]) if item and name in item else 0


def _in_short(item: Item | None) -> Any:
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
