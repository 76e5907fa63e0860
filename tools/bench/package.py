"""Measured on the package alone: its size, and what its imports take beside bare boto3."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from infra.lambda_package import FUNCTIONS, build
from ses_insights.contracts.names import (
    DEFAULT_LADDER_SECONDS,
    DEFAULT_RETENTION_DAYS,
    DEFAULT_SES_KEEPS_DAYS,
    METRIC_NAMESPACE,
    Service,
    Variable,
)

RUNS: Final = 9
CLIENTS: Final = "import boto3\nfor name in ('sesv2', 'dynamodb', 'sns', 'sqs'): boto3.client(name)"
FUNCTION: Final = (
    "import os, boto3\n"
    "from ses_insights.handlers import lookup\n"
    "lookup.wire(os.environ, boto3.Session())"
)
ENVIRONMENT: Final[Mapping[str, str]] = {
    "AWS_DEFAULT_REGION": "eu-west-1",
    Variable.TABLE_NAME: "table",
    Variable.ALERT_TOPIC_ARN: "arn:aws:sns:eu-west-1:000000000000:alerts",
    Variable.QUEUE_URL: "https://127.0.0.1/queue",
    Variable.DEAD_LETTER_QUEUE_URL: "https://127.0.0.1/dead-letters",
    Variable.LOOKUP_PERIOD_SECONDS: "1.0",
    Variable.FIRST_LOOK_DELAY_SECONDS: str(DEFAULT_LADDER_SECONDS[0]),
    Variable.FOLLOW_UP_LADDER: json.dumps(DEFAULT_LADDER_SECONDS),
    Variable.SES_KEEPS_DAYS: str(DEFAULT_SES_KEEPS_DAYS),
    Variable.RETENTION_DAYS: str(DEFAULT_RETENTION_DAYS),
    Variable.REDACT_SUBJECTS: "false",
    Variable.ALERT_TYPES: '["BOUNCE"]',
    Variable.SURGE_AFTER: "5",
    Variable.SERVICE_NAME: Service.LOOKUP,
    Variable.METRICS_NAMESPACE: METRIC_NAMESPACE,
}


def zipped_size() -> int:
    """Bytes of the function's package as it is uploaded."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        content, archive = folder / "content", folder / "package.zip"
        content.mkdir()
        build(FUNCTIONS, content)
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
            for path in sorted(content.rglob("*")):
                packed.write(path, path.relative_to(content))
        return archive.stat().st_size


def start_up() -> tuple[float, float]:
    """Median seconds of bare boto3 with the same four clients, and of the function's wiring.

    The two are run in turn, so that a machine that is busy is busy for both.
    """
    pairs = [(_seconds(CLIENTS), _seconds(FUNCTION)) for _ in range(RUNS)]
    bare, function = zip(*pairs, strict=True)
    return statistics.median(bare), statistics.median(function)


def _seconds(code: str) -> float:
    environment = {**ENVIRONMENT, "PATH": os.defpath, "PYTHONPATH": str(FUNCTIONS)}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    return time.perf_counter() - began
