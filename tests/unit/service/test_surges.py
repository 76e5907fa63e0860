"""3,000 bounces are one incident for people and 3,000 alerts for programs, in virtual time."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from ses_insights.contracts.alert_message import Notification
from ses_insights.contracts.console import TableAddress
from ses_insights.domain.alert import Alert, AlertType
from ses_insights.domain.due import Waiting
from ses_insights.domain.insight import Bounce, Event, Insights
from ses_insights.domain.surge import SURGE_AFTER, Group, Summary
from ses_insights.domain.times import instant, iso
from ses_insights.service.followups import OutOfTimeError
from ses_insights.service.grouping import Grouping
from ses_insights.service.ports import RecordChangedError
from ses_insights.service.summaries import Summaries
from tests.support.surges import FakeSurges, every, finding_of

START = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NO_SUCH_USER, BLOCKED = "550 5.1.1 user unknown", "550 5.7.1 listed by zen.spamhaus.org"
SHOP, OTHER = "news@shop.example", "news@bank.example"


@dataclass(slots=True)
class Town:
    """Alerts that come when they come, followups every minute, and what people and programs get."""

    surges: FakeSurges = field(default_factory=FakeSurges)
    time: datetime = START
    to_programs: list[Alert] = field(default_factory=list)
    to_people: list[Notification | Alert] = field(default_factory=list)
    summaries: list[dict[str, object]] = field(default_factory=list)
    number: int = 0

    def now(self) -> datetime:
        """Tell the time."""
        return self.time

    def publish(self, notification: Notification) -> str:
        """Take a summary, as SNS does."""
        self.to_people.append(notification)
        self.summaries.append(json.loads(json.loads(notification.message)["default"]))
        return "sns"

    def runner(self) -> Summaries:
        """Make the step of a run."""
        return Summaries(
            rows=self.surges,  # type: ignore[arg-type] # of the index only what is due is asked
            surges=self.surges,
            subscribers=self,
            now=self.now,
            table=TableAddress("000000000000", "eu-west-1", "Table"),
            surge_after=SURGE_AFTER,
            on_published=lambda _: None,
        )

    def run(self) -> None:
        """Do what followups does with summaries."""
        self.runner().write(lambda: None)

    def bounces(self, diagnostic: str = NO_SUCH_USER, sender: str = SHOP) -> None:
        """Find one bounce, as a look does."""
        self.number += 1
        message_id = f"message-{self.number:06}"
        alert = Alert(
            alert_id=f"{self.number:032x}",
            alert_type=AlertType.BOUNCE,
            destination=f"anna{self.number}@example.com",
            isp="Gmail",
            event=Event("BOUNCE", iso(self.time), Bounce("PERMANENT", "General", diagnostic)),
            detected_at=iso(self.time),
        )
        tags: dict[str, tuple[str, ...]] = {"campaign": ("spring",), "order": (str(self.number),)}
        insights = Insights(message_id, sender, email_tags=tags)
        grouping = Grouping(self.surges, SURGE_AFTER)
        (decided,), (surge,) = grouping.of([alert], insights, self.time)
        self.surges.store(surge)
        self.surges.store_alert(decided, surge.group, finding_of(decided, message_id, tags))
        self.to_programs.append(decided)
        if decided.grouping == "single":
            self.to_people.append(decided)

    def lives(self, *moments: Iterable[tuple[datetime, str, str]], until: datetime) -> None:
        """Let bounces come at their moments, and a run every minute."""
        runs = ((at, "run", "") for at in every(60, start=START, number=100_000) if at <= until)
        for at, what, sender in heapq.merge(*moments, runs):
            self.time = at
            if what == "run":
                self.run()
            else:
                self.bounces(what, sender)


@pytest.fixture
def town() -> Town:
    """An empty one."""
    return Town()


def stream(
    seconds: float,
    number: int,
    *,
    start: datetime = START,
    what: str = NO_SUCH_USER,
    sender: str = SHOP,
) -> Iterable[tuple[datetime, str, str]]:
    """Bounces of one kind, evenly apart."""
    return ((at, what, sender) for at in every(seconds, start=start, number=number))


def test_3000_bounces_in_an_hour_are_at_most_8_messages_to_a_person(town: Town) -> None:
    """Programs get each of them; people five, and summaries whose counts make up the whole."""
    town.lives(stream(1.2, 3_000), until=START + 5 * HOUR)
    assert len(town.to_programs) == 3_000
    assert len(town.to_people) <= 8
    assert sum(int(str(each["count"])) for each in town.summaries) == 3_000
    assert [each["hasEnded"] for each in town.summaries] == [False, False, True]


def test_the_first_five_come_one_by_one(town: Town) -> None:
    """The sixth makes it a surge."""
    town.lives(stream(1, 7), until=START + MINUTE)
    assert [alert.grouping for alert in town.to_programs] == [*5 * ["single"], *2 * ["grouped"]]


def test_the_first_summary_comes_five_minutes_after_the_sixth(town: Town) -> None:
    """It counts from the first alert on, those that came one by one included."""
    town.lives(stream(1, 60), until=START + 7 * MINUTE)
    (summary,) = town.summaries
    at = instant(str(summary["detectedAt"]))
    assert timedelta(minutes=5) <= at - (START + timedelta(seconds=5)) <= timedelta(minutes=6)
    assert (summary["from"], summary["count"]) == (iso(START), 60)


def test_a_surge_of_two_days_is_one_message_an_hour(town: Town) -> None:
    """Five, one after five minutes, one an hour, and one that says it has ended."""
    town.lives(stream(30, 2 * 24 * 120), until=START + 52 * HOUR)
    assert 5 + 1 + 48 <= len(town.to_people) <= 5 + 1 + 48 + 1 + 1
    assert sum(int(str(each["count"])) for each in town.summaries) == 2 * 24 * 120
    assert [each["hasEnded"] for each in town.summaries].count(True) == 1
    assert town.summaries[-1]["hasEnded"]
    assert town.summaries[-1]["total"] == 2 * 24 * 120


def test_a_trickle_of_four_an_hour_is_never_grouped(town: Town) -> None:
    """However long it goes on."""
    town.lives(stream(900, 400), until=START + 101 * HOUR)
    assert {alert.grouping for alert in town.to_programs} == {"single"}
    assert town.summaries == []


def test_two_groups_that_alternate_are_two_surges(town: Town) -> None:
    """Each has its own five, its own summaries and its own count."""
    town.lives(
        stream(10, 300),
        stream(10, 300, start=START + timedelta(seconds=5), what=BLOCKED),
        until=START + 4 * HOUR,
    )
    reasons = Counter(str(each["reason"]) for each in town.summaries)
    counts = Counter[str]()
    for each in town.summaries:
        counts[str(each["reason"])] += int(str(each["count"]))
    assert counts == {"address-unknown": 300, "blocklisted": 300}
    assert max(reasons.values()) <= 3
    assert sum(isinstance(each, Alert) for each in town.to_people) == 10


def test_senders_are_groups_of_their_own(town: Town) -> None:
    """What goes wrong at one sender domain does not silence another one."""
    town.lives(stream(1, 20), stream(1, 3, sender=OTHER), until=START + MINUTE)
    of_the_bank = (
        town.to_programs[-3:]
        if len(town.to_programs) < 6
        else [alert for alert in town.to_people if isinstance(alert, Alert)]
    )
    assert len(of_the_bank) == 5 + 3


def test_after_its_end_alerts_come_one_by_one_again(town: Town) -> None:
    """A new window begins."""
    town.lives(stream(1, 100), stream(1, 3, start=START + 6 * HOUR), until=START + 7 * HOUR)
    assert [alert.grouping for alert in town.to_programs[-3:]] == 3 * ["single"]


def test_what_comes_in_the_last_minute_of_a_surge_is_in_a_summary(town: Town) -> None:
    """A surge does not end over alerts that no summary has counted."""
    last = START + timedelta(hours=1, minutes=5, seconds=59)
    town.lives(stream(1, 100), stream(1, 1, start=last), until=START + 6 * HOUR)
    assert sum(int(str(each["count"])) for each in town.summaries) == 101
    assert town.summaries[-1]["hasEnded"]


def test_tags_that_mails_share_are_named_and_others_are_not(town: Town) -> None:
    """The campaign is; the number that each order has for itself is not."""
    town.lives(stream(1, 60), until=START + 7 * MINUTE)
    (summary,) = town.summaries
    assert summary["topTags"] == [{"name": "campaign", "value": "spring", "count": 60}]
    assert summary["topIsps"] == [{"value": "Gmail", "count": 60}]
    assert summary["topDestinationDomains"] == [{"value": "example.com", "count": 60}]


def test_ten_times_as_many_are_one_step_graver(town: Town) -> None:
    """From fifty on, where five are published one by one."""
    town.lives(stream(1, 49), stream(1, 50, what=BLOCKED), until=START + 7 * MINUTE)
    severities = {str(each["reason"]): each["severity"] for each in town.summaries}
    assert severities == {"address-unknown": "medium", "blocklisted": "critical"}


@pytest.mark.parametrize("step", ["save_summary", "publish", "mark_published"])
@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_crash_loses_no_summary(
    town: Town, step: str, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is published once; again, with its id, only by a crash between publishing and marking."""
    town.lives(stream(1, 60), until=START + 5 * MINUTE)
    town.time = START + 7 * MINUTE
    holder = Town if step == "publish" else FakeSurges
    real = getattr(holder, step)

    def crashes(*arguments: object) -> object:
        if moment == "before":
            raise KeyboardInterrupt
        real(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(holder, step, crashes)
        with pytest.raises(KeyboardInterrupt):
            town.run()
    for row, summary in list(town.surges.summaries.items()):
        assert summary.published_at is None or step == "mark_published"
        town.runner().publish_pending(Waiting("#surges", row, iso(town.time)))
    town.run()
    ids = [each["alertId"] for each in town.summaries]
    published_twice = (step, moment) in {("publish", "after"), ("mark_published", "before")}
    assert len(ids) == (2 if published_twice else 1)
    assert len(set(ids)) == 1
    assert {each["count"] for each in town.summaries} == {60}


def test_of_two_runs_at_once_one_writes_the_summary(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one finds that the group has changed."""
    town.lives(stream(1, 60), until=START + 5 * MINUTE)
    town.time = START + 7 * MINUTE
    real = FakeSurges.findings
    runs: list[None] = []

    def meanwhile(self: FakeSurges, group: Group, *, since: str, until: str) -> object:
        if not runs:
            runs.append(None)
            town.run()
        return real(self, group, since=since, until=until)

    monkeypatch.setattr(FakeSurges, "findings", meanwhile)
    town.run()
    assert len(town.summaries) == 1


def test_a_count_over_an_old_version_is_refused(town: Town) -> None:
    """So two looks that read the same group cannot both be its sixth."""
    town.bounces()
    (surge,) = town.surges.groups.values()
    with pytest.raises(RecordChangedError):
        town.surges.store(replace(surge, version=surge.version - 1))


def test_an_erased_example_is_not_named(town: Town) -> None:
    """A summary stores nobody's address, and looks up only what is still there."""
    town.lives(stream(1, 60), until=START + 5 * MINUTE)
    town.surges.erased = {f"{1:032x}", f"{2:032x}"}
    town.time = START + 7 * MINUTE
    town.run()
    examples = town.summaries[0]["examples"]
    assert isinstance(examples, list)
    assert not {"anna1@example.com", "anna2@example.com"} & {
        each["destination"] for each in examples
    }
    assert len(examples) == 5


def test_a_surge_that_has_ended_gets_no_summary_though_the_index_still_shows_it(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index lags behind the table."""
    town.lives(stream(1, 60), until=START + 5 * MINUTE)
    (key,) = town.surges.groups
    town.surges.groups[key] = replace(town.surges.groups[key], next_summary_at=None)
    stale = [[Waiting("#surges", key, iso(START))]]
    monkeypatch.setattr(FakeSurges, "due", lambda *_, **__: iter(stale))
    town.run()
    assert town.summaries == []


def test_a_summary_is_written_at_its_very_time_and_marked(town: Town) -> None:
    """With what SNS calls it."""
    town.lives(stream(1, 60), until=START + 5 * MINUTE)
    town.time = START + timedelta(minutes=5, seconds=4, milliseconds=999)
    town.run()
    assert town.summaries == []
    town.time = START + timedelta(minutes=5, seconds=5)
    told: list[Summary] = []
    replace(town.runner(), on_published=told.append).write(lambda: None)
    (stored,) = town.surges.summaries.values()
    assert told == [stored]
    assert (stored.published_at, stored.sns_message_id) == (iso(town.time), "sns")


def test_a_run_without_time_writes_no_summary(town: Town) -> None:
    """It stays due."""
    town.lives(stream(1, 60), until=START + 5 * MINUTE)
    town.time = START + 7 * MINUTE

    def check_time() -> None:
        raise OutOfTimeError

    with pytest.raises(OutOfTimeError):
        town.runner().write(check_time)
    assert town.summaries == []
    town.run()
    assert len(town.summaries) == 1
