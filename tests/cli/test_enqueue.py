"""`insights enqueue` checks the input, sends its ids, and says by when they are looked up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ses_insights.adapters.records import RecordTable
from ses_insights.cli.deployment import Deployment
from ses_insights.domain.lanes import Lane
from tests.cli.conftest import Aws
from tests.support.said import Insights
from tests.support.samples import MESSAGE_ID, OTHER_ID


def bodies(deployment: Deployment) -> list[str]:
    """What is in the queue."""
    received = deployment.sqs.receive_message(
        QueueUrl=deployment.queue_url,
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=["MessageGroupId"],
    )
    messages = received.get("Messages", [])
    assert {message["Attributes"]["MessageGroupId"] for message in messages} <= {"looks"}
    return [message["Body"] for message in messages]


def test_arguments_are_sent_as_bare_ids(deployment: Deployment, insights: Insights) -> None:
    """Nothing else of what was given goes into the queue; the answer says by when."""
    said = insights("enqueue", f"<{MESSAGE_ID}@email.amazonses.com>", OTHER_ID, OTHER_ID)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[:2] == ["Sent 2 ids.", "1 id given more than once."]
    assert said.out.splitlines()[2].endswith("Z, in 15 min 4 s.")
    assert bodies(deployment) == [MESSAGE_ID, OTHER_ID]


def test_a_forced_look_is_asked_for_in_the_body(deployment: Deployment, insights: Insights) -> None:
    """As the queue's contract has it."""
    insights("enqueue", "--force", MESSAGE_ID)
    assert list(map(json.loads, bodies(deployment))) == [{"MessageId": MESSAGE_ID, "force": True}]


@pytest.mark.parametrize("arguments", [(), ("-",), ("--file", "-")])
def test_standard_input_is_read(
    deployment: Deployment, insights: Insights, arguments: tuple[str, ...]
) -> None:
    """Without arguments from a pipe, and by the sign for it."""
    assert insights("enqueue", *arguments, stdin=f"{MESSAGE_ID}\n\n{OTHER_ID}\n").code == 0
    assert bodies(deployment) == [MESSAGE_ID, OTHER_ID]


def test_a_column_of_a_file_is_read(
    deployment: Deployment, insights: Insights, tmp_path: Path
) -> None:
    """As a spreadsheet writes it, with a byte order mark."""
    file = tmp_path / "sent.csv"
    file.write_text(f"id;to\n{MESSAGE_ID};anna\n", encoding="utf-8-sig")
    assert insights("enqueue", "--file", str(file), "--column", "id").code == 0
    assert bodies(deployment) == [MESSAGE_ID]


def test_ids_are_sent_and_entries_without_one_are_listed(
    deployment: Deployment, insights: Insights
) -> None:
    """Exit code 1 says that something was left out."""
    said = insights("enqueue", "--json", stdin=f"oops\n{MESSAGE_ID}\n")
    assert said.code == 1
    assert said.err.startswith("line 1: NotAnId: ")
    assert (said.json["sent"], [bad["place"] for bad in said.json["bad"]]) == (1, ["line 1"])
    assert bodies(deployment) == [MESSAGE_ID]


def test_input_without_an_id_is_an_error(deployment: Deployment, insights: Insights) -> None:
    """So is an empty file; exit code 1."""
    said = insights("enqueue", stdin="\n\n")
    assert (said.code, said.out) == (1, "")
    assert said.err == "There is no message id in the input; nothing was sent.\n"
    assert bodies(deployment) == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--file", "no-such.txt"), "no-such.txt cannot be read: No such file or directory."),
        (("--bulk", "--force", MESSAGE_ID), "--bulk and --force exclude each other"),
        (("--file", "x", MESSAGE_ID), "as arguments or in a file, not both."),
    ],
)
def test_wrong_usage_is_a_sentence(
    insights: Insights, arguments: tuple[str, ...], said: str
) -> None:
    """Exit code 2, nothing on standard output."""
    done = insights("enqueue", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert len(done.err.splitlines()) == 1


def test_a_file_that_is_not_text_is_wrong_usage(insights: Insights, tmp_path: Path) -> None:
    """A spreadsheet, for example."""
    file = tmp_path / "ids.xlsx"
    file.write_bytes(b"PK\x03\x04\xff\xfe")
    done = insights("enqueue", "--file", str(file))
    assert (done.code, done.err) == (2, f"{file} is not UTF-8 text; save it as UTF-8.\n")


def test_a_failure_in_between_says_how_many_were_sent(aws: Aws, insights: Insights) -> None:
    """And to enqueue all again: what is sent twice is looked up once."""
    aws.fails["SendMessageBatch"] = "AccessDenied"
    done = insights("enqueue", MESSAGE_ID)
    assert done.code == 3
    assert done.err.splitlines()[0] == "Stopped after 0 of 1 id; enqueue all of them again."
    assert "SendMessageBatch is denied" in done.err


def test_bulk_goes_into_the_table_and_not_into_the_queue(
    deployment: Deployment, insights: Insights, records: RecordTable
) -> None:
    """It waits in its lane; what is known already stays as it is."""
    assert insights("enqueue", "--bulk", MESSAGE_ID).out.startswith(
        "1 id in the bulk lane, 0 known before.\n"
    )
    result = insights("enqueue", "--bulk", "--json", MESSAGE_ID, OTHER_ID).json
    assert (result["inBulk"], result["known"]) == (1, 1)
    record = records.load(MESSAGE_ID)
    assert record is not None
    assert record.lane is Lane.BULK
    assert bodies(deployment) == []
