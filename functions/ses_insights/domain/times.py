"""Instants as the table and the alerts write them: ISO 8601, UTC, milliseconds and ``Z``."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """Write an aware datetime, for example ``2026-11-23T10:00:00.000Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(text: str) -> datetime:
    """Read what `iso` wrote. Raises ValueError when the text is no instant with a zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = f"an instant needs a time zone, this has none: {text!r}"
        raise ValueError(message)
    return moment.astimezone(UTC)


def instant_or_none(text: str | None) -> datetime | None:
    """Read what may have been changed by hand; None where it is no instant."""
    try:
        return instant(text) if text else None
    except ValueError:
        return None


def whole_milliseconds(moment: datetime) -> datetime:
    """Cut an instant to what `iso` keeps, so that stored and fresh ones compare equal."""
    moment = moment.astimezone(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
