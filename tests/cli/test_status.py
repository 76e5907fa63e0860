"""`insights status` shows what waits, how fast it moves, and what has stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ses_insights.cli.commands.status import lines, one_line, to_json
from ses_insights.cli.state import Log, State
from ses_insights.domain.lanes import Lane
from ses_insights.domain.listing import Feedback
from ses_insights.domain.suppression import Progress
from tests.cli.conftest import Aws
from tests.support.said import Insights

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
ON_TIME = dict.fromkeys(Lane, timedelta(0))
STATE = State(
    stack="SesInsights",
    at=AT,
    waiting=1_200,
    delayed=300,
    in_flight=1,
    due={Lane.ALERT: 0, Lane.LISTED: 0, Lane.ESSENTIAL: 7, Lane.FOLLOW_UP: 10_000, Lane.BULK: 0},
    planned={Lane.LISTED: 0, Lane.ESSENTIAL: 70, Lane.FOLLOW_UP: 3_000, Lane.BULK: 1},
    late=ON_TIME | {Lane.ESSENTIAL: timedelta(hours=10)},
    period=1.0,
    first_look_delay=timedelta(minutes=15),
    dead_letters=0,
    log=Log(recent=240, last_look=AT - timedelta(seconds=3)),
    vdm="on",
    feedback=Progress(
        AT - timedelta(minutes=2), by_hour={"2026-11-23T08": 200, "2026-11-22T20": 14}
    ),
)


def printed(state: State) -> dict[str, str]:
    """What a person reads, by the first word of the line."""
    return dict(line.plain.split("\t") for line in lines(state))


def test_a_person_reads_one_thing_a_line() -> None:
    """Every number stands with its unit; a count that stopped says so."""
    assert printed(STATE) == {
        "Verdict": "All is well: what waits is looked up within 3 h 26 min.",
        "Stack": "SesInsights",
        "Queue": (
            "1,200 waiting, 300 delayed, 1 in flight "
            "(delayed: an id waits 15 min before its first look)"
        ),
        "Due": "0 listed, 7 essential, 10,000+ follow-up, 0 bulk",
        "Planned": "0 listed, 70 essential, 3,000 follow-up, 1 bulk",
        "Pending alerts": "0",
        "Speed": "240 looks in the last 5 min, 0.8 a second",
        "Budget": (
            "1 look a second at most, a first look for 50% of new ids, essential looks 10 h late"
        ),
        "To drain": "25 min 1 s the queue, 3 h 11 min with the due",
        "Dead-letter queue": "0",
        "Last look": "2026-11-23T09:59:57Z, 3 s ago",
        "Suppression list": "read to 2026-11-23T09:58:00Z, 214 listed in 24 h",
        "VDM": "on",
    }


def test_nothing_delayed_needs_no_explanation() -> None:
    """The verdict, too, then counts no more than the looks before the last one."""
    shown = printed(replace(STATE, delayed=0, due=dict.fromkeys(Lane, 0)))
    assert shown["Queue"] == "1,200 waiting, 0 delayed, 1 in flight"
    assert shown["Verdict"] == "All is well: what waits is looked up within 20 min 1 s."


def test_what_is_not_known_is_shown_as_unknown() -> None:
    """A log without a look, and VDM without permission to ask."""
    shown = printed(replace(STATE, log=None, vdm="unknown"))
    assert (shown["Last look"], shown["Speed"], shown["VDM"]) == ("unknown",) * 3
    assert shown["Verdict"].startswith("All is well")


def test_a_list_that_is_off_says_so() -> None:
    """For what; before the first run, or where it is not read, nothing more is known."""
    off = replace(STATE, list_off=frozenset({Feedback.COMPLAINT}))
    assert printed(off)["Suppression list"].endswith(" listed in 24 h; off for COMPLAINT")
    assert printed(replace(off, feedback=None))["Suppression list"] == "not read; off for COMPLAINT"
    assert to_json(replace(off, feedback=None))["suppressionList"] == {
        "readTo": None,
        "listedIn24Hours": None,
        "off": ["COMPLAINT"],
    }


def test_vdm_off_is_explained() -> None:
    """With what it means for looks and for mail."""
    assert printed(replace(STATE, vdm="off"))["VDM"].startswith("off: SES refuses every look")


def test_enough_looks_for_every_message_are_shown_in_words() -> None:
    """Where no essential look is late, every new id gets its first look."""
    shown = printed(replace(STATE, late=ON_TIME, period=2.0))
    assert shown["Budget"] == "0.5 looks a second at most, a first look for every new id"


def test_a_program_reads_numbers() -> None:
    """Seconds, shares and ISO 8601."""
    shown = to_json(STATE)
    assert shown["secondsToDrain"] == {"queue": 1501.0, "withDue": 11508.0}
    assert shown["budget"] == {
        "looksPerSecond": 1.0,
        "firstLooks": 0.5,
        "essentialLateSeconds": 36_000.0,
    }
    assert shown["suppressionList"] == {
        "readTo": "2026-11-23T09:58:00.000Z",
        "listedIn24Hours": 214,
        "off": [],
    }
    assert json.loads(json.dumps(shown)) == shown


def test_one_line_has_what_moves() -> None:
    """What `watch` prints where there is no terminal."""
    assert one_line(STATE) == (
        "2026-11-23T10:00:00Z\t1,501 in the queue\t10,007 due\t3 h 11 min to drain\t0 parked\t"
        "last look 2026-11-23T09:59:57Z, 3 s ago"
    )


def late(lane: Lane, minutes: int) -> dict[Lane, timedelta]:
    """Everything on time but the oldest row of a lane."""
    return ON_TIME | {lane: timedelta(minutes=minutes)}


QUIET = replace(
    STATE,
    waiting=0,
    delayed=0,
    in_flight=0,
    due=dict.fromkeys(Lane, 0),
    late=ON_TIME,
    log=Log(recent=0, last_look=AT - timedelta(days=2)),
)
"""Nothing waits, and nothing was looked at for days."""


@pytest.mark.parametrize(
    "state",
    [
        STATE,
        QUIET,
        replace(QUIET, delayed=5),
        replace(QUIET, log=Log(0, None)),
        # Long periods between two looks are no stop.
        replace(STATE, period=200.0, log=Log(1, AT - timedelta(minutes=20))),
        # Due for moments, or already on its way through the queue's delay.
        replace(QUIET, due=STATE.due, late=late(Lane.BULK, minutes=9)),
        replace(QUIET, due=STATE.due, late=late(Lane.BULK, minutes=180), delayed=3),
        replace(QUIET, late=late(Lane.ALERT, minutes=9)),
        # What cannot be read is no fault.
        replace(STATE, log=None),
    ],
    ids=range(9),
)
def test_what_moves_or_need_not_is_well(state: State) -> None:
    """The verdict says so first."""
    assert state.stands_still == ()
    assert state.verdict.startswith("All is well: ")


@pytest.mark.parametrize(
    ("state", "says"),
    [
        (replace(QUIET, waiting=5), "5 ids wait in the queue; looked at was none since 2026-11-21"),
        (replace(QUIET, in_flight=1), "1 id waits in the queue; looked at was none since"),
        (replace(QUIET, waiting=1, log=Log(0, None)), "none as far as the log shows."),
        (replace(QUIET, late=late(Lane.BULK, minutes=180)), "Looks are due since 2026-11-23T07:00"),
        (replace(QUIET, late=late(Lane.ALERT, minutes=60)), "Alerts wait for their publication"),
        (replace(STATE, vdm="off"), "VDM is off: SES refuses every look"),
    ],
)
def test_what_stands_still_is_said_first(state: State, says: str) -> None:
    """With since when."""
    assert state.verdict.startswith("Something stands still. ")
    assert says in state.verdict
    assert to_json(state)["ok"] is False


def test_what_is_parked_is_pointed_to() -> None:
    """It is no standstill: the others go on."""
    assert replace(QUIET, dead_letters=2).verdict == (
        "All is well: nothing waits. 2 messages are parked; insights parked lists them."
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
