"""Surges and their summaries as rows of the table, and back.

They have a partition of their own. No row in it names a recipient: a summary's examples are named
by message and alert, and looked up when it is published.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from ses_insights.contracts.names import Partition
from ses_insights.contracts.rows import Row, alert_key, read_tags
from ses_insights.contracts.text import domain_of
from ses_insights.domain.alert import AlertType
from ses_insights.domain.explanation import Explanation
from ses_insights.domain.lanes import Lane
from ses_insights.domain.reasons import Action, Confidence, Reason, Severity
from ses_insights.domain.surge import Example, Finding, Group, Summary, Surge, Top
from ses_insights.domain.times import instant

GROUP: Final = "GROUP#"
_KEPT: Final = timedelta(days=3)
"""How long a group is remembered that brings no more alerts; a window is an hour."""

_KEPT_WHILE_DUE: Final = timedelta(days=31)
"""How long a summary that is to come can be late, while the service is paused or broken: as long as
the alerts that it counts are kept at least."""

_KEY_LENGTH: Final = 900  # of 1,024 bytes


def group_key(group: Group) -> str:
    """Name a group's row."""
    return f"{GROUP}{group.key}"[:_KEY_LENGTH]


def surge_row(surge: Surge) -> Row:
    """Write the row of a group; it waits in a lane while a summary is to come."""
    due = surge.next_summary_at
    gone = instant(due) + _KEPT_WHILE_DUE if due else instant(surge.last_at) + _KEPT
    row: Row = {
        "MessageId": str(Partition.SURGES),
        "Record": group_key(surge.group),
        "Of": str(surge.group.alert_type),
        "Reason": str(surge.group.reason),
        "FromDomain": surge.group.from_domain or None,
        "Since": surge.since,
        "Count": surge.count,
        "LastAt": surge.last_at,
        "Version": surge.version,
        "Told": surge.summarized,
        "SummarizedTo": surge.summarized_to,
        "DueLane": str(Lane.SUMMARY) if surge.next_summary_at else None,
        "NextLookAt": surge.next_summary_at,
        "ExpiresAt": int(gone.timestamp()),
    }
    return {name: value for name, value in row.items() if value is not None}


def read_surge(row: Mapping[str, Any]) -> Surge:
    """Read a group's row."""
    return Surge(
        group=_group(row),
        since=row["Since"],
        count=int(row["Count"]),
        last_at=row["LastAt"],
        version=int(row["Version"]),
        summarized=int(row["Told"]),
        summarized_to=row.get("SummarizedTo"),
        next_summary_at=row.get("NextLookAt"),
    )


def summary_row(summary: Summary, *, retention: timedelta) -> Row:
    """Write a summary's row; it is pending until it gets ``PublishedAt``."""
    row: Row = {
        "MessageId": str(Partition.SURGES),
        "Record": alert_key(summary.alert_id),
        "AlertType": "SUMMARY",
        "Of": str(summary.group.alert_type),
        "FromDomain": summary.group.from_domain or None,
        "Severity": str(summary.severity),
        "Reason": str(summary.group.reason),
        "Action": str(summary.explanation.action),
        "Cause": summary.explanation.cause,
        "NextStep": summary.explanation.next_step,
        "BeganAt": summary.began_at,
        "From": summary.since,
        "To": summary.until,
        "Count": summary.count,
        "Total": summary.total,
        "HasEnded": summary.has_ended,
        "TopTags": [
            {"Name": top.name, "Value": top.value, "Count": top.count} for top in summary.top_tags
        ],
        "TopIsps": _tops(summary.top_isps),
        "TopDestinationDomains": _tops(summary.top_domains),
        "Examples": [
            {"MessageId": example.message_id, "AlertId": example.alert_id}
            for example in summary.examples
        ],
        "DetectedAt": summary.detected_at,
        "DueLane": None if summary.published_at else str(Lane.ALERT),
        "NextLookAt": None if summary.published_at else summary.detected_at,
        "PublishedAt": summary.published_at,
        "SnsMessageId": summary.sns_message_id,
        "ExpiresAt": int((instant(summary.detected_at) + retention).timestamp()),
    }
    return {name: value for name, value in row.items() if value is not None}


def read_summary(row: Mapping[str, Any]) -> Summary:
    """Read a summary's row."""
    group = _group(row)
    severity = Severity(row["Severity"])
    return Summary(
        alert_id=str(row["Record"]).removeprefix(alert_key("")),
        group=group,
        severity=severity,
        explanation=Explanation(
            reason=group.reason,
            action=Action(row["Action"]),
            severity=severity,
            confidence=Confidence.HIGH,
            cause=row["Cause"],
            next_step=row["NextStep"],
            evidence="",
        ),
        began_at=row["BeganAt"],
        since=row["From"],
        until=row["To"],
        count=int(row["Count"]),
        total=int(row["Total"]),
        has_ended=bool(row["HasEnded"]),
        top_tags=tuple(Top(top["Value"], int(top["Count"]), top["Name"]) for top in row["TopTags"]),
        top_isps=_read_tops(row["TopIsps"]),
        top_domains=_read_tops(row["TopDestinationDomains"]),
        examples=tuple(
            Example(example["MessageId"], example["AlertId"]) for example in row["Examples"]
        ),
        detected_at=row["DetectedAt"],
        published_at=row.get("PublishedAt"),
        sns_message_id=row.get("SnsMessageId"),
    )


def read_finding(row: Mapping[str, Any]) -> Finding:
    """Read of an alert's row what a summary needs."""
    return Finding(
        message_id=row["MessageId"],
        alert_id=str(row["Record"]).removeprefix(alert_key("")),
        isp=row.get("Isp"),
        destination_domain=domain_of(row.get("Destination")),
        email_tags=read_tags(dict(row)),
    )


def _group(row: Mapping[str, Any]) -> Group:
    return Group(AlertType(row["Of"]), Reason(row["Reason"]), row.get("FromDomain", ""))


def _tops(tops: Sequence[Top]) -> list[Row]:
    return [{"Value": top.value, "Count": top.count} for top in tops]


def _read_tops(rows: Sequence[Mapping[str, Any]]) -> tuple[Top, ...]:
    return tuple(Top(row["Value"], int(row["Count"])) for row in rows)
