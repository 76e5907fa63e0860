"""`insights parked` lists parked messages, sends them back, or deletes them; and nothing else."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from ses_insights.cli.commands.parked import lines
from ses_insights.cli.dead_letters import DeadLetters, Parked
from ses_insights.cli.deployment import Deployment
from tests.cli.conftest import Aws
from tests.support.said import Insights


def park(
    deployment: Deployment, *bodies: str, reason: str = "NotAnId: no id", group: str = "looks"
) -> None:
    """Put messages into the dead-letter queue as the service does; without a reason as SQS does."""
    texts = {"Reason": reason, "ParkedAt": "2026-11-23T10:00:00.000Z"} if reason else {}
    for body in bodies:
        deployment.sqs.send_message(
            QueueUrl=deployment.dead_letter_queue_url,
            MessageBody=body,
            MessageGroupId=group,
            MessageAttributes={
                name: {"DataType": "String", "StringValue": text} for name, text in texts.items()
            },
        )


def in_queue(deployment: Deployment, output: str) -> list[dict[str, Any]]:
    """Take everything out of a queue, in order."""
    url, found = deployment.outputs[output], list[Any]()
    while messages := deployment.sqs.receive_message(
        QueueUrl=url,
        MaxNumberOfMessages=10,
        MessageSystemAttributeNames=["MessageGroupId"],
        MessageAttributeNames=["All"],
    ).get("Messages"):
        for message in messages:
            deployment.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        found += messages
    return found


def bodies(deployment: Deployment, output: str) -> list[str]:
    """The bodies in a queue, in order."""
    return [message["Body"] for message in in_queue(deployment, output)]


MANY = [f"body {number}" for number in range(23)]
"""More than SQS shows of one group."""


def test_a_person_reads_how_many_for_each_reason_and_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """What SQS moved has no reason; a body is one line and cut, but not in a pipe."""
    messages = [
        Parked("1", "anna\n" + "x" * 80, "looks", "NotAnId: no id", "2026-11-23T10:00:00.000Z", ""),
        Parked("2", "{", "looks", "NotAnId: no id", "2026-11-23T10:00:01.000Z", ""),
        Parked("3", "id", "looks", "", "", ""),
    ]
    assert [line.plain for line in lines(messages)][:2] == [
        "2026-11-23T10:00:00.000Z\tNotAnId: no id\tanna " + "x" * 80,
        "2026-11-23T10:00:01.000Z\tNotAnId: no id\t{",
    ]
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "120")
    assert [line.plain for line in lines(messages)] == [
        "Reason   Messages",
        "NotAnId  2",
        "none     1",
        "",
        "Parked at             Reason          Body",
        "2026-11-23T10:00:00Z  NotAnId: no id  anna " + "x" * 55,
        "2026-11-23T10:00:01Z  NotAnId: no id  {",
        "unknown               none            id",
    ]


def test_a_list_leaves_everything_as_it_is(deployment: Deployment, insights: Insights) -> None:
    """Seen twice it is the same, and can be received at once."""
    park(deployment, "a", "b")
    first, second = (insights("parked", "--json").json for _ in range(2))
    assert first == second
    assert [each["body"] for each in first["shown"]] == ["a", "b"]
    assert bodies(deployment, "DeadLetterQueueUrl") == ["a", "b"]


def test_a_list_says_what_is_behind_what_sqs_shows(
    deployment: Deployment, insights: Insights
) -> None:
    """Ten of a group; the total counts all."""
    park(deployment, *MANY)
    park(deployment, "other", group="others")
    said = insights("parked", "--json")
    assert (said.json["total"], len(said.json["shown"])) == (24, 11)
    assert said.err.startswith("13 more behind them: ")


def test_a_list_can_be_of_one_reason(deployment: Deployment, insights: Insights) -> None:
    """By its first word, in any case; none is that of what SQS moved."""
    park(deployment, "a")
    park(deployment, "b", reason="")
    assert [
        each["body"] for each in insights("parked", "--reason", "notanid", "--json").json["shown"]
    ] == ["a"]
    assert [
        each["body"] for each in insights("parked", "--reason", "none", "--json").json["shown"]
    ] == ["b"]


@pytest.mark.parametrize("arguments", [(), ("--reason", "NotAnId")])
def test_nothing_parked_is_all_well(insights: Insights, arguments: tuple[str, ...]) -> None:
    """Exit code 0; a program gets a list."""
    said = insights("parked", *arguments)
    assert (said.code, said.out) == (0, "")
    assert said.err.startswith("Nothing is parked")
    assert insights("parked", "--json").json == {"total": 0, "shown": []}


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_nothing_to_take_gives_exit_code_1(insights: Insights, command: str) -> None:
    """For each of the commands."""
    said = insights("parked", command, "--yes")
    assert (said.code, said.out, said.err) == (1, "", "Nothing is parked.\n")


def test_a_redrive_sends_back_the_same_bodies_in_the_group_of_looks(
    deployment: Deployment, insights: Insights
) -> None:
    """All of them, however many; in another group they would be looked at side by side."""
    park(deployment, *MANY, group="looks-2")
    said = insights("parked", "redrive", "--yes")
    assert (said.code, said.out) == (0, "Sent back to the queue: 23 messages.\n")
    sent = in_queue(deployment, "QueueUrl")
    assert [message["Body"] for message in sent] == MANY
    assert {message["Attributes"]["MessageGroupId"] for message in sent} == {"looks"}
    assert not any("MessageAttributes" in message for message in sent)
    assert bodies(deployment, "DeadLetterQueueUrl") == []


def test_a_redriven_body_is_no_duplicate_of_its_first_sending(
    deployment: Deployment, insights: Insights
) -> None:
    """Within five minutes the queue would drop it, and it would be gone from both."""
    queue = deployment.queue_url
    deployment.sqs.send_message(QueueUrl=queue, MessageBody="a", MessageGroupId="looks")
    park(deployment, "a")
    insights("parked", "redrive", "--yes")
    assert bodies(deployment, "QueueUrl") == ["a", "a"]


def test_only_one_reason_is_taken_and_the_others_keep_theirs(
    deployment: Deployment, insights: Insights
) -> None:
    """Also what stands behind ten that are to stay."""
    park(deployment, *MANY)
    park(deployment, "redrive me", reason="Unexpected: KeyError")
    result = insights("parked", "redrive", "--reason", "Unexpected", "--yes", "--json").json
    assert [each["body"] for each in result["redriven"]] == ["redrive me"]
    assert bodies(deployment, "QueueUrl") == ["redrive me"]
    kept = in_queue(deployment, "DeadLetterQueueUrl")
    assert Counter(message["Body"] for message in kept) == Counter(MANY)
    for message in kept:
        attributes = message["MessageAttributes"]
        assert attributes["Reason"]["StringValue"] == "NotAnId: no id"
        assert attributes["ParkedAt"]["StringValue"] == "2026-11-23T10:00:00.000Z"


def test_a_drop_deletes_and_sends_nothing(deployment: Deployment, insights: Insights) -> None:
    """A program gets what was deleted."""
    park(deployment, *MANY)
    result = insights("parked", "drop", "--yes", "--json").json
    assert [each["body"] for each in result["dropped"]] == MANY
    assert bodies(deployment, "QueueUrl") == bodies(deployment, "DeadLetterQueueUrl") == []


def test_what_has_a_group_of_its_own_is_seen_and_taken_whole(
    deployment: Deployment, insights: Insights
) -> None:
    """As the service parks: more than ten are listed, and what has to stay is not sent again."""
    for number in range(14):
        reason = "Unexpected: KeyError" if number % 7 == 6 else "NotAnId: no id"
        park(deployment, f"body {number}", group=f"parked-{number}", reason=reason)
    url = deployment.dead_letter_queue_url
    before = {each.id: each.body for each in DeadLetters(deployment.sqs, url, "").peek(100)}
    assert len(insights("parked", "--json").json["shown"]) == len(before) == 14
    result = insights("parked", "redrive", "--reason", "Unexpected", "--yes", "--json").json
    assert {each["body"] for each in result["redriven"]} == {"body 6", "body 13"}
    kept = in_queue(deployment, "DeadLetterQueueUrl")
    assert {message["MessageId"]: message["Body"] for message in kept} == {
        each: body for each, body in before.items() if body not in {"body 6", "body 13"}
    }
    assert {message["Attributes"]["MessageGroupId"] for message in kept} == {
        f"parked-{number}" for number in range(14) if number % 7 != 6
    }


def test_an_unknown_reason_changes_nothing(deployment: Deployment, insights: Insights) -> None:
    """A typing mistake deletes nothing; exit code 1."""
    park(deployment, *MANY)
    said = insights("parked", "drop", "--reason", "NotAndId", "--yes")
    assert (said.code, said.err) == (1, "Nothing is parked with the reason NotAndId.\n")
    assert Counter(bodies(deployment, "DeadLetterQueueUrl")) == Counter(MANY)


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_nothing_is_done_without_a_yes(
    deployment: Deployment, insights: Insights, command: str
) -> None:
    """Without a terminal it is wrong usage."""
    park(deployment, "a")
    said = insights("parked", command)
    assert (said.code, said.out) == (2, "")
    assert "give --yes" in said.err
    assert bodies(deployment, "DeadLetterQueueUrl") == ["a"]


@pytest.mark.parametrize(("answer", "left"), [("n", ["a"]), ("y", [])])
def test_a_person_is_asked(
    deployment: Deployment, insights: Insights, terminal: None, answer: str, left: list[str]
) -> None:
    """The question says how many; no is exit code 1."""
    del terminal
    park(deployment, "a")
    said = insights("parked", "drop", stdin=f"{answer}\n")
    assert said.code == len(left)
    assert "Delete for good: 1 parked message?" in said.err
    assert bodies(deployment, "DeadLetterQueueUrl") == left


@pytest.mark.parametrize("command", ["redrive", "drop"])
def test_nobody_is_asked_where_nothing_has_the_reason(
    deployment: Deployment, insights: Insights, terminal: None, command: str
) -> None:
    """A question that leads to nothing frightens for nothing."""
    del terminal
    park(deployment, "a")
    said = insights("parked", command, "--reason", "Refused")
    assert (said.code, said.err) == (1, "Nothing is parked with the reason Refused.\n")
    assert bodies(deployment, "DeadLetterQueueUrl") == ["a"]


def test_options_before_the_command_are_refused(deployment: Deployment, insights: Insights) -> None:
    """If they were ignored, all would be deleted."""
    park(deployment, "a")
    said = insights("parked", "--reason", "Refused", "drop", "--yes")
    assert (said.code, said.err) == (2, "Give options after drop, not before it.\n")
    assert bodies(deployment, "DeadLetterQueueUrl") == ["a"]


def test_what_was_done_before_a_failure_is_shown(
    aws: Aws, deployment: Deployment, insights: Insights
) -> None:
    """A message is sent before it is deleted: it may be in both, and never in neither."""
    park(deployment, "a")
    aws.fails["DeleteMessage"] = "AccessDenied"
    said = insights("parked", "redrive", "--yes")
    assert said.code == 3
    assert said.err.splitlines()[0] == (
        "Sent back to the queue: 0 messages; then it stopped. Run it again."
    )
    aws.fails.clear()
    assert bodies(deployment, "QueueUrl") == ["a"]
