"""`insights show`: the timeline of one message."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Annotated, Final

import typer
from rich.text import Text

from ses_insights.cli.deployment import Deployment
from ses_insights.cli.errors import NothingFoundError, WrongUsageError
from ses_insights.cli.ids import check, of_arguments
from ses_insights.cli.options import Json, deployment_of
from ses_insights.cli.output import (
    Cell,
    at_terminal,
    clean,
    coloured,
    columns,
    counted,
    echo,
    echo_err,
    echo_json,
    lane_name,
    moment_of,
    time_of,
)
from ses_insights.cli.search import to_address
from ses_insights.contracts.addresses import bare
from ses_insights.contracts.rows import Row, read_listings, read_record
from ses_insights.domain.alert import Alert
from ses_insights.domain.insight import Destination, Event
from ses_insights.domain.listing import Listing
from ses_insights.domain.record import Record
from ses_insights.domain.status import status_of
from ses_insights.domain.summary import summary_of_message
from ses_insights.service.erase import SUMMARY

_EVERY: Final = 2.0
"""Seconds between two readings while it waits."""


def command(
    ctx: typer.Context,
    message_id: Annotated[
        str,
        typer.Argument(
            metavar="ID|ADDRESS",
            help="The message's id, in any form the queue takes; or a recipient: the newest mail.",
        ),
    ],
    wait: Annotated[
        bool, typer.Option("--wait", help="Wait for the first look at the message.")
    ] = False,
    timeout: Annotated[
        float, typer.Option(min=0.0, metavar="SECONDS", help="How long --wait waits at most.")
    ] = 1_800.0,
    as_json: Json = False,
) -> None:
    """Show everything that is known of one message, in order of time.

    --json gives its rows of the table. Exit code 1: the message is not in the table.

    \b
    Examples:
      insights show 0106019fa36a2608-6c9654bb-dc58-4957-8828-68360c1c2d10-000000
      insights show 0106019fa36a2608-6c9654bb-dc58-4957-8828-68360c1c2d10-000000 --wait --json
      insights show anna@example.com
    """
    asked = _id_in(message_id)
    if asked is None and wait:
        raise WrongUsageError("--wait is for a message id: mail to come has none yet.")
    deployment = deployment_of(ctx)
    found = asked or _newest_to(deployment, message_id)
    rows = deployment.rows_of(found)
    if wait:
        rows = _awaited(deployment, found, rows, timeout)
    record, listings = read_record(rows), read_listings(rows)
    if record is None and not listings:
        raise NothingFoundError(
            "This message is not in the table: it still waits in the queue, was never enqueued, "
            "or has expired."
        )
    if as_json:
        echo_json(rows)
        return
    for line in lines(record) if record else _only_listed(found, listings):
        echo(line)


def _id_in(text: str) -> str | None:
    """Read an id; None for an address. Raises `WrongUsageError`."""
    checked = check(of_arguments([text]))
    if checked.ids:
        return next(iter(checked.ids))
    if "@" in bare(text):
        return None
    raise WrongUsageError(f"This cannot be looked up: {checked.bad[0].why}.")


def _newest_to(deployment: Deployment, address: str) -> str:
    """Return the id of the newest message to an address; a message may have several rows of it."""
    rows = to_address(deployment, address, (), None)
    newest = next((str(row["MessageId"]) for row in rows), None)
    if newest is None:
        raise NothingFoundError(
            f"Nothing was found under the likely spellings of {clean(address)}. insights find "
            "--to ADDRESS --scan finds every one."
        )
    if any(row["MessageId"] != newest for row in rows):
        echo_err(f"The newest of several; insights find --to {clean(address)} lists them.")
    return newest


def _awaited(deployment: Deployment, message_id: str, rows: list[Row], timeout: float) -> list[Row]:
    """Read again and again, until the message was looked at; returns the last reading."""
    ends = time.monotonic() + timeout
    while not any(row.get("Looks", 0) > 0 for row in rows) and time.monotonic() < ends:
        time.sleep(_EVERY)
        rows = deployment.rows_of(message_id)
    return rows


def lines(record: Record) -> list[Text]:
    """Return a message for a person."""
    found = columns(_facts(record))
    for destination in record.insights.destinations:
        found += [Text(), *columns([_destination(destination)])]
        found += columns([("", *_event(event)) for event in destination.events])
    found += _listed(record.listings)
    if record.alerts:
        found += [Text(), Text("Alerts", "bold")]
        found += columns([("", *_alert(alert)) for alert in _in_order(record.alerts)])
    return found


def _only_listed(message_id: str, listings: Sequence[Listing]) -> list[Text]:
    """Return what is known of a message that SES lists and that was not looked up yet."""
    facts: list[tuple[Cell, Cell]] = [
        (Text("Message", "bold"), message_id),
        (Text("Looks", "bold"), "none yet; it waits in the queue because of what SES lists"),
    ]
    return [*columns(facts), *_listed(listings)]


def _listed(listings: Sequence[Listing]) -> list[Text]:
    if not listings:
        return []
    rows: list[list[Cell]] = [
        [
            "",
            time_of(listing.listed_at),
            clean(listing.address),
            coloured(listing.reason),
            "SES shows no more" if listing.is_finding else "",
        ]
        for listing in listings
    ]
    return [Text(), Text("On the account's suppression list", "bold"), *columns(rows)]


def _facts(record: Record) -> list[tuple[Cell, Cell]]:
    insights = record.insights
    tags = (f"{name}={value}" for name, values in insights.email_tags.items() for value in values)
    facts: list[tuple[str, Cell]] = [
        ("Message", insights.message_id),
        ("Status", coloured(record.status)),
        ("In words", _in_words(record)),
        ("From", clean(insights.from_email_address)),
        ("Subject", clean(insights.subject)),
        ("Tags", clean(", ".join(tags))),
        ("Sent" if insights.sent_at else "Enqueued", moment_of(record.sent_at)),
        ("Looks", _looks(record)),
        ("Next look", _next(record)),
        ("Note", record.note or ""),
    ]
    return [(Text(name, "bold"), value) for name, value in facts if value]


def _in_words(record: Record) -> str:
    if record.erased_at is not None:
        return SUMMARY
    insights = record.insights
    return clean(summary_of_message(record.status, insights.destinations, record.listings))


def _looks(record: Record) -> str:
    shed = f"; {counted(record.shed, 'look')} given up for want of slots" if record.shed else ""
    if record.looks == 0:
        return f"none yet{shed}"
    if record.looks == 1:
        return f"1, at {moment_of(record.last_look_at)}{shed}"
    first, last = moment_of(record.first_look_at), moment_of(record.last_look_at)
    return f"{record.looks}, from {first} to {last}{shed}"


def _next(record: Record) -> str:
    if record.next_look_at is None:
        return f"none: {record.final}"
    return f"{moment_of(record.next_look_at)} ({lane_name(record.lane)})"


def _destination(destination: Destination) -> list[Cell]:
    words: list[Cell] = [Text(clean(destination.address) or "(no address)", "bold")]
    words.append(coloured(status_of(destination)))
    words.append(clean(destination.isp))
    words += _counts(destination)
    return [word for word in words if word]


def _counts(destination: Destination) -> Iterator[str]:
    if destination.open_count:
        yield counted(destination.open_count, "open")
    if destination.click_count:
        yield counted(destination.click_count, "click")


def _event(event: Event) -> tuple[Cell, str, str]:
    bounce, complaint = event.bounce, event.complaint
    details = [
        *((bounce.bounce_type, bounce.bounce_sub_type, bounce.diagnostic_code) if bounce else ()),
        *((complaint.complaint_sub_type, complaint.complaint_feedback_type) if complaint else ()),
    ]
    return (
        time_of(event.timestamp),
        clean(event.type),
        "  ".join(clean(each) for each in details if each),
    )


def _in_order(alerts: Sequence[Alert]) -> list[Alert]:
    return sorted(alerts, key=lambda alert: (alert.detected_at, alert.alert_id))


def _alert(alert: Alert) -> list[Cell]:
    published = f"published {moment_of(alert.published_at)}" if alert.published_at else "pending"
    step = alert.explanation.next_step
    return [
        time_of(alert.detected_at),
        str(alert.alert_type),
        coloured(alert.explanation.severity),
        clean(alert.destination),
        *([f"{published}. {step}"] if at_terminal() else [published, step]),
    ]
