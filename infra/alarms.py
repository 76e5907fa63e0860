"""How the service asks for help: alarms that say what they mean and what to do."""

from __future__ import annotations

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

from infra.config import SES_REVIEWS_BOUNCES_ABOVE, SES_REVIEWS_COMPLAINTS_ABOVE, Config

METRIC_NAMESPACE = "SesInsights"


RUNBOOK = "docs/runbook.md"


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
    silence: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
) -> cloudwatch.Alarm:
    """Tell `operations` when `metric` reaches `at_least`, and when it is over.

    The alarm goes off when `datapoints` of the last `out_of` periods reach it. A period without
    data is a good one, unless `silence` says otherwise: what is counted here is counted only when
    it happens.
    """
    alarm = cloudwatch.Alarm(
        scope,
        name,
        alarm_name=_full_name(scope, name),
        alarm_description=_description(name, meaning, remedy),
        metric=metric,
        threshold=at_least,
        comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
        datapoints_to_alarm=datapoints,
        evaluation_periods=out_of,
        treat_missing_data=silence,
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
        alarm_name=_full_name(scope, name),
        alarm_description=_description(name, meaning, remedy),
        metric=metric,
        threshold=1,
        comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        datapoints_to_alarm=out_of,
        evaluation_periods=out_of,
        treat_missing_data=cloudwatch.TreatMissingData.BREACHING,
    )
    return _heard(alarm, operations)


def watch_for_most(  # noqa: PLR0913 - keyword-only; an alarm without one of these says too little
    scope: Construct,
    name: str,
    *,
    metric: cloudwatch.Metric,
    meaning: str,
    remedy: str,
    operations: sns.ITopic,
) -> cloudwatch.Alarm:
    """Tell `operations` when most of what `metric` counts in a period, as 1 or 0, is 0.

    That is: when the median is 0. With fewer than 20 values CloudWatch calls a median not
    significant, and the alarm stays as it is, as it does in a period without any:
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html
    """
    alarm = cloudwatch.Alarm(
        scope,
        name,
        alarm_name=_full_name(scope, name),
        alarm_description=_description(name, meaning, remedy),
        metric=metric.with_(statistic=cloudwatch.Stats.percentile(50)),
        threshold=0.5,
        comparison_operator=cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
        datapoints_to_alarm=1,
        evaluation_periods=1,
        evaluate_low_sample_count_percentile="ignore",
        treat_missing_data=cloudwatch.TreatMissingData.IGNORE,
    )
    return _heard(alarm, operations)


def watch_reputation(scope: Construct, *, config: Config, operations: sns.ITopic) -> None:
    """Tell `operations` when SES's own rates of the account come near to where SES reviews it.

    The rates are fractions of a representative volume of mail, which SES chooses, and appear with
    the first bounce or complaint. AWS says to keep the alarm as it is while there is no data:
    https://docs.aws.amazon.com/ses/latest/dg/reputationdashboard-cloudwatch-alarm.html
    """
    if config.bounce_rate_alarm is not None:
        watch(
            scope,
            "BounceRate",
            metric=ses_rate("Reputation.BounceRate"),
            at_least=_fraction(config.bounce_rate_alarm),
            silence=cloudwatch.TreatMissingData.IGNORE,
            meaning=f"The account's bounce rate has reached {config.bounce_rate_alarm:g} %. SES "
            f"reviews an account above {SES_REVIEWS_BOUNCES_ABOVE:g} %, and may pause its sending "
            "above 10 %.",
            remedy="Stop sending to the addresses of the bounce alerts and mend the list they came "
            "from.",
            operations=operations,
        )
    if config.complaint_rate_alarm is not None:
        watch(
            scope,
            "ComplaintRate",
            metric=ses_rate("Reputation.ComplaintRate"),
            at_least=_fraction(config.complaint_rate_alarm),
            silence=cloudwatch.TreatMissingData.IGNORE,
            meaning=f"The account's complaint rate has reached {config.complaint_rate_alarm:g} %. "
            f"SES reviews an account above {SES_REVIEWS_COMPLAINTS_ABOVE:g} %, and may pause its "
            "sending above 0.5 %.",
            remedy="Stop sending to those who complained, and find the campaign that the complaint "
            "alerts have in common.",
            operations=operations,
        )


def _fraction(per_cent: float) -> float:
    return round(per_cent / 100, 9)  # no 0.0007000000000000001 in the template


def _full_name(scope: Construct, name: str) -> str:
    return f"{Stack.of(scope).stack_name}-{name}"


def _description(name: str, meaning: str, remedy: str) -> str:
    return f"{meaning} {remedy} See {name} in {RUNBOOK}."


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


def ses_rate(name: str) -> cloudwatch.Metric:
    """Name a rate that SES keeps of the whole account in this Region, a fraction of 1."""
    return cloudwatch.Metric(
        namespace="AWS/SES",
        metric_name=name,
        statistic=cloudwatch.Stats.AVERAGE,
        period=Duration.hours(1),
    )
