"""`python -m local`: bring the local stack up and leave it running until Ctrl-C."""

import shlex
import signal
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

from local.ses_stand_in.stories import STORIES
from local.stack.child import LocalRunError
from local.stack.run import LocalRun, local_stack
from ses_insights.contracts.names import MESSAGE_GROUP

CONTEXT: Mapping[str, str] = {"firstLookDelaySeconds": "5"}

SPEED = 3600.0
"""An hour of a mail's story passes in a second: five hours until its first look."""


def main() -> int:
    """Run until Ctrl-C; returns the exit status."""
    try:
        with local_stack(CONTEXT, progress=lambda step: print(f"{step} …", flush=True)) as run:
            run.ses.change(speed=SPEED)
            print(guide(run), flush=True)
            while True:
                signal.pause()
    except KeyboardInterrupt:
        print("\nStopped; nothing is left running.")
        return 0
    except LocalRunError as error:
        print(error, file=sys.stderr)
        return 1


def export_lines(variables: Mapping[str, str]) -> list[str]:
    """Shell lines after which AWS clients in that shell talk to the run and to nothing else."""
    return [
        "unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN",
        *(f"export {name}={shlex.quote(value)}" for name, value in variables.items()),
    ]


def guide(run: LocalRun) -> str:
    """What a person needs to use the run from another terminal."""
    exports = "\n".join(export_lines(run.sandbox.variables()))
    tool = shlex.quote(str(Path(sys.executable).parent / "insights"))
    aws = 'aws --endpoint-url "$AWS_ENDPOINT_URL"'
    stories = textwrap.indent(
        textwrap.fill(", ".join(STORIES), 94, break_on_hyphens=False), prefix="#   "
    )
    return f"""
The stack runs on this machine, on loopback only. Paste this into another terminal, and close that
one afterwards: the variables redirect every AWS command in it.

{exports}

Then, for example:

# Send a mail. The recipient's local part chooses what becomes of it, an hour of it in a second
# (any other address: delivered):
{stories}
id=$(aws --endpoint-url "$AWS_ENDPOINT_URL_SESV2" sesv2 send-email \\
  --from-email-address shop@sender.example \\
  --destination ToAddresses=bounce-noemail@stories.example \\
  --content 'Simple={{Subject={{Data=Hello}},Body={{Text={{Data=Hello}}}}}}' \\
  --query MessageId --output text)

# Enqueue its id, as a send pipeline does.
{aws} sqs send-message --queue-url {run.queue_url} \\
  --message-group-id {MESSAGE_GROUP} --message-deduplication-id "$id" --message-body "$id"

# What became of it, some seconds later.
{aws} dynamodb query --table-name {run.table_name} \\
  --key-condition-expression 'MessageId = :id' \\
  --expression-attribute-values '{{":id": {{"S": "'"$id"'"}}}}'

# The same with the command line tool; `insights --help` lists what else it does.
{tool} show "$id"
{tool} status

# The next look comes on the ladder, 15 minutes after the send. To look again at once:
{aws} sqs send-message --queue-url {run.queue_url} --message-group-id {MESSAGE_GROUP} \
  --message-body '{{"MessageId": "'"$id"'", "force": true}}'

# The log of the emulator, with the logs of the functions.
tail -f {shlex.quote(str(run.folder / "emulator.log"))}

# boto3 needs the variables alone.
{shlex.quote(sys.executable)} -c 'import boto3
print(boto3.client("dynamodb").scan(TableName="{run.table_name}"))'

The AWS CLI needs --endpoint-url as well: version 1 ignores the variable for SQS, and version 2
before 2.13 for everything.

Logs and temporary files: {run.folder}
Ctrl-C stops everything and removes them."""


if __name__ == "__main__":
    sys.exit(main())
