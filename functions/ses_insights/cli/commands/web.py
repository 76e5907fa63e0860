"""`insights web`: a page to look at, on this machine only."""

from __future__ import annotations

from typing import Annotated, Final

import typer

from ses_insights.cli.errors import WrongUsageError
from ses_insights.cli.options import deployment_of
from ses_insights.cli.output import as_json as written
from ses_insights.cli.output import echo, echo_err

PORT: Final = 8427
"""The same for everybody, so that the address of a page can be sent to a colleague."""

_MISSING: Final = (
    "The page needs packages that are not installed ({}): run pip install '.[web]' in the "
    "project's folder, or pipx install '.[web]'."
)


def command(
    ctx: typer.Context,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, metavar="PORT", help="0 takes any that is free.")
    ] = PORT,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, and open nothing.")
    ] = False,
    read_only: Annotated[
        bool, typer.Option("--read-only", help="Leave out everything that writes.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the address as JSON, for programs.")
    ] = False,
) -> None:
    """Serve a page to look at what became of mail, until Ctrl-C.

    It listens on 127.0.0.1 and uses your AWS credentials. The address that is printed opens it
    once, for one browser. docs/web.md tells how a team uses it.

    \b
    Examples:
      insights web
      insights web --read-only --stack SesInsightsTest
      insights web --port 0 --no-browser --json
    """
    try:
        from ses_insights.cli.web.reading import SharedDeployment  # noqa: PLC0415 - an extra
        from ses_insights.cli.web.server import listen, open_browser, serve  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise WrongUsageError(_MISSING.format(error.name)) from None

    deployment = SharedDeployment.of(deployment_of(ctx))

    def ready(address: str) -> None:
        if as_json:
            print(written({"address": address}, indent=None), flush=True)  # noqa: T201 - a line
        else:
            echo(address)
            echo_err("It opens once, for one browser. Ctrl-C ends it.")
        if not no_browser:
            open_browser(address)

    serve(deployment, listen(port), read_only=read_only, on_ready=ready)
