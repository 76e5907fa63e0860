"""What the demo shows, in words for somebody who has never heard of the service."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from local.actors.subscriber import Received
from local.scenario import FIRST_LOOK_DELAY, LOOK_AGAIN
from local.ses_stand_in.stories import STORIES
from ses_insights.contracts.rows import DESTINATION

COLOURS: Final = {
    "critical": "bold red",
    "high": "red",
    "medium": "yellow",
    "low": "cyan",
    "info": "green",
}
STATUSES: Final[Mapping[str, str]] = {
    "COMPLAINT": "the recipient complained, or a report came",
    "PERMANENT_BOUNCE": "it came back for good",
    "REJECTED": "SES found malware and did not send it",
    "RENDERING_FAILURE": "its template could not be filled in",
    "TRANSIENT_BOUNCE": "it came back, and may arrive another time",
    "UNDETERMINED_BOUNCE": "it came back, SES cannot tell for how long",
    "CLICKED": "a link in it was followed",
    "OPENED": "it was opened",
    "DELIVERED": "the recipient's server took it",
    "DELAYED": "the recipient's server puts it off",
    "SENT": "SES shows only that it was sent",
    "NOT_FOUND": "SES shows nothing of it",
    "INVALID": "SES calls the id malformed; they are parked, too",
}

_TO_COPY: Final = ("https://", "insights ", "aws ")
"""How the lines of an e-mail begin that must not be broken."""

_TIME: Final = 10  # columns: hours, minutes, seconds, two blanks


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What became of one mail."""

    name: str
    message_id: str
    recipients: tuple[str, ...]
    sent_at: datetime
    enqueued_at: datetime
    statuses: tuple[str, ...]
    """What each look made of it."""
    looked_at: tuple[datetime, ...]
    rows: tuple[Mapping[str, Any], ...]
    row: Mapping[str, Any]
    """The message's own."""
    listed_at: datetime | None
    """When SES put a recipient on the account's suppression list because of it."""
    published_at: datetime | None
    """When its first alert was."""
    planned_for: datetime | None
    """The last look that was planned for it."""

    def events(self) -> list[Mapping[str, Any]]:
        """What SES has said of it, in order of time."""
        found = [
            event
            for row in self.rows
            if row["Record"].startswith(DESTINATION)
            for event in row["Events"]
        ]
        return sorted(found, key=lambda event: event.get("Timestamp", ""))


@dataclass(frozen=True, slots=True)
class Page:
    """Writes for a terminal of any width, for a pipe, and for the picture; nothing is cut."""

    console: Console
    folds: bool
    """Whether a long line that must stay whole is folded: in the picture it would be cut."""

    def heading(self, text: str) -> None:
        """Write a heading."""
        self.console.print(f"\n[bold]{text}[/bold]\n")

    def line(self, text: str) -> None:
        """Write a paragraph."""
        self.beside(Text(), text, columns=0)

    def at(self, moment: datetime | None, text: str | Text) -> None:
        """Write what happened at a time."""
        self.beside(Text(f"{moment:%H:%M:%S}" if moment else ""), text, columns=_TIME)

    def indented(self, text: str | Text) -> None:
        """Write beside the times."""
        self.beside(Text(), text, columns=_TIME)

    def beside(self, start: Text, text: str | Text, *, columns: int) -> None:
        """Write a paragraph with something in the columns to the left of it."""
        width = self.console.width - columns
        for line in (text if isinstance(text, Text) else Text(text)).wrap(self.console, width):
            line.rstrip()
            start.align("left", columns)
            self.console.print(Text.assemble(start, line))
            start = Text()

    def whole(self, text: str) -> None:
        """Write a line that must not be broken: a link or a command."""
        if self.folds:
            self.console.print(Padding(Text(text, overflow="fold"), (0, 0, 0, 2)))
        else:
            self.console.print(Text(f"  {text}".rstrip()), soft_wrap=True)


def show_introduction(page: Page) -> None:
    """Say what this is and what is about to happen."""
    page.heading("SES Insights, all of it, on this machine")
    page.line(
        "Amazon SES takes a mail and returns a message id. It says what became of the mail only "
        "when it is asked for that id, and answers one question a second. SES Insights asks for "
        "every id, stores the answers and alerts people about mail that bounced or drew a "
        "complaint. Such a question is called a look.\n\n"
        "This is the real stack, deployed to a local emulator of AWS with IAM enforced. A stand-in "
        "answers for SES. Some thirty mails are sent, each with a story of its own: delivered, "
        "bounced, complained about after four days. Four hours of a story pass in a second. "
        "Beside them the queue gets ids that SES never gave out and bodies that hold no id.\n\n"
        f"An id waits {FIRST_LOOK_DELAY} seconds before its first look (15 minutes on AWS), and "
        f"further looks are planned {LOOK_AGAIN} seconds and ten minutes after the send (seven "
        "within 29 days on AWS). For each of them the id joins the queue once more, so that more "
        "can wait there than there are ids. The function followups sees to that, and reads the "
        "account's suppression list; on AWS it runs once a minute, here all the time.\n\n"
        "The demo takes about two minutes. The alerts come first, as they are published.\n"
    )


def show_alert(page: Page, alert: Received) -> None:
    """Show an alert as it comes in."""
    body = alert.body
    severity = body["severity"]
    moment = datetime.fromisoformat(body["detectedAt"])
    page.at(
        moment,
        Text.assemble(
            (severity, COLOURS[severity]), f" {body['alertType']}  {body['destination']}"
        ),
    )
    page.indented(body["cause"])


def show_bounce(page: Page, mail: Mail) -> None:
    """Tell the story of a mail that bounced."""
    page.heading("One mail, from the send to the alert")
    page.at(mail.sent_at, f"A shop sends a mail to {mail.recipients[0]}. SES returns its id:")
    page.indented(mail.message_id)
    page.at(
        mail.enqueued_at,
        "The shop puts the id into the queue. It waits a little, because SES has nothing to say "
        "of a mail that was just sent.",
    )
    page.at(mail.looked_at[0], "Its turn has come: the function lookup asks SES, which answers:")
    for event in mail.events():
        page.indented(_in_words(event))
    page.at(None, f"The answer is stored, with the status {mail.row['Status']}.")
    page.at(None, f"No look follows: {mail.row.get('Final')}")
    page.at(mail.published_at, "An alert is published. Programs get JSON, people this e-mail.")


def show_email(page: Page, subject: str, text: str) -> None:
    """Show an alert as people get it."""
    page.heading("The alert e-mail")
    page.line(
        "The link and the commands at its end are those of a stack on AWS. Here they lead nowhere: "
        "this stack is gone when the demo ends.\n"
    )
    for line in (f"Subject: {subject}", "", *text.splitlines()):
        if not line or line.startswith(_TO_COPY):
            page.whole(line)
        else:
            page.beside(Text(), line, columns=2)


def show_late_complaint(page: Page, mail: Mail) -> None:
    """Tell the story of a complaint that no look would have found so soon."""
    page.heading("A complaint, found on the suppression list")
    page.at(mail.sent_at, f"A mail goes to {mail.recipients[0]}.")
    for moment, status in zip(mail.looked_at[:-1], mail.statuses[:-1], strict=True):
        page.at(moment, f"A look: {status}. Nothing to publish.")
    page.at(None, f"The next look is planned for {mail.planned_for:%H:%M:%S}.")
    page.at(
        mail.listed_at,
        "The recipient complains, and SES puts the address on the account's suppression list. "
        "The function followups reads that list, asks which mail it was, and enqueues its id.",
    )
    page.at(mail.looked_at[-1], f"A look, at once: {mail.statuses[-1]}.")
    before = _span(mail.planned_for, mail.published_at)
    page.at(
        mail.published_at,
        f"The alert is published, {before} before that look. On AWS it comes minutes after "
        "the complaint, where the next look may be days away.",
    )


def show_listed_alone(page: Page, mail: Mail) -> None:
    """Tell the story of a mail to several recipients."""
    page.heading("A mail to three people, one of whom does not exist")
    page.at(mail.sent_at, f"A mail goes to {', '.join(mail.recipients)}.")
    page.at(
        mail.listed_at,
        "One address does not exist. SES puts it on the account's suppression list.",
    )
    page.at(
        mail.looked_at[0],
        "A look finds nothing, now or later: SES does not track mail to several recipients.",
    )
    page.at(
        mail.published_at,
        f"Look {len(mail.looked_at)} has found nothing either, so what the list says is published: "
        "an alert whose source is the suppression list.",
    )


def show_later_looks(page: Page, mails: Sequence[Mail]) -> None:
    """Show what the first look at each mail found, and the last one."""
    page.heading("What was not to be seen at the first look")
    for mail in mails:
        page.line(STORIES[mail.name].sentence)
        page.beside(
            Text(),
            f"{mail.statuses[0]} at the first look, {mail.statuses[-1]} in the end.",
            columns=4,
        )


def show_statuses(page: Page, statuses: Sequence[str]) -> None:
    """Show what became of all ids."""
    page.heading(f"What became of all {len(statuses)} ids")
    for status, number in Counter(statuses).most_common():
        page.line(f"{number:>3}  {status:<21}{STATUSES[status]}")


def show_parked(page: Page, parked: Sequence[Mapping[str, Any]]) -> None:
    """Show what was parked, and why."""
    page.heading("What is no message id: parked in the dead-letter queue, with the reason")
    page.line(
        "Those that look like an id were asked for, and SES refused them: they have a row, too, "
        "and are counted as INVALID above. The others were not asked for.\n"
    )
    for message in parked:
        page.line(message["Body"])
        page.beside(Text(), message["MessageAttributes"]["Reason"]["StringValue"], columns=4)


def show_checks(page: Page, checks: Sequence[tuple[str, Sequence[str]]]) -> None:
    """Show what was expected and found, and how to go on."""
    page.heading("Expected, and found")
    for promise, faults in checks:
        sign = Text("✗", "red") if faults else Text("✓", "green")
        page.beside(sign, promise, columns=2)
        for fault in faults:
            page.beside(Text(), fault, columns=4)
    page.line("\n`make local` leaves the stack running, to send mail and break things yourself.")


def _in_words(event: Mapping[str, Any]) -> str:
    details = event.get("Details", {})
    words = [value for part in details.values() for value in part.values()]
    return " · ".join([event["Type"], *words])


def _span(later: datetime | None, earlier: datetime | None) -> str:
    between = later - earlier if later and earlier else timedelta(0)
    minutes, seconds = divmod(round(between.total_seconds()), 60)
    return f"{minutes} min {seconds} s"
