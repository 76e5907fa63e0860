"""What lies in the dead-letter queue, by reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from botocore.exceptions import ClientError

from ses_insights.adapters.aws_errors import error_code, is_denied
from ses_insights.cli.dead_letters import DeadLetters, Parked
from ses_insights.cli.web.reading import SharedDeployment

AT_ONCE: Final = 500
"""Messages that one press of a button moves; what stays is moved by the next one."""

SHOWN: Final = 100
"""Messages that are listed."""

COLUMNS: Final = ("ParkedAt", "Reason", "Body", "MessageGroupId")


@dataclass(frozen=True, slots=True)
class Shown:
    """What SQS shows of the queue."""

    total: int
    messages: Sequence[Parked]
    """Those of the reason that was asked for."""
    reasons: Sequence[tuple[str, int]]
    """Of all messages that SQS shows, the most frequent reason first."""
    is_denied: bool = False
    """Whether these credentials may count the messages and not see them."""

    @property
    def behind(self) -> int:
        """How many SQS does not show."""
        return max(self.total - sum(count for _, count in self.reasons), 0)


def letters_of(deployment: SharedDeployment) -> DeadLetters:
    """Return the dead-letter queue."""
    return DeadLetters(deployment.sqs, deployment.dead_letter_queue_url, deployment.queue_url)


def read(deployment: SharedDeployment, reason: str | None) -> Shown:
    """Count what is parked, and read what SQS shows of it. Raises what boto3 raises."""
    letters = letters_of(deployment)
    total = letters.count()
    try:
        seen = letters.peek(SHOWN) if total else []
    except ClientError as error:
        if not is_denied(error_code(error)):
            raise
        return Shown(total, [], [], is_denied=True)
    return Shown(
        max(total, len(seen)),
        [message for message in seen if message.is_for(reason)],
        Counter(message.slug for message in seen).most_common(),
    )


def take(messages: Iterator[Parked]) -> int:
    """Redrive or drop messages, and return how many; no more than one request has time for."""
    return sum(1 for _ in islice(messages, AT_ONCE))
