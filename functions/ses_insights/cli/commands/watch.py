"""`insights watch`: the status, again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from typing import Annotated

import typer
from rich.console import Group
from rich.live import Live

from ses_insights.cli.commands.status import State, lines, one_line, read, to_json
from ses_insights.cli.deployment import Deployment
from ses_insights.cli.errors import EXPECTED, sentence
from ses_insights.cli.options import DEFAULT_STACK, Json, Stack, deployment_of
from ses_insights.cli.output import OUT, as_json, echo, echo_err


def command(
    ctx: typer.Context,
    every: Annotated[
        float, typer.Option(min=0.0, metavar="SECONDS", help="Time between two readings.")
    ] = 2.0,
    times: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop after so many readings.")
    ] = None,
    stack: Stack = DEFAULT_STACK,
    in_json: Json = False,
) -> None:
    """Show the status until Ctrl-C, which is exit code 0.

    On a terminal in place; elsewhere a line for each reading, with --json an object a line.

    \b
    Examples:
      insights watch
      insights watch --every 60 --times 10 --json >> insights.jsonl
    """
    service = deployment_of(ctx, stack)
    with suppress(KeyboardInterrupt), _shown(in_json=in_json) as show:
        for number in count(1):
            _look(service, show, is_first=number == 1)
            if number == times:
                return
            time.sleep(every)


def _look(service: Deployment, show: Callable[[State], None], *, is_first: bool) -> None:
    """Read and show; what fails later may pass, so it is told, and watched on."""
    try:
        show(read(service))
    except EXPECTED as error:
        if is_first:
            raise
        echo_err(sentence(error))


@contextmanager
def _shown(*, in_json: bool) -> Iterator[Callable[[State], None]]:
    """Give the way in which a reading is shown here."""
    if in_json:
        yield lambda state: print(as_json(to_json(state), indent=None), flush=True)  # noqa: T201
    elif OUT.is_terminal:
        with Live(console=OUT, auto_refresh=False) as live:
            yield lambda state: live.update(Group(*lines(state)), refresh=True)
    else:
        yield lambda state: echo(one_line(state))
