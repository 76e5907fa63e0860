"""Options that several commands have."""

from __future__ import annotations

from typing import Annotated

import typer

from ses_insights.cli.deployment import Deployment
from ses_insights.domain.status import Status

Stack = Annotated[
    str,
    typer.Option(envvar="SES_INSIGHTS_STACK", metavar="NAME", help="Name of the deployed stack."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Statuses = Annotated[
    list[Status] | None,
    typer.Option(
        "--status",
        case_sensitive=False,
        metavar="STATUS",
        help="Only this status; can be given several times.",
        autocompletion=lambda: list(Status),
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]


def deployment_of(ctx: typer.Context, stack: str) -> Deployment:
    """Find the deployed stack, in the way that the command was started with."""
    deployment: Deployment = ctx.obj(stack)
    return deployment
