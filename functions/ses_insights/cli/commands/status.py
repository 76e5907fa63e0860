"""`insights status`: what waits, how fast it moves, and what has stopped."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import typer
from rich.text import Text

from ses_insights.cli.errors import NOTHING
from ses_insights.cli.options import Json, deployment_of
from ses_insights.cli.output import (
    Cell,
    columns,
    counted,
    echo,
    echo_json,
    lane_name,
    span,
    to_the_second,
)
from ses_insights.cli.state import RECENT, State, read
from ses_insights.domain.due import MOST_COUNTED
from ses_insights.domain.lanes import LOOK_LANES, Lane
from ses_insights.domain.overload import first_looks
from ses_insights.domain.times import iso

_SECOND_THOUGHT: Final = 10.0
"""Seconds until a second reading; Lambda receives within seconds what can be received."""


def command(ctx: typer.Context, as_json: Json = False) -> None:
    """Show what waits, how fast it moves, and what has stopped.

    The first line is the verdict. Exit code 1: something stands still.

    \b
    Examples:
      insights status
      insights status --stack SesInsightsTest --json
    """
    deployment = deployment_of(ctx)
    state = read(deployment)
    if state.stands_still and state.vdm != "off":
        # Ids that could be received a moment ago only look as if they stood still.
        time.sleep(_SECOND_THOUGHT)
        state = read(deployment)
    if as_json:
        echo_json(to_json(state))
    else:
        for line in lines(state):
            echo(line)
    if state.stands_still:
        raise typer.Exit(NOTHING)


def lines(state: State) -> list[Text]:
    """Return the state for a person, one fact a line, the verdict first."""
    alerts = state.due[Lane.ALERT]
    facts: list[tuple[Cell, Cell]] = [
        ("Verdict", _warning(state.verdict, is_bad=bool(state.stands_still))),
        ("Stack", state.stack),
        ("Queue", _queue(state)),
        ("Due", _by_lane(state.due)),
        ("Planned", _by_lane(state.planned)),
        ("Pending alerts", _warning(_capped(alerts), is_bad=alerts > 0)),
        ("Speed", _speed(state)),
        ("Budget", _budget(state)),
        (
            "To drain",
            f"{span(state.queue_seconds)} the queue, {span(state.seconds)} with the due",
        ),
        ("Dead-letter queue", _warning(f"{state.dead_letters:,}", is_bad=state.dead_letters > 0)),
        ("Last look", _ago(state.last_look, state.at)),
        ("Suppression list", _warning(_feedback(state), is_bad=bool(state.list_off))),
        ("VDM", _warning(_vdm_in_words(state.vdm), is_bad=state.vdm == "off")),
    ]
    return columns(facts)


def to_json(state: State) -> dict[str, Any]:
    """Return the state for a program: seconds, ISO 8601, and null for what is unknown."""
    return {
        "ok": not state.stands_still,
        "verdict": state.verdict,
        "stack": state.stack,
        "at": iso(state.at),
        "queue": {
            "waiting": state.waiting,
            "delayed": state.delayed,
            "inFlight": state.in_flight,
        },
        "due": {str(lane): number for lane, number in state.due.items()},
        "planned": {str(lane): number for lane, number in state.planned.items()},
        "dueIsCountedUpTo": MOST_COUNTED,
        "speed": {
            "seconds": RECENT.total_seconds(),
            "looks": state.log.recent if state.log else None,
        },
        "budget": {
            "looksPerSecond": 1 / state.period,
            "firstLooks": first_looks(state.late[Lane.ESSENTIAL]),
            "essentialLateSeconds": state.late[Lane.ESSENTIAL].total_seconds(),
        },
        "secondsToDrain": {"queue": state.queue_seconds, "withDue": state.seconds},
        "deadLetters": state.dead_letters,
        "lastLookAt": iso(state.last_look) if state.last_look else None,
        "vdm": state.vdm,
        "suppressionList": {
            "readTo": iso(state.feedback.read_to) if state.feedback else None,
            "listedIn24Hours": state.feedback.in_a_day(state.at) if state.feedback else None,
            "off": sorted(map(str, state.list_off)),
        },
    }


def one_line(state: State) -> str:
    """Return in one line what changes from minute to minute, with tabs between."""
    due = sum(state.due[lane] for lane in LOOK_LANES)
    return "\t".join(
        (
            to_the_second(state.at),
            f"{state.in_queue:,} in the queue",
            f"{due:,} due",
            f"{span(state.seconds)} to drain",
            f"{state.dead_letters:,} parked",
            f"last look {_ago(state.last_look, state.at)}",
        )
    )


def _queue(state: State) -> str:
    queue = f"{state.waiting:,} waiting, {state.delayed:,} delayed, {state.in_flight:,} in flight"
    if not state.delayed:
        return queue
    delay = span(state.first_look_delay.total_seconds())
    return f"{queue} (delayed: an id waits {delay} before its first look)"


def _by_lane(numbers: Mapping[Lane, int]) -> str:
    return ", ".join(f"{_capped(numbers[lane])} {lane_name(lane)}" for lane in LOOK_LANES)


def _speed(state: State) -> str:
    if state.log is None:
        return "unknown"
    seconds = RECENT.total_seconds()
    rate = f", {state.log.recent / seconds:.2g} a second" if state.log.recent else ""
    return f"{counted(state.log.recent, 'look')} in the last {span(seconds)}{rate}"


def _budget(state: State) -> str:
    speed = f"{1 / state.period:.3g} look{'' if state.period == 1 else 's'} a second at most"
    share = first_looks(state.late[Lane.ESSENTIAL])
    if share == 1:
        return f"{speed}, a first look for every new id"
    late = span(state.late[Lane.ESSENTIAL].total_seconds())
    return f"{speed}, a first look for {share:.0%} of new ids, essential looks {late} late"


def _capped(number: int) -> str:
    return f"{number:,}" + ("+" if number >= MOST_COUNTED else "")


def _ago(moment: datetime | None, at: datetime) -> str:
    if moment is None:
        return "unknown"
    return f"{to_the_second(moment)}, {span(max(0.0, (at - moment).total_seconds()))} ago"


def _feedback(state: State) -> str:
    off = f"; off for {' and '.join(sorted(map(str, state.list_off)))}" if state.list_off else ""
    if state.feedback is None:
        return f"not read{off}"
    number = state.feedback.in_a_day(state.at)
    return f"read to {to_the_second(state.feedback.read_to)}, {number:,} listed in 24 h{off}"


def _vdm_in_words(vdm: str) -> str:
    if vdm == "off":
        return "off: SES refuses every look, and mail sent now is never tracked"
    return vdm


def _warning(text: str, *, is_bad: bool) -> Text:
    return Text(text, "bold red" if is_bad else "")
