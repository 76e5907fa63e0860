"""`insights parked` lists what is parked, sends it back, or deletes it; and nothing else."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from ses_insights.cli.commands.parked import lines
from ses_insights.cli.dead_letters import Parked
from ses_insights.cli.deployment import Deployment
from tests.cli.conftest import Aws
from tests.support.said import Insights


def park(
    service: Deployment, *bodies: str, reason: str = "NotAnId: no id", group: str = "looks"
) -> None:
    """Put messages into the dead-letter queue as the service does; without a reason as SQS does."""
    texts = {"Reason": reason, "ParkedAt": "2026-11-23T10:00:00.000Z"} if reason else {}
    for body in bodies:
        service.sqs.send_message(
            QueueUrl=service.outputs["DeadLetterQueueUrl"],
            MessageBody=body,
            MessageGroupId=group,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": text} for name, text in texts.items()
            },
        )


def in_queue(service: Deployment, output: str) -> list[dict[str, Any]]:
    """Take everything out of a queue, in order."""
    url, found = service.outputs[output], list[Any]()
    while messages := service.sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=["MessageGroupId"],
        MessageAttributeNames=["All"],
    ).get("Messages"):
        for message in messages:
            service.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found += messages
    return found


def bodies(service: Deployment, output: str) -> list[str]:
    """The bodies in a queue, in order."""
    return [message["Body"] for message in in_queue(service, output)]


MANY = [f"body {number}" for number in range(23)]
"""More than SQS shows of one group."""


def test_a_person_reads_how_many_for_each_reason_and_each() -> None:
    """What SQS moved has no reason; a body is one line and cut."""
    messages = [
        Parked("1", "anna\n" + "x" * 80, "looks", "NotAnId: no id", "2026-11-23T10:00:00.000Z", ""),
        Parked("2", "{", "looks", "NotAnId: no id", "2026-11-23T10:00:01.000Z", ""),
        Parked("3", "id", "looks", "", "", ""),
    ]
    assert [line.plain for line in lines(messages)] == [
        "Reason   Messages",
        "NotAnId  2",
        "none     1",
        "",
        "Parked at                 Reason          Body",
        "2026-11-23T10:00:00.000Z  NotAnId: no id  anna " + "x" * 55,
        "2026-11-23T10:00:01.000Z  NotAnId: no id  {",
        "unknown                   none            id",
    ]


def test_a_list_leaves_everything_as_it_is(service: Deployment, insights: Insights) -> None:
    """Seen twice it is the same, and can be received at once."""
    park(service, "a", "b")
    first, second = (insights("parked", "--json").json for _ in range(2))
    assert first == second
    assert [each["body"] for each in first["shown"]] == ["a", "b"]
    assert bodies(service, "DeadLetterQueueUrl") == ["a", "b"]


def test_a_list_says_what_is_behind_what_sqs_shows(service: Deployment, insights: Insights) -> None:
    """Ten of a group; the total counts all."""
    park(service, *MANY)
    park(service, "other", group="others")
    said = insights("parked", "--json")
    assert (said.json["total"], len(said.json["shown"])) == (24, 11)
    assert said.err.startswith("13 more behind them: ")


def test_a_list_can_be_of_one_reason(service: Deployment, insights: Insights) -> None:
    """By its first word, in any case; none is that of what SQS moved."""
    park(service, "a")
    park(service, "b", reason="")
    assert [
        each["body"] for each in insights("parked", "--reason", "notanid", "--json").json["shown"]
    ] == ["a"]
    assert [
        each["body"] for each in insights("parked", "--reason", "none", "--json").json["shown"]
    ] == ["b"]


@pytest.mark.parametrize("command", [(), ("redrive", "--yes"), ("drop", "--yes")])
def test_nothing_parked_is_said(insights: Insights, command: tuple[str, ...]) -> None:
    """Exit code 1."""
    said = insights("parked", *command)
    assert (said.code, said.out, said.err) == (1, "", "Nothing is parked.\n")


def test_a_redrive_sends_back_the_same_bodies_in_the_same_group(
    service: Deployment, insights: Insights
) -> None:
    """All of them, in order, however many; without the attributes that told why."""
    park(service, *MANY, group="looks-2")
    said = insights("parked", "redrive", "--yes")
    assert (said.code, said.out) == (0, "Sent back to the queue: 23 messages.\n")
    sent = in_queue(service, "QueueUrl")
    assert [message["Body"] for message in sent] == MANY
    assert {message["Attributes"]["MessageGroupId"] for message in sent} == {"looks-2"}
    assert not any("MessageAttributes" in message for message in sent)
    assert bodies(service, "DeadLetterQueueUrl") == []


def test_a_redriven_body_is_no_duplicate_of_its_first_sending(
    service: Deployment, insights: Insights
) -> None:
    """Within five minutes the queue would drop it, and it would be gone from both."""
    queue = service.outputs["QueueUrl"]
    service.sqs.send_message(QueueUrl=queue, MessageBody="a", MessageGroupId="looks")
    park(service, "a")
    insights("parked", "redrive", "--yes")
    assert bodies(service, "QueueUrl") == ["a", "a"]


def test_only_one_reason_is_taken_and_the_others_keep_theirs(
    service: Deployment, insights: Insights
) -> None:
    """Also what stands behind ten that are to stay."""
    park(service, *MANY)
    park(service, "redrive me", reason="Unexpected: KeyError")
    told = insights("parked", "redrive", "--reason", "Unexpected", "--yes", "--json").json
    assert [each["body"] for each in told["redriven"]] == ["redrive me"]
    assert bodies(service, "QueueUrl") == ["redrive me"]
    kept = in_queue(service, "DeadLetterQueueUrl")
    assert Counter(message["Body"] for message in kept) == Counter(MANY)
    for message in kept:
        attributes = message["MessageAttributes"]
        assert attributes["Reason"]["StringValue"] == "NotAnId: no id"
        assert attributes["ParkedAt"]["StringValue"] == "2026-11-23T10:00:00.000Z"


def test_a_drop_deletes_and_sends_nothing(service: Deployment, insights: Insights) -> None:
    """A program gets what was deleted."""
    park(service, *MANY)
    told = insights("parked", "drop", "--yes", "--json").json
    assert [each["body"] for each in told["dropped"]] == MANY
    assert bodies(service, "QueueUrl") == bodies(service, "DeadLetterQueueUrl") == []


def test_nothing_for_a_reason_is_said_and_leaves_all(
    service: Deployment, insights: Insights
) -> None:
    """A typing mistake deletes nothing."""
    park(service, *MANY)
    said = insights("parked", "drop", "--reason", "NotAndId", "--yes")
    assert (said.code, said.err) == (1, "Nothing is parked for NotAndId.\n")
    assert Counter(bodies(service, "DeadLetterQueueUrl")) == Counter(MANY)


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_nothing_is_done_without_a_yes(
    service: Deployment, insights: Insights, command: str
) -> None:
    """Where nobody can be asked it is wrong usage."""
    park(service, "a")
    said = insights("parked", command)
    assert (said.code, said.out) == (2, "")
    assert "say --yes beforehand" in said.err
    assert bodies(service, "DeadLetterQueueUrl") == ["a"]


@pytest.mark.parametrize(("answer", "left"), [("n", ["a"]), ("y", [])])
def test_a_person_is_asked(
    service: Deployment, insights: Insights, terminal: None, answer: str, left: list[str]
) -> None:
    """The question says how many; no is exit code 1."""
    del terminal
    park(service, "a")
    said = insights("parked", "drop", stdin=f"{answer}\n")
    assert said.code == len(left)
    assert "Delete for good: 1 parked message?" in said.err
    assert bodies(service, "DeadLetterQueueUrl") == left


def test_options_before_the_command_are_refused(service: Deployment, insights: Insights) -> None:
    """They would be ignored, and all be deleted."""
    park(service, "a")
    said = insights("parked", "--reason", "Refused", "drop", "--yes")
    assert (said.code, said.err) == (2, "Give options after drop, not before it.\n")
    assert bodies(service, "DeadLetterQueueUrl") == ["a"]


def test_what_was_done_before_a_failure_is_told(
    aws: Aws, service: Deployment, insights: Insights
) -> None:
    """A message is sent before it is deleted: it may be in both, and never in neither."""
    park(service, "a")
    aws.fails["DeleteMessage"] = "AccessDenied"
    said = insights("parked", "redrive", "--yes")
    assert said.code == 3
    assert said.err.splitlines()[0] == (
        "Sent back to the queue: 0 messages; then it stopped. Run it again."
    )
    aws.fails.clear()
    assert bodies(service, "QueueUrl") == ["a"]
