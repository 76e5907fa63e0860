"""What `followups` writes: each line names what it is about, and the metrics have their units."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from ses_insights.contracts.names import Shed
from ses_insights.domain.alert import AlertType
from ses_insights.domain.explanation import explain_reason
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.listing import Feedback
from ses_insights.domain.reasons import Reason
from ses_insights.domain.surge import Group, Surge, summarized
from ses_insights.domain.times import iso
from ses_insights.service.telemetry import FollowUpTelemetry
from tests.support.fakes import START
from tests.support.harness import Output, new_follow_up_telemetry, new_telemetry
from tests.support.samples import MESSAGE_ID

pytestmark = pytest.mark.usefixtures("_as_followups")

Read = Callable[[], Output]
Said = tuple[str, str, dict[str, Any]]

GROUP = Group(AlertType.BOUNCE, Reason.ADDRESS_UNKNOWN, "zoo.example")
SUMMARY = summarized(
    Surge(GROUP, iso(START), 6, iso(START)),
    [],
    explain_reason(GROUP.reason),
    now=START,
    surge_after=5,
)[1]
LATER = "2026-11-24T10:00:00.000Z"
ID = {"message_id": MESSAGE_ID}


def line(output: Output) -> Said:
    """The only line: its level, its message and what else it holds."""
    (log,) = output.logs
    frame = {"level", "location", "message", "service", "timestamp"}
    return log["level"], log["message"], {k: v for k, v in log.items() if k not in frame}


@pytest.mark.parametrize(
    ("say", "said"),
    [
        (
            lambda it: it.shed(MESSAGE_ID, 2, Shed.RUNG, next_look_at=LATER),
            ("INFO", "shed", ID | {"looks_given_up": 2, "what": "rung", "next_look_at": LATER}),
        ),
        (
            lambda it: it.bad_row(MESSAGE_ID, lane="keep"),
            (
                "ERROR",
                "NextLookAt was no time of this service; the row is due now",
                ID | {"lane": "keep"},
            ),
        ),
        (
            lambda it: it.listed(MESSAGE_ID, Feedback.BOUNCE, lag=61.5),
            ("INFO", "listed", ID | {"reason": "BOUNCE", "lag": 61.5}),
        ),
        (
            lambda it: it.list_off({Feedback.COMPLAINT, Feedback.BOUNCE}),
            ("WARNING", "the suppression list is off", {"reasons": ["BOUNCE", "COMPLAINT"]}),
        ),
        (lambda it: it.throttled(), ("INFO", "throttled; the next run goes on", {})),
        (
            lambda it: it.summarized(SUMMARY),
            ("INFO", "summarized", {"alert_id": SUMMARY.alert_id, "alerts": 0, "ended": False}),
        ),
        (lambda it: it.out_of_time(), ("INFO", "out of time; the next run goes on", {})),
        (
            lambda it: it.refused(3),
            ("WARNING", "refused by the queue, due again", {"number": 3}),
        ),
        (lambda it: it.sent(3, lane="keep"), ("INFO", "sent", {"number": 3, "lane": "keep"})),
    ],
)
def test_a_line_names_what_it_is_about(
    say: Callable[[FollowUpTelemetry], None], said: Said, output: Read
) -> None:
    """An operator searches the logs by these words, and finds the message by its id."""
    say(new_follow_up_telemetry())
    assert line(output()) == said


def test_a_line_says_when_what_stepped_aside_is_tried_again(output: Read) -> None:
    """And one that a message of another group was put right."""
    new_telemetry().stepped_aside(LATER)
    assert line(output()) == ("WARNING", "stepped aside", {"next_look_at": LATER})
    new_telemetry().regrouped()
    said = "of another message group; enqueued again in the right one"
    assert line(output()) == ("WARNING", said, {})


def test_each_metric_has_its_unit(output: Read) -> None:
    """CloudWatch keeps two series where one metric comes in two units."""
    telemetry = new_follow_up_telemetry()
    telemetry.began(due={}, lag=1, free=0)
    telemetry.listed(MESSAGE_ID, Feedback.BOUNCE, lag=61.5)
    telemetry.list_off({Feedback.COMPLAINT, Feedback.BOUNCE})
    telemetry.flush()
    written = output()
    (metrics,) = (line for line in written.lines if "_aws" in line)
    (directive,) = metrics["_aws"]["CloudWatchMetrics"]
    assert {each["Name"]: each["Unit"] for each in directive["Metrics"]} == {
        "Lag": "Seconds",
        "FeedbackLag": "Seconds",
        "ListOff": "Count",
    }
    assert metrics["ListOff"] == [2]


def test_a_failure_is_counted_once_in_all_and_once_by_its_kind(output: Read) -> None:
    """Each in a namespace of its service."""
    telemetry = new_telemetry()
    telemetry.failed(SystemFailure(FailureKind.SNS, "Publish: Throttled"))
    telemetry.flush()
    directives = [
        directive
        for line in output().lines
        for directive in line.get("_aws", {}).get("CloudWatchMetrics", ())
    ]
    assert [
        (each["Namespace"], each["Dimensions"], each["Metrics"][0]["Unit"]) for each in directives
    ] == [
        ("SesInsights", [["kind", "service"]], "Count"),
        ("SesInsights", [["service"]], "Count"),
    ]
