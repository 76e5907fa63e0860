"""The commands, put together; and the one place that turns failures into a sentence."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperGroup

from ses_insights.cli.commands import enqueue, erase, export, find, parked, show, status, watch
from ses_insights.cli.errors import AWS, EXPECTED, CliError, sentence
from ses_insights.cli.output import echo_err

HELP = """Feed SES Insights with message ids, and tend it.

It finds the deployed stack by its name, and AWS by the usual variables and profiles (AWS_PROFILE,
AWS_REGION, AWS_ENDPOINT_URL, …); `make local` prints those of the local run.

Exit codes: 0 done; 1 nothing was found, or some of what was given was refused; 2 wrong usage;
3 AWS refuses or cannot be reached; 130 Ctrl-C.
"""


class Insights(TyperGroup):
    """Says an expected failure in one sentence, on standard error."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except EXPECTED as error:
            echo_err(sentence(error))
            raise typer.Exit(error.exit_code if isinstance(error, CliError) else AWS) from error


app = typer.Typer(
    cls=Insights,
    help=HELP,
    no_args_is_help=True,
    rich_markup_mode=None,  # plain help can be read in a pipe, and keeps its examples as they are
    pretty_exceptions_enable=False,
)


@app.callback()
def _top() -> None:
    """Take what holds for every command: nothing."""


app.command("status")(status.command)
app.command("watch")(watch.command)
app.command("enqueue")(enqueue.command)
app.command("show")(show.command)
app.command("find")(find.command)
app.command("export")(export.command)
app.add_typer(parked.app, name="parked")
app.command("erase")(erase.command)
