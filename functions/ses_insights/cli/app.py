"""The commands, put together; and the one place that turns a failure into a sentence."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ses_insights.cli.commands import (
    alerts,
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
from ses_insights.cli.errors import EXPECTED, exit_code, sentence
from ses_insights.cli.output import echo, echo_err

HELP = """Look up, enqueue and manage messages of SES Insights.

The deployed stack is found by its name, and AWS by the usual variables and profiles (AWS_PROFILE,
AWS_REGION, AWS_ENDPOINT_URL, …); `make local` prints those of the local run.

Exit codes: 0 done; 1 nothing was found, or part of the input was refused; 2 wrong usage; 3 AWS
refuses the request or cannot be reached; 130 Ctrl-C.
"""


class Insights(TyperGroup):
    """Prints an expected failure as one sentence on standard error."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that the arguments name."""
        try:
            return super().invoke(ctx)
        except EXPECTED as error:
            echo_err(sentence(error))
            raise typer.Exit(exit_code(error)) from error


app = typer.Typer(
    cls=Insights,
    help=HELP,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,  # plain help can be read in a pipe, and keeps its examples as they are
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:  # noqa: FBT001 - Typer hands the option's value over
    if asked:
        echo(f"insights {version('ses-insights')}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    pass


app.command("status")(status.command)
app.command("watch")(watch.command)
app.command("web")(web.command)
app.command("enqueue")(enqueue.command)
app.command("show")(show.command)
app.command("find")(find.command)
app.command("alerts")(alerts.command)
app.command("explain")(explain.command)
app.command("export")(export.command)
app.add_typer(parked.app, name="parked")
app.command("erase")(erase.command)
