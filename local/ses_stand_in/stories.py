"""What can become of a mail, and what SES Insights must make of it.

A story is chosen by the recipient's local part, as with SES's own mailbox simulator:
`bounce-noemail@stories.example`, or with a label `bounce-noemail+anna@stories.example`.

What each story expects is written out by hand from the contract, not derived from the service's
own rules: so it can show that those are wrong.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType

Details = Mapping[str, Mapping[str, str]]

SOON = timedelta(seconds=2)
VISIBLE_AFTER = timedelta(minutes=5)
RETENTION = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Event:
    """Something SES comes to know of a mail, `after` so long since the send."""

    after: timedelta
    type: str
    details: Details | None = None
    dated: bool = True
    """False: SES gives no Timestamp."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedAlert:
    """An alert that must be published once, named as in the alert's contract."""

    alert_type: str
    severity: str
    bounce_sub_type: str | None = None
    complaint_feedback_type: str | None = None
    source: str = "insights"
    """Where the event was found: in a look, or only on the account's suppression list."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must be stored and published once the story is over."""

    status: str
    alerts: tuple[ExpectedAlert, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One fate of a mail: what SES comes to know of it, when, and what that must lead to."""

    name: str
    sentence: str
    events: tuple[Event, ...]
    expected: Expectation
    others: tuple[tuple[Event, ...], ...] = ()
    """Timelines of further destinations: the API's shape allows many."""
    isp: str | None = "Gmail"
    visible_after: timedelta | None = VISIBLE_AFTER
    """When insights first show; None: never, every look is a 404."""
    age: timedelta = timedelta(0)
    """How long ago the mail was sent when the stand-in takes it."""
    subject: str | None = None
    """Stands in place of the subject that was sent."""
    missing: frozenset[str] = field(default_factory=frozenset)
    """Fields of the response that SES leaves out."""

    @property
    def settled_after(self) -> timedelta:
        """Since the send: from here on SES knows all it will ever know."""
        if self.visible_after is None:
            return timedelta(0)
        timelines = (self.events, *self.others)
        return max(self.visible_after, *(e.after for events in timelines for e in events))


def _send() -> Event:
    return Event(timedelta(0), "SEND")


def _delivery(after: timedelta = SOON) -> Event:
    return Event(after, "DELIVERY")


def _bounce(
    bounce_type: str,
    sub_type: str | None = None,
    diagnostic: str | None = None,
    *,
    after: timedelta = SOON,
) -> Event:
    bounce = {"BounceType": bounce_type, "BounceSubType": sub_type, "DiagnosticCode": diagnostic}
    present = {name: value for name, value in bounce.items() if value is not None}
    return Event(after, "BOUNCE", {"Bounce": present})


def _complaint(
    feedback: str | None = None, sub_type: str | None = None, *, after: timedelta
) -> Event:
    complaint = {"ComplaintSubType": sub_type, "ComplaintFeedbackType": feedback}
    present = {name: value for name, value in complaint.items() if value is not None}
    return Event(after, "COMPLAINT", {"Complaint": present} if present else None)


def _bounced(severity: str, sub_type: str | None = None) -> Expectation:
    alert = ExpectedAlert(alert_type="BOUNCE", severity=severity, bounce_sub_type=sub_type)
    return Expectation("PERMANENT_BOUNCE", (alert,))


def _complained(severity: str, feedback: str | None = None) -> Expectation:
    alert = ExpectedAlert(
        alert_type="COMPLAINT", severity=severity, complaint_feedback_type=feedback
    )
    return Expectation("COMPLAINT", (alert,))


def _engagement(count: int, *, every: timedelta) -> tuple[Event, ...]:
    """OPEN and CLICK in turn, the first one `every` after the send."""
    return tuple(Event(every * (n + 1), ("OPEN", "CLICK")[n % 2]) for n in range(count))


NO_SUCH_USER = "smtp; 550 5.1.1 The email account that you tried to reach does not exist"
BLOCKED = "smtp; 550 5.7.1 Message refused: the sending host is on a block list"
SUPPRESSED = "Amazon SES has suppressed sending to this address"
HOSTILE_SUBJECT = (
    'Hello\r\nBcc: all@victim.example\n\u202egnp.exe\u202c \U0001f4a5 \x00\x1b[2J "};{{"x":1}} '
    + "\u00e9" * 998
)[:998]

_BUSY = (_send(), _delivery(), *_engagement(103, every=timedelta(seconds=3)))

_ALL = (
    Story(
        name="delivered",
        sentence="The recipient's server took the mail, and nothing more came.",
        events=(_send(), _delivery()),
        expected=Expectation("DELIVERED"),
    ),
    Story(
        name="opened",
        sentence="The mail was delivered and opened once.",
        events=(_send(), _delivery(), Event(timedelta(minutes=40), "OPEN")),
        expected=Expectation("OPENED"),
    ),
    Story(
        name="clicked",
        sentence="The mail was delivered and opened, and a link in it was followed.",
        events=(
            _send(),
            _delivery(),
            Event(timedelta(minutes=40), "OPEN"),
            Event(timedelta(minutes=41), "CLICK"),
        ),
        expected=Expectation("CLICKED"),
        isp="Yahoo",
    ),
    Story(
        name="opened-often",
        sentence="The mail was opened forty times in two days, as by a mail scanner.",
        events=(
            _send(),
            _delivery(),
            *(Event(timedelta(hours=1.2) * n, "OPEN") for n in range(1, 41)),
        ),
        expected=Expectation("OPENED"),
        isp="Hotmail",
    ),
    Story(
        name="bounce-general-mailbox",
        sentence="A hard bounce without a reason; the diagnostic code says: no such mailbox.",
        events=(_send(), _bounce("PERMANENT", "General", NO_SUCH_USER)),
        expected=_bounced("medium", "General"),
    ),
    Story(
        name="bounce-general-blocked",
        sentence="A hard bounce without a reason; the diagnostic code says: sender blocked.",
        events=(_send(), _bounce("PERMANENT", "General", BLOCKED)),
        expected=_bounced("high", "General"),
        isp="Hotmail",
    ),
    Story(
        name="bounce-noemail",
        sentence="The address does not exist.",
        events=(_send(), _bounce("PERMANENT", "NoEmail", NO_SUCH_USER)),
        expected=_bounced("medium", "NoEmail"),
    ),
    Story(
        name="bounce-suppressed",
        sentence="The address is on SES's global suppression list; delivery was not attempted.",
        events=(_send(), _bounce("PERMANENT", "Suppressed", SUPPRESSED)),
        expected=_bounced("medium", "Suppressed"),
        isp="UNKNOWN_ISP",
    ),
    Story(
        name="bounce-account-list",
        sentence="The address is on the account's own suppression list, as SES spells it here.",
        events=(_send(), _bounce("PERMANENT", "ON_ACCOUNT_SUPPRESSION_LIST")),
        expected=_bounced("low", "ON_ACCOUNT_SUPPRESSION_LIST"),
        isp="UNKNOWN_ISP",
    ),
    Story(
        name="bounce-account-list-event",
        sentence="The address is on the account's own suppression list, spelled as in SES events.",
        events=(_send(), _bounce("PERMANENT", "OnAccountSuppressionList")),
        expected=_bounced("low", "OnAccountSuppressionList"),
        isp="UNKNOWN_ISP",
    ),
    Story(
        name="bounce-new-subtype",
        sentence="A hard bounce of a subtype that SES adds later.",
        events=(_send(), _bounce("PERMANENT", "MailboxRetired", NO_SUCH_USER)),
        expected=_bounced("medium", "MailboxRetired"),
    ),
    Story(
        name="bounce-bare",
        sentence="A hard bounce of which SES says neither subtype nor diagnostic code.",
        events=(_send(), _bounce("PERMANENT")),
        expected=_bounced("medium"),
        isp="UNKNOWN_ISP",
    ),
    Story(
        name="transient",
        sentence="The mailbox was full: a soft bounce, and no alert.",
        events=(
            _send(),
            _bounce(
                "TRANSIENT",
                "MailboxFull",
                "smtp; 452 4.2.2 The recipient's mailbox is over its storage limit",
                after=timedelta(seconds=30),
            ),
        ),
        expected=Expectation("TRANSIENT_BOUNCE"),
    ),
    Story(
        name="undetermined",
        sentence="A bounce of which SES cannot tell the kind: no alert.",
        events=(_send(), _bounce("UNDETERMINED", "Undetermined", after=timedelta(minutes=1))),
        expected=Expectation("UNDETERMINED_BOUNCE"),
        isp="UNKNOWN_ISP",
    ),
    Story(
        name="delayed",
        sentence="The recipient's server puts SES off, and SES never says more.",
        events=(_send(), Event(timedelta(minutes=10), "DELIVERY_DELAY")),
        expected=Expectation("DELAYED"),
    ),
    Story(
        name="delayed-then-delivered",
        sentence="The recipient's server put SES off twice and took the mail after three hours.",
        events=(
            _send(),
            Event(timedelta(minutes=10), "DELIVERY_DELAY"),
            Event(timedelta(hours=1), "DELIVERY_DELAY"),
            _delivery(timedelta(hours=3)),
        ),
        expected=Expectation("DELIVERED"),
        isp="Yahoo",
    ),
    Story(
        name="delivered-then-bounced",
        sentence="The server took the mail and sent it back two days later.",
        events=(
            _send(),
            _delivery(),
            _bounce("PERMANENT", "General", NO_SUCH_USER, after=timedelta(days=2, hours=4)),
        ),
        expected=_bounced("medium", "General"),
    ),
    *(
        Story(
            name=f"complaint-{feedback}",
            sentence=f"The mail was delivered; after half an hour {sentence}",
            events=(_send(), _delivery(), _complaint(feedback, after=timedelta(minutes=30))),
            expected=_complained(severity, feedback),
            isp="Yahoo",
        )
        for feedback, severity, sentence in (
            ("abuse", "high", "the recipient pressed 'spam'."),
            ("fraud", "critical", "it was reported as phishing."),
            ("virus", "critical", "it was reported as carrying a virus."),
            ("other", "high", "a report of no registered kind came."),
            ("auth-failure", "medium", "a machine reported that DKIM or DMARC failed."),
            ("not-spam", "info", "the recipient took it out of the spam folder."),
        )
    ),
    Story(
        name="complaint-none",
        sentence="The mail was delivered; a complaint came that carries no details at all.",
        events=(_send(), _delivery(), _complaint(after=timedelta(minutes=30))),
        expected=_complained("high"),
        isp="UNKNOWN_ISP",
    ),
    Story(
        name="complaint-late",
        sentence="The mail was delivered and opened; the complaint came four days later.",
        events=(
            _send(),
            _delivery(),
            Event(timedelta(days=4), "OPEN"),
            _complaint("abuse", after=timedelta(days=4, hours=6)),
        ),
        expected=_complained("high", "abuse"),
        isp="Hotmail",
    ),
    Story(
        name="complaint-account-list",
        sentence="The address complained before; SES took the mail and did not attempt it.",
        events=(_send(), _complaint(None, "OnAccountSuppressionList", after=SOON)),
        expected=_complained("low"),
        isp="UNKNOWN_ISP",
    ),
    Story(
        name="complaint-twice",
        sentence="The recipient complained of abuse twice, then of fraud: two alerts, not three.",
        events=(
            _send(),
            _delivery(),
            # All before insights show: a look that found the first alone would be the last one.
            _complaint("abuse", after=timedelta(minutes=2)),
            _complaint("abuse", after=timedelta(minutes=3)),
            _complaint("fraud", after=timedelta(minutes=4)),
        ),
        expected=Expectation(
            "COMPLAINT",
            (*_complained("high", "abuse").alerts, *_complained("critical", "fraud").alerts),
        ),
        isp="Yahoo",
    ),
    Story(
        name="rejected",
        sentence="SES found a virus in the mail and did not attempt it.",
        events=(_send(), Event(SOON, "REJECT")),
        expected=Expectation("REJECTED", (ExpectedAlert(alert_type="REJECT", severity="high"),)),
        isp="UNKNOWN_ISP",
    ),
    Story(
        name="rendering-failure",
        sentence="The template could not be filled in, so there is not even a SEND.",
        events=(Event(SOON, "RENDERING_FAILURE"),),
        expected=Expectation(
            "RENDERING_FAILURE", (ExpectedAlert(alert_type="RENDERING_FAILURE", severity="high"),)
        ),
        isp="UNKNOWN_ISP",
    ),
    Story(
        name="subscription",
        sentence="The recipient used the unsubscribe link: no alert, the mail is delivered.",
        events=(_send(), _delivery(), Event(timedelta(hours=2), "SUBSCRIPTION")),
        expected=Expectation("DELIVERED"),
    ),
    # What SES answers for mail that it does not track: a probe of real SES (2026-09-21) got a 404;
    # the API reference can be read as "nothing but SEND". So there are both.
    Story(
        name="several-recipients",
        sentence="A mail with several recipients, which SES does not track: every look is a 404.",
        events=(_send(),),
        expected=Expectation("NOT_FOUND"),
        visible_after=None,
    ),
    Story(
        name="simulator",
        sentence="A mail to SES's mailbox simulator, which SES does not track: a 404 each time.",
        events=(_send(),),
        expected=Expectation("NOT_FOUND"),
        isp="UNKNOWN_ISP",
        visible_after=None,
    ),
    Story(
        name="untracked-send",
        sentence="A mail that SES does not track, if it then shows nothing but SEND.",
        events=(_send(),),
        expected=Expectation("SENT"),
        isp="UNKNOWN_ISP",
    ),
    Story(
        name="many-destinations",
        sentence="Three destinations in one answer: delivered, bounced and complained.",
        events=(_send(), _delivery()),
        others=(
            (_send(), _bounce("PERMANENT", "NoEmail", NO_SUCH_USER)),
            (_send(), _delivery(), _complaint("abuse", after=timedelta(minutes=30))),
        ),
        expected=Expectation(
            "COMPLAINT",
            (*_bounced("medium", "NoEmail").alerts, *_complained("high", "abuse").alerts),
        ),
    ),
    Story(
        name="late",
        sentence="The mail is delivered at once, but its insights first show after an hour.",
        events=(_send(), _delivery()),
        expected=Expectation("DELIVERED"),
        visible_after=timedelta(hours=1),
    ),
    Story(
        name="never",
        sentence="SES never tracked the mail: every look is a 404.",
        events=(_send(), _delivery()),
        expected=Expectation("NOT_FOUND"),
        visible_after=None,
    ),
    Story(
        name="expired",
        sentence="The mail was sent 31 days ago, and SES has forgotten it: every look is a 404.",
        events=(_send(), _delivery()),
        expected=Expectation("NOT_FOUND"),
        age=timedelta(days=31),
    ),
    Story(
        name="new-event-type",
        sentence="The mail was delivered, then SES reports a type of event it adds later.",
        events=(_send(), _delivery(), Event(timedelta(hours=1), "ARCHIVED")),
        expected=Expectation("DELIVERED"),
    ),
    Story(
        name="missing-fields",
        sentence="Delivered; SES says neither subject, nor tags, nor ISP.",
        events=(_send(), _delivery()),
        expected=Expectation("DELIVERED"),
        isp=None,
        missing=frozenset({"Subject", "EmailTags"}),
    ),
    Story(
        name="undated",
        sentence="The address does not exist; SES gives no time for the bounce.",
        events=(
            _send(),
            Event(SOON, "BOUNCE", _bounce("PERMANENT", "NoEmail").details, dated=False),
        ),
        expected=_bounced("medium", "NoEmail"),
    ),
    Story(
        name="huge",
        sentence="Over 5,000 events of 50 destinations, one of which bounced, one complained.",
        events=_BUSY,
        others=(
            (_send(), _bounce("PERMANENT", "NoEmail", NO_SUCH_USER)),
            (_send(), _delivery(), _complaint("abuse", after=timedelta(minutes=30))),
            *(_BUSY,) * 47,
        ),
        expected=Expectation(
            "COMPLAINT",
            (*_bounced("medium", "NoEmail").alerts, *_complained("high", "abuse").alerts),
        ),
    ),
    Story(
        name="huge-engagement",
        sentence="One destination opened and clicked 4,997 times, and complained in the end.",
        events=(
            _send(),
            _delivery(),
            *_engagement(4997, every=timedelta(seconds=50)),
            _complaint("abuse", after=timedelta(days=3)),
        ),
        expected=_complained("high", "abuse"),
    ),
    Story(
        name="hostile-subject",
        sentence="The address does not exist, and the subject tries to break what shows it.",
        events=(_send(), _bounce("PERMANENT", "NoEmail", NO_SUCH_USER)),
        expected=_bounced("medium", "NoEmail"),
        subject=HOSTILE_SUBJECT,
    ),
)

LISTED_ALONE = Expectation(
    "NOT_FOUND",
    (ExpectedAlert(alert_type="BOUNCE", severity="medium", source="suppressionList"),),
)
"""What must come of a mail to several recipients of whom one bounced: no look shows it."""

STORIES: Mapping[str, Story] = MappingProxyType({story.name: story for story in _ALL})

MISSING: Mapping[str, Expectation] = MappingProxyType(
    {
        # Right in form, but SES has never given it out: 404.
        "0102019fa36a2608-00000000-0000-4000-8000-000000000000-000000": Expectation("NOT_FOUND"),
        # Not of the form of SES's ids, though made of their characters: 400.
        "0102019fa36a2608-6c9654bb-dc58-4957-8828": Expectation("INVALID"),
        "not-an-id-of-ses": Expectation("INVALID"),
    }
)
"""Ids that SES never gave out, and what must be stored for each."""

DEFAULT = STORIES["delivered"]
SEVERAL_RECIPIENTS = STORIES["several-recipients"]
UNTRACKED_SEND = STORIES["untracked-send"]
NOT_ATTEMPTED = STORIES["bounce-account-list-event"]
"""What becomes of a mail to an address that is on the account's suppression list."""

SIMULATOR_DOMAIN = "simulator.amazonses.com"


def story_for(recipients: Sequence[str]) -> Story:
    """The story of a mail to these addresses, as GetMessageInsights tells it.

    Where there are several, it tells nothing of what becomes of each.
    """
    first = _story_of(recipients[0])
    if len(recipients) > 1:
        return UNTRACKED_SEND if first is UNTRACKED_SEND else SEVERAL_RECIPIENTS
    return first


def timelines(recipients: Sequence[str], story: Story) -> Iterator[tuple[str, tuple[Event, ...]]]:
    """What really becomes of a mail, by destination, whether GetMessageInsights tells it or not."""
    if len(recipients) > 1:
        yield from ((each, _story_of(each).events) for each in recipients)
    else:
        yield from told(recipients, story)


def told(recipients: Sequence[str], story: Story) -> Iterator[tuple[str, tuple[Event, ...]]]:
    """What GetMessageInsights tells of a mail, by destination."""
    yield from ((each, story.events) for each in recipients)
    local, _, domain = recipients[0].rpartition("@")
    for number, events in enumerate(story.others, start=2):
        yield f"{local}.{number}@{domain}", events


def _story_of(recipient: str) -> Story:
    local, _, domain = recipient.lower().rpartition("@")
    if domain == SIMULATOR_DOMAIN:
        return STORIES["simulator"]
    return STORIES.get(local.partition("+")[0], DEFAULT)


def address_of(story: Story, label: str = "") -> str:
    """An address that makes the stand-in choose this story."""
    return f"{story.name}{f'+{label}' if label else ''}@stories.example"
