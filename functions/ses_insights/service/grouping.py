"""Which alerts people get one by one, decided when they are stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ses_insights.contracts.text import domain_of
from ses_insights.domain.alert import Alert
from ses_insights.domain.insight import Insights
from ses_insights.domain.surge import Group, Surge, counted
from ses_insights.service.ports import Groups


@dataclass(frozen=True, slots=True)
class Grouping:
    """Counts new alerts by group."""

    groups: Groups
    surge_after: int

    def of(
        self, alerts: Sequence[Alert], insights: Insights, now: datetime
    ) -> tuple[tuple[Alert, ...], tuple[Surge, ...]]:
        """Decide for each new alert of a message whom it is for; raises `SystemFailure`.

        Returns the alerts and the groups to store with them, over the versions read here.
        """
        sender = domain_of(insights.from_email_address) or ""
        surges: dict[Group, Surge | None] = {}
        decided = []
        for alert in alerts:
            group = Group(alert.alert_type, alert.explanation.reason, sender)
            if group not in surges:
                surges[group] = self.groups.load(group)
            surge, grouping = counted(surges[group], group, now=now, surge_after=self.surge_after)
            surges[group] = surge
            decided.append(replace(alert, grouping=grouping))
        return tuple(decided), tuple(surge for surge in surges.values() if surge)
