"""Asking AWS what `insights doctor` judges; `checks` has the verdicts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final, TypeVar
from urllib.parse import urlparse

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from ses_insights.adapters.queue import SqsProducerQueue
from ses_insights.cli import checks, state
from ses_insights.cli.checks import Check
from ses_insights.cli.deployment import NEEDED, Deployment, now
from ses_insights.cli.errors import sentence
from ses_insights.contracts.names import METRIC_NAMESPACE, Index, Metric, Output, Service
from ses_insights.domain.failures import SystemFailure
from ses_insights.settings import SettingError

_CANNOT: Final = (BotoCoreError, ClientError, ResponseParserError, SystemFailure)
"""What a question can end in instead of an answer."""

_NOT_KEPT: Final = "The local emulator lacks it."
_NOBODY: Final = "Nobody is subscribed to a local stack at first."
_IN_A_LOCAL_RUN: Final[Mapping[str, str]] = {
    "reserved-concurrency": _NOT_KEPT,
    "topic-key": _NOT_KEPT,
    "time-to-live": _NOT_KEPT,
    "backups": _NOT_KEPT,
    "deletion-protection": _NOT_KEPT,
    "alert-subscribers": _NOBODY,
    "operations-subscribers": _NOBODY,
}
"""What is no fault of a local stack, and why."""

_HOUR: Final = 3600

T = TypeVar("T")


@dataclass(frozen=True)
class Examination:
    """Asks everything of one deployment, and yields a verdict for each question."""

    deployment: Deployment

    def run(self) -> Iterator[Check]:
        """Yield the checks, those of the account first."""
        yield from self.account()
        yield from self.stack()

    def account(self) -> Iterator[Check]:
        """Yield what is about the account and Region."""
        region = self.deployment.region
        identity = self._ask(
            "credentials",
            lambda: self._client("sts").get_caller_identity(),
            lambda found: checks.credentials(found, region),
        )
        yield identity
        for name, judge in _OF_THE_ACCOUNT.items():
            yield self._ask(name, lambda: self._account, judge)

    def stack(self) -> Iterator[Check]:
        """Yield what is about the stack, its functions, queues, topics and table."""
        for name, (call, judge) in self._questions().items():
            found = self._ask(name, call, judge)
            if found.ok is False and name in _IN_A_LOCAL_RUN and self._is_local:
                found = Check(name, None, f"{found.found}. {_IN_A_LOCAL_RUN[name]}", "")
            yield found

    def _questions(self) -> Mapping[str, tuple[Callable[[], Any], Callable[[Any], Check]]]:
        deployment, outputs = self.deployment, self.deployment.outputs
        lookup, followups = (
            outputs[Output.LOOKUP_FUNCTION_NAME],
            outputs[Output.FOLLOW_UP_FUNCTION_NAME],
        )
        lambda_, dynamodb = self._client("lambda"), deployment.dynamodb
        table = {"TableName": deployment.table_name}
        at = now()
        return {
            "stack": (
                lambda: self._stack,
                checks.stack,
            ),
            "one-stack": (
                lambda: self._listed(self._client("cloudformation"), "describe_stacks", "Stacks"),
                lambda found: checks.one_stack(found, deployment.stack, NEEDED),
            ),
            "trigger": (
                lambda: self._listed(
                    lambda_,
                    "list_event_source_mappings",
                    "EventSourceMappings",
                    FunctionName=lookup,
                ),
                checks.trigger,
            ),
            "reserved-concurrency": (
                lambda: (lambda_.get_function_concurrency(FunctionName=lookup), self._designed),
                lambda found: checks.reserved_concurrency(*found),
            ),
            "schedule": (
                lambda: [
                    each
                    for each in self._listed(
                        self._client("scheduler"), "list_schedules", "Schedules"
                    )
                    if str(each.get("Target", {}).get("Arn", "")).endswith(f":{followups}")
                ],
                checks.schedule,
            ),
            "followups-run": (
                lambda: (self._last_run(followups, at), at, self._stack.get("CreationTime")),
                lambda found: checks.followups_run(*found),
            ),
            "looks": (lambda: state.read(deployment), checks.looks),
            "dead-letters": (
                lambda: SqsProducerQueue(deployment.sqs, deployment.dead_letter_queue_url).depth(),
                lambda depth: checks.dead_letters(depth.visible + depth.delayed + depth.in_flight),
            ),
            "alarms": (
                lambda: self._listed(
                    self._client("cloudwatch"),
                    "describe_alarms",
                    "MetricAlarms",
                    AlarmNamePrefix=f"{deployment.stack}-",
                ),
                checks.alarms,
            ),
            "alert-subscribers": self._subscribers("alert", Output.ALERT_TOPIC_ARN),
            "operations-subscribers": self._subscribers("operations", Output.OPS_TOPIC_ARN),
            "topic-key": (self._topic_key, checks.topic_key),
            "time-to-live": (lambda: dynamodb.describe_time_to_live(**table), checks.time_to_live),
            "backups": (lambda: dynamodb.describe_continuous_backups(**table), checks.backups),
            "deletion-protection": (
                lambda: (self._table, self._designed),
                lambda found: checks.deletion_protection(*found),
            ),
            "encryption": (lambda: self._table, checks.encryption),
            "indexes": (lambda: self._table, lambda found: checks.indexes(found, Index)),
            "slots": (
                lambda: (self._hours, deployment.settings.lookup_period),
                lambda found: checks.slots(*found),
            ),
            "full-waits": (lambda: self._hours, checks.full_waits),
        }

    def _ask(self, name: str, call: Callable[[], T], judge: Callable[[T], Check]) -> Check:
        """Ask and judge; what cannot be asked is said."""
        try:
            return judge(call())
        except SettingError as error:
            return Check(name, ok=False, found=sentence(error), remedy="Deploy the stack again.")
        except _CANNOT as error:
            return Check(name, ok=None, found=f"could not be asked. {sentence(error)}", remedy="")
        except KeyError as error:
            return Check(name, ok=None, found=f"the answer lacks {error}", remedy="")
        except (IndexError, TypeError, ValueError) as error:
            found = f"the answer could not be read: {error}"
            return Check(name, ok=None, found=found, remedy="")

    def _client(self, name: str) -> Any:
        return self.deployment.client(name)

    @staticmethod
    def _listed(client: Any, operation: str, key: str, **request: Any) -> list[Any]:
        """Return everything that an operation lists, page by page."""
        pages = client.get_paginator(operation).paginate(**request)
        return [each for page in pages for each in page.get(key, [])]

    @cached_property
    def _account(self) -> Any:
        return self._client("sesv2").get_account()

    @cached_property
    def _designed(self) -> checks.Designed:
        body = self._client("cloudformation").get_template(StackName=self.deployment.stack)[
            "TemplateBody"
        ]
        return checks.Designed.of_template(json.loads(body) if isinstance(body, str) else body)

    @cached_property
    def _stack(self) -> Any:
        stack = self.deployment.stack
        return self._client("cloudformation").describe_stacks(StackName=stack)["Stacks"][0]

    @cached_property
    def _table(self) -> Any:
        found = self.deployment.dynamodb.describe_table(TableName=self.deployment.table_name)
        return found["Table"]

    def _last_run(self, function: str, at: datetime) -> datetime | None:
        """Return when the function wrote to its log last, in the last hour."""
        found = self._client("lambda").get_function_configuration(FunctionName=function)
        group = found["LoggingConfig"]["LogGroup"]
        since = round((at - timedelta(hours=1)).timestamp() * 1000)
        events = self._listed(
            self._client("logs"),
            "filter_log_events",
            "events",
            logGroupName=group,
            startTime=since,
        )
        newest = max((event["timestamp"] for event in events), default=None)
        return None if newest is None else datetime.fromtimestamp(newest / 1000, UTC)

    def _subscribers(
        self, name: str, output: Output
    ) -> tuple[Callable[[], Any], Callable[[Any], Check]]:
        topic = self.deployment.outputs.get(output, "")
        return (
            lambda: self._listed(
                self._client("sns"), "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic
            ),
            lambda found: checks.subscribers(name, output, found),
        )

    def _topic_key(self) -> Any:
        topic = self.deployment.outputs.get(Output.OPS_TOPIC_ARN, "")
        attributes = self._client("sns").get_topic_attributes(TopicArn=topic)["Attributes"]
        key = attributes.get("KmsMasterKeyId")
        return self._client("kms").describe_key(KeyId=key) if key else None

    @cached_property
    def _hours(self) -> list[checks.Hour]:
        """The full hours of the last day."""
        ends = now().replace(minute=0, second=0, microsecond=0)
        lookup = [{"Name": "service", "Value": Service.LOOKUP}]
        queue = self.deployment.queue_url.rpartition("/")[2]
        waiting = ("AWS/SQS", "ApproximateNumberOfMessagesVisible")
        found = self._client("cloudwatch").get_metric_data(
            MetricDataQueries=[
                _query("looks", (METRIC_NAMESPACE, Metric.LOOKS), lookup, "Sum"),
                _query("waits", (METRIC_NAMESPACE, Metric.FULL_WAITS), lookup, "Sum"),
                _query("waiting", waiting, [{"Name": "QueueName", "Value": queue}], "Minimum"),
            ],
            StartTime=ends - timedelta(days=1),
            EndTime=ends,
        )
        return checks.hours_of(found)

    @property
    def _is_local(self) -> bool:
        host = urlparse(self.deployment.dynamodb.meta.endpoint_url).hostname or ""
        return host in {"localhost", "127.0.0.1", "::1"} or host.endswith(".localhost")


_OF_THE_ACCOUNT: Final[Mapping[str, Callable[[Any], Check]]] = {
    "vdm": checks.vdm,
    "engagement-tracking": checks.engagement_tracking,
    "sending": checks.sending,
    "sandbox": checks.sandbox,
    "suppression-list": checks.suppression_list,
}


def _query(
    name: str, metric: tuple[str, str], dimensions: list[dict[str, str]], statistic: str
) -> dict[str, Any]:
    namespace, metric_name = metric
    return {
        "Id": name,
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": metric_name,
                "Dimensions": dimensions,
            },
            "Period": _HOUR,
            "Stat": statistic,
        },
    }
