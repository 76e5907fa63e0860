"""Surges in memory, and a service around them in virtual time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ses_insights.contracts.names import Partition
from ses_insights.contracts.surge_rows import group_key
from ses_insights.contracts.text import domain_of
from ses_insights.domain.alert import Alert
from ses_insights.domain.due import Waiting
from ses_insights.domain.lanes import Lane
from ses_insights.domain.surge import Example, Finding, Group, Summary, Surge
from ses_insights.service.ports import RecordChangedError


@dataclass(slots=True)
class FakeSurges:
    """The port `Surges` in memory; `tests/unit/adapters/test_surges.py` holds it to the table."""

    groups: dict[str, Surge] = field(default_factory=dict)
    alerts: list[tuple[Alert, Finding, Group]] = field(default_factory=list)
    summaries: dict[str, Summary] = field(default_factory=dict)
    erased: set[str] = field(default_factory=set)
    """Ids of alerts whose rows are gone."""

    def load(self, group: Group) -> Surge | None:
        """Read a group."""
        return self.load_key(group_key(group))

    def load_key(self, key: str) -> Surge | None:
        """Read the group of a row of the index."""
        return self.groups.get(key)

    def store(self, surge: Surge) -> None:
        """Store a group over the version that was read."""
        key = group_key(surge.group)
        stored = self.groups.get(key)
        if (stored.version if stored else 0) != surge.version:
            raise RecordChangedError
        self.groups[key] = replace(surge, version=surge.version + 1)

    def store_alert(self, alert: Alert, group: Group, finding: Finding) -> None:
        """Store an alert, as a look does with its group."""
        self.alerts.append((alert, finding, group))

    def findings(self, group: Group, *, since: str, until: str) -> Iterator[Finding]:
        """Read the alerts of a group."""
        return (
            finding
            for alert, finding, of in self.alerts
            if of == group
            and since <= alert.detected_at < until
            and alert.alert_id not in self.erased
        )

    def save_summary(self, summary: Summary, surge: Surge) -> None:
        """Store a pending summary and its group, together."""
        self.store(surge)
        self.summaries[f"ALERT#{summary.alert_id}"] = summary

    def load_summary(self, key: str) -> Summary | None:
        """Read a stored summary."""
        return self.summaries.get(key)

    def destinations(self, examples: Sequence[Example]) -> list[tuple[str, str]]:
        """Look up to whom examples went."""
        kept = {alert.alert_id: alert for alert, _, _ in self.alerts}
        return [
            (example.message_id, kept[example.alert_id].destination)
            for example in examples
            if example.alert_id in kept and example.alert_id not in self.erased
        ]

    def mark_published(self, summary: Summary) -> None:
        """Note that a summary was published."""
        self.summaries[f"ALERT#{summary.alert_id}"] = summary

    def due(self, lane: Lane, *, until: str) -> Iterator[Sequence[Waiting]]:
        """List the groups whose summary is due, as the index does."""
        assert lane is Lane.SUMMARY
        yield [
            Waiting(Partition.SURGES, key, surge.next_summary_at)
            for key, surge in self.groups.items()
            if surge.next_summary_at is not None and surge.next_summary_at <= until
        ]


def finding_of(alert: Alert, message_id: str, tags: dict[str, tuple[str, ...]]) -> Finding:
    """Return what the row of an alert says of it."""
    return Finding(message_id, alert.alert_id, alert.isp, domain_of(alert.destination), tags)


def every(seconds: float, *, start: datetime, number: int) -> Iterable[datetime]:
    """List so many moments, evenly apart."""
    return (start + timedelta(seconds=seconds * each) for each in range(number))
