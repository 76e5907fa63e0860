"""The function `followups` as an operator sees it: started on demand, and by its schedule."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

from local.stack.child import LocalRunError
from local.stack.run import LocalRun


@dataclass(slots=True)
class FollowUps:
    """Starts runs of the function, and counts those that its schedule has started."""

    run: LocalRun
    on_demand: int = field(default=0, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)
    """Several can be started at once; making a client is not safe then, nor is counting."""

    def start(self) -> None:
        """Start a run and wait for its end. Raises LocalRunError where it fails."""
        with self._lock:
            self.on_demand += 1
            functions = self.run.session.client("lambda")
        answer = functions.invoke(FunctionName=self.run.followups_function)
        if "FunctionError" in answer:
            error = json.loads(answer["Payload"].read())
            raise LocalRunError(f"followups failed: {error.get('errorMessage')}")

    def schedule(self) -> tuple[str, str]:
        """How often the schedule starts a run, and whether it is on."""
        found = self.find_schedule()
        return found["ScheduleExpression"], found["State"]

    def by_schedule(self) -> int:
        """How many runs the schedule has started."""
        lines = self.run.log_records(self.run.followups_function)
        runs = sum(1 for line in lines if line.get("message") == "due")
        return max(runs - self.on_demand, 0)

    def switch_schedule(self, *, on: bool) -> None:
        """Let the schedule start runs, or none."""
        found, state = self.find_schedule(), "ENABLED" if on else "DISABLED"
        if found["State"] == state:
            return  # an update would begin its minute anew
        self.run.session.client("scheduler").update_schedule(
            Name=found["Name"],
            GroupName=found["GroupName"],
            ScheduleExpression=found["ScheduleExpression"],
            FlexibleTimeWindow=found["FlexibleTimeWindow"],
            Target=found["Target"],
            State=state,
        )

    def find_schedule(self) -> dict[str, Any]:
        """The schedule, as EventBridge Scheduler describes it."""
        scheduler = self.run.session.client("scheduler")
        found = [
            scheduler.get_schedule(Name=entry["Name"], GroupName=entry["GroupName"])
            for entry in scheduler.list_schedules()["Schedules"]
            if entry["Target"]["Arn"].endswith(f":{self.run.followups_function}")
        ]
        if len(found) != 1:
            raise LocalRunError(f"{len(found)} schedules start followups; there must be one")
        return dict(found[0])


def switch_trigger(run: LocalRun, *, on: bool) -> None:
    """Let the queue's messages start looks, or hold them, as in the Lambda console."""
    functions = run.session.client("lambda")
    found = functions.list_event_source_mappings(FunctionName=run.lookup_function)
    (trigger,) = found["EventSourceMappings"]
    functions.update_event_source_mapping(UUID=trigger["UUID"], Enabled=on)


BROKEN: Final = "_missing"
"""Behind a handler's name there is no such function."""


def break_function(run: LocalRun, function_name: str) -> None:
    """Let a function fail at each start, as a bad deployment does."""
    handler = _handler(run, function_name)
    if not handler.endswith(BROKEN):
        _set_handler(run, function_name, handler + BROKEN)


def repair_function(run: LocalRun, function_name: str) -> None:
    """Deploy the version again that worked."""
    handler = _handler(run, function_name)
    if handler.endswith(BROKEN):
        _set_handler(run, function_name, handler.removesuffix(BROKEN))


def _handler(run: LocalRun, function_name: str) -> str:
    functions = run.session.client("lambda")
    return functions.get_function_configuration(FunctionName=function_name)["Handler"]


def _set_handler(run: LocalRun, function_name: str, handler: str) -> None:
    functions = run.session.client("lambda")
    functions.update_function_configuration(FunctionName=function_name, Handler=handler)
