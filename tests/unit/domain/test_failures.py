"""An error of this program is told by its name and where it was raised."""

from __future__ import annotations

import pytest

from ses_insights.domain.failures import FailureKind, SystemFailure, as_failure


def test_an_unexpected_error_is_told_without_its_text() -> None:
    """The text may quote the mail. The place comes first, and then who called it."""

    def odd() -> None:
        raise KeyError("about anna@there.example")

    with pytest.raises(KeyError) as raised:
        odd()
    failure = as_failure(raised.value)
    here, line = "test_failures.py", odd.__code__.co_firstlineno
    assert failure.kind is FailureKind.UNEXPECTED
    assert str(failure) == f"Unexpected: KeyError at {here}:{line + 1} < {here}:{line + 4}"


def test_a_failure_of_the_system_stays_as_it_is() -> None:
    """Its text names an operation and a code."""
    failure = SystemFailure(FailureKind.SNS, "Publish: Throttled")
    assert as_failure(failure) is failure
