"""Many bounces of one sender on the deployed stack: people get five and a summary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from boto3.dynamodb.conditions import Key

from local.actors.operator import FollowUps
from local.actors.subscriber import Subscriber
from local.stack.run import LocalRun
from ses_insights.contracts.names import Partition
from ses_insights.domain.times import instant, iso
from tests.support.deployed_stack import deployed_stack
from tests.support.patience import eventually

BOUNCES = 7
EARLIER = timedelta(minutes=10)


def test_a_surge_is_summarised(run: LocalRun) -> None:
    """Programs get each alert once, people five of them and one summary that counts them all."""
    topic, table = run.alert_topic_arn, run.session.resource("dynamodb").Table(run.table_name)
    people, programs = (
        Subscriber.subscribe(run.session, topic, name=name, filter_policy=policy)
        for name, policy in (
            (
                "surge-people",
                '{"grouping": ["single", "summary"], "fromDomain": ["surge.example"]}',
            ),
            ("surge-programs", '{"fromDomain": ["surge.example"]}'),
        )
    )
    with deployed_stack(run) as stack:
        ids = [
            stack.send("bounce-noemail", sender="list@surge.example")["MessageId"]
            for _ in range(BOUNCES)
        ]
        stack.enqueue(*ids)
        eventually(lambda: all(stack.alert_rows(each) for each in ids))
        alerts = [row for each in ids for row in stack.alert_rows(each)]
        assert Counter(row["Grouping"] for row in alerts) == {"single": 5, "grouped": 2}

        # As if all of it had been some minutes ago: the summary is due.
        for row in alerts:
            _change(table, row, DetectedAt=_earlier(row["DetectedAt"]))
        (group,) = (row for row in _groups(table) if row.get("FromDomain") == "surge.example")
        _change(
            table,
            group,
            Since=_earlier(group["Since"]),
            LastAt=_earlier(group["LastAt"]),
            NextLookAt=_earlier(group["NextLookAt"]),
        )
        FollowUps(run).start()

        eventually(lambda: len(_received(programs)) >= BOUNCES + 1)
        eventually(lambda: len(_received(people)) >= 5 + 1)
    (summary,) = (body for body in _received(people) if body["alertType"] == "SUMMARY")
    assert (summary["count"], summary["reason"]) == (BOUNCES, "address-unknown")
    assert len(_received(people)) == 5 + 1
    told = Counter(body["messageId"] for body in _received(programs) if "messageId" in body)
    assert told == dict.fromkeys(ids, 1)


def _received(subscriber: Subscriber) -> list[dict[str, Any]]:
    subscriber.read()
    return [alert.body for alert in subscriber.received]


def _earlier(moment: str) -> str:
    return iso(instant(moment) - EARLIER)


def _groups(table: Any) -> list[dict[str, Any]]:
    condition = Key("MessageId").eq(Partition.SURGES)
    return [
        row
        for row in table.query(KeyConditionExpression=condition)["Items"]
        if row["Record"].startswith("GROUP#")
    ]


def _change(table: Any, row: Mapping[str, Any], **values: str) -> None:
    table.update_item(
        Key={"MessageId": row["MessageId"], "Record": row["Record"]},
        UpdateExpression="SET " + ", ".join(f"{name} = :{name}" for name in values),
        ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
    )
