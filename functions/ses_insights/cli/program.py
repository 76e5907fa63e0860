"""The program: the only place where the commands get AWS."""

from __future__ import annotations

import os

import boto3

from ses_insights.cli.app import app
from ses_insights.cli.deployment import Deployment
from ses_insights.cli.errors import AWS, TRACE, USAGE, PipeClosed, defect
from ses_insights.cli.options import Target

__all__ = ["AWS", "TRACE", "USAGE", "PipeClosed", "cannot_write", "defect", "run"]


def run() -> None:
    """Run the command that the arguments name; ends with SystemExit."""
    app(prog_name="insights", obj=Target(_find))


def cannot_write(error: OSError) -> str:
    """Return in one line what could not be written or read."""
    what = error.filename or "The output"
    return f"{what} cannot be written or read: {error.strerror or error}."


def _find(stack: str, region: str | None, profile: str | None) -> Deployment:
    # The AWS CLI reads AWS_REGION, boto3 does not.
    region = region or os.environ.get("AWS_REGION") or None
    return Deployment.find(stack, boto3.Session(region_name=region, profile_name=profile))
