"""`insights status` says what waits, how fast it goes, and what stands still."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ses_insights.adapters.records import RecordTable
from ses_insights.cli.commands.status import State, lines, newest_look, one_line, to_json
from ses_insights.cli.deployment import Deployment
from ses_insights.domain.lanes import Lane
from ses_insights.domain.times import iso
from tests.cli.conftest import LOG_GROUP, Aws
from tests.support.said import Insights
from tests.support.samples import bounced, delivered, found, looked

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
STATE = State(
    stack="SesInsights",
    at=AT,
    waiting=1_200,
    delayed=300,
    in_flight=1,
    due={Lane.ALERT: 0, Lane.ESSENTIAL: 7, Lane.FOLLOW_UP: 10_000, Lane.BULK: 0},
    period=1.0,
    per_message=2.4,
    rungs=7,
    dead_letters=0,
    last_look=AT - timedelta(seconds=3),
    vdm="on",
)


def printed(state: State) -> dict[str, str]:
    """What a person reads, by the first word of the line."""
    rows = [line.plain.split("  ", 1) for line in lines(state)]
    return {name: rest.strip() for name, rest in rows}


def test_a_person_reads_one_thing_a_line() -> None:
    """Every number stands with its unit; a count that stopped says so."""
    assert printed(STATE) == {
        "Stack": "SesInsights",
        "Queue": "1,200 waiting, 300 delayed, 1 in flight",
        "Due": "7 keep, 10,000+ follow-up, 0 bulk",
        "Alerts to tell": "0",
        "Budget": "1 looks a second, 2.4 of 7 looks at each message",
        "To drain": "25 min 1 s the queue, 3 h 11 min with the due",
        "Dead letters": "0",
        "Last look": "2026-11-23T09:59:57Z, 3 s ago",
        "VDM": "on",
    }


def test_what_is_not_known_is_called_unknown() -> None:
    """No look in the log, and no word on VDM, are told as such."""
    told = printed(replace(STATE, last_look=None, vdm="unknown"))
    assert (told["Last look"], told["VDM"]) == ("unknown", "unknown")


def test_vdm_off_says_what_that_means() -> None:
    """Who reads it need not know what VDM is for."""
    assert printed(replace(STATE, vdm="off"))["VDM"].startswith("off: SES answers no look")


def test_enough_looks_for_everybody_is_said_in_words() -> None:
    """A load without end of looks per message is no number."""
    told = printed(replace(STATE, per_message=float("inf"), period=2.0))
    assert told["Budget"] == "0.5 looks a second, enough for all 7 looks at each message"


def test_a_program_reads_numbers() -> None:
    """Seconds, ISO 8601, and what is infinite is what there can be at most."""
    told = to_json(replace(STATE, per_message=float("inf")))
    assert told["secondsToDrain"] == {"queue": 1501.0, "withDue": 11508.0}
    assert told["budget"] == {"looksPerSecond": 1.0, "looksPerMessage": 7}
    assert json.loads(json.dumps(told)) == told


def test_one_line_has_what_moves() -> None:
    """What `watch` prints where there is no terminal."""
    assert one_line(STATE) == (
        "2026-11-23T10:00:00Z  1,501 in the queue, 10,007 due, 3 h 11 min to drain, 0 parked, "
        "last look 2026-11-23T09:59:57Z, 3 s ago"
    )


def test_the_last_look_is_the_newest_line_that_a_served_id_left() -> None:
    """Other lines of the log, metrics among them, are no look."""
    said = ["START", '{"message":"looked"}', '{"_aws":{}}', '{"message":"skipped"}', "[1]", "null"]
    events = ({"timestamp": n * 1000, "message": text} for n, text in enumerate(said))
    assert newest_look(events) == datetime.fromtimestamp(3, UTC)


def test_a_log_without_a_look_tells_none() -> None:
    """Nor does an empty one."""
    assert newest_look(iter(())) is None


def test_status_counts_the_queue_the_due_and_the_parked(
    aws: Aws, service: Deployment, insights: Insights, records: RecordTable
) -> None:
    """Each count is that of its own place; two seconds a look."""
    sqs = service.sqs
    for number in range(3):
        sqs.send_message(
            QueueUrl=service.outputs["QueueUrl"], MessageBody=f"id-{number}", MessageGroupId="looks"
        )
    sqs.send_message(
        QueueUrl=service.outputs["DeadLetterQueueUrl"], MessageBody="bad", MessageGroupId="looks"
    )
    record, alerts = looked(found(bounced(), delivered()), now=LONG_AGO)
    records.save(replace(record, next_look_at=iso(LONG_AGO)), alerts, read=None)
    aws.vdm = "DISABLED"

    told = insights("status", "--json").json

    assert told["queue"] == {"waiting": 3, "delayed": 0, "inFlight": 0}
    assert told["due"] == {"alert": 1, "keep": 0, "follow-up": 1, "bulk": 0}
    assert told["secondsToDrain"]["queue"] == 6.0
    assert (told["deadLetters"], told["vdm"], told["lastLookAt"]) == (1, "off", None)


def test_the_last_look_is_read_from_the_functions_log(aws: Aws, insights: Insights) -> None:
    """From the newest stream of the group that the function writes to."""
    logs = aws.session.client("logs")
    logs.create_log_group(logGroupName=LOG_GROUP)
    moment = int(datetime.now(UTC).timestamp() * 1000) - 5000
    for name, later in (("old", 0), ("new", 2000)):
        logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName=name)
        logs.put_log_events(
            logGroupName=LOG_GROUP,
            logStreamName=name,
            logEvents=[{"timestamp": moment + later, "message": '{"message":"looked"}'}],
        )

    told = insights("status", "--json").json["lastLookAt"]

    assert datetime.fromisoformat(told).timestamp() * 1000 == pytest.approx(moment + 2000, abs=1)


@pytest.mark.parametrize("operation", ["GetAccount", "DescribeLogStreams"])
def test_what_may_not_be_asked_is_unknown(aws: Aws, insights: Insights, operation: str) -> None:
    """VDM and the last look are worth telling, and no reason to tell nothing."""
    aws.fails[operation] = "AccessDeniedException"
    said = insights("status")
    assert (said.code, said.err) == (0, "")
    assert "unknown" in said.out


def test_no_permission_is_a_sentence_and_no_stack_trace(aws: Aws, insights: Insights) -> None:
    """It names what is denied and where the policy is, on standard error."""
    aws.fails["GetQueueAttributes"] = "AccessDenied"
    said = insights("status")
    assert (said.code, said.out) == (3, "")
    assert said.err == (
        "These credentials may not do this: GetQueueAttributes is denied. docs/cli.md has the "
        "policy.\n"
    )
