"""SNS in memory: keeps what was published.

https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tools.chaos.calls import Caller, refusal
from tools.chaos.world import Process, World

LARGEST: Final = 256 * 1024
LONGEST_SUBJECT: Final = 100


@dataclass(frozen=True, slots=True)
class Published:
    """A notification that was taken."""

    at: float
    message: str
    """As programs get it."""
    attributes: Mapping[str, str]
    """What filter policies go by."""
    by: Process

    @property
    def alert(self) -> Mapping[str, Any]:
        """What the service publishes."""
        found: Mapping[str, Any] = json.loads(self.message)
        return found


@dataclass(slots=True)
class Topic:
    """A topic."""

    world: World
    published: list[Published] = field(default_factory=list)
    watchers: list[Callable[[Published], None]] = field(default_factory=list)


@dataclass(slots=True)
class Sns:
    """The client."""

    caller: Caller
    topic: Topic

    def publish(self, **request: Any) -> dict[str, Any]:
        """Publish."""
        message, subject = request["Message"], request.get("Subject", "subject")
        if len(message.encode()) > LARGEST or not _is_subject(subject):
            raise refusal("InvalidParameter", "Publish")
        if request.get("MessageStructure") == "json":
            message = _for_programs(message)

        def effect() -> dict[str, Any]:
            topic = self.topic
            found = Published(
                topic.world.now,
                message,
                {
                    name: value["StringValue"]
                    for name, value in request.get("MessageAttributes", {}).items()
                },
                self.caller.process,
            )
            topic.published.append(found)
            for watch in topic.watchers:
                watch(found)
            return {"MessageId": f"sns-{len(topic.published)}"}

        return self.caller.call("Publish", effect)


def _is_subject(text: str) -> bool:
    """Whether SNS takes a subject: ASCII on one line, up to 100 characters."""
    return 0 < len(text) <= LONGEST_SUBJECT and text.isascii() and text.isprintable()


def _for_programs(message: str) -> str:
    """Return what subscribers get whose protocol has no text of its own."""
    try:
        return str(json.loads(message)["default"])
    except (ValueError, KeyError, TypeError) as error:
        raise refusal("InvalidParameter", "Publish") from error
