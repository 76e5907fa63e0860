"""What the function writes: the metrics that alarms watch, and nothing of the mail."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import HTTPClientError, ReadTimeoutError
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from ses_insights.adapters import ses
from ses_insights.adapters.queue import SqsConsumerQueue
from ses_insights.adapters.records import RecordTable
from ses_insights.adapters.ses import SesSource
from ses_insights.adapters.surges import SurgeTable
from ses_insights.adapters.topic import AlertTopic
from ses_insights.contracts.names import Metric
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.pace import Call, Pace
from ses_insights.domain.record import Answer, NotFound, Refused
from ses_insights.domain.surge import SURGE_AFTER
from ses_insights.service.consumer import Consumer
from ses_insights.service.grouping import Grouping
from ses_insights.service.look import Look
from ses_insights.service.outbox import Outbox
from ses_insights.service.telemetry import LookupTelemetry
from tests.support.fakes import START, Clock
from tests.support.fakes_due import FakeCapacity
from tests.support.harness import Harness, Output, new_telemetry
from tests.support.samples import (
    DEAD_LETTERS_URL,
    MESSAGE,
    MESSAGE_ID,
    OTHER_ID,
    QUEUE_URL,
    RULES,
    TABLE_ADDRESS,
    bounced,
    complained,
    delivered,
    found,
)
from tests.support.wire import (
    NOT_FOUND,
    ONCE,
    SES,
    THROTTLED,
    VDM_OFF,
    Network,
    Reply,
    cancelled,
    dynamodb_error,
    dynamodb_ok,
    insights,
    ses_error,
    sns_error,
    sns_ok,
    sqs_error,
    sqs_ok,
)

Read = Callable[[], Output]
ALL = (("service", "lookup"),)


def by(**dimensions: str) -> tuple[tuple[str, str], ...]:
    """Dimensions of a metric beside the service."""
    return tuple(sorted({"service": "lookup", **dimensions}.items()))


@pytest.fixture
def telemetry(harness: Harness) -> LookupTelemetry:
    """The real one; it writes to standard output."""
    return harness.telemetry


# Metrics


def test_a_look_is_counted(harness: Harness, output: Read) -> None:
    """And the fresh id; no other metric is paid for."""
    harness.answers[:] = [found(delivered())]
    harness.handle()
    harness.telemetry.flush()
    assert output().metrics == {("Looks", ALL): [1], ("Fresh", ALL): [1]}


@pytest.mark.parametrize("body", [{"due": True}, {"look": 1}])
def test_only_what_a_producer_enqueues_is_fresh(
    harness: Harness, output: Read, body: dict[str, object]
) -> None:
    """What SES's feedback or followups enqueued does not show that the producer still does."""
    harness.handle(json.dumps({"MessageId": MESSAGE_ID, **body}))
    harness.telemetry.flush()
    assert ("Fresh", ALL) not in output().metrics


def test_an_id_is_fresh_once(harness: Harness, output: Read) -> None:
    """An id that comes again, or that is forced, is known."""
    harness.handle()
    harness.telemetry.flush()
    output()
    harness.handle(json.dumps({"MessageId": MESSAGE_ID, "force": True}))
    harness.telemetry.flush()
    assert ("Fresh", ALL) not in output().metrics


def test_a_line_says_to_which_status_a_message_comes(harness: Harness, output: Read) -> None:
    """Once for each: a look that shows nothing new says none."""
    harness.answers[:] = [found(delivered()), found(delivered()), found(bounced())]
    came_to = []
    for wait in (0, 7200, 86_400):
        harness.clock.advance(wait)
        harness.handle()
        came_to.append(output().line("looked").get("came_to"))
    assert came_to == ["DELIVERED", None, "PERMANENT_BOUNCE"]


@pytest.mark.parametrize(("answer", "covered"), [(NotFound(), 0), (found(delivered()), 1)])
def test_each_message_counts_once_as_shown_or_not(
    harness: Harness, output: Read, answer: Answer, covered: int
) -> None:
    """Not at its first look, which may come before SES knows it, but once it had an hour."""
    harness.answers[:] = [answer] * 3
    counted = []
    for wait in (0, 7200, 86_400):
        harness.clock.advance(wait)
        harness.handle()
        harness.telemetry.flush()
        counted.append(output().metrics.get(("Coverage", ALL)))
    assert counted == [None, [covered], None]


def test_a_line_for_each_alert_says_what_it_is_about(harness: Harness, output: Read) -> None:
    """By these the dashboard counts them."""
    harness.answers[:] = [found(bounced(), complained())]
    harness.handle()
    lines = [line for line in output().logs if line["message"] == "alerted"]
    about = [(line["alert_type"], line["severity"], line["reason"]) for line in lines]
    assert sorted(about) == [
        ("BOUNCE", "medium", "address-unknown"),
        ("COMPLAINT", "high", "spam-report"),
    ]


def test_the_looks_that_a_postponed_message_loses_are_counted(
    harness: Harness, output: Read
) -> None:
    """Three by default; its line says how many, and a line of any other look nothing."""
    harness.capacity.is_late = timedelta(hours=16)
    harness.handle()
    harness.telemetry.flush()
    lines = output()
    assert lines.metrics["Shed", ALL] == [3]
    assert lines.line("set aside")["shed"] == 3
    harness.capacity.is_late = timedelta(0)
    harness.handle(OTHER_ID)
    assert "shed" not in output().line("looked")


def test_a_message_that_is_not_found_is_counted(harness: Harness, output: Read) -> None:
    """It is a look, too."""
    harness.answers[:] = [NotFound()]
    harness.handle()
    harness.telemetry.flush()
    lines = output()
    assert lines.metrics["Looks", ALL] == [1]
    assert lines.line("looked")["came_to"] == "NOT_FOUND"


def test_a_skipped_look_is_no_look(harness: Harness, output: Read) -> None:
    """It costs no slot, and counts nowhere."""
    harness.answers[:] = [found(delivered())]
    harness.handle()
    harness.telemetry.flush()
    output()
    harness.handle()
    harness.telemetry.flush()
    assert output().metrics == {}


def test_a_parked_body_is_counted(harness: Harness, output: Read) -> None:
    """No look was taken. Its line names the reason."""
    harness.handle("no id")
    harness.telemetry.flush()
    lines = output()
    assert lines.metrics == {("Parked", ALL): [1]}
    assert lines.line("parked")["slug"] == "NotAnId"


def test_a_message_of_another_group_is_counted(harness: Harness, output: Read) -> None:
    """It is neither looked at nor parked there."""
    harness.handle(group_id="orders")
    harness.telemetry.flush()
    lines = output()
    assert lines.metrics == {("ForeignGroups", ALL): [1]}
    assert [line["level"] for line in lines.logs] == ["WARNING"]


def test_a_refused_id_is_a_look_and_parked(harness: Harness, output: Read) -> None:
    """SES was asked, and said that it is none."""
    harness.answers[:] = [Refused()]
    harness.handle()
    harness.telemetry.flush()
    assert output().metrics == {("Looks", ALL): [1], ("Fresh", ALL): [1], ("Parked", ALL): [1]}


@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_failure_of_the_system_is_counted_by_kind(
    harness: Harness, output: Read, kind: FailureKind
) -> None:
    """The alarm on all of them and the one on VDM watch the same event."""
    harness.answers[:] = [SystemFailure(kind, "Operation: Code")]
    harness.handle()
    harness.telemetry.flush()
    assert output().metrics == {
        ("SystemFailures", ALL): [1],
        ("SystemFailures", by(kind=str(kind))): [1],
    }


def test_an_unexpected_error_is_a_failure_of_its_own_kind(harness: Harness, output: Read) -> None:
    """Until it is parked, it counts as a failure of the system."""
    harness.answers[:] = [ValueError("odd"), ValueError("odd")]
    harness.handle(receive_count=4)
    harness.handle(receive_count=5)
    harness.telemetry.flush()
    assert output().metrics == {
        ("SystemFailures", ALL): [1],
        ("SystemFailures", by(kind="Unexpected")): [1],
        ("Parked", ALL): [1],
    }


def test_a_line_says_how_long_ses_took(harness: Harness, output: Read) -> None:
    """In milliseconds; the next message's lines do not repeat it."""
    harness.telemetry.called(Call(0.2504, throttled=False, after_gap=False))
    harness.telemetry.deferred(2, 1)
    harness.telemetry.began("next")
    harness.telemetry.deferred(4, 2)
    assert [line.get("ses_ms") for line in output().logs] == [250, None]


def test_a_throttled_call_is_counted(telemetry: LookupTelemetry, output: Read) -> None:
    """One that was answered is not: it is part of a look."""
    telemetry.called(Call(0.02, throttled=True, after_gap=False))
    telemetry.called(Call(0.05, throttled=False, after_gap=False))
    telemetry.flush()
    assert output().metrics == {("Throttles", ALL): [1]}


def test_a_call_that_waited_a_full_period_is_counted(
    telemetry: LookupTelemetry, output: Read
) -> None:
    """Beside the looks, it shows whether gaps between invocations cost slots."""
    telemetry.called(Call(0.02, throttled=False, after_gap=True))
    telemetry.called(Call(0.02, throttled=False, after_gap=False))
    telemetry.flush()
    assert output().metrics == {("FullWaits", ALL): [1]}


def test_every_metric_is_in_the_namespace_of_the_alarms(harness: Harness, output: Read) -> None:
    """Also those that are written at once; the lookup function counts things and times none."""
    harness.answers[:] = [found(bounced()), SystemFailure(FailureKind.SNS, "x")]
    harness.handle()
    harness.handle("no id")
    harness.clock.advance(100_000)
    harness.handle()
    harness.telemetry.flush()
    directives = [
        directive
        for line in output().lines
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", [])
    ]
    assert len(directives) == 1
    assert {directive["Namespace"] for directive in directives} == {"SesInsights"}
    units = {metric["Unit"] for directive in directives for metric in directive["Metrics"]}
    assert units == {"Count"}


def test_the_names_of_the_metrics_are_those_of_the_alarms() -> None:
    """Renaming one would silence an alarm."""
    assert {str(metric) for metric in Metric} == {
        *("Looks", "FullWaits", "Fresh", "Coverage", "Throttles", "Parked", "ForeignGroups"),
        *("SetUps", "SystemFailures", "Shed", "Lag", "FeedbackLag", "ListedWithoutId", "ListOff"),
    }


def test_a_flush_empties_the_metrics(harness: Harness, output: Read) -> None:
    """What one invocation counted is not counted by the next."""
    harness.handle("no id")
    harness.telemetry.flush()
    output()
    harness.handle("no id")
    harness.telemetry.flush()
    assert output().metrics["Parked", ALL] == [1]


# Log lines


def test_a_look_is_logged(harness: Harness, output: Read) -> None:
    """It says what came of it and what comes next, and leaves the mail out."""
    harness.answers[:] = [found(bounced(), delivered())]
    harness.handle()
    lines = output()
    line = lines.line("looked")
    record = harness.records.records[MESSAGE_ID]
    story = {name: line[name] for name in ("status", "looks", "destinations")}
    assert story == {"status": "PERMANENT_BOUNCE", "looks": 1, "destinations": 2}
    assert all(alert.alert_id in json.dumps(lines.logs) for alert in record.alerts)
    assert line["next_look_at"] == record.next_look_at
    assert "final" not in line
    assert line["level"] == "INFO"


def test_a_final_story_says_why(harness: Harness, output: Read) -> None:
    """The reason is in the line."""
    harness.answers[:] = [found(bounced())]
    harness.handle()
    line = output().line("looked")
    assert "next_look_at" not in line
    assert "bounced permanently" in line["final"]


def test_a_skipped_look_says_so(harness: Harness, output: Read) -> None:
    """A look and a skip have different log lines."""
    harness.handle()
    harness.handle()
    lines = output()
    assert lines.line("looked")
    assert lines.line("skipped")


@pytest.mark.parametrize("what", ["parked", "system failure"])
def test_what_needs_attention_stands_out(harness: Harness, output: Read, what: str) -> None:
    """Parked messages warn; failures of the system are errors."""
    harness.answers[:] = [SystemFailure(FailureKind.SNS, "Publish: Throttled")]
    harness.handle("no id" if what == "parked" else MESSAGE_ID)
    levels = {line["message"]: line["level"] for line in output().logs}
    assert levels[what] == {"parked": "WARNING", "system failure": "ERROR"}[what]


# Nothing of the mail

MARK = "zxq"
"""Stands in every address, subject, tag, code and body that goes through, and nowhere else."""
TEXT = f"about {MARK}@{MARK}.example, Subject: {MARK}"


def marked(kind: str, **details: object) -> Reply:
    """SES's answer about a mail all of whose texts are marked."""
    event = {"Timestamp": START.timestamp(), "Type": kind, "Details": details}
    destination = {"Destination": f"{MARK}@{MARK}.example", "Isp": f"{MARK}-isp", "Events": [event]}
    return insights(
        FromEmailAddress=f'"{MARK}" <{MARK}@{MARK}.example>',
        Subject=f"{MARK} \u202e",
        EmailTags=[{"Name": f"{MARK}-name", "Value": f"{MARK}-value"}],
        Insights=[destination],
    )


BOUNCED = marked(
    "BOUNCE",
    Bounce={"BounceType": "PERMANENT", "BounceSubType": f"{MARK}", "DiagnosticCode": TEXT},
)
COMPLAINED = marked("COMPLAINT", Complaint={"ComplaintFeedbackType": MARK})
STRANGE = marked(f"{MARK}-TYPE")
DENIED = (
    "User: arn:aws:sts::123456789012:assumed-role/lookup is not authorized to perform: x:Y on "
    f"resource: arn:aws:ses:eu-west-1:123456789012:identity/{MARK}@{MARK}.example because {TEXT}"
)
NETWORK_DOWN = HTTPClientError(error=OSError(TEXT))
BUG = ValueError(TEXT)
TIMED_OUT = ReadTimeoutError(endpoint_url=f"https://{MARK}.example", error=OSError(TEXT))


def service_errors(
    reply: Callable[[int, str, str], Reply], *codes: str
) -> list[Reply | BaseException]:
    """Errors of a service whose texts are marked."""
    return [
        *(reply(400, code, TEXT) for code in codes),
        reply(403, "AccessDenied", DENIED),
        reply(403, "AccessDeniedException", DENIED),
        reply(403, "ExpiredToken", TEXT),
        reply(500, "InternalFailure", TEXT),
        Reply(503, TEXT.encode()),
        NETWORK_DOWN,
        TIMED_OUT,
        BUG,
    ]


SES_SAYS = [
    *(BOUNCED, COMPLAINED, STRANGE, NOT_FOUND, THROTTLED, VDM_OFF),
    ses_error(404, "NotFoundException", TEXT),
    ses_error(404, "NotFoundException", f"Virtual Deliverability Manager {TEXT}"),
    *service_errors(ses_error, "BadRequestException", "TooManyRequestsException", "Odd"),
]
DYNAMODB_SAYS = service_errors(dynamodb_error, "ValidationException", "ThrottlingException")
QUERY_SAYS = [dynamodb_ok(Items=[]), *DYNAMODB_SAYS]
WRITE_SAYS = [
    dynamodb_ok(),
    *(cancelled(reason, text=TEXT) for reason in ("ConditionalCheckFailed", "ValidationError")),
    *DYNAMODB_SAYS,
]
SNS_SAYS = [
    sns_ok(),
    *service_errors(sns_error, "InvalidParameter", "AuthorizationError", "KMSAccessDenied"),
]
SQS_SAYS = [
    sqs_ok(),
    *service_errors(sqs_error, "InvalidParameterValue", "InvalidMessageContents"),
]
BODIES = [
    *(MESSAGE_ID, f'{{"MessageId": "{MESSAGE_ID}", "force": true, "Subject": "{MARK}"}}'),
    *(TEXT, f"{MARK}@{MARK}.example", f'{{"{MARK}": 1}}', f'{{"{MARK}', ""),
]

OPERATIONS: dict[str, list[Any]] = {
    SES: SES_SAYS,
    "before-send.dynamodb.Query": QUERY_SAYS,
    "before-send.dynamodb.TransactWriteItems": WRITE_SAYS,
    "before-send.dynamodb.UpdateItem": [dynamodb_ok(), *DYNAMODB_SAYS],
    "before-send.sns.Publish": SNS_SAYS,
    "before-send.sqs.ChangeMessageVisibility": SQS_SAYS,
    "before-send.sqs.SendMessage": SQS_SAYS,
}


@dataclass(frozen=True, slots=True)
class RealLookup:
    """The function's inside on real adapters, every wire cut, and all its output captured."""

    consumer: Consumer
    source: SesSource
    networks: dict[str, Network]

    def works(self) -> None:
        """Let every service do what it is asked."""
        for event, network in self.networks.items():
            network.will(OPERATIONS[event][0])

    def serve(self, body: str, receive_count: int) -> str:
        """Serve a message and return all that was written."""
        message = replace(MESSAGE, body=body, receive_count=receive_count)
        with _captured() as said:
            telemetry = new_telemetry()
            self.source.on_call = telemetry.called
            look = replace(self.consumer.look, on_published=telemetry.alerted)
            with self.source.invocation(17):  # time for one call
                replace(self.consumer, look=look, telemetry=telemetry).handle(message)
            telemetry.flush()
        return said.getvalue()


@contextmanager
def _captured() -> Iterator[io.StringIO]:
    """Catch standard output, where logs and metrics go, and what any library logs in Lambda."""
    said = io.StringIO()
    handler = logging.StreamHandler(said)
    handler.setLevel(logging.WARNING)
    logging.getLogger().addHandler(handler)
    try:
        with redirect_stdout(said):
            yield said
    finally:
        logging.getLogger().removeHandler(handler)


@pytest.fixture(scope="module")
def real(session: boto3.Session) -> RealLookup:
    """Clients of all four services, made once."""
    clock = Clock()
    sesv2 = session.client("sesv2", config=ses.CONFIG)
    dynamodb = session.client("dynamodb", config=ONCE)
    sns = session.client("sns", config=ONCE)
    sqs = session.client("sqs", config=ONCE)
    source = SesSource(sesv2, Pace(1.0), lambda _: None, clock.read, clock.read_wall, clock.sleep)
    networks = {event: Network(clock) for event in OPERATIONS}
    for event, network in networks.items():
        for client in (sesv2, dynamodb, sns, sqs):
            network.cut(client.meta.events, event)
    records = RecordTable(dynamodb, "Insights")
    topic = AlertTopic(sns, "arn:aws:sns:eu-west-1:123456789012:Alerts", chat_topic_arn=None)
    look = Look(
        source,
        records,
        Outbox(records, topic, TABLE_ADDRESS, clock.now),
        FakeCapacity(),
        Grouping(SurgeTable(dynamodb, "Insights", RULES.retention), SURGE_AFTER),
        RULES,
        "eu-west-1",
        delay=timedelta(0),
        on_published=lambda _: None,
        now=clock.now,
    )
    queue = SqsConsumerQueue(sqs, QUEUE_URL, DEAD_LETTERS_URL, clock.now)
    return RealLookup(Consumer(look, queue, new_telemetry()), source, networks)


@settings(phases=[Phase.generate])  # the next test names single culprits faster than shrinking
@given(
    says=st.fixed_dictionaries(
        {event: st.sampled_from(says) for event, says in OPERATIONS.items()}
    ),
    works=st.sets(st.sampled_from(list(OPERATIONS))),
    body=st.sampled_from(BODIES),
    receive_count=st.sampled_from([1, 5]),
)
def test_nothing_of_the_mail_is_ever_written(
    real: RealLookup, says: dict[str, Any], works: set[str], body: str, receive_count: int
) -> None:
    """No log line and no metric holds an address, a subject, a tag, a code or a body.

    Whatever is answered by whichever service: errors whose texts quote the mail, too. And nothing
    escapes: Lambda would print an exception with all of its text.
    """
    real.works()
    for event in says.keys() - works:
        real.networks[event].will(says[event])
    assert MARK not in real.serve(body, receive_count)


SINGLE = [
    pytest.param(event, number, id=f"{event.removeprefix('before-send.')} {number}")
    for event, answers in OPERATIONS.items()
    for number in range(len(answers))
]


@pytest.mark.parametrize(("event", "number"), SINGLE)
def test_no_single_answer_writes_text_of_the_mail(
    real: RealLookup, event: str, number: int
) -> None:
    """The same, for every answer of one operation while the other ones work."""
    real.works()
    if event == "before-send.sqs.ChangeMessageVisibility":
        real.networks[SES].will(NETWORK_DOWN)
    real.networks[event].will(OPERATIONS[event][number])
    for body in (MESSAGE_ID, TEXT):
        assert MARK not in real.serve(body, receive_count=1)


def test_what_is_written_is_captured(real: RealLookup) -> None:
    """These tests capture what they should: the line of a look is there."""
    real.works()
    said = real.serve(MESSAGE_ID, receive_count=1)
    assert '"message":"looked"' in said
    assert '"Looks"' in said
