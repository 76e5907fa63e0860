"""`insights` on the deployed stack, as a user who may do what docs/cli.md says and nothing else.

Each command with a good case, an empty one and a wrong one.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from certifi import where

from local.actors.operator import FollowUps
from local.ses_stand_in.stories import STORIES, address_of
from local.stack.observe import message_row, messages_in, scan
from local.stack.run import PROJECT, LocalRun
from local.stack.sandbox import ACCESS_KEY
from tests.support.dead_letters import two_parked
from tests.support.deployed_stack import deployed_stack
from tests.support.patience import SECONDS, eventually
from tests.support.said import Insights, Said

LABEL: Final = "cli"
STORY_NAMES: Final = ("bounce-noemail", "complaint-abuse", "delivered")

IN_BATCHES: Final = ("sqs:SendMessageBatch", "sqs:ChangeMessageVisibilityBatch")
"""Actions that the emulator asks for and AWS does not have: local/stack/emulator_quirks.py."""

ROOT: Final = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": ACCESS_KEY}
"""A user who may do everything."""

UNKNOWN: Final = "0106019fa36a2608-00000000-0000-0000-0000-000000000000-000000"


@pytest.fixture(scope="module")
def insights(run: LocalRun) -> Insights:
    """Call the tool with the credentials of a user who has the policy of the page."""
    iam = run.session.client("iam")
    page = (PROJECT / "docs" / "cli.md").read_text()
    policy = json.loads(re.findall(r"^```json\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)[0])
    policy["Statement"].append({"Effect": "Allow", "Action": IN_BATCHES, "Resource": "*"})
    iam.create_user(UserName="runs-it")
    iam.put_user_policy(
        UserName="runs-it", PolicyName="insights", PolicyDocument=json.dumps(policy)
    )
    key = iam.create_access_key(UserName="runs-it")["AccessKey"]
    environment = run.sandbox.environment(os.environ) | {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }

    def call(*arguments: str, stdin: str = "", **changes: str) -> Said:
        done = subprocess.run(
            [Path(sys.executable).with_name("insights"), *arguments],
            env=environment | changes,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        assert "Traceback" not in done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    return call


@pytest.fixture(scope="module")
def ids(
    run: LocalRun, insights: Insights, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Messages by story that were enqueued with the tool, from a CSV file, and looked at."""
    file = tmp_path_factory.mktemp("cli") / "sent.csv"
    with deployed_stack(run) as stack:
        sent = {name: str(stack.send(name, label=LABEL)["MessageId"]) for name in STORY_NAMES}
        lines = [f"{name},{each}\n" for name, each in sent.items()]
        file.write_text("".join(["story,id\n", *lines]))

        said = insights("enqueue", "--file", str(file), "--column", "id")

        assert (said.code, said.err) == (0, "")
        assert said.out.startswith("Sent 3 ids.\nThe last is looked up by about ")
        eventually(stack.is_done)
    return sent


@pytest.fixture
def parked(run: LocalRun) -> Iterator[None]:
    """Two messages in the dead-letter queue, for two reasons, and none after the test."""
    with two_parked(run, UNKNOWN):
        yield


def address(story: str) -> str:
    """The recipient of the mail of a story."""
    return address_of(STORIES[story], LABEL)


def day(run: LocalRun, ids: dict[str, str]) -> str:
    """The day of the mails; it is not today when midnight comes between."""
    row = message_row(run, ids["complaint-abuse"])
    assert row is not None
    return str(row["SentAt"])[:10]


# status and watch


def test_status_shows_how_the_service_is(insights: Insights, ids: dict[str, str]) -> None:
    """Nothing waits, the last look is known, and Virtual Deliverability Manager is on."""
    assert ids
    shown = insights("status", "--json").json
    assert shown["queue"] == {"waiting": 0, "delayed": 0, "inFlight": 0}
    assert shown["lastLookAt"] is not None
    assert shown["vdm"] == "on"


def test_status_shows_that_vdm_is_off(run: LocalRun, insights: Insights) -> None:
    """And what that means."""
    run.ses.change(vdm=False)
    shown = insights("status").out
    run.ses.change(vdm=True)
    assert "off: SES refuses every look" in shown


UNKNOWN_HERE: Final = {
    # The emulator makes no metrics of the log, and does not keep these settings.
    *("slots", "full-waits", "reserved-concurrency", "time-to-live", "backups"),
    *("deletion-protection", "topic-key", "indexes"),
    *("alert-subscribers", "operations-subscribers"),
}


def test_doctor_finds_nothing_wrong(run: LocalRun, insights: Insights, ids: dict[str, str]) -> None:
    """Every question is allowed by the policy; what a local stack lacks is unknown, not passed."""
    assert ids
    run.session.client("sqs").purge_queue(QueueUrl=run.dead_letter_queue_url)
    said = insights("doctor", "--json")
    assert said.err == ""
    unexpected = [
        each
        for each in said.json
        if each["ok"] is not True and each["check"] not in UNKNOWN_HERE | SET_APART
    ]
    assert unexpected == []
    assert "Nobody is subscribed to a local stack at first." in said.out
    assert "names no key. The local emulator lacks it." in said.out
    # ministack asks for the right to change the concurrency where it is read.
    assert set(re.findall(r"(\w+:\w+) is denied", said.out)) <= {"lambda:PutFunctionConcurrency"}


SET_APART: Final = {
    # Tests start the runs by hand.
    *("schedule", "followups-run"),
}


def test_watch_repeats_it(insights: Insights) -> None:
    """A line for each reading."""
    said = insights("watch", "--times", "2", "--every", "0")
    assert (said.code, len(said.out.splitlines()), said.err) == (0, 2, "")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"SES_INSIGHTS_STACK": "Elsewhere", **ROOT}, "There is no stack Elsewhere in eu-west-1"),
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "There are no AWS credentials"),
        ({"AWS_CA_BUNDLE": where()}, "is not trusted: for `make local` type `. .local/env`"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS cannot be reached"),
    ],
    ids=["no stack", "no credentials", "not trusted", "not reached"],
)
def test_what_stands_between_is_one_sentence(
    insights: Insights, changes: dict[str, str], says: str
) -> None:
    """On standard error, with exit code 3."""
    said = insights("status", **changes)
    assert (said.code, said.out) == (3, "")
    assert says in said.err
    assert len(said.err.splitlines()) == 1


def test_a_user_without_a_policy_is_refused(run: LocalRun, insights: Insights) -> None:
    """And where to read what is needed."""
    iam = run.session.client("iam")
    iam.create_user(UserName="stranger")
    key = iam.create_access_key(UserName="stranger")["AccessKey"]
    stranger = {
        "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
    }
    said = insights("status", **stranger)
    assert (said.code, said.out) == (3, "")
    assert "is denied. docs/cli.md has the policy." in said.err


# enqueue


def test_a_forced_look_is_taken(run: LocalRun, insights: Insights, ids: dict[str, str]) -> None:
    """From standard input; what holds no id is listed, and costs nothing."""
    said = insights("enqueue", "--force", stdin=f"{ids['delivered']}\noops\n")
    assert (said.code, said.out.splitlines()[0]) == (1, "Sent 1 id.")
    assert said.err.startswith("line 2: NotAnId")

    def looked_twice() -> bool:
        row = message_row(run, ids["delivered"])
        return row is not None and int(row["Looks"]) >= 2

    eventually(looked_twice)


def test_what_is_in_bulk_gets_its_look(
    run: LocalRun, insights: Insights, followups: FollowUps
) -> None:
    """It waits in the table, is known the second time, and is served by `followups`."""
    other = UNKNOWN.replace("0", "1")
    assert insights("enqueue", "--bulk", other, "--json").json["inBulk"] == 1
    assert insights("enqueue", "--bulk", other, "--json").json["known"] == 1

    followups.start()

    def looked_once() -> bool:
        row = message_row(run, other)
        return row is not None and int(row["Looks"]) >= 1

    eventually(looked_once)


def test_nothing_to_enqueue_and_no_such_file(insights: Insights) -> None:
    """Exit codes 1 and 2."""
    assert insights("enqueue", stdin="oops").code == 1
    assert insights("enqueue").code == 2
    assert insights("enqueue", "--file", "no-such-file").code == 2


# show, find, export


def test_show_prints_the_story(insights: Insights, ids: dict[str, str]) -> None:
    """What happened to which recipient, and its alert."""
    said = insights("show", ids["bounce-noemail"])
    assert said.code == 0
    assert f"{address('bounce-noemail')}\tPERMANENT_BOUNCE" in said.out
    assert re.search(r"BOUNCE\tmedium\t.*\tpublished 20", said.out)
    assert insights("show", ids["bounce-noemail"], "--wait") == said
    assert insights("show", address("bounce-noemail").upper()).out == said.out


def test_show_of_the_unknown_and_of_no_id(insights: Insights) -> None:
    """Exit codes 1 and 2."""
    assert insights("show", UNKNOWN.replace("0", "2")).code == 1
    assert insights("show", "anna@there.example").code == 1
    assert insights("show", "anna").code == 2


def test_find_lists_by_recipient_status_and_day(
    run: LocalRun, insights: Insights, ids: dict[str, str]
) -> None:
    """All three at once; a person sees the whole line."""
    where = ("--to", address("complaint-abuse"), "--status", "COMPLAINT", "--day", day(run, ids))
    assert ids["complaint-abuse"] in insights("find", *where).out
    rows = insights("find", "--status", "PERMANENT_BOUNCE", "--limit", "100", "--json").json
    assert ids["bounce-noemail"] in {row["MessageId"] for row in rows}


def test_find_of_nothing_and_of_no_day(insights: Insights) -> None:
    """Exit codes 1 and 2."""
    assert insights("find", "--to", "nobody@there.example").code == 1
    assert insights("find", "--day", "soon").code == 2


def test_export_writes_a_file(
    run: LocalRun, insights: Insights, ids: dict[str, str], tmp_path: Path
) -> None:
    """A line for each recipient since a day."""
    file = tmp_path / "day.csv"
    assert insights("export", "--from", day(run, ids), "-o", str(file)).code == 0
    lines = {row["MessageId"]: row for row in csv.DictReader(io.StringIO(file.read_text()))}
    assert lines[ids["bounce-noemail"]]["BounceSubType"] == "NoEmail"
    assert lines[ids["complaint-abuse"]]["ComplaintFeedbackType"] == "abuse"
    assert "@" in lines[ids["complaint-abuse"]]["FromEmailAddress"]


def test_export_of_nothing_and_of_no_days(insights: Insights) -> None:
    """Exit codes 1 and 2."""
    said = insights("export", "--from", "2020-01-01", "--to", "2020-01-02", "--json")
    assert (said.code, said.json) == (1, [])
    assert insights("export", "--from", "2020-01-02", "--to", "2020-01-01").code == 2


# parked


def test_parked_is_listed_by_reason(insights: Insights, parked: None) -> None:
    """And stays as it is."""
    del parked
    for _ in range(2):
        shown = insights("parked", "--json").json["shown"]
        assert sorted(each["body"] for each in shown) == sorted(["anna", UNKNOWN])


def test_a_redriven_message_is_looked_at(run: LocalRun, insights: Insights, parked: None) -> None:
    """Only that of the reason; the others are dropped after."""
    del parked
    assert insights("parked", "redrive", "--reason", "Unexpected", "--yes").code == 0
    eventually(lambda: message_row(run, UNKNOWN) is not None)
    shown = insights("parked", "drop", "--yes", "--json").json
    assert [each["body"] for each in shown["dropped"]] == ["anna"]
    assert messages_in(run, run.dead_letter_queue_url) == 0


def test_nothing_parked_and_no_terminal(run: LocalRun, insights: Insights, parked: None) -> None:
    """Exit codes 2 and 1; nothing is deleted without a yes."""
    del parked
    assert insights("parked", "drop").code == 2
    assert messages_in(run, run.dead_letter_queue_url) == 2
    run.session.client("sqs").purge_queue(QueueUrl=run.dead_letter_queue_url)
    assert insights("parked").code == 0


# erase; the last one, because it takes from what the others look at


def test_what_was_erased_does_not_come_back(
    run: LocalRun, insights: Insights, ids: dict[str, str]
) -> None:
    """A look that is forced asks SES nothing and stores nothing; a second erasure finds nothing."""
    person, message_id = address("bounce-noemail"), ids["bounce-noemail"]
    assert insights("erase", person).code == 2  # there is no terminal to ask

    shown = insights("erase", person, "--yes", "--json").json
    assert message_id in shown["messages"]
    run.ses.forget_calls()
    insights("enqueue", "--force", message_id)
    # The queue is served in order: when the next one was looked at, so was this one.
    after = UNKNOWN.replace("0", "3")
    insights("enqueue", after)
    eventually(lambda: message_row(run, after) is not None)

    assert message_id not in {call.message_id for call in run.ses.calls()}
    assert person not in json.dumps(list(scan(run)), default=str)
    assert "was erased on request" in insights("show", message_id).out
    assert insights("erase", person, "--yes").code == 1
