"""The function `followups` as an operator sees it: started by hand, and by its schedule."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from local.stack.child import LocalRunError
from local.stack.run import LocalRun


@dataclass(slots=True)
class FollowUps:
    """Starts runs of the function, and counts those that its schedule has started."""

    run: LocalRun
    by_hand: int = field(default=0, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)
    """Several can be started at once; making a client is not safe then, nor is counting."""

    @property
    def function_name(self) -> str:
        """The function, by the stack's output."""
        return self.run.outputs["FollowUpFunctionName"]

    def start(self) -> None:
        """Start a run and wait for its end. Raises LocalRunError where it fails."""
        with self._lock:
            self.by_hand += 1
            functions = self.run.session.client("lambda")
        answer = functions.invoke(FunctionName=self.function_name)
        if "FunctionError" in answer:
            error = json.loads(answer["Payload"].read())
            raise LocalRunError(f"followups failed: {error.get('errorMessage')}")

    def schedule(self) -> tuple[str, str]:
        """How often the schedule starts a run, and whether it is on."""
        found = self._schedule()
        return found["ScheduleExpression"], found["State"]

    def stop_schedule(self) -> None:
        """Let only those runs begin that are started by hand."""
        found = self._schedule()
        self.run.session.client("scheduler").update_schedule(
            Name=found["Name"],
            GroupName=found["GroupName"],
            ScheduleExpression=found["ScheduleExpression"],
            FlexibleTimeWindow=found["FlexibleTimeWindow"],
            Target=found["Target"],
            State="DISABLED",
        )

    def by_schedule(self) -> int:
        """How many runs nobody has started by hand."""
        runs = sum(1 for line in self.lines() if line.get("message") == "due")
        return max(runs - self.by_hand, 0)

    def _schedule(self) -> dict[str, Any]:
        scheduler = self.run.session.client("scheduler")
        found = [
            scheduler.get_schedule(Name=entry["Name"], GroupName=entry["GroupName"])
            for entry in scheduler.list_schedules()["Schedules"]
            if entry["Target"]["Arn"].endswith(f":{self.function_name}")
        ]
        if len(found) != 1:
            raise LocalRunError(f"{len(found)} schedules start followups; there must be one")
        return dict(found[0])

    def lines(self) -> Sequence[dict[str, Any]]:
        """What the function has logged."""
        return self.run.log_records(self.function_name)
