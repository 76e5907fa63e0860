"""`python -m local.incident NAME`: break a part of `make local`, to rehearse the runbook."""

from __future__ import annotations

import argparse
import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Final
from uuid import uuid4

from local.actors.operator import FollowUps, break_function, repair_function, switch_trigger
from local.actors.pipeline import Pipeline
from local.scenario import NO_IDS
from local.send import send
from local.ses_stand_in.settings import Fault, Operation
from local.ses_stand_in.settings import FaultKind as Ses
from local.ses_stand_in.suppression import Reason
from local.stack.attached import attach
from local.stack.child import LocalRunError
from local.stack.faults.control import FaultKind as Aws
from local.stack.faults.control import Service
from local.stack.observe import Row, message_row
from local.stack.run import LocalRun
from ses_insights.contracts.names import TABLE_KEYS
from ses_insights.domain.times import instant, iso

END: Final = "end"

LOOK: Final = (Operation.GET_MESSAGE_INSIGHTS,)
LIST: Final = (Operation.LIST_SUPPRESSED_DESTINATIONS, Operation.GET_SUPPRESSED_DESTINATION)

BOUNCES: Final = ("bounce-noemail",)
"""The story of the mail that most incidents happen to: it raises an alert."""

LATE: Final = ("complaint-late",)
"""The story of a mail that the suppression list shows long before its next rung."""

MANY: Final = 180
"""Mails at once: three minutes of looks."""

JUDGED: Final = 25
"""Ids that SES does not know: above the number from which an hour's coverage is judged."""

TOO_LATE: Final = timedelta(hours=31)
"""Later than a look that is given up, and than the lag at which an alarm warns."""

LOOK_SECONDS: Final = 120.0
"""Until a mail has had its first look, here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that breaks, and where the runbook speaks of it."""

    name: str
    section: str
    """Of the page that says what to do; in the runbook, the alarm that comes on AWS."""
    page: str = "runbook.md"
    what: str
    """What is done to the running stack."""
    see: str
    """Where a person sees it here."""
    begin: Callable[[LocalRun], object]
    mail: tuple[str, ...] = BOUNCES
    """Stories that are sent and enqueued once it has begun, so that something meets it."""

    def link(self) -> str:
        """Where the page says what to do, as Markdown."""
        return f"[{self.section}]({self.page}#{self.section.lower().replace(' ', '-')})"


def begin(run: LocalRun, incident: Incident) -> None:
    """Let an incident begin, and give it something to happen to."""
    incident.begin(run)
    if incident.mail:
        _enqueue(*send(run, incident.mail))(run)


def end(run: LocalRun) -> None:
    """End every incident, whichever have begun. What is parked stays parked."""
    run.ses.change(vdm=True, suppressed_reasons=list(Reason), faults=())
    run.faults.heal()
    for function in (run.lookup_function, run.followups_function):
        repair_function(run, function)
    switch_trigger(run, on=True)
    FollowUps(run).switch_schedule(on=True)


def _ses(kind: Ses, operations: Sequence[Operation] = LOOK) -> Callable[[LocalRun], object]:
    faults = [Fault(kind, None, operation) for operation in operations]
    return lambda run: run.ses.change(faults=faults)


def _aws(service: Service, kind: Aws) -> Callable[[LocalRun], object]:
    return lambda run: run.faults.fail(service, kind)


def _enqueue(*bodies: str) -> Callable[[LocalRun], object]:
    def enqueue(run: LocalRun) -> None:
        pipeline = Pipeline.of(run)
        for body in bodies:
            pipeline.enqueue(body)

    return enqueue


def _turn_vdm_off(run: LocalRun) -> None:
    run.ses.change(vdm=False)


def _turn_list_off(run: LocalRun) -> None:
    run.ses.change(suppressed_reasons=[])


def _enqueue_foreign_ids(run: LocalRun) -> None:
    _enqueue(*(f"0102019fa36a2608-{uuid4()}-000000" for _ in range(JUDGED)))(run)


def _send_many(run: LocalRun) -> None:
    _enqueue(*send(run, ["delivered"], number=MANY))(run)


def _enqueue_in_another_group(run: LocalRun) -> None:
    pipeline = Pipeline.of(run)
    for message_id in send(run, ["delivered"], number=3):
        pipeline.enqueue(message_id, group="orders")


def _make_looks_late(run: LocalRun) -> None:
    """Send mails, wait for their first looks, and move their times back."""
    ids = send(run, ["delivered"], number=3)
    _enqueue(*ids)(run)
    deadline = time.monotonic() + LOOK_SECONDS
    for message_id in ids:
        while not (row := message_row(run, message_id)):
            if time.monotonic() > deadline:
                raise LocalRunError("The mails got no first look: end other incidents first.")
            time.sleep(0.5)
        _move_back(run, row)


def _move_back(run: LocalRun, row: Row) -> None:
    names = ("SentAt", "FirstLookAt", "LastLookAt", "NextLookAt")
    earlier = {f":{each}": iso(instant(row[each]) - TOO_LATE) for each in names}
    run.session.resource("dynamodb").Table(run.table_name).update_item(
        Key={each: row[each] for each in TABLE_KEYS},
        UpdateExpression="SET " + ", ".join(f"{each} = :{each}" for each in names),
        ExpressionAttributeValues=earlier,
    )


def _stop_trigger(run: LocalRun) -> None:
    switch_trigger(run, on=False)


def _stop_schedule(run: LocalRun) -> None:
    FollowUps(run).switch_schedule(on=False)


def _break_lookup(run: LocalRun) -> None:
    break_function(run, run.lookup_function)


def _break_followups(run: LocalRun) -> None:
    break_function(run, run.followups_function)


def _all() -> Iterator[Incident]:
    yield Incident(
        name="vdm-off",
        section="VdmOff",
        what="Virtual Deliverability Manager is turned off.",
        see="`insights status` says so; the log has kind VdmOff; the id stays in the queue.",
        begin=_turn_vdm_off,
    )
    yield Incident(
        name="ses-throttled",
        section="SesThrottling",
        what="Another caller takes every slot: SES answers each look with 429.",
        see="The log has kind SesThrottled; the id stays in the queue.",
        begin=_ses(Ses.THROTTLED),
    )
    yield Incident(
        name="ses-down",
        section="SystemFailures",
        what="SES answers each look with 503.",
        see="The log has kind SesUnavailable; the id stays in the queue.",
        begin=_ses(Ses.UNAVAILABLE),
    )
    yield Incident(
        name="ses-hangs",
        section="SystemFailures",
        what="SES answers no look at all; each ends by its time-out after five seconds.",
        see="The log has kind SesUnavailable; the id stays in the queue.",
        begin=_ses(Ses.HANG),
    )
    yield Incident(
        name="ses-denied",
        section="SystemFailures",
        what="The permission ses:GetMessageInsights is taken away.",
        see="The log has kind AccessDenied and names the action in `what`.",
        begin=_ses(Ses.ACCESS_DENIED),
    )
    yield Incident(
        name="credentials-expired",
        section="SystemFailures",
        what="The credentials of the function's role have expired.",
        see="The log has kind Credentials.",
        begin=_ses(Ses.EXPIRED_CREDENTIALS),
    )
    yield Incident(
        name="dynamodb-down",
        section="SystemFailures",
        what="DynamoDB answers every request of the functions with 500.",
        see="The log has kind DynamoDb, of both functions.",
        begin=_aws(Service.DYNAMODB, Aws.INTERNAL),
    )
    yield Incident(
        name="dynamodb-throttled",
        section="SystemFailures",
        what="DynamoDB throttles every request of the functions.",
        see="The log has kind DynamoDb, of both functions.",
        begin=_aws(Service.DYNAMODB, Aws.THROTTLED),
    )
    yield Incident(
        name="dynamodb-denied",
        section="SystemFailures",
        what="The permissions of the functions on the table are taken away.",
        see="The log has kind AccessDenied.",
        begin=_aws(Service.DYNAMODB, Aws.ACCESS_DENIED),
    )
    yield Incident(
        name="sns-down",
        section="SystemFailures",
        what="SNS answers with 500: the look is stored, and its alert waits.",
        see="`insights status` counts the pending alert; the log has kind Sns. "
        "When it is over, the alert is published.",
        begin=_aws(Service.SNS, Aws.INTERNAL),
    )
    yield Incident(
        name="sqs-down",
        section="FollowUpFailures",
        what="SQS refuses what the functions send: due looks do not reach the queue.",
        see="The log of followups has kind Sqs; `insights status` shows what is due.",
        begin=_aws(Service.SQS, Aws.UNAVAILABLE),
        mail=("delivered",),
    )
    yield Incident(
        name="list-throttled",
        section="FollowUpFailures",
        what="Another program reads the suppression list: SES answers with 429.",
        see="After three runs the log of followups has kind SesThrottled. What bounces late is "
        "published at its next rung.",
        begin=_ses(Ses.THROTTLED, LIST),
        mail=LATE,
    )
    yield Incident(
        name="list-denied",
        section="FollowUpFailures",
        what="The permissions to read the suppression list are taken away.",
        see="The log of followups has kind AccessDenied and names the action in `what`.",
        begin=_ses(Ses.ACCESS_DENIED, LIST),
        mail=LATE,
    )
    yield Incident(
        name="list-off",
        section="What the list does not have",
        page="feedback.md",
        what="The account's suppression list is off for bounces and complaints.",
        see="`insights doctor` says so. A late complaint is published at its next rung.",
        begin=_turn_list_off,
        mail=LATE,
    )
    yield Incident(
        name="lookup-crashes",
        section="LookupErrors",
        what="A version of lookup is deployed that cannot start.",
        see="The log has `Worker init failed`, and no look; the id comes back after three minutes.",
        begin=_break_lookup,
    )
    yield Incident(
        name="followups-crashes",
        section="FollowupsErrors",
        what="A version of followups is deployed that cannot start.",
        see="The log has `Worker init failed`, once a minute.",
        begin=_break_followups,
    )
    yield Incident(
        name="followups-stopped",
        section="FollowUpsNotRunning",
        what="The schedule of followups is disabled.",
        see="`insights status` shows ever more that is due; no line `due` in the log.",
        begin=_stop_schedule,
        mail=LATE,
    )
    yield Incident(
        name="trigger-off",
        section="OldestMessage",
        what="The trigger of lookup is disabled: the queue stands still.",
        see="`insights status` shows what waits, and no new look.",
        begin=_stop_trigger,
    )
    yield Incident(
        name="burst",
        section="OldestMessage",
        what=f"{MANY} mails are sent at once, three minutes of looks.",
        see="`insights watch` shows the queue drain by one a second.",
        begin=_send_many,
        mail=(),
    )
    yield Incident(
        name="looks-late",
        section="LooksGivenUp",
        what="Three mails are looked at, and their next looks are made 31 hours late.",
        see="Within a minute the log of followups has `due` with that `lag`, and `shed`; "
        "`insights show` says that the looks were given up.",
        begin=_make_looks_late,
        mail=(),
    )
    yield Incident(
        name="dead-letters",
        section="DeadLetters",
        what=f"{len(NO_IDS)} bodies are enqueued that hold no message id.",
        see="`insights parked` lists them; `insights parked drop` deletes them.",
        begin=_enqueue(*NO_IDS),
        mail=(),
    )
    yield Incident(
        name="foreign-ids",
        section="Coverage",
        what=f"{JUDGED} ids are enqueued that SES does not know, as of another account.",
        see="`insights find --status NOT_FOUND` lists them; the log counts them as not covered.",
        begin=_enqueue_foreign_ids,
        mail=(),
    )
    yield Incident(
        name="foreign-group",
        section="ForeignGroup",
        what="Three ids are enqueued with another MessageGroupId than `looks`.",
        see="The log has `of another message group`; the ids are looked at after a second wait.",
        begin=_enqueue_in_another_group,
        mail=(),
    )


INCIDENTS: Final[Mapping[str, Incident]] = MappingProxyType({each.name: each for each in _all()})


def main(arguments: Sequence[str] | None = None) -> int:
    """Begin or end; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m local.incident",
        description="Break a part of the running `make local`, to rehearse docs/runbook.md.",
    )
    parser.add_argument(
        "name", nargs="?", choices=[*INCIDENTS, END], metavar="NAME", help="one of those listed"
    )
    name: str | None = parser.parse_args(arguments).name
    if name is None:
        print(listing())
        return 0
    try:
        run = attach(os.environ)
        if name == END:
            end(run)
            print("Nothing is broken any more. What waits comes back within 15 minutes.")
        else:
            begin(run, INCIDENTS[name])
            print(started(INCIDENTS[name]))
    except LocalRunError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def listing() -> str:
    """Every incident, with the section of the runbook that it rehearses."""
    width = max(map(len, INCIDENTS))
    lines = [f"{each.name:<{width}}  {each.what}" for each in INCIDENTS.values()]
    return "\n".join([*lines, f"{END:<{width}}  Nothing is broken any more."])


def started(incident: Incident) -> str:
    """What has begun, where to see it, what to read, and how to end it."""
    lines = [
        incident.what,
        f"You see: {incident.see}",
        f"What to do stands in docs/{incident.page}, {incident.section}.",
        """The log: tail -f "$LOCAL_LOG" | grep -e 'system failure' -e 'init failed'""",
        f"To end it: python -m local.incident {END}",
    ]
    return "\n".join(textwrap.fill(line, 96, subsequent_indent="  ") for line in lines)


if __name__ == "__main__":
    sys.exit(main())
