"""`python -m local.demo`: the service at work on some forty mails, on the real stack, locally.

It sends, enqueues and subscribes as its users do, shows what happens while it happens, and in the
end holds every row and every alert against the stories of the mails.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from local.actors.operator import FollowUps
from local.actors.subscriber import Received, Subscriber
from local.expectations import differences
from local.scenario import (
    FIRST_LOOK_DELAY,
    LATE_AFTER,
    LOOK_AGAIN,
    NO_IDS,
    Scenario,
    play,
)
from local.ses_stand_in.pace import Report
from local.ses_stand_in.stories import MISSING
from local.stack.child import LocalRunError
from local.stack.observe import messages_in, read_parked, scan
from local.stack.run import LocalRun, local_stack
from ses_insights.contracts.rows import MESSAGE

PLAIN_WIDTH: Final = 150
"""Columns where the output is no terminal."""

PICTURE_WIDTH: Final = 140
"""Columns of the picture: as wide as its tables need, or its letters would be small."""

COLOURS: Final = {
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "cyan",
    "info": "green",
}
SECONDS_BETWEEN_LINES: Final = 10.0
SCHEDULE_SECONDS: Final = 75.0
"""How long the demo waits for the schedule's first run, which comes a minute after the deploy."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the run is."""

    report: Report
    waiting: int
    parked: int
    final: int
    """How many messages will not be looked at again."""

    def is_done(self, scenario: Scenario) -> bool:
        """Whether every story is final and nothing is left in the queue."""
        return self.waiting == 0 and self.final >= len(scenario.expected)

    def line(self, scenario: Scenario) -> str:
        """One line for a person."""
        took = self.report.accepted
        left = max(scenario.looks_expected - took, 0)
        rate = (took - 1) / self.report.span if took > 1 else 0.0
        return (
            f"{took} of some {scenario.looks_expected} looks · {rate:.2f} a second · "
            f"{self.waiting} waiting · about {left} s to go · "
            f"{self.final} final · {self.parked} parked"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument(
        "--svg", type=Path, metavar="FILE", help="keep what it shows in the end as a picture"
    )
    picture: Path | None = parser.parse_args(arguments).svg
    console = _console() if picture is None else Console(highlight=False, width=PICTURE_WIDTH)
    console.print("[bold]SES Insights[/bold]: the real stack on this machine. No AWS account.\n")
    began = time.monotonic()
    context = {
        "firstLookDelaySeconds": str(FIRST_LOOK_DELAY),
        "followUpLadder": json.dumps([LOOK_AGAIN]),
    }
    try:
        with local_stack(context, progress=lambda step: console.print(f"  {step} …")) as run:
            console.print(f"  Ready after {time.monotonic() - began:.0f} s.\n")
            wrong = show(run, console)
    except KeyboardInterrupt:
        console.print("\nStopped; nothing is left running.")
        return 130
    except LocalRunError as error:
        console.print(escape(str(error)))
        return 1
    if picture and not wrong:
        picture.write_text(captured(console))
    return 1 if wrong else 0


def captured(console: Console) -> str:
    """Draw what the console has recorded, without the fonts that Rich would fetch from the web."""
    svg = console.export_svg(title="make demo")
    plain = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return "".join(f"{line.rstrip()}\n" for line in plain.splitlines())


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


def show(run: LocalRun, console: Console) -> list[str]:
    """Run the scenario through the stack and show it; returns what is not as it must be."""
    subscriber = Subscriber.subscribe(run.session, run.alert_topic_arn)
    scenario = play(run)
    followups = FollowUps(run)
    console.print(
        f"Sent {len(scenario.expected) - len(MISSING)} mails through SES and put "
        f"{scenario.enqueued} messages into the queue: their ids in every form, one id twice, "
        f"{len(MISSING)} ids that SES never gave out, {len(NO_IDS)} bodies that hold none. "
        f"{len(scenario.expected)} ids are to be looked at, {scenario.parked_expected} messages "
        f"to be parked, {scenario.parked_expected - len(NO_IDS)} of them after their look.\n"
        f"Each waits {FIRST_LOOK_DELAY} s before its look. Four hours of a story pass in a second."
        "\n"
        f"Three stories turn only after {LATE_AFTER:.0f} s: a bounce and a complaint "
        "that come late, and a mail that SES does not show before.\n"
        f"Instead of on seven rungs up to 29 days, a mail is looked at again once, {LOOK_AGAIN} s "
        "after it was sent, if its first look comes before that.\n"
        "The schedule starts followups every minute; the demo does not wait for it and starts it "
        "every second as well.\n"
    )
    finished = watch(run, subscriber, scenario, followups, console)
    console.record = True  # the picture shows the results
    rows = list(scan(run))
    print_rows(rows, console)
    print_alerts(subscriber.received, console)
    print_again(run, scenario, subscriber.received, console)
    scheduled = print_schedule(followups, console)
    parked = read_parked(run)
    print_parked(parked, console)
    report = run.ses.report()
    print_pace(report, console)

    wrong = differences(scenario.expected, rows, subscriber.received)
    wrong += wrong_with_late_ones(scenario, rows)
    if not scheduled:
        wrong.append("the schedule of followups has started no run")
    if not finished:
        wrong.append("time ran out before every story was final")
    if len(parked) != scenario.parked_expected:
        wrong.append(f"{len(parked)} messages are parked, {scenario.parked_expected} are expected")
    looks = sum(int(row["Looks"]) for row in rows if row["Record"] == MESSAGE)
    if report.accepted != looks:
        wrong.append(f"{report.accepted} looks, {looks} in the table")
    print_expectations(wrong, scenario, console)
    return wrong


def wrong_with_late_ones(scenario: Scenario, rows: list[Mapping[str, Any]]) -> list[str]:
    """List the late stories that no later look has found."""
    messages = {row["MessageId"]: row for row in rows if row["Record"] == MESSAGE}
    late = [(scenario.labels[each], messages.get(each, {})) for each in scenario.again]
    return [
        *(
            f"{label}: {row.get('Looks', 0)} looks, two are expected"
            for label, row in late
            if row.get("Looks", 0) < 2  # noqa: PLR2004 - the first, and the one that finds it
        ),
        *(
            f"{scenario.labels[message_id]}: the row does not say why there is no next look"
            for message_id, row in messages.items()
            if not row.get("Final")
        ),
    ]


def watch(
    run: LocalRun,
    subscriber: Subscriber,
    scenario: Scenario,
    followups: FollowUps,
    console: Console,
) -> bool:
    """Show progress and alerts until all is done; False when it takes far too long."""
    began = time.monotonic()
    deadline = began + 60 + 3 * scenario.looks_expected
    with _progress_line(console) as show_line:
        while time.monotonic() < deadline:
            if time.monotonic() > began + followups.on_demand:
                followups.start()
            progress = _progress(run)
            for alert in subscriber.read():
                console.print(_alert_line(alert))
            show_line(progress.line(scenario))
            if progress.is_done(scenario):
                console.print(progress.line(scenario))
                return True
            time.sleep(0.5)
    return False


@contextmanager
def _progress_line(console: Console) -> Iterator[Any]:
    """Give a function that shows one line: in place on a terminal, now and then elsewhere."""
    if console.is_terminal:
        with Live(Text(), console=console, transient=True) as live:
            yield lambda line: live.update(Text(line, style="bold"))
        return
    last = float("-inf")

    def print_line(line: str) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            console.print(line)

    yield print_line


def _progress(run: LocalRun) -> Progress:
    return Progress(
        report=run.ses.report(),
        waiting=messages_in(run, run.queue_url),
        parked=messages_in(run, run.dead_letter_queue_url),
        final=sum("Final" in row for row in scan(run) if row["Record"] == MESSAGE),
    )


def _alert_line(alert: Received) -> str:
    body = alert.body
    severity = body["severity"]
    moment = datetime.fromisoformat(body["detectedAt"]).strftime("%H:%M:%S")
    return (
        f"{moment}  [{COLOURS[severity]}]{severity:<8}[/] {body['alertType']:<9}  "
        f"{escape(body['destination'])}  {body['cause']}"
    )


def print_rows(rows: list[Mapping[str, Any]], console: Console) -> None:
    """Print how many messages have each status, with one of them."""
    messages = [row for row in rows if row["Record"] == MESSAGE]
    counts = Counter(row["Status"] for row in messages)
    table = Table(
        "Status",
        "Messages",
        "One of them",
        "Looks",
        "Next look, or why there is none",
        box=None,
        title_justify="left",
    )
    for status, count in counts.most_common():
        row = max(
            (row for row in messages if row["Status"] == status), key=lambda row: row["Looks"]
        )
        next_look = row.get("NextLookAt", row.get("Final", ""))
        table.add_row(status, str(count), row["MessageId"], str(row["Looks"]), next_look)
    _section("The table", console)
    console.print(table)


def print_alerts(received: list[Received], console: Console) -> None:
    """Print every alert with its next step."""
    table = Table("Severity", "Type", "Destination", "Kind", "What to do", box=None)
    for alert in sorted(received, key=lambda alert: list(COLOURS).index(alert.body["severity"])):
        body, event = alert.body, alert.body["event"]
        kind = event.get("bounce", {}).get("bounceSubType") or event.get("complaint", {}).get(
            "complaintFeedbackType"
        )
        severity = body["severity"]
        table.add_row(
            Text(severity, COLOURS[severity]),
            body["alertType"],
            body["destination"].removesuffix("@stories.example"),
            kind or "(none given)",
            body["nextStep"],
        )
    _section(f"The alerts, {len(received)}", console)
    console.print(table)


def print_again(
    run: LocalRun, scenario: Scenario, received: list[Received], console: Console
) -> None:
    """Print what the first look showed of the late stories, and what the later one found."""
    looked = [
        line
        for line in run.log_records(run.lookup_function)
        if line.get("message") == "looked" and line.get("message_id") in scenario.again
    ]
    table = Table("Mail", "First look", "Later look", "Alerts", "Why it is final", box=None)
    for message_id in scenario.again:
        lines = [line for line in looked if line["message_id"] == message_id]
        alerts = sum(alert.body.get("messageId") == message_id for alert in received)
        table.add_row(
            scenario.labels[message_id],
            lines[0]["status"] if lines else "",
            lines[-1]["status"] if lines[1:] else "",
            str(alerts),
            lines[-1]["final"] if lines else "",
        )
    _section("What a later look found", console)
    console.print(table)


def print_schedule(followups: FollowUps, console: Console) -> int:
    """Print that the schedule is there, and return how many runs it has started."""
    expression, state = followups.schedule()
    deadline = time.monotonic() + SCHEDULE_SECONDS
    while not (scheduled := followups.by_schedule()) and time.monotonic() < deadline:
        time.sleep(0.5)
    _section("Who started followups", console)
    console.print(
        f"Its schedule, {expression}, {state.lower()}: {scheduled} so far. "
        f"The demo itself: {followups.on_demand} times."
    )
    return scheduled


def print_parked(parked: list[Mapping[str, Any]], console: Console) -> None:
    """Print why messages were parked."""
    table = Table("Body", "Reason", box=None)
    for message in parked:
        reason = message["MessageAttributes"]["Reason"]["StringValue"]
        table.add_row(Text(json.dumps(message["Body"])[:50]), Text(reason))
    _section(f"Parked in the dead-letter queue, {len(parked)}", console)
    console.print(table)


def print_pace(report: Report, console: Console) -> None:
    """Print what the SES stand-in measured of the pace."""
    _section("The pace, as the SES stand-in measured it", console)
    console.print(
        f"{report.calls} calls, {report.throttled} refused as too early, "
        f"closest two {report.closest or 0:.3f} s apart, "
        f"{report.used or 0:.1%} of the one-a-second slots used"
    )


def print_expectations(wrong: list[str], scenario: Scenario, console: Console) -> None:
    """Print whether everything is as the stories expect, and how to go on."""
    _section("Expected and found", console)
    for line in wrong:
        console.print(f"[red]✗[/red] {escape(line)}")
    if not wrong:
        console.print(
            f"[green]✓[/green] All {len(scenario.expected)} ids are stored and alerted as their "
            "stories say."
        )
    console.print(
        "\nTo look further: `make local` leaves the stack running and prints the variables with\n"
        "which the AWS CLI talks to it, and what to try."
    )


def _section(title: str, console: Console) -> None:
    console.print(f"\n[bold]{title}[/bold]")


if __name__ == "__main__":
    sys.exit(main())
