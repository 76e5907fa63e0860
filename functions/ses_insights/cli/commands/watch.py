"""`insights watch`: the status, repeated."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live

from ses_insights.cli.commands.status import lines, one_line, to_json
from ses_insights.cli.deployment import Deployment
from ses_insights.cli.errors import EXPECTED, sentence
from ses_insights.cli.options import Json, deployment_of
from ses_insights.cli.output import OUT, as_json, at_terminal, echo, echo_err
from ses_insights.cli.state import State, read


def command(
    ctx: typer.Context,
    every: Annotated[
        float,
        typer.Option(min=0.0, max=86_400.0, metavar="SECONDS", help="Time between two readings."),
    ] = 2.0,
    times: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after this many readings.")
    ] = None,
    in_json: Json = False,
) -> None:
    """Show the status again and again.

    A terminal shows it in place; a pipe gets a line for each reading, with --json an object a line.
    Ctrl-C ends it with exit code 0.

    \b
    Examples:
      insights watch
      insights watch --every 60 --times 10 --json >> insights.jsonl
    """
    deployment = deployment_of(ctx)
    with suppress(KeyboardInterrupt), _display(in_json=in_json) as show:
        for number in count(1):
            _show_once(deployment, show, is_first=number == 1)
            if number == times:
                return
            time.sleep(every)


def _show_once(deployment: Deployment, show: Callable[[State], None], *, is_first: bool) -> None:
    """Read and show; a failure after the first reading is printed, and the next one follows."""
    try:
        show(read(deployment))
    except EXPECTED as error:
        if is_first:
            raise
        echo_err(sentence(error))


@contextmanager
def _display(*, in_json: bool) -> Iterator[Callable[[State], None]]:
    """Yield the function that shows a reading."""
    if in_json:
        yield lambda state: print(as_json(to_json(state), indent=None), flush=True)  # noqa: T201
    elif at_terminal():
        with Live(console=OUT, auto_refresh=False) as live:
            yield lambda state: live.update(Group(*lines(state)), refresh=True)
    else:
        yield lambda state: echo(one_line(state))
