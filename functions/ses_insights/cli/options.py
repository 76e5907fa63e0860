"""Options that several commands have."""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from importlib.metadata import version
from typing import Annotated, Any, Final

import typer

from ses_insights.cli.deployment import Deployment
from ses_insights.cli.errors import WrongUsageError
from ses_insights.cli.output import clean, echo
from ses_insights.contracts.names import DEFAULT_STACK_NAME
from ses_insights.domain.status import Status

Json = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Statuses = Annotated[
    list[str] | None,
    typer.Option(
        "--status",
        metavar="STATUS",
        help="Only this status; can be given several times.",
        autocompletion=lambda: list(Status),
    ),
]
Day = Annotated[
    str | None,
    typer.Option(
        "--day", metavar="DAY", help="On this day, in UTC: 2026-11-23, today or yesterday."
    ),
]
Limit = Annotated[
    int, typer.Option(min=1, max=1_000_000, metavar="N", help="Show at most this many.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]

Stack = Annotated[
    str | None,
    typer.Option(
        "--stack",
        metavar="NAME",
        help="Name of the deployed stack; else SES_INSIGHTS_STACK, else SesInsights.",
    ),
]
Region = Annotated[
    str | None,
    typer.Option("--region", metavar="REGION", help="Region of the stack; else AWS_REGION, …"),
]
Profile = Annotated[
    str | None,
    typer.Option("--profile", metavar="NAME", help="Profile of the AWS files; else AWS_PROFILE."),
]


def print_version(asked: bool) -> None:  # noqa: FBT001 - Typer hands the option's value over
    """Print the version and stop, where it was asked for."""
    if asked:
        echo(f"insights {version('ses-insights')}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", callback=print_version, is_eager=True, help="Show the version and exit."
    ),
]
_HiddenVersion = Annotated[
    bool, typer.Option("--version", callback=print_version, is_eager=True, hidden=True)
]

_WORDS: Final[Mapping[str, Status]] = {
    "ABUSE": Status.COMPLAINT,
    "BOUNCE": Status.PERMANENT_BOUNCE,
    "BOUNCED": Status.PERMANENT_BOUNCE,
    "COMPLAINED": Status.COMPLAINT,
    "DELIVERY": Status.DELIVERED,
    "DELIVERY_DELAY": Status.DELAYED,
    "HARD_BOUNCE": Status.PERMANENT_BOUNCE,
    "MISSING": Status.NOT_FOUND,
    "PERMANENT": Status.PERMANENT_BOUNCE,
    "SOFT_BOUNCE": Status.TRANSIENT_BOUNCE,
    "SPAM": Status.COMPLAINT,
    "TRANSIENT": Status.TRANSIENT_BOUNCE,
    "UNKNOWN": Status.NOT_FOUND,
}
"""What people write for a status."""


@dataclass(slots=True)
class Target:
    """Which deployment the command is about; options before and after the command name it."""

    find: Callable[[str, str | None, str | None], Deployment]
    """Finds a stack by its name, in a Region and with a profile, or the usual ones for None."""
    stack: str | None = None
    region: str | None = None
    profile: str | None = None

    def name(self, stack: str | None, region: str | None, profile: str | None) -> None:
        """Take over the options that were given."""
        self.stack = stack or self.stack
        self.region = region or self.region
        self.profile = profile or self.profile


def with_target(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that name the deployment; `deployment_of` uses them."""

    @wraps(command)
    def run(
        ctx: typer.Context,
        *,
        stack: str | None,
        region: str | None,
        profile: str | None,
        **own: Any,
    ) -> None:
        refuse_empty(ctx)
        ctx.obj.name(stack, region, profile)
        command(ctx, **own)

    named = [("stack", Stack), ("region", Region), ("profile", Profile)]
    return _with_options(run, command, [_option(*each, None) for each in named])


def refuse_empty(ctx: typer.Context) -> None:
    """Refuse an option without a value, as of a variable that a script has not set.

    Left out, it would widen what the command is about, to all that is parked, or to another stack.
    Raises `WrongUsageError`.
    """
    for each in ctx.command.params:
        name = each.opts[0]
        if name.startswith("-") and ctx.params.get(str(each.name)) == "":
            raise WrongUsageError(f"{name} is empty: give a value, or leave it out.")


def with_version(command: Callable[..., None]) -> Callable[..., None]:
    """Let a command show the version, as the tool itself does."""

    @wraps(command)
    def run(*positional: Any, version: bool, **own: Any) -> None:
        del version
        command(*positional, **own)

    return _with_options(run, command, [_option("version", _HiddenVersion, default=False)])


def _option(name: str, annotation: object, default: object) -> inspect.Parameter:
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(name, keyword, annotation=annotation, default=default)


def _with_options(
    run: Callable[..., None], command: Callable[..., None], more: Sequence[inspect.Parameter]
) -> Callable[..., None]:
    """Let a function show Typer the parameters of a command, and more."""
    signature = inspect.signature(command, eval_str=True)
    parameters = [*signature.parameters.values(), *more]
    run.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined] # inspect.signature asks for it
    return run


def deployment_of(ctx: typer.Context) -> Deployment:
    """Find the deployed stack that the options name."""
    target: Target = ctx.obj
    stack = target.stack or os.environ.get("SES_INSIGHTS_STACK") or DEFAULT_STACK_NAME
    return target.find(stack, target.region, target.profile)


def statuses_of(texts: Sequence[str] | None) -> list[Status]:
    """Read statuses, in any case. Raises `WrongUsageError`, with the one that was likely meant."""
    return [_status(text) for text in texts or ()]


def status_meant(text: str) -> Status | None:
    """Read a status, also as people call it; None where it is none."""
    word = _word(text)
    return Status[word] if word in Status.__members__ else _WORDS.get(word)


def _word(text: str) -> str:
    return text.strip().upper().replace("-", "_").replace(" ", "_")


def _status(text: str) -> Status:
    word = _word(text)
    if word in Status.__members__:
        return Status[word]
    near = _WORDS.get(word) or next(iter(difflib.get_close_matches(word, list(Status), n=1)), None)
    meant = f" Did you mean {near}?" if near else ""
    raise WrongUsageError(f"{clean(text)} is no status.{meant} There are: {', '.join(Status)}.")
