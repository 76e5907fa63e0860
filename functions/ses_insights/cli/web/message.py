"""Everything that is known of one message: what happened to it, and what the service did."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from ses_insights.adapters.items import from_item, to_item
from ses_insights.cli.commands.show import lines
from ses_insights.cli.output import as_json, lane_name, span
from ses_insights.cli.sending import Sender, body, last_look_by
from ses_insights.cli.web.reading import SharedDeployment
from ses_insights.cli.web.words import after, event_name, tone
from ses_insights.contracts.alert_message import shareable
from ses_insights.contracts.console import TableAddress
from ses_insights.contracts.names import Output
from ses_insights.contracts.queue_message import LookRequest
from ses_insights.contracts.rows import MESSAGE, Row, read_listings, read_record
from ses_insights.domain.alert import Alert
from ses_insights.domain.explanation import Explanation, explain
from ses_insights.domain.insight import ENGAGEMENT, Destination, Event
from ses_insights.domain.listing import Listing
from ses_insights.domain.record import Record
from ses_insights.domain.schedule import Ladder
from ses_insights.domain.status import Status, status_of, status_of_event
from ses_insights.domain.summary import summary_of_destination, summary_of_message
from ses_insights.domain.times import instant, iso

MOST_PAGES: Final = 3
"""Pages of a megabyte that are read of a message; more than one is rare."""

ENGAGEMENT_SHOWN: Final = 3
"""Opens and clicks of a recipient that are shown; the others fold."""

_EXPLAINED: Final = frozenset({"BOUNCE", "COMPLAINT", "REJECT", "RENDERING_FAILURE"})


@dataclass(frozen=True, slots=True)
class Moment:
    """One event of a timeline."""

    name: str
    tone: str
    at: str | None
    since_sent: str
    details: Sequence[tuple[str, str]] = ()
    """What SES says of a bounce or complaint, under the API's names."""
    diagnostic: str | None = None
    explanation: Explanation | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """What happened to the mail of one recipient."""

    destination: Destination
    status: Status
    summary: str
    moments: Sequence[Moment]
    folded: Sequence[Moment]
    """Further opens and clicks."""


@dataclass(frozen=True, slots=True)
class Rung:
    """A look that the ladder plans."""

    age: str
    at: str
    word: str
    """past, next or planned."""


@dataclass(frozen=True, slots=True)
class MessageView:
    """What the page shows."""

    record: Record
    summary: str
    courses: Sequence[Course]
    rungs: Sequence[Rung]
    lane: str
    listed: Sequence[Listing]
    """Where the account's suppression list names the message."""
    alerts: Sequence[Alert]
    raw: str
    ticket: str
    console: str | None
    is_cut: bool
    """Whether the message has more rows than are read for a page."""

    def is_answered(self, asked: str) -> bool:
        """Whether a look was taken since somebody asked for it."""
        return self.record.last_look_at is not None and self.record.last_look_at >= asked


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message that is not in the table."""

    listed: Sequence[Listing]
    """What the suppression list names it for, before its first look."""


def read(deployment: SharedDeployment, message_id: str, now: datetime) -> MessageView | Unknown:
    """Read a message in at most four calls."""
    rows, is_cut = _rows(deployment, message_id)
    record = read_record(rows)
    if record is None:
        return Unknown(read_listings(rows))
    return _view(record, rows, deployment, now, is_cut=is_cut)


def _view(
    record: Record,
    rows: Sequence[Row],
    deployment: SharedDeployment,
    now: datetime,
    *,
    is_cut: bool,
) -> MessageView:
    insights = record.insights
    own = next(row for row in rows if row["Record"] == MESSAGE)
    return MessageView(
        record=record,
        # Rows of older versions have no sentence of their own.
        summary=own.get("Summary") or summary_of_message(record.status, insights.destinations),
        courses=[_course(each, record.sent_at) for each in insights.destinations],
        rungs=_rungs(record, deployment.settings.ladder, now),
        lane=lane_name(record.lane),
        listed=record.listings,
        alerts=sorted(record.alerts, key=lambda alert: (alert.detected_at, alert.alert_id)),
        raw=_escaped(rows),
        ticket="\n".join(line.plain for line in lines(_shareable(record))),
        console=_console(deployment, insights.message_id),
        is_cut=is_cut,
    )


def _rows(deployment: SharedDeployment, message_id: str) -> tuple[list[Row], bool]:
    """Read the rows in the order of their keys; the message's own is the last, and always there."""
    rows: list[Row] = []
    start: dict[str, Any] = {}
    for _ in range(MOST_PAGES):
        page = _query(deployment, {":id": message_id}, "MessageId = :id", **start)
        rows += map(from_item, page["Items"])
        if "LastEvaluatedKey" not in page:
            return rows, False
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    own = _query(
        deployment,
        {":id": message_id, ":message": MESSAGE},
        "MessageId = :id AND #record = :message",
        ExpressionAttributeNames={"#record": "Record"},
    )
    return [*rows, *map(from_item, own["Items"])], True


def _query(
    deployment: SharedDeployment, values: Row, condition: str, **more: Any
) -> Mapping[str, Any]:
    found: Mapping[str, Any] = deployment.dynamodb.query(
        TableName=deployment.table_name,
        KeyConditionExpression=condition,
        ExpressionAttributeValues=to_item(values),
        ConsistentRead=True,
        **more,
    )
    return found


def _course(destination: Destination, sent_at: str) -> Course:
    shown: list[Moment] = []
    folded: list[Moment] = []
    engaged = 0
    for event in destination.events:
        moment = _moment(event, sent_at)
        if event.type in ENGAGEMENT:
            engaged += 1
        is_folded = event.type in ENGAGEMENT and engaged > ENGAGEMENT_SHOWN
        (folded if is_folded else shown).append(moment)
    return Course(
        destination=destination,
        status=status_of(destination),
        summary=summary_of_destination(destination),
        moments=shown,
        folded=folded,
    )


def _moment(event: Event, sent_at: str) -> Moment:
    bounce, complaint = event.bounce, event.complaint
    details = {
        "BounceType": bounce.bounce_type if bounce else None,
        "BounceSubType": bounce.bounce_sub_type if bounce else None,
        "ComplaintSubType": complaint.complaint_sub_type if complaint else None,
        "ComplaintFeedbackType": complaint.complaint_feedback_type if complaint else None,
    }
    return Moment(
        name=event_name(event),
        tone="plain" if event.type == "SEND" else tone(status_of_event(event)),
        at=event.timestamp,
        since_sent=after(event.timestamp, sent_at),
        details=[(name, text) for name, text in details.items() if text],
        diagnostic=bounce.diagnostic_code if bounce else None,
        explanation=explain(event) if event.type in _EXPLAINED else None,
    )


def _rungs(record: Record, ladder: Ladder, now: datetime) -> list[Rung]:
    """Say for each rung whether it is behind, next, or still planned; none where all is final."""
    if record.final is not None or record.next_look_at is None:
        return []
    sent, following = instant(record.sent_at), instant(record.next_look_at)
    rungs = []
    for age in ladder.rungs:
        at = sent + age
        if at < following:
            continue
        rungs.append(Rung(span(age.total_seconds()), iso(at), "planned"))
    is_on_rung = bool(rungs) and rungs[0].at == record.next_look_at
    first = Rung(
        span((following - sent).total_seconds()),
        record.next_look_at,
        "due" if following <= now else "next",
    )
    return [first, *rungs[is_on_rung:]]


def _shareable(record: Record) -> Record:
    """Leave out of a record what a ticket must not carry: who has sent, and from which address."""
    insights = replace(record.insights, email_tags=shareable(record.insights.email_tags))
    return replace(record, insights=insights)


def _escaped(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows so that each sign of a hostile text can be seen."""
    return json.dumps(json.loads(as_json(list(rows))), indent=2)


def _console(deployment: SharedDeployment, message_id: str) -> str | None:
    topic = deployment.outputs.get(Output.ALERT_TOPIC_ARN)
    if topic is None:
        return None
    address = TableAddress.beside(topic, deployment.region, deployment.table_name)
    return address.console_link(message_id)


@dataclass(frozen=True, slots=True)
class Enqueued:
    """What became of the wish for another look."""

    by: str
    """When it is taken, at the latest."""
    refused: str | None


def look_again(
    deployment: SharedDeployment, message_id: str, in_queue: int, now: datetime
) -> Enqueued:
    """Enqueue an id with force. Raises what boto3 raises."""
    sender = Sender(deployment.sqs, deployment.queue_url)
    request = body(LookRequest(message_id), force=True, region=deployment.region)
    refused = [each for _, batch in sender.send({message_id: request}) for each in batch]
    settings = deployment.settings
    by = last_look_by(
        now,
        in_queue=in_queue,
        sent=1,
        delay=settings.first_look_delay,
        period=settings.lookup_period,
    )
    return Enqueued(iso(by), refused[0].why if refused else None)


RECENT: Final = timedelta(hours=1)
"""So long a page waits for a look that somebody asked for."""
