"""The first page: is all well, what waits, and what happened in the last days.

It makes at most 20 calls, whatever the size of the table. What that leaves out, the page says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from botocore.exceptions import BotoCoreError, ClientError

from ses_insights.adapters.items import from_item, to_item
from ses_insights.cli.commands.alerts import TYPES, with_reason
from ses_insights.cli.state import State, read
from ses_insights.cli.web.charts import Chart, Series, by_day, largest, last_days, ranking
from ses_insights.cli.web.reading import SharedDeployment, together
from ses_insights.cli.web.words import phrase
from ses_insights.contracts.names import (
    METRIC_NAMESPACE,
    Index,
    Metric,
    Partition,
    Service,
)
from ses_insights.contracts.rows import DESTINATION, Row
from ses_insights.contracts.summary_message import SUMMARY
from ses_insights.contracts.surge_rows import GROUP, read_surge
from ses_insights.domain.alert import AlertType
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.status import Status
from ses_insights.domain.surge import Surge

MOST_DUE: Final = 1_000
"""Due rows of a lane are counted up to here: one call."""

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
    source: str
    """metrics, table or sample."""
    rows: int = 0
    """How many recipients were counted, of the table or the sample."""


@dataclass(frozen=True, slots=True)
class Told:
    """Alerts and summaries of the last days, newest first."""

    rows: Sequence[Row]
    cut: dict[str, str]
    """For a type of which not all were read, the time down to which they were."""


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything the page shows."""

    state: State
    mails: Chart
    source: str
    counted: int
    alerts: Chart
    cut: dict[str, str]
    newest: Sequence[Row]
    isps: Sequence[Any]
    senders: Sequence[Any]
    surges: Sequence[Surge]
    feedback: Row | None

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
        state=partial(read, deployment, most=MOST_DUE),
        mails=partial(_mails, deployment, days),
        surges=partial(_surges, deployment),
        feedback=partial(_feedback, deployment),
        **{each: partial(_alerts, deployment, each, days[0]) for each in TYPES},
    )
    told = [found[each] for each in TYPES]
    rows = sorted((row for each in told for row in each.rows), key=_detected, reverse=True)
    single = [row for row in rows if row["AlertType"] != SUMMARY]
    mails: Counted = found["mails"]
    return Overview(
        state=found["state"],
        mails=Chart(days, _status_series(mails.counts)),
        source=mails.source,
        counted=mails.rows,
        alerts=Chart(days, _reason_series(single, days)),
        cut={name: moment for each in told for name, moment in each.cut.items()},
        newest=rows[:NEWEST],
        isps=ranking((row["Isp"] for row in single if "Isp" in row), _RANKED),
        senders=ranking((row["FromDomain"] for row in single if "FromDomain" in row), _RANKED),
        surges=found["surges"],
        feedback=found["feedback"],
    )


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
    """Count by the service's metrics; where there are none, the table or a part of it."""
    try:
        counts = _by_metrics(deployment, days)
    except (BotoCoreError, ClientError):  # the permission is one that a reader need not have
        counts = {}
    if counts:
        return Counted(counts, "metrics")
    page = deployment.dynamodb.scan(
        TableName=deployment.table_name,
        FilterExpression="begins_with(#record, :destination)",
        ProjectionExpression="#status, LastEventAt",
        ExpressionAttributeNames={"#record": "Record", "#status": "Status"},
        ExpressionAttributeValues=to_item({":destination": DESTINATION}),
    )
    rows = [row for row in map(from_item, page["Items"]) if "LastEventAt" in row]
    recent = [row for row in rows if row["LastEventAt"] >= days[0].isoformat()]
    return Counted(
        by_day(((row["LastEventAt"], row["Status"]) for row in recent), days),
        "sample" if "LastEvaluatedKey" in page else "table",
        len(recent),
    )


def _by_metrics(deployment: SharedDeployment, days: Sequence[date]) -> dict[str, list[int]]:
    names = {f"s{number}": status for number, status in enumerate(Status)}
    answer = deployment.client("cloudwatch").get_metric_data(
        StartTime=_begin(days[0]),
        EndTime=_begin(days[-1] + timedelta(days=1)),
        MetricDataQueries=[
            {
                "Id": key,
                "MetricStat": {
                    "Metric": {
                        "Namespace": METRIC_NAMESPACE,
                        "MetricName": str(Metric.STATUSES),
                        "Dimensions": [
                            {"Name": "service", "Value": str(Service.LOOKUP)},
                            {"Name": "status", "Value": str(status)},
                        ],
                    },
                    "Period": 86_400,
                    "Stat": "Sum",
                },
            }
            for key, status in names.items()
        ],
    )
    counts: dict[str, list[int]] = {}
    for result in answer["MetricDataResults"]:
        points = {
            moment.astimezone(UTC).date(): round(value)
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True)
        }
        if points:
            counts[str(names[result["Id"]])] = [points.get(day, 0) for day in days]
    return counts


def _begin(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _alerts(deployment: SharedDeployment, alert_type: str, first: date) -> Told:
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
            return Told(rows, {})
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
    return Told(rows, {alert_type: str(rows[-1]["DetectedAt"])} if rows else {})


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


def _feedback(deployment: SharedDeployment) -> Row | None:
    """Read how far the account's suppression list is read; None where it never was."""
    page = deployment.dynamodb.query(
        TableName=deployment.table_name,
        KeyConditionExpression="MessageId = :partition",
        ExpressionAttributeValues=to_item({":partition": "#feedback"}),
        Limit=1,
    )
    return from_item(page["Items"][0]) if page["Items"] else None


def verdict(overview: Overview) -> tuple[str, str]:
    """Say in one line how the service is, and in which colour."""
    state = overview.state
    if state.vdm == "off":
        return "bad", (
            "Virtual Deliverability Manager is off: SES refuses every look, and mail sent now is "
            "never tracked. Turn it on in the SES console."
        )
    if state.dead_letters:
        return "warn", "Messages are parked: look at why, then redrive or drop them."
    if overview.pending:
        return "warn", "Alerts are stored and not yet published; followups publishes them."
    return "good", "All is well: ids are looked up, and alerts are published."
