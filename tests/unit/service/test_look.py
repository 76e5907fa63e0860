"""A look stores before it publishes, publishes what is stored, and survives whatever stops it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest

from ses_insights.adapters import ses
from ses_insights.adapters.queue import retry_delay
from ses_insights.adapters.records import RecordTable
from ses_insights.adapters.ses import SesSource
from ses_insights.adapters.surges import SurgeTable
from ses_insights.adapters.topic import AlertTopic
from ses_insights.contracts.queue_message import LookRequest
from ses_insights.domain.alert import pending
from ses_insights.domain.due import HELD_FOR
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.insight import Complaint
from ses_insights.domain.lanes import Lane
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.pace import Pace
from ses_insights.domain.record import Answer, Found, NotFound, Record, Refused, Rules
from ses_insights.domain.status import Status
from ses_insights.domain.surge import SURGE_AFTER
from ses_insights.domain.times import iso
from ses_insights.service.grouping import Grouping
from ses_insights.service.look import RECENT, Look, Outcome
from ses_insights.service.outbox import Outbox
from tests.support.fakes import (
    START,
    Clock,
    Killed,
    Table,
)
from tests.support.fakes_due import FakeCapacity
from tests.support.harness import Harness
from tests.support.samples import (
    BOUNCES,
    MESSAGE_ID,
    RULES,
    TABLE_ADDRESS,
    alerts_of,
    bounced,
    complained,
    delivered,
    event,
    found,
    looked,
    published,
)
from tests.support.wire import NOT_FOUND, ONCE, Network, Reply, insights

HOUR = timedelta(hours=1)
EVERYTHING = found(bounced(), complained(), delivered())
"""Two alerts, and a recipient of whom more may be heard."""
DOWN = SystemFailure(FailureKind.SES_UNAVAILABLE, "GetMessageInsights: 503")


def serving(*answers: Answer | Exception, rules: Rules = RULES) -> Harness:
    """A harness in which SES gives these answers, or shows everything."""
    return Harness([*answers] or [EVERYTHING], rules)


def settled_by(answer: Answer) -> Record:
    """A first look's record, its alerts published."""
    record, alerts = looked(answer)
    return replace(record, alerts=tuple(published(alert) for alert in alerts))


# One look


def test_a_first_look_is_stored_and_published() -> None:
    """What SES answers is in the table, and every alert of it is published and marked."""
    harness = serving()
    outcome = harness.look()
    assert harness.stored.insights == EVERYTHING.insights
    assert set(harness.notified) == alerts_of(EVERYTHING.insights)
    assert pending(harness.stored.alerts) == ()
    assert outcome.answer == EVERYTHING
    assert {alert.alert_id for alert in outcome.published} == set(harness.notified)


def test_alerts_are_stored_before_they_are_published() -> None:
    """Everything is stored first; then each alert is published and marked before the next."""
    harness = serving()
    harness.look()
    assert harness.moments.passed == [
        *("load", "loaded", "ask", "asked", "save", "saved"),
        *("publish", "published", "mark", "marked") * 2,
    ]


def test_an_alert_is_marked_with_what_sns_called_it() -> None:
    """The row says when it was published and under which id."""
    harness = serving(found(bounced()))
    harness.clock.advance(60)
    harness.look()
    (alert,) = harness.stored.alerts
    assert (alert.published_at, alert.sns_message_id) == ("2026-11-23T10:01:00.000Z", "sns-1")


def test_every_alert_is_announced_once_it_is_marked() -> None:
    """Each is announced, also where the look fails at the next one."""
    harness = serving()
    harness.moments.fails_at = 10  # the second publish
    with pytest.raises(Killed):
        harness.look()
    (heard,) = harness.published
    assert heard.published_at is not None
    harness.look()
    assert [alert.alert_id for alert in harness.published] == list(harness.notified)


def test_an_alert_that_cannot_be_published_holds_back_no_other() -> None:
    """Where SNS finds one alert malformed, the others of the message are published all the same."""
    harness = serving()

    def refuse() -> None:
        raise ValueError("malformed")

    harness.moments.before["publish"] = refuse
    with pytest.raises(ValueError, match="malformed"):
        harness.look()
    (left,) = pending(harness.stored.alerts)
    assert set(harness.notified) == alerts_of(EVERYTHING.insights) - {left.alert_id}


def test_an_outage_of_sns_is_noticed_at_the_first_alert() -> None:
    """Where the system fails, trying the others would only cost time."""
    harness = serving()

    def refuse() -> None:
        raise SystemFailure(FailureKind.SNS, "Publish: ReadTimeoutError")

    harness.moments.before["publish"] = refuse
    with pytest.raises(SystemFailure):
        harness.look()
    assert harness.subscribers.published == []
    assert len(pending(harness.stored.alerts)) == 2


@pytest.mark.parametrize(
    ("answer", "status", "refused"),
    [(NotFound(), Status.NOT_FOUND, False), (Refused(), Status.INVALID, True)],
)
def test_a_no_is_stored_too(answer: Answer, status: Status, refused: bool) -> None:  # noqa: FBT001
    """That SES does not know a message, or refuses its id, is a row like any other."""
    harness = serving(answer)
    outcome = harness.look()
    assert harness.stored.status is status
    assert outcome.refused is refused


def test_the_age_of_a_message_counts_from_its_enqueuing() -> None:
    """Where SES does not say when it was sent, the time its id came in stands for it."""
    harness = serving(NotFound())
    harness.look(waited=HOUR)
    assert harness.stored.sent_at == iso(START - HOUR)


def test_enqueued_again_it_is_still_as_old_as_it_was() -> None:
    """The time of the first enqueuing stays, until SES shows the send time."""
    harness = serving(NotFound())
    harness.look()
    harness.clock.advance(25 * 3600)
    harness.look(waited=HOUR)
    assert harness.stored.looks == 2
    assert harness.stored.sent_at == iso(START)
    assert harness.stored.next_look_at == iso(START + 72 * HOUR)


def test_the_rules_of_the_deployment_hold() -> None:
    """A redacted subject is neither stored nor sent."""
    harness = serving(found(bounced()), rules=replace(RULES, redact_subjects=True))
    harness.look()
    assert harness.stored.insights.subject is None
    assert '"subject"' not in json.loads(harness.subscribers.published[0].message)["default"]


def test_a_later_look_publishes_only_what_is_new() -> None:
    """An alert that was published is not published again, however often SES shows its event."""
    harness = serving(found(bounced(), delivered()), EVERYTHING)
    harness.look()
    first = set(harness.notified)
    harness.clock.advance(3 * 3600)
    harness.look()
    assert set(harness.notified) > first
    assert set(harness.notified.values()) == {1}


def test_nothing_seen_is_forgotten() -> None:
    """A message that SES no longer knows keeps its story."""
    harness = serving(EVERYTHING, NotFound())
    harness.look()
    harness.clock.advance(3 * 3600)
    harness.look()
    assert harness.stored.insights == EVERYTHING.insights
    assert harness.stored.looks == 2


# Looks that are skipped


@pytest.mark.parametrize(
    ("answer", "gap"),
    [
        (found(bounced()), timedelta(days=5)),
        (Refused(), timedelta(days=5)),
        (found(delivered()), timedelta(seconds=5)),
        (found(delivered()), RECENT - timedelta(seconds=1)),
    ],
    ids=["final", "refused", "just now", "a while ago"],
)
def test_a_look_that_can_show_nothing_new_costs_no_slot(answer: Answer, gap: timedelta) -> None:
    """A final story, or a look taken moments ago, is skipped without a call."""
    harness = serving()
    harness.clock.advance(3600)  # between two rungs
    harness.stored = record = settled_by_now(harness, answer)
    harness.clock.advance(gap.total_seconds())
    outcome = harness.look()
    assert harness.source.asked == []
    assert outcome == Outcome(record, published=(), answer=None)
    assert outcome.refused is isinstance(answer, Refused)


def settled_by_now(harness: Harness, answer: Answer) -> Record:
    """The record of a look taken now, its alerts published."""
    record, alerts = looked(answer, now=harness.clock.now())
    return replace(record, alerts=tuple(published(alert) for alert in alerts))


@pytest.mark.parametrize(
    ("looked_after", "gap"),
    [
        (timedelta(0), timedelta(minutes=15)),
        (timedelta(minutes=110), timedelta(minutes=10)),
        (HOUR, RECENT),
    ],
    ids=["due at the first rung", "due right after", "long ago"],
)
def test_a_look_that_may_show_something_new_is_taken(
    looked_after: timedelta, gap: timedelta
) -> None:
    """What is due, or was looked at long ago, is asked for."""
    harness = serving(found(delivered()))
    harness.clock.advance(looked_after.total_seconds())
    harness.stored = settled_by_now(harness, found(delivered()))
    harness.clock.advance(gap.total_seconds())
    assert harness.look().answer is not None
    assert harness.source.asked == [MESSAGE_ID]


def test_a_message_that_comes_back_is_not_asked_for_again() -> None:
    """The longest wait of a deferred message lies within what counts as recent."""
    assert retry_delay(receive_count=1000, chance=1) == RECENT.total_seconds()


def test_a_producer_can_force_a_look() -> None:
    """With force even a final message is asked for."""
    harness = serving(found(bounced()))
    harness.stored = settled_by(found(bounced()))
    assert harness.look(force=True).answer is not None
    assert harness.source.asked == [MESSAGE_ID]


# Looks that SES's own events bring forward


@pytest.mark.parametrize("gap", [timedelta(0), RECENT, timedelta(hours=5)])
def test_a_look_is_brought_forward_however_short_ago_the_last_one_was(gap: timedelta) -> None:
    """A look just before or just after the bounce may not have shown it: it is taken again."""
    harness = serving(found(bounced()))
    harness.clock.advance(3600)
    harness.stored = settled_by_now(harness, found(delivered(BOUNCES)))
    harness.clock.advance(gap.total_seconds())
    harness.look(due=True)
    assert harness.stored.status is Status.PERMANENT_BOUNCE
    assert set(harness.notified.values()) == {1}


def test_a_look_is_brought_forward_though_none_was_to_come() -> None:
    """What was given up as not found is asked for: SES itself says now that there is something."""
    harness = serving(found(bounced()))
    harness.stored = replace(settled_by(NotFound()), final="not found", next_look_at=None)
    harness.look(due=True)
    assert harness.stored.status is Status.PERMANENT_BOUNCE


@pytest.mark.parametrize("answer", [found(bounced()), found(complained()), Refused()])
def test_what_is_over_is_not_brought_forward(answer: Answer) -> None:
    """A bounce or complaint that is published already, or an id that SES refuses, costs no slot."""
    harness = serving()
    harness.stored = record = settled_by(answer)
    outcome = harness.look(due=True)
    assert harness.source.asked == []
    assert outcome == Outcome(record, published=(), answer=None)


def test_many_events_of_one_message_cost_one_look() -> None:
    """The first look shows what they are about; those after it cost no slot and no alert."""
    harness = serving(found(delivered(BOUNCES)), found(bounced()))
    harness.look()
    for _ in range(100):
        harness.clock.advance(1)
        harness.look(due=True)
    assert harness.source.asked == [MESSAGE_ID] * 2
    assert set(harness.notified.values()) == {1}


@pytest.mark.parametrize("answer", [EVERYTHING, found(bounced())], ids=["just now", "final"])
def test_a_skipped_look_publishes_what_is_still_pending(answer: Found) -> None:
    """Alerts that an earlier look did not publish are published without asking SES."""
    harness = serving()
    harness.stored = looked(answer)[0]
    outcome = harness.look()
    assert harness.source.asked == []
    assert set(harness.notified) == alerts_of(answer.insights)
    assert pending(harness.stored.alerts) == ()
    assert len(outcome.published) == len(harness.notified)


@pytest.mark.parametrize("force", [False, True])
def test_what_is_pending_is_published_before_ses_is_asked(*, force: bool) -> None:
    """An alert that is stored does not wait for SES, which may be down for hours."""
    harness = serving(DOWN)
    harness.stored = looked(EVERYTHING)[0]
    harness.clock.advance(24 * 3600)
    with pytest.raises(SystemFailure):
        harness.look(force=force)
    assert set(harness.notified) == alerts_of(EVERYTHING.insights)
    assert pending(harness.stored.alerts) == ()


def test_what_was_pending_is_published_once() -> None:
    """Published before SES is asked, it is not published again after."""
    harness = serving()
    harness.stored = looked(found(bounced(), delivered()))[0]
    harness.clock.advance(24 * 3600)
    outcome = harness.look()
    assert harness.notified == Counter(alerts_of(EVERYTHING.insights))
    assert {alert.alert_id for alert in outcome.published} == set(harness.notified)


# Another writer


def test_a_look_merges_into_what_another_writer_stored() -> None:
    """Where the record changed under a look, its answer joins the new one; SES is asked once."""
    theirs = settled_by(found(bounced()))
    harness = serving(found(complained()))
    harness.moments.before["save"] = lambda: setattr(harness, "stored", theirs)
    outcome = harness.look()
    assert harness.stored.insights == found(bounced(), complained()).insights
    assert harness.stored.looks == 2
    assert harness.source.asked == [MESSAGE_ID]
    assert harness.notified == Counter(alerts_of(found(complained()).insights))
    assert outcome.record.looks == 2


def test_a_look_gives_up_on_a_record_that_keeps_changing() -> None:
    """After three tries the message waits; SES was asked once and nothing was published."""
    harness = serving()

    def change() -> None:
        known = harness.records.records.get(MESSAGE_ID) or settled_by(found(delivered()))
        harness.stored = replace(known, looks=known.looks + 1)
        harness.moments.before["save"] = change

    harness.moments.before["save"] = change
    with pytest.raises(SystemFailure) as caught:
        harness.look()
    assert caught.value.kind is FailureKind.DYNAMODB
    assert "another writer" in str(caught.value)
    assert harness.moments.passed.count("save") == 3
    assert harness.source.asked == [MESSAGE_ID]
    assert harness.subscribers.published == []


# Whatever stops a look


def moments_of_a_look() -> list[str]:
    """Every moment at which a look can be stopped."""
    harness = serving()
    harness.look()
    return harness.moments.passed


MOMENTS = moments_of_a_look()
NAMES = [f"{number} {moment}" for number, moment in enumerate(MOMENTS)]
STOPS: list[Callable[[], BaseException]] = [
    Killed,
    lambda: SystemFailure(FailureKind.DYNAMODB, "a time-out"),
    lambda: ValueError("a bug"),
]


@pytest.mark.parametrize("gap", [2, 900, 3600, 40 * 86_400])
@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("stop", STOPS, ids=["killed", "refused", "bug"])
@pytest.mark.parametrize("moment", range(len(MOMENTS)), ids=NAMES)
def test_a_look_that_was_stopped_is_completed(
    moment: int, stop: Callable[[], BaseException], *, force: bool, gap: float
) -> None:
    """Stopped before or after any step, a look that comes back leaves nothing out.

    The record is stored, every alert is published and marked, and at most one was published twice,
    under the same id.
    """
    harness = serving()
    harness.moments.fails_at = moment
    harness.moments.error = stop()
    with pytest.raises(type(harness.moments.error)):
        harness.look(force=force)
    harness.clock.advance(gap)
    harness.look(force=force)
    assert harness.stored.insights == EVERYTHING.insights
    assert pending(harness.stored.alerts) == ()
    assert set(harness.notified) == alerts_of(EVERYTHING.insights)
    assert harness.notified.total() <= len(harness.notified) + 1


@pytest.mark.parametrize("moment", range(len(MOMENTS)), ids=NAMES)
def test_only_a_publish_without_its_mark_is_repeated(moment: int) -> None:
    """A duplicate comes only where a look was stopped between publishing and marking."""
    harness = serving()
    harness.moments.fails_at = moment
    with pytest.raises(Killed):
        harness.look()
    harness.look()
    window = MOMENTS[moment] in {"published", "mark"}
    assert harness.notified.total() == len(harness.notified) + window


def test_a_look_survives_being_stopped_at_every_moment_in_turn() -> None:
    """However often it is stopped, in the end all is stored and published."""
    harness = serving()
    for moment in range(len(MOMENTS)):
        harness.moments.passed.clear()
        harness.moments.fails_at = moment
        with suppress(Killed):
            harness.look()
        harness.clock.advance(1)
    harness.moments.fails_at = None
    harness.look()
    assert harness.stored.insights == EVERYTHING.insights
    assert set(harness.notified) == alerts_of(EVERYTHING.insights)
    assert pending(harness.stored.alerts) == ()
    assert len(harness.source.asked) <= 3, "an answer that is stored is not asked for again"


def test_an_outage_of_writes_repeats_no_alert() -> None:
    """Each publication but the first is claimed by a write, so without writes there is none.

    DynamoDB answered reads and took no writes for a day, and SNS worked: the pending alert was
    published at every try, 137 times.
    """
    harness = serving()

    def refuse() -> None:
        raise SystemFailure(FailureKind.DYNAMODB, "UpdateItem: 500")

    harness.moments.before["mark"] = refuse
    for _ in range(20):
        with pytest.raises(SystemFailure, match="UpdateItem"):
            harness.look()
        harness.moments.before["claim"] = refuse
        harness.clock.advance(900)
    assert harness.notified.total() == 1
    harness.moments.before.clear()
    harness.look()
    assert pending(harness.stored.alerts) == ()
    assert harness.notified.total() == len(harness.notified) + 1


def test_what_somebody_else_claims_is_left_to_them() -> None:
    """A run of followups takes up a stale alert in the moment between reading and publishing."""
    harness = serving()
    harness.stored = looked(EVERYTHING)[0]

    def meanwhile() -> None:
        claimed = (replace(alert, claimed_at="later") for alert in harness.stored.alerts)
        harness.stored = harness.stored.with_alerts(list(claimed))

    harness.moments.before["claim"] = meanwhile
    outcome = harness.look()
    assert (outcome.published, harness.subscribers.published) == ((), [])


@pytest.mark.parametrize(
    ("until", "is_left"),
    [
        (HELD_FOR, True),
        (timedelta(milliseconds=1), True),
        (timedelta(0), False),
        (timedelta(hours=1), False),
    ],
    ids=["just begun", "nearly over", "over", "by a clock that is wrong"],
)
def test_what_a_run_of_followups_has_in_hand_is_left_to_it(
    until: timedelta, *, is_left: bool
) -> None:
    """It is about to publish it, or has, and the mark is on its way; others are published.

    DynamoDB was slow: a run had published an alert, and in the 0.3 s that the mark took a look read
    the alert as pending, claimed it and published it once more.
    """
    harness = serving()
    stored = looked(EVERYTHING)[0]
    in_hand = replace(stored.alerts[0], claimed_at=iso(harness.clock.now() + until))
    harness.stored = stored.with_alerts([in_hand])
    harness.look()
    left = (in_hand,) if is_left else ()
    assert pending(harness.stored.alerts) == left
    assert set(harness.notified) == alerts_of(EVERYTHING.insights) - {
        alert.alert_id for alert in left
    }


def test_what_was_published_is_not_published_again_when_its_row_has_expired() -> None:
    """The message's own row knows it for as long as it is there.

    DynamoDB deletes expired rows in any order, and retentionDays may have been raised in between:
    an alert's row was gone, its message's was there, and a forced look published it once more.
    """
    harness = serving()
    harness.look()
    told_once = harness.notified.copy()
    harness.stored = replace(harness.stored, alerts=())
    harness.clock.advance(40 * 86_400)
    harness.look(force=True)
    assert harness.notified == told_once


def test_half_a_look_is_not_taken_for_a_whole_one() -> None:
    """What a crash between two transactions left behind decides nothing: the look is repeated.

    The rows of the recipients said that all was over, so what brought the look forward was skipped
    as redundant, and the rest of the alerts was never raised.
    """
    harness = serving(found(bounced()))
    harness.stored = replace(looked(found(bounced()))[0], is_half_stored=True)
    harness.look(due=True)
    assert harness.source.asked == [MESSAGE_ID]


@pytest.mark.parametrize("force", [False, True])
def test_an_outage_of_sns_costs_no_second_slot(*, force: bool) -> None:
    """While nothing can be published, the message comes back and back, and SES is asked once."""
    harness = serving()

    def refuse() -> None:
        raise SystemFailure(FailureKind.SNS, "Publish: Throttled")

    for _ in range(8):
        harness.moments.before["publish"] = refuse
        with pytest.raises(SystemFailure, match="Publish"):
            harness.look(force=force)
        harness.clock.advance(900)
    assert harness.source.asked == [MESSAGE_ID]


# What a look costs


@dataclass(slots=True)
class Meter:
    """A look on real adapters, and the AWS calls it makes."""

    look: Look
    network: Network
    clock: Clock
    calls: list[str]

    def take(self, *replies: Reply) -> list[str]:
        """Take a look and return its calls."""
        self.network.will(*replies)
        self.calls.clear()
        self.clock.advance(10)
        with self.source.invocation(60):
            self.look.take(LookRequest(MESSAGE_ID), enqueued_at=START, is_repeat=False)
        return list(self.calls)

    @property
    def source(self) -> SesSource:
        """The real one."""
        assert isinstance(self.look.source, SesSource)
        return self.look.source


@pytest.fixture
def meter(table: Table, clock: Clock) -> Meter:
    """Table and topic in memory, SES behind a cut wire, every request counted."""
    session = boto3.Session()
    calls: list[str] = []

    def count(event_name: str, **_: object) -> None:
        calls.append(event_name.rpartition(".")[2])

    session.events.register("before-send", count)
    network = Network(clock)
    network.cut(session.events)
    sns = session.client("sns", config=ONCE)
    topic_arn = sns.create_topic(Name="Alerts")["TopicArn"]
    source = SesSource(
        session.client("sesv2", config=ses.CONFIG),
        Pace(1.0),
        on_call=lambda _: None,
        clock=clock.read,
        wall_clock=clock.read_wall,
        sleep=clock.sleep,
    )
    records = RecordTable(session.client("dynamodb", config=ONCE), table.name)
    topic = AlertTopic(sns, topic_arn, chat_topic_arn=None)
    look = Look(
        source,
        records,
        Outbox(records, topic, TABLE_ADDRESS, clock.now),
        FakeCapacity(),
        Grouping(SurgeTable(records.client, table.name, RULES.retention), SURGE_AFTER),
        RULES,
        "eu-west-1",
        delay=timedelta(0),
        on_published=lambda _: None,
        now=clock.now,
    )
    return Meter(look, network, clock, calls)


THREE = ["Query", "GetMessageInsights", "TransactWriteItems"]
TWO_AN_ALERT = ["Publish", "UpdateItem"]
WITH_ITS_GROUP = ["Query", "GetMessageInsights", "Query", "TransactWriteItems"]


def answer(*kinds: str) -> Reply:
    """SES's answer about recipients to whom this happened."""
    details = {
        "BOUNCE": {"Bounce": {"BounceType": "PERMANENT"}},
        "COMPLAINT": {"Complaint": {"ComplaintFeedbackType": "abuse"}},
    }
    return insights(
        Insights=[
            {
                "Destination": f"{number}@there.example",
                "Events": [
                    {"Timestamp": START.timestamp(), "Type": kind, "Details": details.get(kind, {})}
                ],
            }
            for number, kind in enumerate(kinds)
        ]
    )


@pytest.mark.parametrize("reply", [answer("DELIVERY"), answer("SEND", "OPEN")])
def test_a_look_without_an_alert_is_three_calls(meter: Meter, reply: Reply) -> None:
    """One read, one question, one write."""
    assert meter.take(reply) == THREE


def test_a_message_that_is_not_found_is_one_plain_put(meter: Meter) -> None:
    """A record without recipients is one row."""
    assert meter.take(NOT_FOUND) == ["Query", "GetMessageInsights", "PutItem"]


def test_an_alert_is_three_calls_more(meter: Meter) -> None:
    """One to read how many of its kind came lately, one to publish and one to mark."""
    assert meter.take(answer("BOUNCE")) == [*WITH_ITS_GROUP, *TWO_AN_ALERT]


def test_two_alerts_of_a_kind_are_five_calls_more(meter: Meter) -> None:
    """Their group is read once."""
    assert meter.take(answer("BOUNCE", "BOUNCE")) == [
        *WITH_ITS_GROUP,
        *TWO_AN_ALERT,
        *TWO_AN_ALERT,
    ]


def test_a_later_look_costs_no_more(meter: Meter) -> None:
    """A record that is there is read by the same one query; without news it is one plain put."""
    meter.take(answer("BOUNCE", "DELIVERY"))
    meter.clock.advance(3 * 3600)
    assert meter.take(answer("BOUNCE", "DELIVERY")) == ["Query", "GetMessageInsights", "PutItem"]
    meter.clock.advance(24 * 3600)
    assert meter.take(answer("BOUNCE", "COMPLAINT")) == [*WITH_ITS_GROUP, *TWO_AN_ALERT]


def test_a_skipped_look_is_one_call(meter: Meter) -> None:
    """It takes a read to know that there is nothing to do."""
    meter.take(answer("BOUNCE"))
    assert meter.take(answer("BOUNCE")) == ["Query"]


# Erased data


def erased() -> Record:
    """What stays of a message whose recipient's data was erased."""
    return replace(looked(found())[0], erased_at=iso(START), next_look_at=None, final="Erased.")


@pytest.mark.parametrize("asked_for", [{"force": True}, {"due": True}, {"number": 2}])
def test_what_was_erased_is_never_looked_at_again(asked_for: Any) -> None:
    """Whatever asks for it: SES would show it all again."""
    harness = serving()
    harness.stored = erased()

    outcome = harness.look(**asked_for)

    assert (outcome.record, outcome.answer, harness.source.asked) == (erased(), None, [])
    assert harness.stored == erased()
    assert harness.subscribers.published == []


def test_what_is_erased_while_ses_is_asked_stays_erased() -> None:
    """The answer is dropped, and nothing of it is published."""
    harness = serving()
    harness.stored, _ = looked(found(delivered()))
    harness.moments.before["save"] = lambda: setattr(harness, "stored", erased())

    outcome = harness.look(force=True)

    assert (harness.source.asked, outcome.record) == ([MESSAGE_ID], erased())
    assert harness.stored == erased()
    assert harness.subscribers.published == []


# A report that no person is behind


def test_a_complaint_after_a_machines_report_is_found(harness: Harness) -> None:
    """A DMARC report ends nothing: the ladder goes on, a due look is taken, abuse is alerted."""
    report = event("COMPLAINT", 2, complaint=Complaint(None, "auth-failure"))
    abuse = event("COMPLAINT", 9, complaint=Complaint(None, "abuse"))
    reads = delivered()
    first = replace(reads, events=(*reads.events, report))
    then = replace(first, events=(*first.events, abuse))
    harness.answers[:] = [found(first), found(then)]

    assert harness.look().record.next_look_at is not None
    harness.clock.advance(60)
    record = harness.look(due=True).record

    assert (record.looks, record.next_look_at) == (2, None)
    severities = {alert.event: str(alert.explanation.severity) for alert in record.alerts}
    assert severities == {report: "medium", abuse: "high"}
    assert record.final == "The mail drew a complaint. Nothing more is expected."


# What is known already


def test_a_look_about_what_is_known_is_skipped() -> None:
    """SES published the bounce that a look has shown; a complaint would be news."""
    harness = serving(found(bounced()))
    harness.look()
    assert harness.look(about=Feedback.BOUNCE).answer is None
    assert harness.look(about=Feedback.COMPLAINT).answer is not None


def test_the_note_on_another_region_is_kept_where_somebody_else_stores_first() -> None:
    """It says why nothing may be found."""
    harness = serving(NotFound())
    record, _ = looked(NotFound())
    harness.moments.before["save"] = lambda: setattr(harness, "stored", record)
    harness.handle(f"<{MESSAGE_ID}@eu-central-1.amazonses.com>")
    assert harness.stored.looks == 2
    assert "names the Region eu-central-1" in (harness.stored.note or "")


def test_an_alert_that_somebody_else_publishes_holds_back_no_other_one() -> None:
    """The first of two is claimed in between; the second is published."""
    harness = serving(found(delivered()))
    harness.stored, alerts = looked(found(bounced(), complained()))
    first, second = sorted(alerts, key=lambda alert: alert.alert_id)
    claimed = replace(first, claimed_at=iso(START + timedelta(seconds=1)))

    def meanwhile() -> None:
        harness.stored = harness.stored.with_alerts([claimed])

    harness.moments.before["claim"] = meanwhile
    harness.look(force=True)
    assert list(harness.notified) == [second.alert_id]


def test_an_alert_is_marked_with_what_sns_calls_it() -> None:
    """And says when the mail was sent."""
    harness = serving(found(bounced()))
    harness.look()
    (alert,) = harness.stored.alerts
    assert (alert.published_at, alert.sns_message_id) == (iso(harness.clock.now()), "sns-1")
    (sent,) = harness.subscribers.published
    body = json.loads(json.loads(sent.message)["default"])
    assert body["sentAt"] == harness.stored.sent_at


def test_a_look_about_what_it_does_not_show_yet_is_taken_again_soon() -> None:
    """SES said that it bounced: the next look comes after a quarter of an hour, in front."""
    harness = serving(found(delivered()))
    harness.look(about=Feedback.BOUNCE)
    assert harness.stored.lane is Lane.LISTED
    assert harness.stored.next_look_at == iso(harness.clock.now() + timedelta(minutes=15))


def test_new_alerts_are_counted_for_their_group() -> None:
    """With the look that found them."""
    harness = serving(found(bounced()))
    harness.look()
    (surge,) = harness.records.surges.groups.values()
    assert surge.count == 1


def test_a_message_that_nobody_enqueued_is_looked_at_with_its_listing() -> None:
    """The list named it before anything else was known of it."""
    harness = serving(NotFound())
    listing = Listing(BOUNCES, Feedback.BOUNCE, iso(START))
    harness.records.listed[MESSAGE_ID] = {BOUNCES: listing}
    harness.look(about=Feedback.BOUNCE)
    assert harness.stored.listings == (listing,)
