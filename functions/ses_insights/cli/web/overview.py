"""The first page: is all well, what waits, and what happened in the last days.

It makes at most 20 calls, whatever the size of the table. What that leaves out, the page says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from botocore.exceptions import BotoCoreError, ClientError

from ses_insights.adapters.items import from_item, to_item
from ses_insights.adapters.listings import ListingTable
from ses_insights.adapters.queue import SqsProducerQueue
from ses_insights.cli.commands.alerts import TYPES, with_reason
from ses_insights.cli.state import Log, State, account_of, list_off, newest_look, vdm
from ses_insights.cli.web.charts import Chart, Series, by_day, largest, last_days, ranking
from ses_insights.cli.web.reading import SharedDeployment, together
from ses_insights.cli.web.words import phrase
from ses_insights.contracts.names import Index, Partition
from ses_insights.contracts.rows import DESTINATION, Row
from ses_insights.contracts.summary_message import SUMMARY
from ses_insights.contracts.surge_rows import GROUP, read_surge
from ses_insights.domain.alert import AlertType
from ses_insights.domain.due import Waiting, late_by
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.status import Status
from ses_insights.domain.suppression import Progress
from ses_insights.domain.surge import Surge
from ses_insights.domain.times import iso

MOST_DUE: Final = 1_000
"""Due rows of a lane are counted up to here: one call."""

LANES: Final = (Lane.ALERT, *LOOK_LANES)
"""Lanes that the page shows; for surges it reads their own rows."""

STREAMS: Final = 2
"""Streams of the lookup function's log in which the last look is searched: the newest may be of an
instance that has not looked yet."""

NEWEST: Final = 8
"""Alerts that are listed."""

_PAGES: Final = {AlertType.BOUNCE: 2}
"""Pages of a megabyte that are read of a type's alerts; one of each other type."""

_REASONS: Final = 6
_RANKED: Final = 5

_ALERT_NAMES: Final = (
    *("MessageId", "AlertType", "Severity", "DetectedAt", "Destination", "Isp", "FromDomain"),
    *("Reason", "Event", "Of", "Count", "HasEnded", "BeganAt", "From", "To"),
)


@dataclass(frozen=True, slots=True)
class Counted:
    """Mails by status and day."""

    counts: dict[str, list[int]]
    is_sample: bool
    """Whether the table is larger than the part that was read."""
    rows: int
    """How many recipients were counted."""


@dataclass(frozen=True, slots=True)
class Due:
    """What is due in a lane."""

    number: int
    """Up to `MOST_DUE`."""
    oldest: Waiting | None


@dataclass(frozen=True, slots=True)
class AlertsRead:
    """Alerts and summaries of the last days, newest first."""

    rows: Sequence[Row]
    cut: dict[str, str]
    """For a type of which not all were read, the time down to which they were."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the page shows."""

    state: State
    mails: Chart
    is_sample: bool
    counted: int
    alerts: Chart
    cut: dict[str, str]
    newest: Sequence[Row]
    isps: Sequence[Any]
    senders: Sequence[Any]
    surges: Sequence[Surge]

    @property
    def due(self) -> int:
        """Looks that wait for their turn in the table."""
        return sum(self.state.due[lane] for lane in LOOK_LANES)

    @property
    def due_is_cut(self) -> bool:
        """Whether there may be more of them."""
        return any(self.state.due[lane] >= MOST_DUE for lane in LOOK_LANES)

    @property
    def pending(self) -> int:
        """Alerts that are stored and not known to be published."""
        return self.state.due[Lane.ALERT]


def gather(deployment: SharedDeployment, now: datetime) -> Overview:
    """Read what the page shows. Raises what boto3 raises, `SystemFailure` and `SettingError`."""
    days = last_days(now.date())
    found = together(
        queue=SqsProducerQueue(deployment.sqs, deployment.queue_url).depth,
        parked=SqsProducerQueue(deployment.sqs, deployment.dead_letter_queue_url).depth,
        log=partial(_log, deployment),
        account=partial(account_of, deployment),
        mails=partial(_mails, deployment, days),
        surges=partial(_surges, deployment),
        feedback=partial(_feedback, deployment),
        **{each: partial(_waiting, deployment, each, now) for each in LANES},
        **{each: partial(_alerts, deployment, each, days[0]) for each in TYPES},
    )
    read = [found[each] for each in TYPES]
    rows = sorted((row for each in read for row in each.rows), key=_detected, reverse=True)
    single = [row for row in rows if row["AlertType"] != SUMMARY]
    mails: Counted = found["mails"]
    return Overview(
        state=_state(deployment, found, now),
        mails=Chart(days, _status_series(mails.counts)),
        is_sample=mails.is_sample,
        counted=mails.rows,
        alerts=Chart(days, _reason_series(single, days)),
        cut={name: moment for each in read for name, moment in each.cut.items()},
        newest=rows[:NEWEST],
        isps=ranking((row["Isp"] for row in single if "Isp" in row), _RANKED),
        senders=ranking((row["FromDomain"] for row in single if "FromDomain" in row), _RANKED),
        surges=found["surges"],
    )


def _state(deployment: SharedDeployment, found: Mapping[str, Any], now: datetime) -> State:
    """Put the state together as `insights status` does, from fewer calls: no plans, no speed."""
    queue, parked = found["queue"], found["parked"]
    waiting: dict[Lane, Due] = {each: found[each] for each in LANES}
    return State(
        stack=deployment.stack,
        at=now,
        waiting=queue.visible,
        delayed=queue.delayed,
        in_flight=queue.in_flight,
        due={lane: each.number for lane, each in waiting.items()},
        planned={},
        late={lane: late_by(each.oldest, now) for lane, each in waiting.items()},
        period=deployment.settings.lookup_period,
        first_look_delay=deployment.settings.first_look_delay,
        dead_letters=parked.visible + parked.delayed + parked.in_flight,
        log=found["log"],
        vdm=vdm(found["account"]),
        feedback=found["feedback"],
        list_off=list_off(found["account"]),
    )


def _waiting(deployment: SharedDeployment, lane: Lane, now: datetime) -> Due:
    """Count what is due in a lane, and read since when, in one call."""
    page = deployment.dynamodb.query(
        TableName=deployment.table_name,
        IndexName=str(Index.DUE_LOOKS),
        KeyConditionExpression="DueLane = :lane AND NextLookAt <= :now",
        ExpressionAttributeValues=to_item({":lane": str(lane), ":now": iso(now)}),
        Limit=MOST_DUE,
    )
    rows = [from_item(item) for item in page["Items"]]
    oldest = Waiting(*(rows[0][name] for name in _KEYS)) if rows else None
    return Due(len(rows), oldest)


_KEYS: Final = ("MessageId", "Record", "NextLookAt")


def _log(deployment: SharedDeployment) -> Log | None:
    """Read when an id was looked up last; None where the log cannot be read."""
    group = deployment.lookup_function.get("LoggingConfig", {}).get("LogGroup")
    logs = deployment.client("logs")
    try:
        streams = logs.describe_log_streams(
            logGroupName=group, orderBy="LastEventTime", descending=True, limit=STREAMS
        )["logStreams"]
        for stream in streams:
            events = logs.get_log_events(
                logGroupName=group, logStreamName=stream["logStreamName"], limit=_LINES
            )["events"]
            if last := newest_look(events):
                return Log(0, last)
    except (BotoCoreError, ClientError):
        return None  # it is worth showing, and not worth failing for
    return Log(0, None)


_LINES: Final = 200
"""Of a stream; a look writes four at most."""


def _detected(row: Row) -> str:
    return str(row["DetectedAt"])


def _status_series(counts: dict[str, list[int]]) -> list[Series]:
    # Those that went well at the bottom, so that what went wrong lies on an even ground.
    return [
        Series(
            key=status,
            label=phrase(status).lower(),
            colour=f"status-{status.lower()}",
            values=counts[status],
            href=f"/search?{urlencode({'status': status})}",
        )
        for status in (*_GROUND, *(each for each in Status if each not in _GROUND))
        if sum(counts.get(status, ()))
    ]


_GROUND: Final = (Status.DELIVERED, Status.OPENED, Status.CLICKED, Status.SENT, Status.DELAYED)


def _reason_series(rows: Sequence[Row], days: Sequence[date]) -> list[Series]:
    counts = by_day(((row["DetectedAt"], row["Reason"]) for row in rows), days)
    kept = largest(counts, _REASONS, "other reasons")
    return [
        Series(
            key=name,
            label=name,
            colour=f"series-{number}",
            values=values,
            href="" if name not in counts else _of_reason(name, days),
        )
        for number, (name, values) in enumerate(kept.items(), start=1)
    ]


def _of_reason(reason: str, days: Sequence[date]) -> str:
    return f"/alerts?{urlencode({'reason': reason, 'since': days[0].isoformat()})}"


def _mails(deployment: SharedDeployment, days: Sequence[date]) -> Counted:
    """Count recipients by status: of a small table all, of a large one those of a part of it.

    The table keeps messages in the order of a hash of their ids, so a part of it is a fair sample.
    One page of a megabyte costs 128 read units.
    """
    page = deployment.dynamodb.scan(
        TableName=deployment.table_name,
        FilterExpression="begins_with(#record, :destination)",
        ProjectionExpression="#status, LastEventAt",
        ExpressionAttributeNames={"#record": "Record", "#status": "Status"},
        ExpressionAttributeValues=to_item({":destination": DESTINATION}),
    )
    rows = map(from_item, page["Items"])
    recent = [row for row in rows if row.get("LastEventAt", "") >= days[0].isoformat()]
    return Counted(
        by_day(((row["LastEventAt"], row["Status"]) for row in recent), days),
        is_sample="LastEvaluatedKey" in page,
        rows=len(recent),
    )


def _alerts(deployment: SharedDeployment, alert_type: str, first: date) -> AlertsRead:
    rows: list[Row] = []
    start: dict[str, Any] = {}
    for _ in range(_PAGES.get(AlertType(alert_type), 1) if alert_type != SUMMARY else 1):
        page = deployment.dynamodb.query(
            TableName=deployment.table_name,
            IndexName=str(Index.BY_ALERT),
            KeyConditionExpression="AlertType = :type AND DetectedAt >= :since",
            ExpressionAttributeValues=to_item({":type": alert_type, ":since": first.isoformat()}),
            ProjectionExpression=", ".join(["#record", *(f"#{each}" for each in _ALERT_NAMES)]),
            ExpressionAttributeNames={"#record": "Record"}
            | {f"#{each}": each for each in _ALERT_NAMES},
            ScanIndexForward=False,
            **start,
        )
        rows += [with_reason(from_item(item)) for item in page["Items"]]
        if "LastEvaluatedKey" not in page:
            return AlertsRead(rows, {})
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return AlertsRead(rows, {alert_type: str(rows[-1]["DetectedAt"])} if rows else {})


def _surges(deployment: SharedDeployment) -> list[Surge]:
    """Read the surges that last; of thousands of groups only the first ones."""
    page = deployment.dynamodb.query(
        TableName=deployment.table_name,
        KeyConditionExpression="MessageId = :partition AND begins_with(#record, :group)",
        FilterExpression="attribute_exists(NextLookAt)",
        ExpressionAttributeNames={"#record": "Record"},
        ExpressionAttributeValues=to_item({":partition": Partition.SURGES, ":group": GROUP}),
    )
    surges = [read_surge(from_item(item)) for item in page["Items"]]
    return sorted(surges, key=lambda surge: surge.last_at, reverse=True)


def _feedback(deployment: SharedDeployment) -> Progress | None:
    """Read how far the account's suppression list is read; None where it never was."""
    return ListingTable(deployment.dynamodb, deployment.table_name).progress()


def verdict(overview: Overview) -> tuple[str, str]:
    """Say in the line of `insights status` how the service is, and in which colour."""
    state = overview.state
    if state.stands_still:
        return "bad", state.verdict
    return "warn" if state.dead_letters or overview.pending else "good", state.verdict
