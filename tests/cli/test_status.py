"""`insights status` shows what waits, how fast it moves, and what has stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from ses_insights.cli.commands.status import lines, one_line, to_json
from ses_insights.cli.state import State
from ses_insights.domain.lanes import Lane
from tests.cli.conftest import Aws
from tests.support.said import Insights

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
STATE = State(
    stack="SesInsights",
    at=AT,
    waiting=1_200,
    delayed=300,
    in_flight=1,
    due={Lane.ALERT: 0, Lane.LISTED: 0, Lane.ESSENTIAL: 7, Lane.FOLLOW_UP: 10_000, Lane.BULK: 0},
    period=1.0,
    essential_late=timedelta(hours=10),
    dead_letters=0,
    last_look=AT - timedelta(seconds=3),
    vdm="on",
)


def printed(state: State) -> dict[str, str]:
    """What a person reads, by the first word of the line."""
    rows = [line.plain.split("  ", 1) for line in lines(state)]
    return {name: rest.strip() for name, rest in rows}


def test_a_person_reads_one_thing_a_line() -> None:
    """Every number stands with its unit; a count that stopped says so."""
    assert printed(STATE) == {
        "Stack": "SesInsights",
        "Queue": "1,200 waiting, 300 delayed, 1 in flight",
        "Due": "7 essential, 10,000+ follow-up, 0 bulk",
        "Pending alerts": "0",
        "Budget": "1 looks a second, a first look for 50% of new ids, essential looks 10 h late",
        "To drain": "25 min 1 s the queue, 3 h 11 min with the due",
        "Dead-letter queue": "0",
        "Last look": "2026-11-23T09:59:57Z, 3 s ago",
        "VDM": "on",
    }


def test_what_is_not_known_is_shown_as_unknown() -> None:
    """A log without a look, and VDM without permission to ask."""
    shown = printed(replace(STATE, last_look=None, vdm="unknown"))
    assert (shown["Last look"], shown["VDM"]) == ("unknown", "unknown")


def test_vdm_off_is_explained() -> None:
    """With what it means for looks and for mail."""
    assert printed(replace(STATE, vdm="off"))["VDM"].startswith("off: SES refuses every look")


def test_enough_looks_for_every_message_are_shown_in_words() -> None:
    """Where no essential look is late, every new id gets its first look."""
    shown = printed(replace(STATE, essential_late=timedelta(0), period=2.0))
    assert shown["Budget"] == "0.5 looks a second, a first look for every new id"


def test_a_program_reads_numbers() -> None:
    """Seconds, shares and ISO 8601."""
    shown = to_json(STATE)
    assert shown["secondsToDrain"] == {"queue": 1501.0, "withDue": 11508.0}
    assert shown["budget"] == {
        "looksPerSecond": 1.0,
        "firstLooks": 0.5,
        "essentialLateSeconds": 36_000.0,
    }
    assert json.loads(json.dumps(shown)) == shown


def test_one_line_has_what_moves() -> None:
    """What `watch` prints where there is no terminal."""
    assert one_line(STATE) == (
        "2026-11-23T10:00:00Z  1,501 in the queue, 10,007 due, 3 h 11 min to drain, 0 parked, "
        "last look 2026-11-23T09:59:57Z, 3 s ago"
    )


def test_missing_permission_is_one_sentence(aws: Aws, insights: Insights) -> None:
    """It names what is denied and where the policy is, on standard error."""
    aws.fails["GetQueueAttributes"] = "AccessDenied"
    said = insights("status")
    assert (said.code, said.out) == (3, "")
    assert said.err == (
        "These credentials do not allow this: GetQueueAttributes is denied. docs/cli.md has the "
        "policy.\n"
    )
