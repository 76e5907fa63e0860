"""What must hold for any response of SES, from its bytes to the rows and the alerts.

The code is the function's own: botocore's parser with its model of the API, `read_insights`,
`after_look`, the table's and the topic's adapters. In place of AWS stand `limits.Table` and
`limits.Topic`. What is expected is worked out here once more, from what the parser returned.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Final

from botocore.parsers import create_parser
from jsonschema import Draft202012Validator

from local.ses_stand_in.wire import model
from ses_insights.adapters.records import RecordTable
from ses_insights.adapters.ses_response import read_insights
from ses_insights.adapters.topic import AlertTopic
from ses_insights.contracts.alert_message import notification
from ses_insights.contracts.console import TableAddress
from ses_insights.contracts.rows import DESTINATION
from ses_insights.domain.alert import Alert, AlertType
from ses_insights.domain.explanation import Severity
from ses_insights.domain.insight import Destination, Event, Insights
from ses_insights.domain.record import Found, Record, Rules, after_look
from ses_insights.domain.schedule import Ladder
from tools.fuzz import PROJECT
from tools.fuzz.limits import Table, Topic
from tools.fuzz.promises import hold

MESSAGE_ID: Final = "0106019fa36a2608-6c9654bb-dc58-4957-8828-68360c1c2d10-000000"
ENQUEUED: Final = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
_RULES: Final = Rules(Ladder(), retention=timedelta(days=90))

SUBJECTS: Final = {
    f"SES Insights: {what}, severity {severity}"
    for what in ("permanent bounce", "complaint", "report", "rejection by SES", "rendering failure")
    for severity in Severity
}
"""Every subject of an alert, but for the sender's domain."""

_SENDER: Final = re.compile(r" (of|about) mail from [a-z0-9.-]+(?=, severity )")

EMAIL_LINES: Final = 35
"""Two sentences, an empty line, and one line for each fact: no content of a mail adds one."""

TABLE: Final = TableAddress("123456789012", "eu-west-1", "SesInsights")
_ALERT: Final = PROJECT / "docs" / "alert.schema.json"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_FIRST: Final = (datetime.min.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LAST: Final = (datetime.max.replace(tzinfo=UTC) - _EPOCH) // _MILLISECOND
_ENGAGEMENT: Final = ("OPEN", "CLICK")
_SENSITIVE: Final = {"ses:source-ip", "ses:caller-identity"}
_CAP: Final = 25
_RECIPIENTS: Final = 100
_TEXT: Final = 2048
_TAG_BYTES: Final = 60_000

Said = Mapping[str, Any]
Happened = tuple[str, int | None, object, object]
"""An event as a value: its type, its time in milliseconds since 1970, bounce and complaint."""


def parsed(body: bytes) -> Said | None:
    """Parse the body of a 200 as boto3 does.

    None where the parser fails, as it may in any way at what is not of the API's shape.
    """
    response = {"status_code": 200, "headers": {}, "body": body}
    try:
        said: Said = create_parser("rest-json").parse(response, _shape())
    except Exception:  # noqa: BLE001 - `ses_insights.adapters.ses` calls all of it an outage of SES
        return None
    return said


def check(body: bytes) -> str:
    """Hold the promises against a body of a 200; returns what it was, in a word.

    Raises `BrokenPromise`, or whatever got out.
    """
    said = parsed(body)
    if said is None:
        return "malformed"
    if said.keys() <= {"ResponseMetadata"}:
        return "silent"
    return check_said(said).status.lower()


def check_said(said: Said) -> Record:
    """Hold the promises against a response as the parser returned it; returns the record."""
    seen = read_insights(said, MESSAGE_ID)
    _nothing_is_lost(said, seen)
    now = ENQUEUED + timedelta(minutes=15)
    record, new = _look(None, seen, now)
    hold(record.insights == seen, "a first look stores what was read")
    hold((record.next_look_at is None) == bool(record.final), "a next look, or why there is none")
    again, news = _look(record, seen, now + timedelta(days=1))
    hold(again.insights == seen and not news, "the same answer again is no news")
    hold(again.alerts == record.alerts, "alerts stay as they were")
    _alerts_are_all(said, record.alerts)
    _can_be_stored(record, new)
    check_alerts(record)
    return record


def _look(stored: Record | None, seen: Insights, now: datetime) -> tuple[Record, tuple[Alert, ...]]:
    before = stored or Record.new(MESSAGE_ID, ENQUEUED, _RULES)
    return after_look(before, Found(seen), now=now, rules=_RULES)


# What was said, worked out once more


@dataclass(frozen=True, slots=True)
class _Said:
    """What the response says of one recipient."""

    happened: list[Happened]
    times_listed: int


def _nothing_is_lost(said: Said, seen: Insights) -> None:
    hold(seen.from_email_address == (_text(said, "FromEmailAddress") or None), "the sender is kept")
    hold(seen.subject == (_text(said, "Subject") or None), "the subject is kept")
    tags = {(_text(tag, "Name"), _text(tag, "Value")) for tag in _list(said, "EmailTags")}
    named = {(name, value) for name, value in tags if name}
    kept = {(name, value) for name, values in seen.email_tags.items() for value in values}
    hold(kept <= named, "no tag is made up")
    weight = sum(len("".join(tag).encode()) for tag in named)
    hold(weight > _TAG_BYTES or kept == named, "every tag is kept, with every value of its name")
    destinations = _by_address(said)
    addresses = [destination.address for destination in seen.destinations]
    few = [*destinations][:_RECIPIENTS]
    hold(addresses == sorted(few), "every recipient is there, up to a hundred")
    hold(seen.left_out == len(destinations) - len(few), "and those beyond are counted")
    for destination in seen.destinations:
        _events_are_kept(destinations[destination.address], destination)


def _events_are_kept(said: _Said, destination: Destination) -> None:
    kept = Counter(map(_as_happened, destination.events))
    once = set(said.happened)
    hold(max(kept.values(), default=1) == 1, "each event is there once")
    hold(kept.keys() <= once, "no event is made up")
    left_out = {each[0] for each in once - kept.keys()}
    hold(left_out <= {*_ENGAGEMENT}, "every event but engagement is kept")
    times = [event.timestamp or "" for event in destination.events]
    hold(times == sorted(times), "events stand in the order of time")
    for kind, count in zip(
        _ENGAGEMENT, (destination.open_count, destination.click_count), strict=True
    ):
        all_times = sorted(_sortable(each) for each in once if each[0] == kind)
        kept_times = sorted(_sortable(each) for each in kept if each[0] == kind)
        few = all_times if len(all_times) <= 2 * _CAP else all_times[:_CAP] + all_times[-_CAP:]
        hold(kept_times == few, "of engagement, the first ones and the last ones are kept")
        number = sum(each[0] == kind for each in said.happened)
        exact = said.times_listed == 1
        hold(count == number if exact else len(all_times) <= count <= number, "and all is counted")


def _by_address(said: Said) -> dict[str, _Said]:
    destinations: dict[str, _Said] = {}
    for insight in _list(said, "Insights"):
        destination = destinations.setdefault(_address(insight), _Said([], 0))
        happened = [*destination.happened, *map(_happened, _list(insight, "Events"))]
        destinations[_address(insight)] = _Said(happened, destination.times_listed + 1)
    return destinations


def _happened(event: Said) -> Happened:
    details = event.get("Details") or {}
    bounce, complaint = details.get("Bounce"), details.get("Complaint")
    return (
        _text(event, "Type") or "UNKNOWN",
        _milliseconds(event.get("Timestamp")),
        None
        if bounce is None
        else _fields(bounce, "BounceType", "BounceSubType", "DiagnosticCode"),
        None
        if complaint is None
        else _fields(complaint, "ComplaintSubType", "ComplaintFeedbackType"),
    )


def _as_happened(event: Event) -> Happened:
    moment = datetime.fromisoformat(event.timestamp) if event.timestamp else None
    bounce, complaint = event.bounce, event.complaint
    return (
        event.type,
        _milliseconds(moment),
        bounce and (bounce.bounce_type, bounce.bounce_sub_type, bounce.diagnostic_code),
        complaint and (complaint.complaint_sub_type, complaint.complaint_feedback_type),
    )


def _milliseconds(moment: object) -> int | None:
    """Count from 1970 in UTC; None where UTC's calendar has no such instant."""
    if not isinstance(moment, datetime):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        count = (aware - _EPOCH) // _MILLISECOND
    except ValueError:  # a zone of a day or more
        return None
    return count if _FIRST <= count <= _LAST else None


def _sortable(happened: Happened) -> float:
    return float("-inf") if happened[1] is None else happened[1]


def _fields(holder: Said, *names: str) -> tuple[str | None, ...]:
    return tuple(_text(holder, name) or None for name in names)


def _list(holder: Said, name: str) -> Iterator[Said]:
    return (each for each in holder.get(name) or () if each is not None)


def _text(holder: Said, name: str) -> str:
    text = _whole_pairs(holder.get(name))
    rest = len(text) - _TEXT
    return text if rest <= 0 else f"{text[:_TEXT]}… ({rest} more characters)"


def _whole_pairs(value: object) -> str:
    """Put the sign for a fault in place of each half of a surrogate pair."""
    joined = str(value or "").encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return re.sub("[\ud800-\udfff]", "\ufffd", joined)


def _address(insight: Said) -> str:
    """Take the address as it is stored; of one that no server takes, the reader's own form."""
    whole = _whole_pairs(insight.get("Destination"))
    documented = 320
    if len(whole) <= documented:
        return whole
    (destination,) = read_insights({"Insights": [{"Destination": whole}]}, MESSAGE_ID).destinations
    hold(destination.address[:documented] == whole[:documented], "a long address begins as it did")
    return destination.address


# What is published and stored


def _alerts_are_all(said: Said, alerts: Iterable[Alert]) -> None:
    expected = Counter(
        (address, kind)
        for address, kind, _ in {*_expected_alerts([*_by_address(said).items()][:_RECIPIENTS])}
    )
    raised = Counter((alert.destination, alert.alert_type) for alert in alerts)
    hold(raised == expected, "one alert for each permanent bounce and each kind of complaint")


def _expected_alerts(
    destinations: Iterable[tuple[str, _Said]],
) -> Iterator[tuple[str, AlertType, str]]:
    for address, destination in destinations:
        for kind, _, bounce, complaint in destination.happened:
            if kind == "BOUNCE" and isinstance(bounce, tuple):
                if (bounce[0] or "").upper() == "PERMANENT":
                    yield address, AlertType.BOUNCE, ""
            elif kind == "COMPLAINT":
                feedback = (complaint[1] or "") if isinstance(complaint, tuple) else ""
                plain = re.sub("[^0-9a-z]", "", feedback.lower())
                yield address, AlertType.COMPLAINT, plain
            elif kind in {"REJECT", "RENDERING_FAILURE"}:
                yield address, AlertType(kind), ""


def _can_be_stored(record: Record, new: tuple[Alert, ...]) -> None:
    table = Table()
    records = RecordTable(table.client, "Insights")
    records.save(record, new, read=None)
    stored = replace(record, insights=replace(record.insights, left_out=0))
    hold(records.load(MESSAGE_ID) == stored, "rows are read back to the same record")
    sentence = f"SES shows {record.insights.left_out:,} more recipients; they are not stored."
    hold(
        (sentence in (record.note or "")) == bool(record.insights.left_out),
        "a person reads of recipients that are left out",
    )
    rows = sum(key.startswith(DESTINATION) for key in table.items)
    hold(rows == len(record.insights.destinations), "every recipient has a row of its own")


def check_alerts(record: Record) -> None:
    """Hold the promises against every alert of a record, as it is published."""
    topic = Topic()
    ours = AlertTopic(topic.client, "arn:aws:sns:eu-west-1:123456789012:Alerts", None)
    for alert in record.alerts:
        ours.publish(notification(alert, record.insights, TABLE, sent_at=record.sent_at))
        _check_alert(topic.published.pop(), alert, record.insights)


def _check_alert(published: Mapping[str, Any], alert: Alert, seen: Insights) -> None:
    subject = _SENDER.sub("", published["Subject"])
    hold(subject in SUBJECTS, "of the mail a subject has the sender's domain alone")
    hold(published["MessageStructure"] == "json", "the message has a form for each protocol")
    message = json.loads(published["Message"])
    hold(message.keys() == {"default", "email"}, "one form for programs and one for people")
    body = json.loads(message["default"])
    faults = _alert_schema().iter_errors(body)
    found = [f"{fault.json_path}: {fault.validator}" for fault in faults]
    hold(not found, f"an alert fits its schema: {found}")
    hold(
        (body["alertId"], body["messageId"], body["destination"], body.get("subject"))
        == (alert.alert_id, MESSAGE_ID, alert.destination, seen.subject),
        "an alert says what was stored",
    )
    tags = {
        name: list(values) for name, values in seen.email_tags.items() if name not in _SENSITIVE
    }
    hold(
        body["emailTags"] in (tags, {}),
        "an alert has all tags or, where there are too many, none",
    )
    hold(len(message["email"].splitlines()) <= EMAIL_LINES, "no content adds a line to an e-mail")


@cache
def _alert_schema() -> Draft202012Validator:
    return Draft202012Validator(json.loads(_ALERT.read_text(encoding="utf-8")))


@cache
def _shape() -> Any:
    return model().operation_model("GetMessageInsights").output_shape
