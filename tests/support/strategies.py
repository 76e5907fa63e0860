"""What the domain's tests share: one mail, what SES says about it, and strategies."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from ses_insights.adapters.ses_response import read_insights
from ses_insights.domain.alert import Alert, alerts_in
from ses_insights.domain.insight import Insights
from ses_insights.domain.record import Answer, Found, NotFound, Record, Refused, Rules, after_look
from ses_insights.domain.schedule import Ladder

MESSAGE_ID = "0106019fa36a2608-6c9654bb-dc58-4957-8828-68360c1c2d10-000000"
SENT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
RULES = Rules(ladder=Ladder(), retention=timedelta(days=90))

EVENT_TYPES = (
    "SEND",
    "REJECT",
    "BOUNCE",
    "COMPLAINT",
    "DELIVERY",
    "OPEN",
    "CLICK",
    "RENDERING_FAILURE",
    "DELIVERY_DELAY",
    "SUBSCRIPTION",
)
ADDRESSES = ("ada@example.com", "bob@example.org", "carol@example.net")

SECOND = timedelta(seconds=1)
MILLISECOND = timedelta(milliseconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def event(kind: str, after: timedelta = timedelta(0), **details: dict[str, str]) -> dict[str, Any]:
    """Write an event as boto3 returns it; ``details`` are Bounce and Complaint."""
    written: dict[str, Any] = {"Type": kind, "Timestamp": SENT + after}
    return {**written, "Details": details} if details else written


def bounce(
    kind: str = "PERMANENT", subtype: str = "NoEmail", after: timedelta = MINUTE
) -> dict[str, Any]:
    """Write a BOUNCE event."""
    return event("BOUNCE", after, Bounce={"BounceType": kind, "BounceSubType": subtype})


def complaint(feedback: str | None = "abuse", after: timedelta = 8 * HOUR) -> dict[str, Any]:
    """Write a COMPLAINT event; without a feedback type, SES gives an empty Complaint."""
    return event(
        "COMPLAINT", after, Complaint={"ComplaintFeedbackType": feedback} if feedback else {}
    )


def response(*events: dict[str, Any], to: str = "ada@example.com", **more: Any) -> dict[str, Any]:
    """Write a GetMessageInsights response about one recipient."""
    insight = {"Destination": to, "Isp": "Gmail", "Events": list(events)}
    return {"MessageId": MESSAGE_ID, "Insights": [insight], **more}


def found(*events: dict[str, Any], to: str = "ada@example.com") -> Found:
    """Answer with events of one recipient."""
    return Found(read(response(*events, to=to)))


def read(said: dict[str, Any]) -> Insights:
    """Read a response about the one mail."""
    return read_insights(said, MESSAGE_ID)


def alerts_of(said: dict[str, Any]) -> tuple[Alert, ...]:
    """Find the alerts of a response."""
    return alerts_in(read(said), detected_at=DETECTED_AT)


DETECTED_AT = "2026-11-23T10:15:00.000Z"

BOUNCED_MAIL: dict[str, Any] = {
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
"""A whole response about a mail that bounced permanently."""

AWKWARD = (
    *("", " ", "\r\nBcc: eve@example.com", "\u202egnp.exe", "🦖", "x" * 2_100, "\x00"),
    *("\uffff", "\u200f\u2067", "é" * 998, "__type", "0"),
)
CUT = ("\ud83e", "\udd96\ud83e")
"""Texts with half of a surrogate pair, which is stored as the sign for a fault."""


def texts() -> st.SearchStrategy[str]:
    """Free texts, the awkward ones among them."""
    return st.one_of(st.sampled_from([*AWKWARD, *CUT]), st.text(max_size=12))


def addresses() -> st.SearchStrategy[str]:
    """Recipients: mostly the same few, so that looks meet, and some that no server would take."""
    awkward = ["#", "ada@example.com#0002", "é" * 600 + "@example.com", "~@x", "a" * 901]
    strange = st.sampled_from([*awkward, *AWKWARD])
    return st.one_of(st.sampled_from(ADDRESSES), strange, st.text(max_size=12))


def moments() -> st.SearchStrategy[datetime]:
    """Times of events, in a few steps so that they collide, in microseconds, and of all ages."""
    steps = st.integers(0, 5).map(lambda step: SENT + step * MINUTE)
    free = st.integers(0, 30 * 86_400 * 10**6).map(lambda us: SENT + timedelta(microseconds=us))
    zones = st.sampled_from([UTC, timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))])
    return st.one_of(steps, free, st.datetimes(timezones=st.one_of(zones, st.none())))


def details() -> st.SearchStrategy[dict[str, Any]]:
    """Details as SES may give them: any part missing, any text in them."""
    kinds = st.sampled_from(["PERMANENT", "TRANSIENT", "UNDETERMINED", "Permanent", "PENDING"])
    bounces = st.fixed_dictionaries(
        {}, optional={"BounceType": kinds, "BounceSubType": texts(), "DiagnosticCode": texts()}
    )
    feedback = st.sampled_from(["abuse", "fraud", "auth-failure", "AuthFailure", "not-spam", ""])
    complaints = st.fixed_dictionaries(
        {}, optional={"ComplaintSubType": texts(), "ComplaintFeedbackType": feedback}
    )
    return st.fixed_dictionaries({}, optional={"Bounce": bounces, "Complaint": complaints})


def alerting() -> st.SearchStrategy[dict[str, Any]]:
    """Events that raise an alert."""
    bounces = texts().map(lambda subtype: bounce(subtype=subtype))
    feedback = st.sampled_from([None, "abuse", "fraud", "auth-failure", "AuthFailure", "not-spam"])
    return st.one_of(bounces, st.builds(complaint, feedback, st.timedeltas(MINUTE, DAY)))


def events() -> st.SearchStrategy[dict[str, Any]]:
    """Events of every type SES has and of some it has not."""
    kinds = st.sampled_from([*EVENT_TYPES, "FORWARDED"])
    loose = st.fixed_dictionaries(
        {}, optional={"Type": kinds, "Timestamp": moments(), "Details": details()}
    )
    return st.one_of(loose, alerting())


def responses() -> st.SearchStrategy[dict[str, Any]]:
    """Whole responses: any field missing, several recipients, one recipient more than once."""
    tags = st.fixed_dictionaries({}, optional={"Name": texts(), "Value": texts()})
    insight = st.fixed_dictionaries(
        {},
        optional={
            "Destination": addresses(),
            "Isp": texts(),
            "Events": st.lists(events(), max_size=6),
        },
    )
    return st.fixed_dictionaries(
        {},
        optional={
            "MessageId": st.just(MESSAGE_ID),
            "FromEmailAddress": texts(),
            "Subject": texts(),
            "EmailTags": st.lists(tags, max_size=4),
            "Insights": st.lists(insight, max_size=3),
        },
    )


def insights() -> st.SearchStrategy[Insights]:
    """Responses, read."""
    return responses().map(read)


def answers() -> st.SearchStrategy[Answer]:
    """Anything SES may say to a look."""
    said: tuple[Answer, ...] = (NotFound(), Refused())
    return st.one_of(insights().map(Found), st.sampled_from(said))


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Records as they come about: by looks, one after the other."""
    record = Record.new(MESSAGE_ID, SENT, RULES)
    now = SENT
    for answer in draw(st.lists(answers(), min_size=1, max_size=3)):
        now += timedelta(milliseconds=draw(st.integers(1, 10 * 86_400_000)))
        record, _ = after_look(record, answer, now=now, rules=RULES)
    return record
