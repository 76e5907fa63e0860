"""The search of a stack's logs for whatever belongs to a mail."""

from __future__ import annotations

import json

from local.actors.operator import FollowUps
from local.actors.pipeline import SENDER, Pipeline
from local.ses_stand_in.settings import FaultKind
from local.ses_stand_in.stories import HOSTILE_SUBJECT, STORIES, address_of
from local.stack.observe import scan
from local.stack.run import LocalRun
from tests.support.leaks import leaks, texts_of_the_mail
from tests.support.patience import eventually

FAST = 36_000.0

TOLD = ("bounce-noemail", "complaint-abuse", "many-destinations", "hostile-subject")
LABEL = "anna.karenina"

BODIES = (
    f"Dear {LABEL}@recipient.example, your order has left us",
    f"{LABEL}@recipient.example",
    json.dumps({"MessageId": f"{LABEL}@recipient.example", "subject": HOSTILE_SUBJECT}),
    json.dumps({"mail": {"destination": [f"{LABEL}@recipient.example"], "messageId": [LABEL]}}),
)
"""Bodies without an id, which are parked: what somebody enqueues who mistakes the queue."""


def check_logs(run: LocalRun) -> None:
    """Search all that was logged since the stack came up, with the emulator's own lines.

    Not before mail with personal data everywhere has gone through it: in SES's answers, around the
    id in an event, in bodies that are parked, and past a failure.
    """
    ids = _send_mail(run)
    # In order, so that with the last one all are in it.
    eventually(lambda: f'"message_id":"{ids[-1]}"' in _printed(run))
    log = "\n".join([_printed(run), *_kept(run)])
    words = ("looked", "alerted", "system failure", "parked", "due")
    told = {*ids, *(f'"message":"{word}"' for word in words), '"_aws":{'}
    assert {each for each in told if each not in log} == set(), "it tells what was done"
    stored = {text for row in scan(run) for text in texts_of_the_mail(row)}
    assert {SENDER, HOSTILE_SUBJECT, address_of(STORIES["bounce-noemail"], LABEL)} <= stored
    assert leaks({*stored, LABEL, *BODIES}, log) == set()


def _send_mail(run: LocalRun) -> list[str]:
    run.ses.reset()
    run.ses.change(speed=FAST)
    run.ses.fail(FaultKind.INTERNAL, times=1)
    pipeline = Pipeline(
        ses=run.ses_client(),
        sqs=run.session.client("sqs"),
        queue_url=run.outputs["QueueUrl"],
    )
    for body in BODIES:
        pipeline.enqueue(body)
    ids = [str(pipeline.send(STORIES[name], label=LABEL)["MessageId"]) for name in TOLD]
    for name, message_id in zip(TOLD, ids, strict=True):
        pipeline.enqueue(_as_event(message_id, address_of(STORIES[name], LABEL)))
    FollowUps(run).start()
    return ids


def _printed(run: LocalRun) -> str:
    """What the emulator has printed: all that the functions say, and lines of its own.

    These hold the beginning of each alert; it is cut off before the alert names anybody.
    """
    return (run.folder / "emulator.log").read_text(errors="replace")


def _kept(run: LocalRun) -> list[str]:
    """What is in the functions' log groups."""
    functions = (run.outputs["LookupFunctionName"], run.outputs["FollowUpFunctionName"])
    return [line for function in functions for line in run.log_lines(function)]


def _as_event(message_id: str, recipient: str) -> str:
    """An SES event, which carries more of the mail than its id."""
    headers = {"from": [SENDER], "to": [recipient], "subject": HOSTILE_SUBJECT}
    mail = {"messageId": message_id, "destination": [recipient], "commonHeaders": headers}
    return json.dumps({"eventType": "Send", "mail": mail})
