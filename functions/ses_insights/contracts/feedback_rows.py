"""How far the suppression list is read, as a row of the table, and back. It names no address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ses_insights.contracts.names import Partition
from ses_insights.contracts.rows import Row
from ses_insights.domain.suppression import Progress
from ses_insights.domain.times import instant, iso

PROGRESS: Final = "suppression-list"
"""The sort key of the row."""


def progress_row(progress: Progress) -> Row:
    """Write how far the list is read. The row never expires."""
    row: Row = {
        "MessageId": str(Partition.FEEDBACK),
        "Record": PROGRESS,
        "ReadTo": iso(progress.read_to),
        "Seen": sorted(progress.seen),
        "Version": progress.version,
        "HeldUntil": iso(progress.held_until) if progress.held_until else None,
        "ThrottledRuns": progress.throttled_runs,
        "ListedByHour": dict(progress.by_hour),
    }
    return {name: value for name, value in row.items() if value is not None}


def read_progress(row: Mapping[str, Any]) -> Progress:
    """Read how far the list is read."""
    held_until = row.get("HeldUntil")
    return Progress(
        read_to=instant(row["ReadTo"]),
        seen=frozenset(row.get("Seen", ())),
        version=int(row["Version"]),
        held_until=instant(held_until) if held_until else None,
        throttled_runs=int(row.get("ThrottledRuns", 0)),
        by_hour={hour: int(count) for hour, count in row.get("ListedByHour", {}).items()},
    )
