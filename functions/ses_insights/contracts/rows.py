"""A record as the rows of the table, and back. The attribute names are a contract.

Rows are plain dictionaries; `adapters.items` turns them into DynamoDB's items.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from ses_insights.contracts.alert_message import shareable
from ses_insights.contracts.text import domain_of
from ses_insights.domain.alert import Alert, AlertType, Grouping, Source
from ses_insights.domain.insight import Bounce, Complaint, Destination, Event, Insights
from ses_insights.domain.lanes import Lane
from ses_insights.domain.listing import Feedback, Listing
from ses_insights.domain.record import Record
from ses_insights.domain.status import Status, status_of, status_of_event
from ses_insights.domain.summary import (
    summary_of_destination,
    summary_of_listing,
    summary_of_message,
)
from ses_insights.domain.times import instant

Row = dict[str, Any]

MESSAGE: Final = "MESSAGE"
DESTINATION: Final = "DESTINATION#"
ALERT: Final = "ALERT#"
LISTED: Final = "LISTED#"
"""Where the account's suppression list names the message."""
MORE_EVENTS: Final = "EVENTS#"
"""Rows with the events of a destination that do not fit into its own row."""

_SORT_KEY_BYTES: Final = 900  # DynamoDB takes 1,024; the prefixes and a number need some
_EVENTS_BYTES: Final = 250_000  # as JSON; an item may have 400 KB and carries other attributes

# DynamoDB's protocol keeps the name "__type" for itself and refuses an item whose map has it, so a
# tag of that name gets one underscore more: https://github.com/aws/aws-sdk-js/issues/1547
_RESERVED: Final = re.compile(r"^_{2,}type\Z")
_ESCAPED: Final = re.compile(r"^_(_{2,}type)\Z")


def alert_key(alert_id: str) -> str:
    """Return the sort key of an alert's row."""
    return f"{ALERT}{alert_id}"


def message_row(record: Record) -> Row:
    """Return the row of the message as a whole."""
    insights = record.insights
    row: Row = {
        "MessageId": insights.message_id,
        "Record": MESSAGE,
        "FromEmailAddress": insights.from_email_address,
        "Subject": insights.subject,
        "EmailTags": _tags(insights.email_tags),
        "Status": str(record.status),
        "Summary": summary_of_message(record.status, record.insights.destinations, record.listings),
        "SentAt": record.sent_at,
        "Looks": record.looks,
        "FirstLookAt": record.first_look_at,
        "LastLookAt": record.last_look_at,
        "NextLookAt": record.next_look_at,
        "DueLane": str(record.lane) if record.next_look_at else None,
        "Final": record.final,
        "Note": record.note,
        "Shed": record.shed or None,
        "ErasedAt": record.erased_at,
        "FailingSince": record.failing_since,
        "AlertIds": sorted(record.alert_ids) or None,
        "ExpiresAt": record.expires_at,
    }
    return _without_none(row)


def destination_rows(record: Record) -> Iterator[Row]:
    """Return the rows of every destination, each with as many of its events as fit."""
    for destination in record.insights.destinations:
        key = _address_key(destination.address)
        common = {
            "MessageId": record.insights.message_id,
            "Look": record.looks,
            "ExpiresAt": record.expires_at,
        }
        first, *rest = _fitting(destination.events)
        yield _without_none(
            {
                **common,
                "Record": f"{DESTINATION}{key}",
                "Destination": destination.address or None,
                "Isp": destination.isp,
                "Status": str(status_of(destination)),
                "Summary": summary_of_destination(destination),
                # The indexes list only rows that have it; without a time the look's own stands in.
                "LastEventAt": destination.last_event_at or record.last_look_at,
                "OpenCount": destination.open_count,
                "ClickCount": destination.click_count,
                "Events": [_event_map(event) for event in first],
            }
        )
        for number, events in enumerate(rest, start=2):
            yield {
                **common,
                "Record": f"{MORE_EVENTS}{key}#{number:04}",
                "Of": destination.address,
                "Events": [_event_map(event) for event in events],
            }


def listed_key(address: str) -> str:
    """Return the sort key of the row that says that an address is listed."""
    return f"{LISTED}{_address_key(address)}"


def listed_row(listing: Listing, message_id: str, expires_at: int) -> Row:
    """Return the row that says that an address is listed because of a message.

    Where that is all that SES shows it has a ``Status``, and stands among the destinations.
    """
    row: Row = {
        "MessageId": message_id,
        "Record": listed_key(listing.address),
        "Destination": listing.address,
        "Reason": str(listing.reason),
        "ListedAt": listing.listed_at,
        "LastEventAt": listing.listed_at,
        "ExpiresAt": expires_at,
    }
    if listing.is_finding:
        row["Status"] = str(status_of_event(listing.event))
        row["Summary"] = summary_of_listing(listing)
    return row


def read_listings(rows: Iterable[Row]) -> tuple[Listing, ...]:
    """Read the rows of a message that say that an address is listed."""
    listed = [row for row in rows if str(row["Record"]).startswith(LISTED)]
    return tuple(
        Listing(row["Destination"], Feedback(row["Reason"]), row["ListedAt"], "Status" in row)
        for row in sorted(listed, key=lambda row: str(row["Record"]))
    )


def alert_row(alert: Alert, record: Record) -> Row:
    """Return an alert's row; it is pending until it gets ``PublishedAt``."""
    explanation = alert.explanation  # read out of the diagnostic code, which takes time
    return _without_none(
        {
            "MessageId": record.insights.message_id,
            "Record": alert_key(alert.alert_id),
            "AlertType": str(alert.alert_type),
            "Severity": str(explanation.severity),
            "Reason": str(explanation.reason),
            "Action": str(explanation.action),
            "Confidence": str(explanation.confidence),
            "Cause": explanation.cause,
            "NextStep": explanation.next_step,
            "Destination": alert.destination or None,
            "Isp": alert.isp,
            # By these an alert is found together with others of its kind.
            "FromDomain": domain_of(record.insights.from_email_address),
            "EmailTags": _tags(shareable(record.insights.email_tags)),
            "Grouping": str(alert.grouping),
            # Where it is missing the event was found by a look.
            "Source": None if alert.source is Source.INSIGHTS else str(alert.source),
            "Event": _event_map(alert.event),
            "DetectedAt": alert.detected_at,
            # While it is pending it waits in a lane, where `followups` finds it.
            "DueLane": None if alert.published_at else str(Lane.ALERT),
            "NextLookAt": None if alert.published_at else alert.claimed_at or alert.detected_at,
            "PublishedAt": alert.published_at,
            "SnsMessageId": alert.sns_message_id,
            "Look": record.looks,
            "ExpiresAt": record.expires_at,
        }
    )


def read_record(rows: Iterable[Row]) -> Record | None:
    """Return the record that a message's rows hold; None where the message's own row is missing."""
    by_key = {str(row["Record"]): row for row in rows}
    message = by_key.get(MESSAGE)
    if message is None:
        return None
    # Rows expire in any order. Those that had expired when this record began, of an id that was
    # enqueued again, belong to the record before it. Of a mail that SES dates long ago the record
    # itself has expired by then.
    began = instant(message.get("FirstLookAt") or message["SentAt"]).timestamp()
    oldest = min(began, message["ExpiresAt"])
    by_key = {key: row for key, row in by_key.items() if row.get("ExpiresAt", oldest) >= oldest}
    alerts = tuple(read_alert(row) for key, row in sorted(by_key.items()) if key.startswith(ALERT))
    looks, status = int(message["Looks"]), Status(message["Status"])
    return Record(
        insights=Insights(
            message_id=message["MessageId"],
            from_email_address=message.get("FromEmailAddress"),
            subject=message.get("Subject"),
            email_tags=read_tags(message),
            destinations=tuple(_destinations(by_key)),
        ),
        status=status,
        sent_at=message["SentAt"],
        looks=looks,
        first_look_at=message.get("FirstLookAt"),
        last_look_at=message.get("LastLookAt"),
        next_look_at=message.get("NextLookAt"),
        final=message.get("Final"),
        note=message.get("Note"),
        expires_at=int(message["ExpiresAt"]),
        alerts=alerts,
        alert_ids=frozenset((*message.get("AlertIds", ()), *(each.alert_id for each in alerts))),
        lane=Lane(message.get("DueLane", Lane.FOLLOW_UP)),
        shed=int(message.get("Shed", 0)),
        erased_at=message.get("ErasedAt"),
        failing_since=message.get("FailingSince"),
        # A look was stopped before it wrote the message's own row. A first one may have stored no
        # more than that it began: what SES answered, and no look.
        is_half_stored=(not looks and status is not Status.NOT_FOUND)
        or any(int(row.get("Look", 0)) > looks for row in by_key.values()),
        listings=read_listings(by_key.values()),
    )


def _destinations(by_key: Mapping[str, Row]) -> Iterator[Destination]:
    more: dict[str, list[Event]] = {}
    for key, row in sorted(by_key.items()):
        if key.startswith(MORE_EVENTS):
            more.setdefault(str(row["Of"]), []).extend(map(_event, row["Events"]))
    destinations = [row for key, row in by_key.items() if key.startswith(DESTINATION)]
    for row in sorted(destinations, key=lambda row: str(row.get("Destination", ""))):
        address = str(row.get("Destination", ""))
        yield Destination(
            address=address,
            isp=row.get("Isp"),
            events=(*map(_event, row["Events"]), *more.get(address, ())),
            open_count=int(row["OpenCount"]),
            click_count=int(row["ClickCount"]),
        )


def read_alert(row: Row) -> Alert:
    """Read an alert's row."""
    return Alert(
        alert_id=str(row["Record"]).removeprefix(ALERT),
        alert_type=AlertType(row["AlertType"]),
        destination=str(row.get("Destination", "")),
        isp=row.get("Isp"),
        event=_event(row["Event"]),
        detected_at=row["DetectedAt"],
        published_at=row.get("PublishedAt"),
        sns_message_id=row.get("SnsMessageId"),
        claimed_at=row.get("NextLookAt"),
        grouping=Grouping(row.get("Grouping", Grouping.SINGLE)),
        source=Source(row.get("Source", Source.INSIGHTS)),
    )


def _tags(email_tags: Mapping[str, tuple[str, ...]]) -> Row:
    return {_RESERVED.sub(r"_\g<0>", name): list(values) for name, values in email_tags.items()}


def read_tags(row: Row) -> dict[str, tuple[str, ...]]:
    """Read the tags of a message's or an alert's row; none where it has none."""
    tags = row.get("EmailTags", {})
    return {_ESCAPED.sub(r"\1", name): tuple(values) for name, values in tags.items()}


def _event_map(event: Event) -> Row:
    """Return an event under the API's names, its Details nested as the API nests them."""
    details: Row = {}
    if event.bounce:
        details["Bounce"] = _without_none(
            {
                "BounceType": event.bounce.bounce_type,
                "BounceSubType": event.bounce.bounce_sub_type,
                "DiagnosticCode": event.bounce.diagnostic_code,
            }
        )
    if event.complaint:
        details["Complaint"] = _without_none(
            {
                "ComplaintSubType": event.complaint.complaint_sub_type,
                "ComplaintFeedbackType": event.complaint.complaint_feedback_type,
            }
        )
    return _without_none(
        {"Timestamp": event.timestamp, "Type": event.type, "Details": details or None}
    )


def _event(row: Row) -> Event:
    details = row.get("Details", {})
    bounce, complaint = details.get("Bounce"), details.get("Complaint")
    return Event(
        type=row["Type"],
        timestamp=row.get("Timestamp"),
        bounce=None
        if bounce is None
        else Bounce(
            bounce.get("BounceType"), bounce.get("BounceSubType"), bounce.get("DiagnosticCode")
        ),
        complaint=None
        if complaint is None
        else Complaint(complaint.get("ComplaintSubType"), complaint.get("ComplaintFeedbackType")),
    )


def _fitting(events: Sequence[Event]) -> list[list[Event]]:
    """Cut events into runs that fit into an item; at least one run, it may be empty."""
    runs: list[list[Event]] = [[]]
    size = 0
    for event in events:
        weight = len(json.dumps(_event_map(event), ensure_ascii=False).encode())
        if size + weight > _EVENTS_BYTES:
            runs.append([])
            size = 0
        runs[-1].append(event)
        size += weight
    return runs


def _address_key(address: str) -> str:
    """Shorten an address that is too long for a key, so that different ones stay different."""
    if len(address.encode()) <= _SORT_KEY_BYTES:
        return address
    return f"{address[:200]}~{hashlib.sha256(address.encode()).hexdigest()}"


def _without_none(row: Row) -> Row:
    return {name: value for name, value in row.items() if value is not None}
