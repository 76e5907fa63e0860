"""The schema of alerts: what it promises of every alert, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from ses_insights.contracts.alert_message import notification
from ses_insights.domain.alert import alerts_in
from ses_insights.domain.insight import Insights
from tests.support.alert_schema import SCHEMA, faults_of
from tests.support.samples import TABLE_ADDRESS
from tests.support.strategies import bounce, complaint, insights, read, response

DETECTED_AT = "2026-11-23T10:15:00.000Z"


def bodies(seen: Insights) -> list[Any]:
    """What programs get of every alert."""
    alerts = alerts_in(seen, detected_at=DETECTED_AT)
    written = [notification(each, seen, TABLE_ADDRESS, sent_at=DETECTED_AT) for each in alerts]
    return [json.loads(json.loads(each.message)["default"]) for each in written]


def test_the_schema_is_one() -> None:
    """Any tool that knows JSON Schema can read it."""
    Draft202012Validator.check_schema(SCHEMA)


@given(insights())
def test_every_alert_fits(seen: Insights) -> None:
    """Whatever SES says of whatever mail, the alert is what the schema promises."""
    for body in bodies(seen):
        assert faults_of(body) == []


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda alert: alert.pop("alertId"), "$: required"),
        (lambda alert: alert.update(alertId="4711"), "$.alertId: pattern"),
        (lambda alert: alert.update(severity="urgent"), "$.severity: enum"),
        (lambda alert: alert.update(schemaVersion="2.0"), "$.schemaVersion: const"),
        (lambda alert: alert.update(isp=None), "$.isp: type"),
        (lambda alert: alert.update(colour="red"), "$: additionalProperties"),
        (lambda alert: alert.update(detectedAt="yesterday"), "$.detectedAt: pattern"),
        (lambda alert: alert.update(emailTags={"team": "red"}), "$.emailTags.team: type"),
        (lambda alert: alert.update(alertType="COMPLAINT"), "$.event.type: const"),
        (lambda alert: alert["event"].pop("bounce"), "$.event: required"),
        (lambda alert: alert["event"].update(type="OPEN"), "$.event.type: enum"),
        (
            lambda alert: alert["event"]["bounce"].update(bounceType="TRANSIENT"),
            "$.event.bounce.bounceType: pattern",
        ),
    ],
)
def test_what_is_no_alert_does_not_fit(spoil: Callable[[Any], object], fault: str) -> None:
    """Each rule of the schema holds something off."""
    (alert,) = bodies(read(response(bounce())))
    assert faults_of(alert) == []
    spoil(alert)
    assert fault in faults_of(alert)


def test_a_complaint_is_no_bounce() -> None:
    """An alert's type is that of its event."""
    (alert,) = bodies(read(response(complaint())))
    alert["alertType"] = "BOUNCE"
    assert "$.event.type: const" in faults_of(alert)
