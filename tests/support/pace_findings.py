"""The row that a test of the pace hands in."""

from __future__ import annotations

from local.ses_stand_in.pace import Report
from tests.support.findings import Findings


def note(findings: Findings, change: str, report: Report) -> None:
    """Add what the stand-in says of the calls under a change."""
    findings.add(
        "Pace under change",
        {
            "Change": change,
            "Looks": report.accepted,
            "429s": report.throttled,
            "Closest two (s)": f"{report.closest or 0:.3f}",
            "Slots used": f"{report.used or 0:.1%}",
        },
    )
