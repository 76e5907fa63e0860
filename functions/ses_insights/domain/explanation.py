"""INTERIM: replaced by the real one."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ses_insights.domain.insight import Bounce, Complaint, Event
from ses_insights.domain.reasons import ACTIONS, Action, Confidence, Reason, Severity, read


@dataclass(frozen=True, slots=True)
class Explanation:
    reason: Reason
    action: Action
    severity: Severity
    confidence: Confidence
    cause: str
    next_step: str


def explain_reason(reason: Reason) -> Explanation:
    return Explanation(
        reason, ACTIONS[reason], Severity.MEDIUM, Confidence.HIGH, str(reason), "step"
    )


def explain(event: Event) -> Explanation:
    if event.is_complaint:
        c = event.complaint or Complaint()
        return explain_complaint(c.complaint_sub_type, c.complaint_feedback_type)
    if event.type == "REJECT":
        return explain_reason(Reason.REJECT)
    if event.type == "RENDERING_FAILURE":
        return explain_reason(Reason.RENDERING_FAILURE)
    b = event.bounce or Bounce()
    return explain_bounce(b.bounce_sub_type, b.diagnostic_code)


def explain_bounce(
    sub_type: str | None, diagnostic: str | None, bounce_type: str = "PERMANENT"
) -> Explanation:
    return explain_reason(read(diagnostic, plain(sub_type)).reason)


def explain_complaint(sub_type: str | None, feedback_type: str | None) -> Explanation:
    return explain_reason(Reason.SPAM_REPORT)


def is_complaint_of_a_person(complaint: Complaint) -> bool:
    return plain(complaint.complaint_feedback_type) not in {"authfailure", "notspam", "optout"}


def plain(word: str | None) -> str:
    return re.sub(r"[^0-9a-z]", "", (word or "").lower())
