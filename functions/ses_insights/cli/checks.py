"""What a deployment can get wrong: each verdict from what AWS answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from ses_insights.cli.output import counted, span, to_the_second
from ses_insights.cli.state import State
from ses_insights.contracts.names import Attribute

Answer = Mapping[str, Any]
"""What boto3 returned."""

SOON: Final = timedelta(minutes=5)
"""Followups runs every minute; a run that is older than this is missed."""

MOST_FULL_WAITS: Final = 0.1
LEAST_SLOTS: Final = 0.8
"""Shares of looks and of slots in an hour in which ids waited all the time.

There every slot should be used, but for those that wait for a slow answer or a cold start.
"""

_MOST_NAMED: Final = 8


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked."""

    check: str
    ok: bool | None
    """None where it could not be asked, or nothing can be told yet."""
    found: str
    remedy: str
    """What to do; empty where nothing is to be done."""


@dataclass(frozen=True, slots=True)
class Designed:
    """What the stack's template asks for; AWS may have something else."""

    is_reserved: bool
    """Whether the lookup function's concurrency is reserved."""
    is_protected: bool
    """Whether the table is to be protected against deletion, as one of another stack always is."""

    @classmethod
    def of_template(cls, template: Answer) -> Designed:
        """Read it from a CloudFormation template."""
        resources = list(template.get("Resources", {}).values())
        functions = [_properties(each) for each in resources if each["Type"] == _FUNCTION]
        tables = [_properties(each) for each in resources if each["Type"] == _TABLE]
        return cls(
            is_reserved=any("ReservedConcurrentExecutions" in each for each in functions),
            is_protected=not tables
            or any(
                replica.get("DeletionProtectionEnabled")
                for each in tables
                for replica in each.get("Replicas", [])
            ),
        )


_FUNCTION: Final = "AWS::Lambda::Function"
_TABLE: Final = "AWS::DynamoDB::GlobalTable"


def _properties(resource: Answer) -> Answer:
    found: Answer = resource.get("Properties", {})
    return found


def _verdict(check: str, ok: bool | None, found: str, remedy: str) -> Check:  # noqa: FBT001 - as `Check` has them
    """Return a check; its remedy only where something is wrong."""
    return Check(check, ok, found, remedy if ok is False else "")


# The account


def credentials(identity: Answer, region: str) -> Check:
    """Say as whom and where AWS is asked."""
    return Check("credentials", ok=True, found=f"{identity['Arn']} in {region}", remedy="")


def vdm(account: Answer) -> Check:
    """Virtual Deliverability Manager."""
    state = account.get("VdmAttributes", {}).get("VdmEnabled", "DISABLED")
    return _verdict(
        "vdm",
        state == "ENABLED",
        f"Virtual Deliverability Manager is {_on(state)}",
        "Turn it on in the SES console, Virtual Deliverability Manager, in this Region: with it "
        "off SES refuses every look, and mail sent now is never tracked.",
    )


def engagement_tracking(account: Answer) -> Check:
    """Opens and clicks; a choice, so it is never wrong."""
    dashboard = account.get("VdmAttributes", {}).get("DashboardAttributes", {})
    state = dashboard.get("EngagementMetrics", "DISABLED")
    return Check(
        "engagement-tracking",
        True,  # noqa: FBT003 - a verdict
        f"engagement tracking is {_on(state)}"
        + ("" if state == "ENABLED" else ": SES records no opens and clicks"),
        "" if state == "ENABLED" else "Turn it on in the settings of VDM if you want them.",
    )


def sending(account: Answer) -> Check:
    """Whether SES sends for this account."""
    enabled = account.get("SendingEnabled", False)
    status = str(account.get("EnforcementStatus", "unknown"))
    return _verdict(
        "sending",
        bool(enabled) and status in {"HEALTHY", "unknown"},
        f"sending is {'on' if enabled else 'off'}, and SES calls the account {status}",
        "Read what SES writes in its console, Account dashboard, and in the AWS Health Dashboard; "
        "sending can be paused for too many bounces or complaints.",
    )


def sandbox(account: Answer) -> Check:
    """Whether the account may send to anybody."""
    is_out = bool(account.get("ProductionAccessEnabled"))
    return _verdict(
        "sandbox",
        is_out,
        "the account has production access" if is_out else "the account is in the sandbox",
        "In the sandbox SES sends to verified addresses only: request production access in the SES "
        "console, Account dashboard.",
    )


def suppression_list(account: Answer) -> Check:
    """Whether SES itself stops mail to those who bounced or complained."""
    reasons = set(account.get("SuppressionAttributes", {}).get("SuppressedReasons", []))
    missing = sorted({"BOUNCE", "COMPLAINT"} - reasons)
    return _verdict(
        "suppression-list",
        not missing,
        f"the account's suppression list is on for {', '.join(sorted(reasons)) or 'nothing'}",
        f"Turn it on for {' and '.join(missing)}: aws sesv2 put-account-suppression-attributes "
        "--suppressed-reasons BOUNCE COMPLAINT. Without it SES goes on sending to such addresses.",
    )


# The stack


def stack(found: Answer) -> Check:
    """Whether the last deployment came to a good end."""
    status = str(found.get("StackStatus", "unknown"))
    return _verdict(
        "stack",
        status in {"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"},
        f"the stack {found.get('StackName', '')} is {status}",
        "Wait until the deployment is over, or read its events in the CloudFormation console and "
        "deploy again.",
    )


def one_stack(stacks: Iterable[Answer], own: str, needed: Iterable[str]) -> Check:
    """Whether no other stack of this service asks SES in this account and Region."""
    wanted = set(needed)
    others = sorted(
        str(each["StackName"])
        for each in stacks
        if each["StackName"] != own
        and wanted <= {output.get("OutputKey") for output in each.get("Outputs", [])}
    )
    return _verdict(
        "one-stack",
        not others,
        f"other stacks of SES Insights in this Region: {_named(others) or 'none'}",
        "SES answers one look a second for the whole account and Region: delete the others, or "
        "disable their triggers.",
    )


def trigger(mappings: Sequence[Answer]) -> Check:
    """Whether the queue starts the lookup function."""
    states = [str(each.get("State", "unknown")) for each in mappings]
    return _verdict(
        "trigger",
        len(states) == 1 and states[0] in {"Enabled", "Updating"},
        f"triggers of the lookup function: {', '.join(states) or 'none'}",
        "There has to be one, enabled: aws lambda update-event-source-mapping --enabled --uuid "
        + (str(mappings[0].get("UUID", "UUID")) if mappings else "UUID, or deploy the stack again")
        + ".",
    )


def reserved_concurrency(concurrency: Answer, designed: Designed) -> Check:
    """Whether what keeps looks one at a time is as the stack was configured."""
    number = concurrency.get("ReservedConcurrentExecutions")
    expected = 1 if designed.is_reserved else None
    found = "not reserved" if number is None else f"reserved: {number}"
    return _verdict(
        "reserved-concurrency",
        number == expected,
        f"the lookup function's concurrency is {found}; the stack asks for {expected or 'none'}",
        "Somebody changed it: deploy the stack again. With 0 nothing is looked up; with more than "
        "1 looks may come faster than SES answers.",
    )


def schedule(schedules: Sequence[Answer]) -> Check:
    """Whether followups is started every minute."""
    states = [str(each.get("State", "unknown")) for each in schedules]
    return _verdict(
        "schedule",
        states == ["ENABLED"],
        f"schedules of followups: {', '.join(states) or 'none'}",
        "There has to be one, enabled: enable it in the console of EventBridge Scheduler, or "
        "deploy the stack again. Without it no message is looked up a second time.",
    )


def followups_run(last: datetime | None, at: datetime, since: datetime | None = None) -> Check:
    """Whether followups has run lately, by its log; `since` is when the stack was made."""
    if last is None and since and at - since <= SOON:
        found = f"none yet; the stack was made {_ago(since, at)}"
        return Check("followups-run", ok=None, found=found, remedy="")
    when = f"{to_the_second(last)}, {_ago(last, at)}" if last else "none in the last hour"
    return _verdict(
        "followups-run",
        last is not None and at - last <= SOON,
        f"last run of followups: {when}",
        "Runs come every minute, the first one a minute after the deployment. Look into the log of "
        "the function in the output FollowUpFunctionName.",
    )


def looks(state: State) -> Check:
    """Whether what waits is looked at."""
    return _verdict(
        "looks",
        not state.stands_still,
        f"{state.verdict} Last look: {_last_look(state)}.",
        "Read docs/runbook.md at the alarm that is on; insights status shows more.",
    )


def dead_letters(number: int) -> Check:
    """Whether nothing is parked."""
    return _verdict(
        "dead-letters",
        number == 0,
        f"{counted(number, 'parked message')}",
        "insights parked lists them with their reasons; docs/runbook.md, DeadLetters, says what to "
        "do.",
    )


def alarms(found: Sequence[Answer]) -> Check:
    """Whether no alarm of the stack is on."""
    on = sorted(each["AlarmName"] for each in found if each.get("StateValue") == "ALARM")
    return _verdict(
        "alarms",
        bool(found) and not on,
        f"{counted(len(found), 'alarm')}, of which on: {_named(on) or 'none'}",
        "docs/runbook.md has a section for each."
        if found
        else "The stack has alarms: deploy it again.",
    )


def subscribers(name: str, output: str, subscriptions: Sequence[Answer]) -> Check:
    """Whether somebody gets what a topic publishes."""
    arns = [str(each.get("SubscriptionArn", "")) for each in subscriptions]
    confirmed = [each for each in arns if each.startswith("arn:")]
    pending = [each for each in arns if each == "PendingConfirmation"]
    return _verdict(
        f"{name}-subscribers",
        bool(confirmed),
        f"{len(confirmed):,} confirmed, {len(pending):,} pending",
        "Open the confirmation mail and follow its link; it is good for two days."
        if pending
        else f"Subscribe somebody to the topic of the output {output}: nobody hears of it now.",
    )


def topic_key(key: Answer | None) -> Check:
    """Whether what is published can be encrypted; None where the topic names no key."""
    if key is None:
        return Check(
            "topic-key",
            ok=False,
            found="the topic of operations names no key",
            remedy="What waits in it is not encrypted: deploy the stack again.",
        )
    state = key.get("KeyMetadata", {}).get("KeyState", "unknown")
    return _verdict(
        "topic-key",
        state == "Enabled",
        f"the key of the topics is {state}",
        "Enable the key, or cancel its deletion, in the KMS console: nothing can be published "
        "without it.",
    )


# The table


def time_to_live(answer: Answer) -> Check:
    """Whether rows expire."""
    found = answer.get("TimeToLiveDescription", {})
    status, name = found.get("TimeToLiveStatus", "DISABLED"), found.get("AttributeName", "none")
    return _verdict(
        "time-to-live",
        status in {"ENABLED", "ENABLING"} and name == Attribute.EXPIRES_AT,
        f"time to live is {status}, by the attribute {name}",
        f"Rows are kept for ever: turn it on, with the attribute {Attribute.EXPIRES_AT}.",
    )


def backups(answer: Answer) -> Check:
    """Whether the table can be restored."""
    found = answer.get("ContinuousBackupsDescription", {}).get("PointInTimeRecoveryDescription", {})
    status = found.get("PointInTimeRecoveryStatus", "DISABLED")
    return _verdict(
        "backups",
        status == "ENABLED",
        f"point-in-time recovery is {status}",
        "Turn it on in the DynamoDB console, Backups.",
    )


def deletion_protection(table: Answer, designed: Designed) -> Check:
    """Whether the table is protected as the stack was configured."""
    is_on = bool(table.get("DeletionProtectionEnabled"))
    return _verdict(
        "deletion-protection",
        is_on == designed.is_protected,
        f"deletion protection is {'on' if is_on else 'off'}; the stack asks for "
        f"{'on' if designed.is_protected else 'off'}",
        "Somebody changed it: change it back in the DynamoDB console.",
    )


def encryption(table: Answer) -> Check:
    """Whether the table's key can be used."""
    found = table.get("SSEDescription", {})
    lost = found.get("InaccessibleEncryptionDateTime")
    key = found.get("KMSMasterKeyArn", "a key that AWS owns")
    return _verdict(
        "encryption",
        lost is None and found.get("Status", "ENABLED") in {"ENABLED", "UPDATING", "DISABLED"},
        f"the table is encrypted with {key}"
        + (f", which cannot be used since {lost}" if lost else ""),
        "Enable the key in the KMS console within seven days: then DynamoDB archives the table.",
    )


def indexes(table: Answer, needed: Iterable[str]) -> Check:
    """Whether all indexes are there and filled."""
    states = {
        each["IndexName"]: each.get("IndexStatus")
        for each in table.get("GlobalSecondaryIndexes", [])
    }
    bad = [
        f"{name} {states.get(name, 'missing')}"
        for name in needed
        if states.get(name, "missing") not in {"ACTIVE", "UPDATING", None}
    ]
    # AWS always has it; the emulator does not.
    untold = sorted(name for name, status in states.items() if status is None)
    if untold and not bad:
        found = f"the answer lacks IndexStatus, the state of: {_named(untold)}"
        return Check("indexes", ok=None, found=found, remedy="")
    return _verdict(
        "indexes",
        not bad,
        f"indexes that are not active: {_named(bad) or 'none'}",
        "An index is filled for minutes to hours after it was added. One that is missing comes "
        "with the next deployment; to a table that existingTable names you add it yourself.",
    )


# The pace


@dataclass(frozen=True, slots=True)
class Hour:
    """An hour of the lookup function."""

    begins: datetime
    looks: float
    full_waits: float
    least_waiting: float
    """Ids that waited at the least; more than 0 where ids waited all the time."""


def hours_of(answer: Answer) -> list[Hour]:
    """Read hours, the oldest first, from metric data with the ids looks, waits and waiting."""
    values: dict[str, dict[datetime, float]] = {
        each["Id"]: dict(zip(each["Timestamps"], each["Values"], strict=True))
        for each in answer.get("MetricDataResults", [])
    }
    looked = values.get("looks", {})
    return [
        Hour(
            begins,
            looked[begins],
            values.get("waits", {}).get(begins, 0.0),
            values.get("waiting", {}).get(begins, 0.0),
        )
        for begins in sorted(looked)
    ]


def slots(hours: Sequence[Hour], period: float) -> Check:
    """Whether every slot is used while ids wait."""
    busy = _busy(hours)
    share = busy.looks * period / 3600 if busy else 0.0
    return _verdict(
        "slots",
        None if busy is None else share >= LEAST_SLOTS,
        _quiet(hours)
        if busy is None
        else f"{share:.0%} of the slots were used in the hour from {to_the_second(busy.begins)}, "
        "in which ids waited all the time",
        "Look at SystemFailures and SesThrottling, and at whether looks waited a full period.",
    )


def full_waits(hours: Sequence[Hour]) -> Check:
    """Whether looks follow each other without losing a slot between two invocations."""
    busy = _busy(hours)
    share = busy.full_waits / busy.looks if busy and busy.looks else 0.0
    return _verdict(
        "full-waits",
        None if busy is None else share <= MOST_FULL_WAITS,
        _quiet(hours)
        if busy is None
        else f"{share:.0%} of the looks waited a full period in the hour from "
        f"{to_the_second(busy.begins)}, in which ids waited all the time",
        "A second or more passes between two invocations, and each such look costs two slots: read "
        "docs/monitoring.md, full waits.",
    )


def _busy(hours: Sequence[Hour]) -> Hour | None:
    return next((hour for hour in reversed(hours) if hour.least_waiting >= 1), None)


def _quiet(hours: Sequence[Hour]) -> str:
    most = f" The busiest had {max(hour.looks for hour in hours):,.0f} looks." if hours else ""
    return (
        f"no hour of the last day in which ids waited all the time, so nothing can be told.{most}"
    )


def _on(state: object) -> str:
    return "on" if state == "ENABLED" else "off"


def _last_look(state: State) -> str:
    if state.last_look is None:
        return "unknown"
    return f"{to_the_second(state.last_look)}, {_ago(state.last_look, state.at)}"


def _ago(moment: datetime, at: datetime) -> str:
    return f"{span(max(0.0, (at - moment).total_seconds()))} ago"


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"
