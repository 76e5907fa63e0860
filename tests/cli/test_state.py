"""The state of the service, read from AWS."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

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
    assert status["due"] == {"alert": 1, "keep": 0, "follow-up": 1, "summary": 0, "bulk": 0}
    assert status["secondsToDrain"]["queue"] == 6.0
    assert status["budget"]["firstLooks"] == 1.0
    assert (status["deadLetters"], status["vdm"], status["lastLookAt"]) == (1, "off", None)


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

    at = insights("status", "--json").json["lastLookAt"]

    assert datetime.fromisoformat(at).timestamp() * 1000 == pytest.approx(moment + 2000, abs=1)


@pytest.mark.parametrize("operation", ["GetAccount", "DescribeLogStreams"])
def test_what_the_credentials_do_not_allow_is_unknown(
    aws: Aws, insights: Insights, operation: str
) -> None:
    """Without permission for VDM or the log, the rest is still shown."""
    aws.fails[operation] = "AccessDeniedException"
    said = insights("status")
    assert (said.code, said.err) == (0, "")
    assert "unknown" in said.out
