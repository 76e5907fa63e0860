"""Asking before something that cannot be undone."""

from __future__ import annotations

import sys

import typer

from ses_insights.cli.errors import WrongUsageError


def confirm(question: str, *, yes: bool) -> bool:
    """Ask on the terminal; True without asking where that was said beforehand.

    Raises `WrongUsageError` where nobody can answer.
    """
    if yes:
        return True
    if not sys.stdin.isatty():
        raise WrongUsageError(f"{question} Nobody is there to answer: say --yes beforehand.")
    return typer.confirm(question, err=True)
