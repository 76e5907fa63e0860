"""The switches: values, JSON, and faults that wear off."""

import json
from typing import Any

import pytest

from local.ses_stand_in.settings import Fault, FaultKind, Operation, Settings, SettingsError


def test_settings_survive_the_way_through_json() -> None:
    """What is written is what is read."""
    settings = Settings(
        vdm=False,
        vdm_off_status=400,
        suppressed_reasons=("BOUNCE",),
        list_lag_seconds=2.5,
        speed=3600,
        period_seconds=0.5,
        latency_ms=(1, 2),
        travel_ms=(3, 4),
        faults=(
            Fault(FaultKind.HANG),
            Fault(FaultKind.NO_ID, 2, Operation.GET_SUPPRESSED_DESTINATION),
        ),
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
        ({"vdm_off_status": 403}, "vdm_off_status"),
        ({"suppressed_reasons": ["OPEN"]}, "suppressed_reasons"),
        ({"suppressed_reasons": "BOUNCE"}, "suppressed_reasons"),
        ({"list_lag_seconds": -1}, "list_lag_seconds"),
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
        ({"faults": [{"kind": "500", "operation": "SendEmail"}]}, "operation"),
        ({"faults": [{"kind": "gone"}]}, "gone"),
    ],
)
def test_a_switch_that_makes_no_sense_is_refused_by_name(
    changes: dict[str, Any], named: str
) -> None:
    """The message names the switch and says what to use."""
    with pytest.raises(SettingsError, match=rf"{named}.*(use|there are)"):
        Settings().changed(changes)


LOOK, LIST = Operation.GET_MESSAGE_INSIGHTS, Operation.LIST_SUPPRESSED_DESTINATIONS


def test_a_fault_for_so_many_calls_wears_off_and_the_next_one_begins() -> None:
    """Two times 500, then a reset, then health."""
    settings = Settings(faults=(Fault(FaultKind.INTERNAL, 2), Fault(FaultKind.RESET, 1)))
    met = []
    for _ in range(4):
        met.append(settings.fault(LOOK))
        settings = settings.after_fault(LOOK)
    assert met == [FaultKind.INTERNAL, FaultKind.INTERNAL, FaultKind.RESET, None]


def test_a_fault_of_one_operation_is_none_of_another() -> None:
    """Calls of another operation neither meet it nor wear it off."""
    settings = Settings(faults=(Fault(FaultKind.THROTTLED, 1, LIST), Fault(FaultKind.HANG, 1)))
    assert settings.fault(LOOK) is FaultKind.HANG
    settings = settings.after_fault(LOOK)
    assert (settings.fault(LOOK), settings.fault(LIST)) == (None, FaultKind.THROTTLED)


def test_a_fault_without_a_number_stays() -> None:
    """It is on until it is switched off."""
    settings = Settings(faults=(Fault(FaultKind.HANG),))
    assert settings.after_fault(LOOK).after_fault(LOOK) == settings
