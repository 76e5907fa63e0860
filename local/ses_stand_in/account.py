"""What the stand-in knows, and what it answers to a call. No I/O; clocks are handed in."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from local.ses_stand_in.mail import Mail, Payload, auto_tags, new_message_id
from local.ses_stand_in.pace import Call, RateLimit, Report, report_on
from local.ses_stand_in.settings import FaultKind, Settings
from local.ses_stand_in.stories import story_for
from local.ses_stand_in.wire import (
    FAULTS,
    MALFORMED_ID,
    MESSAGE_ID,
    THROTTLED,
    UNKNOWN_ID,
    VDM_OFF,
    Refusal,
    ShapeError,
    bad_request,
    check,
)

LONGEST_ADDRESS = 320
LONGEST_SUBJECT = 998


class Account:
    """An SES account in one Region: its switches, the mail it sent, the calls it got."""

    def __init__(self, settings: Settings) -> None:
        self._first_settings = settings
        self.reset()

    def reset(self) -> None:
        """Begin anew, with the settings of the start."""
        self.settings = self._first_settings
        self.ahead = timedelta(0)
        """How far the stories are ahead of the clock."""
        self.mails: dict[str, Mail] = {}
        self.calls: list[Call] = []
        self._limit = RateLimit()

    def advance(self, by: timedelta) -> None:
        """Let time pass in all stories, those of mail sent from now on as well.

        The rate limit goes by a clock of its own.
        """
        self.ahead += by

    def forget_calls(self) -> None:
        """Begin a new report. The rate limit goes on: it never forgets the last call."""
        self.calls = []

    def report(self) -> Report:
        """The report on the calls so far."""
        return report_on(self.calls, self.settings.period_seconds)

    def send(self, request: Mapping[str, Any], *, now: datetime, unique: UUID) -> Mail | Refusal:
        """Take a SendEmail request."""
        try:
            check("SendEmail", "input", request)
        except ShapeError as error:
            return bad_request(str(error))
        recipients = _recipients(request)
        if wrong := _wrong_with(request, recipients):
            return bad_request(wrong)
        story = story_for(recipients)
        sent_at = now + self.ahead - story.age
        # SES gives times to the millisecond, and a time once given must not change.
        sent_at = sent_at.replace(microsecond=sent_at.microsecond // 1000 * 1000)
        sender = request["FromEmailAddress"]
        tags = [(tag["Name"], tag["Value"]) for tag in request.get("EmailTags", [])]
        mail = Mail(
            message_id=new_message_id(sent_at, unique),
            from_email_address=sender,
            subject=request["Content"]["Simple"]["Subject"]["Data"],
            tags=(*tags, *auto_tags(sender, request.get("ConfigurationSetName"))),
            recipients=tuple(recipients),
            story=story,
            sent_at=sent_at,
            speed=self.settings.speed,
        )
        self.mails[mail.message_id] = mail
        return mail

    def arrive(self, message_id: str, *, arrival: float) -> Call:
        """Log a call to GetMessageInsights and decide whether the rate limit takes it.

        A call that comes too early spends no fault. A switched-on 429 takes no slot; every other
        fault takes one: the request has arrived, and its sender cannot know that SES, which is
        failing, has not counted it.
        """
        fault = self.settings.fault
        refused = fault is FaultKind.THROTTLED
        accepted = not refused and self._limit.admits(arrival, self.settings.period_seconds)
        if accepted or refused:
            self.settings = self.settings.after_fault()
        else:
            fault = None
        call = Call(arrival=arrival, message_id=message_id, accepted=accepted, fault=fault)
        self.calls.append(call)
        return call

    def answer(self, call: Call, *, now: datetime) -> Payload | Refusal:
        """What this call is answered, in the order in which SES finds out."""
        if call.fault is not None:
            return FAULTS[call.fault]
        if not call.accepted:
            return THROTTLED
        if not self.settings.vdm:
            return VDM_OFF
        if not MESSAGE_ID.fullmatch(call.message_id):
            return MALFORMED_ID
        mail = self.mails.get(call.message_id)
        return (mail and mail.insights(now + self.ahead)) or UNKNOWN_ID


def _recipients(request: Mapping[str, Any]) -> list[str]:
    destination = request.get("Destination", {})
    fields = ("ToAddresses", "CcAddresses", "BccAddresses")
    return [parseaddr(name)[1] for field in fields for name in destination.get(field, [])]


def _wrong_with(request: Mapping[str, Any], recipients: list[str]) -> str | None:
    """Why this SendEmail request, right in shape, cannot be taken."""
    sender = request.get("FromEmailAddress", "")
    if not all((sender, recipients, *recipients)):
        return "FromEmailAddress or an address in Destination is missing"
    if max(map(len, (sender, *recipients))) > LONGEST_ADDRESS:
        return f"An address has at most {LONGEST_ADDRESS} characters"
    if "Simple" not in request["Content"]:
        return "Content: the stand-in takes Simple only"
    if len(request["Content"]["Simple"]["Subject"]["Data"]) > LONGEST_SUBJECT:
        return f"Subject has at most {LONGEST_SUBJECT} characters"
    return None
