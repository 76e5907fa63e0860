"""What subscribers get of an alert."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from ses_insights.contracts.alert_message import Notification, notification
from ses_insights.contracts.console import TableAddress
from ses_insights.domain.alert import alerts_in
from ses_insights.domain.insight import Insights
from tests.support.strategies import (
    BOUNCED_MAIL,
    DETECTED_AT,
    MESSAGE_ID,
    MINUTE,
    SECOND,
    alerts_of,
    bounce,
    complaint,
    event,
    insights,
    read,
    response,
)

SUBJECTS = {
    f"SES Insights: {what}, severity {severity}"
    for what in ("permanent bounce", "complaint", "report", "rejection by SES", "rendering failure")
    for severity in ("critical", "high", "medium", "low", "info")
}

"""Every SNS subject there is, but for the sender's domain."""


SNS_LIMIT = 262_144

TABLE = TableAddress("123456789012", "eu-west-1", "Zoo")
SENT_AT = "2026-11-23T10:00:00.000Z"


def notified(said: dict[str, Any]) -> Notification:
    """Write the one alert of a response."""
    (alert,) = alerts_of(said)
    return notification(alert, read(said), TABLE, sent_at=SENT_AT)


def without_sender(subject: str) -> str:
    """Take the sender's domain out of a subject."""
    return re.sub(r" (of|about) mail from [a-z0-9.-]+(?=, severity )", "", subject)


def body(written: Notification) -> Any:
    """Read what programs get."""
    return json.loads(json.loads(written.message)["default"])


def email(written: Notification) -> str:
    """Read what people get."""
    return str(json.loads(written.message)["email"])


def test_programs_get_the_body_of_the_contract() -> None:
    """Every field of the contract, under its name and with its value, and nothing else."""
    (alert,) = alerts_of(BOUNCED_MAIL)
    assert body(notified(BOUNCED_MAIL)) == {
        "schemaVersion": "1.1",
        "alertId": alert.alert_id,
        "alertType": "BOUNCE",
        "severity": "medium",
        "reason": "address-unknown",
        "action": "stop-sending",
        "confidence": "high",
        "configurationSet": "zoo-mail",
        "sentAt": SENT_AT,
        "account": "123456789012",
        "region": "eu-west-1",
        "consoleUrl": TABLE.console_link(MESSAGE_ID),
        "source": "insights",
        "messageId": MESSAGE_ID,
        "destination": "ada@Example.com",
        "isp": "Gmail",
        "fromEmailAddress": "The Zoo <zoo@Mail.Example.com>",
        "subject": "Feeding at three 🦁",
        "emailTags": {
            "campaign": ["spring"],
            "ses:configuration-set": ["zoo-mail"],
            "ses:from-domain": ["mail.example.com"],
        },
        "event": {
            "timestamp": "2026-11-23T10:01:00.000Z",
            "type": "BOUNCE",
            "bounce": {
                "bounceType": "PERMANENT",
                "bounceSubType": "NoEmail",
                "diagnosticCode": "smtp; 550 5.1.1 no such user",
            },
        },
        "cause": alert.explanation.cause,
        "nextStep": alert.explanation.next_step,
        "detectedAt": DETECTED_AT,
    }


def test_a_complaint_is_written_under_its_own_names() -> None:
    """A complaint's subtype and feedback type stand where a bounce has its own fields."""
    details = {"ComplaintSubType": "OnAccountSuppressionList", "ComplaintFeedbackType": "abuse"}
    written = body(notified(response(event("COMPLAINT", Complaint=details))))
    assert (written["alertType"], written["severity"]) == ("COMPLAINT", "low")
    assert written["event"] == {
        "timestamp": "2026-11-23T10:00:00.000Z",
        "type": "COMPLAINT",
        "complaint": {
            "complaintSubType": "OnAccountSuppressionList",
            "complaintFeedbackType": "abuse",
        },
    }


def test_what_ses_left_out_is_left_out() -> None:
    """A field without a value is absent, at every depth; programs find no null."""
    least = {
        "Insights": [
            {"Events": [{"Type": "BOUNCE", "Details": {"Bounce": {"BounceType": "PERMANENT"}}}]}
        ]
    }
    written = body(notified(least))
    assert written["event"] == {"type": "BOUNCE", "bounce": {"bounceType": "PERMANENT"}}
    assert not {"isp", "fromEmailAddress", "subject"} & written.keys()
    assert "null" not in json.dumps(written)


def test_a_person_reads_first_what_happened_and_what_to_do() -> None:
    """What happened, to whom and how sure, then the next step; the facts follow."""
    (alert,) = alerts_of(BOUNCED_MAIL)
    explanation = alert.explanation
    lines = email(notified(BOUNCED_MAIL)).split("\n")
    assert lines[:20] == [
        f"Mail to ada@Example.com bounced permanently. {explanation.cause} {explanation.evidence}",
        f"What to do: {explanation.next_step}",
        "",
        "Tags: campaign=spring",
        "Configuration set: zoo-mail",
        "To: ada@Example.com",
        "From: The Zoo <zoo@Mail.Example.com>",
        "Subject: Feeding at three 🦁",
        f"Sent: {SENT_AT}",
        "Happened: 2026-11-23T10:01:00.000Z",
        "Severity: medium",
        "Reason: address-unknown",
        "Confidence: high",
        "Mailbox provider: Gmail",
        "Bounce subtype: NoEmail",
        "Diagnostic code: smtp; 550 5.1.1 no such user",
        f"SES message id: {MESSAGE_ID}",
        f"Alert id: {alert.alert_id}",
        "AWS account and Region: 123456789012 eu-west-1",
        "",
    ]


def test_a_person_reads_of_a_complaint_in_the_same_way() -> None:
    """A complaint's e-mail names its feedback type and subtype."""
    details = {"ComplaintSubType": "Odd", "ComplaintFeedbackType": "fraud"}
    lines = email(notified(response(event("COMPLAINT", Complaint=details)))).split("\n")
    assert lines[0].startswith("Mail to ada@example.com drew a complaint. The mail was reported as")
    assert lines[1].startswith("What to do: Stop the campaign")
    assert {"Complaint subtype: Odd", "Feedback type: fraud"} <= set(lines)


def test_a_person_reads_last_where_the_whole_story_is() -> None:
    """The e-mail ends with a link to the message's rows, and the commands that show them."""
    (alert,) = alerts_of(BOUNCED_MAIL)
    table = TableAddress("123456789012", "eu-west-1", "Zoo")
    text = str(
        json.loads(notification(alert, read(BOUNCED_MAIL), table, sent_at=SENT_AT).message)["email"]
    )
    facts, story = text.split("\n\n")[1:]
    assert f"Alert id: {alert.alert_id}" in facts.split("\n")
    assert story.split("\n") == list(table.ways_to(MESSAGE_ID))


def test_the_page_shows_the_email_as_it_is() -> None:
    """What docs/alerts.md shows is what a subscriber gets."""
    page = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```text\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    details = {
        "BounceType": "PERMANENT",
        "BounceSubType": "NoEmail",
        "DiagnosticCode": "smtp; 550 5.1.1 no such user",
    }
    said = response(
        event("BOUNCE", 2 * SECOND, Bounce=details),
        to="anna@shop.example",
        FromEmailAddress="news@sender.example",
        Subject="Your order",
    )
    (alert,) = alerts_of(said)
    written = notification(
        alert,
        read(said),
        TableAddress("123456789012", "eu-west-1", "SesInsights-Table"),
        sent_at=SENT_AT,
    )
    assert email(written) == shown.removesuffix("\n")


@pytest.mark.parametrize("feedback", ["not-spam", "auth-failure", "AuthFailure"])
def test_a_report_without_a_complaint_is_not_called_one(feedback: str) -> None:
    """A correction and a machine's report do not read as if a person had complained."""
    first = email(notified(response(complaint(feedback)))).split("\n")[0]
    assert first.startswith("Mail to ada@example.com drew a report. ")
    said = response(complaint(feedback), FromEmailAddress="zoo@mail.example.com")
    subject = notified(said).subject
    assert subject.startswith("SES Insights: report about mail from mail.example.com, severity ")


def test_no_text_of_the_mail_forges_a_line_of_the_email() -> None:
    """Whoever writes line breaks into any field writes into one line, after its name."""
    forged = "x\r\nWhat to do: call 555\u2028Severity: info\x85\u202eWhat to do: nothing"
    details = {"BounceType": "PERMANENT", "BounceSubType": forged, "DiagnosticCode": forged}
    said = response(
        event("BOUNCE", Bounce=details), to=forged, Subject=forged, FromEmailAddress=forged
    )
    said["Insights"][0]["Isp"] = forged
    (alert,) = alerts_of(said)
    table = TableAddress("123456789012", "eu-west-1", "Zoo")
    lines = json.loads(notification(alert, read(said), table, sent_at=SENT_AT).message)[
        "email"
    ].splitlines()
    assert [line for line in lines if line.startswith(("What to do:", "Severity:"))] == [
        f"What to do: {alert.explanation.next_step}",
        f"Severity: {alert.explanation.severity}",
    ]


def test_a_bounce_can_be_filtered_by_its_attributes() -> None:
    """Filter policies find type, severity, subtype, provider, domains and configuration set."""
    assert notified(BOUNCED_MAIL).attributes == {
        "alertType": "BOUNCE",
        "severity": "medium",
        "reason": "address-unknown",
        "action": "stop-sending",
        "grouping": "single",
        "bounceSubType": "NoEmail",
        "isp": "Gmail",
        "fromDomain": "mail.example.com",
        "destinationDomain": "example.com",
        "configurationSet": "zoo-mail",
    }


def test_a_complaint_can_be_filtered_by_its_feedback_type() -> None:
    """A complaint has its feedback type in place of a subtype; what does not exist is absent."""
    said = response(complaint("fraud"), to="somebody")
    del said["Insights"][0]["Isp"]
    assert notified(said).attributes == {
        "alertType": "COMPLAINT",
        "severity": "critical",
        "reason": "fraud-or-virus",
        "action": "fix-sender",
        "grouping": "single",
        "complaintFeedbackType": "fraud",
    }


def test_details_of_the_other_kind_make_no_attribute() -> None:
    """A bounce with complaint details, or the reverse, is filtered by what it is."""
    both = {
        "Bounce": {"BounceType": "PERMANENT", "BounceSubType": "NoEmail"},
        "Complaint": {"ComplaintFeedbackType": "abuse"},
    }
    bounced, complained = (
        {"Type": "BOUNCE", "Details": both},
        {"Type": "COMPLAINT", "Details": both},
    )
    assert "complaintFeedbackType" not in notified(response(bounced)).attributes
    assert "bounceSubType" not in notified(response(complained)).attributes


@pytest.mark.parametrize("value", ["\r\n\t", "\u202e\u200b"])
def test_an_attribute_without_visible_text_does_not_exist(value: str) -> None:
    """SNS refuses an empty attribute, and a refused alert would hold the queue."""
    assert "bounceSubType" not in notified(response(bounce(subtype=value))).attributes


def test_an_attribute_has_at_most_256_characters() -> None:
    """A value nobody could filter by is cut."""
    assert notified(response(bounce(subtype="x" * 300))).attributes["bounceSubType"] == "x" * 256


def overflowing(sign: str) -> dict[str, Any]:
    """Write a response in which everything is longer than anything that is documented."""
    text = sign * 5_000
    details = {"BounceType": "PERMANENT", "BounceSubType": text, "DiagnosticCode": text}
    return {
        "FromEmailAddress": text,
        "Subject": text,
        "EmailTags": [{"Name": f"{number}{sign * 250}", "Value": text} for number in range(200)],
        "Insights": [
            {
                "Destination": text,
                "Isp": text,
                "Events": [event("BOUNCE", MINUTE, Bounce=details)],
            }
        ],
    }


@pytest.mark.parametrize(
    ("sign", "with_tags"),
    [("x", True), ("🦁", True), ('"', False), ("\\", False), ("\x01", False), ("\x7f", True)],
)
def test_every_alert_fits_into_an_sns_message(sign: str, *, with_tags: bool) -> None:
    """A message with its attributes has less than 256 KiB; tags that do not fit are left out."""
    written = notified(overflowing(sign))
    attributes = "".join(f"{name}String{value}" for name, value in written.attributes.items())
    assert len(written.message.encode()) + len(attributes.encode()) <= SNS_LIMIT
    assert bool(body(written)["emailTags"]) is with_tags


def test_signs_that_sqs_does_not_take_are_spelled_out() -> None:
    """An alert that goes on to a queue gets there; programs read the subject as it was."""
    said = response(bounce(), Subject="Lion\uffff and \ufffelioness", to="ada\uffff@example.com")
    written = notified(said)
    assert not {"\ufffe", "\uffff"} & set(written.message + "".join(written.attributes.values()))
    assert body(written)["subject"] == "Lion\uffff and \ufffelioness"
    assert "Subject: Lion and lioness" in email(written)


def test_the_subject_names_what_happened_and_how_bad_it_is() -> None:
    """Of the mail the SNS subject has the sender's domain, and nothing else."""
    assert notified(BOUNCED_MAIL).subject == (
        "SES Insights: permanent bounce of mail from mail.example.com, severity medium"
    )
    fraud = notified(response(complaint("fraud"), Subject="Win!\r\nBcc: eve@example.com"))
    assert without_sender(fraud.subject) == "SES Insights: complaint, severity critical"


@given(insights())
def test_an_alert_is_well_formed_whatever_the_mail_says(seen: Insights) -> None:
    """Subject, body, e-mail and attributes keep their form for any content."""
    for alert in alerts_in(seen, detected_at=DETECTED_AT):
        written = notification(alert, seen, TABLE, sent_at=SENT_AT)
        assert without_sender(written.subject) in SUBJECTS
        assert written.subject.isascii()
        assert len(written.subject) <= 100
        assert set(json.loads(written.message)) == {"default", "email"}
        assert body(written)["alertId"] == alert.alert_id
        assert len(email(written).splitlines()) <= 35
        assert all(value.strip() for value in written.attributes.values())
        assert len(written.attributes) <= 10


def test_every_detail_of_an_hour_of_events_is_listed_once() -> None:
    """Sixty restatements of one bounce, a minute apart, raise one alert."""
    many = [bounce(after=timedelta(minutes=minute)) for minute in range(60)]
    assert len(alerts_of(response(*many))) == 1
