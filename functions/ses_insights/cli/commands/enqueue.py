"""`insights enqueue`: puts message ids into the queue, or into the bulk lane."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os.path import isfile  # unlike Path.is_file, it takes a text of any length
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from ses_insights.adapters.queue import SqsProducerQueue
from ses_insights.adapters.records import RecordTable
from ses_insights.cli.deployment import Deployment, now
from ses_insights.cli.errors import (
    EXPECTED,
    NOTHING,
    NothingFoundError,
    WrongUsageError,
    sentence,
)
from ses_insights.cli.ids import (
    Bad,
    Checked,
    Entry,
    check,
    decoded,
    in_groups,
    of_arguments,
    of_column,
    of_text,
)
from ses_insights.cli.options import Json, deployment_of
from ses_insights.cli.output import ERR, clean, counted, echo, echo_err, echo_json, span
from ses_insights.cli.sending import Refused, Sender, body, last_look_by
from ses_insights.contracts.rows import Row
from ses_insights.domain.times import iso
from ses_insights.service.backfill import Bulk
from ses_insights.service.look import RECENT

STDIN: Final = "-"
_EXAMPLE: Final = 60
"""Characters that are shown of a bad text."""


def command(
    ctx: typer.Context,
    ids: Annotated[
        list[str] | None,
        typer.Argument(
            help="Message ids, in any form that the queue takes; - reads standard input."
        ),
    ] = None,
    file: Annotated[
        str | None,
        typer.Option("--file", "-f", metavar="PATH", help="Read a file, an id a line; - as above."),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option("--column", "-c", metavar="NAME", help="Read this column of a CSV file."),
    ] = None,
    bulk: Annotated[
        bool,
        typer.Option("--bulk", help="Use only the looks that today's mail leaves free."),
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Look the ids up even where nothing new is expected.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Enqueue message ids, so that they are looked up.

    The input is text with an id a line, JSON as AWS and SES write it, or a column of a CSV file.
    All of it is checked first: entries without an id are listed, the others are sent. It is safe
    to run this again: an id that was looked up a short time ago is skipped.

    Exit code 1: part of the input was refused, or there was no id in it.

    \b
    Examples:
      insights enqueue 0106019fa36a2608-6c9654bb-dc58-4957-8828-68360c1c2d10-000000
      insights enqueue --file ids.txt
      insights enqueue --file sent.csv --column message_id --bulk
      grep 'status=sent (250 Ok' mail.log | insights enqueue
    """
    if bulk and force:
        raise WrongUsageError("--bulk and --force exclude each other: the bulk lane waits.")
    entries = _entries(ids or [], file, column)
    checked = check(entries)
    _tell(checked.bad)
    if not checked.ids:
        raise NothingFoundError("There is no message id in the input; nothing was sent.")
    deployment = deployment_of(ctx)
    _tell(checked.odd(deployment.region))
    result = _put_in_bulk(deployment, checked) if bulk else _send(deployment, checked, force=force)
    if as_json:
        echo_json(result | {"twice": checked.twice, "bad": [_bad(each) for each in checked.bad]})
    else:
        for line in _in_words(result, checked.twice):
            echo(line)
    if checked.bad or result.get("refused"):
        raise typer.Exit(NOTHING)


def _tell(found: Sequence[Bad]) -> None:
    """Print each kind of fault once; at a terminal with the first text that has it."""
    for text, first in in_groups(found):
        echo_err(text)
        if ERR.is_terminal:
            echo_err(f"  for example: {clean(first.text)[:_EXAMPLE]}")


def _entries(ids: Sequence[str], file: str | None, column: str | None) -> list[Entry]:
    """Return the entries of the input: arguments, a file or standard input."""
    if ids == [STDIN]:
        ids, file = [], STDIN
    if ids and column:
        raise WrongUsageError("--column reads a CSV: name it with --file, or pipe it in.")
    if ids and file:
        raise WrongUsageError("Give ids as arguments or in a file, not both.")
    if len(ids) == 1 and "-" not in ids[0] and isfile(ids[0]):  # noqa: PTH113 - any length
        raise WrongUsageError(f"{clean(ids[0])} is a file: read it with --file {clean(ids[0])}")
    if ids:
        return list(of_arguments(ids))
    if file is None and sys.stdin.isatty():
        raise WrongUsageError(
            "--column reads a CSV: name it with --file, or pipe it in."
            if column
            else "Give ids as arguments, with --file, or on standard input."
        )
    text = _read(file or STDIN)
    if file in {None, STDIN} and not text.strip():
        raise WrongUsageError(
            "Standard input is empty: pipe ids into it, or give them as arguments or with --file."
        )
    return list(of_column(text, column) if column else of_text(text))


def _read(file: str) -> str:
    name = "Standard input" if file == STDIN else file
    try:
        data = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise WrongUsageError(f"{name} cannot be read: {error.strerror}.") from error
    return decoded(data, name)


def _send(deployment: Deployment, checked: Checked, *, force: bool) -> dict[str, Any]:
    settings = deployment.settings
    depth = SqsProducerQueue(deployment.sqs, deployment.queue_url).depth()
    sender = Sender(deployment.sqs, deployment.queue_url)
    bodies = {
        message_id: body(request, force=force or request.force, region=deployment.region)
        for message_id, request in checked.ids.items()
    }
    known = _known(deployment, list(bodies))
    sent, refused = 0, list[Refused]()
    with _progress(len(bodies)) as advance:
        try:
            for joined, more in sender.send(bodies):
                sent += joined
                refused += more
                advance(joined + len(more))
        except (*EXPECTED, KeyboardInterrupt):
            echo_err(
                f"Stopped after {sent:,} of {counted(len(bodies), 'id')}. Run the same command "
                "again: what was sent already is looked up once."
            )
            raise
    for each in refused:
        echo_err(f"{each.message_id}: the queue refused it: {each.why}")
    by = last_look_by(
        now(),
        in_queue=depth.visible + depth.delayed + depth.in_flight,
        sent=sent,
        delay=settings.first_look_delay,
        period=settings.lookup_period,
    )
    return {
        "sent": sent,
        "known": None if known is None else len(known),
        "skipped": None
        if known is None
        else sum(_is_skipped(known[each], checked, each, force=force) for each in known),
        "lastLookBy": iso(by),
        "lastLookInSeconds": round((by - now()).total_seconds()),
        "refused": [{"messageId": each.message_id, "why": each.why} for each in refused],
    }


def _known(deployment: Deployment, ids: Sequence[str]) -> dict[str, Row] | None:
    """Return what is stored of those ids that are known; None where it cannot be read."""
    try:
        return deployment.message_rows(ids, "#Final, LastLookAt, NextLookAt")
    except EXPECTED as error:
        echo_err(f"Whether ids are known already cannot be read. {sentence(error)}")
        return None


def _is_skipped(row: Row, checked: Checked, message_id: str, *, force: bool) -> bool:
    """Whether a look that is asked for now is likely to be skipped, as `Look` decides it."""
    if force or checked.ids[message_id].force:
        return False
    if "Final" in row or "NextLookAt" not in row:
        return True
    is_recent = str(row.get("LastLookAt", "")) > iso(now() - RECENT)
    return is_recent and str(row["NextLookAt"]) > iso(now())


def _put_in_bulk(deployment: Deployment, checked: Checked) -> dict[str, Any]:
    records = RecordTable(deployment.dynamodb, deployment.table_name)
    lane = Bulk(records, deployment.lookup_settings.rules, deployment.region, now)
    bodies = [
        body(request, force=False, region=deployment.region) for request in checked.ids.values()
    ]
    new = known = 0
    with _progress(len(bodies)) as advance:
        try:
            for _, is_new in lane.put(bodies):
                new += is_new
                known += not is_new
                advance(1)
        except (*EXPECTED, KeyboardInterrupt):
            echo_err(
                f"Stopped after {new + known:,} of {counted(len(bodies), 'id')}. Run the same "
                "command again to go on: what is in the table already stays as it is."
            )
            raise
    return {"inBulk": new, "known": known}


@contextmanager
def _progress(total: int) -> Iterator[Any]:
    """Show a bar on a terminal; yields the function that moves it."""
    bar = Progress(
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=ERR,
        transient=True,
        disable=not ERR.is_terminal,
    )
    with bar:
        task = bar.add_task("", total=total)
        yield lambda number: bar.advance(task, number)


def _in_words(result: dict[str, Any], twice: int) -> Iterator[str]:
    if "sent" in result:
        yield f"Sent {counted(result['sent'], 'id')}."
        if result["known"]:
            yield (
                f"{result['known']:,} of them known before, of which {result['skipped']:,} will be "
                "skipped: nothing new is expected. --force looks all the same."
            )
    else:
        new, known = counted(result["inBulk"], "id"), f"{result['known']:,}"
        yield f"{new} in the bulk lane, {known} known before."
    if twice:
        yield f"{counted(twice, 'id')} given more than once."
    if result.get("sent"):
        by, seconds = result["lastLookBy"], result["lastLookInSeconds"]
        yield f"The last is looked up by about {by[:19]}Z, in {span(seconds)}."
    if result.get("inBulk"):
        yield "They are looked up with the slots that today's mail leaves free."


def _bad(bad: Bad) -> dict[str, str]:
    return {"place": bad.entry.place, "why": bad.why}
