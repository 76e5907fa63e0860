"""How the service asks for help: alarms that say what they mean and what to do."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

METRIC_NAMESPACE = "SesInsights"


def watch(  # noqa: PLR0913 - keyword-only; an alarm without one of these says too little
    scope: Construct,
    name: str,
    *,
    metric: cloudwatch.IMetric,
    at_least: float,
    meaning: str,
    remedy: str,
    operations: sns.ITopic,
    datapoints: int = 1,
    out_of: int = 1,
) -> cloudwatch.Alarm:
    """Tell `operations` when `metric` reaches `at_least`, and when it is over.

    The alarm goes off when `datapoints` of the last `out_of` periods reach it. A period without
    data is a good one: what is counted here is counted only when it happens.
    """
    alarm = cloudwatch.Alarm(
        scope,
        name,
        alarm_name=f"{Stack.of(scope).stack_name}-{name}",
        alarm_description=f"{meaning} {remedy}",
        metric=metric,
        threshold=at_least,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        datapoints_to_alarm=datapoints,
        evaluation_periods=out_of,
        treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
    )
    return _heard(alarm, operations)


def watch_for_silence(  # noqa: PLR0913 - keyword-only; an alarm without one of these says too little
    scope: Construct,
    name: str,
    *,
    metric: cloudwatch.IMetric,
    meaning: str,
    remedy: str,
    operations: sns.ITopic,
    out_of: int,
) -> cloudwatch.Alarm:
    """Tell `operations` when `metric` counts nothing for `out_of` periods, and when it does again.

    For what has to happen all the time: here a period without data is a bad one.
    """
    alarm = cloudwatch.Alarm(
        scope,
        name,
        alarm_name=f"{Stack.of(scope).stack_name}-{name}",
        alarm_description=f"{meaning} {remedy}",
        metric=metric,
        threshold=1,
        comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        datapoints_to_alarm=out_of,
        evaluation_periods=out_of,
        treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
    )
    return _heard(alarm, operations)


def _heard(alarm: cloudwatch.Alarm, operations: sns.ITopic) -> cloudwatch.Alarm:
    alarm.add_alarm_action(SnsAction(operations))
    alarm.add_ok_action(SnsAction(operations))
    return alarm


def counted(name: str, *, period: Duration, **dimensions: str) -> cloudwatch.Metric:
    """Name a metric the functions count, summed over `period`."""
    return cloudwatch.Metric(
        namespace=METRIC_NAMESPACE,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=cloudwatch.Stats.SUM,
        period=period,
    )
