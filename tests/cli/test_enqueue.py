"""`insights enqueue` checks all, sends what is good, and says when it will have been looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from ses_insights.adapters.records import RecordTable
from ses_insights.cli.deployment import Deployment
from ses_insights.cli.sending import TRIES, Refused, Sender, last_look_by
from ses_insights.domain.lanes import Lane
from tests.cli.conftest import Aws
from tests.support.said import Insights
from tests.support.samples import MESSAGE_ID, OTHER_ID

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

AT = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
IDS = [f"{number:016}" for number in range(25)]


@dataclass(slots=True)
class Queue:
    """A queue that refuses as it is told: codes by body, each for so many tries."""

    refuses: dict[str, list[str]] = field(default_factory=dict)
    batches: list[list[str]] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def send_message_batch(self, *, QueueUrl: str, Entries: Sequence[dict[str, str]]) -> Any:  # noqa: N803 - boto3's names
        """Take a batch, but for what is refused."""
        del QueueUrl
        self.batches.append([entry["MessageBody"] for entry in Entries])
        failed = [
            {"Id": entry["Id"], "Code": code, "SenderFault": code == "TooLong"}
            for entry in Entries
            if (codes := self.refuses.get(entry["MessageBody"]))
            for code in [codes.pop(0)]
        ]
        return {"Failed": failed}

    def send(self, *ids: str) -> tuple[int, list[Refused]]:
        """Send through it; how many joined, and what was refused for good."""
        sender = Sender(cast("SQSClient", self), "url", self.slept.append)
        done = list(sender.send(dict.fromkeys(ids, False)))
        return sum(joined for joined, _ in done), [each for _, more in done for each in more]


def test_ids_are_sent_ten_at_a_time_in_order() -> None:
    """Each once."""
    queue = Queue()
    assert queue.send(*IDS) == (25, [])
    assert queue.batches == [IDS[:10], IDS[10:20], IDS[20:]]


def test_what_is_refused_in_passing_is_sent_again() -> None:
    """Only that, after waits that double."""
    queue = Queue({IDS[1]: ["InternalError", "InternalError"]})
    assert queue.send(*IDS[:3]) == (3, [])
    assert queue.batches == [IDS[:3], [IDS[1]], [IDS[1]]]
    assert queue.slept == [1, 2]


def test_what_is_refused_again_and_again_is_told() -> None:
    """After the last try."""
    queue = Queue({IDS[0]: ["InternalError"] * TRIES})
    assert queue.send(*IDS[:2]) == (1, [Refused(IDS[0], "InternalError")])
    assert len(queue.batches) == TRIES


def test_what_is_the_senders_fault_is_not_sent_again() -> None:
    """It would be refused again; the others still are."""
    queue = Queue({IDS[0]: ["TooLong"], IDS[1]: ["InternalError"]})
    assert queue.send(*IDS[:2]) == (1, [Refused(IDS[0], "TooLong")])
    assert queue.batches == [IDS[:2], [IDS[1]]]


def test_the_last_look_comes_after_the_delay_and_those_before() -> None:
    """Queue delay, and a period for each that waits or was sent."""
    by = last_look_by(AT, in_queue=10, sent=5, delay=timedelta(minutes=15), period=2.0)
    assert by == AT + timedelta(minutes=15, seconds=30)


def bodies(service: Deployment) -> list[str]:
    """What is in the queue."""
    received = service.sqs.receive_message(
        QueueUrl=service.outputs["QueueUrl"],
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=["MessageGroupId"],
    )
    messages = received.get("Messages", [])
    assert {message["Attributes"]["MessageGroupId"] for message in messages} <= {"looks"}
    return [message["Body"] for message in messages]


def test_arguments_are_sent_as_bare_ids(service: Deployment, insights: Insights) -> None:
    """Nothing else of what was given goes into the queue; the answer says by when."""
    said = insights("enqueue", f"<{MESSAGE_ID}@email.amazonses.com>", OTHER_ID, OTHER_ID)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines()[:2] == ["Sent 2 ids.", "1 id given more than once."]
    assert said.out.splitlines()[2].endswith("Z, in 15 min 4 s.")
    assert bodies(service) == [MESSAGE_ID, OTHER_ID]


def test_a_forced_look_is_asked_for_in_the_body(service: Deployment, insights: Insights) -> None:
    """As the queue's contract has it."""
    insights("enqueue", "--force", MESSAGE_ID)
    assert list(map(json.loads, bodies(service))) == [{"MessageId": MESSAGE_ID, "force": True}]


@pytest.mark.parametrize("arguments", [(), ("-",), ("--file", "-")])
def test_standard_input_is_read(
    service: Deployment, insights: Insights, arguments: tuple[str, ...]
) -> None:
    """Without arguments from a pipe, and by the sign for it."""
    assert insights("enqueue", *arguments, stdin=f"{MESSAGE_ID}\n\n{OTHER_ID}\n").code == 0
    assert bodies(service) == [MESSAGE_ID, OTHER_ID]


def test_a_column_of_a_file_is_read(
    service: Deployment, insights: Insights, tmp_path: Path
) -> None:
    """As a spreadsheet writes it, with a byte order mark."""
    file = tmp_path / "sent.csv"
    file.write_text(f"id;to\n{MESSAGE_ID};anna\n", encoding="utf-8-sig")
    assert insights("enqueue", "--file", str(file), "--column", "id").code == 0
    assert bodies(service) == [MESSAGE_ID]


def test_the_good_ones_are_sent_and_the_bad_ones_listed(
    service: Deployment, insights: Insights
) -> None:
    """Exit code 1 says that something was left out."""
    said = insights("enqueue", "--json", stdin=f"oops\n{MESSAGE_ID}\n")
    assert said.code == 1
    assert said.err.startswith("line 1: NotAnId: ")
    assert (said.json["sent"], [bad["place"] for bad in said.json["bad"]]) == (1, ["line 1"])
    assert bodies(service) == [MESSAGE_ID]


def test_nothing_to_send_is_said(service: Deployment, insights: Insights) -> None:
    """An empty file is no success."""
    said = insights("enqueue", stdin="\n\n")
    assert (said.code, said.out) == (1, "")
    assert said.err == "There is no message id in what was given; nothing was sent.\n"
    assert bodies(service) == []


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


def test_a_file_that_is_no_text_is_told(insights: Insights, tmp_path: Path) -> None:
    """A spreadsheet, for example."""
    file = tmp_path / "ids.xlsx"
    file.write_bytes(b"PK\x03\x04\xff\xfe")
    done = insights("enqueue", "--file", str(file))
    assert (done.code, done.err) == (2, f"{file} is no text in UTF-8; save it as such.\n")


def test_a_failure_in_between_says_how_far_it_came(aws: Aws, insights: Insights) -> None:
    """And what to do: the queue and the table take care of what is sent twice."""
    aws.fails["SendMessageBatch"] = "AccessDenied"
    done = insights("enqueue", MESSAGE_ID)
    assert done.code == 3
    assert done.err.splitlines()[0] == "Stopped after 0 of 1 id; give all of them again."
    assert "SendMessageBatch is denied" in done.err


def test_bulk_goes_into_the_table_and_not_into_the_queue(
    service: Deployment, insights: Insights, records: RecordTable
) -> None:
    """It waits in its lane; what is known already stays as it is."""
    assert insights("enqueue", "--bulk", MESSAGE_ID).out.startswith(
        "1 id in the bulk lane, 0 known before.\n"
    )
    told = insights("enqueue", "--bulk", "--json", MESSAGE_ID, OTHER_ID).json
    assert (told["inBulk"], told["known"]) == (1, 1)
    record = records.load(MESSAGE_ID)
    assert record is not None
    assert record.lane is Lane.BULK
    assert bodies(service) == []
