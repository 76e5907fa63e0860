"""`insights enqueue` checks the input, sends its ids, and says by when they are looked up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ses_insights.adapters.records import RecordTable
from ses_insights.cli.app import app
from ses_insights.cli.deployment import Deployment
from ses_insights.cli.options import Target
from ses_insights.domain.lanes import Lane
from tests.cli.conftest import Aws
from tests.support.said import Insights
from tests.support.samples import MESSAGE_ID, OTHER_ID, bounced, delivered, found, looked

NEW_ID = MESSAGE_ID.replace("0", "3")


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


def test_input_without_an_id_is_an_error(
    deployment: Deployment, insights: Insights, tmp_path: Path
) -> None:
    """So is an empty file; exit code 1."""
    (empty := tmp_path / "empty").touch()
    for arguments, stdin in (((), "oops\n"), (("--file", str(empty)), "")):
        said = insights("enqueue", *arguments, stdin=stdin)
        assert (said.code, said.out) == (1, "")
        assert said.err.endswith("There is no message id in the input; nothing was sent.\n")
    assert bodies(deployment) == []


@pytest.mark.parametrize("arguments", [(), ("-",), ("--file", "-"), ("--column", "id")])
def test_nothing_piped_in_is_wrong_usage(insights: Insights, arguments: tuple[str, ...]) -> None:
    """One sentence with what to do: a pipe before it has failed, or somebody expected a prompt."""
    said = insights("enqueue", *arguments, stdin="\n")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Standard input is empty: ")
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--file", "no-such.txt"), "no-such.txt cannot be read: No such file or directory."),
        (("--bulk", "--force", MESSAGE_ID), "--bulk and --force exclude each other"),
        (("--file", "x", MESSAGE_ID), "as arguments or in a file, not both."),
        (("--column", "id", MESSAGE_ID), "--column reads a CSV: name it with --file, or pipe"),
        (("pyproject.toml",), "is a file: read it with --file pyproject.toml"),
        (("--file", "tests"), "tests cannot be read: Is a directory."),
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


def test_a_text_too_long_for_the_name_of_a_file_is_no_id(insights: Insights) -> None:
    """Whether it names a file is asked, and nothing fails over it."""
    said = insights("enqueue", "a" * 3_000)
    assert said.code == 1
    assert said.err.startswith("argument 1: NotAnId: ")


def test_a_column_typed_at_a_terminal_needs_a_file(insights: Insights, terminal: None) -> None:
    """Nobody types a CSV."""
    del terminal
    said = insights("enqueue", "--column", "id")
    assert (said.code, said.err) == (
        2,
        "--column reads a CSV: name it with --file, or pipe it in.\n",
    )


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
    assert done.err.splitlines()[0].startswith("Stopped after 0 of 1 id. Run the same command")
    assert "SendMessageBatch is denied" in done.err


def test_ctrl_c_says_how_far_it_came(aws: Aws, insights: Insights) -> None:
    """And how to go on; in bulk what is in the table stays. Exit code 130."""

    def stop(**_: object) -> None:
        raise KeyboardInterrupt

    for event, arguments, says in (
        ("sqs.SendMessageBatch", (), "what was sent already is looked up once."),
        ("dynamodb.PutItem", ("--bulk",), "again to go on: what is in the table"),
    ):
        aws.session.events.register_first(f"before-call.{event}", stop)
        try:
            done = insights("enqueue", *arguments, MESSAGE_ID, OTHER_ID)
        finally:
            aws.session.events.unregister(f"before-call.{event}", stop)
        assert (done.code, done.out) == (130, "")
        assert done.err.startswith("Stopped after 0 of 2 ids. Run the same command")
        assert says in done.err


def test_it_says_what_was_known_already(insights: Insights, records: RecordTable) -> None:
    """And how much of that a look would not change, unless it is forced."""
    record, alerts = looked(found(bounced()), message_id=MESSAGE_ID)
    records.save(replace(record, final="It bounced.", next_look_at=None), alerts, read=None)
    waiting, _ = looked(found(delivered()), message_id=OTHER_ID)
    records.save(waiting, (), read=None)
    said = insights("enqueue", MESSAGE_ID, OTHER_ID, NEW_ID)
    assert "2 of them known before, of which 1 will be skipped: " in said.out
    result = insights("enqueue", "--json", "--force", MESSAGE_ID, OTHER_ID).json
    assert (result["known"], result["skipped"]) == (2, 0)


def test_without_permission_to_read_it_sends_all_the_same(aws: Aws, insights: Insights) -> None:
    """Enqueuing needs no more than the queue; what is not known is said."""
    aws.fails["BatchGetItem"] = "AccessDeniedException"
    said = insights("enqueue", "--json", MESSAGE_ID)
    assert (said.code, said.json["sent"], said.json["known"]) == (0, 1, None)
    assert said.err.startswith("Whether ids are known already cannot be read. These credentials")


def test_an_id_of_another_region_is_sent_with_a_warning(
    deployment: Deployment, insights: Insights
) -> None:
    """The body names the Region, so that the row can."""
    other = f"<{MESSAGE_ID}@eu-central-1.amazonses.com>"
    said = insights("enqueue", other)
    assert said.code == 0
    assert said.err.startswith(
        "argument 1: the text names the Region eu-central-1, and this stack is in eu-west-1"
    )
    assert bodies(deployment) == [other]


def test_an_id_of_another_form_is_sent_with_a_warning(
    deployment: Deployment, insights: Insights
) -> None:
    """That of an SQS or SNS message, for example."""
    uuid = "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324"
    said = insights("enqueue", stdin=f"{uuid}\n{MESSAGE_ID}\n")
    assert (said.code, said.err) == (
        0,
        "line 1: does not look like an id of SES; it is sent all the same\n",
    )
    assert bodies(deployment) == [uuid, MESSAGE_ID]


def test_many_bad_lines_of_one_kind_are_one_message(insights: Insights) -> None:
    """With the numbers of the lines."""
    said = insights("enqueue", stdin=f"{MESSAGE_ID}\n" + "oops\n" * 42)
    assert said.code == 1
    assert said.err.startswith("lines 2-43 (42): NotAnId: ")
    assert len(said.err.splitlines()) == 1


@pytest.mark.parametrize(
    "data",
    [
        f"\ufeffmessage_id,to\r{MESSAGE_ID},a\r".encode(),
        f"\ufeffmessage_id,to\r\n{MESSAGE_ID},a\r\n".encode("utf-16-le"),
    ],
)
def test_a_csv_comes_through_a_pipe_as_spreadsheets_write_it(
    aws: Aws, deployment: Deployment, data: bytes
) -> None:
    """With a byte order mark, carriage returns, and in UTF-16."""
    arguments = ["enqueue", "--column", "message_id"]
    done = CliRunner().invoke(app, arguments, input=data, obj=Target(aws.find))
    assert (done.exit_code, done.stderr) == (0, "")
    assert bodies(deployment) == [MESSAGE_ID]


def test_a_broken_csv_sends_nothing(
    deployment: Deployment, insights: Insights, tmp_path: Path
) -> None:
    """Exit code 2, and the line where the quote is."""
    file = tmp_path / "sent.csv"
    file.write_text(f'message_id,subject\n{MESSAGE_ID},x\n{OTHER_ID},"5 inch\n{NEW_ID},y\n')
    said = insights("enqueue", "--file", str(file), "--column", "message_id")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("Line 3 of the CSV cannot be read: a quote is opened")
    assert bodies(deployment) == []


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
