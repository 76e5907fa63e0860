"""The commands of the README work as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.actors.subscriber import Subscriber
from local.stack.attached import announced
from local.stack.run import PROJECT, LocalRun
from tests.support.deployed_stack import INSTANT, DeployedStack
from tests.support.patience import SECONDS, eventually

WAIT_FOR_THE_LOOK = """
import time
key = {":id": {"S": response["MessageId"]}}
condition = {"KeyConditionExpression": "MessageId = :id", "ExpressionAttributeValues": key}
query = boto3.client("dynamodb").query
while query(TableName=outputs["TableName"], **condition)["Count"] < 3:
    time.sleep(0.2)
"""


@pytest.fixture(scope="module")
def answers(run: LocalRun) -> str:
    """What the README's three Python blocks print one after the other, after `. .local/env`."""
    run.ses.reset()
    run.ses.change(speed=INSTANT)
    page = (PROJECT / "README.md").read_text()
    enqueue, subscribe, ask = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    program = f"{enqueue}\n{subscribe}\n{WAIT_FOR_THE_LOOK}\n{ask}"
    with announced(run, run.folder) as environment:
        done = subprocess.run(
            ["/bin/sh", "-euc", '. "$1"; python -c "$2"', "sh", environment, program],
            env={"PATH": os.environ["PATH"], "HOME": "/", "AWS_PROFILE": "production"},
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
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


def test_the_filter_policy_lets_only_complaints_through(stack: DeployedStack, answers: str) -> None:
    """A subscriber to the complaints of one sender domain gets those and no bounce."""
    assert answers
    sqs = stack.run.session.client("sqs")
    queue_url = sqs.get_queue_url(QueueName="complaints-of-the-shop")["QueueUrl"]
    for story in ("bounce-suppressed", "complaint-not-spam", "complaint-abuse"):
        stack.send_and_enqueue(story)
    eventually(stack.is_done)

    subscriber = Subscriber(sqs, queue_url)
    eventually(subscriber.read)

    kinds = [alert.attributes["complaintFeedbackType"] for alert in subscriber.received]
    assert kinds == ["abuse"]


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
