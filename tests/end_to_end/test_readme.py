"""What the README tells to type works as it stands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from local.actors.pipeline import Pipeline
from local.actors.subscriber import Subscriber
from local.ses_stand_in.stories import STORIES
from local.stack.run import PROJECT, LocalRun

PATIENCE = 60.0

WAIT_FOR_THE_LOOK = """
import time
key = {":id": {"S": response["MessageId"]}}
condition = {"KeyConditionExpression": "MessageId = :id", "ExpressionAttributeValues": key}
query = boto3.client("dynamodb").query
while query(TableName=outputs["TableName"], **condition)["Count"] < 3:
    time.sleep(0.2)
"""


@pytest.fixture(scope="module")
def answers(stack: LocalRun) -> str:
    """What the README's three Python blocks print when they are run one after the other."""
    stack.ses.reset()
    stack.ses.change(speed=36_000.0)
    page = (PROJECT / "README.md").read_text()
    enqueue, subscribe, ask = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", f"{enqueue}\n{subscribe}\n{WAIT_FOR_THE_LOOK}\n{ask}"],
        env=stack.sandbox.environment(os.environ),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_questions_are_answered(answers: str) -> None:
    """The PartiQL of the README finds the message's three rows, and the recipient's."""
    counts = {
        line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in answers.splitlines()
    }

    assert counts.keys() == {"one message", "one recipient", "permanent bounces of a day"}
    assert counts["one message"] == 3
    assert counts["one recipient"] >= 1


def test_the_filter_policy_lets_only_complaints_through(stack: LocalRun, answers: str) -> None:
    """A subscriber to the complaints of one sender domain is told of those and of no bounce."""
    assert answers
    sqs = stack.session.client("sqs")
    queue_url = sqs.get_queue_url(QueueName="complaints-of-the-shop")["QueueUrl"]
    pipeline = Pipeline(ses=stack.ses_client(), sqs=sqs, queue_url=stack.outputs["QueueUrl"])
    for story in ("bounce-suppressed", "complaint-not-spam", "complaint-abuse"):
        pipeline.enqueue(pipeline.send(STORIES[story])["MessageId"])

    subscriber = Subscriber(sqs, queue_url)
    deadline = time.monotonic() + PATIENCE
    while not subscriber.read():
        assert time.monotonic() < deadline, "the complaint was never told"
        time.sleep(0.2)

    told = [alert.attributes["complaintFeedbackType"] for alert in subscriber.received]
    assert told == ["abuse"]


def test_make_synth_writes_the_template() -> None:
    """The first command of a deployment works without a CDK CLI outside of the project."""
    make = shutil.which("make")
    assert make
    path = os.pathsep.join([str(Path(sys.executable).parent), "/usr/bin", "/bin"])
    done = subprocess.run(
        [make, "synth"],
        cwd=PROJECT,
        env={"PATH": path, "HOME": os.environ.get("HOME", "/")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert list((PROJECT / "cdk.out").glob("*.template.json"))
