"""Holds what was stored and published against what the stories expect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from local.actors.subscriber import Received
from local.ses_stand_in.stories import Expectation
from ses_insights.contracts.rows import MESSAGE, alert_key

Row = Mapping[str, Any]
_Published = tuple[str, str, str | None, str | None, str]


def differences(
    expected: Mapping[str, Expectation], rows: Iterable[Row], received: Sequence[Received]
) -> list[str]:
    """List where the table or the subscriber differs from the stories.

    `expected` has what must be stored and published by message id; a message that is not in it must
    not be in the table either.
    """
    by_message: dict[str, list[Row]] = {}
    for row in rows:
        by_message.setdefault(row["MessageId"], []).append(row)
    published: dict[str, list[Received]] = {}
    for alert in received:
        if is_about_one_mail(alert):
            published.setdefault(alert.body["messageId"], []).append(alert)
    return [
        *(
            f"{message_id}: {difference}"
            for message_id, expectation in expected.items()
            for difference in _of_message(
                expectation, by_message.get(message_id, []), published.get(message_id, [])
            )
        ),
        *(
            f"{message_id}: not enqueued, but stored or published"
            for message_id in sorted({*by_message, *published} - {*expected})
        ),
    ]


def is_about_one_mail(alert: Received) -> bool:
    """Whether an alert is about one mail; a summary is about many."""
    return "messageId" in alert.body


def _of_message(
    expected: Expectation, rows: Sequence[Row], received: Sequence[Received]
) -> Iterator[str]:
    statuses = [row["Status"] for row in rows if row["Record"] == MESSAGE]
    if statuses != [expected.status]:
        yield f"stored as {statuses or 'nothing'}, its story ends as {expected.status}"
    expected_alerts = Counter(
        (a.alert_type, a.severity, a.bounce_sub_type, a.complaint_feedback_type, a.source)
        for a in expected.alerts
    )
    published = Counter(_published(alert) for alert in received)
    if published != expected_alerts:
        found, wanted = (sorted(map(str, each.elements())) for each in (published, expected_alerts))
        yield f"alerts published {found}, expected {wanted}"
    stored = {row["Record"] for row in rows if "PublishedAt" in row}
    ids = {alert_key(alert.body["alertId"]) for alert in received}
    if stored != ids:
        yield f"alerts marked as published {sorted(stored)}, received {sorted(ids)}"


def _published(alert: Received) -> _Published:
    event = alert.body["event"]
    return (
        alert.body["alertType"],
        alert.body["severity"],
        event.get("bounce", {}).get("bounceSubType"),
        event.get("complaint", {}).get("complaintFeedbackType"),
        alert.body["source"],
    )
