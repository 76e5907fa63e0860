"""`python -m local.demo`: the service at work on some forty mails, on the real stack, locally.

It sends, enqueues and subscribes as its users would, shows what happens while it happens, and in
the end holds every row and every alert against the stories that SES told.
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
    Work,
    enqueue_with_late_ones,
)
from local.ses_stand_in.pace import Report
from local.ses_stand_in.stories import UNTOLD
from local.stack.child import LocalRunError
from local.stack.observe import messages_in, read_parked, scan
from local.stack.run import LocalRun, local_stack

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
QUIET_LINE_SECONDS: Final = 10.0
SCHEDULE_SECONDS: Final = 75.0
"""How long the demo waits for the schedule's first run, which comes a minute after the deploy."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the work stands."""

    report: Report
    waiting: int
    parked: int
    final: int
    """How many messages will not be looked at again."""

    def is_done(self, work: Work) -> bool:
        """Whether every story is final and nothing is left in the queue."""
        return self.waiting == 0 and self.final >= len(work.expected)

    def line(self, work: Work) -> str:
        """Tell it in one line."""
        took = self.report.accepted
        left = max(work.looks_due - took, 0)
        rate = (took - 1) / self.report.span if took > 1 else 0.0
        return (
            f"{took} of some {work.looks_due} looks · {rate:.2f} a second · "
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
    """Run the work through the stack and show it; returns what is not as it must be."""
    subscriber = Subscriber.subscribe(run.session, run.outputs["AlertTopicArn"])
    work = enqueue_with_late_ones(run)
    followups = FollowUps(run)
    console.print(
        f"Sent {len(work.expected) - len(UNTOLD)} mails through SES and put {work.enqueued} "
        f"messages into the queue: their ids in every form, one id twice, "
        f"{len(UNTOLD)} ids that SES never gave out, {len(NO_IDS)} bodies that hold none. "
        f"{len(work.expected)} ids are to be looked at, {work.parked_due} messages to be parked, "
        f"{work.parked_due - len(NO_IDS)} of them after their look.\n"
        f"Each waits {FIRST_LOOK_DELAY} s before its look. Four hours of a story pass in a second."
        "\n"
        f"Three stories take their turn only after {LATE_AFTER:.0f} s: a bounce and a complaint "
        "that come late, and a mail that SES does not show before.\n"
        f"Instead of on seven rungs up to 29 days, a mail is looked at again once, {LOOK_AGAIN} s "
        "after it was sent, if its first look comes before that.\n"
        "The schedule starts followups every minute; so as not to wait for it, the demo starts it "
        "every second as well.\n"
    )
    finished = watch(run, subscriber, work, followups, console)
    console.record = True  # the picture is of what came of it
    rows = list(scan(run))
    print_rows(rows, console)
    print_alerts(subscriber.received, console)
    print_again(run, work, subscriber.received, console)
    scheduled = print_schedule(followups, console)
    parked = read_parked(run)
    print_parked(parked, console)
    report = run.ses.report()
    print_verdict(report, console)

    wrong = differences(work.expected, rows, subscriber.received)
    wrong += wrong_with_late_ones(work, rows)
    if not scheduled:
        wrong.append("the schedule of followups has started no run")
    if not finished:
        wrong.append("time ran out before every story was final")
    if len(parked) != work.parked_due:
        wrong.append(f"{len(parked)} messages are parked, {work.parked_due} are due")
    looks = sum(int(row["Looks"]) for row in rows if row["Record"] == "MESSAGE")
    if report.accepted != looks:
        wrong.append(f"{report.accepted} looks, {looks} in the table")
    print_truth(wrong, work, console)
    return wrong


def wrong_with_late_ones(work: Work, rows: list[Mapping[str, Any]]) -> list[str]:
    """Say in a line each which late story was not found by a later look."""
    messages = {row["MessageId"]: row for row in rows if row["Record"] == "MESSAGE"}
    late = [(work.labels[each], messages.get(each, {})) for each in work.again]
    return [
        *(
            f"{label}: {row.get('Looks', 0)} looks, two are due"
            for label, row in late
            if row.get("Looks", 0) < 2  # noqa: PLR2004 - the first, and the one that finds it
        ),
        *(
            f"{work.labels[message_id]}: the row does not say why there is no next look"
            for message_id, row in messages.items()
            if not row.get("Final")
        ),
    ]


def watch(
    run: LocalRun, subscriber: Subscriber, work: Work, followups: FollowUps, console: Console
) -> bool:
    """Show progress and alerts until the work is done; False when it takes far too long."""
    began = time.monotonic()
    deadline = began + 60 + 3 * work.looks_due
    with _progress_line(console) as say:
        while time.monotonic() < deadline:
            if time.monotonic() > began + followups.by_hand:
                followups.start()
            progress = _progress(run)
            for alert in subscriber.read():
                console.print(_alert_line(alert))
            say(progress.line(work))
            if progress.is_done(work):
                console.print(progress.line(work))
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

    def say(line: str) -> None:
        nonlocal last
        if time.monotonic() - last >= QUIET_LINE_SECONDS:
            last = time.monotonic()
            console.print(line)

    yield say


def _progress(run: LocalRun) -> Progress:
    return Progress(
        report=run.ses.report(),
        waiting=messages_in(run, run.outputs["QueueUrl"]),
        parked=messages_in(run, run.outputs["DeadLetterQueueUrl"]),
        final=sum("Final" in row for row in scan(run) if row["Record"] == "MESSAGE"),
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
    messages = [row for row in rows if row["Record"] == "MESSAGE"]
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
    _section("What the table says", console)
    console.print(table)


def print_alerts(received: list[Received], console: Console) -> None:
    """Print every alert and what it asks for."""
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


def print_again(run: LocalRun, work: Work, received: list[Received], console: Console) -> None:
    """Print what the first look showed of the late stories, and what the later one found."""
    looked = [
        line
        for line in run.log_records(run.outputs["LookupFunctionName"])
        if line.get("message") == "looked" and line.get("message_id") in work.again
    ]
    table = Table("Mail", "First look", "Later look", "Alerts", "Why it is final", box=None)
    for message_id in work.again:
        lines = [line for line in looked if line["message_id"] == message_id]
        alerts = sum(alert.body["messageId"] == message_id for alert in received)
        table.add_row(
            work.labels[message_id],
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
        f"This demo, in its haste: {followups.by_hand} times."
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


def print_verdict(report: Report, console: Console) -> None:
    """Print what SES, that is its stand-in, says of the pace."""
    _section("The verdict of SES's stand-in on the pace", console)
    console.print(
        f"{report.calls} calls, {report.throttled} refused as too early, "
        f"closest two {report.closest or 0:.3f} s apart, "
        f"{report.used or 0:.1%} of the one-a-second slots used"
    )


def print_truth(wrong: list[str], work: Work, console: Console) -> None:
    """Print whether everything is as the stories say, and how to go on."""
    _section("The truth", console)
    for line in wrong:
        console.print(f"[red]✗[/red] {escape(line)}")
    if not wrong:
        console.print(
            f"[green]✓[/green] All {len(work.expected)} ids are stored and alerted as their "
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
