"""The switches: values, JSON, and faults that wear off."""

import json
from typing import Any

import pytest

from local.ses_stand_in.settings import Fault, FaultKind, Settings, SettingsError


def test_settings_survive_the_way_through_json() -> None:
    """What is written is what is read."""
    settings = Settings(
        vdm=False,
        speed=3600,
        period_seconds=0.5,
        latency_ms=(1, 2),
        travel_ms=(3, 4),
        faults=(Fault(FaultKind.HANG), Fault(FaultKind.INTERNAL, 2)),
    )
    assert Settings().changed(json.loads(json.dumps(settings.as_json()))) == settings


def test_a_change_leaves_the_rest_as_it_was() -> None:
    """Only what is named is set."""
    assert Settings(speed=60).changed({"vdm": False}) == Settings(speed=60, vdm=False)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"vmd": True}, "vmd"),
        ({"vdm": "off"}, "vdm"),
        ({"speed": 0}, "speed"),
        ({"speed": float("nan")}, "speed"),
        ({"speed": True}, "speed"),
        ({"period_seconds": -1}, "period_seconds"),
        ({"latency_ms": 20}, "latency_ms"),
        ({"latency_ms": [120, 20]}, "latency_ms"),
        ({"travel_ms": [-1, 20]}, "travel_ms"),
        ({"faults": "500"}, "faults"),
        ({"faults": [{"kind": "418"}]}, "faults"),
        ({"faults": ["500"]}, "faults"),
        ({"faults": [{"kind": "500", "times": 0}]}, "times"),
        ({"faults": [{"kind": "500", "times": 1.5}]}, "times"),
    ],
)
def test_a_switch_that_makes_no_sense_is_refused_by_name(
    changes: dict[str, Any], named: str
) -> None:
    """The message names the switch and says what to use."""
    with pytest.raises(SettingsError, match=rf"{named}.*(use|there are)"):
        Settings().changed(changes)


def test_a_fault_for_so_many_looks_wears_off_and_the_next_one_begins() -> None:
    """Two times 500, then a reset, then health."""
    settings = Settings(faults=(Fault(FaultKind.INTERNAL, 2), Fault(FaultKind.RESET, 1)))
    met = []
    for _ in range(4):
        met.append(settings.fault)
        settings = settings.after_fault()
    assert met == [FaultKind.INTERNAL, FaultKind.INTERNAL, FaultKind.RESET, None]


def test_a_fault_without_a_number_stays() -> None:
    """It is on until it is switched off."""
    settings = Settings(faults=(Fault(FaultKind.HANG),))
    assert settings.after_fault().after_fault() == settings
