"""The function as Lambda runs it: an event in, a partial batch response out, and AWS in between."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError

from ses_insights.adapters import ses
from ses_insights.adapters.ses import SesSource
from ses_insights.contracts.console import TableAddress
from ses_insights.domain.alert import pending
from ses_insights.domain.record import Record
from ses_insights.domain.status import Status
from ses_insights.settings import SettingError
from tests.support.fakes import Clock, Killed, Table
from tests.support.harness import Output
from tests.support.samples import BOUNCES, MESSAGE_ID, OTHER_ID
from tests.support.wire import (
    NOT_FOUND,
    ONCE,
    THROTTLED,
    VDM_OFF,
    Network,
    Reply,
    insights,
)

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

Read = Callable[[], Output]
ALL = (("service", "lookup"),)
PERIOD = 1.0
ENOUGH = PERIOD + ses.LONGEST_CALL + ses.STORING_NEEDS + 0.5
"""Seconds in which there is time for one call to SES and for no second one."""


@dataclass(frozen=True, slots=True)
class Context:
    """The one thing the function asks of Lambda's context."""

    milliseconds: int

    def get_remaining_time_in_millis(self) -> int:
        """How long the invocation may still run."""
        return self.milliseconds


@dataclass(slots=True)
class Stack:
    """What the stack creates, in memory, with SES behind a cut wire; and the function in it."""

    table: Table
    sqs: SQSClient
    queue_url: str
    dead_letters_url: str
    subscriber_url: str
    session: boto3.Session
    """The one the function gets."""
    network: Network
    clock: Clock
    new_environment: Callable[[], Any]
    """Starts an execution environment: returns the function's module, freshly imported."""
    module: Any = field(init=False)
    hooks: list[tuple[str, Any]] = field(default_factory=list)
    """What `once` hooked in."""

    def __post_init__(self) -> None:
        """Start the first environment."""
        self.module = self.new_environment()

    def enqueue(self, body: str = MESSAGE_ID) -> None:
        """Send an id as a pipeline does."""
        self.sqs.send_message(
            QueueUrl=self.queue_url,
            MessageBody=body,
            MessageGroupId="looks",
            MessageDeduplicationId=str(self.clock.wall),
        )

    def receive(self) -> dict[str, Any]:
        """Take what is at the head of the queue, as Lambda's event source mapping does."""
        received = self.sqs.receive_message(
            QueueUrl=self.queue_url, MessageSystemAttributeNames=["All"], VisibilityTimeout=180
        )
        sent = {"SentTimestamp": f"{self.clock.wall * 1000:.0f}"}  # moto's clock is the real one
        records = [
            {
                "messageId": message["MessageId"],
                "receiptHandle": message["ReceiptHandle"],
                "body": message["Body"],
                "attributes": {**message["Attributes"], **sent},
            }
            for message in received.get("Messages", [])
        ]
        return {"Records": records}

    def invoke(self, event: dict[str, Any], *, seconds: float = 30) -> list[str]:
        """Run the function and delete what it did not report; returns what it reported."""
        response = self.module.handler(event, Context(int(seconds * 1000)))
        assert set(response) == {"batchItemFailures"}
        failed = [entry["itemIdentifier"] for entry in response["batchItemFailures"]]
        for record in event["Records"]:
            if record["messageId"] not in failed:
                self.sqs.delete_message(
                    QueueUrl=self.queue_url, ReceiptHandle=record["receiptHandle"]
                )
        return failed

    def serve(self, body: str = MESSAGE_ID, *, seconds: float = 30) -> list[str]:
        """Enqueue, receive and invoke."""
        self.enqueue(body)
        return self.invoke(self.receive(), seconds=seconds)

    def record(self, message_id: str = MESSAGE_ID) -> Record:
        """What is stored of a message."""
        record = self.module.RecordTable(self.table.client, self.table.name).load(message_id)
        assert isinstance(record, Record)
        return record

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that came to the subscriber since the last reading."""
        received = self.sqs.receive_message(QueueUrl=self.subscriber_url, MaxNumberOfMessages=10)
        return [
            json.loads(json.loads(message["Body"])["Message"])
            for message in received.get("Messages", [])
        ]

    def parked(self) -> list[Any]:
        """What is among the dead letters."""
        return self.sqs.receive_message(
            QueueUrl=self.dead_letters_url, MessageAttributeNames=["All"], MaxNumberOfMessages=10
        ).get("Messages", [])

    def once(self, event: str, trouble: str | BaseException, *, after: int = 0) -> None:
        """Let one call that an event of botocore names end in an error, and no other.

        The trouble is AWS's code of a refusal, or what is raised; so many calls pass before.
        """
        script: list[str | BaseException | None] = [*[None] * after, trouble]

        def reply(**_: object) -> tuple[_Http, dict[str, Any]] | None:
            said = script.pop(0) if script else None
            if isinstance(said, BaseException):
                raise said
            return None if said is None else (_Http(), {"Error": {"Code": said}})

        # botocore takes what a hook before a call returns in place of the network's answer.
        self.session.events.register(event, cast("Callable[..., None]", reply))
        self.hooks.append((event, reply))


@dataclass(frozen=True, slots=True)
class _Http:
    """The head of a refusal."""

    status_code: int = 400


@pytest.fixture(scope="module")
def own_session() -> boto3.Session:
    """The function's own session: what a test hooks into it concerns no other client."""
    return boto3.Session()


@pytest.fixture
def stack(
    table: Table,
    clock: Clock,
    session: boto3.Session,
    own_session: boto3.Session,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stack]:
    """The stack, with nothing in it."""
    sqs = session.client("sqs", config=ONCE)
    sns = session.client("sns", config=ONCE)
    queue_url, dead_letters_url = (
        sqs.create_queue(QueueName=name, Attributes={"FifoQueue": "true"})["QueueUrl"]
        for name in ("MessageIds.fifo", "DeadLetters.fifo")
    )
    subscriber_url = sqs.create_queue(QueueName="subscriber")["QueueUrl"]
    topic_arn = sns.create_topic(Name="Alerts")["TopicArn"]
    subscriber = sqs.get_queue_attributes(QueueUrl=subscriber_url, AttributeNames=["QueueArn"])
    endpoint = subscriber["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=endpoint)
    for name, value in {
        "TABLE_NAME": table.name,
        "ALERT_TOPIC_ARN": topic_arn,
        "QUEUE_URL": queue_url,
        "DEAD_LETTER_QUEUE_URL": dead_letters_url,
        "LOOKUP_PERIOD_SECONDS": str(PERIOD),
        "FIRST_LOOK_DELAY_SECONDS": "900",
        "FOLLOW_UP_LADDER": "[900, 7200, 86400, 259200]",
        "SES_KEEPS_DAYS": "30",
        "RETENTION_DAYS": "90",
        "REDACT_SUBJECTS": "false",
        "ALERT_TYPES": '["BOUNCE", "COMPLAINT", "REJECT", "RENDERING_FAILURE"]',
        "SURGE_AFTER": "5",
    }.items():
        monkeypatch.setenv(name, value)
    network = Network(clock)
    network.will(insights())
    network.cut(own_session.events)

    def new_environment() -> Any:
        monkeypatch.delitem(sys.modules, LOOKUP, raising=False)
        module = importlib.import_module(LOOKUP)
        timed = partial(SesSource, clock=clock.read, wall_clock=clock.read_wall, sleep=clock.sleep)
        monkeypatch.setattr(module, "SesSource", timed)
        monkeypatch.setattr(module, "_now", clock.now)
        return module

    monkeypatch.setattr(boto3, "Session", lambda: own_session)
    monkeypatch.setattr("time.sleep", clock.sleep)  # botocore's own waits
    stack = Stack(
        *(table, sqs, queue_url, dead_letters_url, subscriber_url),
        *(own_session, network, clock, new_environment),
    )
    yield stack
    network.restore(own_session.events)
    for event, hook in stack.hooks:
        own_session.events.unregister(event, hook)


# What works


def test_an_id_becomes_a_row_and_an_alert(stack: Stack) -> None:
    """From the queue through SES to table and subscriber, and the queue is empty."""
    assert stack.serve() == []
    record = stack.record()
    assert record.status is Status.PERMANENT_BOUNCE
    assert pending(record.alerts) == ()
    (alert,) = stack.alerts()
    assert alert["alertId"] == record.alerts[0].alert_id
    assert (alert["messageId"], alert["destination"]) == (MESSAGE_ID, BOUNCES)
    assert stack.receive() == {"Records": []}
    assert stack.parked() == []


def test_a_message_that_is_not_there_yet_is_recorded(stack: Stack) -> None:
    """A 404 is a row with a next look, and the message leaves the queue."""
    stack.network.will(NOT_FOUND)
    assert stack.serve() == []
    assert stack.record().status is Status.NOT_FOUND
    assert stack.record().next_look_at is not None


def test_the_first_call_of_an_environment_waits_a_full_period(stack: Stack) -> None:
    """The pace of the settings holds from the first call on."""
    began = stack.clock.monotonic
    stack.serve()
    assert stack.network.departures == [pytest.approx(began + PERIOD)]


def test_calls_of_several_invocations_keep_the_pace(stack: Stack) -> None:
    """The environment remembers its last call."""
    for number in range(5):
        stack.serve(f"{OTHER_ID}{number}")
    assert len(stack.network.gaps) == 4
    assert min(stack.network.gaps) >= PERIOD
    assert max(stack.network.gaps) < PERIOD + 0.1


def test_a_new_environment_waits_again(stack: Stack) -> None:
    """After a redeployment nothing is known of the call a moment ago."""
    stack.serve()
    stack.module = stack.new_environment()
    began = stack.clock.monotonic
    stack.serve(OTHER_ID)
    assert stack.network.departures[-1] == pytest.approx(began + PERIOD)


# What comes back


def test_a_look_that_failed_is_reported_and_comes_back(stack: Stack) -> None:
    """The message is reported, hidden for a while, and served when the system works again."""
    stack.network.will(VDM_OFF)
    stack.enqueue()
    event = stack.receive()
    assert stack.invoke(event) == [event["Records"][0]["messageId"]]
    stack.sqs.change_message_visibility(
        QueueUrl=stack.queue_url,
        ReceiptHandle=event["Records"][0]["receiptHandle"],
        VisibilityTimeout=0,
    )
    stack.network.will(insights())
    again = stack.receive()
    assert again["Records"][0]["attributes"]["ApproximateReceiveCount"] == "2"
    assert stack.invoke(again) == []
    assert len(stack.alerts()) == 1


@pytest.mark.parametrize("body", [b"null", b"[]", b"\xff\xfe{"])
def test_an_answer_of_ses_that_cannot_be_read_parks_nothing(
    stack: Stack, output: Read, body: bytes
) -> None:
    """However often it comes, the message is not to blame: it steps aside for a later look."""
    stack.network.will(Reply(500, body))
    stack.enqueue()
    event = stack.receive()
    event["Records"][0]["attributes"]["ApproximateReceiveCount"] = "50"
    assert stack.invoke(event) == []
    assert stack.parked() == []
    assert (stack.record().looks, stack.record().final) == (0, None)
    assert stack.record().next_look_at is not None
    assert output().metrics["SystemFailures", (("kind", "SesUnavailable"), *ALL)] == [1]


@pytest.mark.parametrize(
    ("operation", "code", "kind"),
    [
        ("dynamodb.Query", "ResourceNotFoundException", "DynamoDb"),
        ("dynamodb.TransactWriteItems", "AccessDeniedException", "AccessDenied"),
        ("sns.Publish", "Throttled", "Sns"),
        ("dynamodb.UpdateItem", "RequestLimitExceeded", "DynamoDb"),
    ],
)
def test_a_step_that_failed_is_made_good(
    stack: Stack, output: Read, operation: str, code: str, kind: str
) -> None:
    """Whichever call fails, the message is reported, and the next try completes it."""
    stack.once(f"before-call.{operation}", code)
    stack.enqueue()
    received = stack.receive()
    assert stack.invoke(received) == [received["Records"][0]["messageId"]]
    assert output().metrics["SystemFailures", (("kind", kind), *ALL)] == [1]
    assert stack.invoke(received) == []
    assert pending(stack.record().alerts) == ()
    assert {alert["alertId"] for alert in stack.alerts()} == {
        alert.alert_id for alert in stack.record().alerts
    }


def test_an_alert_whose_answer_was_lost_is_published_once_more(stack: Stack) -> None:
    """It may have arrived, so the invocation does not send it again; the redelivery does."""
    publishes: list[str] = []

    def lose_the_first_answer(event_name: str, **_: object) -> None:
        if event_name == "before-send.sns.Publish":
            publishes.append(event_name)
            if len(publishes) == 1:
                raise ReadTimeoutError(endpoint_url="https://sns")

    stack.session.events.register_last("before-send", lose_the_first_answer)  # SNS has it by then
    stack.hooks.append(("before-send", lose_the_first_answer))
    stack.enqueue()
    received = stack.receive()
    assert stack.invoke(received) == [received["Records"][0]["messageId"]]
    (first,) = stack.alerts()
    assert stack.invoke(received) == []
    (second,) = stack.alerts()
    assert first["alertId"] == second["alertId"]
    assert pending(stack.record().alerts) == ()


@pytest.mark.parametrize(
    "event",
    [
        "before-call.dynamodb.Query",
        "before-call.sesv2.GetMessageInsights",
        "before-call.dynamodb.TransactWriteItems",
        "before-call.sns.Publish",
        "before-call.dynamodb.UpdateItem",
        "after-call.dynamodb.Query",
        "after-call.sesv2.GetMessageInsights",
        "after-call.dynamodb.TransactWriteItems",
        "after-call.sns.Publish",
        "after-call.dynamodb.UpdateItem",
    ],
)
@pytest.mark.filterwarnings("ignore:No application metrics")
def test_a_function_that_was_killed_is_made_good(stack: Stack, event: str) -> None:
    """Killed before or after any call to AWS, another environment completes the work.

    Nothing is lost, and at most one alert is repeated, under the same id.
    """
    stack.once(event, Killed())
    stack.enqueue()
    received = stack.receive()
    with pytest.raises(Killed):
        stack.invoke(received)
    stack.module = stack.new_environment()
    stack.clock.advance(180)
    assert stack.invoke(received) == []
    record = stack.record()
    alerts = [alert["alertId"] for alert in stack.alerts()]
    assert pending(record.alerts) == ()
    assert set(alerts) == {alert.alert_id for alert in record.alerts}
    assert len(alerts) <= 2
    assert len(stack.network.requests) <= 2


def test_a_429_is_asked_again_while_the_invocation_lasts(stack: Stack) -> None:
    """The context's remaining time is the measure."""
    stack.network.will(THROTTLED, THROTTLED, insights())
    assert stack.serve(seconds=30) == []
    assert len(stack.network.requests) == 3


def test_a_429_near_the_end_of_the_invocation_comes_back(stack: Stack) -> None:
    """Too little time is left to ask again and store the answer."""
    stack.network.will(THROTTLED, insights())
    assert len(stack.serve(seconds=ENOUGH)) == 1
    assert len(stack.network.requests) == 1


def test_a_look_made_late_by_a_slow_table_comes_back(stack: Stack, output: Read) -> None:
    """No slot is spent for an answer that could not be stored; the next try has time again."""

    def slow(**_: object) -> None:
        stack.clock.advance(15)

    stack.session.events.register("before-call.dynamodb.Query", slow)
    stack.hooks.append(("before-call.dynamodb.Query", slow))
    stack.enqueue()
    received = stack.receive()
    assert stack.invoke(received) == [received["Records"][0]["messageId"]]
    assert stack.network.requests == []
    assert output().metrics["SystemFailures", (("kind", "OutOfTime"), *ALL)] == [1]
    stack.session.events.unregister(*stack.hooks.pop())
    assert stack.invoke(received) == []
    assert len(stack.alerts()) == 1


# What is parked


def test_a_body_that_is_no_id_is_parked_at_full_pace(stack: Stack) -> None:
    """It goes to the dead letters at once and takes nothing of the next message's time."""
    stack.serve()
    began = stack.clock.monotonic
    assert stack.serve("hello there") == []
    assert stack.clock.monotonic == began
    (parked,) = stack.parked()
    assert parked["Body"] == "hello there"
    assert set(parked["MessageAttributes"]) == {"Reason", "ParkedAt"}
    assert stack.receive() == {"Records": []}
    stack.serve(OTHER_ID)
    assert stack.network.gaps == [pytest.approx(PERIOD + stack.network.latency)]


def test_a_message_of_another_group_is_sent_on_and_not_looked_up(stack: Stack) -> None:
    """It joins the queue in the one group: looks at two groups could run at once.

    It waits for nothing meanwhile, and asks SES nothing.
    """
    event = batch(MESSAGE_ID)
    event["Records"][0]["attributes"]["MessageGroupId"] = "orders"
    began = stack.clock.monotonic
    assert stack.module.handler(event, Context(30_000)) == {"batchItemFailures": []}
    assert (stack.clock.monotonic, stack.network.requests) == (began, [])
    (record,) = stack.receive()["Records"]
    assert (record["body"], record["attributes"]["MessageGroupId"]) == (MESSAGE_ID, "looks")


def test_its_invocation_does_not_count_for_the_pace(stack: Stack) -> None:
    """Another environment may look meanwhile: the next look here waits a full period."""
    stack.serve()
    stack.clock.advance(0.9)
    event = batch(MESSAGE_ID)
    event["Records"][0]["attributes"]["MessageGroupId"] = "orders"
    stack.module.handler(event, Context(30_000))
    stack.clock.advance(0.2)
    stack.receive()
    before = stack.clock.monotonic
    stack.module.handler(batch(OTHER_ID), Context(30_000))
    assert stack.clock.monotonic - before >= PERIOD


# Batches


def batch(*bodies: str) -> dict[str, Any]:
    """An event with several messages, as a larger batch size would make it."""
    attributes = {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1795427100123",
        "MessageGroupId": "looks",
    }
    records = [
        {
            "messageId": f"id-{number}",
            "receiptHandle": f"handle-{number}",
            "body": body,
            "attributes": attributes | {"SequenceNumber": str(number)},
        }
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}


def test_a_message_that_comes_back_holds_those_behind_it(stack: Stack) -> None:
    """The line keeps its order: what was not served after it is reported, too, and not tried."""
    stack.network.will(insights(), VDM_OFF, insights())
    event = batch(MESSAGE_ID, OTHER_ID, f"{OTHER_ID}2", "no id")
    response = stack.module.handler(event, Context(30_000))
    assert response == {
        "batchItemFailures": [
            {"itemIdentifier": "id-1"},
            {"itemIdentifier": "id-2"},
            {"itemIdentifier": "id-3"},
        ]
    }
    assert len(stack.network.requests) == 2
    assert stack.parked() == []


def test_a_batch_that_is_served_reports_nothing(stack: Stack) -> None:
    """Looked at and parked alike are done."""
    response = stack.module.handler(batch(MESSAGE_ID, "no id", OTHER_ID), Context(30_000))
    assert response == {"batchItemFailures": []}
    assert [request.url.split("/")[-2] for request in stack.network.requests] == [
        MESSAGE_ID,
        OTHER_ID,
    ]


# Metrics and logs


def test_an_invocation_writes_its_metrics(stack: Stack, output: Read) -> None:
    """One look leads to these and no other."""
    stack.serve()
    assert output().metrics == {
        ("Looks", ALL): [1],
        ("Fresh", ALL): [1],
        ("Coverage", ALL): [1],
        ("FullWaits", ALL): [1],
    }


def test_an_alert_is_counted_although_a_later_one_failed(stack: Stack, output: Read) -> None:
    """Every published alert is in the log, also where the invocation failed later."""
    mail = json.loads(insights().body)
    other = mail["Insights"][0] | {"Destination": "other@there.example"}
    stack.network.will(insights(Insights=[*mail["Insights"], other]))
    stack.once("before-call.sns.Publish", "Throttled", after=1)
    stack.enqueue()
    received = stack.receive()
    assert len(stack.invoke(received)) == 1
    assert stack.invoke(received) == []
    lines = output()
    assert len([line for line in lines.logs if line["message"] == "alerted"]) == 2
    assert all(alert["alertId"] in json.dumps(lines.logs) for alert in stack.alerts())


def test_a_throttled_invocation_writes_its_metrics(stack: Stack, output: Read) -> None:
    """Failures are written as well as successes."""
    stack.network.will(THROTTLED)
    stack.serve(seconds=ENOUGH)
    metrics = output().metrics
    assert metrics["Throttles", ALL] == [1]
    assert metrics["SystemFailures", (("kind", "SesThrottled"), *ALL)] == [1]


def test_an_invocation_that_is_killed_writes_its_metrics(stack: Stack, output: Read) -> None:
    """What was counted before is not lost with it."""
    stack.once("before-call.sns.Publish", Killed())
    stack.enqueue()
    with pytest.raises(Killed):
        stack.invoke(stack.receive())
    assert ("FullWaits", ALL) in output().metrics


def test_the_logs_of_an_invocation_name_the_message(stack: Stack, output: Read) -> None:
    """And the service that writes them."""
    stack.serve()
    lines = output()
    assert lines.logs
    for line in lines.logs:
        assert (line["message_id"], line["service"]) == (MESSAGE_ID, "lookup")
    assert BOUNCES not in lines.text


# Wiring

LOOKUP = "ses_insights.handlers.lookup"

SETTINGS = {
    "POWERTOOLS_METRICS_NAMESPACE": "SesInsights",
    "TABLE_NAME": "a-table",
    "ALERT_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:a-topic",
    "QUEUE_URL": "https://a-queue",
    "DEAD_LETTER_QUEUE_URL": "https://dead-letters",
    "LOOKUP_PERIOD_SECONDS": "2.5",
    "FIRST_LOOK_DELAY_SECONDS": "900",
    "FOLLOW_UP_LADDER": "[60]",
    "SES_KEEPS_DAYS": "30",
    "RETENTION_DAYS": "40",
    "REDACT_SUBJECTS": "true",
    "ALERT_TYPES": '["BOUNCE", "COMPLAINT", "REJECT", "RENDERING_FAILURE"]',
    "SURGE_AFTER": "5",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_a_missing_setting_fails_by_name(
    stack: Stack, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Every invocation fails with it, before anything is done to a message."""
    monkeypatch.delenv(name)
    for _ in range(2):
        with pytest.raises(SettingError, match=name):
            stack.module.handler(batch("no id"), Context(30_000))
    assert stack.parked() == []


def test_importing_the_function_reads_nothing(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither settings nor clients: both come with the first invocation."""
    for name in SETTINGS:
        monkeypatch.delenv(name)

    def no_session() -> None:
        pytest.fail("a session was made at import")

    monkeypatch.setattr(boto3, "Session", no_session)
    assert stack.new_environment().handler


def test_the_function_logs_the_time_in_utc() -> None:
    """What is stored and sent is written in one zone."""
    now = importlib.import_module(LOOKUP)._now()  # noqa: SLF001 - the one clock of all parts
    assert now.utcoffset() == timedelta(0)


def test_an_environment_is_wired_once(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients and pace are kept between invocations."""
    stack.serve()
    monkeypatch.setattr(boto3, "Session", lambda: pytest.fail("a second session was made"))
    assert stack.serve(OTHER_ID) == []


def test_every_part_is_wired_to_its_own_resource(stack: Stack) -> None:
    """What the settings name is where each part reads and writes."""
    parts = stack.module.wire(SETTINGS, stack.session)
    look, queue = parts.consumer.look, parts.consumer.queue
    assert look.records.table_name == "a-table"
    assert look.outbox.subscribers.topic_arn == SETTINGS["ALERT_TOPIC_ARN"]
    assert (queue.queue_url, queue.dead_letter_queue_url) == (
        "https://a-queue",
        "https://dead-letters",
    )
    assert look.outbox.subscribers.chat_topic_arn is None
    assert look.outbox.table == TableAddress("123456789012", stack.session.region_name, "a-table")
    assert look.source is parts.source
    assert parts.source.pace.period == 2.5
    assert [rung.total_seconds() for rung in look.rules.ladder.rungs] == [60]
    assert look.rules.retention.days == 40
    assert look.rules.redact_subjects


def test_a_chat_gets_alerts_where_the_stack_has_one(stack: Stack) -> None:
    """Its topic is wired beside the topic of alerts."""
    parts = stack.module.wire(SETTINGS | {"CHAT_TOPIC_ARN": "arn:chat"}, stack.session)
    assert parts.consumer.look.outbox.subscribers.chat_topic_arn == "arn:chat"


def test_no_client_waits_longer_than_an_invocation_allows(stack: Stack) -> None:
    """SES and SNS are never retried by the SDK; the others once, with time-outs that fit."""
    parts = stack.module.wire(SETTINGS, stack.session)
    look, queue = parts.consumer.look, parts.consumer.queue
    assert parts.source.client.meta.config.retries["total_max_attempts"] == 1
    tries = {look.records.client: 2, look.outbox.subscribers.client: 1, queue.client: 2}
    for client, number in tries.items():
        config = client.meta.config
        assert config.retries["total_max_attempts"] == number
        assert number * (config.connect_timeout + config.read_timeout) <= ses.STORING_NEEDS
