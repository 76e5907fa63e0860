"""Responses of SES that are huge, odd or damaged, from their bytes to rows and alerts.

What must hold for each is in `tools.fuzz.responses`; the fuzzer holds the same against its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.ses_stand_in.stories import HOSTILE_SUBJECT
from ses_insights.contracts.alert_message import notification
from ses_insights.domain.explanation import explain_bounce
from ses_insights.domain.record import Record
from tests.support.samples import TABLE_ADDRESS
from tests.support.strategies import EVENT_TYPES, MESSAGE_ID, SENT
from tools.fuzz import responses
from tools.fuzz.limits import Table, Topic
from tools.fuzz.mutate import NAMES, SIGNS, TIMES, WORDS, mutated
from tools.fuzz.promises import BrokenPromise

SENT_AT = int(SENT.timestamp())


def on_the_wire(said: Any) -> bytes:
    """Write a response as SES sends it."""
    return json.dumps(said).encode()


def checked(said: Any) -> Record:
    """Hold the promises against a response that the parser reads; returns its record."""
    parsed = responses.parsed(on_the_wire(said))
    assert parsed is not None
    return responses.check_said(parsed)


def event(kind: str, after: float = 0, **details: dict[str, str]) -> dict[str, Any]:
    """Write an event as it is on the wire, so many seconds after the mail was sent."""
    written: dict[str, Any] = {"Type": kind, "Timestamp": SENT_AT + after}
    return {**written, "Details": details} if details else written


def bounce(after: float = 0, subtype: str = "NoEmail", code: str = "5.1.1") -> dict[str, Any]:
    """Write a permanent bounce."""
    details = {"BounceType": "PERMANENT", "BounceSubType": subtype, "DiagnosticCode": code}
    return event("BOUNCE", after, Bounce=details)


def complaint(after: float = 0, feedback: str = "abuse") -> dict[str, Any]:
    """Write a complaint."""
    return event("COMPLAINT", after, Complaint={"ComplaintFeedbackType": feedback})


def mail(recipients: dict[str, list[dict[str, Any]]], **more: Any) -> dict[str, Any]:
    """Write a response by recipient."""
    insights = [
        {"Destination": address, "Isp": "Gmail", "Events": events}
        for address, events in recipients.items()
    ]
    return {"MessageId": MESSAGE_ID, "Insights": insights, **more}


# Huge


def crowd(number: int, *events: dict[str, Any], sign: str = "a") -> dict[str, Any]:
    """Write a response about so many recipients, each with a long address."""
    return mail({f"{each:05}{sign * 300}@example.com": list(events) for each in range(number)})


def of_every_type(events: int, recipients: int) -> dict[str, Any]:
    """Write events of every type there is, and of one there is not, in no order."""
    kinds = [*EVENT_TYPES, "ARCHIVED"]
    return mail(
        {
            f"reader-{index}@example.com": [
                event(kinds[number * 7 % len(kinds)], number * 7_919 % 86_400)
                for number in range(events // recipients)
            ]
            for index in range(recipients)
        },
        Subject=HOSTILE_SUBJECT,
    )


GIANTS: dict[str, Callable[[], dict[str, Any]]] = {
    "5,000 events of 50 recipients": lambda: of_every_type(5_000, 50),
    "5,000 opens and 5,000 clicks of one": lambda: mail(
        {"a@example.com": [event(k, n) for n in range(5_000) for k in ("OPEN", "CLICK")]}
    ),
    "5,000 bounces of one": lambda: mail({"a@example.com": [bounce(n) for n in range(5_000)]}),
    "300 bounces of one, each with a code of control signs": lambda: mail(
        {"a@example.com": [bounce(n, code=f"{n}" + "\x01" * 3_000) for n in range(300)]}
    ),
    "300 bounces of one, each with a code of wide signs": lambda: mail(
        {"a@example.com": [bounce(n, code=f"{n}" + "é" * 3_000) for n in range(300)]}
    ),
    "40 recipients, each with 60 bounces with long codes": lambda: crowd(
        40, *(bounce(n, code="x" * 2_000) for n in range(60))
    ),
    "500 kinds of complaint of one": lambda: mail(
        {"a@example.com": [complaint(n, feedback=f"kind {n}") for n in range(500)]}
    ),
    "1,000 recipients that bounced": lambda: crowd(1_000, event("SEND"), bounce()),
    "150 recipients with addresses of four bytes a sign": lambda: crowd(150, bounce(), sign="🦁"),
    "one recipient listed 5,000 times": lambda: {
        "Insights": [
            {"Destination": "ada@example.com", "Events": [event("DELIVERY", each)]}
            for each in range(5_000)
        ]
    },
    "3,000 tags with ten names": lambda: {
        **mail({"a@example.com": [bounce()]}),
        "EmailTags": [{"Name": f"n{n % 10}", "Value": "é" * 200 + str(n)} for n in range(3_000)],
    },
    "20,000 tags of two signs": lambda: {
        **mail({"a@example.com": [bounce()]}),
        "EmailTags": [{"Name": chr(0x4E00 + n)} for n in range(20_000)],
    },
    "every text of a million signs": lambda: mail(
        {"🦁" * 10**6: [bounce(subtype="\x01" * 10**6, code='"' * 10**6)]},
        Subject="\\" * 10**6,
        FromEmailAddress="\u202e" * 10**6 + "@example.com",
    ),
}


@pytest.mark.parametrize("name", GIANTS)
def test_a_huge_response_is_stored_and_published(name: str) -> None:
    """Whatever its size, all of it is stored or counted, within every limit, and each alert goes.

    `check_said` counts what is kept and cut; rows and alerts pass the limits of AWS.
    """
    assert checked(GIANTS[name]()).looks == 1


def test_each_bounce_of_a_huge_response_is_explained_once() -> None:
    """What 1,500 answers of servers cost is bounded: a hundred are read, each of them once.

    Reading them is nearly all the work of such a look; `make bench` has its processor time.
    """
    explain_bounce.cache_clear()
    bounces = {f"{n}@example.com": [bounce(code=f"5.1.1 no {n}")] for n in range(1_500)}
    assert len(checked(mail(bounces)).alerts) == 100
    assert explain_bounce.cache_info().misses == 100


def test_a_subject_of_998_hostile_signs_is_stored_and_published_but_titles_nothing() -> None:
    """The longest subject there is comes back whole in row and alert, and is no SNS subject."""
    record = checked(mail({"ada@example.com": [bounce()]}, Subject=HOSTILE_SUBJECT))
    assert record.insights.subject == HOSTILE_SUBJECT
    (alert,) = record.alerts
    written = notification(alert, record.insights, TABLE_ADDRESS, sent_at=record.sent_at)
    assert written.subject.startswith("SES Insights: permanent bounce")
    assert HOSTILE_SUBJECT[:5] not in written.subject
    assert json.loads(json.loads(written.message)["default"])["subject"] == HOSTILE_SUBJECT


# Odd

TEXTS = st.one_of(st.sampled_from([*SIGNS, *WORDS]), st.text(st.characters(codec=None), max_size=8))
EPOCHS = st.one_of(
    st.integers(-62_135_596_800, 253_402_300_799),
    st.floats(-62_135_596_800, 253_402_300_799),
    st.sampled_from([0, -1, True, SENT_AT, SENT_AT + 0.0005]),
)
ZONES = ("", "Z", "+05:45", "+14:00", "-14:00", "+99:00")
ISO = st.builds(
    lambda moment, zone: moment.isoformat() + zone, st.datetimes(), st.sampled_from(ZONES)
)


def maybe_null(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Put a null where a value could be, now and then."""
    return st.integers(0, 7).flatmap(lambda number: values if number < 7 else st.none())


def shape(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Make objects in which any member may be null or missing, and one is added."""
    values = {name: maybe_null(each) for name, each in members.items()}
    left_out = st.one_of(st.just(""), st.sampled_from([*members]))
    added = st.just([1, {"x": None}])
    return st.tuples(st.fixed_dictionaries({**values, "NewField": added}), left_out).map(
        lambda drawn: {name: each for name, each in drawn[0].items() if name != drawn[1]}
    )


def responses_of_the_model() -> st.SearchStrategy[dict[str, Any]]:
    """Make JSON objects of the shape of the API's model, with nothing else true of them."""
    kinds = st.one_of(st.sampled_from([*EVENT_TYPES, "ARCHIVED"]), TEXTS)
    bounces = st.one_of(st.sampled_from(["PERMANENT", "permanent", "TRANSIENT"]), TEXTS)
    details = shape(
        Bounce=shape(BounceType=bounces, BounceSubType=TEXTS, DiagnosticCode=TEXTS),
        Complaint=shape(ComplaintSubType=TEXTS, ComplaintFeedbackType=TEXTS),
    )
    events = shape(Type=kinds, Timestamp=st.one_of(EPOCHS, EPOCHS, ISO), Details=details)
    addresses = st.one_of(st.sampled_from(["ada@example.com", "a" * 3_000, "é" * 330]), TEXTS)
    insight = shape(
        Destination=addresses,
        Isp=TEXTS,
        Events=st.lists(maybe_null(events), min_size=1, max_size=6),
    )
    return shape(
        MessageId=TEXTS,
        FromEmailAddress=TEXTS,
        Subject=TEXTS,
        EmailTags=st.lists(maybe_null(shape(Name=TEXTS, Value=TEXTS)), max_size=4),
        Insights=st.lists(maybe_null(insight), min_size=1, max_size=3),
    )


@given(responses_of_the_model())
def test_any_object_of_the_modelled_shape_is_an_answer(said: dict[str, Any]) -> None:
    """The parser reads it and every promise holds, whatever texts and times are in it."""
    assert responses.check(on_the_wire(said)) != "malformed"


DAMAGED = on_the_wire(
    mail(
        {"ada@example.com": [event("SEND"), bounce(1), complaint(2)]},
        Subject="Lions",
        EmailTags=[{"Name": "team", "Value": "red"}],
    )
)


@given(st.randoms(use_true_random=True), st.integers(1, 4))
def test_a_response_of_a_damaged_shape_is_an_answer_or_malformed(
    chance: Random, changes: int
) -> None:
    """What the parser lets pass keeps every promise; what it refuses never gets further."""
    data = DAMAGED
    for _ in range(changes):
        data = mutated(data, chance) or data
    responses.check(data)


@pytest.mark.parametrize("moment", TIMES)
@pytest.mark.parametrize("kind", ["SEND", "BOUNCE", "OPEN"])
def test_any_time_is_stored_or_left_out_or_malformed(kind: str, moment: object) -> None:
    """Far past and future, no number, text: none breaks a row, a rung or an alert."""
    said = mail({"ada@example.com": [{"Type": kind, "Timestamp": moment}, complaint()]})
    assert responses.check(on_the_wire(said)) in {"complaint", "malformed"}


@pytest.mark.parametrize("sign", SIGNS)
def test_any_sign_can_stand_in_any_text(sign: str) -> None:
    """Breaks, controls, turned and half signs: everything is stored, published and read back."""
    events = [
        bounce(1, subtype=sign, code=sign),
        complaint(2, feedback=sign),
        event(sign or "SEND"),
    ]
    tags = [{"Name": sign, "Value": sign}, {"Name": "ses:configuration-set", "Value": sign}]
    record = checked(mail({sign: events}, Subject=sign, FromEmailAddress=sign, EmailTags=tags))
    assert len(record.alerts) == 2


def test_the_signs_are_hostile_enough() -> None:
    """Line breaks, NUL, a half pair, turned text, what SQS does not take, and 998 characters."""
    signs = "".join(SIGNS)
    assert {"\r", "\n", "\0", "\ud83e", "\u202e", "\u200f", "\uffff", "🦁"} <= set(signs)
    assert {998} <= {len(sign) for sign in SIGNS}
    assert set(NAMES) >= {"Insights", "Events", "Timestamp", "Details", "EmailTags"}


# The judges themselves


def item(**attributes: Any) -> dict[str, Any]:
    """Write an item as it goes to DynamoDB."""
    return {"MessageId": {"S": "id"}, "Record": {"S": "MESSAGE"}, **attributes}


@pytest.mark.parametrize(
    "items",
    [
        [item(Subject={"S": "x" * 409_600})],
        [item(EmailTags={"M": {"é" * 205_000: {"L": []}}})],
        [item(EmailTags={"M": {"__type": {"L": []}}})],
        [item(Record={"S": "x" * 1_025})],
        [item(Destination={"S": ""})],
        [item(Destination={"S": "é" * 1_025})],
        [item(), item()],
        [item(Record={"S": f"{number}"}) for number in range(101)],
        [item(Record={"S": f"{n}"}, Subject={"S": "x" * 400_000}) for n in range(11)],
    ],
    ids=["item", "name", "type", "sort key", "empty", "index key", "twice", "actions", "bytes"],
)
def test_the_table_refuses_what_dynamodb_refuses(items: list[dict[str, Any]]) -> None:
    """A row that DynamoDB would not take is a broken promise, so no such row passes above."""
    with pytest.raises(BrokenPromise):
        Table().client.transact_write_items(
            TransactItems=[{"Put": {"TableName": "Insights", "Item": each}} for each in items]
        )


@pytest.mark.parametrize(
    "fault",
    [
        {"Subject": "Lions\nBcc: eve@example.com"},
        {"Subject": "Löwen"},
        {"Subject": "x" * 101},
        {"Message": "x" * 262_145},
        {"Message": "\uffff"},
        {"Message": "\x00"},
        {"MessageAttributes": {"isp": {"DataType": "String", "StringValue": " "}}},
        {"MessageAttributes": {"isp": {"DataType": "String", "StringValue": "\x1b"}}},
        {"MessageAttributes": {"i.s.p": {"DataType": "String", "StringValue": "Gmail"}}},
    ],
)
def test_the_topic_refuses_what_sns_and_sqs_refuse(fault: dict[str, Any]) -> None:
    """A message that would not get to its subscribers is a broken promise."""
    fine: dict[str, Any] = {"Subject": "Lions", "Message": "x", "MessageAttributes": {}}
    Topic().client.publish(**fine)
    with pytest.raises(BrokenPromise):
        Topic().client.publish(**(fine | fault))


def test_an_alert_is_held_against_the_published_schema() -> None:
    """A field that `docs/alert.schema.json` does not name, or of another type, is found."""
    record = checked(mail({"ada@example.com": [bounce()]}))
    (alert,) = record.alerts
    with pytest.raises(BrokenPromise, match=r"\$\.detectedAt: pattern"):
        responses.check_alerts(replace(record, alerts=(replace(alert, detected_at="noon"),)))
