"""Measured on the deployed local stack: slots used under backlog, calls per look, memory."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final

from local.actors.pipeline import Pipeline
from local.ses_stand_in.pace import Report
from local.ses_stand_in.stories import STORIES
from local.stack.run import PROJECT, LocalRun
from tools.bench.looks import Looked

STORIES_OF_CALLS: Final = {
    "delivered": "no alert",
    "bounce-noemail": "one alert",
    "many-destinations": "two alerts",
}
PATIENCE: Final = 5.0
"""Seconds a look in the backlog may take on average before the bench gives up."""


def backlog(run: LocalRun, looks: int) -> Report:
    """Enqueue so many ids at once and let the stack work them off; the stand-in's report."""
    pipeline = Pipeline.of(run)
    run.ses.reset()
    responses = [pipeline.send(STORIES["opened"], label=str(n)) for n in range(looks)]
    for response in responses:
        pipeline.enqueue(response["MessageId"])
    deadline = time.monotonic() + PATIENCE * looks
    while (report := run.ses.report()).accepted < looks and time.monotonic() < deadline:
        time.sleep(1)
    return report


def calls_per_look(run: LocalRun) -> dict[str, dict[str, int]]:
    """Count the AWS calls of a look without an alert, with one and with two."""
    run.ses.reset()
    run.ses.change(period_seconds=0.0)
    pipeline = Pipeline.of(run)
    stories = ["delivered", *STORIES_OF_CALLS]
    ids = [pipeline.send(STORIES[story])["MessageId"] for story in stories]
    run.ses.advance(timedelta(days=1))
    # The first look also reads the load, as one look a minute does; it is left out.
    _, *looks = _look(run, ids)
    return {story: look.calls for story, look in zip(STORIES_OF_CALLS.values(), looks, strict=True)}


def memory(run: LocalRun, looks: int) -> list[int]:
    """Bytes the process holds after each of so many looks at different messages."""
    run.ses.reset()
    run.ses.change(period_seconds=0.0, latency_ms=(0.0, 0.0))
    pipeline = Pipeline.of(run)
    ids = [pipeline.send(STORIES["opened"], label=str(n))["MessageId"] for n in range(looks)]
    return [look.memory for look in _look(run, ids)]


def configured_memory(run: LocalRun) -> int:
    """Bytes the function is given."""
    return int(_function(run)["MemorySize"]) * 2**20


def _look(run: LocalRun, ids: Sequence[str]) -> list[Looked]:
    result = run.folder / "looks.json"
    environment = run.sandbox.environment({}) | _function(run)["Environment"]["Variables"]
    subprocess.run(
        [sys.executable, "-m", "tools.bench.looks", str(result)],
        input="\n".join(ids),
        env=environment,
        cwd=PROJECT,
        text=True,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return [Looked(**look) for look in json.loads(result.read_text())]


def _function(run: LocalRun) -> dict[str, Any]:
    functions = run.session.client("lambda")
    return dict(functions.get_function_configuration(FunctionName=run.lookup_function))
