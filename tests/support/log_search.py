"""The search of a stack's logs for what belongs to a mail."""

from __future__ import annotations

import json

from local.actors.operator import FollowUps
from local.actors.pipeline import SENDER
from local.ses_stand_in.settings import FaultKind
from local.ses_stand_in.stories import HOSTILE_SUBJECT, STORIES, address_of
from local.stack.observe import scan
from local.stack.run import LocalRun
from ses_insights.domain.reasons import Reason
from tests.support.deployed_stack import DeployedStack
from tests.support.leaks import leaks, texts_of_the_mail
from tests.support.patience import eventually

STORIES_SENT = ("bounce-noemail", "complaint-abuse", "many-destinations", "hostile-subject")
LABEL = "anna.karenina"

BODIES = (
    f"Dear {LABEL}@recipient.example, your order has left us",
    f"{LABEL}@recipient.example",
    json.dumps({"MessageId": f"{LABEL}@recipient.example", "subject": HOSTILE_SUBJECT}),
    json.dumps({"mail": {"destination": [f"{LABEL}@recipient.example"], "messageId": [LABEL]}}),
)
"""Bodies without an id, meant for another queue: they are parked."""


def check_logs(stack: DeployedStack, followups: FollowUps) -> None:
    """Search all that was logged since the stack came up, with the emulator's own lines.

    Not before mail with personal data everywhere has gone through it: in SES's answers, around the
    id in an event, in bodies that are parked, and past a failure.
    """
    run, ids = stack.run, _send_mail(stack, followups)
    eventually(lambda: stack.is_looked_at(*ids))
    words = ("looked", "alerted", "system failure", "parked", "due")
    logged = {*ids, *(f'"message":"{word}"' for word in words), '"_aws":{'}
    eventually(lambda: all(each in _printed(run) for each in logged))
    log = "\n".join([_printed(run), *_kept(run)])
    stored = {text for row in scan(run) for text in texts_of_the_mail(row)}
    assert {SENDER, HOSTILE_SUBJECT, address_of(STORIES["bounce-noemail"], LABEL)} <= stored
    found = leaks({*stored, LABEL, *BODIES}, log)
    # The address of a story begins with the reason that it ends in, which is logged.
    found = {each for each in found if not any(each in reason for reason in Reason)}
    assert found == set(), f"in the log: {sorted(found)}"


def _send_mail(stack: DeployedStack, followups: FollowUps) -> list[str]:
    stack.run.ses.fail(FaultKind.INTERNAL, times=1)
    stack.enqueue(*BODIES)
    ids = [str(stack.send(name, label=LABEL)["MessageId"]) for name in STORIES_SENT]
    for name, message_id in zip(STORIES_SENT, ids, strict=True):
        stack.enqueue(_as_event(message_id, address_of(STORIES[name], LABEL)))
    followups.start()
    return ids


def _printed(run: LocalRun) -> str:
    """What the emulator has printed: the logs of the functions, and lines of its own.

    These hold the beginning of each alert, cut off before its first address.
    """
    return (run.folder / "emulator.log").read_text(errors="replace")


def _kept(run: LocalRun) -> list[str]:
    """What is in the functions' log groups."""
    functions = (run.lookup_function, run.followups_function)
    return [line for function in functions for line in run.log_lines(function)]


def _as_event(message_id: str, recipient: str) -> str:
    """An SES event, which carries more of the mail than its id."""
    headers = {"from": [SENDER], "to": [recipient], "subject": HOSTILE_SUBJECT}
    mail = {"messageId": message_id, "destination": [recipient], "commonHeaders": headers}
    return json.dumps({"eventType": "Send", "mail": mail})
