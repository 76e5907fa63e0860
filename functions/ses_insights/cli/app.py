"""The commands, put together; and the one place that turns a failure into a sentence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import typer
from typer.core import TyperGroup

from ses_insights.cli.commands import (
    alerts,
    doctor,
    enqueue,
    erase,
    explain,
    export,
    find,
    parked,
    show,
    status,
    watch,
    web,
)
from ses_insights.cli.errors import EXPECTED, PipeClosed, exit_code, sentence, without_jargon
from ses_insights.cli.options import (
    Profile,
    Region,
    Stack,
    Version,
    refuse_empty,
    with_target,
    with_version,
)
from ses_insights.cli.output import echo_err

HELP = """Look up, enqueue and manage messages of SES Insights.

The deployed stack is found by its name, and AWS by the usual variables and profiles (AWS_PROFILE,
AWS_REGION, AWS_ENDPOINT_URL, …); for `make local` type `. .local/env`. --stack, --region and
--profile may stand before or after the command.

Exit codes: 0 done; 1 nothing was found, part of the input was refused, or something is wrong with
the deployment; 2 wrong usage; 3 AWS refuses the request or cannot be reached; 130 Ctrl-C.
"""


class Insights(TyperGroup):
    """Prints an expected failure as one sentence on standard error."""

    def make_context(self, *positional: Any, **named: Any) -> Any:
        """Read the arguments; --help and --version print here."""
        with _reported():
            return super().make_context(*positional, **named)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the arguments name."""
        with _reported():
            return super().invoke(ctx)


@contextmanager
def _reported() -> Iterator[None]:
    try:
        yield
    except typer.BadParameter as error:
        error.message = without_jargon(error.message)
        raise
    except EXPECTED as error:
        echo_err(sentence(error))
        raise typer.Exit(exit_code(error)) from error
    except BrokenPipeError as error:
        # Typer would make exit code 1 of it.
        raise PipeClosed from error


app = typer.Typer(
    cls=Insights,
    help=HELP,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,  # plain help can be read in a pipe, and keeps its examples as they are
    pretty_exceptions_enable=False,
)


@app.callback()
def _top(
    ctx: typer.Context,
    stack: Stack = None,
    region: Region = None,
    profile: Profile = None,
    version: Version = False,
) -> None:
    del version
    refuse_empty(ctx)
    ctx.obj.name(stack, region, profile)


_COMMANDS: Final[Mapping[str, Callable[..., None]]] = {
    "status": status.command,
    "watch": watch.command,
    "web": web.command,
    "enqueue": enqueue.command,
    "show": show.command,
    "find": find.command,
    "alerts": alerts.command,
    "export": export.command,
    "erase": erase.command,
    "doctor": doctor.command,
}
"""Those that are about a deployment."""

for _name, _command in _COMMANDS.items():
    app.command(_name)(with_version(with_target(_command)))
app.command("explain")(with_version(explain.command))
app.add_typer(parked.app, name="parked")
