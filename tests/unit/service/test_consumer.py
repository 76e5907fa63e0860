"""Three kinds of failure have three answers: park, climb, or come back."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from ses_insights.domain.alert import pending
from ses_insights.domain.failures import FailureKind, SystemFailure
from ses_insights.domain.record import Answer, NotFound, Refused
from ses_insights.domain.status import Status
from tests.support.harness import ANSWER, Harness, Output
from tests.support.samples import DEAD_LETTERS_URL, MESSAGE, MESSAGE_ID, OTHER_ID

ADDRESS = "anna@there.example"

Read = Callable[[], Output]


class OddError(Exception):
    """An unexpected error; its text quotes the mail."""


def odd() -> OddError:
    """One that is raised for the first time."""
    return OddError(f"about {ADDRESS}")


def refused(code: str) -> ClientError:
    """An error of SQS as boto3 raises it."""
    return ClientError({"Error": {"Code": code, "Message": f"about {ADDRESS}"}}, "x")


# What works


def test_a_message_is_looked_at(harness: Harness) -> None:
    """An id leads to a row and an alert, and leaves the queue."""
    assert harness.handle()
    assert harness.records.records[MESSAGE_ID].insights == ANSWER.insights
    assert len(harness.subscribers.published) == 1
    assert harness.sqs.calls == []


def test_a_message_ses_does_not_know_climbs_the_ladder(harness: Harness) -> None:
    """A 404 is recorded with a next look, and the message leaves the queue."""
    harness.answers[:] = [NotFound()]
    assert harness.handle()
    record = harness.records.records[MESSAGE_ID]
    assert record.status is Status.NOT_FOUND
    assert record.next_look_at is not None
    assert harness.sqs.calls == []


def test_the_age_of_a_message_counts_from_when_it_was_sent_to_the_queue(harness: Harness) -> None:
    """Not from when it was received, which may be much later."""
    harness.answers[:] = [NotFound()]
    harness.handle()
    assert harness.records.records[MESSAGE_ID].sent_at == "2026-11-23T09:45:59.877Z"


def test_a_body_can_force_a_look(harness: Harness) -> None:
    """The wish of who enqueued it reaches the look."""
    body = f'{{"MessageId": "{MESSAGE_ID}", "force": true}}'
    harness.handle(body)
    harness.handle(body)
    assert harness.source.asked == [MESSAGE_ID, MESSAGE_ID]


# This message


BAD_BODIES = {
    "": "Empty",
    "   ": "Empty",
    "{": "BadJson",
    "{}": "NoId",
    '{"MessageId": 5}': "NoId",
    f"write to {ADDRESS}": "NotAnId",
    "../../v2/email/identities": "NotAnId",
    "a\nb": "NotAnId",
    "x" * 10_000: "NotAnId",
    "\x00\x7f\u202e": "NotAnId",
}


@pytest.mark.parametrize(("body", "slug"), BAD_BODIES.items(), ids=range(len(BAD_BODIES)))
def test_a_body_that_is_no_id_is_parked_at_once(harness: Harness, body: str, slug: str) -> None:
    """It goes to the dead-letter queue with its reason, at its first receive, without any look."""
    assert harness.handle(body)
    (parked,) = harness.parked
    assert parked["QueueUrl"] == DEAD_LETTERS_URL
    assert parked["MessageBody"] == (body or "(empty)")
    assert harness.reason.startswith(f"{slug}: ")
    assert harness.moments.passed == []
    assert harness.deferred == []


def test_what_aws_sends_at_set_up_is_acknowledged(harness: Harness, output: Read) -> None:
    """It is logged and counted, and neither parked, which would raise an alarm, nor looked up."""
    assert harness.handle("Successfully validated SNS topic for Amazon SES event publishing.")
    harness.telemetry.flush()
    assert (harness.parked, harness.deferred, harness.source.asked) == ([], [], [])
    lines = output()
    assert lines.line("set up")["what"] == (
        "SetUp: SES says that it may publish its events to a topic"
    )
    assert lines.metrics == {("SetUps", (("service", "lookup"),)): [1]}


def test_a_row_says_at_once_that_an_id_is_of_another_region(harness: Harness) -> None:
    """SES is asked in one Region only, and would answer for days that it knows no such message."""
    harness.answers[:] = [NotFound()]
    harness.handle(f"<{MESSAGE_ID}@eu-central-1.amazonses.com>")
    assert harness.stored.note == (
        "The enqueued text names the Region eu-central-1; SES is asked in eu-west-1."
    )


def test_an_id_of_the_own_region_needs_no_note(harness: Harness) -> None:
    """Most ids come without their Region, or with this one."""
    harness.answers[:] = [NotFound()]
    harness.handle(f"<{MESSAGE_ID}@eu-west-1.amazonses.com>")
    assert harness.stored.note is None


def test_an_id_that_ses_refuses_is_recorded_and_parked(harness: Harness) -> None:
    """A 400 ends the story: INVALID in the table, the message among the dead letters."""
    harness.answers[:] = [Refused()]
    assert harness.handle()
    assert harness.records.records[MESSAGE_ID].status is Status.INVALID
    assert harness.reason.startswith("Refused: ")


def test_an_id_that_ses_refused_is_parked_every_time_and_asked_once(harness: Harness) -> None:
    """Enqueued again it is parked again, and costs no slot."""
    harness.answers[:] = [Refused()]
    for _ in range(3):
        assert harness.handle()
        harness.clock.advance(86_400)
    assert len(harness.parked) == 3
    assert harness.source.asked == [MESSAGE_ID]


@pytest.mark.parametrize("answer", [None, Refused()], ids=["bad body", "refused"])
@pytest.mark.parametrize(
    "error", [refused("AccessDenied"), refused("InternalFailure"), refused("InvalidParameterValue")]
)
def test_what_cannot_be_parked_comes_back(
    harness: Harness, answer: Answer | None, error: ClientError
) -> None:
    """Nothing is dropped: while the dead-letter queue takes nothing, the message waits."""
    harness.sqs.fails["send_message"] = [error]
    harness.answers[:] = [answer or ANSWER]
    body = MESSAGE_ID if answer else "no id"
    assert not harness.handle(body)
    assert harness.deferred == [2]
    assert harness.handle(body, receive_count=2)
    assert len(harness.parked) == 2


# The system


@pytest.mark.parametrize("moment", ["load", "ask", "save", "saved", "publish", "published", "mark"])
@pytest.mark.parametrize("kind", list(FailureKind))
def test_a_failure_of_the_system_lets_the_message_come_back(
    harness: Harness, moment: str, kind: FailureKind
) -> None:
    """Whichever step fails, the message stays at the head of the queue; nothing is parked."""

    def refuse() -> None:
        raise SystemFailure(kind, "Operation: Code")

    harness.moments.before[moment] = refuse
    assert not harness.handle(receive_count=3)
    assert harness.deferred == [8]
    assert harness.parked == []
    assert harness.handle(receive_count=4)
    assert len(harness.subscribers.published) >= 1
    assert pending(harness.records.records[MESSAGE_ID].alerts) == ()


def test_a_failure_of_the_system_is_never_parked(harness: Harness) -> None:
    """However often it comes back: an outage of days costs no message."""
    harness.answers[:] = [SystemFailure(FailureKind.VDM_OFF, "GetMessageInsights: VDM is off")]
    assert harness.handle(receive_count=900) is False
    assert harness.deferred == [900]
    assert harness.parked == []


@pytest.mark.parametrize(
    "error",
    [
        refused("InternalFailure"),
        refused("AccessDenied"),
        refused("InvalidParameterValue"),
        refused("AWS.SimpleQueueService.MessageNotInflight"),
    ],
)
def test_a_message_that_cannot_be_deferred_comes_back_all_the_same(
    harness: Harness, error: ClientError, output: Read
) -> None:
    """Its visibility timeout sees to that; both failures are logged and nothing escapes."""
    harness.answers[:] = [SystemFailure(FailureKind.SES_UNAVAILABLE, "GetMessageInsights: 503")]
    harness.sqs.fails["change_message_visibility"] = [error]
    assert not harness.handle()
    harness.telemetry.flush()
    lines = output()
    assert [line["level"] for line in lines.logs] == ["ERROR", "ERROR"]
    assert sum(lines.metrics["SystemFailures", (("service", "lookup"),)]) == 2
    assert ADDRESS not in lines.text


# A fault of this program


@pytest.mark.parametrize("receive_count", [1, 2, 3, 4])
def test_an_unexpected_error_lets_the_message_come_back(
    harness: Harness, receive_count: int
) -> None:
    """It may be a passing one."""
    harness.answers[:] = [odd()]
    assert not harness.handle(receive_count=receive_count)
    assert harness.deferred == [2**receive_count]
    assert harness.parked == []


@pytest.mark.parametrize("receive_count", [5, 6, 900])
def test_an_unexpected_error_that_stays_is_parked(harness: Harness, receive_count: int) -> None:
    """A bug does not pass, and the queue must not stand still for one."""
    harness.answers[:] = [odd()]
    assert harness.handle(receive_count=receive_count)
    assert len(harness.parked) == 1
    assert harness.deferred == []


def test_a_parked_bug_names_its_line_and_not_its_text(harness: Harness, output: Read) -> None:
    """Class and line of the error are what a programmer needs; its text may quote the mail."""
    harness.answers[:] = [odd()]
    harness.handle(receive_count=5)
    harness.telemetry.flush()
    assert harness.reason.startswith("Unexpected: OddError at fakes.py:")
    assert "look.py:" in harness.reason
    assert ADDRESS not in harness.reason
    lines = output()
    assert ADDRESS not in lines.text
    assert lines.line("parked")["slug"] == "Unexpected"


@pytest.mark.parametrize(
    "error", [refused("AccessDenied"), refused("InvalidParameterValue")], ids=["system", "our own"]
)
def test_a_bug_that_cannot_be_parked_comes_back(harness: Harness, error: ClientError) -> None:
    """Where the dead-letter queue takes nothing, the message waits in its own."""
    harness.answers[:] = [odd()]
    harness.sqs.fails["send_message"] = [error]
    assert harness.handle(receive_count=5) is False
    assert harness.deferred == [32]


def test_after_a_bug_the_next_message_is_served(harness: Harness) -> None:
    """What went wrong with one message does not touch another."""
    harness.answers[:] = [odd(), ANSWER]
    assert not harness.handle()
    assert harness.handle()
    assert harness.records.records[MESSAGE_ID].insights == ANSWER.insights


def test_a_message_of_another_group_that_cannot_be_sent_on_comes_back(harness: Harness) -> None:
    """It is not lost while SQS refuses."""
    harness.sqs.fails["send_message"] = [
        ClientError({"Error": {"Code": "Throttled", "Message": ""}}, "SendMessage")
    ]
    assert not harness.handle(group_id="orders")
    assert harness.deferred == [2]
    assert harness.handle(group_id="orders")
    assert [sent["MessageGroupId"] for sent in harness.parked] == ["looks", "looks"]


# What is logged


def test_every_line_names_the_message_it_is_about(harness: Harness, output: Read) -> None:
    """The story of a look can be found by the message id, or by that of the queue."""
    harness.handle()
    logs = output().logs
    assert logs
    assert {(line["message_id"], line["queue_message_id"]) for line in logs} == {
        (MESSAGE_ID, MESSAGE.id)
    }


def test_no_line_names_the_message_before(harness: Harness, output: Read) -> None:
    """A body without an id is not logged under another's."""
    harness.handle(OTHER_ID)
    harness.handle("no id")
    lines = output()
    assert lines.line("looked")["message_id"] == OTHER_ID
    assert "message_id" not in lines.line("parked")


def test_a_parked_message_is_logged_with_its_reason(harness: Harness, output: Read) -> None:
    """One line, and a count."""
    harness.handle("no id")
    harness.telemetry.flush()
    lines = output()
    assert [(line["message"], line["reason"]) for line in lines.logs] == [
        ("parked", harness.reason)
    ]
    assert sum(lines.metrics["Parked", (("service", "lookup"),)]) == 1


def test_a_message_that_comes_back_is_logged_with_its_wait(harness: Harness, output: Read) -> None:
    """What does not work, and when it is tried again."""
    harness.answers[:] = [SystemFailure(FailureKind.VDM_OFF, "GetMessageInsights: VDM is off")]
    harness.handle(receive_count=3)
    failure, deferred = output().logs
    assert (failure["kind"], failure["what"]) == ("VdmOff", "GetMessageInsights: VDM is off")
    assert (deferred["message"], deferred["seconds"], deferred["receive_count"]) == (
        "deferred",
        8,
        3,
    )


# SES fails at one id


SES_IS_DOWN = SystemFailure(FailureKind.SES_UNAVAILABLE, "GetMessageInsights: 500")


def test_an_id_at_which_ses_keeps_failing_steps_aside(harness: Harness) -> None:
    """After a few tries it waits in the table, and the next one is tried: the queue does not stand.

    SES answered 500 for one id for ever. It stayed at the head, nothing was looked at for days, and
    what waited behind it was dropped by SQS after 14 days.
    """
    harness.answers[:] = [SES_IS_DOWN]
    assert [harness.handle(receive_count=count) for count in range(1, 6)] == [False] * 4 + [True]
    assert harness.stored.next_look_at == "2026-11-23T10:15:00.000Z"
    assert harness.stored.looks == 0
    assert len(harness.deferred) == 4
    assert harness.parked == []


def test_where_the_next_one_fails_too_the_queue_waits(harness: Harness) -> None:
    """One that stepped aside since SES last answered makes the next one wait for longer."""
    harness.answers[:] = [SES_IS_DOWN]
    harness.handle(receive_count=5)
    other = OTHER_ID
    assert not harness.handle(other, receive_count=5)
    assert harness.handle(other, receive_count=7)


def test_an_answer_shows_that_ses_is_well(harness: Harness) -> None:
    """From then on a few tries are enough again."""
    harness.answers[:] = [SES_IS_DOWN, ANSWER, SES_IS_DOWN]
    harness.handle(receive_count=5)
    harness.handle(OTHER_ID)
    assert harness.handle(OTHER_ID[:-1] + "1", receive_count=5)


def test_an_id_that_stepped_aside_before_does_so_at_once(harness: Harness) -> None:
    """It costs the queue a single call."""
    harness.answers[:] = [SES_IS_DOWN]
    harness.handle(receive_count=5)
    harness.clock.advance(900)
    assert harness.handle(f'{{"MessageId": "{MESSAGE_ID}", "look": 1}}', receive_count=1)
    assert harness.stored.next_look_at == "2026-11-23T10:30:00.000Z"


def test_an_id_that_fails_alone_for_a_day_is_parked(harness: Harness) -> None:
    """With its reason; the alarm on the dead-letter queue says so."""
    harness.answers[:] = [SES_IS_DOWN, ANSWER, SES_IS_DOWN]
    harness.handle(receive_count=5)
    harness.clock.advance(86_400)
    harness.handle(OTHER_ID)
    assert harness.handle(f'{{"MessageId": "{MESSAGE_ID}", "look": 1}}', receive_count=5)
    assert harness.reason.startswith("Failing: SES fails at this id, and not at others, since 2026")
    assert harness.stored.final is not None
    assert harness.stored.next_look_at is None


def test_an_id_is_not_parked_for_a_single_failure(harness: Harness) -> None:
    """After a day, too, it takes as many tries as the first time.

    SES had answered for it again, with a bounce, and DynamoDB took no write; the next call timed
    out, and the id was parked for failing though SES was well.
    """
    harness.answers[:] = [SES_IS_DOWN, ANSWER, SES_IS_DOWN, SES_IS_DOWN, ANSWER]
    harness.handle(receive_count=5)
    harness.clock.advance(86_400)
    harness.handle(OTHER_ID)
    body = f'{{"MessageId": "{MESSAGE_ID}", "look": 1}}'
    assert not harness.handle(body, receive_count=1)
    assert not harness.handle(body, receive_count=4)
    assert harness.handle(body, receive_count=5)
    assert harness.parked == []
    assert harness.stored.looks == 1


def test_an_id_that_was_parked_for_failing_is_tried_anew_when_it_comes_again(
    harness: Harness,
) -> None:
    """A single failure does not park it once more: the message comes back."""
    harness.answers[:] = [SES_IS_DOWN, ANSWER, SES_IS_DOWN]
    harness.handle(receive_count=5)
    harness.clock.advance(86_400)
    harness.handle(OTHER_ID)
    harness.handle(f'{{"MessageId": "{MESSAGE_ID}", "look": 1}}', receive_count=5)
    assert not harness.handle(f'{{"MessageId": "{MESSAGE_ID}", "force": true}}', receive_count=1)
    assert len(harness.parked) == 1


def test_in_an_outage_of_a_day_nothing_is_parked(harness: Harness) -> None:
    """Nobody was answered: it waits."""
    harness.answers[:] = [SES_IS_DOWN]
    harness.handle(receive_count=5)
    harness.clock.advance(86_400)
    assert harness.handle(f'{{"MessageId": "{MESSAGE_ID}", "look": 1}}', receive_count=900)
    assert harness.parked == []
    assert harness.stored.next_look_at is not None


@pytest.mark.parametrize(
    "kind",
    [
        FailureKind.VDM_OFF,
        FailureKind.SES_THROTTLED,
        FailureKind.ACCESS_DENIED,
        FailureKind.CREDENTIALS,
        FailureKind.DYNAMODB,
        FailureKind.OUT_OF_TIME,
    ],
)
def test_what_fails_for_every_id_holds_the_queue(harness: Harness, kind: FailureKind) -> None:
    """However often it is tried."""
    harness.answers[:] = [SystemFailure(kind, "no")]
    assert not harness.handle(receive_count=500)


def test_where_stepping_aside_fails_the_message_comes_back(harness: Harness) -> None:
    """DynamoDB is out as well: it stays in the queue."""
    harness.answers[:] = [SES_IS_DOWN]
    harness.moments.fails_at = 4
    harness.moments.error = SystemFailure(FailureKind.DYNAMODB, "no")
    assert not harness.handle(receive_count=5)
    assert len(harness.deferred) == 1


def test_each_id_that_stepped_aside_in_vain_makes_the_queue_wait_longer(harness: Harness) -> None:
    """Five tries, then seven, then nine."""
    harness.answers[:] = [SES_IS_DOWN]
    for number, tries in enumerate((5, 7, 9)):
        fresh = f"{OTHER_ID[:-1]}{number}"
        assert not harness.handle(fresh, receive_count=tries - 1)
        assert harness.handle(fresh, receive_count=tries)


def test_an_id_that_is_parked_for_failing_makes_the_queue_wait_no_longer(harness: Harness) -> None:
    """It stepped aside a day ago: the next one that fails has its five tries."""
    harness.answers[:] = [SES_IS_DOWN, ANSWER, SES_IS_DOWN]
    harness.handle(receive_count=5)
    harness.clock.advance(86_400)
    harness.handle(OTHER_ID)
    harness.handle(f'{{"MessageId": "{MESSAGE_ID}", "look": 1}}', receive_count=5)
    assert len(harness.parked) == 1
    assert harness.handle(f"{OTHER_ID[:-1]}9", receive_count=5)


def test_a_line_says_when_an_id_that_stepped_aside_is_tried_again(
    harness: Harness, output: Read
) -> None:
    """With the failure; and one that is parked has its slug."""
    harness.answers[:] = [SES_IS_DOWN, ANSWER, SES_IS_DOWN]
    harness.handle(receive_count=5)
    lines = output()
    assert lines.line("stepped aside")["next_look_at"] == "2026-11-23T10:15:00.000Z"
    assert lines.line("system failure")["kind"] == "SesUnavailable"
    harness.clock.advance(86_400)
    harness.handle(OTHER_ID)
    harness.handle(f'{{"MessageId": "{MESSAGE_ID}", "look": 1}}', receive_count=5)
    assert output().line("parked")["slug"] == "Failing"


def test_an_answer_of_the_very_moment_is_none_after_it(harness: Harness) -> None:
    """Only one that came later shows that SES fails at this id alone."""
    harness.answers[:] = [ANSWER, SES_IS_DOWN]
    harness.handle(OTHER_ID)
    harness.handle(receive_count=5)
    harness.clock.advance(86_400)
    assert harness.handle(f'{{"MessageId": "{MESSAGE_ID}", "look": 1}}', receive_count=7)
    assert harness.parked == []


def test_a_line_says_that_an_id_was_refused(harness: Harness, output: Read) -> None:
    """By a slug that metric filters know."""
    harness.answers[:] = [Refused()]
    harness.handle()
    assert output().line("parked")["slug"] == "Refused"
