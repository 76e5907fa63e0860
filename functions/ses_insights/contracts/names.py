"""Names that two programs must agree on: the functions, the stack, the command line, local runs.

Nothing else of the package may be imported by ``infra``, so what a template needs stands here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from ses_insights.domain.failures import FailureKind
from ses_insights.domain.lanes import Lane
from ses_insights.domain.schedule import DEFAULT_RUNGS, SES_KEEPS
from ses_insights.domain.status import Status

__all__ = [
    "DEFAULT_LADDER_SECONDS",
    "DEFAULT_RETENTION_DAYS",
    "DEFAULT_SES_KEEPS_DAYS",
    "DEFAULT_STACK_NAME",
    "MESSAGE_GROUP",
    "METRIC_NAMESPACE",
    "FailureKind",
    "Index",
    "Lane",
    "Metric",
    "Output",
    "Service",
    "Status",
    "Variable",
]

DEFAULT_STACK_NAME: Final = "SesInsights"

MESSAGE_GROUP: Final = "looks"
"""Every message of the queue has the same group, so one is in flight at a time."""

DEFAULT_LADDER_SECONDS: Final = tuple(int(rung.total_seconds()) for rung in DEFAULT_RUNGS)
"""Ages since a message was sent at which it is looked at."""

DEFAULT_SES_KEEPS_DAYS: Final = SES_KEEPS.days

DEFAULT_RETENTION_DAYS: Final = 90

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


class Metric(StrEnum):
    """The names of the metrics."""

    LOOKS = "Looks"
    LOOK_LATENCY = "LookLatency"
    THROTTLES = "Throttles"
    NOT_FOUND = "NotFound"
    STATUSES = "Statuses"
    COVERAGE = "Coverage"
    PARKED = "Parked"
    SKIPPED = "Skipped"
    ALERTS = "Alerts"
    SYSTEM_FAILURES = "SystemFailures"
    SHED = "Shed"
    RUNS = "Runs"
    DUE = "Due"
    SENT = "Sent"
    REFUSED = "Refused"
    LAG = "Lag"
    BAD_ROWS = "BadRows"
