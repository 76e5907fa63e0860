"""Many bounces of one sender on the deployed stack: people get five and a summary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from boto3.dynamodb.conditions import Key

from local.actors.operator import FollowUps
from local.actors.subscriber import Subscriber
from local.stack.run import LocalRun
from ses_insights.contracts.names import Partition
from ses_insights.domain.times import instant, iso
from tests.support.deployed_stack import deployed_stack
from tests.support.patience import eventually

BOUNCES, BLOCKED = 7, 2
SENDER = "surge.example"
EARLIER = timedelta(minutes=10)


def test_a_surge_is_summarised(run: LocalRun) -> None:
    """Programs get each alert once, people five of a kind and a summary that counts them all.

    What is blocked beside it is another kind, and counted by itself.
    """
    surges, singles = {"address-unknown": BOUNCES}, 5 + BLOCKED
    people, programs = (
        Subscriber.subscribe(
            run.session, run.alert_topic_arn, name=name, filter_policy=json.dumps(policy)
        )
        for name, policy in (
            ("surge-people", {"grouping": ["single", "summary"], "fromDomain": [SENDER]}),
            ("surge-programs", {"fromDomain": [SENDER]}),
        )
    )
    table = run.session.resource("dynamodb").Table(run.table_name)
    stories = [*BOUNCES * ["bounce-noemail"], *BLOCKED * ["bounce-general-blocked"]]
    with deployed_stack(run) as stack:
        ids = [stack.send(each, sender=f"list@{SENDER}")["MessageId"] for each in stories]
        stack.enqueue(*ids)
        for each in ids:
            eventually(partial(stack.alert_rows, each))
        alerts = [row for each in ids for row in stack.alert_rows(each)]
        assert Counter(row["Grouping"] for row in alerts) == {
            "single": singles,
            "grouped": len(ids) - singles,
        }

        # As if all of it had been some minutes ago: the summaries are due.
        for row in alerts:
            _change(table, row, DetectedAt=_earlier(row["DetectedAt"]))
        for group in _groups(table):
            if group.get("FromDomain") == SENDER and "NextLookAt" in group:
                moments = ("Since", "LastAt", "NextLookAt")
                _change(table, group, **{name: _earlier(group[name]) for name in moments})
        FollowUps(run).start()

        eventually(lambda: len(_received(programs)) >= len(ids) + len(surges))
        eventually(lambda: len(_received(people)) >= singles + len(surges))
    summaries = [body for body in _received(people) if body["alertType"] == "SUMMARY"]
    assert {body["reason"]: body["count"] for body in summaries} == surges
    assert len(_received(people)) == singles + len(surges)
    published = Counter(body["messageId"] for body in _received(programs) if "messageId" in body)
    assert published == dict.fromkeys(ids, 1)


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
