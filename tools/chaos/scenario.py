"""What happens in a run: the mail, what is enqueued and when, what people do, what goes wrong."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from tools.chaos.calls import AFTER, ALL, BEFORE, CRASHES, HARMLESS, Fault, Outage
from tools.chaos.service import Settings
from tools.chaos.ses import Event, Mail
from tools.chaos.world import DAY, HOUR, MINUTE, START

NEVER: Final = float("inf")

_LADDERS: Final[Sequence[tuple[float, ...]]] = (
    Settings().ladder,
    (900, 7200),
    (900, 86_400, 259_200),
    (60, 259_200, 2_505_600),
    (900, 2_505_600),
)
_SUBTYPES: Final = ("NoEmail", "General", "MailboxFull", "Suppressed")
_FEEDBACK: Final = ("abuse", "fraud", "not-spam", None)


@dataclass(frozen=True, slots=True)
class Sent:
    """Something that joins the queue."""

    at: float
    body: str
    mail: str | None
    """The id in it; None where there is none."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """A person's data is erased."""

    at: float
    address: str


@dataclass(slots=True)
class Scenario:
    """All of it."""

    settings: Settings
    mails: list[Mail] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    bulk: list[tuple[float, Sequence[str]]] = field(default_factory=list)
    erasures: list[Erasure] = field(default_factory=list)
    redrives: list[float] = field(default_factory=list)
    deployments: list[tuple[float, Settings]] = field(default_factory=list)
    pauses: list[tuple[float, float]] = field(default_factory=list)
    """When the service is paused, and for how many seconds."""
    is_crowded: bool = False
    """Whether there is more mail than looks, for hours."""
    calm_from: float = START
    rate: float = 0.0
    kinds: Sequence[Fault] = ALL
    services: Sequence[str] = ("dynamodb", "sqs", "sns", "sesv2")
    outages: list[Outage] = field(default_factory=list)
    skew: float = 0.0
    page_bytes: int | None = None
    small_transactions: int | None = None
    longest_lag: float = 1.0
    ends: float = START


def draw(lot: random.Random) -> Scenario:
    """Draw a run."""
    settings = _settings(lot)
    plan = Scenario(settings)
    one_sender = lot.random() < 0.25  # noqa: PLR2004 - a share
    count = lot.choice((1, 1, 2, 2, 3, 3, 4, 6)) + (3 if one_sender else 0)
    spread = lot.choice((0.0, MINUTE, HOUR, 2 * DAY))
    for number in range(count):
        plan.mails.append(_mail(lot, number, START + spread * lot.random(), one_sender=one_sender))
    _enqueue(lot, plan)
    _people(lot, plan)
    _faults(lot, plan)
    _overload(lot, plan)
    last = max((each.at for each in plan.sent), default=START)
    resumed = max((at + seconds for at, seconds in plan.pauses), default=START)
    redriven = max(plan.redrives, default=START)
    begin = max(last, resumed, redriven, plan.calm_from, START + 2 * DAY)
    plan.ends = begin + max(plan.settings.ladder) + 3 * DAY
    return plan


def _settings(lot: random.Random) -> Settings:
    return Settings(
        period=lot.choice((1.0, 1.0, 1.0, 5.0, 200.0)),
        delay=lot.choice((0.0, 60.0, 900.0, 900.0)),
        ladder=lot.choice(_LADDERS),
        retention_days=lot.choice((5, 31, 90)),
        surge_after=lot.choice((1, 2, 5, 5)),
        redact_subjects=lot.random() < 0.1,  # noqa: PLR2004 - a share
        watch_suppression_list=lot.random() < 0.4,  # noqa: PLR2004 - a share
    )


def _mail(lot: random.Random, number: int, sent_at: float, *, one_sender: bool) -> Mail:
    sent_at = round(sent_at, 3)
    digits = f"{lot.getrandbits(128):032x}"
    mail_id = f"0106{digits[:12]}-{digits[12:20]}-{digits[20:24]}-{digits[24:28]}-000000"
    several = lot.random()
    recipients = 1 if several < 0.85 else lot.randint(2, 5)  # noqa: PLR2004 - a share
    kind = lot.random()
    shared = lot.random() < 0.1  # noqa: PLR2004 - a share
    return Mail(
        id=mail_id,
        sent_at=sent_at,
        indexed_at=NEVER if kind < 0.06 else sent_at + lot.choice((0, 60, 1200, 4 * HOUR)),  # noqa: PLR2004
        sender="shop@sender.example" if one_sender else f"a{number}@sender{number % 2}.example",
        subject=f"subject {number}",
        tags={"campaign": "spring", "ses:from-domain": "sender.example"},
        recipients={
            ("shared" if shared and not each else f"r{number}-{each}") + "@there.example": (
                lot.choice(("Gmail", "Yahoo", "UNKNOWN_ISP")),
                _story(lot, sent_at, bounces=one_sender),
            )
            for each in range(recipients)
        },
        is_malformed=0.06 <= kind < 0.09,  # noqa: PLR2004 - a share
        fails_until=0.0
        if kind < 0.9  # noqa: PLR2004 - a share
        else lot.choice((sent_at + 2 * HOUR, sent_at + 2 * DAY, NEVER)),
    )


def _story(lot: random.Random, sent_at: float, *, bounces: bool) -> list[Event]:
    """Draw what happens to one recipient's mail."""
    late = lot.choice((0.0, 0.0, 5.0, HOUR))

    def event(after: float, kind: str, details: dict[str, object] | None = None) -> Event:
        return Event(round(sent_at + after, 3), kind, details, late)

    def bounce(after: float, kind: str = "PERMANENT") -> Event:
        subtype = _SUBTYPES[0] if bounces else lot.choice(_SUBTYPES)
        what = {"BounceType": kind, "BounceSubType": subtype}
        what["DiagnosticCode"] = "smtp; 550 5.1.1 no such user"
        return event(after, "BOUNCE", {"Bounce": what})

    events = [event(0.0, "SEND")]
    story = lot.random()
    if bounces or story < 0.3:  # noqa: PLR2004 - a share
        events.append(bounce(lot.choice((1.5, 20.0, HOUR, 13 * HOUR))))
    elif story < 0.35:  # noqa: PLR2004 - a share
        events.append(event(0.2, lot.choice(("REJECT", "RENDERING_FAILURE"))))
    elif story < 0.45:  # noqa: PLR2004 - a share
        events += [event(60, "DELIVERY_DELAY"), bounce(HOUR, "TRANSIENT"), bounce(14 * HOUR)]
    else:
        events.append(event(lot.choice((1.0, 30.0, 2 * HOUR)), "DELIVERY"))
        opens = lot.choice((0, 0, 1, 3, 60))
        events += [event(3 * HOUR + 600 * each, "OPEN") for each in range(opens)]
        events += [event(3 * HOUR + 700 * each, "CLICK") for each in range(opens // 3)]
        for _ in range(lot.choice((0, 0, 1, 1, 2))):
            feedback = lot.choice(_FEEDBACK)
            what = {"ComplaintFeedbackType": feedback} if feedback else {}
            after = lot.choice((4 * HOUR, 2 * DAY, 10 * DAY)) + lot.random()
            events.append(event(after, "COMPLAINT", {"Complaint": what}))
        if lot.random() < 0.1:  # noqa: PLR2004 - a share
            events.append(bounce(6 * HOUR))  # an asynchronous one
    if lot.random() < 0.3:  # noqa: PLR2004 - a share
        lot.shuffle(events)
    return events


def _enqueue(lot: random.Random, plan: Scenario) -> None:
    for mail in plan.mails:
        at = mail.sent_at + lot.choice((0.3, 5.0, 10 * MINUTE))
        if lot.random() < 0.06:  # noqa: PLR2004 - a share
            plan.bulk.append((at + lot.random() * DAY, [mail.id]))
            continue
        plan.sent.append(Sent(at, _body(lot, mail.id), mail.id))
        for _ in range(lot.choice((0, 0, 0, 1, 2))):  # it comes again
            again = at + lot.choice((1.0, 400.0, HOUR, DAY, 12 * DAY, 31 * DAY)) * (
                1 + lot.random()
            )
            plan.sent.append(Sent(again, _body(lot, mail.id, again=True), mail.id))
    if lot.random() < 0.25:  # noqa: PLR2004 - a share
        plan.sent.append(Sent(START + HOUR * lot.random(), "nothing for anna@there.example", None))


def _body(lot: random.Random, mail_id: str, *, again: bool = False) -> str:
    plain = (
        mail_id,
        f"<{mail_id}@eu-west-1.amazonses.com>",
        json.dumps({"MessageId": mail_id}),
        json.dumps({"eventType": "Send", "mail": {"messageId": mail_id}, "n": lot.random()}),
    )
    asking = (
        json.dumps({"MessageId": mail_id, "force": True, "n": lot.random()}),
        json.dumps({"MessageId": mail_id, "due": True, "n": lot.random()}),
    )
    return lot.choice((*plain, *asking, *asking) if again else (*plain, *plain, *asking))


def _people(lot: random.Random, plan: Scenario) -> None:
    """Draw what operators do."""
    addresses = [address for mail in plan.mails for address in mail.recipients]
    if lot.random() < 0.2:  # noqa: PLR2004 - a share
        for _ in range(lot.randint(1, 2)):
            after = lot.choice((1000.0, HOUR, 3 * DAY, 20 * DAY)) * lot.random()
            plan.erasures.append(Erasure(START + after, lot.choice(addresses)))
    if lot.random() < 0.15:  # noqa: PLR2004 - a share
        plan.redrives.append(START + lot.choice((HOUR, DAY, 5 * DAY)) * (0.5 + lot.random()))
    if lot.random() < 0.25:  # noqa: PLR2004 - a share
        other = _settings(lot)
        kept = plan.settings
        after = lot.choice((HOUR, DAY, 10 * DAY)) * lot.random()
        changed = replace(
            other,
            redact_subjects=kept.redact_subjects,
            watch_suppression_list=kept.watch_suppression_list,
        )
        plan.deployments.append((START + after, changed))


def _faults(lot: random.Random, plan: Scenario) -> None:
    """Draw what goes wrong."""
    if lot.random() < 0.05:  # noqa: PLR2004 - a share
        return
    plan.calm_from = START + lot.choice((HOUR, 6 * HOUR, DAY, 4 * DAY, 20 * DAY))
    plan.rate = lot.choice((0.0, 0.01, 0.03, 0.1, 0.25))
    plan.kinds = lot.choice((ALL, ALL, (*BEFORE, *AFTER), CRASHES, AFTER, (*HARMLESS, *CRASHES)))
    if lot.random() < 0.4:  # noqa: PLR2004 - a share
        plan.services = (lot.choice(plan.services),)
    span = plan.calm_from - START
    for _ in range(lot.choice((0, 0, 1, 1, 2))):
        service = lot.choice(("dynamodb", "dynamodb", "sns", "sqs", "sesv2"))
        since = START + span * lot.random()
        lasts = lot.choice((3 * MINUTE, 20 * MINUTE, 5 * HOUR, 5 * HOUR, DAY))
        plan.outages.append(
            Outage(
                service,
                since,
                min(since + lasts, plan.calm_from),
                only_writes=lot.random() < 0.5,  # noqa: PLR2004 - a share
                fault=lot.choice((*BEFORE, *AFTER)),
            )
        )
    plan.skew = lot.choice((0.0, 0.0, 0.0, 2.0, 100.0, HOUR))
    plan.page_bytes = lot.choice((None, None, 1500))
    plan.small_transactions = lot.choice((None, None, 2))
    plan.longest_lag = lot.choice((0.1, 1.0, 20.0))


def _overload(lot: random.Random, plan: Scenario) -> None:
    """Draw what makes looks scarce: a pause, a crowd, or both; and a mail to many."""
    what = lot.random()
    if what < 0.06:  # noqa: PLR2004 - a share
        since = START + lot.choice((HOUR, 3 * DAY, 3 * DAY, 10 * DAY)) * (0.8 + 0.3 * lot.random())
        seconds = lot.choice((2 * HOUR, 8 * HOUR, 12 * HOUR, 30 * HOUR, 3 * DAY))
        plan.pauses.append((since, seconds))
        # Fresh ids come when it goes on, and what was due meanwhile is late.
        _more(lot, plan, 3, since + 0.95 * seconds, 0.1 * seconds)
    if what < 0.015:  # noqa: PLR2004 - a share
        plan.is_crowded = True
        ladder = lot.choice(((900.0, 7200.0), (60.0, 259_200.0)))
        plan.settings = replace(plan.settings, period=200.0, delay=60.0, ladder=ladder)
        _more(lot, plan, lot.choice((30, 40)), START, lot.choice((MINUTE, HOUR)))
    if what > 0.997:  # noqa: PLR2004 - a share
        _more(lot, plan, 1, START, HOUR, recipients=60)
        # Else an invocation of a hundred calls hardly ever comes to its end.
        plan.page_bytes = plan.page_bytes and 20_000
        plan.rate = min(plan.rate, 0.03)


def _more(  # noqa: PLR0913 - how many, when, and to how many
    lot: random.Random,
    plan: Scenario,
    count: int,
    since: float,
    spread: float,
    *,
    recipients: int = 1,
) -> None:
    """Let more mails be sent, spread over some seconds."""
    for _ in range(count):
        mail = _mail(lot, len(plan.mails), since + spread * lot.random(), one_sender=False)
        if recipients > 1:
            mail.recipients = {
                f"many-{each}@there.example": ("Gmail", _story(lot, mail.sent_at, bounces=False))
                for each in range(recipients)
            }
        plan.mails.append(mail)
        plan.sent.append(Sent(mail.sent_at + 1.0, mail.id, mail.id))
