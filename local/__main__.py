"""`python -m local`: bring the local stack up and leave it running until Ctrl-C."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from pathlib import Path
from typing import Final

from local.stack.attached import alone, announced
from local.stack.child import LocalRunError
from local.stack.run import PROJECT, LocalRun, local_stack, say_stopped
from ses_insights.contracts.names import DEFAULT_LADDER_SECONDS

SPEED: Final = 14_400
"""Four hours of a mail's story pass in a second, and of its ladder: a complaint after four days
comes 26 seconds after the send, and the rung at seven days 42 seconds after it."""

FIRST_LOOK_DELAY: Final = 5
"""Seconds an id waits in the queue before its first look."""

LADDER: Final = tuple(
    rung for seconds in DEFAULT_LADDER_SECONDS if (rung := seconds // SPEED) > FIRST_LOOK_DELAY
)
"""The default ladder at that speed, without the rungs that come before a first look."""

CONTEXT: Final = {
    "firstLookDelaySeconds": str(FIRST_LOOK_DELAY),
    "followUpLadder": json.dumps(LADDER),
}


def main() -> int:
    """Run until Ctrl-C; returns the exit status."""
    try:
        with (
            alone(),
            local_stack(
                CONTEXT, progress=lambda step: print(f"{step} …", flush=True), through_faults=True
            ) as run,
            announced(run) as environment,
        ):
            run.ses.change(speed=SPEED)
            print(guide(run, environment), flush=True)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
        return 0
    except LocalRunError as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        return say_stopped(error)


def guide(run: LocalRun, environment: Path) -> str:
    """What a person needs to use the run from another terminal; the second paragraph is pasted."""
    return f"""
The service runs on this machine, on loopback only. Send a mail that bounces, enqueue its id and
see what became of it, in another terminal, in any POSIX shell:

cd {shlex.quote(str(PROJECT))}
. {shlex.quote(str(environment.relative_to(PROJECT)))}
id=$(python -m local.send bounce-noemail)
insights enqueue "$id"
insights show --wait "$id"

That terminal talks to this stack alone from then on; close it when you are done.

python -m local.send --help   what else can become of a mail; four hours of it pass in a second
python -m local.incident      break something, to rehearse what docs/runbook.md says about it
docs/rehearse.md              the rest: alerts, AWS CLI, boto3, logs

The log of everything: {shlex.quote(str(run.folder / "emulator.log"))}
Ctrl-C here, or kill {os.getpid()} elsewhere, stops the stack and removes it."""


if __name__ == "__main__":
    sys.exit(main())
