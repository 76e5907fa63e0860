"""The state of the service, read from AWS."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ses_insights.adapters.records import RecordTable
from ses_insights.cli.deployment import Deployment
from ses_insights.cli.state import newest_look
from ses_insights.domain.times import iso
from tests.cli.conftest import LOG_GROUP, Aws
from tests.support.said import Insights
from tests.support.samples import bounced, delivered, found, looked

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def test_the_last_look_is_the_newest_line_that_a_look_left() -> None:
    """Other lines of the log, metrics among them, do not count."""
    said = ["START", '{"message":"looked"}', '{"_aws":{}}', '{"message":"skipped"}', "[1]", "null"]
    events = ({"timestamp": n * 1000, "message": text} for n, text in enumerate(said))
    assert newest_look(events) == datetime.fromtimestamp(3, UTC)


def test_a_log_without_a_look_gives_none() -> None:
    """So does an empty one."""
    assert newest_look(iter(())) is None


def test_status_counts_the_queue_the_due_and_the_parked(
    aws: Aws, deployment: Deployment, insights: Insights, records: RecordTable
) -> None:
    """Each count is that of its own queue or lane; two seconds a look."""
    sqs = deployment.sqs
    for number in range(3):
        sqs.send_message(
            QueueUrl=deployment.queue_url, MessageBody=f"id-{number}", MessageGroupId="looks"
        )
    sqs.send_message(
        QueueUrl=deployment.dead_letter_queue_url, MessageBody="bad", MessageGroupId="looks"
    )
    record, alerts = looked(found(bounced(), delivered()), now=LONG_AGO)
    records.save(replace(record, next_look_at=iso(LONG_AGO)), alerts, read=None)
    aws.vdm = "DISABLED"

    status = insights("status", "--json").json

    assert status["queue"] == {"waiting": 3, "delayed": 0, "inFlight": 0}
    assert status["due"] == {
        **dict.fromkeys(("listed", "keep", "summary", "bulk"), 0),
        "alert": 1,
        "follow-up": 1,
    }
    assert status["secondsToDrain"]["queue"] == 6.0
    assert status["budget"]["firstLooks"] == 1.0
    assert (status["deadLetters"], status["vdm"], status["lastLookAt"]) == (1, "off", None)


@pytest.fixture(autouse=True)
def _no_second_thought(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing changes between two readings."""
    monkeypatch.setattr("ses_insights.cli.commands.status._SECOND_THOUGHT", 0.0)


def write_log(aws: Aws, **streams: list[tuple[timedelta, str]]) -> datetime:
    """Write lines of so long ago into streams of the function's log; returns the present."""
    logs = aws.session.client("logs")
    logs.create_log_group(logGroupName=LOG_GROUP)
    present = datetime.now(UTC)
    for name, lines in streams.items():
        logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName=name)
        logs.put_log_events(
            logGroupName=LOG_GROUP,
            logStreamName=name,
            logEvents=[
                {
                    "timestamp": int((present - ago).timestamp() * 1000),
                    "message": f'{{"message":"{said}"}}',
                }
                for ago, said in lines
            ],
        )
    return present


def test_the_last_look_and_the_speed_are_read_from_the_functions_log(
    aws: Aws, insights: Insights
) -> None:
    """From all streams of the group, of which Lambda begins one at each cold start."""
    second = timedelta(seconds=1)
    present = write_log(
        aws,
        old=[(400 * second, "looked"), (9 * second, "looked"), (8 * second, "looked")],
        new=[(3 * second, "parked"), (2 * second, "skipped"), (second, "parked")],
    )
    status = insights("status", "--json").json
    at = datetime.fromisoformat(status["lastLookAt"])
    assert at.timestamp() == pytest.approx((present - 2 * second).timestamp(), abs=0.002)
    assert status["speed"] == {"seconds": 300.0, "looks": 2}


def test_a_last_look_of_long_ago_is_found_behind_other_lines(aws: Aws, insights: Insights) -> None:
    """In a stream that is not the newest, and behind what was parked since."""
    hour = timedelta(hours=1)
    present = write_log(
        aws,
        looks=[(30 * hour, "looked"), *[(29 * hour, "parked")] * 150],
        parks=[(2 * hour, "parked")],
    )
    at = datetime.fromisoformat(insights("status", "--json").json["lastLookAt"])
    assert at.timestamp() == pytest.approx((present - 30 * hour).timestamp(), abs=0.002)


def test_what_stands_still_gives_exit_code_1(
    aws: Aws, deployment: Deployment, insights: Insights
) -> None:
    """A script need not read the words."""
    write_log(aws, only=[(timedelta(hours=1), "looked")])
    assert insights("status").code == 0
    deployment.sqs.send_message(
        QueueUrl=deployment.queue_url, MessageBody="id", MessageGroupId="looks"
    )
    said = insights("status")
    assert said.code == 1
    assert said.out.startswith("Verdict\tSomething stands still. 1 id waits in the queue; looked")


def test_planned_looks_are_counted_apart_from_due_ones(
    insights: Insights, records: RecordTable
) -> None:
    """By lane."""
    record, _ = looked(found(delivered()))
    records.save(replace(record, next_look_at="2999-01-01T00:00:00.000Z"), (), read=None)
    status = insights("status", "--json").json
    assert status["planned"] == {"listed": 0, "keep": 0, "follow-up": 1, "bulk": 0}
    assert status["due"]["follow-up"] == 0


@pytest.mark.parametrize("operation", ["GetAccount", "FilterLogEvents"])
def test_what_the_credentials_do_not_allow_is_unknown(
    aws: Aws, insights: Insights, operation: str
) -> None:
    """Without permission for VDM or the log, the rest is still shown."""
    aws.fails[operation] = "AccessDeniedException"
    said = insights("status")
    assert (said.code, said.err) == (0, "")
    assert "unknown" in said.out
