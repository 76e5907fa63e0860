"""Many looks in one process, through the function's own parts: what they call and what they hold.

`tools.bench.stack` runs it as a process of its own, with the function's environment:

    python -m tools.bench.looks RESULT.json < message-ids
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import boto3

from ses_insights.contracts.names import MESSAGE_GROUP
from ses_insights.contracts.queue_message import QueueMessage
from ses_insights.domain.pace import Pace
from ses_insights.handlers import lookup

SECONDS_LEFT: Final = 30.0
PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Looked:
    """What one look took."""

    message_id: str
    calls: dict[str, int]
    """Calls by ``service.Operation``."""
    memory: int
    """Bytes the process holds after it."""


def main(result: Path) -> None:
    """Look at every id of standard input and write a list of `Looked` as JSON."""
    session = boto3.Session()
    calls: Counter[str] = Counter()

    def count(event_name: str, **_: object) -> None:
        calls[event_name.removeprefix("before-send.")] += 1

    session.events.register("before-send", count)
    parts = lookup.wire(os.environ, session)
    # SES's limit is not what is measured here, and its stand-in has it switched off.
    parts.source.pace = Pace(period=0.0)
    looks = []
    for message_id in sys.stdin.read().split():
        calls.clear()
        with parts.source.invocation(SECONDS_LEFT):
            parts.consumer.handle(_message(message_id))
        parts.telemetry.flush()
        looks.append(Looked(message_id, dict(calls), _memory()))
    result.write_text(json.dumps([asdict(look) for look in looks]))


def _message(message_id: str) -> QueueMessage:
    return QueueMessage(
        id="bench",
        body=message_id,
        receipt_handle="bench",
        receive_count=1,
        sent_at=datetime.now(UTC),
        group_id=MESSAGE_GROUP,
        sequence_number="1",
    )


def _memory() -> int:
    resident = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    return int(resident) * PAGE


if __name__ == "__main__":
    main(Path(sys.argv[1]))
