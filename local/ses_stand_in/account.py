"""What the stand-in knows, and what it answers to a call. No I/O; clocks are handed in."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any
from uuid import UUID

from local.ses_stand_in.mail import Mail, Payload, auto_tags, new_message_id
from local.ses_stand_in.pace import Call, RateLimit, Report, report_on
from local.ses_stand_in.settings import FaultKind, Operation, Settings
from local.ses_stand_in.stories import NOT_ATTEMPTED, story_for
from local.ses_stand_in.suppression import LONGEST_PAGE, Reason, SuppressionList, UnknownTokenError
from local.ses_stand_in.wire import (
    INVALID_TOKEN,
    MALFORMED_ID,
    MESSAGE_ID,
    NOT_LISTED,
    THROTTLED,
    UNKNOWN_ID,
    VDM_OFF,
    Refusal,
    ShapeError,
    bad_request,
    check,
    refusal,
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
        self.suppressed = SuppressionList()
        self._limits = {operation: RateLimit() for operation in Operation}

    def advance(self, by: timedelta, *, now: datetime) -> None:
        """Let time pass in all stories, those of mail sent from now on as well.

        The rate limit goes by a clock of its own.
        """
        self._settle(now)
        self.ahead += by
        self._settle(now)

    def finish(self, message_id: str, *, now: datetime) -> None:
        """Let all that is still to come of a mail's story happen now. Raises KeyError."""
        mail = replace(self.mails[message_id], finished_at=now + self.ahead)
        self.mails[message_id] = mail
        self.suppressed.expect(mail.coming())

    def change(self, settings: Settings, *, now: datetime) -> None:
        """Set the switches from now on: what has happened before goes by those before."""
        self._settle(now)
        self.settings = settings

    def forget_calls(self) -> None:
        """Begin a new report. The rate limit goes on: it never forgets the last call."""
        self.calls = []

    def calls_of(self, operation: Operation) -> list[Call]:
        """The calls of an operation, in the order of their arrival."""
        return [call for call in self.calls if call.operation is operation]

    def report(self, operation: Operation) -> Report:
        """The report on the calls of an operation so far."""
        return report_on(self.calls_of(operation), self.settings.period_seconds)

    def send(self, request: Mapping[str, Any], *, now: datetime, unique: UUID) -> Mail | Refusal:
        """Take a SendEmail request."""
        try:
            check("SendEmail", "input", request)
        except ShapeError as error:
            return bad_request(str(error))
        recipients = _recipients(request)
        if wrong := _wrong_with(request, recipients):
            return bad_request(wrong)
        self._settle(now)
        story = story_for(recipients)
        if len(recipients) == 1 and self._is_suppressed(recipients[0]):
            story = NOT_ATTEMPTED
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
        self.suppressed.expect(mail.coming())
        return mail

    def arrive(
        self, operation: Operation, *, arrival: float, message_id: str = "", address: str = ""
    ) -> Call:
        """Log a call and decide whether the rate limit of its operation takes it.

        A call that comes too early spends no fault. A switched-on 429 takes no slot; every other
        fault takes one: the request has arrived, and its sender cannot know that SES, which is
        failing, has not counted it.
        """
        fault = self.settings.fault(operation)
        refused = fault is FaultKind.THROTTLED
        limit = self._limits[operation]
        accepted = not refused and limit.admits(arrival, self.settings.period_seconds)
        if accepted or refused:
            self.settings = self.settings.after_fault(operation)
        else:
            fault = None
        call = Call(
            arrival=arrival,
            operation=operation,
            message_id=message_id,
            address=address,
            accepted=accepted,
            fault=fault,
        )
        self.calls.append(call)
        return call

    def answer(
        self, call: Call, parameters: Mapping[str, Any], *, now: datetime
    ) -> Payload | Refusal:
        """What this call is answered, in the order in which SES finds out."""
        if call.fault is not None and (failed := refusal(call.fault, call.operation)):
            return failed
        if not call.accepted:
            return THROTTLED
        self._settle(now)
        match call.operation:
            case Operation.GET_MESSAGE_INSIGHTS:
                return self._insights(call.message_id, now)
            case Operation.LIST_SUPPRESSED_DESTINATIONS:
                return self._listed(parameters, now)
            case Operation.GET_SUPPRESSED_DESTINATION:
                return self._entry(call.address, with_id=call.fault is not FaultKind.NO_ID)
            case Operation.GET_ACCOUNT:
                return self._account()

    def unlist(self, address: str, *, now: datetime) -> Payload | Refusal:
        """Take an address off the suppression list: mail to it is attempted again."""
        self._settle(now)
        return {} if self.suppressed.remove(address) else NOT_LISTED

    def _insights(self, message_id: str, now: datetime) -> Payload | Refusal:
        if not self.settings.vdm:
            return VDM_OFF[self.settings.vdm_off_status]
        if not MESSAGE_ID.fullmatch(message_id):
            return MALFORMED_ID
        mail = self.mails.get(message_id)
        return (mail and mail.insights(now + self.ahead)) or UNKNOWN_ID

    def _listed(self, parameters: Mapping[str, Any], now: datetime) -> Payload | Refusal:
        shown = now - timedelta(seconds=self.settings.list_lag_seconds)
        size = parameters.get("PageSize", LONGEST_PAGE)
        if not 1 <= size <= LONGEST_PAGE:
            return bad_request(f"PageSize is {size}; it must be between 1 and {LONGEST_PAGE}")
        try:
            entries, token = self.suppressed.page(
                reasons=parameters.get("Reasons") or list(Reason),
                since=parameters.get("StartDate"),
                until=min(shown, parameters.get("EndDate", shown)),
                size=size,
                token=parameters.get("NextToken"),
            )
        except UnknownTokenError:
            return INVALID_TOKEN
        summaries = [
            {"EmailAddress": each.address, "Reason": str(each.reason), "LastUpdateTime": each.at}
            for each in entries
        ]
        more = {} if token is None else {"NextToken": token}
        return {"SuppressedDestinationSummaries": summaries, **more}

    def _entry(self, address: str, *, with_id: bool) -> Payload | Refusal:
        entry = self.suppressed.find(address)
        if entry is None:
            return NOT_LISTED
        ids = {"MessageId": entry.message_id, "FeedbackId": entry.feedback_id}
        attributes = {"Attributes": ids} if with_id else {}
        return {
            "SuppressedDestination": {
                "EmailAddress": entry.address,
                "Reason": str(entry.reason),
                "LastUpdateTime": entry.at,
                **attributes,
            }
        }

    def _account(self) -> Payload:
        vdm: Payload = {"VdmEnabled": "DISABLED"}
        if self.settings.vdm:
            vdm = {
                "VdmEnabled": "ENABLED",
                "DashboardAttributes": {"EngagementMetrics": "ENABLED"},
                "GuardianAttributes": {"OptimizedSharedDelivery": "ENABLED"},
            }
        return {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "HEALTHY",
            "ProductionAccessEnabled": True,
            "SendingEnabled": True,
            "SendQuota": {
                "Max24HourSend": 50_000.0,
                "MaxSendRate": 14.0,
                "SentLast24Hours": float(len(self.mails)),
            },
            "SuppressionAttributes": {"SuppressedReasons": list(self.settings.suppressed_reasons)},
            "VdmAttributes": vdm,
        }

    def _is_suppressed(self, recipient: str) -> bool:
        entry = self.suppressed.find(recipient)
        return entry is not None and entry.reason in self.settings.suppressed_reasons

    def _settle(self, now: datetime) -> None:
        reasons = self.settings.suppressed_reasons
        self.suppressed.settle(now, ahead=self.ahead, reasons=reasons)


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
