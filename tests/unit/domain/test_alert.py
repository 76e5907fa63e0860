"""Which events raise an alert, its identity, and what subscribers get."""

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ses_insights.contracts.alert_message import Notification, notification
from ses_insights.contracts.console import TableAddress
from ses_insights.contracts.text import domain_of, one_line
from ses_insights.domain.alert import Alert, alerts_in, pending
from ses_insights.domain.insight import Insights
from tests.support.strategies import (
    DAY,
    EVENT_TYPES,
    MESSAGE_ID,
    MINUTE,
    SECOND,
    bounce,
    complaint,
    event,
    insights,
    read,
    response,
)

DETECTED_AT = "2026-11-23T10:15:00.000Z"

SUBJECTS = {
    f"SES Insights: {what}, severity {severity}"
    for what in ("permanent bounce", "complaint")
    for severity in ("critical", "high", "medium", "low", "info")
}
"""Every SNS subject there is."""

SNS_LIMIT = 262_144

BOUNCED: dict[str, Any] = {
    "MessageId": MESSAGE_ID,
    "FromEmailAddress": "The Zoo <zoo@Mail.Example.com>",
    "Subject": "Feeding at three 🦁",
    "EmailTags": [
        {"Name": "campaign", "Value": "spring"},
        {"Name": "ses:configuration-set", "Value": "zoo-mail"},
        {"Name": "ses:source-ip", "Value": "192.0.2.7"},
        {"Name": "ses:caller-identity", "Value": "keeper"},
        {"Name": "ses:from-domain", "Value": "mail.example.com"},
    ],
    "Insights": [
        {
            "Destination": "ada@Example.com",
            "Isp": "Gmail",
            "Events": [
                event("SEND"),
                event(
                    "BOUNCE",
                    MINUTE,
                    Bounce={
                        "BounceType": "PERMANENT",
                        "BounceSubType": "NoEmail",
                        "DiagnosticCode": "smtp; 550 5.1.1 no such user",
                    },
                ),
            ],
        }
    ],
}


def alerts_of(said: dict[str, Any]) -> tuple[Alert, ...]:
    """Find the alerts of a response."""
    return alerts_in(read(said), detected_at=DETECTED_AT)


def notified(said: dict[str, Any]) -> Notification:
    """Write the one alert of a response."""
    (alert,) = alerts_of(said)
    return notification(alert, read(said))


def body(written: Notification) -> Any:
    """Read what programs get."""
    return json.loads(json.loads(written.message)["default"])


def email(written: Notification) -> str:
    """Read what people get."""
    return str(json.loads(written.message)["email"])


def test_a_permanent_bounce_and_a_complaint_raise_an_alert_each() -> None:
    """Both at one recipient are two things that happened."""
    found = alerts_of(response(event("SEND"), bounce(), complaint()))
    assert sorted(alert.alert_type.value for alert in found) == ["BOUNCE", "COMPLAINT"]


@pytest.mark.parametrize("kind", [kind for kind in EVENT_TYPES if kind != "COMPLAINT"])
def test_no_other_event_raises_an_alert(kind: str) -> None:
    """Neither any other type nor a bounce that does not say that it is permanent."""
    assert alerts_of(response(event(kind))) == ()


@pytest.mark.parametrize("kind", ["TRANSIENT", "UNDETERMINED", "PENDING"])
def test_a_soft_bounce_raises_no_alert(kind: str) -> None:
    """Only PERMANENT is for good."""
    assert alerts_of(response(bounce(kind))) == ()


def test_a_complaint_without_details_raises_an_alert() -> None:
    """SES may leave out every detail; the complaint still happened."""
    (alert,) = alerts_of(response(event("COMPLAINT")))
    assert alert.explanation.severity == "high"


def test_the_identity_of_an_alert_never_changes() -> None:
    """Subscribers know an alert by its id, and rows of older releases carry it: it is frozen."""
    found = alerts_of(response(bounce(), complaint("auth-failure"), complaint(None, DAY)))
    assert {alert.alert_id: alert.explanation.severity for alert in found} == {
        "d0db8e55fdba746b4f72e5c7dc4f1b09": "high",
        "a36834f2b1679a13678b477d69640a38": "medium",
        "f8a2d1130776d080ddac59e20a8a4f4e": "high",
    }


def test_a_restated_time_is_the_same_event() -> None:
    """SES may correct the time, the subtype and the diagnostic code; the alert is the same one."""
    (first,) = alerts_of(response(bounce()))
    (again,) = alerts_of(response(bounce(subtype="General", after=2 * MINUTE)))
    assert again.alert_id == first.alert_id


def test_there_is_one_bounce_alert_for_each_recipient() -> None:
    """Several permanent bounces of one recipient are one alert, told by the first of them."""
    (alert,) = alerts_of(response(bounce(after=2 * MINUTE), bounce(subtype="Late", after=DAY)))
    assert alert.event.timestamp == "2026-11-23T10:02:00.000Z"


def test_recipients_and_messages_have_alerts_of_their_own() -> None:
    """The same event of another recipient or of another message is another alert."""
    ada, bob = read(response(bounce())), read(response(bounce(), to="bob@example.org"))
    other_mail = replace(ada, message_id=MESSAGE_ID.replace("0106", "0107"))
    found = [alerts_in(seen, detected_at=DETECTED_AT)[0] for seen in (ada, bob, other_mail)]
    assert len({alert.alert_id for alert in found}) == 3


def test_each_feedback_type_is_an_alert_of_its_own() -> None:
    """Abuse, then not-spam, is two pieces of news; another spelling of abuse is none."""
    spellings = [complaint("abuse"), complaint("ABUSE", DAY), complaint("not-spam", 2 * DAY)]
    found = alerts_of(response(*spellings))
    assert sorted(alert.explanation.severity for alert in found) == ["high", "info"]


def test_an_alert_tells_what_was_seen_and_when() -> None:
    """A new alert is pending and carries its event, recipient, provider and time of detection."""
    (alert,) = alerts_of(BOUNCED)
    assert (alert.destination, alert.isp) == ("ada@Example.com", "Gmail")
    assert (alert.detected_at, alert.published_at, alert.sns_message_id) == (
        DETECTED_AT,
        None,
        None,
    )
    assert alert.event == read(BOUNCED).events[1]


def test_pending_are_those_not_published() -> None:
    """An alert with a time of publishing is done."""
    told, untold = alerts_of(response(bounce(), complaint()))
    assert pending([replace(told, published_at=DETECTED_AT), untold]) == (untold,)


def test_programs_get_the_body_of_the_contract() -> None:
    """Every field of the contract, under its name and with its value, and nothing else."""
    (alert,) = alerts_of(BOUNCED)
    assert body(notified(BOUNCED)) == {
        "schemaVersion": "1.0",
        "alertId": alert.alert_id,
        "alertType": "BOUNCE",
        "severity": "high",
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
    (alert,) = alerts_of(BOUNCED)
    first = "Mail to ada@Example.com bounced permanently."
    assert email(notified(BOUNCED)).split("\n") == [
        f"{first} {alert.explanation.cause} {alert.explanation.confidence}",
        "What to do: Stop sending to the address and mend the list it came from.",
        "",
        "Severity: high",
        "To: ada@Example.com",
        "From: The Zoo <zoo@Mail.Example.com>",
        "Subject: Feeding at three 🦁",
        "Mailbox provider: Gmail",
        "When: 2026-11-23T10:01:00.000Z",
        "Bounce subtype: NoEmail",
        "Diagnostic code: smtp; 550 5.1.1 no such user",
        f"SES message id: {MESSAGE_ID}",
        f"Alert id: {alert.alert_id}",
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
    (alert,) = alerts_of(BOUNCED)
    table = TableAddress("eu-west-1", "Zoo")
    text = str(json.loads(notification(alert, read(BOUNCED), table).message)["email"])
    facts, story = text.split("\n\n")[1:]
    assert facts.endswith(f"Alert id: {alert.alert_id}")
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
    written = notification(alert, read(said), TableAddress("eu-west-1", "SesInsights-Table"))
    assert email(written) == shown.removesuffix("\n")


@pytest.mark.parametrize("feedback", ["not-spam", "auth-failure", "AuthFailure"])
def test_a_report_without_a_complaint_is_not_called_one(feedback: str) -> None:
    """A correction and a machine's report do not read as if a person had complained."""
    first = email(notified(response(complaint(feedback)))).split("\n")[0]
    assert first.startswith("Mail to ada@example.com drew a report. ")


def test_no_text_of_the_mail_forges_a_line_of_the_email() -> None:
    """Whoever writes line breaks into any field writes into one line, after its name."""
    forged = "x\r\nWhat to do: call 555\u2028Severity: info\x85\u202eWhat to do: nothing"
    details = {"BounceType": "PERMANENT", "BounceSubType": forged, "DiagnosticCode": forged}
    said = response(
        event("BOUNCE", Bounce=details), to=forged, Subject=forged, FromEmailAddress=forged
    )
    said["Insights"][0]["Isp"] = forged
    (alert,) = alerts_of(said)
    table = TableAddress("eu-west-1", "Zoo")
    lines = json.loads(notification(alert, read(said), table).message)["email"].splitlines()
    assert [line for line in lines if line.startswith(("What to do:", "Severity:"))] == [
        "What to do: Stop sending to the address and read the diagnostic code.",
        "Severity: high",
    ]


def test_a_bounce_can_be_filtered_by_its_attributes() -> None:
    """Filter policies find type, severity, subtype, provider, domains and configuration set."""
    assert notified(BOUNCED).attributes == {
        "alertType": "BOUNCE",
        "severity": "high",
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
    """SNS refuses an empty attribute, and a refused alert would hold the line."""
    assert "bounceSubType" not in notified(response(bounce(subtype=value))).attributes


def test_an_attribute_has_at_most_256_characters() -> None:
    """A value nobody could filter by is cut."""
    assert notified(response(bounce(subtype="x" * 300))).attributes["bounceSubType"] == "x" * 256


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ada@example.com", "example.com"),
        ("Ada <ada@Example.COM>", "example.com"),
        ("Ada <ada@example.com> ", "example.com"),
        ('"a@b"@example.com', "example.com"),
        ("ada@bücher.example", "bücher.example"),
        ("ada", None),
        ("ada@", None),
        ("ada@example.com and more", None),
        ("", None),
        (None, None),
    ],
)
def test_the_domain_is_what_follows_the_last_at_sign(
    address: str | None, expected: str | None
) -> None:
    """Domains are compared in lower case; where there is none, none is made up."""
    assert domain_of(address) == expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\r\nBcc: eve@example.com", "one Bcc: eve@example.com"),
        ("a\u2028b\u2029c\x85d\x0be\x00f", "a b c d e f"),
        ("\u202egpj.exe\u202c and \u2066more\u2069", "gpj.exe and more"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("half \ud83e lion", "half lion"),
        ("no\ufffe character\uffff", "no character"),
        ("  much \t space  ", "much space"),
        ("Grüße 🦁", "Grüße 🦁"),
    ],
)
def test_a_line_of_text_stays_one_line(text: str, shown: str) -> None:
    """Breaks become spaces; characters that hide or turn text around are taken out."""
    assert one_line(text) == shown


@given(st.text(alphabet=st.characters(codec=None)))
def test_no_text_breaks_out_of_its_line(text: str) -> None:
    """Whatever the text, its line is one line of printable characters, and cleaning it is final."""
    line = one_line(text)
    assert len(line.splitlines()) <= 1
    assert all(sign.isprintable() or sign == " " or ord(sign) > 0x2FF for sign in line)
    assert not set(line) & set("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    assert one_line(line) == line


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
    """The SNS subject is one of a few fixed lines; nothing of the mail is in it."""
    assert notified(BOUNCED).subject == "SES Insights: permanent bounce, severity high"
    fraud = notified(response(complaint("fraud"), Subject="Win!\r\nBcc: eve@example.com"))
    assert fraud.subject == "SES Insights: complaint, severity critical"


@given(insights())
def test_an_alert_is_well_formed_whatever_the_mail_says(seen: Insights) -> None:
    """Subject, body, e-mail and attributes keep their form for any content."""
    for alert in alerts_in(seen, detected_at=DETECTED_AT):
        written = notification(alert, seen)
        assert written.subject in SUBJECTS
        assert written.subject.isascii()
        assert len(written.subject) <= 100
        assert set(json.loads(written.message)) == {"default", "email"}
        assert body(written)["alertId"] == alert.alert_id
        assert len(email(written).splitlines()) <= 15
        assert all(value.strip() for value in written.attributes.values())
        assert len(written.attributes) <= 7


@given(insights(), st.integers(0, 10**9))
def test_a_shift_of_all_times_changes_no_alert(seen: Insights, milliseconds: int) -> None:
    """Whatever SES makes of the times, the same events have the same ids."""
    moved = f"2027-01-01T00:00:00.{milliseconds % 1000:03}Z"
    shifted = replace(
        seen,
        destinations=tuple(
            replace(
                destination,
                events=tuple(replace(happened, timestamp=moved) for happened in destination.events),
            )
            for destination in seen.destinations
        ),
    )
    before = {alert.alert_id for alert in alerts_in(seen, detected_at=DETECTED_AT)}
    after = {alert.alert_id for alert in alerts_in(shifted, detected_at=DETECTED_AT)}
    assert before == after


@given(insights())
def test_alerts_are_one_for_each_thing_that_happened(seen: Insights) -> None:
    """There are as many alerts as recipients bounced for good, plus their kinds of complaint."""
    happened = set()
    for destination in seen.destinations:
        for each in destination.events:
            if each.type == "BOUNCE" and each.bounce:
                if (each.bounce.bounce_type or "").lower() == "permanent":
                    happened.add((destination.address, "BOUNCE", ""))
            elif each.type == "COMPLAINT":
                feedback = each.complaint.complaint_feedback_type if each.complaint else None
                kind = "".join(filter(str.isalnum, (feedback or "").lower()))
                happened.add((destination.address, "COMPLAINT", kind))
    ids = [alert.alert_id for alert in alerts_in(seen, detected_at=DETECTED_AT)]
    assert len(ids) == len(set(ids)) == len(happened)


def test_ids_are_short_and_plain() -> None:
    """An id is 32 hexadecimal digits: it stands in keys, subjects of tickets and file names."""
    ids = [alert.alert_id for alert in alerts_of(response(bounce(), complaint("abuse\n../")))]
    assert all(len(each) == 32 and int(each, 16) >= 0 for each in ids)


def test_the_time_of_detection_is_no_part_of_the_identity() -> None:
    """A later look at the same event finds the same alert."""
    seen = read(response(bounce()))
    (early,) = alerts_in(seen, detected_at=DETECTED_AT)
    (late,) = alerts_in(seen, detected_at="2026-12-23T10:15:00.000Z")
    assert early.alert_id == late.alert_id
    assert late.detected_at == "2026-12-23T10:15:00.000Z"


def test_every_detail_of_an_hour_of_events_is_told_once() -> None:
    """Sixty restatements of one bounce, a minute apart, raise one alert."""
    many = [bounce(after=timedelta(minutes=minute)) for minute in range(60)]
    assert len(alerts_of(response(*many))) == 1
