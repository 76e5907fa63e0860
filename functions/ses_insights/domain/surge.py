"""Many alerts of one kind: which are published one by one, and when people get a summary instead.

3,000 bounces of one bad list are 3,000 alerts for programs and one incident for people. Alerts of
one type, reason and sender domain are a group. Within an hour the first few of a group are single;
one more makes it a surge: its alerts are grouped from then on, and people get a summary minutes
later, then every hour, and a last one when it has ended (decision record 17). Pure.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from ses_insights.domain.alert import AlertType, Grouping
from ses_insights.domain.explanation import Explanation
from ses_insights.domain.reasons import Reason, Severity
from ses_insights.domain.times import instant, iso

SURGE_AFTER: Final = 5
"""Alerts of a group within an hour that are published one by one."""

WINDOW: Final = timedelta(hours=1)

FIRST_SUMMARY_AFTER: Final = timedelta(minutes=5)
"""Since the alert that made the surge."""

NEXT_SUMMARY_AFTER: Final = timedelta(hours=1)

SETTLED_AFTER: Final = timedelta(minutes=1)
"""An alert is found in the table's index so long after it was detected, at the latest.

A look stores what it found within its invocation, and the index follows within seconds.
"""

EXAMPLES: Final = 5
_TOP: Final = 3
_TOP_TAGS: Final = 5
_GRAVE_FROM: Final = 10
"""So many times `SURGE_AFTER` make a summary one step graver than its alerts."""


@dataclass(frozen=True, slots=True)
class Group:
    """What alerts have in common that are one incident for people."""

    alert_type: AlertType
    reason: Reason
    from_domain: str
    """The sender's; empty where SES did not say it."""

    @property
    def key(self) -> str:
        """Name it, for the key of its row."""
        return f"{self.alert_type}#{self.reason}#{self.from_domain}"


@dataclass(frozen=True, slots=True)
class Surge:
    """How many alerts of a group came lately, and whether that is a surge."""

    group: Group
    since: str
    """When the first alert came that is counted here."""
    count: int
    """How many came since then, this hour or this surge."""
    last_at: str
    """When the last one of them came."""
    version: int = 0
    """What a writer must have read; 0 where nothing is stored."""
    summarized: int = 0
    """How many of them summaries have counted."""
    summarized_to: str | None = None
    """Up to when they have."""
    next_summary_at: str | None = None
    """None where it is no surge."""


def counted(
    stored: Surge | None, group: Group, *, now: datetime, surge_after: int
) -> tuple[Surge, Grouping]:
    """Count one more alert, and decide whether it is single."""
    before = stored or Surge(group, iso(now), 0, iso(now))
    is_surge = before.next_summary_at is not None
    if not is_surge and now - instant(before.since) >= WINDOW:
        before = replace(before, since=iso(now), count=0, summarized=0, summarized_to=None)
    after = replace(before, count=before.count + 1, last_at=iso(now))
    if is_surge:
        return after, Grouping.GROUPED
    if after.count <= surge_after:
        return after, Grouping.SINGLE
    return replace(after, next_summary_at=iso(now + FIRST_SUMMARY_AFTER)), Grouping.GROUPED


@dataclass(frozen=True, slots=True)
class Finding:
    """What a summary needs to know of one alert."""

    message_id: str
    alert_id: str
    isp: str | None
    destination_domain: str | None
    email_tags: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Top:
    """How often one value came."""

    value: str
    count: int
    name: str = ""
    """Of a tag."""


@dataclass(frozen=True, slots=True)
class Example:
    """One of the alerts that a summary counts."""

    message_id: str
    alert_id: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What the alerts of a group in a time have in common. Names nobody."""

    alert_id: str
    group: Group
    severity: Severity
    """That of its alerts, or one step graver."""
    explanation: Explanation
    began_at: str
    """When the first alert of the surge came."""
    since: str
    until: str
    """Not included."""
    count: int
    """Alerts from ``since`` to ``until``."""
    total: int
    """Alerts since the surge began, up to ``until``."""
    has_ended: bool
    top_tags: tuple[Top, ...]
    top_isps: tuple[Top, ...]
    top_domains: tuple[Top, ...]
    """Of the recipients."""
    examples: tuple[Example, ...]
    detected_at: str
    published_at: str | None = None
    """None while it is pending."""
    sns_message_id: str | None = None


def period_to_summarize(surge: Surge, now: datetime) -> tuple[str, str]:
    """Return from when until when the summary counts that is written now.

    The first one begins with the first alert of the window, those after it where the one before
    ended. So all of them together count each alert once.
    """
    return surge.summarized_to or surge.since, iso(now - SETTLED_AFTER)


def summarized(
    surge: Surge,
    findings: Iterable[Finding],
    explanation: Explanation,
    *,
    now: datetime,
    surge_after: int,
) -> tuple[Surge, Summary]:
    """Write the summary that is due, from the alerts of its period; returns what is stored next.

    A surge has ended when an hour brought no more alerts of the group than are published one by
    one.
    """
    since, until = period_to_summarize(surge, now)
    found = sorted(findings, key=lambda finding: finding.alert_id)
    is_first = surge.summarized_to is None
    # What came since then is in no summary yet; it was not published one by one either.
    is_all_summarized = surge.last_at < until
    has_ended = not is_first and is_all_summarized and len(found) <= surge_after
    total = surge.summarized + len(found)
    grave = total >= _GRAVE_FROM * surge_after
    summary = Summary(
        alert_id=_summary_id(surge.group, since),
        group=surge.group,
        severity=_graver(explanation.severity) if grave else explanation.severity,
        explanation=explanation,
        began_at=surge.since,
        since=since,
        until=until,
        count=len(found),
        total=total,
        has_ended=has_ended,
        top_tags=_top_tags(found),
        top_isps=_top(finding.isp for finding in found),
        top_domains=_top(finding.destination_domain for finding in found),
        examples=tuple(
            Example(finding.message_id, finding.alert_id) for finding in found[:EXAMPLES]
        ),
        detected_at=iso(now),
    )
    following = replace(
        surge,
        summarized=total,
        summarized_to=until,
        next_summary_at=None if has_ended else iso(now + NEXT_SUMMARY_AFTER),
    )
    return following, summary


def _summary_id(group: Group, since: str) -> str:
    """Name a summary by its group and the beginning of its time, so a repeat has the same id."""
    what = json.dumps(["SUMMARY", group.key, since])
    return hashlib.sha256(what.encode()).hexdigest()[:32]


def _graver(severity: Severity) -> Severity:
    """Go one step up; critical stays."""
    severities = list(Severity)
    return severities[max(severities.index(severity) - 1, 0)]


def _top(values: Iterable[str | None]) -> tuple[Top, ...]:
    counts = Counter(value for value in values if value)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return tuple(Top(value, count) for value, count in ordered[:_TOP])


def _top_tags(findings: Iterable[Finding]) -> tuple[Top, ...]:
    """Pick the tags that several mails share: one that each mail has for itself says nothing."""
    counts = Counter(
        (name, value)
        for finding in findings
        for name, values in finding.email_tags.items()
        for value in values
    )
    shared = sorted(
        ((count, pair) for pair, count in counts.items() if count > 1),
        key=lambda item: (-item[0], item[1]),
    )
    return tuple(Top(value, count, name) for count, (name, value) in shared[:_TOP_TAGS])
