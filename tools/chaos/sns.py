"""SNS in memory: keeps what was published."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tools.chaos.calls import Caller, refusal
from tools.chaos.world import Process, World

LARGEST: Final = 256 * 1024


@dataclass(frozen=True, slots=True)
class Published:
    """A notification that was taken."""

    at: float
    alert_id: str
    alert: Mapping[str, Any]
    """As programs get it."""
    by: Process


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
        if len(request["Message"].encode()) > LARGEST:
            raise refusal("InvalidParameter", "Publish")

        def effect() -> dict[str, Any]:
            alert = json.loads(json.loads(request["Message"])["default"])
            found = Published(self.topic.world.now, alert["alertId"], alert, self.caller.process)
            self.topic.published.append(found)
            for watch in self.topic.watchers:
                watch(found)
            return {"MessageId": f"sns-{len(self.topic.published)}"}

        return self.caller.call("Publish", effect)
