"""`python -m local.demo`: the service at work on some thirty mails, on the real stack, locally.

It sends, enqueues and subscribes as its users do, shows what happens while it happens, and in the
end holds every row and every alert against the stories of the mails.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from local.actors.operator import FollowUps
from local.actors.subscriber import Subscriber
from local.demo_pages import (
    Mail,
    Page,
    show_alert,
    show_bounce,
    show_checks,
    show_email,
    show_introduction,
    show_late_complaint,
    show_later_looks,
    show_listed_alone,
    show_parked,
    show_statuses,
)
from local.expectations import differences
from local.files import new_file
from local.scenario import (
    BOUNCED,
    FIRST_LOOK_DELAY,
    LADDER,
    LATE,
    LATE_COMPLAINT,
    NEVER,
    SEVERAL,
    TURN,
    Scenario,
    play,
)
from local.ses_stand_in.pace import HELD_UP
from local.stack.child import LocalRunError
from local.stack.observe import messages_in, read_parked, scan
from local.stack.run import LocalRun, local_stack, say_stopped
from ses_insights.adapters.records import RecordTable
from ses_insights.contracts.alert_message import notification
from ses_insights.contracts.console import TableAddress
from ses_insights.contracts.names import SHORTEST_PERIOD
from ses_insights.contracts.rows import MESSAGE
from ses_insights.domain.times import instant

WIDTH: Final = 100
"""Columns of the picture, of what is no terminal, and the most in a terminal."""

SECONDS_BETWEEN_LINES: Final = 10.0
SCHEDULE_SECONDS: Final = 75.0
"""How long the demo waits for the schedule's first run, which comes a minute after the deploy."""

PATIENCE: Final = 420.0
"""Seconds after which the demo gives up: several times what it takes."""

NOTHING_FOR: Final = timedelta(seconds=60)
"""Where no look is planned sooner than that, and nothing waits, the demo is over."""

MINUTES_BEFORE: Final = timedelta(minutes=2)
"""How long before its rung a complaint that the suppression list shows must be alerted."""

Row = Mapping[str, Any]


@dataclass(slots=True)
class Check:
    """Something that must be so in the end."""

    promise: str
    faults: list[str] = field(default_factory=list)
    """What is not so; none: it is kept."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.demo", description=__doc__)
    parser.add_argument(
        "--svg", type=new_file, metavar="FILE", help="keep what it shows in the end as a picture"
    )
    picture: Path | None = parser.parse_args(arguments).svg
    page = Page(_console(is_picture=picture is not None), folds=picture is not None)
    began = time.monotonic()
    context = {
        "firstLookDelaySeconds": str(FIRST_LOOK_DELAY),
        "followUpLadder": json.dumps(LADDER),
    }
    try:
        show_introduction(page)
        with local_stack(context, progress=lambda step: page.line(f"  {step} …")) as run:
            page.line(f"  Ready after {time.monotonic() - began:.0f} s.")
            checks = show(run, page)
    except KeyboardInterrupt:
        page.line("\nStopped; nothing is left running.")
        return 130
    except LocalRunError as error:
        page.line(str(error))
        return 1
    except OSError as error:
        return say_stopped(error)
    if any(check.faults for check in checks):
        return 1
    if picture:
        picture.write_text(captured(page.console))
    return 0


def captured(console: Console) -> str:
    """Draw what the console has recorded, without the fonts that Rich would fetch from the web."""
    svg = console.export_svg(title="make demo")
    plain = re.sub(r"\s*@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    return "".join(f"{line.rstrip()}\n" for line in plain.splitlines())


def _console(*, is_picture: bool) -> Console:
    console = Console(highlight=False)
    if is_picture or not console.is_terminal:
        return Console(highlight=False, width=WIDTH)
    return Console(highlight=False, width=min(console.width, WIDTH))


def show(run: LocalRun, page: Page) -> list[Check]:
    """Run the scenario through the stack and show it; returns what was checked."""
    subscriber = Subscriber.subscribe(run.session, run.alert_topic_arn)
    scenario, followups = play(run), FollowUps(run)
    watch = Watch(run, page, subscriber, scenario, followups)
    began = time.monotonic()
    is_over = watch.until_it_is_over()
    took = time.monotonic() - began
    page.console.record = True  # the picture shows the results
    rows = list(scan(run))
    page.line(f"\n{watch.line(message_rows(rows), messages_in(run, run.queue_url))}")

    bounced = _mail(run, scenario, rows, BOUNCED)
    show_bounce(page, bounced)
    show_email(page, *_email(run, scenario.ids[BOUNCED]))
    complained = _mail(run, scenario, rows, LATE_COMPLAINT)
    show_late_complaint(page, complained)
    show_listed_alone(page, _mail(run, scenario, rows, SEVERAL))
    show_later_looks(page, [_mail(run, scenario, rows, name) for name in (*TURN, NEVER)])
    show_statuses(page, [row["Status"] for row in message_rows(rows)])
    parked = read_parked(run)
    show_parked(page, parked)

    looks = sum(int(row["Looks"]) for row in message_rows(rows))
    calls = run.ses.report()
    expression, state = followups.schedule()
    checks = [
        Check(
            f"All {len(scenario.expected)} ids are stored and alerted as their stories say: "
            f"{scenario.alerts_expected} alerts, each once.",
            _by_name(scenario, differences(scenario.expected, rows, subscriber.received)),
        ),
        Check(
            "The complaint was alerted minutes before the next planned look would have found it.",
            _told_late(complained),
        ),
        Check(
            "What was not to be seen at the first look was looked at again.",
            [
                f"{name}: {row.get('Looks', 0)} looks, at least two are expected"
                for name in (*TURN, NEVER)
                if (row := _message_row(rows, scenario.ids[name])).get("Looks", 0) < 2  # noqa: PLR2004
            ],
        ),
        Check(
            "Every message has a next look, or says why there is none.",
            [
                f"{row['MessageId']}: neither"
                for row in message_rows(rows)
                if not (row.get("Final") or row.get("NextLookAt"))
            ],
        ),
        Check(
            f"{scenario.parked_expected} messages are parked that hold no id of SES.",
            _unless(len(parked) == scenario.parked_expected, f"{len(parked)} messages are parked"),
        ),
        Check(
            f"SES answered {calls.accepted} looks, at most one a second (the closest two came "
            f"{calls.closest or 0:.3f} s apart), and every answer is in the table.",
            [
                *_unless(calls.accepted == looks, f"{looks} looks are in the table"),
                *_unless(
                    (calls.closest or 0) >= SHORTEST_PERIOD - HELD_UP,
                    f"{calls.throttled} requests came too early",
                ),
            ],
        ),
        Check(
            f"The schedule of followups, {expression}, is {state.lower()} and has started runs.",
            _unless(watch.schedule_has_run(), "it has started none"),
        ),
        Check(
            f"All of it came within {PATIENCE / 60:.0f} minutes: it took {took:.0f} seconds.",
            _unless(is_over, "something was still to come"),
        ),
    ]
    show_checks(page, [(check.promise, check.faults) for check in checks])
    return checks


def _by_name(scenario: Scenario, found: Sequence[str]) -> list[str]:
    """What was found, with the story of each mail in place of its id."""
    names = {message_id: name for name, message_id in scenario.ids.items()}
    return [
        f"{names.get(message_id, message_id)}: {what}"
        for message_id, _, what in (line.partition(": ") for line in found)
    ]


def _unless(is_so: bool, fault: str) -> list[str]:  # noqa: FBT001 - reads as what it is
    return [] if is_so else [fault]


def _told_late(complained: Mail) -> list[str]:
    """What speaks against the complaint having been alerted long before its rung."""
    if complained.planned_for is None or complained.published_at is None:
        return ["it was not alerted, or no later look was planned"]
    before = complained.planned_for - complained.published_at
    return _unless(
        complained.listed_at is not None and before >= MINUTES_BEFORE,
        f"it was alerted {before} before its next planned look",
    )


@dataclass(slots=True)
class Watch:
    """Shows the run while it goes on, and keeps `followups` at work."""

    run: LocalRun
    page: Page
    subscriber: Subscriber
    scenario: Scenario
    followups: FollowUps
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1))
    _started: Future[None] | None = None
    _turned: set[str] = field(default_factory=set)
    """Stories that have become what they end as."""

    def until_it_is_over(self) -> bool:
        """Show alerts and progress until nothing more is to come; False when it takes too long."""
        deadline = time.monotonic() + PATIENCE
        try:
            with _progress_line(self.page.console) as show_line:
                while time.monotonic() < deadline:
                    self._keep_followups_running()
                    for alert in self.subscriber.read():
                        show_alert(self.page, alert)
                    rows = message_rows(scan(self.run))
                    waiting = messages_in(self.run, self.run.queue_url)
                    show_line(self.line(rows, waiting))
                    self._turn(rows, waiting)
                    if waiting == 0 and self._is_over(rows):
                        return True
                    time.sleep(0.5)
        finally:
            self._pool.shutdown(wait=False)
        return False

    def schedule_has_run(self) -> bool:
        """Wait for the schedule's first run, which comes a minute after the deployment."""
        deadline = time.monotonic() + SCHEDULE_SECONDS
        while not (has_run := self.followups.by_schedule() > 0) and time.monotonic() < deadline:
            time.sleep(0.5)
        return has_run

    def _turn(self, rows: Sequence[Row], waiting: int) -> None:
        """Let a late mail become what it ends as, once it was looked at as often as it takes.

        By what was looked at and not by the clock: so the demo is the same on a slow machine.
        """
        looks = {row["MessageId"]: int(row["Looks"]) for row in rows}
        for name in TURN:
            message_id = self.scenario.ids[name]
            needed = 1 if name == LATE else 2
            is_quiet = name == LATE or waiting == 0
            if name not in self._turned and looks.get(message_id, 0) >= needed and is_quiet:
                self._turned.add(name)
                self.run.ses.finish(message_id)

    def _keep_followups_running(self) -> None:
        """Start the next run when the last one has ended. Raises LocalRunError if that failed."""
        if self._started is not None:
            if not self._started.done():
                return
            self._started.result()
        self._started = self._pool.submit(self.followups.start)

    def line(self, rows: Sequence[Row], waiting: int) -> str:
        """How far it is; `rows` are those of messages."""
        looks = self.run.ses.report().accepted
        ids, alerts = len(self.scenario.expected), len(self.subscriber.received)
        return (
            f"{looks} looks, at {len(rows)} of {ids} ids · {waiting} in the queue · "
            f"{alerts} of {self.scenario.alerts_expected} alerts"
        )

    def _is_over(self, rows: Sequence[Row]) -> bool:
        """Whether everything is as it must be, and nothing is planned for the next minute."""
        soon = datetime.now(UTC) + NOTHING_FOR
        is_quiet = all("Final" in row or instant(row["NextLookAt"]) > soon for row in rows)
        return is_quiet and not differences(
            self.scenario.expected, scan(self.run), self.subscriber.received
        )


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
            console.print(escape(line))

    yield print_line


def message_rows(rows: Iterable[Row]) -> list[Row]:
    """The rows of messages as wholes."""
    return [row for row in rows if row["Record"] == MESSAGE]


def _message_row(rows: Sequence[Row], message_id: str) -> Row:
    """The message's own row; empty where there is none."""
    found = (row for row in rows if (row["MessageId"], row["Record"]) == (message_id, MESSAGE))
    return next(found, {})


def _mail(run: LocalRun, scenario: Scenario, rows: Sequence[Row], name: str) -> Mail:
    """Gather what is known of a mail, from SES's side and from the service's."""
    message_id = scenario.ids[name]
    (sent,) = [mail for mail in run.ses.sent() if mail.message_id == message_id]
    of_mail = [row for row in rows if row["MessageId"] == message_id]
    looks = [
        line
        for line in run.log_records(run.lookup_function)
        if (line.get("message"), line.get("message_id")) == ("looked", message_id)
    ]
    published = [instant(row["PublishedAt"]) for row in of_mail if "PublishedAt" in row]
    listed = [instant(row["ListedAt"]) for row in of_mail if "ListedAt" in row]
    planned = [line["next_look_at"] for line in looks if line.get("next_look_at")]
    return Mail(
        name=name,
        message_id=message_id,
        recipients=sent.recipients,
        sent_at=sent.sent_at,
        enqueued_at=scenario.enqueued_at[message_id],
        statuses=tuple(line["status"] for line in looks),
        looked_at=tuple(_logged_at(line) for line in looks),
        rows=tuple(of_mail),
        row=_message_row(rows, message_id),
        listed_at=min(listed, default=None),
        published_at=min(published, default=None),
        planned_for=max(map(instant, planned), default=None),
    )


def _logged_at(line: Mapping[str, Any]) -> datetime:
    return datetime.strptime(line["timestamp"], "%Y-%m-%d %H:%M:%S,%f%z")


def _email(run: LocalRun, message_id: str) -> tuple[str, str]:
    """Subject and text of the e-mail that SNS sends for a message's alert.

    The emulator sends none, so it is written again from the stored alert, as it was for SNS.
    """
    table = TableAddress.beside(run.alert_topic_arn, run.session.region_name, run.table_name)
    record = RecordTable(run.session.client("dynamodb"), run.table_name).load(message_id)
    if record is None or not record.alerts:
        raise LocalRunError(f"{message_id} has no alert")
    written = notification(record.alerts[0], record.insights, table, sent_at=record.sent_at)
    return written.subject, json.loads(written.message)["email"]


if __name__ == "__main__":
    sys.exit(main())
