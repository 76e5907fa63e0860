"""`python -m local.send`: mails through SES's stand-in of `make local`; prints their ids."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from local.actors.pipeline import send_to
from local.ses_stand_in.stories import STORIES, address_of
from local.stack.attached import attach
from local.stack.child import LocalRunError
from local.stack.run import LocalRun


def main(arguments: Sequence[str] | None = None) -> int:
    """Send; returns the exit status."""
    parser = _parser()
    choice = parser.parse_args(arguments)
    if unknown := [each for each in choice.to if "@" not in each and each not in STORIES]:
        parser.error(f"{unknown[0]} is neither a story nor an address; --help lists the stories")
    try:
        for message_id in send(
            attach(os.environ), choice.to, number=choice.number, together=choice.together
        ):
            print(message_id)
    except LocalRunError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def send(
    run: LocalRun, stories: Sequence[str], *, number: int = 1, together: bool = False
) -> list[str]:
    """Send mails to stories or addresses, each so often, and return their message ids.

    A story's name becomes an address that no mail went to before: SES does not attempt an address
    that has bounced.
    """
    client, label = run.ses_client(), len(run.ses.sent())
    ids = []
    for _ in range(number):
        for group in [stories] if together else [[each] for each in stories]:
            label += 1
            addresses = [
                each if "@" in each else address_of(STORIES[each], str(label)) for each in group
            ]
            subject = f"Your order {label}"
            ids.append(str(send_to(client, addresses, subject=subject)["MessageId"]))
    return ids


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, STORIES))
    parser = argparse.ArgumentParser(
        prog="python -m local.send",
        description="Send mails through the SES stand-in of `make local`, and print their ids. "
        "Nothing is enqueued: pipe the ids into `insights enqueue`.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="stories:\n"
        + "\n".join(f"  {name:<{width}}  {story.sentence}" for name, story in STORIES.items()),
    )
    parser.add_argument(
        "to",
        nargs="+",
        metavar="STORY|ADDRESS",
        help="what becomes of the mail, or an address, whose local part says it: "
        "bounce-noemail+anna@stories.example; any other address is delivered",
    )
    parser.add_argument("-n", "--number", type=int, default=1, help="send so many of each")
    parser.add_argument(
        "--together", action="store_true", help="one mail to all of them, as recipients"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
