"""`python -m cli`: what the script `cli/insights` runs; here the commands meet AWS."""

import os

import boto3

from cli.app import app
from cli.service import Service


def _find(stack: str) -> Service:
    # The AWS CLI reads AWS_REGION, boto3 does not.
    return Service.find(stack, boto3.Session(region_name=os.environ.get("AWS_REGION") or None))


app(prog_name="insights", obj=_find)
