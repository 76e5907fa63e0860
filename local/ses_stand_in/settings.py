"""The switches of the stand-in, as Python values and as JSON. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from http import HTTPStatus
from math import isfinite
from typing import Any, Final, Self, TypeGuard

from local.ses_stand_in.suppression import Reason

LOOPBACK = "127.0.0.1"
"""The one address the stand-in is served on and asked at."""


class Operation(StrEnum):
    """The operations of SES that the stand-in holds to a limit, each by itself."""

    GET_MESSAGE_INSIGHTS = "GetMessageInsights"
    LIST_SUPPRESSED_DESTINATIONS = "ListSuppressedDestinations"
    GET_SUPPRESSED_DESTINATION = "GetSuppressedDestination"
    GET_ACCOUNT = "GetAccount"


class FaultKind(StrEnum):
    """What a call meets while the fault is on."""

    THROTTLED = "429"
    INTERNAL = "500"
    UNAVAILABLE = "503"
    RESET = "reset"
    HANG = "hang"
    ACCESS_DENIED = "access-denied"
    EXPIRED_CREDENTIALS = "expired-credentials"
    GONE = "gone"
    """GetSuppressedDestination alone: the address is no longer on the list."""
    NO_ID = "no-id"
    """GetSuppressedDestination alone: listed by hand, so without the id of a message."""


class SettingsError(ValueError):
    """A switch has a name or a value that the stand-in does not know."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault for the next `times` calls of an operation, or (None) until it is switched off."""

    kind: FaultKind
    times: int | None = None
    operation: Operation = Operation.GET_MESSAGE_INSIGHTS

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read `{"kind": "500", "times": 3, "operation": "GetAccount"}`.

        Raises SettingsError.
        """
        entry = value if isinstance(value, Mapping) else {}
        kind, times = entry.get("kind"), entry.get("times")
        if kind not in list(FaultKind):
            raise SettingsError(
                f'faults: {value!r} is none; use {{"kind": one of {", ".join(FaultKind)}}}'
            )
        if times is not None and not (type(times) is int and times > 0):
            raise SettingsError(
                f"faults: times is {times!r}; use a whole number above 0, or leave it out"
            )
        operation = entry.get("operation", Operation.GET_MESSAGE_INSIGHTS)
        if operation not in list(Operation):
            raise SettingsError(
                f"faults: operation is {operation!r}; use one of {', '.join(Operation)}"
            )
        if kind in OF_AN_ENTRY and operation != Operation.GET_SUPPRESSED_DESTINATION:
            raise SettingsError(
                f"faults: {operation} knows no {kind!r}; "
                f"use it with {Operation.GET_SUPPRESSED_DESTINATION}"
            )
        return cls(FaultKind(kind), times, Operation(operation))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All switches."""

    vdm: bool = True
    """Virtual Deliverability Manager is on."""
    vdm_off_status: int = 404
    """How SES says that it is off: 404, as GetMessageInsights does, or 400, as CreateExportJob."""
    suppressed_reasons: tuple[str, ...] = tuple(Reason)
    """The account's suppression list is on for these: what bounces or complains is listed, and what
    is listed is not attempted. Holds from then on."""
    list_lag_seconds: float = 0.0
    """From the time an address is listed until ListSuppressedDestinations shows it."""
    speed: float = 1.0
    """How much faster stories unfold than in life; holds for mail sent from then on."""
    period_seconds: float = 1.0
    """The rate limit of each operation: one accepted call in so many seconds; 0: no limit."""
    latency_ms: tuple[float, float] = (20.0, 120.0)
    """From a request's arrival to its answer: at least, at most."""
    travel_ms: tuple[float, float] = (0.0, 0.0)
    """Before the request counts as arrived, as on a slow way there: at least, at most."""
    faults: tuple[Fault, ...] = ()
    """For each operation the first one is on; once its times are over, the next one is."""

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises SettingsError.
        """
        for name, fits, hint in _RULES:
            value = getattr(self, name)
            if not fits(value):
                raise SettingsError(f"{name} is {value!r}; {hint}")

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """These settings with some replaced, values as in JSON.

        Raises SettingsError.
        """
        known = {field.name for field in fields(self)}
        if unknown := sorted(set(changes) - known):
            raise SettingsError(
                f"{', '.join(unknown)}: no such setting; there are {', '.join(sorted(known))}"
            )
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in changes.items()
        }
        if "faults" in values:
            if not isinstance(values["faults"], tuple):
                raise SettingsError(f"faults is {values['faults']!r}; use a list")
            values["faults"] = tuple(map(Fault.from_json, values["faults"]))
        return replace(self, **values)

    def as_json(self) -> dict[str, Any]:
        """The same as `changed` takes."""
        return asdict(self)

    def fault(self, operation: Operation) -> FaultKind | None:
        """The fault that is on for an operation."""
        found = self._fault(operation)
        return found.kind if found else None

    def after_fault(self, operation: Operation) -> Self:
        """These settings once a call of the operation has met the fault that is on, if any."""
        met = self._fault(operation)
        if met is None or met.times is None:
            return self
        at = self.faults.index(met)
        left = (replace(met, times=met.times - 1),) if met.times > 1 else ()
        return replace(self, faults=(*self.faults[:at], *left, *self.faults[at + 1 :]))

    def _fault(self, operation: Operation) -> Fault | None:
        return next((each for each in self.faults if each.operation is operation), None)


OF_AN_ENTRY: Final = frozenset({FaultKind.GONE, FaultKind.NO_ID})
"""What GetSuppressedDestination alone can meet."""


def _is_switch(value: object) -> bool:
    return isinstance(value, bool)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _is_positive(value: object) -> bool:
    return _is_number(value) and value > 0


def _is_not_negative(value: object) -> bool:
    return _is_number(value) and value >= 0


def _is_range(value: object) -> bool:
    match value:
        case (least, most) if _is_number(least) and _is_number(most):
            return 0 <= least <= most
    return False


def _is_vdm_status(value: object) -> bool:
    return value in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}


def _are_reasons(value: object) -> bool:
    return isinstance(value, tuple) and set(value) <= set(Reason)


_RULES: Final[tuple[tuple[str, Callable[[object], bool], str], ...]] = (
    ("vdm", _is_switch, "use true or false"),
    ("vdm_off_status", _is_vdm_status, "use 404 or 400"),
    ("suppressed_reasons", _are_reasons, 'use a list of "BOUNCE" and "COMPLAINT", or []'),
    ("list_lag_seconds", _is_not_negative, "use a number of 0 or more"),
    ("speed", _is_positive, "use a number above 0"),
    ("period_seconds", _is_not_negative, "use a number of 0 or more"),
    ("latency_ms", _is_range, "use [least, most] in milliseconds, e.g. [20, 120]"),
    ("travel_ms", _is_range, "use [least, most] in milliseconds, e.g. [0, 40]"),
)
"""What each setting must be; values can come from JSON, so their types are not known."""
