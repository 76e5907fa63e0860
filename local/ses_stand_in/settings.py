"""The switches of the stand-in, as Python values and as JSON. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from math import isfinite
from typing import Any, Final, Self, TypeGuard

LOOPBACK = "127.0.0.1"
"""The one address the stand-in is served on and asked at."""


class FaultKind(StrEnum):
    """What a look meets while the fault is on."""

    THROTTLED = "429"
    INTERNAL = "500"
    UNAVAILABLE = "503"
    RESET = "reset"
    HANG = "hang"
    ACCESS_DENIED = "access-denied"
    EXPIRED_CREDENTIALS = "expired-credentials"


class SettingsError(ValueError):
    """A switch has a name or a value that the stand-in does not know."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault for the next `times` looks, or (None) until it is switched off."""

    kind: FaultKind
    times: int | None = None

    @classmethod
    def from_json(cls, value: object) -> Self:
        """Read `{"kind": "500", "times": 3}`.

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
        return cls(FaultKind(kind), times)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All switches."""

    vdm: bool = True
    """Virtual Deliverability Manager is on."""
    speed: float = 1.0
    """How much faster stories unfold than in life; holds for mail sent from then on."""
    period_seconds: float = 1.0
    """The rate limit: one accepted call in so many seconds; 0 means no limit."""
    latency_ms: tuple[float, float] = (20.0, 120.0)
    """From a request's arrival to its answer: at least, at most."""
    travel_ms: tuple[float, float] = (0.0, 0.0)
    """Before the request counts as arrived, as on a slow way there: at least, at most."""
    faults: tuple[Fault, ...] = ()
    """The first one is on; once its times are over, the next one is."""

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

    @property
    def fault(self) -> FaultKind | None:
        """The fault that is on."""
        return self.faults[0].kind if self.faults else None

    def after_fault(self) -> Self:
        """These settings once a look has met the fault that is on, if any."""
        if not self.faults or self.faults[0].times is None:
            return self
        (first, *later), times = self.faults, self.faults[0].times
        left = [Fault(first.kind, times - 1)] if times > 1 else []
        return replace(self, faults=(*left, *later))


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


_RULES: Final[tuple[tuple[str, Callable[[object], bool], str], ...]] = (
    ("vdm", _is_switch, "use true or false"),
    ("speed", _is_positive, "use a number above 0"),
    ("period_seconds", _is_not_negative, "use a number of 0 or more"),
    ("latency_ms", _is_range, "use [least, most] in milliseconds, e.g. [20, 120]"),
    ("travel_ms", _is_range, "use [least, most] in milliseconds, e.g. [0, 40]"),
)
"""What each setting must be; values can come from JSON, so their types are not known."""
