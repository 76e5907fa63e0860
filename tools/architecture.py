"""`python -m tools.architecture`: the architecture as a picture, drawn from the stack's template.

Boxes and arrows are those of the template: its resources, and what its policies, triggers and
rules let them do to one another. Only where a box stands, and the words on it, are chosen here: the
picture cannot show an arrow that the deployed stack does not have.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, Final

from aws_cdk import App

from infra.config import Config
from infra.stack import SesInsightsStack

PROJECT: Final = Path(__file__).resolve().parent.parent
PICTURE: Final = PROJECT / "docs" / "architecture.svg"

Template = Mapping[str, Any]
Arrow = tuple[str, str]
Point = tuple[int, int]

# From the template


# A box for each resource of these types; all of one type in one box where it has a name here.
_SHOWN: Final[Mapping[str, str | None]] = {
    "AWS::SQS::Queue": None,
    "AWS::Lambda::Function": None,
    "AWS::DynamoDB::GlobalTable": None,
    "AWS::SNS::Topic": None,
    "AWS::Scheduler::Schedule": None,
    "AWS::Events::Rule": "rules",
    "AWS::CloudWatch::Alarm": "alarms",
}

# Drawn in the box of another: a topic for chat, by choice, with the same alerts.
_BESIDE: Final[Mapping[str, str]] = {"TopicsChat": "TopicsAlerts"}

# What an action that a policy allows looks like: an arrow to the resource, or one back from it.
# Actions that are not here go along with others, or say nothing about where things go.
_TO: Final = frozenset({"sqs:SendMessage", "dynamodb:UpdateItem", "sns:Publish"})
_FROM: Final = frozenset({"dynamodb:BatchGetItem"})
_ASK_SES: Final = "ses:GetMessageInsights"

INSIGHTS: Final = "SES insights"
EVENTS: Final = "SES events"

OUTSIDE: Final[frozenset[Arrow]] = frozenset(
    {
        ("pipeline", "QueuesMessageIds"),
        ("TopicsAlerts", "subscribers"),
        ("TopicsOperations", "operators"),
    }
)
"""What happens at the stack's edges, and so is in no template."""


def boxes(template: Template) -> set[str]:
    """Name what the template creates, by logical id without its hash."""
    shown = template["Resources"].items()
    return {_box(name, each) for name, each in shown if each["Type"] in _SHOWN}


def arrows(template: Template) -> set[Arrow]:
    """List what goes from where to where, by the template."""
    return {
        arrow
        for each in (_granted, _triggered, _ruled, _moved, _alarmed)
        for arrow in each(template["Resources"])
    }


def _box(name: str, resource: Mapping[str, Any]) -> str:
    box = _SHOWN[resource["Type"]] or name[:-8]
    return _BESIDE.get(box, box)


def _of(resources: Template, kind: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, resource in resources.items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]


def _named(resources: Template, reference: object) -> str | None:
    """The box of a Ref, of an ARN, or of an ARN with something after it."""
    text = json.dumps(reference)
    for name, resource in resources.items():
        if resource["Type"] in _SHOWN and f'"{name}"' in text:
            return _box(name, resource)
    return None


def _granted(resources: Template) -> Iterator[Arrow]:
    """By what the functions' roles may do."""
    who = {
        properties["Role"]["Fn::GetAtt"][0]: _box(name, resources[name])
        for name, properties in _of(resources, "AWS::Lambda::Function")
    }
    for _, policy in _of(resources, "AWS::IAM::Policy"):
        function = who.get(policy["Roles"][0]["Ref"])
        for statement in policy["PolicyDocument"]["Statement"] if function else ():
            actions = statement["Action"]
            actions = {actions} if isinstance(actions, str) else set(actions)
            target = _named(resources, statement["Resource"])
            if _ASK_SES in actions:
                yield str(function), INSIGHTS
            if target and actions & _TO:
                yield str(function), target
            if target and actions & _FROM:
                yield target, str(function)


def _triggered(resources: Template) -> Iterator[Arrow]:
    """By what starts a function."""
    for _, mapping in _of(resources, "AWS::Lambda::EventSourceMapping"):
        source = _named(resources, mapping["EventSourceArn"])
        yield str(source), str(_named(resources, mapping["FunctionName"]))
    for name, schedule in _of(resources, "AWS::Scheduler::Schedule"):
        target = _named(resources, schedule["Target"]["Arn"])
        yield _box(name, resources[name]), str(target)


def _ruled(resources: Template) -> Iterator[Arrow]:
    """By the rules on events."""
    for name, rule in _of(resources, "AWS::Events::Rule"):
        box = _box(name, resources[name])
        if "aws.ses" in rule["EventPattern"]["source"]:
            yield EVENTS, box
        for target in rule["Targets"]:
            yield box, str(_named(resources, target["Arn"]))
            if "DeadLetterConfig" in target:
                yield box, str(_named(resources, target["DeadLetterConfig"]["Arn"]))


def _moved(resources: Template) -> Iterator[Arrow]:
    """By what SQS moves elsewhere."""
    for name, queue in _of(resources, "AWS::SQS::Queue"):
        if "RedrivePolicy" in queue:
            target = _named(resources, queue["RedrivePolicy"]["deadLetterTargetArn"])
            yield _box(name, resources[name]), str(target)


def _alarmed(resources: Template) -> Iterator[Arrow]:
    """By the actions of alarms."""
    for name, alarm in _of(resources, "AWS::CloudWatch::Alarm"):
        for action in alarm["AlarmActions"]:
            yield _box(name, resources[name]), str(_named(resources, action))


# Where it stands, and in what words


@dataclass(frozen=True, slots=True)
class Cell:
    """Column and row of a box, and what is written in it."""

    column: int
    row: int
    title: str
    lines: tuple[str, ...] = ()
    color: str = "#f2f2f2"
    optional: bool = False


_SQS: Final = "#fbe6f0"
_LAMBDA: Final = "#fdebd8"
_TABLE: Final = "#dfe9fb"
_NOTICE: Final = "#ece4f9"
_SES: Final = "#e3f1e6"

CELLS: Final[Mapping[str, Cell]] = {
    EVENTS: Cell(0, 0, "Amazon SES", ("publishes sent mail,", "bounces, complaints"), _SES),
    "rules": Cell(
        1,
        0,
        "EventBridge rules",
        ("by choice", "only the id gets through"),
        _NOTICE,
        optional=True,
    ),
    "IntakeUndelivered": Cell(
        2, 0, "Undelivered events", ("SQS, with an alarm",), _SQS, optional=True
    ),
    "pipeline": Cell(0, 1, "Your send pipeline", ("enqueues message ids",)),
    "QueuesMessageIds": Cell(1, 1, "Message ids", ("SQS FIFO, one group:", "one at a time"), _SQS),
    "LookupFunction": Cell(2, 1, "lookup", ("Lambda", "keeps the pace"), _LAMBDA),
    INSIGHTS: Cell(3, 1, "Amazon SES", ("GetMessageInsights",), _SES),
    "QueuesDeadLetters": Cell(1, 2, "Dead letters", ("SQS FIFO", "bodies that hold no id"), _SQS),
    "InsightsTable": Cell(2, 2, "Insights", ("DynamoDB", "what became of each"), _TABLE),
    "TopicsAlerts": Cell(3, 2, "Alerts", ("SNS; another for chat,", "by choice"), _NOTICE),
    "subscribers": Cell(4, 2, "Owners of the mail", ("e-mail, queue, chat",)),
    "FollowUpsFunction": Cell(2, 3, "followups", ("Lambda", "within the budget"), _LAMBDA),
    "FollowUpsEveryMinute": Cell(3, 3, "Schedule", ("EventBridge Scheduler",), _NOTICE),
    "alarms": Cell(2, 4, "Alarms", ("CloudWatch",), _NOTICE),
    "TopicsOperations": Cell(3, 4, "Operations", ("SNS",), _NOTICE),
    "operators": Cell(4, 4, "Owners of the service", ("e-mail, pager",)),
}

WORDS: Final[Mapping[Arrow, str]] = {
    ("LookupFunction", INSIGHTS): "once a second",
    ("LookupFunction", "InsightsTable"): "stores",
    ("LookupFunction", "TopicsAlerts"): "publishes",
    ("LookupFunction", "QueuesDeadLetters"): "parks",
    ("InsightsTable", "FollowUpsFunction"): "due rows",
    ("FollowUpsFunction", "InsightsTable"): "claims",
    ("FollowUpsFunction", "QueuesMessageIds"): "due looks",
    ("FollowUpsFunction", "TopicsAlerts"): "pending alerts",
    ("FollowUpsEveryMinute", "FollowUpsFunction"): "each minute",
    ("rules", "IntakeUndelivered"): "after 24 h",
}

_WIDTH: Final = 170
_HEIGHT: Final = 66
_STEP: Final = (262, 112)
_EDGE: Final = 24

_STYLE: Final = (
    "text { font: 12px sans-serif; fill: #222 } "
    ".head { font-weight: bold; font-size: 13px } "
    ".word { font-size: 11px; fill: #444; paint-order: stroke; stroke: white; stroke-width: 4px } "
    "path { fill: none; stroke: #444; stroke-width: 1.4 } "
    ".optional { stroke-dasharray: 5 4 }"
)
_TIP: Final = (
    '<marker id="tip" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="8" markerHeight="8" '
    'orient="auto"><polygon points="0 0.5, 8 4, 0 7.5" fill="#444"/></marker>'
)


class NoCellError(Exception):
    """The template has a box without a cell; the text says what to do."""


def svg(template: Template) -> str:
    """Draw the template. Raises NoCellError."""
    inside, drawn = boxes(template), arrows(template) | OUTSIDE
    if homeless := sorted((inside | {end for arrow in drawn for end in arrow}) - CELLS.keys()):
        raise NoCellError(f"Give {', '.join(homeless)} a cell in CELLS of {__name__}.")
    shown = {end for arrow in drawn for end in arrow} | inside
    columns = 1 + max(CELLS[name].column for name in shown)
    rows = 1 + max(CELLS[name].row for name in shown)
    width = 2 * _EDGE + (columns - 1) * _STEP[0] + _WIDTH
    height = 2 * _EDGE + (rows - 1) * _STEP[1] + _HEIGHT
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">',
        "<title>SES Insights: what goes where</title>",
        f"<style>{_STYLE}</style>",
        _TIP,
        f'<rect width="{width}" height="{height}" rx="8" fill="white"/>',
        *(_box_drawn(name) for name in sorted(shown)),
        *(_arrow_drawn(arrow, drawn) for arrow in sorted(drawn)),
        *(_word_drawn(arrow, drawn) for arrow in sorted(drawn & WORDS.keys())),
    ]
    return "\n".join([*lines, "</svg>", ""])


def _corner(name: str) -> Point:
    cell = CELLS[name]
    return _EDGE + cell.column * _STEP[0], _EDGE + cell.row * _STEP[1]


def _box_drawn(name: str) -> str:
    cell, (x, y) = CELLS[name], _corner(name)
    dashes = ' stroke-dasharray="5 4"' if cell.optional else ""
    middle = x + _WIDTH // 2
    top = y + _HEIGHT // 2 + 5 - 8 * len(cell.lines)
    texts = "".join(
        f'<text x="{middle}" y="{top + 16 * (number + 1)}" text-anchor="middle">'
        f"{escape(line)}</text>"
        for number, line in enumerate(cell.lines)
    )
    return (
        f'<g><rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="6" '
        f'fill="{cell.color}" stroke="#777"{dashes}/><text class="head" x="{middle}" y="{top}" '
        f'text-anchor="middle">{escape(cell.title)}</text>{texts}</g>'
    )


def _arrow_drawn(arrow: Arrow, drawn: set[Arrow]) -> str:
    (x, y), *more = _route(arrow, drawn)
    optional = any(CELLS[end].optional for end in arrow)
    kind = ' class="optional"' if optional else ""
    said = escape(f"{CELLS[arrow[0]].title} to {CELLS[arrow[1]].title}")
    way = "".join(f"L{x} {y}" for x, y in more)
    return f'<path{kind} d="M{x} {y}{way}" marker-end="url(#tip)"><title>{said}</title></path>'


def _word_drawn(arrow: Arrow, drawn: set[Arrow]) -> str:
    (x, y), (to_x, to_y), *_ = _route(arrow, drawn)
    above = 6 if y == to_y else -4
    return (
        f'<text class="word" x="{(x + to_x) // 2}" y="{(y + to_y) // 2 - above}" '
        f'text-anchor="middle">{escape(WORDS[arrow])}</text>'
    )


def _route(arrow: Arrow, drawn: set[Arrow]) -> list[Point]:
    """Go from edge to edge: along the row or column, or across; around what stands between."""
    source, target = (CELLS[end] for end in arrow)
    (x, y), (to_x, to_y) = map(_corner, arrow)
    across, down = target.column - source.column, target.row - source.row
    aside = 30 if (arrow[1], arrow[0]) in drawn else 0  # there and back are two arrows
    if abs(down) > 1 and abs(across) == 1:
        # Past the boxes of the column that lie between, into the target's side.
        turn, end = to_x - 22, to_y + _HEIGHT // 2 + 18
        level = y + _HEIGHT // 2
        return [(x, level), (turn, level), (turn, end), (to_x, end)]
    if across == 0:
        middle = x + _WIDTH // 2 + (aside if down > 0 else -aside)
        from_y, end_y = (y + _HEIGHT, to_y) if down > 0 else (y, to_y + _HEIGHT)
        return [(middle, from_y), (middle, end_y)]
    start, end = (x, to_x + _WIDTH) if across < 0 else (x + _WIDTH, to_x)
    lean = 16 * (down > 0) - 16 * (down < 0)
    return [(start, y + _HEIGHT // 2 + lean), (end, to_y + _HEIGHT // 2 - lean)]


def whole_template() -> dict[str, Any]:
    """Synthesise the stack with everything that is optional, its package not built."""
    settings = json.loads((PROJECT / "cdk.json").read_text())["context"]
    app = App(
        context={**settings, "aws:cdk:bundling-stacks": []},
        analytics_reporting=False,
    )
    config = Config(intake_sent=True, intake_feedback=True)
    SesInsightsStack(app, config.stack_name, config=config)
    return dict(app.synth().get_stack_by_name(config.stack_name).template)


def main() -> int:
    """Write the picture; returns the exit status."""
    try:
        PICTURE.write_text(svg(whole_template()))
    except NoCellError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{PICTURE.relative_to(PROJECT)} is drawn.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
