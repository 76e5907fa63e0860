"""`insights status`: what waits, how fast it moves, and what has stopped."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import typer
from rich.text import Text

from ses_insights.cli.options import Json, Stack, deployment_of
from ses_insights.cli.output import (
    Cell,
    columns,
    echo,
    echo_json,
    lane_name,
    span,
    to_the_second,
)
from ses_insights.cli.state import MOST_COUNTED, State, read
from ses_insights.contracts.names import DEFAULT_STACK_NAME
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.overload import first_looks
from ses_insights.domain.times import iso


def command(ctx: typer.Context, stack: Stack = DEFAULT_STACK_NAME, as_json: Json = False) -> None:
    """Show what waits, how fast it moves, and what has stopped.

    \b
    Examples:
      insights status
      insights status --stack SesInsightsTest --json
    """
    state = read(deployment_of(ctx, stack))
    if as_json:
        echo_json(to_json(state))
        return
    for line in lines(state):
        echo(line)


def lines(state: State) -> list[Text]:
    """Return the state for a person, one fact a line."""
    alerts = state.due[Lane.ALERT]
    facts: list[tuple[Cell, Cell]] = [
        ("Stack", state.stack),
        (
            "Queue",
            f"{state.waiting:,} waiting, {state.delayed:,} delayed, {state.in_flight:,} in flight",
        ),
        (
            "Due",
            ", ".join(f"{_capped(state.due[lane])} {lane_name(lane)}" for lane in LOOK_LANES),
        ),
        ("Pending alerts", _warning(_capped(alerts), is_bad=alerts > 0)),
        ("Budget", _budget(state)),
        (
            "To drain",
            f"{span(state.queue_seconds)} the queue, {span(state.seconds)} with the due",
        ),
        ("Dead-letter queue", _warning(f"{state.dead_letters:,}", is_bad=state.dead_letters > 0)),
        ("Last look", _ago(state.last_look, state.at)),
        ("VDM", _warning(_vdm_in_words(state.vdm), is_bad=state.vdm == "off")),
    ]
    return columns(facts)


def to_json(state: State) -> dict[str, Any]:
    """Return the state for a program: seconds, ISO 8601, and null for what is unknown."""
    return {
        "stack": state.stack,
        "at": iso(state.at),
        "queue": {
            "waiting": state.waiting,
            "delayed": state.delayed,
            "inFlight": state.in_flight,
        },
        "due": {str(lane): number for lane, number in state.due.items()},
        "dueIsCountedUpTo": MOST_COUNTED,
        "budget": {
            "looksPerSecond": 1 / state.period,
            "firstLooks": first_looks(state.essential_late),
            "essentialLateSeconds": state.essential_late.total_seconds(),
        },
        "secondsToDrain": {"queue": state.queue_seconds, "withDue": state.seconds},
        "deadLetters": state.dead_letters,
        "lastLookAt": iso(state.last_look) if state.last_look else None,
        "vdm": state.vdm,
    }


def one_line(state: State) -> str:
    """Return in one line what changes from minute to minute."""
    due = sum(state.due[lane] for lane in LOOK_LANES)
    return (
        f"{to_the_second(state.at)}  {state.in_queue:,} in the queue, {due:,} due, "
        f"{span(state.seconds)} to drain, {state.dead_letters:,} parked, "
        f"last look {_ago(state.last_look, state.at)}"
    )


def _budget(state: State) -> str:
    speed = f"{1 / state.period:.3g} looks a second"
    share = first_looks(state.essential_late)
    if share == 1:
        return f"{speed}, a first look for every new id"
    late = span(state.essential_late.total_seconds())
    return f"{speed}, a first look for {share:.0%} of new ids, essential looks {late} late"


def _capped(number: int) -> str:
    return f"{number:,}" + ("+" if number >= MOST_COUNTED else "")


def _ago(moment: datetime | None, at: datetime) -> str:
    if moment is None:
        return "unknown"
    return f"{to_the_second(moment)}, {span(max(0.0, (at - moment).total_seconds()))} ago"


def _vdm_in_words(vdm: str) -> str:
    if vdm == "off":
        return "off: SES refuses every look, and mail sent now is never tracked"
    return vdm


def _warning(text: str, *, is_bad: bool) -> Text:
    return Text(text, "bold red" if is_bad else "")
