"""`insights parked`: lists, redrives or deletes the messages of the dead-letter queue."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Final

import typer
from rich.text import Text

from ses_insights.cli.dead_letters import NO_REASON, DeadLetters, Parked
from ses_insights.cli.errors import EXPECTED, NOTHING, WrongUsageError
from ses_insights.cli.options import Json, Yes, deployment_of, with_target, with_version
from ses_insights.cli.output import (
    at_terminal,
    clean,
    confirm,
    counted,
    echo,
    echo_err,
    echo_json,
    table,
    time_of,
)

_BODY: Final = 60
"""Characters of a body that are shown; a bad body can be anything."""

_SHOWN: Final = 100
"""Messages that are listed at most."""

Reason = Annotated[
    str | None,
    typer.Option(
        metavar="REASON",
        help="Only messages with this reason, as the list names it.",
    ),
]

app = typer.Typer(rich_markup_mode=None)


@app.callback(invoke_without_command=True)
@with_version
@with_target
def show(
    ctx: typer.Context,
    reason: Reason = None,
    as_json: Json = False,
) -> None:
    """List what is parked in the dead-letter queue.

    The commands below redrive or drop these messages. A hundred are listed at most; the count is
    that of all. Messages on which the lookup function crashed again and again have the reason none:
    SQS moved them, and shows ten of them at a time.

    \b
    Examples:
      insights parked
      insights parked redrive --reason Unexpected
      insights parked drop --reason NotAnId --yes
    """
    if ctx.invoked_subcommand:
        # If --reason were ignored here, all would be deleted.
        if reason or as_json:
            raise WrongUsageError(f"Give options after {ctx.invoked_subcommand}, not before it.")
        return
    letters = _letters(ctx)
    total = letters.count()
    seen = [message for message in letters.peek(_SHOWN) if message.is_for(reason)]
    if as_json:
        echo_json({"total": max(total, len(seen)), "shown": [_json(each) for each in seen]})
    else:
        for line in lines(seen):
            echo(line)
    if not seen:
        echo_err(_nothing(reason))
    if reason is None and total > len(seen):
        echo_err(f"{total - len(seen):,} more behind them: {_SHOWN} are shown, ten of a group.")


@app.command()
@with_version
@with_target
def redrive(
    ctx: typer.Context,
    reason: Reason = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Send parked messages back to the queue, once the cause is fixed.

    Bodies stay as they are. Exit code 1: nothing is parked, or the answer was no.

    \b
    Examples:
      insights parked redrive
      insights parked redrive --reason Unexpected --yes
    """
    letters = _letters(ctx)
    _ask(letters, "Send back to the queue", reason, yes=yes)
    _do(letters.redrive(reason), "redriven", "Sent back to the queue", reason, as_json=as_json)


@app.command()
@with_version
@with_target
def drop(
    ctx: typer.Context,
    reason: Reason = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Delete parked messages for good.

    --json prints what was deleted, with the bodies. Exit code 1: nothing is parked, or the answer
    was no.

    \b
    Examples:
      insights parked drop --reason NotAnId
      insights parked drop --yes --json > dropped.json
    """
    letters = _letters(ctx)
    _ask(letters, "Delete for good", reason, yes=yes)
    _do(letters.drop(reason), "dropped", "Deleted", reason, as_json=as_json)


def lines(messages: Sequence[Parked]) -> list[Text]:
    """Return parked messages; at a terminal how many there are of each reason comes first."""
    rows = table(
        ("Parked at", "Reason", "Body"),
        [
            [
                time_of(message.parked_at or "unknown"),
                clean(message.reason) or NO_REASON,
                clean(message.body)[: _BODY if at_terminal() else None],
            ]
            for message in messages
        ],
    )
    if not messages or not at_terminal():
        return rows
    counts = Counter(message.slug for message in messages)
    totals = table(
        ("Reason", "Messages"),
        [[clean(slug), f"{number:,}"] for slug, number in counts.most_common()],
    )
    return [*totals, Text(), *rows]


def _letters(ctx: typer.Context) -> DeadLetters:
    deployment = deployment_of(ctx)
    return DeadLetters(deployment.sqs, deployment.dead_letter_queue_url, deployment.queue_url)


def _ask(letters: DeadLetters, what: str, reason: str | None, *, yes: bool) -> None:
    total = letters.count()
    if not total:
        echo_err(_nothing(None))
        raise typer.Exit(NOTHING)
    # If some of them cannot be seen, one of these may have the reason.
    seen = letters.peek(total) if reason else []
    if reason and len(seen) >= total and not any(message.is_for(reason) for message in seen):
        echo_err(_nothing(reason))
        raise typer.Exit(NOTHING)
    which = f"those of {counted(total, 'parked message')} with the reason {clean(reason)}"
    if not confirm(f"{what}: {which if reason else counted(total, 'parked message')}?", yes=yes):
        raise typer.Exit(NOTHING)


def _do(
    messages: Iterator[Parked], key: str, done: str, reason: str | None, *, as_json: bool
) -> None:
    """Go through the messages; a failure is preceded by how many were done."""
    taken: list[Parked] = []
    try:
        taken.extend(messages)
    except EXPECTED:
        echo_err(f"{done}: {counted(len(taken), 'message')}; then it stopped. Run it again.")
        raise
    if as_json:
        echo_json({key: [_json(each) for each in taken]})
    elif taken:
        echo(f"{done}: {counted(len(taken), 'message')}.")
    if not taken:
        echo_err(_nothing(reason))
        raise typer.Exit(NOTHING)


def _nothing(reason: str | None) -> str:
    return f"Nothing is parked with the reason {clean(reason)}." if reason else "Nothing is parked."


def _json(message: Parked) -> dict[str, Any]:
    return {
        "body": message.body,
        "reason": message.reason or None,
        "parkedAt": message.parked_at or None,
        "messageGroupId": message.group,
    }
