"""The command `insights`: the only place where the commands get AWS."""

import os

import boto3

from ses_insights.cli.app import app
from ses_insights.cli.deployment import Deployment


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    app(prog_name="insights", obj=_find)


def _find(stack: str) -> Deployment:
    # The AWS CLI reads AWS_REGION, boto3 does not.
    return Deployment.find(stack, boto3.Session(region_name=os.environ.get("AWS_REGION") or None))


if __name__ == "__main__":
    main()
