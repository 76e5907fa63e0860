"""Names that two programs must agree on: the functions, the stack, the command line, local runs.

Nothing else of the package may be imported by ``infra``, so what a template needs stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from ses_insights.domain.alert import AlertType, Grouping
from ses_insights.domain.due import HELD_FOR
from ses_insights.domain.failures import FailureKind
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.schedule import DEFAULT_RUNGS, SES_KEEPS
from ses_insights.domain.status import Status
from ses_insights.domain.surge import SURGE_AFTER

# Defined in `domain`, and given out here, too.
__all__ = [
    "LOOK_LANES",
    "SURGE_AFTER",
    "AlertType",
    "FailureKind",
    "Grouping",
    "Lane",
    "Status",
]

DEFAULT_STACK_NAME: Final = "SesInsights"

MESSAGE_GROUP: Final = "looks"
"""Every message of the queue has the same group, so one is in flight at a time."""

PARKED_GROUP: Final = "parked-"
"""Begins the group of a parked message. Each has one of its own: SQS shows ten of a group."""

LONGEST_RUN_SECONDS: Final = int(HELD_FOR.total_seconds())
"""The time-out of `followups`: what a run has in hand is held for as long as it can last."""

DEFAULT_LADDER_SECONDS: Final = tuple(int(rung.total_seconds()) for rung in DEFAULT_RUNGS)
"""Ages since a message was sent at which it is looked at."""

DEFAULT_SES_KEEPS_DAYS: Final = SES_KEEPS.days

DEFAULT_RETENTION_DAYS: Final = 90

MOST_SINGLE_ALERTS: Final = 1_000
"""The most that `surgeAfter` can be: more e-mails of one kind in an hour help nobody."""

METRIC_NAMESPACE: Final = "SesInsights"


class Service(StrEnum):
    """The functions; also the dimension ``service`` of every metric."""

    LOOKUP = "lookup"
    FOLLOW_UPS = "followups"


class Output(StrEnum):
    """The stack's outputs."""

    QUEUE_URL = "QueueUrl"
    DEAD_LETTER_QUEUE_URL = "DeadLetterQueueUrl"
    TABLE_NAME = "TableName"
    ALERT_TOPIC_ARN = "AlertTopicArn"
    OPS_TOPIC_ARN = "OpsTopicArn"
    CHAT_TOPIC_ARN = "ChatTopicArn"
    LOOKUP_FUNCTION_NAME = "LookupFunctionName"
    FOLLOW_UP_FUNCTION_NAME = "FollowUpFunctionName"
    DASHBOARD_NAME = "DashboardName"


class Index(StrEnum):
    """The table's indexes."""

    BY_DESTINATION = "ByDestination"
    BY_STATUS = "ByStatus"
    BY_ALERT = "ByAlert"
    DUE_LOOKS = "DueLooks"


class Partition(StrEnum):
    """The partitions of the table that hold no message; ids of messages never begin with ``#``."""

    SENT = "#sent"
    """Due looks that were put into the queue, by the minute."""
    SURGES = "#surges"
    """How many alerts of a kind came lately, and the summaries of surges."""
    FEEDBACK = "#feedback"
    """How far the account's suppression list is read."""


class Variable(StrEnum):
    """The environment variables of the functions."""

    METRICS_NAMESPACE = "POWERTOOLS_METRICS_NAMESPACE"
    SERVICE_NAME = "POWERTOOLS_SERVICE_NAME"
    LOG_LEVEL = "POWERTOOLS_LOG_LEVEL"
    TABLE_NAME = "TABLE_NAME"
    ALERT_TOPIC_ARN = "ALERT_TOPIC_ARN"
    CHAT_TOPIC_ARN = "CHAT_TOPIC_ARN"
    QUEUE_URL = "QUEUE_URL"
    DEAD_LETTER_QUEUE_URL = "DEAD_LETTER_QUEUE_URL"
    LOOKUP_PERIOD_SECONDS = "LOOKUP_PERIOD_SECONDS"
    FIRST_LOOK_DELAY_SECONDS = "FIRST_LOOK_DELAY_SECONDS"
    FOLLOW_UP_LADDER = "FOLLOW_UP_LADDER"
    SES_KEEPS_DAYS = "SES_KEEPS_DAYS"
    RETENTION_DAYS = "RETENTION_DAYS"
    REDACT_SUBJECTS = "REDACT_SUBJECTS"
    ALERT_TYPES = "ALERT_TYPES"
    SURGE_AFTER = "SURGE_AFTER"
    WATCH_SUPPRESSION_LIST = "WATCH_SUPPRESSION_LIST"


class Metric(StrEnum):
    """The names of the metrics: only what a graph or an alarm reads (decision record 20)."""

    LOOKS = "Looks"
    FULL_WAITS = "FullWaits"
    FRESH = "Fresh"
    COVERAGE = "Coverage"
    THROTTLES = "Throttles"
    PARKED = "Parked"
    FOREIGN_GROUPS = "ForeignGroups"
    SET_UPS = "SetUps"
    SYSTEM_FAILURES = "SystemFailures"
    SHED = "Shed"
    LAG = "Lag"
    FEEDBACK_LAG = "FeedbackLag"
    LISTED_WITHOUT_ID = "ListedWithoutId"
    LIST_OFF = "ListOff"


class Shed(StrEnum):
    """What was given up for want of slots: the field ``what`` of the log lines that say so."""

    RUNG = "rung"
    """A later look; there are others after it."""
    FIRST = "first"
    """The first look; a later one stands in for it."""
    ALL = "all"
    """Every look at a message that was never looked at."""
    REST = "rest"
    """Every look that was still to come."""


class LogMessage(StrEnum):
    """The log lines that other programs read: the command line and the dashboard."""

    LOOKED = "looked"
    SKIPPED = "skipped"
    POSTPONED = "set aside"
    ALERTED = "alerted"
    """An alert that a look published."""
    PUBLISHED = "published"
    """An alert that followups published, because the look that found it did not."""
    DUE = "due"
    LISTED = "listed"
    """A message that joined the queue because SES listed a recipient for it."""


class LogField(StrEnum):
    """Fields of those lines that the dashboard reads."""

    CAME_TO = "came_to"
    """The status to which a look brought its message; absent where that did not change."""
    SES_MS = "ses_ms"
    """Milliseconds of the call to SES."""
    ALERT_TYPE = "alert_type"
    SEVERITY = "severity"
    REASON = "reason"


class Attribute(StrEnum):
    """The attributes of the table that are keys, of the table or of an index, or its expiry."""

    MESSAGE_ID = "MessageId"
    RECORD = "Record"
    DESTINATION = "Destination"
    STATUS = "Status"
    LAST_EVENT_AT = "LastEventAt"
    ALERT_TYPE = "AlertType"
    DETECTED_AT = "DetectedAt"
    DUE_LANE = "DueLane"
    NEXT_LOOK_AT = "NextLookAt"
    EXPIRES_AT = "ExpiresAt"


TABLE_KEYS: Final = (Attribute.MESSAGE_ID, Attribute.RECORD)
"""The partition key and the sort key."""

INDEX_KEYS: Final[Mapping[Index, tuple[Attribute, Attribute]]] = {
    Index.BY_DESTINATION: (Attribute.DESTINATION, Attribute.LAST_EVENT_AT),
    Index.BY_STATUS: (Attribute.STATUS, Attribute.LAST_EVENT_AT),
    Index.BY_ALERT: (Attribute.ALERT_TYPE, Attribute.DETECTED_AT),
    Index.DUE_LOOKS: (Attribute.DUE_LANE, Attribute.NEXT_LOOK_AT),
}
"""The partition key and the sort key of each index."""


class ParkedAttribute(StrEnum):
    """The message attributes of a parked message."""

    REASON = "Reason"
    PARKED_AT = "ParkedAt"


LONGEST_DELAY: Final = 900
"""Seconds; SQS delays a queue by at most 15 minutes.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-delay-queues.html
"""

SHORTEST_PERIOD: Final = 1.0
"""Seconds between two looks. "You can execute this operation no more than once per second."

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetMessageInsights.html
"""

LONGEST_TIMEOUT: Final = 900
"""Seconds that a Lambda function may run.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
"""

WORK_OF_A_LOOK: Final = 26
"""Seconds that one invocation of the lookup function may take, apart from waiting for its turn.

The start, and the calls to SES, DynamoDB and SNS, each with its own time-out.
"""

PERIODS_OF_A_LOOK: Final = 4
"""A look waits up to one period before its first request, and three more after answers 429."""

LONGEST_PERIOD: Final = (LONGEST_TIMEOUT - WORK_OF_A_LOOK) / PERIODS_OF_A_LOOK
"""Seconds between two looks: 218.5, the longest period that fits into the longest time-out.

It also keeps a request's signature fresh: a request is signed before it waits for the pace, at most
one period, and AWS refuses one that comes later than five minutes after it was signed.
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html
"""
