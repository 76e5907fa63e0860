"""`insights enqueue`: puts message ids into the queue, or into the bulk lane."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from ses_insights.adapters.queue import SqsProducerQueue
from ses_insights.adapters.records import RecordTable
from ses_insights.cli.deployment import Deployment, now
from ses_insights.cli.errors import EXPECTED, NOTHING, NothingFoundError, WrongUsageError
from ses_insights.cli.ids import Bad, Checked, Entry, check, of_arguments, of_column, of_lines
from ses_insights.cli.options import Json, Stack, deployment_of
from ses_insights.cli.output import ERR, counted, echo, echo_err, echo_json, span
from ses_insights.cli.sending import Refused, Sender, last_look_by
from ses_insights.contracts.names import DEFAULT_STACK_NAME
from ses_insights.domain.times import iso
from ses_insights.service.backfill import Bulk

STDIN = "-"


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
    stack: Stack = DEFAULT_STACK_NAME,
    as_json: Json = False,
) -> None:
    """Enqueue message ids, so that they are looked up.

    All of the input is checked first: entries without an id are listed, the others are sent. It is
    safe to run this again: an id that was looked up a short time ago is skipped.

    Exit code 1: part of the input was refused, or there was no id in it.

    \b
    Examples:
      insights enqueue 0106019fa36a2608-6c9654bb-dc58-4957-8828-68360c1c2d10-000000
      insights enqueue --file ids.txt
      insights enqueue --file sent.csv --column message_id --bulk
      grep -o 'MessageId=[^ ]*' app.log | cut -d= -f2 | insights enqueue
    """
    if bulk and force:
        raise WrongUsageError("--bulk and --force exclude each other: the bulk lane waits.")
    checked = check(_lines(ids or [], file, column))
    for bad in checked.bad:
        echo_err(f"{bad.place}: {bad.why}")
    if not checked.ids:
        raise NothingFoundError("There is no message id in the input; nothing was sent.")
    deployment = deployment_of(ctx, stack)
    result = _put_in_bulk(deployment, checked) if bulk else _send(deployment, checked, force=force)
    if as_json:
        echo_json(result | {"twice": checked.twice, "bad": [_bad(each) for each in checked.bad]})
    else:
        for line in _in_words(result, checked.twice):
            echo(line)
    if checked.bad or result.get("refused"):
        raise typer.Exit(NOTHING)


def _lines(ids: Sequence[str], file: str | None, column: str | None) -> Iterator[Entry]:
    """Return the entries of the input: arguments, a file or standard input."""
    if ids == [STDIN]:
        ids, file = [], STDIN
    if ids and (file or column):
        raise WrongUsageError("Give ids as arguments or in a file, not both.")
    if ids:
        return of_arguments(ids)
    if file is None and sys.stdin.isatty():
        raise WrongUsageError("Give ids as arguments, with --file, or on standard input.")
    return _lines_of(file or STDIN, column)


def _lines_of(file: str, column: str | None) -> Iterator[Entry]:
    try:
        with _opened(file) as stream:
            yield from of_column(stream, column) if column else of_lines(stream)
    except OSError as error:
        raise WrongUsageError(f"{file} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise WrongUsageError(f"{file} is not UTF-8 text; save it as UTF-8.") from error


@contextmanager
def _opened(file: str) -> Iterator[IO[str]]:
    if file == STDIN:
        yield sys.stdin
        return
    with Path(file).open(encoding="utf-8-sig", newline="") as stream:
        yield stream


def _send(deployment: Deployment, checked: Checked, *, force: bool) -> dict[str, Any]:
    settings = deployment.settings
    depth = SqsProducerQueue(deployment.sqs, deployment.queue_url).depth()
    sender = Sender(deployment.sqs, deployment.queue_url)
    ids = {message_id: force or wanted for message_id, wanted in checked.ids.items()}
    sent, refused = 0, list[Refused]()
    with _progress(len(ids)) as advance:
        try:
            for joined, more in sender.send(ids):
                sent += joined
                refused += more
                advance(joined + len(more))
        except EXPECTED:
            echo_err(
                f"Stopped after {sent:,} of {counted(len(ids), 'id')}; enqueue all of them again."
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
        "lastLookBy": iso(by),
        "lastLookInSeconds": round((by - now()).total_seconds()),
        "refused": [{"messageId": each.message_id, "why": each.why} for each in refused],
    }


def _put_in_bulk(deployment: Deployment, checked: Checked) -> dict[str, Any]:
    records = RecordTable(deployment.dynamodb, deployment.table_name)
    lane = Bulk(records, deployment.lookup_settings.rules, now)
    new = known = 0
    with _progress(len(checked.ids)) as advance:
        try:
            for _, is_new in lane.put(checked.ids):
                new += is_new
                known += not is_new
                advance(1)
        except EXPECTED:
            done = new + known
            echo_err(
                f"Stopped after {done:,} of {counted(len(checked.ids), 'id')}; enqueue all again."
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
    return {"place": bad.place, "why": bad.why}
