"""The dashboard: what becomes of the mail, and how the service keeps up."""

from __future__ import annotations

from collections.abc import Sequence

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.alarms import counted, ses_rate
from infra.config import (
    SES_REVIEWS_BOUNCES_ABOVE,
    SES_REVIEWS_COMPLAINTS_ABOVE,
    Config,
)
from infra.followups_function import LONGEST_FEEDBACK_LAG, LONGEST_LAG, FollowUpsFunction
from infra.lookup_function import THROTTLES_AT_LEAST, LookupFunction
from infra.queues import LONGEST_USUAL_WAIT, Queues
from infra.service_function import ServiceFunction
from infra.topics import Topics
from ses_insights.contracts.names import (
    LOOK_LANES,
    FailureKind,
    LogField,
    LogMessage,
    Metric,
    Service,
)

MINUTES = Duration.minutes(5)
QUARTER = Duration.minutes(15)
HOUR = Duration.hours(1)

COLUMNS = 3
WIDTH = 24 // COLUMNS
SENTENCE_HEIGHT = 2
GRAPH_HEIGHT = 6

Limit = tuple[float, str]
"""A limit that a graph shows: where, and what it is."""

Graph = tuple[cloudwatch.TextWidget, cloudwatch.GraphWidget | cloudwatch.LogQueryWidget]
"""A graph and, to stand above it, the sentence that says what good looks like."""


class Dashboard(Construct):
    """The dashboard, in two parts: outcome and machinery."""

    def __init__(  # noqa: PLR0913 - keyword-only; the parts it shows
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        queues: Queues,
        topics: Topics,
        lookup_function: LookupFunction,
        follow_ups: FollowUpsFunction,
        alarms: Sequence[cloudwatch.IAlarm],
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            # A dashboard belongs to the account, not to a Region: its ARN names none.
            # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
            dashboard_name=f"{stack.stack_name}-{stack.region}",
            default_interval=Duration.days(1),
            # The lines that show a limit are per period, so a longer view keeps the period.
            period_override=cloudwatch.PeriodOverride.INHERIT,
        )
        self.dashboard.add_widgets(
            _text("# Outcome\nWhat becomes of the mail, and how much of it is seen.")
        )
        self._add(_outcome(config, topics, lookup_function, follow_ups))
        self.dashboard.add_widgets(
            _text(
                "# Machinery\nHow the service keeps up. What to do about each alarm is in "
                "docs/runbook.md of the project."
            )
        )
        self.dashboard.add_widgets(
            cloudwatch.AlarmStatusWidget(title="Alarms", alarms=[*alarms], width=24, height=3)
        )
        self._add(
            [
                *_machinery(config, queues, topics, lookup_function, follow_ups),
                *(_feedback(follow_ups) if config.watch_suppression_list else ()),
            ]
        )

    def _add(self, graphs: Sequence[Graph]) -> None:
        for first in range(0, len(graphs), COLUMNS):
            row = graphs[first : first + COLUMNS]
            self.dashboard.add_widgets(*(sentence for sentence, _ in row))
            self.dashboard.add_widgets(*(graph for _, graph in row))


def _outcome(
    config: Config,
    topics: Topics,
    lookup_function: LookupFunction,
    follow_ups: FollowUpsFunction,
) -> list[Graph]:
    budget = MINUTES.to_seconds() / config.lookup_period_seconds
    about = (LogField.ALERT_TYPE, LogField.SEVERITY, LogField.REASON)
    coverage = counted(Metric.COVERAGE, period=HOUR, service=Service.LOOKUP)
    return [
        _graph(
            "Looks against the limit of SES",
            "Good is below the limit. At the limit for hours, more mail comes in than looks. Full "
            "waits are slots lost to a gap between two invocations; while nothing waits they are "
            "usual.",
            unit="looks in 5 minutes",
            lines=[
                _of_lookup(Metric.LOOKS, MINUTES, "looks"),
                _of_lookup(Metric.FULL_WAITS, MINUTES, "after a full wait"),
            ],
            limits=[(budget, "the limit")],
        ),
        _from_logs(
            "What became of messages",
            "Good is mostly DELIVERED, OPENED and CLICKED. A message counts once for each status "
            "it comes to, in the time that is shown.",
            of=[lookup_function],
            query=[
                f"filter ispresent({LogField.CAME_TO})",
                f"stats count(*) as messages by {LogField.CAME_TO}",
                "sort messages desc",
            ],
            view=cloudwatch.LogQueryVisualizationType.BAR,
        ),
        _from_logs(
            "Alerts by type and severity",
            "Good is none of critical, and few of high, in the time that is shown.",
            of=[lookup_function, follow_ups],
            query=[
                f'filter message in ["{LogMessage.ALERTED}", "{LogMessage.PUBLISHED}"]',
                f"stats count(*) as alerts by {', '.join(about)}",
                "sort alerts desc",
            ],
            view=cloudwatch.LogQueryVisualizationType.TABLE,
        ),
        _graph(
            "Alerts published",
            "Good is a steady low number. A peak is a campaign or a list to look at.",
            unit="alerts and summaries an hour",
            lines=[
                topics.alerts.metric_number_of_messages_published(
                    period=HOUR, statistic=cloudwatch.Stats.SUM, label="published"
                )
            ],
        ),
        _graph(
            "Coverage: ids in against messages that SES shows",
            "Good is a share near 100 %. An id is judged at its first look an hour or more after "
            "it was sent.",
            unit="ids an hour",
            lines=[
                _of_lookup(Metric.FRESH, HOUR, "ids in"),
                coverage.with_(statistic=cloudwatch.Stats.SAMPLE_COUNT, label="judged"),
                coverage.with_(label="shown by SES"),
            ],
            right=[
                cloudwatch.MathExpression(
                    expression="100 * share",
                    using_metrics={"share": coverage.with_(statistic=cloudwatch.Stats.AVERAGE)},
                    period=HOUR,
                    label="share shown",
                )
            ],
            right_unit="per cent",
            right_limits=[(50, "alarm Coverage")],
        ),
        _graph(
            "Bounce rate of the account, as SES sees it",
            _good_rate(config.bounce_rate_alarm),
            unit="per cent",
            lines=[_per_cent("Reputation.BounceRate", "bounces")],
            limits=_rate_limits(config.bounce_rate_alarm, SES_REVIEWS_BOUNCES_ABOVE),
        ),
        _graph(
            "Complaint rate of the account, as SES sees it",
            _good_rate(config.complaint_rate_alarm),
            unit="per cent",
            lines=[_per_cent("Reputation.ComplaintRate", "complaints")],
            limits=_rate_limits(config.complaint_rate_alarm, SES_REVIEWS_COMPLAINTS_ABOVE),
        ),
    ]


def _feedback(follow_ups: FollowUpsFunction) -> list[Graph]:
    lag = counted(Metric.FEEDBACK_LAG, period=MINUTES, service=Service.FOLLOW_UPS)
    passed_over = counted(Metric.LISTED_WITHOUT_ID, period=HOUR, service=Service.FOLLOW_UPS)
    off = counted(Metric.LIST_OFF, period=HOUR, service=Service.FOLLOW_UPS)
    return [
        _from_logs(
            "Listed by SES",
            "Good is few. Each is a bounce or complaint that SES itself named.",
            of=[follow_ups],
            query=[
                f'filter message = "{LogMessage.LISTED}"',
                f"stats count(*) as messages by {LogField.REASON}",
                "sort messages desc",
            ],
            view=cloudwatch.LogQueryVisualizationType.BAR,
        ),
        _graph(
            "Lag of feedback",
            "Good is minutes. A reason that is off is one for which the account lists nobody.",
            unit="minutes from the listing to the queue",
            lines=[_in_minutes(lag.with_(statistic=cloudwatch.Stats.MAXIMUM), "the longest lag")],
            limits=[(LONGEST_FEEDBACK_LAG.to_minutes(), "alarm FeedbackLag")],
            right=[
                passed_over.with_(label="addresses without a message id"),
                off.with_(statistic=cloudwatch.Stats.MAXIMUM, label="reasons that are off"),
            ],
            right_unit="an hour",
        ),
    ]


def _machinery(
    config: Config,
    queues: Queues,
    topics: Topics,
    lookup_function: LookupFunction,
    follow_ups: FollowUpsFunction,
) -> list[Graph]:
    period, ms = config.lookup_period_seconds, LogField.SES_MS
    lag = counted(Metric.LAG, period=MINUTES, service=Service.FOLLOW_UPS)
    return [
        _graph(
            "Time to drain the queue",
            "Good is a few minutes. Beyond an hour, fresh ids are postponed: stored without a "
            "look.",
            unit="minutes",
            lines=[
                cloudwatch.MathExpression(
                    expression=f"visible * {period:g} / 60",
                    using_metrics={
                        "visible": queues.message_ids.metric_approximate_number_of_messages_visible(
                            period=MINUTES, statistic=cloudwatch.Stats.MAXIMUM
                        )
                    },
                    period=MINUTES,
                    label="messages that wait, at one look a period",
                )
            ],
        ),
        _graph(
            "Age of the oldest message",
            f"Good is near the {config.first_look_delay_seconds / 60:g} minutes that each id waits "
            "by rule.",
            unit="minutes",
            lines=[
                _in_minutes(
                    queues.message_ids.metric_approximate_age_of_oldest_message(
                        period=MINUTES, statistic=cloudwatch.Stats.MAXIMUM
                    ),
                    "age",
                )
            ],
            limits=[(LONGEST_USUAL_WAIT.to_minutes(), "alarm OldestMessage")],
        ),
        _graph(
            "Throttled by SES",
            "Good is none or a few. Many mean that somebody else asks SES, too.",
            unit="answers 429 in 15 minutes",
            lines=[
                _of_lookup(Metric.THROTTLES, QUARTER, "throttled"),
                *(
                    [
                        counted(Metric.THROTTLES, period=QUARTER, service=Service.FOLLOW_UPS).with_(
                            label="runs of followups that it ended"
                        )
                    ]
                    if config.watch_suppression_list
                    else ()
                ),
            ],
            limits=[(THROTTLES_AT_LEAST, "alarm SesThrottling")],
        ),
        _graph(
            "System failures by kind",
            "Good is none. The queue waits while they last; nothing is lost.",
            unit="failures in 5 minutes",
            lines=[
                *(
                    _of_lookup(Metric.SYSTEM_FAILURES, MINUTES, kind, kind=kind)
                    for kind in FailureKind
                ),
                counted(Metric.SYSTEM_FAILURES, period=MINUTES, service=Service.FOLLOW_UPS).with_(
                    label="of followups"
                ),
            ],
            stacked=True,
        ),
        _graph(
            "Lag of follow-ups",
            "Good is minutes. Hours mean that due looks wait for a free slot.",
            unit="minutes overdue",
            lines=[
                _in_minutes(lag.with_(statistic=cloudwatch.Stats.MAXIMUM), "the oldest due look")
            ],
            limits=[(LONGEST_LAG.to_minutes(), "alarm FollowUpLag")],
        ),
        _from_logs(
            "Due looks by lane",
            "Good is few. Essential looks go first, what came in bulk goes last.",
            of=[follow_ups],
            query=[
                f'filter message = "{LogMessage.DUE}"',
                "stats "
                + ", ".join(f"max(`due.{lane}`) as {lane.name.lower()}" for lane in LOOK_LANES)
                + " by bin(5m)",
            ],
            view=cloudwatch.LogQueryVisualizationType.LINE,
        ),
        _graph(
            "Looks given up for want of slots",
            "Good is none. What is given up is in the rows, in words.",
            unit="looks an hour",
            lines=[
                _of_lookup(Metric.SHED, HOUR, "first looks, postponed"),
                counted(Metric.SHED, period=HOUR, service=Service.FOLLOW_UPS).with_(
                    label="looks that were due"
                ),
            ],
            stacked=True,
        ),
        _graph(
            "Dead letters",
            "Good is none, but for what AWS sends when something is set up. What is parked has its "
            "reason with it.",
            unit="messages",
            lines=[
                queues.dead_letters.metric_approximate_number_of_messages_visible(
                    period=MINUTES,
                    statistic=cloudwatch.Stats.MAXIMUM,
                    label="parked and not dealt with",
                ),
                _of_lookup(Metric.PARKED, MINUTES, "parked in 5 minutes"),
                _of_lookup(Metric.FOREIGN_GROUPS, MINUTES, "of another message group, sent on"),
                _of_lookup(Metric.SET_UPS, MINUTES, "of AWS at set-up, acknowledged"),
            ],
        ),
        _graph(
            "Messages that SNS could not deliver",
            "Good is none. A subscription's queue, endpoint or address is gone or refuses.",
            unit="deliveries in 5 minutes",
            lines=[
                topic.metric_number_of_notifications_failed(period=MINUTES, label=name)
                for name, topic in topics.by_name.items()
            ],
        ),
        _from_logs(
            "Latency of SES",
            f"Good is far below the {period * 1000:g} ms between two looks.",
            of=[lookup_function],
            query=[
                f'filter message = "{LogMessage.LOOKED}"',
                f"stats pct({ms}, 50) as half, pct({ms}, 95) as most, max({ms}) as top by bin(5m)",
            ],
            view=cloudwatch.LogQueryVisualizationType.LINE,
        ),
        _graph(
            "Errors of the functions",
            "Good is none. What a crashed function worked on is tried again.",
            unit="crashes in 5 minutes",
            lines=[
                lookup_function.function.metric_errors(period=MINUTES, label=Service.LOOKUP),
                follow_ups.function.metric_errors(period=MINUTES, label=Service.FOLLOW_UPS),
            ],
        ),
    ]


def _of_lookup(name: Metric, period: Duration, label: str, **dimensions: str) -> cloudwatch.Metric:
    return counted(name, period=period, service=Service.LOOKUP, **dimensions).with_(label=label)


def _per_cent(name: str, label: str) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression="100 * rate",
        using_metrics={"rate": ses_rate(name)},
        period=HOUR,
        label=label,
    )


def _in_minutes(seconds: cloudwatch.IMetric, label: str) -> cloudwatch.MathExpression:
    return cloudwatch.MathExpression(
        expression="seconds / 60", using_metrics={"seconds": seconds}, period=MINUTES, label=label
    )


def _good_rate(alarm: float | None) -> str:
    if alarm is None:
        return "Good is below the red line, at which SES reviews the account."
    return "Good is below the lower line. SES reviews the account at the upper one."


def _rate_limits(alarm: float | None, review: float) -> list[Limit]:
    warning = [] if alarm is None else [(alarm, "alarm")]
    return [*warning, (review, "SES reviews the account")]


def _text(markdown: str) -> cloudwatch.TextWidget:
    return cloudwatch.TextWidget(markdown=markdown, width=24, height=2)


def _from_logs(
    title: str,
    good: str,
    *,
    of: Sequence[ServiceFunction],
    query: Sequence[str],
    view: cloudwatch.LogQueryVisualizationType,
) -> Graph:
    """Return a graph of log lines: read when somebody looks, where a metric costs every hour."""
    return (
        _sentence(good),
        cloudwatch.LogQueryWidget(
            title=title,
            width=WIDTH,
            height=GRAPH_HEIGHT,
            log_group_names=[function.log_group.log_group_name for function in of],
            query_lines=[*query],
            view=view,
        ),
    )


def _sentence(good: str) -> cloudwatch.TextWidget:
    return cloudwatch.TextWidget(
        markdown=good,
        width=WIDTH,
        height=SENTENCE_HEIGHT,
        background=cloudwatch.TextWidgetBackground.TRANSPARENT,
    )


def _graph(  # noqa: PLR0913 - keyword-only; what a graph shows
    title: str,
    good: str,
    *,
    unit: str,
    lines: Sequence[cloudwatch.IMetric],
    limits: Sequence[Limit] = (),
    right: Sequence[cloudwatch.IMetric] = (),
    right_unit: str | None = None,
    right_limits: Sequence[Limit] = (),
    stacked: bool = False,
) -> Graph:
    return (
        _sentence(good),
        cloudwatch.GraphWidget(
            title=title,
            width=WIDTH,
            height=GRAPH_HEIGHT,
            left=[*lines],
            left_y_axis=_axis(unit),
            left_annotations=_annotations(limits),
            right=[*right],
            right_y_axis=_axis(right_unit) if right_unit else None,
            right_annotations=_annotations(right_limits),
            stacked=stacked,
        ),
    )


def _axis(unit: str) -> cloudwatch.YAxisProps:
    return cloudwatch.YAxisProps(label=unit, min=0, show_units=False)


def _annotations(limits: Sequence[Limit]) -> list[cloudwatch.HorizontalAnnotation]:
    return [
        cloudwatch.HorizontalAnnotation(value=value, label=label, color=cloudwatch.Color.RED)
        for value, label in limits
    ]
