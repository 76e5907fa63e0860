"""The alarms: each says in its description what it means and what to do."""

from __future__ import annotations

from typing import Final, Literal

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sns as sns
from aws_cdk.aws_cloudwatch_actions import SnsAction
from constructs import Construct

from infra.config import SES_REVIEWS_BOUNCES_ABOVE, SES_REVIEWS_COMPLAINTS_ABOVE, Config
from ses_insights.contracts.names import METRIC_NAMESPACE, Metric

RUNBOOK: Final = "docs/runbook.md"


def watch(  # noqa: PLR0913 - keyword-only; an alarm without one of these says too little
    scope: Construct,
    name: str,
    *,
    metric: cloudwatch.IMetric,
    at_least: float | None = None,
    below: float | None = None,
    meaning: str,
    remedy: str,
    operations: sns.ITopic,
    datapoints: int = 1,
    out_of: int = 1,
    silence: cloudwatch.TreatMissingData = cloudwatch.TreatMissingData.NOT_BREACHING,
    few_samples: Literal["evaluate", "ignore"] | None = None,
) -> cloudwatch.Alarm:
    """Notify `operations` when `metric` is `at_least` or `below` a value, and when it is over.

    The alarm goes off when `datapoints` of the last `out_of` periods meet the condition. A period
    without data does not meet it, unless `silence` says otherwise: most of what is counted here is
    counted only when it happens. `few_samples` says what a percentile of a few values is worth.
    """
    threshold, comparison = (
        (at_least, cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD)
        if below is None
        else (below, cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD)
    )
    if threshold is None:
        raise TypeError(f"the alarm {name} needs at_least or below")
    alarm = cloudwatch.Alarm(
        scope,
        name,
        alarm_name=f"{Stack.of(scope).stack_name}-{name}",
        alarm_description=f"{meaning} {remedy} See {name} in {RUNBOOK}.",
        metric=metric,
        threshold=threshold,
        comparison_operator=comparison,
        datapoints_to_alarm=datapoints,
        evaluation_periods=out_of,
        evaluate_low_sample_count_percentile=few_samples,
        treat_missing_data=silence,
    )
    alarm.add_alarm_action(SnsAction(operations))
    alarm.add_ok_action(SnsAction(operations))
    return alarm


def watch_reputation(scope: Construct, *, config: Config, operations: sns.ITopic) -> None:
    """Notify `operations` when SES's own rates of the account come near to where SES reviews it.

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
            remedy="Stop sending to the addresses of the bounce alerts, and clean the list they "
            "came from.",
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


def counted(name: Metric, *, period: Duration, **dimensions: str) -> cloudwatch.Metric:
    """Return a metric that the functions count, summed over `period`."""
    return cloudwatch.Metric(
        namespace=METRIC_NAMESPACE,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=cloudwatch.Stats.SUM,
        period=period,
    )


def ses_rate(name: str) -> cloudwatch.Metric:
    """Return a rate that SES keeps of the whole account in this Region, a fraction of 1."""
    return cloudwatch.Metric(
        namespace="AWS/SES",
        metric_name=name,
        statistic=cloudwatch.Stats.AVERAGE,
        period=Duration.hours(1),
    )
