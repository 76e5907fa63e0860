"""Many bounces of one sender on the deployed stack: people get five and a summary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from boto3.dynamodb.conditions import Key

from local.actors.operator import FollowUps
from local.actors.subscriber import Subscriber
from local.stack.observe import Row
from local.stack.run import LocalRun
from ses_insights.contracts.names import Partition
from ses_insights.contracts.rows import ALERT
from ses_insights.domain.times import instant, iso
from tests.support.deployed_stack import DeployedStack, deployed_stack
from tests.support.patience import eventually

EARLIER = timedelta(minutes=10)
SINGLE = 5
"""How many alerts of a kind come one by one (context key `surgeAfter`)."""


@pytest.mark.parametrize(
    ("bounces", "blocked"), [(7, 2), pytest.param(300, 20, marks=pytest.mark.prove)]
)
def test_a_surge_is_summarised(run: LocalRun, bounces: int, blocked: int) -> None:
    """Programs get each alert once, people five of a kind and a summary that counts them all.

    What is blocked beside it is another kind, and counted by itself.
    """
    sender = f"surge-of-{bounces}.example"
    kinds = {"address-unknown": bounces, "blocklisted": blocked}
    surges = {reason: count for reason, count in kinds.items() if count > SINGLE}
    singles = sum(min(count, SINGLE) for count in kinds.values())
    people, programs = (
        Subscriber.subscribe(
            run.session, run.alert_topic_arn, name=name, filter_policy=json.dumps(policy)
        )
        for name, policy in (
            (f"people-{bounces}", {"grouping": ["single", "summary"], "fromDomain": [sender]}),
            (f"programs-{bounces}", {"fromDomain": [sender]}),
        )
    )
    table = run.session.resource("dynamodb").Table(run.table_name)
    stories = [*bounces * ["bounce-noemail"], *blocked * ["bounce-general-blocked"]]
    with deployed_stack(run) as stack:
        ids = [stack.send(each, sender=f"list@{sender}")["MessageId"] for each in stories]
        stack.enqueue(*ids)
        for part in _batched(ids):
            eventually(partial(_have_alerts, stack, part))
        alerts = _alert_rows(stack)
        assert Counter(row["MessageId"] for row in alerts) == dict.fromkeys(ids, 1)
        assert Counter(row["Grouping"] for row in alerts) == {
            "single": singles,
            "grouped": len(ids) - singles,
        }

        # As if all of it had been some minutes ago: the summaries are due.
        for row in alerts:
            _change(table, row, DetectedAt=_earlier(row["DetectedAt"]))
        for group in _groups(table):
            if group.get("FromDomain") == sender and "NextLookAt" in group:
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


def _batched(ids: list[str]) -> list[list[str]]:
    """Cut into parts that take a minute each: one look a second."""
    return [ids[start : start + 60] for start in range(0, len(ids), 60)]


def _alert_rows(stack: DeployedStack) -> list[Row]:
    return [row for row in stack.rows() if row["Record"].startswith(ALERT)]


def _have_alerts(stack: DeployedStack, ids: list[str]) -> bool:
    return {*ids} <= {row["MessageId"] for row in _alert_rows(stack)}


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
