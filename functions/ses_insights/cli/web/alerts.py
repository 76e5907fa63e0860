"""Alerts and summaries, by time, type, reason, severity, sender domain and tag."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from ses_insights.cli.commands.alerts import TYPES, Asked, period, tag_of, type_of, with_reason
from ses_insights.cli.errors import WrongUsageError
from ses_insights.cli.web.paging import Listing
from ses_insights.contracts.names import Index
from ses_insights.contracts.rows import Row, read_alert
from ses_insights.contracts.summary_message import SUMMARY
from ses_insights.domain.explanation import Explanation
from ses_insights.domain.reasons import Reason, Severity
from ses_insights.domain.times import instant, iso

FILTERS: Final = ("day", "since", "until", "type", "reason", "severity", "from_domain", "tag")
"""What the page can be asked by, as its address names it."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody asks for: as it was typed, and as it was read."""

    typed: Mapping[str, str]
    asked: Asked

    @property
    def listing(self) -> Listing:
        """Say where these alerts are."""
        last = iso(instant(self.asked.until) - timedelta(milliseconds=1))
        narrow = any(self.typed.get(name) for name in FILTERS[4:])
        return Listing(
            Index.BY_ALERT,
            self.asked.types,
            (self.asked.since, last),
            (lambda row: self.asked.holds(with_reason(row))) if narrow else None,
        )


def read(query: Mapping[str, str], now: datetime) -> Wanted:
    """Read what is asked for in a page's address. Raises `WrongUsageError`."""
    typed = {name: query.get(name, "").strip() for name in FILTERS}
    since, until = period(typed["day"] or None, typed["since"] or None, typed["until"] or None, now)
    return Wanted(
        typed,
        Asked(
            since=since,
            until=until,
            types=[type_of(typed["type"])] if typed["type"] else TYPES,
            reasons=_one(typed["reason"], Reason, "reason"),
            severities=_one(typed["severity"], Severity, "severity"),
            from_domain=typed["from_domain"].lower() or None,
            tag=tag_of(typed["tag"] or None),
        ),
    )


def _one(text: str, words: Any, what: str) -> Sequence[str]:
    if not text:
        return []
    if text not in set(words):
        raise WrongUsageError(f"{text} is no {what}: use {', '.join(words)}.")
    return [text]


def events_of(row: Row) -> str:
    """Write the address of the page with the alerts that a summary counts."""
    query = {
        "type": row["Of"],
        "reason": row["Reason"],
        "from_domain": row.get("FromDomain", ""),
        "since": row["BeganAt"] if row["HasEnded"] else row["From"],
        "until": row["To"],
    }
    return f"/alerts?{urlencode({name: value for name, value in query.items() if value})}"


def is_summary(row: Row) -> bool:
    """Whether a row tells of many alerts."""
    return bool(row["AlertType"] == SUMMARY)


def explanation_of(row: Row) -> Explanation:
    """Explain a single alert."""
    return read_alert(row).explanation


def diagnostic_of(row: Row) -> str:
    """Return what the recipient's server answered, as it came; empty where it is not known."""
    bounce = row.get("Event", {}).get("Details", {}).get("Bounce", {})
    return str(bounce.get("DiagnosticCode", ""))
